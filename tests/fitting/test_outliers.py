from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discover.fitting import Recipe
from discover.fitting.outliers import outlying
from discover.law import parse
from discover.scoring import RACE, Yardstick, validate
from discover.task import Cell, Rows, load_task

LOGS = (True, True)


def grid(noise: float = 0.005, levels: tuple[int, int] = (6, 7), seed: int = 0) -> Rows:
    """Made-up losses by 1.69 + 406/N**0.34 + 411/D**0.28 on a grid, with relative noise."""
    rng = np.random.default_rng(seed)
    n, d = np.meshgrid(np.geomspace(5e7, 3e9, levels[0]), np.geomspace(1e9, 1e11, levels[1]), indexing="ij")
    inputs = np.stack([n.ravel(), d.ravel()], axis=1)
    loss = 1.69 + 406.4 / inputs[:, 0] ** 0.34 + 410.7 / inputs[:, 1] ** 0.28
    loss *= 1 + noise * rng.standard_normal(len(loss))
    return Rows(("N", "D"), (Cell("", "loss"),), inputs, loss, np.zeros(len(loss), int), np.arange(len(loss)) + 2)


def spoiled(rows: Rows, places: list[int], times: float) -> Rows:
    target = rows.target.copy()
    target[places] *= times
    return replace(rows, target=target)


@pytest.mark.parametrize("place", [3, 8, 17, 27, 39])
@pytest.mark.parametrize("times", [1.06, 1.5, 0.93])
def test_one_wrong_measurement_is_found_and_no_other(place: int, times: float) -> None:
    assert np.flatnonzero(outlying(spoiled(grid(), [place], times), LOGS)).tolist() == [place]


@pytest.mark.parametrize("seed", range(6))
def test_a_clean_table_has_no_outliers(seed: int) -> None:
    assert not outlying(grid(0.01, seed=seed), LOGS).any()


@pytest.mark.parametrize("times", [1.1, 1.3, 0.9])
def test_a_region_that_lies_off_every_surface_is_no_outlier(times: float) -> None:
    """The corner of large N and D breaks off together: that is something to explain."""
    rows = grid()
    corner = np.flatnonzero((rows.inputs[:, 0] > 1e9) & (rows.inputs[:, 1] > 4e10)).tolist()
    assert len(corner) == 4
    assert not outlying(spoiled(rows, corner, times), LOGS).any()


@pytest.mark.parametrize("noise", [0.0, 1e-15, 1e-12])
def test_what_a_surface_misses_by_rounding_is_no_outlier(noise: float) -> None:
    size = np.geomspace(1e7, 1e9, 10)[:, None]
    for seed in range(8):
        exact = 1.0 + np.arange(10.0) ** 2  # a quadratic in log N
        target = exact * (1 + noise * np.random.default_rng(seed).standard_normal(10))
        rows = Rows(("N",), (Cell("", "loss"),), size, target, np.zeros(10, int), np.arange(2, 12))
        assert not outlying(rows, (True,)).any()


def test_where_many_rows_lie_far_off_none_stands_out() -> None:
    rows = grid()
    assert not outlying(spoiled(rows, [1, 9, 16, 24, 33, 39], 1.2), LOGS).any()


@pytest.mark.parametrize("n", [1, 3, 6])
def test_a_table_too_small_for_any_surface_has_no_outliers(n: int) -> None:
    assert not outlying(spoiled(grid().select(np.arange(42) < n), [0], 5.0), LOGS).any()


def test_targets_of_either_sign_and_linear_inputs_are_looked_at() -> None:
    x = np.linspace(-3.0, 3.0, 30)
    y = x**2 - 4.0 + 0.01 * np.random.default_rng(0).standard_normal(30)
    y[11] += 2.0
    rows = Rows(("x",), (Cell("", "y"),), x[:, None], y, np.zeros(30, int), np.arange(30) + 2)
    assert np.flatnonzero(outlying(rows, (False,))).tolist() == [11]


def test_an_outlier_is_set_aside_in_every_fit_and_fold() -> None:
    task = load_task("parallel_scaling")
    rows = spoiled(task.training, [33], 1.3)  # of the largest level, which a fold holds back
    yardstick = Yardstick.of(task, rows)
    assert yardstick.outliers.line.tolist() == [task.training.line[33]]
    assert yardstick.settings.n_rows == 35
    law = parse("E + A*(num_params*(k*log(parallel_size) + 1))**(-a)", task.input_names)
    wilder = Yardstick.of(task, spoiled(task.training, [33], 2.0))
    for recipe in (Recipe(), Recipe("log_huber", weight=0.5)):
        one, other = (validate(law, recipe, y, RACE, np.random.default_rng(0)) for y in (yardstick, wilder))
        assert one.parameters == pytest.approx(other.parameters)
        assert one.nmse == pytest.approx(other.nmse)
        assert one.in_sample == pytest.approx(other.in_sample)


def test_a_task_may_keep_its_outliers() -> None:
    task = load_task("parallel_scaling")
    rows = spoiled(task.training, [33], 1.3)
    assert Yardstick.of(task, rows).outliers.n_rows == 1
    kept = Yardstick.of(replace(task, keep_outliers=True), rows)
    assert kept.outliers.n_rows == 0
    assert kept.settings.n_rows == 36


def test_a_table_without_outliers_is_weighted_as_before() -> None:
    yardstick = Yardstick.of(load_task("parallel_scaling"))
    assert yardstick.outliers.n_rows == 0
    assert yardstick.weights(Recipe()) is None
