from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discover.scoring import cut, folds_of
from discover.scoring.folds import levels
from discover.task import Cell, Rows, load_task


def grid(n_levels: int, per_level: int, cells: int = 1) -> Rows:
    x = np.tile(np.repeat(2.0 ** np.arange(n_levels), per_level), cells)
    cell = np.repeat(np.arange(cells), n_levels * per_level)
    named = tuple(Cell(f"g{i}" if cells > 1 else "", "y") for i in range(cells))
    return Rows(("x",), named, x[:, None], x.copy(), cell, np.arange(len(x)) + 2)


def test_a_fold_holds_back_whole_levels_from_the_top() -> None:
    rows = grid(8, 3)
    folds = cut(rows, ["x"], [True])
    assert [fold.name for fold in folds] == ["x top 1", "x top 2", "x top 3"]
    for depth, fold in enumerate(folds, 1):
        assert set(rows.target[fold.validation]) == set(2.0 ** np.arange(8 - depth, 8))
        assert (fold.training == ~fold.validation).all()


def test_every_cell_loses_its_own_top() -> None:
    rows = grid(6, 2, cells=3)
    for fold in cut(rows, ["x"], [True]):
        lost = np.bincount(rows.cell[fold.validation])
        assert (lost == lost[0]).all()


def test_values_that_differ_by_rounding_are_one_level() -> None:
    assert levels(np.log(np.array([0.001953, 0.00195, 0.0039, 0.003906]))).tolist() == [0, 0, 1, 1]


def test_an_axis_without_levels_is_cut_by_fractions() -> None:
    x = np.geomspace(1.0, 1e6, 100)
    rows = Rows(("x",), (Cell("", "y"),), x[:, None], x, np.zeros(100, dtype=int), np.arange(100) + 2)
    assert [int(f.validation.sum()) for f in cut(rows, ["x"], [True])] == [15, 30, 45]


def test_without_a_scale_axis_a_setting_stays_in_one_fold() -> None:
    task = load_task("domain_mixture_scaling")
    rows = task.training
    setting = np.unique(np.sort(rows.inputs, axis=1), axis=0, return_inverse=True)[1].reshape(-1)
    folds = folds_of(task)
    assert np.sum([fold.validation for fold in folds], axis=0).tolist() == [1] * rows.n_rows
    for fold in folds:
        assert not set(setting[fold.validation]) & set(setting[fold.training])


@pytest.mark.parametrize("name", ["parallel", "vocab", "sft", "moe", "data_constrained", "lr_bsz", "u_shape"])
def test_every_fold_of_the_embedded_tasks_trains_below_what_it_validates(name: str) -> None:
    task = load_task(f"{name}_scaling")
    folds = folds_of(task)
    assert len(folds) >= 3
    for fold in folds:
        if "," in fold.axis:
            continue
        column = task.training.column(fold.axis)
        for cell in range(len(task.cells)):
            mine = task.training.cell == cell
            held, kept = column[mine & fold.validation], column[mine & fold.training]
            assert len(kept) >= 3
            assert len(held) == 0 or held.min() > kept.max() * (1 - 1e-9) or held.min() >= kept.max()


def test_a_corner_that_the_training_rows_lack_is_what_the_folds_hold_back() -> None:
    """lr_bsz measures the largest models and the longest runs, never both: its held-out rows are that corner."""
    task = load_task("lr_bsz_scaling")
    corners = [fold for fold in folds_of(task) if fold.axis == "n_params, d_tokens"]
    assert corners
    for fold in corners:
        assert fold.weight == max(f.weight for f in folds_of(task))
        for axis in ("n_params", "d_tokens"):
            column = task.training.column(axis)
            assert column[fold.training].max() == column.max()


def test_where_the_corner_is_held_out_and_nothing_else_the_corners_share_most_of_the_weight() -> None:
    """No fold along one axis is like it: the table has the top of either. data_constrained lacks the corner too, but
    what it holds out is large on one axis."""
    for name, share in (("lr_bsz", 0.7), ("data_constrained", 2 * 0.7 / 5)):
        corners = [fold for fold in folds_of(load_task(f"{name}_scaling")) if "corner" in fold.name]
        assert len(corners) == 2
        assert sum(fold.weight for fold in corners) == pytest.approx(share)


def test_folds_shaped_like_what_is_asked_share_most_of_the_weight() -> None:
    folds = folds_of(load_task("vocab_scaling"))
    assert sum(fold.weight for fold in folds) == pytest.approx(1.0)
    assert sum(fold.weight for fold in folds if fold.axis == "vocab_size") == pytest.approx(0.7)


def test_a_corner_holds_several_settings_however_often_they_were_measured() -> None:
    """One setting measured many times has one mean: a fold of it alone has no variance to explain."""
    n, d = (axis.ravel() for axis in np.meshgrid(2.0 ** np.arange(7), 2.0 ** np.arange(7)))
    often = np.repeat(np.arange(49), np.where((n == 64) & (d == 64), 9, 1))
    inputs = np.column_stack([n, d])[often]
    rows = Rows(("n", "d"), (Cell("", "y"),), inputs, inputs.sum(1), np.zeros(len(often), dtype=int), often + 2)
    corners = [fold for fold in cut(rows, ["n", "d"], [True, True]) if "corner" in fold.name]
    assert corners
    for fold in corners:
        assert len(np.unique(rows.inputs[fold.validation], axis=0)) >= 4


def held(rows: Rows, side: str) -> list[tuple[str, list[float]]]:
    folds = cut(rows, ["x"], [True], sides={"x": side})
    return [(fold.name, sorted(set(rows.target[fold.validation].tolist()))) for fold in folds]


def test_what_is_asked_for_below_is_held_back_from_the_bottom() -> None:
    assert held(grid(8, 3, cells=2), "below") == [
        ("x bottom 1", [1.0]),
        ("x bottom 2", [1.0, 2.0]),
        ("x bottom 3", [1.0, 2.0, 4.0]),
    ]


def test_what_is_asked_for_between_is_held_back_from_the_middle() -> None:
    assert held(grid(7, 3), "between") == [("x within 1", [8.0]), ("x within 2", [4.0]), ("x within 3", [16.0])]
    x = np.geomspace(1.0, 1e6, 100)
    rows = Rows(("x",), (Cell("", "y"),), x[:, None], x, np.zeros(100, dtype=int), np.arange(100) + 2)
    for fold in cut(rows, ["x"], [True], sides={"x": "between"}):
        own = x[fold.validation]
        assert 14 <= len(own) <= 17
        assert x[fold.training].min() < own.min() < own.max() < x[fold.training].max()


def test_the_axis_that_is_asked_for_counts_most_whatever_its_place() -> None:
    task = load_task("vocab_scaling")
    asked = replace(task, held_out_sides={"num_characters": "above"})
    shares = {axis: sum(f.weight for f in folds_of(asked) if f.axis == axis) for axis in task.scale_axes}
    assert shares["num_characters"] == pytest.approx(0.7)
    assert shares["vocab_size"] < 0.2


def test_an_input_that_is_no_scale_axis_is_held_back_where_the_task_asks_beyond_it() -> None:
    task = load_task("lr_bsz_scaling")
    asked = replace(task, held_out_sides={"lr": "below"}, held_out_together=())
    folds = [fold for fold in folds_of(asked) if fold.axis == "lr"]
    assert sum(fold.weight for fold in folds) >= 0.4
    lr = task.training.column("lr")
    for fold in folds:
        assert lr[fold.validation].max() < lr[fold.training].min()


def test_what_is_asked_for_among_the_measured_is_dealt_and_the_top_counts_less() -> None:
    task = load_task("vocab_scaling")
    folds = folds_of(replace(task, held_out_sides={}, held_out_among=True))
    dealt = [fold for fold in folds if not fold.axis]
    assert np.sum([fold.validation for fold in dealt], axis=0).tolist() == [1] * task.training.n_rows
    assert sum(fold.weight for fold in dealt) == pytest.approx(0.7)
    assert sum(fold.weight for fold in folds) == pytest.approx(1.0)


def test_a_lower_corner_that_the_training_rows_lack_is_held_back_from_below() -> None:
    task = load_task("lr_bsz_scaling")
    n, d = (task.training.column(axis) for axis in ("n_params", "d_tokens"))
    rows = task.training.select((n > n.min()) | (d > d.min()))
    sides = {"n_params": "below", "d_tokens": "below"}
    corners = [f for f in folds_of(replace(task, training=rows, held_out_sides=sides)) if "corner" in f.name]
    assert sum(fold.weight for fold in corners) == pytest.approx(0.7)
    for fold in corners:
        held = rows.select(fold.validation)
        assert held.column("n_params").max() < n.max()
        assert held.column("d_tokens").max() < d.max()
        assert held.column("n_params").min() == n.min()


def test_a_table_without_scale_axes_whose_split_asks_beyond_an_input_is_not_dealt() -> None:
    task = load_task("sft_scaling")
    assert folds_of(replace(task, scale_axes=()))[0].name == folds_of(task)[0].name == "sft_examples top 1"
    assert not any(fold.axis for fold in folds_of(replace(task, scale_axes=(), held_out_sides={})))


def test_rows_are_dealt_once_where_there_is_no_axis_to_cut() -> None:
    task = load_task("domain_mixture_scaling")
    dealt, among = folds_of(task), folds_of(replace(task, held_out_among=True))
    assert [(fold.name, fold.weight) for fold in among] == [(fold.name, fold.weight) for fold in dealt]
