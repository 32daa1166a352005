"""Laws as tables keep them, a formula as text and parameters by cell and name: into laws and arrays of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.law import Law, parse

if TYPE_CHECKING:
    from discover.task import HumanLaw, Task

Table = Mapping[str, Mapping[str, float]]  # cell label -> parameter -> value


def law_of(task: Task, row: Mapping[str, Any]) -> Law:
    """The law of a leaderboard's row, its parameters in the order in which the row has them.

    Raises:
        LawSyntaxError: The formula is none over the task's inputs.
    """
    names = list(next(iter(row["parameters"].values())))
    bounds = {name: (float(low), float(high)) for name, (low, high) in (row.get("bounds") or {}).items()}
    return parse(row["formula"], task.input_names, bounds=bounds, parameters=names)


def values_of(task: Task, law: Law, table: Table) -> np.ndarray:
    """Parameters (cell, parameter) in the order of the task's cells and of the law."""
    return np.array([[table[cell.label][name] for name in law.parameters] for cell in task.cells], dtype=float)


def printed(task: Task, human: HumanLaw, law: Law) -> np.ndarray | None:
    """Published coefficients (cell, parameter), None where a cell has none."""
    if not human.published or not all(cell.label in human.published for cell in task.cells):
        return None
    return values_of(task, law, human.published)
