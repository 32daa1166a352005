"""Cuts of the training rows shaped like the real extrapolation: the top of a scale axis is held back.

In: training rows, their scale axes, and on which side of them predictions are asked for. Out: `Fold`s, several origins
for each axis. What is asked for below the measured values is held back from the bottom, what lies between them from
the middle. Where a task has no scale axis, or asks for rows among those measured, rows are dealt into five folds by
their inputs, so that a setting measured in several groups stays together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from discover.task.sides import BELOW, BETWEEN

if TYPE_CHECKING:
    from discover.task import Rows, Task

_DEPTHS = (1, 2, 3)  # levels held back
_FRACTIONS = (0.15, 0.3, 0.45)  # the same where an axis has no levels
_BANDS = ((0.42, 0.58), (0.18, 0.34), (0.66, 0.82))  # the same for what lies between, parts of the rows
_MOST_LEVELS = 15
_SAME_LEVEL = 0.02  # of the axis's range: values closer than this are one level
_DEALT = 5
_ASKED, _OTHER, _ASKED_SHARE = 1.0, 0.5, 0.7
_LEAST_SETTINGS = 4  # that a corner must hold
_CORNERS = (0.02, 0.08, 0.35)  # least parts of the rows for a first and a second corner, and the most for both

Pick = Callable[[np.ndarray, int], np.ndarray]  # values of a cell (row,) and a depth -> those taken (mask)


@dataclass(frozen=True)
class Fold:
    """One inner cut: masks (row,) over the training rows.

    Attributes:
        name: Such as "N top 2" for the largest two levels of N.
        axis: The input held back; "" for a dealt fold.
        weight: What it counts in the mean over folds; all weights sum to one.
    """

    name: str
    axis: str
    training: np.ndarray
    validation: np.ndarray
    weight: float


def folds_of(task: Task, rows: Rows | None = None) -> tuple[Fold, ...]:
    """The folds of a task's training rows (or of `rows`, some of them)."""
    rows = task.training if rows is None else rows
    axes = task.asked_axes
    corner_asked = len(axes) > 1 and set(axes[:2]) <= set(task.held_out_together)
    folds = cut(rows, axes, [task.is_log(axis) for axis in axes], corner_asked, task.held_out_sides)
    if task.held_out_among:
        return _weighted([*_dealt(rows), *(replace(fold, weight=_OTHER) for fold in folds if fold.axis)])
    return folds


def cut(
    rows: Rows,
    axes: Sequence[str],
    log_axes: Sequence[bool],
    corner_asked: bool = False,
    sides: Mapping[str, str] | None = None,
) -> tuple[Fold, ...]:
    """Folds along each axis and of corners; those shaped like the real extrapolation count most: along the first axis
    and, where the rows lack it, in the corner.

    Args:
        corner_asked: Whether what is large on both of the first axes is held out, and nothing else: then the corners
            alone are shaped like it.
        sides: Axis -> "above", "below" or "between" what was measured; above where it is not named.
    """
    sides = sides or {}
    # An axis of which the small is asked for is read backwards, so that its bottom is its top.
    turned = rows if BELOW not in sides.values() else replace(rows, inputs=_turned(rows, axes, log_axes, sides))
    folds: list[Fold] = []
    for place, (axis, is_log) in enumerate(zip(axes, log_axes, strict=True)):
        column = turned.column(axis)
        values = np.log(column) if is_log else column
        depths, between = _DEPTHS if place == 0 else _DEPTHS[:2], sides.get(axis) == BETWEEN
        for depth in range(len(depths)):
            held = _held(values, rows.cell, len(rows.cells), _middle if between else _top, depth)
            if not _usable(held, rows.cell, len(rows.cells)):
                break
            if between:
                amount = f"within {depth + 1}"
            else:
                many = f"{depths[depth]}" if _has_levels(values, rows.cell) else f"{_FRACTIONS[depth]:.0%}"
                amount = f"{'bottom' if sides.get(axis) == BELOW else 'top'} {many}"
            folds.append(Fold(f"{axis} {amount}", axis, ~held, held, _ASKED if place == 0 else _OTHER))
    if len(axes) > 1:
        corners = _corners(turned, axes[:2], log_axes[:2])
        if sides.get(axes[0]) == BETWEEN:
            corners = [replace(corner, weight=_OTHER) for corner in corners]
        if corner_asked and any(corner.weight == _ASKED for corner in corners):
            # The table has the top of either axis: no fold along one of them is like what is asked for.
            folds = [replace(fold, weight=_OTHER) for fold in folds]
        folds.extend(corners)
    if not folds:
        folds = _dealt(rows)
    return _weighted(folds)


def _weighted(folds: list[Fold]) -> tuple[Fold, ...]:
    """Folds shaped like what is asked for share 70 % of the weight, the others the rest."""
    asked = [fold.weight == _ASKED for fold in folds]
    if all(asked) or not any(asked):
        return tuple(replace(fold, weight=1.0 / len(folds)) for fold in folds)
    share = {True: _ASKED_SHARE / sum(asked), False: (1.0 - _ASKED_SHARE) / (len(folds) - sum(asked))}
    return tuple(replace(fold, weight=share[is_asked]) for fold, is_asked in zip(folds, asked, strict=True))


def _corners(rows: Rows, axes: Sequence[str], log_axes: Sequence[bool]) -> list[Fold]:
    """Folds that hold back the rows that are high on two axes at once.

    Where the training rows hold the top of each axis but never both together, the corner is what is asked for, and
    these folds count as those of the first axis do.
    """
    height = np.ones(rows.n_rows)
    at_top = np.ones(rows.n_rows, dtype=bool)
    for axis, is_log in zip(axes, log_axes, strict=True):
        column = rows.column(axis)
        for cell in range(len(rows.cells)):
            mine = np.flatnonzero(rows.cell == cell)
            if len(mine):
                level = levels(np.log(column[mine]) if is_log else column[mine])
                height[mine] = np.minimum(height[mine], level / max(int(level.max()), 1))
                at_top[mine] &= level == level.max()
    weight = _OTHER if at_top.any() else _ASKED
    folds: list[Fold] = []
    for threshold in np.unique(height)[::-1]:
        held = height >= threshold
        part = float(held.mean())
        if part > _CORNERS[-1] or not _usable(held, rows.cell, len(rows.cells)):
            break
        # Rows of equal inputs have one mean, and one mean has no variance.
        if part >= _CORNERS[len(folds)] and rows.select(held).n_settings >= _LEAST_SETTINGS:
            name = f"corner of {axes[0]} and {axes[1]}, {part:.0%}"
            folds.append(Fold(name, f"{axes[0]}, {axes[1]}", ~held, held, weight))
            if len(folds) == len(_CORNERS) - 1:
                break
    return folds


def levels(values: np.ndarray) -> np.ndarray:
    """The level (row,), counted from 0, that each value belongs to; values closer than 2 % of the range are one."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    step = np.diff(ordered) > _SAME_LEVEL * max(ordered[-1] - ordered[0], 1e-300)
    level = np.empty(len(values), dtype=int)
    level[order] = np.concatenate([[0], np.cumsum(step)])
    if level[order[-1]] < 2 and (distinct := np.unique(values)).size > _MOST_LEVELS:
        return np.searchsorted(distinct, values)  # a continuum: every value is a level of its own
    return level


def _has_levels(values: np.ndarray, cell: np.ndarray) -> bool:
    return int(levels(values[cell == cell[0]]).max()) + 1 <= _MOST_LEVELS


def _held(values: np.ndarray, cell: np.ndarray, n_cells: int, pick: Pick, depth: int) -> np.ndarray:
    """The rows (mask) that `pick` takes out of each cell's own values; `depth` counts from 0, the shallowest."""
    held = np.zeros(len(values), dtype=bool)
    for index in range(n_cells):
        mine = np.flatnonzero(cell == index)
        if len(mine):
            held[mine] = pick(values[mine], depth)
    return held


def _top(own: np.ndarray, depth: int) -> np.ndarray:
    """The values (mask) at the top of an axis."""
    level = levels(own)
    count = int(level.max()) + 1
    if count > _MOST_LEVELS:
        return own > np.quantile(own, 1.0 - _FRACTIONS[depth])
    return (level >= count - _DEPTHS[depth]) & (2 * _DEPTHS[depth] <= count)


def _middle(own: np.ndarray, depth: int) -> np.ndarray:
    """The values (mask) of a level, or of a band, with others below and above: in the middle, below and above that."""
    level = levels(own)
    count = int(level.max()) + 1
    if count > _MOST_LEVELS:
        low, high = np.quantile(own, _BANDS[depth])
        return (own > low) & (own <= high)
    chosen = count // 2 + (0, -1, 1)[depth]
    return (level == chosen) & (0 < chosen < count - 1)


def _turned(rows: Rows, axes: Sequence[str], log_axes: Sequence[bool], sides: Mapping[str, str]) -> np.ndarray:
    """The inputs (row, input), the order along each axis reversed of which the small is asked for."""
    inputs = rows.inputs.copy()
    for axis, is_log in zip(axes, log_axes, strict=True):
        if sides.get(axis) == BELOW:
            index = rows.input_names.index(axis)
            inputs[:, index] = 1.0 / inputs[:, index] if is_log else -inputs[:, index]
    return inputs


def _usable(held: np.ndarray, cell: np.ndarray, n_cells: int) -> bool:
    """Whether something is held back and every cell keeps at least two fifths of its rows, three or more."""
    total = np.bincount(cell, minlength=n_cells)
    kept = np.bincount(cell[~held], minlength=n_cells)
    here = total > 0
    return bool(held.any() and (kept[here] >= np.maximum(0.4 * total[here], np.minimum(3, total[here]))).all())


def _dealt(rows: Rows) -> list[Fold]:
    _, setting = np.unique(np.sort(rows.inputs, axis=1), axis=0, return_inverse=True)
    setting = setting.reshape(-1)
    count = int(setting.max()) + 1
    number = min(_DEALT, count)
    # A fixed shuffle: neighbours in input space should not all land in one fold.
    deal = np.random.default_rng(0).permutation(count) % max(number, 1)
    masks = [deal[setting] == k for k in range(number)]
    return [
        Fold(f"fold {k + 1} of {number}", "", ~mask, mask, _ASKED)
        for k, mask in enumerate(masks)
        if mask.any() and (~mask).any()
    ]
