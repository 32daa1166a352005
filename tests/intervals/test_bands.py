"""A band holds what it promises, and says where nobody has checked."""

from __future__ import annotations

import numpy as np
import pytest

from discover.errors import FitError
from discover.fitting import Recipe, fit
from discover.intervals import Bands, bands_of
from discover.intervals.bootstrap import resampled
from discover.intervals.calibration import Misses, coverage_across_folds, factors
from discover.intervals.clusters import clusters
from discover.intervals.distance import distance_beyond
from discover.intervals.tied import FittedForm
from discover.law import parse
from discover.task import Cell, Rows
from tests.planted import FORMULA, chinchilla, fitted, grid, loss, rows_of, task_of


def inside(bands: Bands, rows: Rows, level: float = 0.9) -> np.ndarray:
    band = bands.predict(rows, level)
    return (band.lower <= rows.target) & (rows.target <= band.upper)


def test_bands_of_the_true_form_hold_what_they_promise_beyond_the_data_and_not_everything():
    held, half = [], []
    for seed in range(12):
        task, beyond = chinchilla(seed)
        bands = bands_of(task, fitted(task, FORMULA), rng=np.random.default_rng(seed), draws=40)
        held.append(inside(bands, beyond))
        half.append(inside(bands, beyond, 0.5))
    assert np.mean(held) >= 0.85
    assert 0.4 <= np.mean(half) <= 0.85


def test_a_form_that_is_wrong_beyond_the_data_gets_a_wider_band_from_its_folds():
    task, beyond = chinchilla(0)
    wrong = fitted(task, "A*N**(-alpha)*D**(-beta)")  # no floor: it keeps falling
    bands = bands_of(task, wrong, rng=np.random.default_rng(0), draws=40)
    raw = Bands(bands.ensemble, ())
    assert inside(bands, beyond).mean() >= 0.8
    assert inside(bands, beyond).mean() >= inside(raw, beyond).mean()
    width = np.ptp([bands.predict(beyond).lower, bands.predict(beyond).upper], axis=0)
    assert (width > 1.2 * np.ptp([raw.predict(beyond).lower, raw.predict(beyond).upper], axis=0)).all()


def test_near_tied_laws_widen_the_band_where_they_disagree():
    task, beyond = chinchilla(0)
    main, other = fitted(task, FORMULA), fitted(task, "A*N**(-alpha)*D**(-beta)")
    alone = bands_of(task, main, rng=np.random.default_rng(0), draws=30, calibrate=False)
    together = bands_of(task, main, [other], rng=np.random.default_rng(0), draws=30, calibrate=False)
    (narrow, wide) = (b.predict(beyond).upper - b.predict(beyond).centre for b in (alone, together))
    assert (wide > 1.3 * narrow).all()


def test_the_same_seed_gives_the_same_band():
    task, beyond = chinchilla(1)
    form = fitted(task, FORMULA)
    first, second = (bands_of(task, form, rng=np.random.default_rng(5), draws=10).predict(beyond) for _ in range(2))
    assert np.array_equal(first.lower, second.lower)


def test_rows_far_beyond_the_reach_of_folds_are_told_as_unmeasured():
    task, beyond = chinchilla(0)
    bands = bands_of(task, fitted(task, FORMULA), rng=np.random.default_rng(0), draws=10)
    far = rows_of(beyond.inputs * [1e6, 1.0], beyond.target)
    assert bands.predict(beyond).measured.all()
    assert not bands.predict(far).measured.any()


@pytest.mark.parametrize("level", [0.0, 0.4, 1.0, float("nan")])
def test_a_level_that_is_no_level_is_refused(level: float):
    task, beyond = chinchilla(0)
    bands = bands_of(task, fitted(task, FORMULA), rng=np.random.default_rng(0), draws=5, calibrate=False)
    with pytest.raises(FitError, match=r"level: .*expected 0.5 to 0.99"):
        bands.predict(beyond, level)


def test_rows_that_share_a_setting_of_the_scale_axes_are_one_cluster():
    inputs = np.repeat(grid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e9, 1e10, 3)), 5, axis=0)
    with_rate = np.column_stack([inputs, np.tile(np.geomspace(1e-4, 1e-2, 5), 12)])
    task = task_of(rows_of(with_rate, loss(inputs), ("N", "D", "lr")))
    assert len(np.unique(clusters(task))) == 12


def test_a_training_curve_is_one_cluster_and_single_runs_are_their_own():
    curve = grid(np.geomspace(1e7, 1e9, 10), np.geomspace(1e9, 1e11, 40))
    assert len(np.unique(clusters(task_of(rows_of(curve, loss(curve)))))) == 10
    few = grid(np.geomspace(1e7, 1e9, 3), np.geomspace(1e9, 1e10, 4))
    assert len(np.unique(clusters(task_of(rows_of(few, loss(few)))))) == 12


def test_the_corner_of_two_axes_is_beyond_the_data_though_each_was_measured_to_its_top():
    inputs = np.array([(1e7, 1e9), (1e7, 1e11), (1e9, 1e9)])
    task = task_of(rows_of(inputs, loss(inputs)))
    asked = rows_of(np.array([(1e9, 1e11), (1e8, 1e9), (1e10, 1e9)]), np.zeros(3))
    assert np.allclose(distance_beyond(task, task.training, asked), [1.0, 0.0, 0.5])


def test_bootstrap_spread_agrees_with_standard_errors_for_a_linear_law():
    rng = np.random.default_rng(0)
    inputs = grid(np.geomspace(1e7, 1e9, 20), np.geomspace(1e9, 1e11, 10))
    task = task_of(rows_of(inputs, 3.0 + 0.1 * np.log(inputs[:, 0]) + 0.05 * rng.standard_normal(200)), ())
    form = fitted(task, "a + b*log(N)", recipe="squared")
    drawn = resampled(form, form.parameters, task.training, np.arange(200), None, 400, rng)
    x = np.column_stack([np.ones(200), np.log(inputs[:, 0])])
    due = 0.05 * np.sqrt(np.diag(np.linalg.inv(x.T @ x)))
    assert np.allclose(drawn[:, 0].std(0), due, rtol=0.25)


def test_misses_of_alike_distance_set_the_factor():
    rng = np.random.default_rng(0)
    near = Misses("near", np.abs(rng.standard_normal(400)), np.full(400, 0.01))
    far = Misses("far", 5.0 * np.abs(rng.standard_normal(400)), np.full(400, 3.0))
    close, beyond = factors([near, far], np.array([0.01, 3.0]), 0.9)
    assert close < 0.6 * beyond
    assert factors([], np.zeros(1), 0.9)[0] == pytest.approx(1.6449, abs=1e-4)
    told = coverage_across_folds([near, far], 0.9)
    assert told["near"] == (1.0, 400)
    assert told["far"][0] < 0.5


def test_groups_learn_from_the_other_groups_of_their_own_draw():
    """The first draw is the same whether others are made beside it or not."""
    rng = np.random.default_rng(0)
    x = np.exp(rng.uniform(0.0, 3.0, 30))
    y = 2.0 + x**-0.5 + 0.02 * rng.standard_normal(30)
    cells = tuple(Cell(f"g{number}", "loss") for number in range(5))
    rows = Rows(("x",), cells, x[:, None], y, np.arange(30) % 5, np.arange(30) + 2)
    law, recipe = parse("E + A*x**(-a)", ["x"]), Recipe(shrink=1.0)
    values = fit(law, rows, recipe=recipe, rng=rng).parameters
    form = FittedForm(law, recipe, values, 0.0)
    one, several = (
        resampled(form, values, rows, np.arange(30), None, draws, np.random.default_rng(1)) for draws in (1, 3)
    )
    assert np.allclose(one[0], several[0], rtol=1e-6)
