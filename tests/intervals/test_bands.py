"""A band holds what it promises, and says where nobody has checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discover.errors import FitError
from discover.fitting import Recipe, fit
from discover.intervals import Bands, bands_of
from discover.intervals.bootstrap import resampled
from discover.intervals.calibration import Misses, coverage_across_folds, factors, held_back
from discover.intervals.clusters import clusters
from discover.intervals.distance import distance_beyond
from discover.intervals.tied import FittedForm
from discover.law import parse
from discover.scoring import Yardstick
from discover.task import Cell, Rows
from tests.planted import FORMULA, chinchilla, fitted, grid, loss, rows_of, task_of


def misses(name: str, ratio: np.ndarray, distance: float, *, first: int = 0, freedom: float = np.inf) -> Misses:
    """Misses of settings of their own, counted from `first`."""
    n = len(ratio)
    return Misses(name, ratio, np.full(n, distance), first + np.arange(n), np.full(n, freedom))


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


def test_a_run_that_was_set_aside_widens_no_band():
    """Of 30 rows one that diverged, to which no law was fitted, made the band beyond the data three times as wide."""
    task, beyond = chinchilla(0)
    spoiled = np.array(task.training.target)
    spoiled[22] *= 1.9
    widths = []
    for target in (task.training.target, spoiled):
        own = replace(task, training=replace(task.training, target=target))
        assert Yardstick.of(own).outliers.n_rows == (target is spoiled)
        law = parse(FORMULA, task.input_names)
        found = Yardstick.of(own).fit(law, Recipe("log"), np.random.default_rng(0), starts=24)
        form = FittedForm(law, found.recipe, found.parameters, -4.0, "law")
        band = bands_of(own, form, rng=np.random.default_rng(0), draws=40).predict(beyond)
        widths.append(float(np.median(band.upper - band.lower)))
    assert widths[1] < 1.3 * widths[0]


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


def test_what_is_smaller_than_all_that_was_measured_is_beyond_the_data_too():
    inputs = np.array([(1e7, 1e11), (1e9, 1e9), (1e9, 1e11)])
    task = task_of(rows_of(inputs, loss(inputs)))
    asked = rows_of(np.array([(1e7, 1e9), (1e6, 1e11), (1e8, 1e11)]), np.zeros(3))
    assert np.allclose(distance_beyond(task, task.training, asked), [1.0, 0.5, 0.0])


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
    near = misses("near", np.abs(rng.standard_normal(400)), 0.01)
    far = misses("far", 5.0 * np.abs(rng.standard_normal(400)), 3.0, first=400)
    close, beyond = factors([near, far], np.array([0.01, 3.0]), 0.9, np.inf)
    assert close < 0.6 * beyond
    told = coverage_across_folds([near, far], 0.9)
    assert told["near"] == (1.0, 400)
    assert told["far"][0] < 0.5


def test_without_folds_the_factor_is_students_quantile():
    assert factors([], np.zeros(2), 0.9, np.array([3.0, np.inf])) == pytest.approx([2.3534, 1.6449], abs=1e-4)


def test_few_settings_that_a_law_fits_by_luck_do_not_make_its_band_narrow_and_many_do():
    few, many = misses("few", np.full(12, 0.1), 0.2), misses("many", np.linspace(0.0, 1.0, 1001), 0.2)
    assert factors([few], np.array([0.2]), 0.9, 5.0) == pytest.approx([2.0150], abs=1e-4)
    assert factors([many], np.array([0.2]), 0.9, np.inf) == pytest.approx([0.916], abs=1e-3)  # 95 % confidence


def test_of_few_settings_the_largest_miss_counts_and_of_many_the_quantile():
    few, many = misses("few", np.arange(1.0, 9.0), 0.2), misses("many", np.linspace(0.0, 10.0, 10_001), 0.2)
    assert factors([few], np.array([0.2]), 0.9, np.inf) == pytest.approx(
        [1.6449 * (8.0 / 1.6449) ** (8 / 18)], rel=1e-4
    )
    assert factors([many], np.array([0.2]), 0.9, np.inf) == pytest.approx([9.0], rel=3e-3)


def test_a_law_that_fails_altogether_on_a_fold_gets_a_band_that_ends():
    failed = misses("failed", np.array([1.0, np.inf, np.inf]), 0.2)
    assert factors([failed], np.array([0.2]), 0.9, np.inf) == pytest.approx([1.6449 * 10 ** (3 / 13)], rel=1e-4)


def test_a_setting_that_several_folds_hold_back_is_still_one_setting():
    once = misses("once", np.arange(1.0, 13.0), 0.2)
    again = [replace(once, name=name) for name in ("a", "b", "c")]
    assert factors(again, np.zeros(1), 0.9, np.inf) == pytest.approx(factors([once], np.zeros(1), 0.9, np.inf))


def test_a_miss_of_a_fold_with_few_rows_is_measured_by_its_own_quantile():
    """A fold has fewer rows to tell its noise from than all rows are: the same surprise is a larger ratio there."""
    short = misses("short", np.full(40, 4.7067), 0.2, freedom=3.0)  # twice the quantile of three degrees of freedom
    assert factors([short], np.array([0.2]), 0.9, np.inf) == pytest.approx([1.6449 * 2 ** (40 / 50)], rel=1e-3)


def test_settings_are_counted_once_over_all_folds():
    task, _ = chinchilla(0)  # six sizes by five amounts of data
    assert held_back(task) == 15 + 6  # the top three sizes, and of the others the top two amounts of data


def test_the_noise_of_one_cell_has_its_own_degrees_of_freedom_and_cells_lend_each_other_four():
    inputs = np.geomspace(1e7, 1e9, 10)[:, None]
    alone = rows_of(inputs, 1.0 + np.arange(10.0) ** 2, ("N",))
    assert bands_of(task_of(alone, ("N",)), fitted(task_of(alone, ("N",)), "a + b*log(N)"), calibrate=False, draws=2,
                    rng=np.random.default_rng(0)).ensemble.freedom.tolist() == [8.0]  # fmt: skip
    both = replace(alone, cells=(Cell("a", "loss"), Cell("b", "loss")), cell=np.arange(10) % 2)
    assert bands_of(task_of(both, ("N",)), fitted(task_of(both, ("N",)), "a + b*log(N)"), calibrate=False, draws=2,
                    rng=np.random.default_rng(0)).ensemble.freedom.tolist() == [6.0, 6.0]  # fmt: skip


def test_a_band_from_six_rows_holds_what_it_promises():
    """By the normal quantile it holds 80 %: two parameters of six rows leave four degrees of freedom."""
    rng, held = np.random.default_rng(3), []
    sizes = np.geomspace(1e6, 1e8, 6)[:, None]
    for _ in range(60):
        task = task_of(rows_of(sizes, 3.0 - 0.1 * np.log(sizes[:, 0]) + 0.02 * rng.standard_normal(6), ("N",)), ("N",))
        bands = bands_of(task, fitted(task, "a + b*log(N)", recipe="squared"), rng=rng, draws=30, calibrate=False)
        again = rows_of(np.repeat(sizes, 8, axis=0), 3.0 - 0.1 * np.log(np.repeat(sizes[:, 0], 8)), ("N",))
        held.append(inside(bands, replace(again, target=again.target + 0.02 * rng.standard_normal(48))).mean())
    assert 0.86 <= np.mean(held) <= 0.95


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
