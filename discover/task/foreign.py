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

MOST_COLUMNS, MOST_ROWS = 300, 200_000
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BINARY = {b"PK\x03\x04": "a spreadsheet or an archive", b"PAR1": "a Parquet file", b"\x1f\x8b": "a compressed file",
           b"\xd0\xcf\x11\xe0": "a spreadsheet", b"%PDF": "a PDF", b"SQLite": "a database"}  # fmt: skip
_MOST_NUMBERS = 0.75  # the part of a column's cells from which on the others are words such as "diverged"
_SUFFIXES = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_COMMAS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_MANY_COMMAS = re.compile(r"[+-]?\d{1,3}(,\d{3}){2,}(\.\d+)?")
_DOTS = re.compile(r"[+-]?\d{1,3}(\.\d{3}){2,}(,\d+)?")
_BLANKS = re.compile(r"[+-]?\d{1,3}( \d{3})+([.,]\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_SIZE = re.compile(r"(\d+(?:[.,]\d+)?) ?([kKmMbBgGtT])")
_POWER = re.compile(r"(?:([+-]?\d+(?:[.,]\d+)?) ?[x×*·] ?)?10 ?(?:\^|\*\*) ?([+-]?\d{1,3})")
_PERCENT = re.compile(r"([+-]?\d+(?:[.,]\d+)?) ?%")
_PERCENTS = "percentages"
_SPREAD = re.compile(r"([+-]?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?) ?(?:±|\+/-|\+-) ?\d\S*")


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
    decimal_comma = separator != "," or any(map(_has_decimal_commas, columns.values()))
    for name, cells in columns.items():
        columns[name] = _mended(name, cells, decimal_comma, notes)
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
    """The separator of the header; commas where none occurs more often."""
    lines = text[:MEGABYTE].splitlines()
    first = next((line for line in lines if line.strip() and not _is_remark([line])), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return max(SEPARATORS, key=lambda mark: (bare.count(mark), mark == ","))


def _rows(path: Path, text: str, separator: str, notes: list[str]) -> tuple[list[list[str]], list[int]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    start, empty, remarks = 1, 0, 0
    try:
        for cells in reader:
            if not rows and _is_remark(cells):
                remarks += 1
            elif any(cell.strip() for cell in cells):
                if rows and len(cells) != len(rows[0]):
                    due = f"expected {len(rows[0])}, one for each column of the header"
                    raise TableError(f"{path}, line {start}: got {len(cells)} cells, {due}")
                if len(cells) > MOST_COLUMNS:
                    raise TableError(f"{path}: got {len(cells)} columns, expected at most {MOST_COLUMNS}; delete some")
                if len(rows) > MOST_ROWS:
                    raise TableError(f"{path}: got more than {MOST_ROWS} rows; keep fewer, such as every tenth step")
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
    if len(rows[0]) == 1 and len(rows[0][0].split()) > 1 and len({len(row[0].split()) for row in rows[:50]}) == 1:
        came = shown(" ".join(rows[0][0].split()))
        raise TableError(f"{path}, line {lines[0]}: got one column, {came}; separate columns by commas, not blanks")
    if remarks:
        notes.append(f"{remarks} line{'s' if remarks > 1 else ''} above the header left out")
    if empty:
        notes.append(f"{empty} empty row{'s' if empty > 1 else ''} left out")
    return rows, lines


def _is_remark(cells: list[str]) -> bool:
    """Whether a line above the header says something else: a comment, or the separator, for a spreadsheet."""
    alone = "".join(cells).strip()
    return alone.startswith("# ") or alone.lower().startswith("sep=")


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


def _mended(name: str, cells: list[str], decimal_comma: bool, notes: list[str]) -> list[str]:
    """The cells without needless blanks; numbers such as 1,000,000, 3,14, 350M, 2*10^9 and 45% written out."""
    stripped = [cell.strip() for cell in cells]
    cells = [" ".join(cell.split()) for cell in stripped]
    if cells != stripped:
        notes.append(f"{name}: several blanks or line breaks in a row are one blank")
    decimal_comma = decimal_comma and not any(_MANY_COMMAS.fullmatch(cell) for cell in cells)
    found = [None if not cell or _number(cell) is not None else _written_out(cell, decimal_comma) for cell in cells]
    plain = [number or _number(cell) is not None for number, cell in zip(found, cells, strict=True) if cell]
    kinds: dict[str, str] = {}
    for number, cell in zip(found, cells, strict=True):
        if number is not None:
            kinds.setdefault(number[1], cell)
    mixed = _PERCENTS in kinds and any(_number(cell) is not None for cell in cells)  # 45% beside 0.45
    if not kinds or mixed or sum(map(bool, plain)) < _MOST_NUMBERS * len(plain):
        return cells
    for kind, example in kinds.items():
        notes.append(f"{name}: {kind}, such as {shown(example, 24)[1:-1]}, are written as plain numbers")
    return [cell if number is None else number[0] for number, cell in zip(found, cells, strict=True)]


def _written_out(cell: str, decimal_comma: bool) -> tuple[str, str] | None:
    """A number in a form that people write as Python reads it, and what the form is called; None for other text."""
    if len(cell) > 60:
        return None
    if decimal_comma and _DECIMAL_COMMA.fullmatch(cell):
        return cell.replace(",", "."), "decimal commas"
    if not decimal_comma and _COMMAS.fullmatch(cell):
        return cell.replace(",", ""), "commas between thousands"
    if _DOTS.fullmatch(cell):
        return cell.replace(".", "").replace(",", "."), "dots between thousands"
    if _BLANKS.fullmatch(cell):
        return cell.replace(" ", "").replace(",", "."), "blanks between thousands"
    cell = cell.replace(",", ".") if decimal_comma else cell
    if "," in cell:
        return None
    if size := _SIZE.fullmatch(cell):
        return f"{float(size[1]) * _SUFFIXES[size[2].lower()]:.15g}", "sizes"
    if power := _POWER.fullmatch(cell):
        return f"{power[1] or 1}e{int(power[2])}", "powers of ten"
    if percent := _PERCENT.fullmatch(cell):
        return percent[1], _PERCENTS
    if spread := _SPREAD.fullmatch(cell):
        return spread[1], "values with their spread"
    return None


def _has_decimal_commas(cells: list[str]) -> bool:
    """Whether commas can only stand before decimals in a column: 3,14 and 0,125 are there, not only 1,000."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    hits = [cell for cell in filled if "," in cell and _DECIMAL_COMMA.fullmatch(cell)]
    sure = any(cell.lstrip("+-").startswith("0") or not _COMMAS.fullmatch(cell) for cell in hits)
    return sure and len(hits) + sum(_number(cell) is not None for cell in filled) >= _MOST_NUMBERS * len(filled)


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
