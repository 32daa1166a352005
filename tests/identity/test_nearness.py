"""Two laws are near where a task's rows cannot tell them apart, and it is told at which factor beyond they part."""

from __future__ import annotations

import numpy as np

from discover.fitting import fit
from discover.identity import NEAR, Nearness, identify, nearness
from discover.law import Law, parse
from discover.task import Cell, Rows

SPREAD = 0.02  # of the noise
BOUNDED = parse("C + A/(1 + x/k)", ["x"])  # goes to C
POWER = parse("E + B*x**(-b)", ["x"])


def rows(law: Law, parameters: list[float], noise: float = SPREAD, low: float = 10.0, high: float = 100.0) -> Rows:
    """Sixty rows of a law with noise, over one input."""
    x = np.geomspace(low, high, 60)
    target = law.predict({"x": x}, parameters) + noise * np.random.default_rng(0).standard_normal(60)
    return Rows(("x",), (Cell("", "loss"),), x[:, None], target, np.zeros(60, dtype=int), np.arange(60))


def fitted(law: Law, to: Rows) -> np.ndarray:
    return fit(law, to, starts=24, rng=np.random.default_rng(0)).parameters


def near(other: Law, to: Rows) -> Nearness:
    found = nearness(BOUNDED, fitted(BOUNDED, to), other, to, np.random.default_rng(0))
    assert found is not None
    return found


def test_laws_that_differ_by_less_than_the_noise_are_near_and_part_beyond():
    data = rows(BOUNDED, [2.0, 1.0, 8.0])
    found = near(POWER, data)
    assert found.close
    assert 0.0 < found.distance < 0.5
    factor = found.parts["x"]
    assert factor is not None
    assert f"x{factor:g} beyond x" in found.text


def test_they_part_where_three_times_the_noise_lies_between_them_and_not_before():
    """The factor is checked against the laws themselves, fitted here."""
    data = rows(BOUNDED, [2.0, 1.0, 8.0])
    own = fitted(BOUNDED, data)
    factor = near(POWER, data).parts["x"]
    made = BOUNDED.predict({"x": data.column("x")}, own[0])
    noise = float(np.sqrt(np.mean((made - data.target) ** 2)))
    other = fitted(POWER, Rows(data.input_names, data.cells, data.inputs, made, data.cell, data.line))
    apart = {
        f: abs(float(BOUNDED.predict({"x": f * 100.0}, own[0]) - POWER.predict({"x": f * 100.0}, other[0]))) / noise
        for f in (2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)
    }
    assert factor == next(f for f, gap in apart.items() if gap > 3.0)


def test_the_same_laws_are_not_near_where_the_noise_is_small():
    assert not near(POWER, rows(BOUNDED, [2.0, 1.0, 8.0], noise=SPREAD / 100.0)).close


def test_one_family_written_differently_has_no_distance_and_never_parts():
    found = near(parse("T - G*x/(x + h)", ["x"]), rows(BOUNDED, [2.0, 1.0, 8.0]))
    assert found.distance < 1e-3
    assert found.parts == {"x": None}
    assert "do not part up to x100" in found.text


def test_where_an_input_is_a_share_nothing_is_beyond_it():
    assert near(POWER, rows(BOUNDED, [2.0, 1.0, 0.3], low=0.05, high=0.95)).parts == {"x": None}


def test_without_residuals_there_is_no_noise_to_measure_by():
    data = rows(BOUNDED, [2.0, 1.0, 8.0], noise=0.0)
    exact = np.array([[2.0, 1.0, 8.0]])
    assert nearness(BOUNDED, exact, POWER, data, np.random.default_rng(0)) is None
    assert nearness(BOUNDED, exact * np.nan, POWER, data, np.random.default_rng(0)) is None


def test_of_a_law_that_does_not_explain_the_rows_no_other_is_near():
    data = rows(BOUNDED, [2.0, 1.0, 8.0])
    flat = np.array([[2.05, 0.0, 8.0]])
    assert nearness(BOUNDED, flat, POWER, data, np.random.default_rng(0)) is None


def test_identify_calls_a_law_near_only_with_rows_to_tell():
    law = parse("C + A/(1 + x/k) + G/(1 + x/h)**2", ["x"])
    data = rows(law, [2.0, 1.0, 8.0, 0.1, 3.0])
    roles = {"x": "tokens"}
    with_rows = identify(law, roles, rows=data, parameters=fitted(law, data))
    assert any(finding.kind == NEAR and finding.nearness and finding.nearness.close for finding in with_rows)
    assert not any(finding.kind == NEAR for finding in identify(law, roles))
