"""Tasks: a folder of measurements, read into training rows that laws are fitted on.

In: a folder with `task.toml`, `human.toml` and a CSV file. Out: a `Task`: columns with units, training rows,
the human laws. Stays out: fitting, scores, and the held-out rows: a `Task` carries none of them, and
`read_rows(folder, "held_out")` is called by `discover.scoring.held_out` alone.
"""

from discover.task.description import columns_read
from discover.task.loading import find_folder, list_tasks, load_task, read_rows
from discover.task.rows import Cell, Rows
from discover.task.split import Condition, Rule
from discover.task.task import Column, HumanLaw, Limit, Task

__all__ = [
    "Cell",
    "Column",
    "Condition",
    "HumanLaw",
    "Limit",
    "Rows",
    "Rule",
    "Task",
    "columns_read",
    "find_folder",
    "list_tasks",
    "load_task",
    "read_rows",
]
