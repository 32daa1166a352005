"""What is drawn again in a bootstrap: settings of the scale axes, not rows, where rows share a setting.

Rows of one training run, or of one model under many learning rates, err together: drawn one by one they would
promise more than they know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from discover.scoring.folds import levels

if TYPE_CHECKING:
    from discover.task import Rows, Task

_FEWEST = 8  # clusters in a cell: with fewer, the draws say more about the number of clusters than about the rows
_REPEATED = 1.5  # rows per setting from which on settings count as repeated


def clusters(task: Task, rows: Rows | None = None) -> np.ndarray:
    """The cluster (row,) of each of the training rows (or of `rows`, some of them), counted from 0; a cluster lies
    within one cell.

    The settings of all scale axes are clusters where rows repeat them. Where hardly any do, an axis that only runs
    along (the steps of a training curve) is left out, the one with most levels first, while enough clusters remain.
    A task without scale axes has the settings of its inputs.
    """
    rows = task.training if rows is None else rows
    axes = list(task.scale_axes)
    if not axes:
        return _numbered(rows.cell, rows.inputs)
    columns = {axis: np.log(rows.column(axis)) if task.is_log(axis) else rows.column(axis) for axis in axes}
    n_levels = {axis: int(levels(columns[axis]).max()) for axis in axes}
    kept = axes
    while True:
        found = _numbered(rows.cell, np.column_stack([columns[axis] for axis in kept]))
        if rows.n_rows >= _REPEATED * (found.max() + 1) or len(kept) == 1:
            break
        fewer = sorted(kept, key=lambda axis: n_levels[axis])[:-1]
        coarser = _numbered(rows.cell, np.column_stack([levels(columns[axis]) for axis in fewer]))
        if _fewest_per_cell(coarser, rows) < _FEWEST:
            break
        kept = [axis for axis in kept if axis in fewer]
    if _fewest_per_cell(found, rows) < _FEWEST:
        return _numbered(rows.cell, rows.inputs)
    return found


def _numbered(cell: np.ndarray, columns: np.ndarray | Sequence[np.ndarray]) -> np.ndarray:
    _, number = np.unique(np.column_stack([cell, columns]), axis=0, return_inverse=True)
    return number.reshape(-1)


def _fewest_per_cell(cluster: np.ndarray, rows: Rows) -> int:
    return min(len(np.unique(cluster[rows.cell == cell])) for cell in np.unique(rows.cell))
