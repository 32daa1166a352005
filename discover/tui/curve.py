"""A curve in characters, for any terminal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_MARKS = {(False, True): ".", (True, False): "'", (True, True): ":"}  # upper half, lower half of a character


def curve(
    function: Callable[[np.ndarray], np.ndarray],
    low: float,
    high: float,
    *,
    log: bool,
    width: int = 60,
    height: int = 12,
    label: str = "",
) -> tuple[str, ...]:
    """Lines of text that draw `function` between `low` and `high`; none where it has fewer than two finite values.

    Args:
        log: Whether the horizontal axis is logarithmic. The vertical one is where values span a factor of 30.
        width, height: Of the drawing in characters, without its axes.
        label: Name of the horizontal axis.
    """
    x = np.geomspace(low, high, width) if log else np.linspace(low, high, width)
    with np.errstate(all="ignore"):
        y = np.broadcast_to(np.asarray(function(x), dtype=float), x.shape)
    finite = np.isfinite(y)
    if finite.sum() < 2:
        return ()
    bottom, top = float(y[finite].min()), float(y[finite].max())
    steep = bottom > 0 and top > 30 * bottom
    place = np.log(np.where(finite, y, top)) if steep else np.where(finite, y, top)
    least, most = float(place[finite].min()), float(place[finite].max())
    span = most - least or 1.0
    level = np.round((place - least) / span * (2 * height - 1)).astype(int)
    marks = np.zeros((2 * height, width), dtype=bool)
    marks[level[finite], np.flatnonzero(finite)] = True
    left = [f"{value:.4g}" for value in (top, bottom)]
    margin = max(map(len, left))
    lines = []
    for row in range(height - 1, -1, -1):
        side = left[0] if row == height - 1 else left[1] if row == 0 else ""
        drawn = "".join(_MARKS.get((bool(marks[2 * row + 1, c]), bool(marks[2 * row, c])), " ") for c in range(width))
        lines.append(f"{side:>{margin}} |{drawn}".rstrip())
    ends = f"{low:.4g}", f"{high:.4g}"
    lines.append(" " * margin + " +" + "-" * width)
    middle = f"{label}{' (log)' if log else ''}".center(max(width - len(ends[0]) - len(ends[1]), 0))
    lines.append(" " * (margin + 2) + ends[0] + middle + ends[1])
    return tuple(lines)
