"""The compiled kernel against the NumPy version, which is the reference."""

from __future__ import annotations

import numpy as np
import pytest

from discover.fitting import Cells, Fit, Recipe, fit, levenberg_marquardt
from discover.fitting.levenberg_marquardt import Solution, minimise
from discover.fitting.residuals import Residuals
from discover.law import parse
from discover.task import Cell, Rows

pytest.importorskip("numba")

INFINITE = float("inf")
N_ROWS = (40, 25, 9)  # of each cell: padding is part of what is compared

# Every kind of step that the kernel knows, with linear parameters, without, and with none but linear ones.
FORMULAS = [
    "E + A/N**alpha + B/D**beta",
    "E + A*exp(-k*N) - B*N",
    "exp(a + b*log(N) + c*log(D))",
    "a*sqrt(N + b) + c",
    "a*tanh(b*N) + c*D",
    "sigmoid(b*N + c) + a",
    "a*abs(N - b) + c",
    "a*min(N, b) + c*max(D, d)",
    "a*N**2/(b + N**3) + c",
    "1/(a + b*N) + c",
    "(N + a)**-1*b + D**2*c",
    "(a + b*N)**2",
    "-(a*N) - b*-D",
    "a + b*N + c*D",
    "E + (A/N)**alpha*(1 + B*log(D))",
    "a*(b*N + D)**3 + c",
    "log(a + N)*b",
]


@pytest.fixture(autouse=True)
def kernel_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCOVER_NO_NUMBA", raising=False)
    levenberg_marquardt._kernel.cache_clear()


def rows() -> Rows:
    """Three cells of different length; the target falls in N and D with 2 % noise."""
    rng = np.random.default_rng(0)
    cell = np.repeat(np.arange(len(N_ROWS)), N_ROWS)
    inputs = rng.uniform(0.5, 5.0, (len(cell), 2))
    clean = 1.5 + 0.3 * cell + 2.0 * inputs[:, 0] ** -0.7 + np.exp(-0.8 * inputs[:, 1])
    target = clean * np.exp(0.02 * rng.standard_normal(len(cell)))
    cells = tuple(Cell(f"g{i}", "loss") for i in range(len(N_ROWS)))
    return Rows(("N", "D"), cells, inputs, target, cell, np.arange(2, len(cell) + 2))


def both_ways(monkeypatch: pytest.MonkeyPatch, act):
    compiled = act()
    with monkeypatch.context() as patch:
        patch.setattr(levenberg_marquardt, "_kernel", lambda: None)
        return compiled, act()


@pytest.mark.parametrize("loss", ["squared", "log"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_one_step_is_the_same(formula: str, loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    law = parse(formula, ["N", "D"])
    residuals = Residuals(law, loss == "log")
    bound = residuals.bind(Cells.from_rows(rows(), law.inputs))
    rng = np.random.default_rng(1)
    free = rng.uniform(0.1, 2.0, (30, len(residuals.nonlinear)))
    cell = np.repeat(np.arange(len(N_ROWS)), 10)

    def act(start: np.ndarray = free) -> Solution:
        return minimise(bound, start, cell, steps=1)

    assert bound.bound.tape.encoded(levenberg_marquardt._kernel().KINDS) is not None
    compiled, reference = both_ways(monkeypatch, act)
    _, shaken = both_ways(monkeypatch, lambda: act(free * (1 + 1e-10)))
    with np.errstate(invalid="ignore"):
        told = np.abs(shaken.cost - reference.cost) < 1e-7 * reference.cost  # else the step is rounding
    assert told.any()
    assert np.array_equal(np.isfinite(compiled.cost), np.isfinite(reference.cost))
    assert compiled.cost[told] == pytest.approx(reference.cost[told], rel=1e-5)
    assert np.array_equal(compiled.cost, compiled.cell_cost)


@pytest.mark.parametrize("loss", ["squared", "log", "huber", "log_soft_l1"])
@pytest.mark.parametrize("formula", [f for f in FORMULAS if "abs" not in f and "min" not in f])  # no kinks
def test_the_fit_is_the_same(formula: str, loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    law = parse(formula, ["N", "D"])

    def act() -> Fit:
        return fit(law, rows(), recipe=Recipe(loss), starts=16, rng=np.random.default_rng(2))

    compiled, reference = both_ways(monkeypatch, act)
    assert compiled.cost == pytest.approx(reference.cost, rel=1e-5)


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize(
    ("formula", "shared"),
    [
        ("E + A/N**alpha + B/D**beta", ("alpha",)),
        ("E + A/N**alpha + B/D**beta", ("alpha", "beta")),
        ("E + A/N**alpha + B/D**beta", ("B", "E")),
        ("a*sqrt(N + b) + c", ("a", "b", "c")),
    ],
)
def test_steps_with_shared_parameters_are_the_same(
    formula: str, shared: tuple[str, ...], steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    law = parse(formula, ["N", "D"])
    residuals = Residuals(law, False, shared)
    bound = residuals.bind(Cells.from_rows(rows(), law.inputs))
    n_cells, starts = len(N_ROWS), 10
    free = np.random.default_rng(1).uniform(0.1, 2.0, (starts * n_cells, len(residuals.nonlinear)))
    free[:, residuals.is_shared] = np.repeat(free[::n_cells, residuals.is_shared], n_cells, axis=0)

    def act() -> Solution:
        return minimise(bound, free, np.tile(np.arange(n_cells), starts), cells_each=n_cells, steps=steps)

    compiled, reference = both_ways(monkeypatch, act)
    assert compiled.cost.shape == compiled.converged.shape == (starts,)
    assert compiled.cost == pytest.approx(reference.cost, rel=1e-6)
    assert compiled.cell_cost == pytest.approx(reference.cell_cost, rel=1e-5)
    assert compiled.free == pytest.approx(reference.free, rel=1e-4, abs=1e-6)
    together = compiled.free[:, residuals.is_shared].reshape(starts, n_cells, -1)
    assert np.array_equal(together, np.broadcast_to(together[:, :1], together.shape))


@pytest.mark.parametrize("loss", ["squared", "log", "log_soft_l1"])
@pytest.mark.parametrize("shared", ["alpha", "E", "alpha,beta"])
def test_a_fit_with_shared_parameters_is_the_same(shared: str, loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    law = parse("E + A/N**alpha + B/D**beta", ["N", "D"])

    def act() -> Fit:
        return fit(
            law, rows(), recipe=Recipe.from_text(f"{loss} shared={shared}"), starts=8, rng=np.random.default_rng(2)
        )

    compiled, reference = both_ways(monkeypatch, act)
    assert compiled.cost == pytest.approx(reference.cost, rel=1e-6)
    assert compiled.status == reference.status


@pytest.mark.parametrize(
    "bounds",
    [
        {"A": (0.0, INFINITE), "k": (0.0, INFINITE)},
        {"A": (0.0, 0.7), "k": (0.0, 0.3)},
        {"A": (-INFINITE, 0.5), "k": (-INFINITE, 0.4), "E": (0.0, 1.5)},
        {"E": (0.0, 1.0), "A": (3.0, 4.0)},
    ],
)
def test_bounds_are_the_same(bounds: dict[str, tuple[float, float]], monkeypatch: pytest.MonkeyPatch) -> None:
    law = parse("E + A*exp(-k*N)", ["N", "D"], bounds=bounds)

    def act() -> Fit:
        return fit(law, rows(), starts=16, rng=np.random.default_rng(2))

    compiled, reference = both_ways(monkeypatch, act)
    assert compiled.cost == pytest.approx(reference.cost, rel=1e-7)
    assert np.array_equal(compiled.at_bounds, reference.at_bounds)
    assert compiled.status == reference.status


def test_rows_of_weight_zero_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    law = parse("E + A*exp(-k*N)", ["N", "D"])
    table = rows()
    weights = np.where(np.arange(table.n_rows) % 3 == 0, 0.0, 1.5)

    def act() -> Fit:
        return fit(law, table, weights=weights, starts=16, rng=np.random.default_rng(2))

    compiled, reference = both_ways(monkeypatch, act)
    assert compiled.cost == pytest.approx(reference.cost, rel=1e-9)
    assert compiled.parameters == pytest.approx(reference.parameters, rel=1e-6)


@pytest.mark.parametrize("formula", ["a*log(N - 20) + b", "a*exp(1000 + 1000*N) + c", "a*N/0 + b"])
def test_what_is_not_finite_is_not_finite_in_both(formula: str, monkeypatch: pytest.MonkeyPatch) -> None:
    law = parse(formula, ["N", "D"])

    def act() -> Fit:
        return fit(law, rows(), starts=4, rng=np.random.default_rng(2))

    compiled, reference = both_ways(monkeypatch, act)
    assert compiled.status == reference.status == ("not finite",) * len(N_ROWS)


def test_the_kernel_gives_the_same_bits_again() -> None:
    law = parse(FORMULAS[0], ["N", "D"])
    one, other = (fit(law, rows(), starts=16, rng=np.random.default_rng(2)) for _ in range(2))
    assert np.array_equal(one.parameters, other.parameters)
    assert np.array_equal(one.cost, other.cost)


@pytest.mark.parametrize(("name", "low", "high"), [("_exp", -707.9, 708.9), ("_exp", -1.0, 1.0), ("_log", 0.0, 3.0)])
def test_exponentials_and_logarithms_are_off_by_a_unit_in_the_last_place_at_most(
    name: str, low: float, high: float
) -> None:
    own, known = getattr(levenberg_marquardt._kernel(), name), getattr(np, name[1:])
    values = np.random.default_rng(0).uniform(low, high, 3000)
    found, expected = np.array([own(value) for value in values]), known(values)
    assert np.max(np.abs(found - expected) / np.spacing(np.abs(expected))) <= 2.0  # of each, one


def test_exponentials_and_logarithms_at_the_ends_of_what_numbers_hold() -> None:
    kernel = levenberg_marquardt._kernel()
    with np.errstate(all="ignore"):
        ends = np.array([np.nan, np.inf, -np.inf, -800.0, 800.0, 0.0, -0.0])
        assert [kernel._exp(end) for end in ends] == pytest.approx(np.exp(ends), nan_ok=True)
        ends = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, -1.0, 1.0, 5e-324, 1e-310, 2.3e-308, 1.7e308])
        assert [kernel._log(end) for end in ends] == pytest.approx(np.log(ends), nan_ok=True, rel=1e-15)


def test_a_function_that_the_kernel_has_not_takes_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    law = parse("a*sin(b*N) + c", ["N", "D"])

    def act() -> Fit:
        return fit(law, rows(), starts=16, rng=np.random.default_rng(2))

    compiled, reference = both_ways(monkeypatch, act)
    assert np.array_equal(compiled.parameters, reference.parameters)


def test_the_kernel_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCOVER_NO_NUMBA", "1")
    levenberg_marquardt._kernel.cache_clear()
    assert levenberg_marquardt._kernel() is None
    levenberg_marquardt._kernel.cache_clear()


def test_what_was_compiled_for_a_law_is_kept_for_that_law_alone() -> None:
    first, equal = parse("A*N**(-a) + c", ["N"]), parse("A*N**(-a) + c", ["N"])
    kept = Residuals.of(first, True)
    assert Residuals.of(first, True) is kept
    assert Residuals.of(first, False).is_log is False
    assert Residuals.of(first, True, ("a",)).shared == ("a",)
    assert Residuals.of(first, True, linear=False).basis == ()
    assert Residuals.of(equal, True).law is equal, (
        "an equal law is another object, and may be gone when it is asked for"
    )
