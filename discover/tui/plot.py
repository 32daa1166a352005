"""A plot in characters: curves in braille dots, measurements as marks, axes that may be logarithmic.

In: curves and points in data units. Out: a Rich text. Stays out: what is drawn and why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # Unicode 8-dot braille: row, column -> bit
MARKS = "●▲■"
_LEAST_WIDTH, _LEAST_HEIGHT = 24, 6


@dataclass(frozen=True)
class Curve:
    """`x` and `y` (point,), drawn as a line that breaks where a value is not finite."""

    x: np.ndarray
    y: np.ndarray
    style: str = ""


@dataclass(frozen=True)
class Points:
    """`x` and `y` (point,), each drawn as `mark`."""

    x: np.ndarray
    y: np.ndarray
    style: str = ""
    mark: str = MARKS[0]


@dataclass(frozen=True)
class Axis:
    """A range of values with the characters or dots that it is spread over."""

    low: float
    high: float
    log: bool

    @classmethod
    def over(cls, values: np.ndarray, log: bool, margin: float = 0.04) -> Axis:
        """The range of the finite values, and a little more."""
        kept = values[np.isfinite(values) & ((values > 0) | (not log))]
        if len(kept) == 0:
            return cls(1.0, 10.0, log) if log else cls(0.0, 1.0, log)
        low, high = float(kept.min()), float(kept.max())
        if log:
            extra = (math.log(high / low) or 1.0) * margin
            return cls(low * math.exp(-extra), high * math.exp(extra), True)
        extra = ((high - low) or abs(high) or 1.0) * margin
        return cls(low - extra, high + extra, False)

    def place(self, values: np.ndarray) -> np.ndarray:
        """0 at `low`, 1 at `high`; NaN where there is no place."""
        with np.errstate(all="ignore"):
            if self.log:
                return np.log(np.where(values > 0, values, np.nan) / self.low) / math.log(self.high / self.low)
            return (values - self.low) / (self.high - self.low)

    def ticks(self, most: int) -> list[float]:
        """At most `most` round values within the range."""
        most = max(most, 2)
        if self.log and self.high / self.low >= 30:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            step = max(1, math.ceil((last - first + 1) / most))
            return [10.0**power for power in range(first, last + 1, step)]
        raw = (self.high - self.low) / most
        size = 10.0 ** math.floor(math.log10(raw))
        step_size = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= raw)
        start = math.ceil(self.low / step_size)
        return [n * step_size for n in range(start, math.floor(self.high / step_size) + 1)]


def plot(
    width: int,
    height: int,
    *,
    x: Axis,
    y: Axis,
    curves: Sequence[Curve] = (),
    points: Sequence[Points] = (),
    upright: float | None = None,
    names: tuple[str, str] = ("", ""),
) -> Any:
    """The drawing with its axes.

    Args:
        width, height: Of all of it, in characters.
        upright: Where on the x axis an upright dotted line stands.
        names: Of the two axes.
    """
    from rich.text import Text

    if width < _LEAST_WIDTH or height < _LEAST_HEIGHT:
        return Text("too little room for a plot")
    told = {tick: short(tick) for tick in y.ticks(max((height - 3) // 3, 2))}
    margin = max([len(text) for text in told.values()], default=1)
    columns, rows = width - margin - 2, height - 3
    canvas = [[(" ", "")] * columns for _ in range(rows)]
    if upright is not None:
        at = _cell(float(x.place(np.array([upright]))[0]), columns)
        if at is not None:
            for row in range(rows):
                canvas[row][at] = ("┊", "dim")
    _draw_curves(canvas, curves, x, y)
    for group in points:
        for across, up in zip(x.place(group.x), y.place(group.y), strict=True):
            column, row_up = _cell(float(across), columns), _cell(float(up), rows)
            if column is not None and row_up is not None:
                canvas[rows - 1 - row_up][column] = (group.mark, group.style)
    at_row = {_cell(float(y.place(np.array([tick]))[0]), rows): text for tick, text in told.items()}
    drawing = Text(f"{names[1]}\n", style="dim", no_wrap=True)
    for row in range(rows):
        tick = at_row.get(rows - 1 - row)
        drawing.append(f"{tick or '':>{margin}} {'┤' if tick else '│'}", "dim")
        for character, style in canvas[row]:
            drawing.append(character, style)
        drawing.append("\n")
    drawing.append_text(_under(x, columns, margin, names[0]))
    return drawing


def _draw_curves(canvas: list[list[tuple[str, str]]], curves: Sequence[Curve], x: Axis, y: Axis) -> None:
    rows, columns = len(canvas), len(canvas[0])
    for curve in curves:
        across, up = x.place(curve.x) * (2 * columns - 1), y.place(curve.y) * (4 * rows - 1)
        bits: dict[tuple[int, int], int] = {}
        for (x0, y0), (x1, y1) in zip(zip(across, up, strict=True), zip(across[1:], up[1:], strict=True), strict=False):
            if not all(map(math.isfinite, (x0, y0, x1, y1))):
                continue
            y0, y1 = np.clip([y0, y1], -4 * rows, 8 * rows)  # far outside: no need of every dot on the way
            for share in np.linspace(0, 1, int(max(abs(x1 - x0), abs(y1 - y0))) + 2):
                column, row = round(x0 + share * (x1 - x0)), 4 * rows - 1 - round(y0 + share * (y1 - y0))
                if 0 <= column < 2 * columns and 0 <= row < 4 * rows:
                    cell = (row // 4, column // 2)
                    bits[cell] = bits.get(cell, 0) | _DOTS[row % 4][column % 2]
        for (row, column), mask in bits.items():
            canvas[row][column] = (chr(0x2800 + mask), curve.style)


def _cell(place: float, cells: int) -> int | None:
    return min(int(place * cells), cells - 1) if 0 <= place <= 1 else None


def _under(x: Axis, columns: int, margin: int, name: str) -> Any:
    from rich.text import Text

    line, labels = ["─"] * columns, [" "] * columns
    end = -1
    for tick in x.ticks(max(columns // 12, 2)):
        at, text = _cell(float(x.place(np.array([tick]))[0]), columns), short(tick)
        if at is None:
            continue
        start = min(max(at - len(text) // 2, 0), columns - len(text))
        if start > end:
            line[at] = "┬"
            labels[start : start + len(text)] = text
            end = start + len(text)
    told = f"{name}{' (log)' if x.log else ''}"[:columns]
    room = "".join(labels).rstrip()
    lines = f"{' ' * margin} └{''.join(line)}\n{' ' * (margin + 2)}{room}"
    if len(room) + len(told) + 2 <= columns:
        lines += told.rjust(columns - len(room))
    return Text(lines, style="dim")


def short(value: float, digits: int = 4) -> str:
    """`0.25`, `40`, `1e9`."""
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    if not exponent and value and not 1e-3 <= abs(value) < 1e4:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa
