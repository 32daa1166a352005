from __future__ import annotations

import numpy as np
import pytest

from discover.scoring import score
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
