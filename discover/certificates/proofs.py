"""Signs of a law, or of its slope, on a box of inputs: proved for every point of it, or refuted at one.

In: an expression with intervals for its names, a box. Out: a sign with witnesses, or "unknown" when the work that is
allowed for does not do. The box is halved where intervals cannot tell, always along its relatively longest side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from discover.certificates.interval import Interval, enclosure, slope
from discover.law.expression import Expression

MOST_BOXES = 12_000  # looked at for one question
_AT_ONCE = 2_000


@dataclass(frozen=True)
class Axis:
    """One side of a box: from `low` to `high`; `log` halves it by ratios."""

    name: str
    low: float
    high: float
    log: bool

    def middle(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """A point between, whatever rounding does."""
        between = np.sqrt(low) * np.sqrt(high) if self.log else 0.5 * low + 0.5 * high
        return np.clip(between, low, high)


Point = dict[str, float]


@dataclass(frozen=True)
class Sign:
    """What is known of a quantity's sign on a box.

    Attributes:
        always: 1 or -1 where it is proved for every point, else 0.
        positive, negative: Points where the sign is proved, if such were found.
    """

    always: int
    positive: Point | None
    negative: Point | None

    @property
    def both(self) -> bool:
        return self.positive is not None and self.negative is not None


def sign_on(
    expression: Expression,
    box: Sequence[Axis],
    fixed: Mapping[str, float],
    slope_along: str = "",
    most_boxes: int = MOST_BOXES,
) -> Sign:
    """The sign of an expression, or of its slope along an input, over a box.

    Args:
        box: The inputs that vary.
        fixed: Values of all other names.
        slope_along: An input of the box; "" asks for the expression's own sign.
        most_boxes: Bound on the work.
    """
    lows, highs = np.array([[a.low for a in box]]), np.array([[a.high for a in box]])
    constants = {name: Interval.point(value) for name, value in fixed.items()}

    def values(low: np.ndarray, high: np.ndarray) -> Interval:
        names = dict(constants)
        names.update({axis.name: Interval.of(low[:, i], high[:, i]) for i, axis in enumerate(box)})
        found = slope(expression, names, slope_along)[1] if slope_along else enclosure(expression, names)
        if slope_along:  # a slope is none where the law has no value
            defined = enclosure(expression, names).defined & found.defined
            found = Interval(found.low, found.high, defined)
        arrays = np.broadcast_arrays(found.low, found.high, found.defined, low[:, 0])
        return Interval(arrays[0], arrays[1], arrays[2])

    witness: dict[int, Point] = {}
    proved: set[int] = set()
    looked, stuck_somewhere = 0, False
    total = np.array([[_length(axis, axis.low, axis.high) for axis in box]])
    while len(lows) and looked < most_boxes and len(witness) < 2:
        low, high, lows, highs = lows[-_AT_ONCE:], highs[-_AT_ONCE:], lows[:-_AT_ONCE], highs[:-_AT_ONCE]
        looked += len(low)
        found = values(low, high)
        above, below = found.defined & (found.low > 0.0), found.defined & (found.high < 0.0)
        decided = above | below
        middle = np.column_stack([axis.middle(low[:, i], high[:, i]) for i, axis in enumerate(box)])
        at = values(middle, middle)
        for sign, here in ((1, at.defined & (at.low > 0.0)), (-1, at.defined & (at.high < 0.0))):
            if here.any() and sign not in witness:
                row = middle[int(np.argmax(here))]
                witness[sign] = {axis.name: float(value) for axis, value in zip(box, row, strict=True)}
        proved |= ({1} if above.any() else set()) | ({-1} if below.any() else set())
        open_low, open_high = low[~decided], high[~decided]
        if len(open_low) == 0:
            continue
        halves = _halved(box, open_low, open_high, total)
        if halves is None:
            stuck_somewhere = True
            break
        lows, highs = np.concatenate([lows, halves[0]]), np.concatenate([highs, halves[1]])
    finished = len(lows) == 0 and not stuck_somewhere and len(witness) < 2
    always = next(iter(proved)) if finished and len(proved) == 1 else 0
    return Sign(always, witness.get(1), witness.get(-1))


def range_on(
    expression: Expression, box: Sequence[Axis], fixed: Mapping[str, float], most_boxes: int = MOST_BOXES
) -> tuple[float, float] | None:
    """Numbers between which the expression stays on the whole box; None where no such are proved."""
    lows, highs = np.array([[a.low for a in box]]), np.array([[a.high for a in box]])
    constants = {name: Interval.point(value) for name, value in fixed.items()}
    total = np.array([[_length(axis, axis.low, axis.high) for axis in box]])
    lowest, highest, looked = np.inf, -np.inf, 0
    while len(lows) and looked < most_boxes:
        low, high, lows, highs = lows[-_AT_ONCE:], highs[-_AT_ONCE:], lows[:-_AT_ONCE], highs[:-_AT_ONCE]
        looked += len(low)
        names = {**constants, **{axis.name: Interval.of(low[:, i], high[:, i]) for i, axis in enumerate(box)}}
        found = enclosure(expression, names)
        sure = np.broadcast_to(found.defined & np.isfinite(found.low) & np.isfinite(found.high), len(low))
        ends = np.broadcast_to(found.low, len(low))[sure], np.broadcast_to(found.high, len(low))[sure]
        if sure.any():
            lowest, highest = min(lowest, float(ends[0].min())), max(highest, float(ends[1].max()))
        if sure.all():
            continue
        halves = _halved(box, low[~sure], high[~sure], total)
        if halves is None:
            return None
        lows, highs = np.concatenate([lows, halves[0]]), np.concatenate([highs, halves[1]])
    return (lowest, highest) if len(lows) == 0 else None


def _halved(
    box: Sequence[Axis], low: np.ndarray, high: np.ndarray, total: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Every box in two along its relatively longest side; None where one is too thin to be halved."""
    lengths = np.column_stack([_length(a, low[:, i], high[:, i]) for i, a in enumerate(box)])
    side = np.argmax(lengths / np.where(total > 0.0, total, 1.0), axis=1)
    rows = np.arange(len(low))
    centre = np.column_stack([a.middle(low[:, i], high[:, i]) for i, a in enumerate(box)])[rows, side]
    if ((centre <= low[rows, side]) | (centre >= high[rows, side])).any():
        return None
    left_high, right_low = high.copy(), low.copy()
    left_high[rows, side] = centre
    right_low[rows, side] = centre
    return np.concatenate([low, right_low]), np.concatenate([left_high, high])


def _length(axis: Axis, low: np.ndarray | float, high: np.ndarray | float) -> np.ndarray:
    return np.asarray(np.log(high) - np.log(low) if axis.log else np.asarray(high) - np.asarray(low))


def turning_points(
    expression: Expression, axis: Axis, fixed: Mapping[str, float], pieces: int = 512
) -> tuple[tuple[float, float, int], ...] | None:
    """Where the slope along one input changes sign, all else fixed.

    Returns:
        (low, high, kind) for every change, kind 1 for a minimum and -1 for a maximum: the slope has one proved sign
        below `low` (up to the change before) and the other above `high`, and the law has one optimum of that kind at
        least between them. None where pieces without a proved sign are left in more than small neighbourhoods.
    """
    edges = np.geomspace(axis.low, axis.high, pieces + 1) if axis.log else np.linspace(axis.low, axis.high, pieces + 1)
    edges[0], edges[-1] = axis.low, axis.high
    constants = {name: Interval.point(value) for name, value in fixed.items()}
    for last_round in (False, False, True):
        names = {**constants, axis.name: Interval.of(edges[:-1], edges[1:])}
        value, found = slope(expression, names, axis.name)
        low, high, defined, value_defined = np.broadcast_arrays(found.low, found.high, found.defined, value.defined)
        if not value_defined.all():
            return None
        sign = np.where(defined & (low > 0.0), 1, np.where(defined & (high < 0.0), -1, 0))
        unknown = np.flatnonzero(sign == 0)
        if last_round or len(unknown) == 0 or len(unknown) > pieces:
            break  # edges and signs belong together
        cuts = [np.linspace(edges[i], edges[i + 1], 17)[1:-1] for i in unknown]
        edges = np.unique(np.concatenate([edges, *cuts]))
    if np.count_nonzero(sign == 0) > max(32, pieces // 8):
        return None
    changes: list[tuple[float, float, int]] = []
    last, since = 0, float(edges[0])
    for i, here in enumerate(sign.tolist()):
        if here == 0:
            continue
        if last and here != last:
            changes.append((since, float(edges[i]), here))
        last, since = here, float(edges[i + 1])
    return tuple(changes)
