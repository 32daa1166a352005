"""The CSV file in which PySR keeps the best formula of each complexity, read while PySR may be writing it.

In: the file's text. Out: its rows. PySR also leaves a pickle; that is never opened.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass

from discover.errors import LawSyntaxError

HEADER = ["Complexity", "Loss", "Equation"]
LARGEST = 1_000_000  # characters
_MOST_ROWS = 500


@dataclass(frozen=True)
class Row:
    """A line of the file: `equation` as PySR wrote it, unread."""

    complexity: int
    loss: float
    equation: str


def rows_of(text: str) -> list[Row]:
    """The rows that are whole; a last line without its end, or one that is no row, is left out.

    Raises:
        LawSyntaxError: The text is no hall of fame at all, or too large.
    """
    if len(text) > LARGEST:
        raise LawSyntaxError(f"hall of fame: {len(text):,} characters, at most {LARGEST:,} are read")
    whole = text[: text.rfind("\n") + 1]
    if not whole:
        return []
    lines = csv.reader(io.StringIO(whole, newline=""))
    rows: list[Row] = []
    try:
        header = next(lines, [])
        if header != HEADER:
            raise LawSyntaxError(f"hall of fame: starts with {','.join(header)[:60]!r}, expected {','.join(HEADER)!r}")
        for cells in lines:
            if len(rows) == _MOST_ROWS:
                break
            if (row := _row(cells)) is not None:
                rows.append(row)
    except csv.Error as problem:
        raise LawSyntaxError(f"hall of fame: not CSV ({problem})") from None
    return rows


def _row(cells: list[str]) -> Row | None:
    if len(cells) != len(HEADER):
        return None
    try:
        complexity, loss = int(cells[0]), float(cells[1].replace("f", "e"))
    except ValueError:
        return None
    return Row(complexity, loss, cells[2]) if math.isfinite(loss) and cells[2].strip() else None


def parts_of(equation: str) -> dict[str, str]:
    """The named parts of a template's line, "f = #1 * #2; p1 = [0.5, 1.2]"; a plain formula is part "f"."""
    if "=" not in equation:
        return {"f": equation.strip()}
    parts: dict[str, str] = {}
    for part in equation.split(";"):
        name, _, body = part.partition("=")
        parts[name.strip()] = body.strip()
    return parts
