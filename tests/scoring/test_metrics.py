from __future__ import annotations

import numpy as np
import pytest

from discover.scoring import score
from discover.scoring.metrics import PooledNmse, pooled_errors
from discover.task import Cell, Rows


def rows_of(target: list[float], cell: list[int], cells: tuple[Cell, ...]) -> Rows:
    n = len(target)
    return Rows(("x",), cells, np.ones((n, 1)), np.array(target), np.array(cell), np.arange(n) + 2)


def test_groups_are_pooled_not_averaged() -> None:
    """A constant for each group scores high where groups differ: the pooled variance holds the gap between them."""
    rows = rows_of([1.0, 1.2, 5.0, 5.2], [0, 0, 1, 1], (Cell("a", "y"), Cell("b", "y")))
    reached = score(rows, np.array([1.1, 1.1, 5.1, 5.1]))
    assert reached.nmse == pytest.approx(0.01 / np.var([1.0, 1.2, 5.0, 5.2]))
    assert reached.r2 == pytest.approx(1 - reached.nmse)
    assert reached.per_group == {"a": pytest.approx(0.0), "b": pytest.approx(0.0)}


def test_targets_are_scored_apart_and_then_averaged() -> None:
    rows = rows_of([0.0, 2.0, 10.0, 30.0], [0, 0, 1, 1], (Cell("", "small"), Cell("", "large")))
    reached = score(rows, np.array([0.0, 2.0, 10.0, 20.0]))
    assert reached.nmse == pytest.approx((0.0 + (100 / 2) / 100) / 2)
    assert reached.nmae == pytest.approx((0.0 + 5.0 / 10.0) / 2)


def test_a_prediction_that_is_not_finite_cannot_win() -> None:
    rows = rows_of([1.0, 2.0, 3.0], [0, 0, 0], (Cell("", "y"),))
    reached = score(rows, np.array([1.0, np.nan, 3.0]))
    assert reached.r2 < -1e9
    assert reached.r2_clipped == -1.0


def test_a_prediction_of_another_shape_is_refused() -> None:
    rows = rows_of([1.0, 2.0], [0, 0], (Cell("", "y"),))
    with pytest.raises(ValueError, match=r"shape \(3,\), expected \(2,\)"):
        score(rows, np.zeros(3))


def test_a_single_row_is_scored_in_the_spread_of_the_training_rows() -> None:
    """The largest run alone is what people hold out; its own spread is none, and any error was R2 = -1e12."""
    training = rows_of([1.0, 3.0, 2.0, 2.0], [0, 0, 0, 0], (Cell("", "y"),))
    reached = score(rows_of([0.5], [0], (Cell("", "y"),)), np.array([0.6]), training)
    assert reached.nmse == pytest.approx(0.1**2 / 0.5)
    assert reached.nmae == pytest.approx(0.1 / 0.5)
    assert reached.per_group == {"": pytest.approx(1 - 0.02)}


def test_a_group_with_one_row_to_predict_has_a_score_of_its_own() -> None:
    cells = (Cell("a", "y"), Cell("b", "y"))
    training = rows_of([1.0, 3.0, 10.0, 30.0], [0, 0, 1, 1], cells)
    reached = score(rows_of([0.5, 5.0], [0, 1], cells), np.array([0.6, 7.0]), training)
    assert reached.per_group == {"a": pytest.approx(1 - 0.01 / 1.0), "b": pytest.approx(1 - 4.0 / 100.0)}
    assert reached.nmse == pytest.approx(np.mean([0.01, 4.0]) / np.var([0.5, 5.0])), "these two vary"


def test_where_nothing_varies_only_the_exact_value_scores() -> None:
    rows = rows_of([2.0, 2.0], [0, 0], (Cell("", "y"),))
    assert score(rows, np.array([2.0, 2.0]), rows).r2 == 1.0
    assert score(rows, np.array([2.0, 2.1]), rows).r2 < -1e9


@pytest.mark.parametrize("missing", [np.array([]), np.array([4])], ids=["all finite", "one not finite"])
def test_what_is_computed_once_for_many_predictions_changes_none_of_them(missing: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    cells = (Cell("a", "loss"), Cell("b", "loss"), Cell("a", "flat"), Cell("a", "none here"))
    cell = np.array([0, 1, 2, 1, 0, 2, 0, 1])
    rows = rows_of([3.0, 4.0, 7.0, 3.5, 2.0, 7.0, 1.0, 5.0], cell.tolist(), cells)
    nmse = PooledNmse(rows)
    for missed in (rng.normal(size=rows.n_rows), np.where(rows.target == 7.0, 0.0, rng.normal(size=rows.n_rows))):
        prediction = rows.target + missed
        prediction[missing.astype(int)] = np.inf
        assert nmse(prediction) == pooled_errors(rows, prediction)[0] > 0.1
