"""Statements about known laws are proved, refuted at the point that is printed, or left open; never wrongly ticked."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

from discover.certificates import (
    PROVED,
    REFUTED,
    UNKNOWN,
    Axis,
    Domain,
    certify,
    domain_of,
    limit,
    range_on,
    sign_on,
    turning_points,
)
from discover.certificates.ratios import powers_of_units
from discover.cli import main
from discover.law import parse, to_text
from discover.task import load_task

N, D = Axis("N", 1e5, 1e13, True), Axis("D", 1e7, 1e14, True)


def statements(text: str, axes: tuple[Axis, ...], **parameters: float):
    law = parse(text, [axis.name for axis in axes])
    middle = {a.name: math.sqrt(a.low * a.high) if a.log else 0.5 * (a.low + a.high) for a in axes}
    made = certify(law, [parameters[name] for name in law.parameters], Domain(axes, middle))
    ends = [s.text.rpartition(" goes to ")[2].split()[0] if s.about == "limit" else "" for s in made]
    return {(s.about, s.input, end): s for s, end in zip(made, ends, strict=True)}


def test_chinchilla_falls_stays_positive_and_tends_to_its_floor():
    told = statements("E + A/N**alpha + B/D**beta", (N, D), E=1.7, A=400, B=400, alpha=0.34, beta=0.28)
    assert told["sign", "", ""].verdict == told["defined", "", ""].verdict == PROVED
    assert told["monotone", "N", ""].text == "falls with N on the whole domain"
    assert told["monotone", "D", ""].verdict == PROVED
    assert told["limit", "N", "zero"].text.startswith("tends to infinity")
    assert told["units", "", ""].verdict == REFUTED
    assert told["units", "", ""].because == "N**alpha, D**beta"


def test_parabola_is_refuted_at_two_points_and_its_minimum_found():
    x = Axis("x", 15.0, 30.0, False)
    told = statements("a + b*x + c*x**2", (x,), a=3, b=-0.2, c=0.005)
    assert told["monotone", "x", ""].verdict == REFUTED
    assert "rises at x = " in told["monotone", "x", ""].because
    turns = turning_points(parse("a + b*x + c*x**2", ["x"]).expression, x, {"a": 3, "b": -0.2, "c": 0.005})
    assert turns is not None
    (low, high, kind), = turns  # fmt: skip
    assert low <= 20.0 <= high
    assert kind == 1
    assert high - low < 0.05


def test_counter_example_is_one():
    law = parse("a - b*log(N)", ["N"])
    found = sign_on(law.expression, [N], {"a": 20.0, "b": 1.0})
    assert found.always == 0
    assert found.positive is not None
    assert found.negative is not None
    assert law.predict(found.positive, [20.0, 1.0]) > 0 > law.predict(found.negative, [20.0, 1.0])


def test_touching_zero_is_no_proof_of_a_sign():
    x = Axis("x", 0.0, 2.0, False)
    assert statements("a*(x - b)**2", (x,), a=1.0, b=1.0)["sign", "", ""].verdict == UNKNOWN


def test_pole_is_not_called_finite():
    x = Axis("x", 0.5, 2.0, False)
    assert statements("a/(x - b)", (x,), a=1.0, b=1.0)["defined", "", ""].verdict != PROVED
    assert range_on(parse("a/(x - b)", ["x"]).expression, [x], {"a": 1.0, "b": 1.0}) is None


def test_where_the_law_is_no_number_is_printed():
    x = Axis("x", 1.0, 9.0, False)
    told = statements("a*log(x - b)", (x,), a=1.0, b=3.0)["defined", "", ""]
    assert (told.verdict, told.because) == (REFUTED, "no number at x = 1.0")


def test_too_little_work_leaves_it_open():
    expression = parse("a + b*log(N) + c*log(N)**2", ["N"]).expression
    assert sign_on(expression, [N], {"a": 30.0, "b": -2.0, "c": 0.04}, "N", most_boxes=1).always == 0


LIMITS = [
    ("E + A/x**a", {"E": 1.5, "A": 2, "a": 0.3}, 1.5, math.inf),
    ("C + A/(1 + (x/k)**a)", {"C": 1, "A": 2, "k": 3, "a": 0.7}, 1.0, 3.0),
    ("x**a/(k + x**a)", {"k": 3, "a": 0.7}, 1.0, 0.0),
    ("1/(1 - exp(-x/R))", {"R": 3.0}, 1.0, math.inf),
    ("x*log(1 + k/x)", {"k": 3.0}, 3.0, 0.0),
    ("log(x)*x**(-a)", {"a": 0.3}, 0.0, -math.inf),
    ("exp(x) - k*x**3", {"k": 0.3}, math.inf, 1.0),
    ("exp(x) - k*exp(2*x)", {"k": 0.5}, None, 0.5),
    ("sqrt(x + k) - sqrt(x)", {"k": 4.0}, None, 2.0),
    ("tanh(k*log(x))", {"k": 0.3}, 1.0, -1.0),
    ("p**x", {"p": 0.5}, 0.0, 1.0),
    ("min(x, k)", {"k": 2.0}, 2.0, 0.0),
    ("sin(k*x)", {"k": 2.0}, None, None),
    ("(x + k) - x", {"k": 2.0}, None, 2.0),
    ("atan(k*x)", {"k": 2.0}, math.pi / 2, 0.0),
]


@pytest.mark.parametrize("text, parameters, at_infinity, at_zero", LIMITS, ids=[each[0] for each in LIMITS])
def test_limits_are_right_or_unknown(text: str, parameters: dict, at_infinity: float | None, at_zero: float | None):
    expression = parse(text, ["x"]).expression
    for to_zero, due in ((False, at_infinity), (True, at_zero)):
        found = limit(expression, parameters, "x", to_zero)
        if found is not None and due is not None:
            assert found[0] <= due <= found[1] or found == pytest.approx((due, due), rel=1e-12, abs=1e-300)
        elif due is not None:
            raise AssertionError(f"{text}: unknown, expected {due}")
        if due is None and found is not None:
            assert text == "(x + k) - x"
            assert found == (2.0, 2.0)


def test_limits_agree_with_far_values():
    rng = np.random.default_rng(0)
    law = parse("E + A/(x**a + k) + B*exp(-x/r)", ["x"])
    for _ in range(20):
        own = dict(zip(law.parameters, rng.uniform(0.3, 3.0, 6), strict=True))
        low, high = limit(law.expression, own, "x") or (math.nan, math.nan)
        far = float(law.predict({"x": 1e60}, list(own.values())))
        assert low - 1e-9 <= far <= high + 1e-9


def test_powers_of_ratios_are_pure():
    def parts(text: str):
        return [to_text(p) for p in powers_of_units(parse(text, ["N", "D"]).expression, ("N", "D"), lambda n: False)]

    assert parts("E + (A/N)**a + B*sqrt(D)") == []
    assert parts("E + A/N**a") == ["N**a"]
    assert parts("E + exp(-D/k)*log(N)") == ["log(N)"]
    assert parts("E + A*(N + k)**a") == ["(N + k)**a"]


def test_domain_reaches_a_hundred_times_beyond_the_data_within_units():
    task = load_task("vocab_scaling")
    domain = domain_of(task)
    size = task.training.column("non_vocab_params")
    axis = next(a for a in domain.axes if a.name == "non_vocab_params")
    assert axis.high == pytest.approx(100 * size.max())
    allowed = next(c.minimum for c in task.inputs if c.name == "non_vocab_params")
    assert axis.low == pytest.approx(max(size.min() / 100, allowed or 0.0))


def test_command_prints_marks():
    result = CliRunner().invoke(main, ["certify", "E + A/sft_examples**a", "--task", "sft_scaling", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert {s["verdict"] for own in told for s in own["statements"]} <= {PROVED, REFUTED, UNKNOWN}
    assert any(s["about"] == "limit" and s["verdict"] == PROVED for s in told[0]["statements"])
