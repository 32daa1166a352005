"""Rows along one scale axis, everything else held: what an extrapolation figure draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discover.scoring.folds import levels
from discover.task import Rows

if TYPE_CHECKING:
    from discover.task import Task

REACH = 10.0  # times beyond the largest measured value; half the range on a linear axis
_POINTS = 80


@dataclass(frozen=True, eq=False)
class Curve:
    """One setting followed along an axis.

    Attributes:
        label: The setting, in words.
        rows: Along the axis, from the least measured value to beyond the largest.
        measured: The training rows at that setting.
    """

    label: str
    rows: Rows
    measured: Rows


def curves(task: Task, axis: str, cell: int, most: int) -> tuple[Curve, ...]:
    """At most `most` settings of one cell: those with the longest ladders along the axis, largest scale first."""
    rows = task.training
    mine = np.flatnonzero(rows.cell == cell)
    own = rows.select(mine)
    if own.n_rows == 0:
        return ()
    others = [name for name in rows.input_names if name != axis]
    setting = _settings(task, own, others)
    values = own.column(axis)
    found = []
    for number in range(int(setting.max()) + 1):
        here = np.flatnonzero(setting == number)
        scale = sum(float(np.log(own.column(name)[here]).mean()) for name in task.scale_axes
                    if name != axis and task.is_log(name))  # fmt: skip
        found.append((len(np.unique(values[here])), scale, here))
    longest = max(length for length, _, _ in found)
    ladders = sorted((f for f in found if f[0] >= max(0.6 * longest, min(longest, 2))), key=lambda f: -f[1])
    picked = [ladders[i] for i in np.unique(np.round(np.linspace(0, len(ladders) - 1, most)).astype(int))]
    return tuple(_curve(task, own, axis, here, others) for _, _, here in picked)


def _settings(task: Task, rows: Rows, names: Sequence[str]) -> np.ndarray:
    if not names:
        return np.zeros(rows.n_rows, dtype=int)
    columns = []
    for name in names:
        column = rows.column(name)
        columns.append(levels(np.log(column) if task.is_log(name) and column.min() > 0 else column))
    _, number = np.unique(np.column_stack(columns), axis=0, return_inverse=True)
    return number.reshape(-1)


def _curve(task: Task, own: Rows, axis: str, here: np.ndarray, others: Sequence[str]) -> Curve:
    measured = own.select(here)
    low, high = float(measured.column(axis).min()), float(own.column(axis).max())
    limit = next((c.maximum for c in task.inputs if c.name == axis and c.maximum is not None), np.inf)
    if task.is_log(axis):
        line = np.geomspace(low, max(min(high * REACH, limit), low), _POINTS)
    else:
        line = np.linspace(low, max(min(high + 0.5 * (high - float(own.column(axis).min())), limit), low), _POINTS)
    # The setting is that of the measured row highest on the axis: what goes along with the axis stays where it ended.
    top = measured.inputs[int(np.argmax(measured.column(axis)))]
    inputs = np.tile(top, (_POINTS, 1))
    inputs[:, own.input_names.index(axis)] = line
    cell = np.full(_POINTS, measured.cell[0])
    rows = Rows(own.input_names, own.cells, inputs, np.zeros(_POINTS), cell, np.zeros(_POINTS, dtype=int))
    label = ", ".join(f"{name} {top[own.input_names.index(name)]:.3g}" for name in others)
    return Curve(label, rows, measured)
