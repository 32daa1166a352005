"""A CSV file as people have it, before it is a task: other encodings, separators and headings are told and mended.

In: a path. Out: a `Foreign` table: text by column, and the same table as the text that `read_table` takes, with every
row on its own line as before. Stays out: what the columns mean. Nothing is guessed in silence: `notes` says what was
changed.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from discover.errors import TableError, shown
from discover.task.files import MEGABYTE, read_bytes
from discover.task.names import formula_name
from discover.task.table import LARGEST_CSV

MOST_COLUMNS = 300
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BINARY = {b"PK\x03\x04": "a spreadsheet or an archive", b"PAR1": "a Parquet file", b"\x1f\x8b": "a compressed file",
           b"\xd0\xcf\x11\xe0": "a spreadsheet", b"%PDF": "a PDF", b"SQLite": "a database"}  # fmt: skip
_MOST_NUMBERS = 0.75  # the part of a column's cells from which on the others are words such as "diverged"
_SUFFIXES = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kKmMbBgGtT])")
_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_DECIMAL_COMMA = re.compile(r"-?\d+,\d+([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Foreign:
    """Columns of text by name, each (row,); `line` (row,) as in the file; `headings` as they were, by name."""

    path: Path
    columns: dict[str, list[str]]
    headings: dict[str, str]
    line: np.ndarray
    notes: tuple[str, ...]
    text: str  # UTF-8, commas, mended headings and numbers; each row on the line where it was


def read_foreign(path: Path) -> Foreign:
    """The table at `path`; TableError names the line of whatever cannot be read as one."""
    text, notes = _decoded(path)
    separator = _separator(text)
    if separator != ",":
        notes.append(f"separated by {SEPARATORS[separator]}; the copy has commas")
    rows, lines = _rows(path, text, separator, notes)
    header, rows, lines = rows[0], rows[1:], lines[1:]
    if not rows:
        raise TableError(f"{path}: no rows below the header; expected one measurement on each line")
    names = _names(path, header, notes)
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
    for name, cells in columns.items():
        columns[name] = _mended(name, cells, separator, notes)
    headings = {name: heading.strip() for name, heading in zip(names, header, strict=True)}
    copy = text if not notes else _written(columns, lines)
    return Foreign(path, columns, headings, np.array(lines), tuple(notes), copy)


def _decoded(path: Path) -> tuple[str, list[str]]:
    raw = read_bytes(path, LARGEST_CSV, TableError)
    for start, what in _BINARY.items():
        if raw.startswith(start):
            raise TableError(f"{path}: is {what}, expected text; save the table as CSV")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16"), ["UTF-16; the copy is UTF-8"]
        except UnicodeDecodeError:
            raise TableError(f"{path}: starts as UTF-16 and goes on otherwise; save it as UTF-8") from None
    if b"\x00" in raw:
        raise TableError(f"{path}: holds zero bytes, expected text; save the table as CSV in UTF-8")
    try:
        text = raw.decode("utf-8-sig")
        return text, ["a byte order mark; the copy has none"] if raw.startswith(b"\xef\xbb\xbf") else []
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace"), ["not UTF-8, read as Windows-1252; the copy is UTF-8"]


def _separator(text: str) -> str:
    """The separator of the first line that has any; commas where none occurs more often."""
    first = next((line for line in text[:MEGABYTE].splitlines() if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return max(SEPARATORS, key=lambda mark: (bare.count(mark), mark == ","))


def _rows(path: Path, text: str, separator: str, notes: list[str]) -> tuple[list[list[str]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    start, empty = 1, 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                if rows and len(cells) != len(rows[0]):
                    due = f"expected {len(rows[0])}, one for each column of the header"
                    raise TableError(f"{path}, line {start}: got {len(cells)} cells, {due}")
                if len(cells) > MOST_COLUMNS:
                    raise TableError(f"{path}: got {len(cells)} columns, expected at most {MOST_COLUMNS}; delete some")
                rows.append(cells)
                lines.append(start)
            elif cells or not rows:
                empty += 1
            start = reader.line_num + 1
    except csv.Error as problem:
        raise TableError(f"{path}, line {start}: not CSV ({problem})") from None
    if not rows:
        raise TableError(f"{path}: is empty, expected a header and one measurement on each line")
    if all(_number(cell) is not None for cell in rows[0] if cell.strip()):
        came = shown(", ".join(rows[0]))
        raise TableError(f"{path}, line {lines[0]}: got {came}, expected the names of the columns; add a header")
    if empty:
        notes.append(f"{empty} empty rows are left out")
    return rows, lines


def _names(path: Path, header: list[str], notes: list[str]) -> list[str]:
    names: list[str] = []
    for place, heading in enumerate(header, start=1):
        name = formula_name(heading if heading.strip() else f"column_{place}", set(names))
        names.append(name)
        if name != heading.strip():
            notes.append(f"column {place}, {shown(heading.strip(), 40)}, is called {name}, which a formula can hold")
        elif name != heading:
            notes.append(f"column {place}: blanks around its name are gone")
    return names


def _mended(name: str, cells: list[str], separator: str, notes: list[str]) -> list[str]:
    """The cells without needless blanks; numbers such as 1,000,000, 3,14 (where ; separates) and 350M written out."""
    stripped = [cell.strip() for cell in cells]
    cells = [" ".join(cell.split()) for cell in stripped]
    if cells != stripped:
        notes.append(f"{name}: several blanks or line breaks in a row are one blank")
    filled = [cell for cell in cells if cell]
    for pattern, what, value in (
        (_DECIMAL_COMMA if separator != "," else None, "decimal commas", lambda cell: cell.replace(",", ".")),
        (_GROUPED if separator == "," else None, "commas between thousands", lambda cell: cell.replace(",", "")),
        (_SIZE, "sizes such as " + (filled[0][:12] if filled else ""), _size),
    ):
        if pattern is None:
            continue
        hits = [bool(pattern.fullmatch(cell)) for cell in cells]
        plain = [hit or _number(cell) is not None for hit, cell in zip(hits, cells, strict=True) if cell]
        if any(hits) and sum(plain) >= _MOST_NUMBERS * len(plain):
            notes.append(f"{name}: {what} are written as plain numbers")
            return [value(cell) if hit else cell for hit, cell in zip(hits, cells, strict=True)]
    return cells


def _size(cell: str) -> str:
    found = _SIZE.fullmatch(cell)
    assert found is not None
    return f"{float(found[1]) * _SUFFIXES[found[2].lower()]:.15g}"


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _written(columns: dict[str, list[str]], lines: list[int]) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    written = 1
    for line, *cells in zip(lines, *columns.values(), strict=True):
        while written < line - 1:
            file.write("\n")
            written += 1
        writer.writerow(cells)
        written += 1
    return file.getvalue()
