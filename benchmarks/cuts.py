"""Cuts of a task's training rows: what a benchmark may score on, for the held-out rows stay closed.

In: a task. Out: the same task with fewer training rows, and the rows that were taken away.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from discover.scoring import folds_of
from discover.task import Rows, Task


def cut_top(task: Task) -> tuple[Task, Rows, str]:
    """The task without the largest level of its first scale axis, cell by cell.

    Returns:
        The task with the remaining training rows, the rows that were cut off, and the cut in words. A task without
        scale axes loses a fifth of its settings, dealt out evenly. The held-out rows are in neither part.
    """
    fold = folds_of(task)[0]
    rows = task.training
    kept = rows.select(fold.training)
    left = replace(task, training=kept, training_count=len(np.unique(kept.line)))
    return left, rows.select(fold.validation), fold.name
