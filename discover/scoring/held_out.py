"""The held-out rows, sealed: nothing else reads them, and only the leaderboard imports this file.

In: a `Task`. Out: its held-out `Rows`, read from its folder at the moment of opening. Stays out: what is done
with them, and the record of the opening, which whoever opens them writes.
"""

from __future__ import annotations

from discover.errors import TaskError
from discover.task import Rows, Task, read_rows


def open_held_out(task: Task) -> Rows:
    """The held-out rows of `task`, with the same cells in the same order as `task.training`.

    Raises:
        TaskError: The folder has changed since the task was loaded: other cells or another number of rows.
    """
    rows = read_rows(task.folder, "held_out")
    count = len(set(rows.line.tolist()))
    if rows.cells != task.cells or count != task.held_out_count:
        raise TaskError(
            f"{task.folder}: changed since it was loaded: {len(rows.cells)} cells and {count} held-out rows, "
            f"expected {len(task.cells)} and {task.held_out_count}; load the task again"
        )
    return rows
