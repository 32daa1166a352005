"""A CSV file into columns, each cell still text, each row with its line.

In: a path. Out: a `Table`. Stays out: what the columns mean. Only commas separate, only UTF-8 is read.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from discover.errors import TableError, did_you_mean, shown
from discover.task.files import MEGABYTE, read_text

LARGEST_CSV = 200 * MEGABYTE


@dataclass(frozen=True)
class Table:
    """Columns of text by name, each (row,), and `line` (row,), the line on which each row starts."""

    path: Path
    columns: dict[str, list[str]]
    line: np.ndarray

    def text(self, name: str, wanted_by: str) -> list[str]:
        """Cells (row,) of a column, stripped; TableError when there is none of that name."""
        if name not in self.columns:
            hint = did_you_mean(name, self.columns)
            raise TableError(f"{self.path}, line 1: column {shown(name)} (for {wanted_by}) is missing{hint}")
        return self.columns[name]

    def numbers(self, name: str, wanted_by: str, rows: np.ndarray | None = None) -> np.ndarray:
        """Values of a column in `rows` (indices; else all); TableError where one is no finite number."""
        cells = self.text(name, wanted_by)
        wanted = range(len(cells)) if rows is None else rows.tolist()
        values = np.array([_number(cells[row]) for row in wanted])
        if not np.isfinite(values).all():
            row = wanted[int(np.argmin(np.isfinite(values)))]
            came = shown(cells[row]) if cells[row] else "an empty cell"
            raise self.error(row, name, f"got {came}, expected a finite number")
        return values

    def error(self, row: int, column: str, message: str) -> TableError:
        return TableError(
            f"{self.path}, line {self.line[row]}, column {column!r}: {message}; "
            "mend the cell, delete the line, or exclude it with [[drop]] in task.toml"
        )


def read_table(path: Path) -> Table:
    """The CSV file at `path`; TableError names line and column of whatever is not a table."""
    text = read_text(path, LARGEST_CSV, TableError)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    start = 1
    try:
        for cells in reader:
            if not header:
                header = _header(path, start, cells)
            elif cells and len(cells) != len(header):
                due = f"expected {len(header)}, one for each column of the header"
                raise TableError(f"{path}, line {start}: got {len(cells)} cells, {due}")
            elif cells:
                rows.append(cells)
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error as problem:
        raise TableError(f"{path}, line {start}: not CSV ({problem})") from None
    if not rows:
        raise TableError(f"{path}: no rows below the header; expected one measurement on each line")
    columns = zip(header, zip(*rows, strict=True), strict=True)
    return Table(path, {name: [cell.strip() for cell in cells] for name, cells in columns}, np.array(lines))


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _header(path: Path, line: int, cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if not any(names):
        raise TableError(f"{path}, line {line}: is empty, expected the names of the columns")
    first: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if not name:
            raise TableError(f"{path}, line {line}, column {position}: has no name; name it or delete it")
        if first.setdefault(name, position) != position:
            both = f"as columns {first[name]} and {position}"
            raise TableError(f"{path}, line {line}: column {shown(name)} is there twice, {both}; delete one")
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise TableError(f"{path}, line {line}: got one column, {shown(names[0])}; separate columns by commas")
    return names
