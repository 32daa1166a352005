"""Measurements in long form: one row per (CSV line, target), each belonging to one cell."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from discover.errors import UnknownInputError, did_you_mean, shown


@dataclass(frozen=True, order=True)
class Cell:
    """One (group, target) pair: the rows that share one set of parameters.

    `group` joins the group columns with ", " and is empty when the task has none.
    """

    group: str
    target: str

    @property
    def label(self) -> str:
        """The cell as people write it: "pile: loss", or "lossu" where there are no groups."""
        return f"{self.group}: {self.target}" if self.group else self.target


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows that laws are fitted and scored on; the arrays cannot be written to.

    `inputs` (row, input) in the task's units, `target` (row,), `cell` (row,) index into `cells`, `line`
    (row,) in the CSV file, whose header is line 1.
    """

    input_names: tuple[str, ...]
    cells: tuple[Cell, ...]
    inputs: np.ndarray
    target: np.ndarray
    cell: np.ndarray
    line: np.ndarray

    def __post_init__(self) -> None:
        shapes = {"inputs": (len(self.target), len(self.input_names))}
        for field in fields(self)[2:]:
            array = getattr(self, field.name)
            due = shapes.get(field.name, (len(self.target),))
            if array.shape != due:
                raise ValueError(f"{field.name}: shape {array.shape}, expected {due}")
            if array.flags.writeable:  # a view, so that the caller's own array stays as it was
                object.__setattr__(self, field.name, array.view())
                getattr(self, field.name).setflags(write=False)

    @property
    def n_rows(self) -> int:
        return len(self.target)

    @property
    def n_settings(self) -> int:
        """Different settings of the inputs, over all cells: rows of equal inputs in a cell are one."""
        return len(self.by_setting()[0])

    def by_setting(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The first row of each setting (setting,), the setting of each row (row,), counted from 0, and how many rows
        each has (setting,)."""
        table = np.column_stack([self.cell, self.inputs])
        _, first, setting, times = np.unique(table, axis=0, return_index=True, return_inverse=True, return_counts=True)
        return first, setting.reshape(-1), times

    def select(self, mask: np.ndarray) -> Rows:
        """The rows where `mask` (row,) is true, or those of an index array; `cells` stay as they are."""
        arrays = {name: getattr(self, name)[mask] for name in ("inputs", "target", "cell", "line")}
        return replace(self, **arrays)

    def column(self, name: str) -> np.ndarray:
        """Values (row,) of the input `name`; UnknownInputError when there is none of that name."""
        if name not in self.input_names:
            hint = did_you_mean(name, self.input_names)
            raise UnknownInputError(f"input {shown(name)} is not in these rows{hint}")
        return self.inputs[:, self.input_names.index(name)]
