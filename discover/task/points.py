"""The measurements of a task in long form, checked: both parts together, so this stays inside the room.

In: a `Description`. Out: `Points`, of which `load_task` keeps the training rows. Stays out: any judgement of
values beyond what task.toml declares of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discover.errors import TableError, TaskError, shown
from discover.task.description import Description
from discover.task.rows import Cell, Rows
from discover.task.split import Rule
from discover.task.table import Table, read_table
from discover.task.task import Column

PARTS = ("training", "held_out")
MULTIPLES = ((1e3, "thousands"), (1e6, "millions"), (1e9, "billions"), (1e12, "trillions"))


@dataclass(frozen=True)
class Points:
    """All rows that are not dropped, and which of them (row,) are held out."""

    rows: Rows
    held_out: np.ndarray

    def part(self, name: str) -> Rows:
        return self.rows.select(self.held_out if name == "held_out" else ~self.held_out)

    def count(self, name: str) -> int:
        """Number of CSV lines in a part."""
        return len(np.unique(self.part(name).line))


def read_points(task: Description) -> Points:
    """The rows of the CSV that `task` names.

    Raises:
        TableError: A column is missing, a cell is no finite number, not positive on a log scale or out of the
            declared range, a group is empty; names file, line and column.
        TaskError: The split leaves no held-out or no training rows.
    """
    table = read_table(task.file)
    kept = _left(table, task.drop, task)
    held_out = task.split.holds(table, f"[split] of {task.where}", kept)
    for part, mask in (("held-out", held_out), ("training", kept & ~held_out)):
        if not mask.any():
            raise TaskError(
                f"{task.where}, [split]: 0 {part} rows among the {kept.sum()} of {table.path} "
                f"(held out where {task.split}); change the rule or the file"
            )
    groups, group = _groups(task, table, kept, held_out)

    lines, n_targets = np.flatnonzero(kept), len(task.targets)
    inputs = np.empty((len(lines), n_targets, len(task.inputs)))
    target = np.empty((len(lines), n_targets))
    for position, (column, reads) in enumerate(zip(task.targets, task.reads, strict=True)):
        target[:, position] = _values(table, lines, column, column.name)
        for axis, (each, name) in enumerate(zip(task.inputs, reads, strict=True)):
            inputs[:, position, axis] = _values(table, lines, each, name)
    rows = Rows(
        input_names=tuple(column.name for column in task.inputs),
        cells=tuple(Cell(name, column.name) for name in groups for column in task.targets),
        inputs=inputs.reshape(-1, len(task.inputs)),
        target=target.ravel(),
        cell=(group[lines, None] * n_targets + np.arange(n_targets)).ravel(),
        line=np.repeat(table.line[lines], n_targets),
    )
    return Points(rows, np.repeat(held_out[lines], n_targets))


def _left(table: Table, rules: Sequence[Rule], task: Description) -> np.ndarray:
    """Lines (row,) that none of `rules` excludes; what a text excludes needs no number for the others to compare."""
    left = np.ones(len(table.line), dtype=bool)
    for rule in sorted(rules, key=lambda rule: not rule.is_text):
        left &= ~rule.holds(table, f"[[drop]] of {task.where}", left)
    return left


def _groups(task: Description, table: Table, kept: np.ndarray, held_out: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names of the groups in the order of their first training row, and each line's index (row,) into them.

    TableError when a group has no name, or no training row and was not dropped by its name.
    """
    if not task.group_columns:
        return [""], np.zeros(len(kept), dtype=int)
    columns = [table.text(name, f"groups of {task.where}") for name in task.group_columns]
    for name, cells in zip(task.group_columns, columns, strict=True):
        for row in np.flatnonzero(kept).tolist():
            if not cells[row]:
                raise table.error(row, name, "the group has no name, expected text")
    parts = list(zip(*columns, strict=True))
    names = [", ".join(part) for part in parts]
    if len(set(names)) < len(set(parts)):
        raise TableError(f"{table.path}: two groups read alike once joined by ', '; take commas out of their names")
    groups = list(dict.fromkeys(names[row] for row in np.flatnonzero(kept & ~held_out)))
    index = {name: position for position, name in enumerate(groups)}
    tested = {names[row] for row in np.flatnonzero(held_out)}
    by_name = [rule for rule in task.drop if {each.column for each in rule.conditions} <= set(task.group_columns)]
    for row in np.flatnonzero(_left(table, by_name, task)).tolist():
        if (name := names[row]) not in index:
            column = " and ".join(map(repr, task.group_columns))
            why = "is held out but has no training rows" if name in tested else "has no rows after [[drop]]"
            to_do = "add training rows, or drop the group by its name in task.toml"
            where = f"{table.path}, line {table.line[row]}, column {column}"
            raise TableError(f"{where}: group {shown(name)} {why}; {to_do}")
    return groups, np.array([index.get(name, -1) for name in names])


def _values(table: Table, lines: np.ndarray, column: Column, name: str) -> np.ndarray:
    """Values (kept row,) of the CSV column `name`, which must be what `column` declares."""
    values = table.numbers(name, f"{column.name!r}", lines)
    if column.scale == "log" and (values <= 0).any():
        row = int(np.argmax(values <= 0))
        due = f'a positive number, as {column.name} has scale = "log"'
        raise table.error(int(lines[row]), name, f"got {values[row]:g}, expected {due}")
    low = -np.inf if column.minimum is None else column.minimum
    high = np.inf if column.maximum is None else column.maximum
    outside = (values < low) | (values > high)
    if outside.any():
        row = int(np.argmax(outside))
        smallest, largest = values.min(), values.max()
        words = [word for factor, word in MULTIPLES if low <= smallest * factor and largest * factor <= high]
        hint = f" (is the column in {words[0]}?)" if words else ""
        due = f"{low:g} to {high:g} {column.unit}{hint}"
        raise table.error(int(lines[row]), name, f"got {values[row]:g}, expected {due}")
    return values
