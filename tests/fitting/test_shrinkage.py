"""Cells that learn from their neighbours: what a recipe with `shrink` promises."""

from __future__ import annotations

import json

import numpy as np
import pytest

from discover.errors import FitError
from discover.fitting import Cells, Fit, Prior, Recipe, fit, fit_cells, levenberg_marquardt
from discover.fitting.shrinkage import with_prior
from discover.law import Law, parse
from discover.task import Cell, Rows

POWER = parse("E + A*x**(-a)", ["x"])
LINE = parse("b + c*x", ["x"])


def groups(n_cells: int = 12, n_rows: int = 6, noise: float = 0.01, seed: int = 0, vary: float = 0.1) -> Rows:
    """E + A*x**-a, with E and A all over the place and a about 0.5, on x from 1 to 20."""
    rng = np.random.default_rng(seed)
    own = truth(n_cells, seed, vary)
    cell = np.repeat(np.arange(n_cells), n_rows)
    x = np.exp(rng.uniform(0.0, 3.0, len(cell)))
    y = value(own[cell], x) * np.exp(noise * rng.standard_normal(len(cell)))
    return Rows(("x",), tuple(Cell(f"g{i}", "y") for i in range(n_cells)), x[:, None], y, cell, np.arange(len(x)) + 2)


def truth(n_cells: int, seed: int, vary: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed + 1000)
    a = 0.5 * np.exp(vary * rng.standard_normal(n_cells))
    own = {"E": rng.uniform(1.0, 3.0, n_cells), "A": rng.uniform(0.5, 2.5, n_cells), "a": a}
    return np.stack([own[name] for name in POWER.parameters], axis=1)


def value(parameters: np.ndarray, x: np.ndarray) -> np.ndarray:
    own = dict(zip(POWER.parameters, parameters.T, strict=True))
    return own["E"] + own["A"] * x ** -own["a"]


def fitted(law: Law, rows: Rows, recipe: str, **more: object) -> Fit:
    return fit(law, rows, recipe=Recipe.from_text(recipe), rng=np.random.default_rng(0), **more)  # type: ignore[arg-type]


def error_beyond(found: Fit, seed: int) -> float:
    """Root mean square of the logarithmic error at ten times the largest x."""
    x = np.full(len(found.cells), 200.0)
    return float(np.sqrt(np.mean(np.log(value(found.parameters, x) / value(truth(len(x), seed), x)) ** 2)))


def test_groups_of_few_rows_extrapolate_better_with_their_neighbours() -> None:
    alone, together = [], []
    for seed in range(4):
        rows = groups(seed=seed)
        alone.append(error_beyond(fitted(POWER, rows, "squared"), seed))
        together.append(error_beyond(fitted(POWER, rows, "squared shrink=1"), seed))
    assert np.mean(together) < 0.6 * np.mean(alone)


def test_what_the_rows_pin_down_stays_where_it_was() -> None:
    """Without noise there is nothing to learn from others, however different they are."""
    rows = groups(noise=0.0, vary=0.5)
    own = truth(12, 0, 0.5)
    assert fitted(POWER, rows, "squared shrink=1").parameters == pytest.approx(own, rel=1e-6)


def test_the_fit_under_a_prior_is_that_of_ridge_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = groups(3, 5)
    centre, gain = np.array([[1.0, 0.2]] * 3), np.array([[0.5, 30.0]] * 3)
    for kernel in (True, False):
        if not kernel:
            monkeypatch.setattr(levenberg_marquardt, "_kernel", lambda: None)
        found = fitted(LINE, rows, "squared shrink=1", prior=Prior(centre, gain))
        for cell in range(3):
            mine = rows.cell == cell
            design = np.column_stack([np.ones(5), rows.inputs[mine, 0]])
            left = design.T @ design + np.diag(gain[cell] ** 2)
            due = np.linalg.solve(left, design.T @ rows.target[mine] + gain[cell] ** 2 * centre[cell])
            assert found.parameters[cell] == pytest.approx(due, rel=1e-9)
            residual = design @ due - rows.target[mine]
            assert found.cost[cell] == pytest.approx(0.5 * residual @ residual, rel=1e-9)
            noise = (residual @ residual + ((gain[cell] * (due - centre[cell])) ** 2).sum()) / 5
            errors = np.sqrt(noise * np.diag(np.linalg.inv(left)))
            assert found.standard_errors[cell] == pytest.approx(errors, rel=1e-9)


@pytest.mark.parametrize("loss", ["squared", "log", "huber", "log_soft_l1"])
def test_the_kernel_gives_what_the_reference_gives(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    rows = groups()
    compiled = fitted(POWER, rows, f"{loss} shrink=1")
    monkeypatch.setattr(levenberg_marquardt, "_kernel", lambda: None)
    reference = fitted(POWER, rows, f"{loss} shrink=1")
    assert compiled.parameters == pytest.approx(reference.parameters, rel=1e-3)
    assert compiled.cost == pytest.approx(reference.cost, rel=1e-3)
    assert compiled.converged
    assert reference.converged


def test_a_linear_parameter_stays_one_under_a_prior() -> None:
    from discover.fitting.residuals import Residuals

    cells = Cells.from_rows(groups(), ["x"])
    ones = np.ones((12, 3))
    for loss in ("squared", "log"):
        law, _, recipe = with_prior(POWER, cells, Recipe(loss), Prior(ones, ones))
        before, after = Residuals(POWER, loss == "log"), Residuals(law, recipe.is_log)
        assert after.linear.tolist() == before.linear.tolist()


def test_the_cost_told_is_that_of_the_rows_alone() -> None:
    rows = groups()
    alone, together = fitted(POWER, rows, "squared"), fitted(POWER, rows, "squared shrink=1")
    gap = together.predict(rows) - rows.target
    assert together.cost == pytest.approx(0.5 * np.bincount(rows.cell, gap**2), rel=1e-9)
    assert (together.cost >= alone.cost * (1 - 1e-9)).all()
    a = POWER.parameters.index("a")
    assert np.median(together.standard_errors[:, a] / alone.standard_errors[:, a]) < 0.7


def test_a_group_with_fewer_rows_than_parameters_is_fitted_by_what_its_neighbours_know() -> None:
    table = groups(vary=0.02)
    rows = table.select((table.cell != 5) | (np.arange(table.n_rows) % 6 < 2))
    alone, together = fitted(POWER, rows, "squared"), fitted(POWER, rows, "squared shrink=1")
    assert alone.status[5] == "too few rows"
    assert together.converged
    assert np.isfinite(together.standard_errors).all()
    assert together.parameters[5, POWER.parameters.index("a")] == pytest.approx(0.5, rel=0.15)


def test_two_groups_cannot_say_what_is_usual() -> None:
    alone, together = (fitted(POWER, groups(2), recipe) for recipe in ("squared", "squared shrink=1"))
    assert np.array_equal(alone.parameters, together.parameters)
    assert together.prior is None
    assert together.prior_table == {}


def test_cells_of_another_target_and_of_another_fold_say_nothing() -> None:
    first, second = groups(seed=0), groups(seed=1, vary=0.5)
    recipe, options = Recipe(shrink=1.0), {"starts": 8, "polish": True, "steps": 100}

    def found(cells: Cells) -> np.ndarray:
        return fit_cells(POWER, cells, recipe, rng=np.random.default_rng(0), **options)[0]  # type: ignore[arg-type]

    due = found(Cells.from_rows(first, ["x"]))
    stacked = Cells.stack([Cells.from_rows(rows, ["x"]) for rows in (first, second)])
    assert found(stacked)[:12] == pytest.approx(due, rel=1e-5)
    both = Rows(
        ("x",),
        (*first.cells, *(Cell(cell.group, "z") for cell in second.cells)),
        np.concatenate([first.inputs, second.inputs]),
        np.concatenate([first.target, second.target]),
        np.concatenate([first.cell, second.cell + 12]),
        np.arange(first.n_rows + second.n_rows),
    )
    assert found(Cells.from_rows(both, ["x"]))[:12] == pytest.approx(due, rel=1e-5)


def test_a_parameter_shared_by_all_is_left_as_it_is() -> None:
    found = fitted(POWER, groups(), "squared shrink=1 shared=a")
    assert found.converged
    assert np.ptp(found.parameters[:, POWER.parameters.index("a")]) == 0.0
    assert found.prior is not None
    assert (found.prior.gain[:, POWER.parameters.index("a")] == 0.0).all()


def test_a_parameter_at_its_bound_in_all_cells_does_no_harm() -> None:
    """A slope that would fall is zero in every group: there is no spread to divide by."""
    law = parse("b + k*x", ["x"], bounds={"k": (0.0, np.inf)})
    found = fitted(law, groups(), "squared shrink=1")
    assert (found.parameters[:, law.parameters.index("k")] == 0.0).all()
    assert found.converged


def test_a_table_of_zeros_is_fitted_by_zeros() -> None:
    """No noise and no spread: neither may be divided by."""
    table = groups()
    zeros = Rows(table.input_names, table.cells, table.inputs, np.zeros(table.n_rows), table.cell, table.line)
    assert (fitted(LINE, zeros, "squared shrink=1").parameters == 0.0).all()


def test_a_refit_under_the_prior_that_was_told_stays_where_it_is() -> None:
    rows = groups()
    found = fitted(POWER, rows, "huber shrink=0.3")
    told = json.loads(json.dumps(found.prior_table))
    prior = Prior.of_table(told, [cell.label for cell in rows.cells], POWER)
    assert found.prior is not None
    assert np.array_equal(prior.gain, found.prior.gain)
    assert np.array_equal(prior.centre, found.prior.centre)
    again = fitted(POWER, rows, "huber shrink=0.3", starts=0, initial=found.parameters[None], prior=prior)
    assert again.parameters == pytest.approx(found.parameters, rel=1e-3)


def test_the_same_seed_gives_the_same_bits() -> None:
    one, other = (fitted(POWER, groups(), "log shrink=1") for _ in range(2))
    assert np.array_equal(one.parameters, other.parameters)


def test_shrinking_is_read_back_and_checked() -> None:
    recipe = Recipe("log", weight=0.5, shrink=0.3, shared=("beta",))
    assert recipe.text == "log weight=0.5 shrink=0.3 shared=beta"
    assert Recipe.from_text(recipe.text) == recipe
    for wrong in ("-1", "nan", "1e9"):
        with pytest.raises(FitError, match="shrink"):
            Recipe.from_text(f"log shrink={wrong}")


def test_a_pool_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="expected \\(1,\\)"):
        Cells({"x": np.ones((1, 2))}, np.ones((1, 2)), np.ones((1, 2)), np.array([2]), np.zeros(3, dtype=int))
