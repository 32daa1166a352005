"""Optima meet known answers before they meet our own."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from discover.errors import DiscoverError, LawSyntaxError
from discover.intervals import bands_of
from discover.law import parse
from discover.planning import ask, decide, optimum
from discover.planning.question import default_cost, read_values
from tests.planted import FORMULA, TRUTH, chinchilla, fitted, grid, loss, rows_of, task_of


def true_law():
    law = parse(FORMULA, ["N", "D"])
    return law, np.array([TRUTH[name] for name in law.parameters])


def chinchilla_optimum(budget: float) -> tuple[float, float]:
    """Hoffmann et al. 2022, eq. 4: N = G (C/6)^a with a = beta / (alpha + beta)."""
    t = TRUTH
    a = t["beta"] / (t["alpha"] + t["beta"])
    g = (t["alpha"] * t["A"] / (t["beta"] * t["B"])) ** (1.0 / (t["alpha"] + t["beta"]))
    return g * (budget / 6.0) ** a, (budget / 6.0) ** (1.0 - a) / g


@pytest.mark.parametrize("budget", [1e18, 1e20, 1e22])
def test_chinchilla_optimum_is_that_of_the_closed_form(budget: float):
    law, parameters = true_law()
    task, _ = chinchilla()
    found = optimum(ask(task, law, budget=budget), law, parameters)
    assert found.values == pytest.approx(chinchilla_optimum(budget), rel=1e-9)
    assert found.cost == pytest.approx(budget, rel=1e-9)
    assert found.converged
    assert found.at_bounds == ()


def test_chinchilla_exponents_are_beta_over_alpha_plus_beta():
    task, _ = chinchilla()
    bands = bands_of(task, fitted(task, FORMULA), rng=np.random.default_rng(0), draws=12, calibrate=False)
    law, parameters = bands.ensemble.forms[0].law, bands.ensemble.parameters[0][0]
    alpha, beta = (parameters[law.parameters.index(name)] for name in ("alpha", "beta"))
    decision = decide(ask(task, law, budget=1e20), bands)
    assert decision.exponents == pytest.approx([beta / (alpha + beta), alpha / (alpha + beta)], abs=1e-6)
    assert (decision.exponent_ends[0] < decision.exponents).all()
    assert (decision.exponents < decision.exponent_ends[1]).all()
    assert (decision.lower < decision.optimum.values).all()
    assert (decision.optimum.values < decision.upper).all()
    assert decision.band.lower[0] < decision.optimum.target < decision.band.upper[0]


def test_a_column_in_billions_of_tokens_costs_a_billion_times_as_much():
    """It was refused, with the advice to give a cost that was a billion times too small."""
    task, _ = chinchilla()
    size, tokens = task.inputs
    assert default_cost(task) == "6*N*D"
    assert default_cost(replace(task, inputs=(size, replace(tokens, unit="billions of tokens")))) == "6e+09*N*D"
    with pytest.raises(DiscoverError, match="no single input in tokens"):
        default_cost(replace(task, inputs=(size, replace(tokens, unit="bits of tokens"))))


@pytest.mark.parametrize("given", [{}, {"D": 1e10}])
def test_a_near_tied_law_may_read_what_the_law_does_not(given: dict[str, float]):
    """A law of one input, its near-tied one of two, and an optimum over the first: the second was not found."""
    task, _ = chinchilla()
    bowl, wider = "E + B*(log(N) - k)**2", "E + B*(log(N) - k)**2 + A*D**(-alpha)"
    forms = [fitted(task, text, score=-4.0) for text in (bowl, wider)]
    bands = bands_of(task, forms[0], forms[1:], rng=np.random.default_rng(0), draws=4, calibrate=False)
    assert len(bands.ensemble.forms) == 2
    assert decide(ask(task, forms[0].law, over=("N",), at=given), bands).laws == 2


def test_another_cost_moves_the_optimum_as_its_own_lagrange_condition_says():
    law, parameters = true_law()
    task, _ = chinchilla()
    found = optimum(ask(task, law, budget=1e20, cost="6*N*D + 2e10*N"), law, parameters)
    n, d = found.values
    t = TRUTH
    by_n, by_d = t["alpha"] * t["A"] / n ** t["alpha"], t["beta"] * t["B"] / d ** t["beta"]
    assert by_n * (6 * n * d) == pytest.approx(by_d * (6 * n * d + 2e10 * n), rel=1e-7)
    assert 6 * n * d + 2e10 * n == pytest.approx(1e20, rel=1e-9)


def test_an_optimum_without_a_budget_is_where_the_slope_vanishes():
    inputs = grid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e-4, 1e-1, 5))
    task = task_of(rows_of(inputs, loss(inputs * [1.0, 1e12]), ("N", "lr")), ("N",))
    law = parse("E + K*(log(lr) - c - a*log(N))**2", task.input_names)
    values = {"E": 2.0, "K": 0.05, "c": 1.0, "a": -0.4}
    question = ask(task, law, over=["lr"], at={"N": 1e8})
    found = optimum(question, law, np.array([values[name] for name in law.parameters]))
    assert found.values[0] == pytest.approx(math.exp(1.0 - 0.4 * math.log(1e8)), rel=1e-9)


def test_a_score_is_made_large_and_a_loss_small():
    law = parse("a - b*(log(N) - c)**2", ["N"])
    inputs = np.geomspace(1e6, 1e9, 12)[:, None]
    rows = rows_of(inputs, np.linspace(0.1, 0.9, 12), ("N",))
    parameters = np.array([{"a": 1.0, "b": 0.01, "c": math.log(1e8)}[name] for name in law.parameters])
    best = [optimum(ask(task_of(rows, ("N",), up), law, over=["N"]), law, parameters) for up in (True, False)]
    assert best[0].values[0] == pytest.approx(1e8, rel=1e-8)
    assert best[1].at_bounds == ("N",)


def test_an_optimum_at_the_end_of_the_search_says_so():
    law, parameters = true_law()
    task, _ = chinchilla()
    capped = replace(task, inputs=(replace(task.inputs[0], maximum=1e8), task.inputs[1]))
    found = optimum(ask(capped, law, budget=1e22), law, parameters)
    assert found.at_bounds == ("N",)
    assert found.values[0] == pytest.approx(1e8, rel=1e-6)


REFUSED = [
    ({"budget": 1.0}, "the cheapest run"),
    ({"budget": -1.0}, "expected a positive number"),
    ({"budget": float("nan")}, "expected a positive number"),
    ({"budget": 1e20, "cost": "6*N*tokens"}, "unknown name 'tokens'"),
    ({"budget": 1e20, "cost": "__import__('os')"}, "formula:"),
    ({"budget": 1e20, "cost": "9**9**9*N"}, "formula:"),
    ({"cost": "6*N*D", "over": ["N"]}, "without a budget"),
    ({}, "nothing is free"),
    ({"over": ["M"]}, "input 'M'"),
    ({"over": ["N"]}, "input 'D': neither free nor given"),
    ({"over": ["N"], "at": {"N": 1e8}}, "both free"),
    ({"over": ["N"], "at": {"D": -1e9}}, "its unit allows"),
    ({"over": ["N"], "at": {"D": 1e9}, "cell": "x"}, None),
]


@pytest.mark.parametrize("asked, message", REFUSED)
def test_a_question_that_cannot_be_answered_is_refused_in_one_line(asked: dict, message: str | None):
    law, parameters = true_law()
    task, _ = chinchilla()
    with pytest.raises((DiscoverError, LawSyntaxError)) as caught:
        optimum(ask(task, law, **asked), law, parameters)
    assert "\n" not in str(caught.value)
    assert message is None or message in str(caught.value)


@pytest.mark.parametrize("text", ["N", "N=", "N=x", "N=nan", "N=1e9=2"])
def test_given_values_are_numbers(text: str):
    with pytest.raises(DiscoverError, match="expected NAME=NUMBER"):
        read_values(text)
    assert read_values("N=1e9, D=2") == {"N": 1e9, "D": 2.0}
