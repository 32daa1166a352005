"""How far beyond the data a row lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from discover.task import Rows, Task

_AT_ONCE = 4_000_000


def distance_beyond(task: Task, known: Rows, asked: Rows) -> np.ndarray:
    """Distance (row,) of each asked row above or below all known rows of its cell, in ranges of the scale axes.

    Zero where some known row is at least as large on every scale axis at once, and some as small; else how far, on the
    worst axis, the asked row is above (or below) the known row that comes nearest. So the corner of two axes, each
    measured to its top but never both together, is beyond the data. Without scale axes: how far outside the measured
    range of its cell the worst of all inputs is, above or below.
    """
    if not task.scale_axes:
        return _outside(known, asked)

    def heights(rows: Rows) -> np.ndarray:
        logs = [task.is_log(axis) for axis in task.scale_axes]
        columns = [rows.column(axis) for axis in task.scale_axes]
        return np.column_stack([np.log(c) if log else c for c, log in zip(columns, logs, strict=True)])

    measured, wanted = heights(known), heights(asked)
    found = np.zeros(asked.n_rows)
    for cell in np.unique(asked.cell):
        mine, own = np.flatnonzero(asked.cell == cell), np.unique(measured[known.cell == cell], axis=0)
        own = own if len(own) else np.unique(measured, axis=0)
        width = np.ptp(own, axis=0)
        width = np.where(width > 0, width, 1.0)
        each = max(1, _AT_ONCE // own.size)
        for first in range(0, len(mine), each):
            part = mine[first : first + each]
            gap = (wanted[part][:, None] - own[None]) / width
            found[part] = np.maximum(np.maximum(gap.max(-1).min(1), (-gap).max(-1).min(1)), 0.0)
    return found


def _outside(known: Rows, asked: Rows) -> np.ndarray:
    found = np.zeros(asked.n_rows)
    for cell in np.unique(asked.cell):
        mine, own = asked.cell == cell, known.inputs[known.cell == cell]
        own = own if len(own) else known.inputs
        low, high = own.min(0), own.max(0)
        width = np.where(high > low, high - low, 1.0)
        asked_inputs = asked.inputs[mine]
        found[mine] = np.maximum(np.maximum(low - asked_inputs, asked_inputs - high) / width, 0.0).max(1)
    return found
