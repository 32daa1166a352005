"""Certificates: short statements about a law with its parameters, each proved, refuted at a point, or unknown.

In: a law, one set of parameters, a domain. Out: `Statement`s. A tick is a proof by interval arithmetic or by the exact
rules of leading terms; a cross names the point that refutes; everything else is "unknown".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

import numpy as np

from discover.certificates.limits import limit
from discover.certificates.proofs import MOST_BOXES, Axis, Point, range_on, sign_on, turning_points
from discover.certificates.ratios import powers_of_units, told
from discover.law import Law
from discover.task import Column, Rows, Task

PROVED, REFUTED, UNKNOWN = "proved", "refuted", "unknown"
MARKS = {PROVED: "✓", REFUTED: "✗", UNKNOWN: "?"}
BEYOND = 100.0  # times the data, on axes that are compared by ratios


@dataclass(frozen=True)
class Statement:
    """One statement about a law.

    Attributes:
        about: "defined", "sign", "limit", "monotone", "optimum" or "units".
        input: The input that it is about; "" for the law as a whole.
        text: The statement.
        verdict: PROVED, REFUTED or UNKNOWN.
        because: The counter-example, or what was found; "" for nothing to add.
    """

    about: str
    input: str
    text: str
    verdict: str
    because: str = ""

    def __str__(self) -> str:
        return f"{MARKS[self.verdict]} {self.text}" + (f": {self.because}" if self.because else "")


@dataclass(frozen=True)
class Domain:
    """Where a law is looked at.

    Attributes:
        axes: One for each input.
        middle: A point of the data; the others stay there when one input is followed.
        pure: Inputs that are pure numbers.
    """

    axes: tuple[Axis, ...]
    middle: Mapping[str, float]
    pure: tuple[str, ...] = ()


_PURE_UNITS = ("1", "share", "shares", "fraction", "")


def domain_of(task: Task, cell: int | None = None) -> Domain:
    """A hundred times beyond the training rows on log axes, one span beyond on linear ones, within what units allow.

    Args:
        cell: Only the rows of this cell; all rows where left out.
    """
    rows = task.training if cell is None else task.training.select(task.training.cell == cell)
    by_name = {column.name: column for column in task.inputs}
    shared = task.inputs[0]
    axes, middle, pure = [], {}, []
    for name in rows.input_names:
        column = by_name.get(name, shared)  # columns that a mixture makes (own, other1, ...) are like its shares
        axis, centre = _axis(name, rows, column)
        axes.append(axis)
        middle[name] = centre
        if column.unit.strip().lower() in _PURE_UNITS:
            pure.append(name)
    return Domain(tuple(axes), middle, tuple(pure))


def _axis(name: str, rows: Rows, column: Column) -> tuple[Axis, float]:
    values = rows.column(name)
    low, high = float(values.min()), float(values.max())
    if column.scale == "log" and low > 0.0:
        centre = float(np.exp(np.mean(np.log(values))))
        below, above, log = low / BEYOND, high * BEYOND, True
    else:
        span = high - low
        centre, below, above, log = float(values.mean()), low - span, high + span, False
    if column.minimum is not None and (column.minimum > 0.0 or not log):
        below = max(below, min(column.minimum, low))
    if column.maximum is not None:
        above = min(above, max(column.maximum, high))
    return Axis(name, below, above, log), centre


def certify(
    law: Law, parameters: Sequence[float], domain: Domain, most_boxes: int = MOST_BOXES
) -> tuple[Statement, ...]:
    """What can be said for certain about a law with these parameters.

    Args:
        law: Its inputs are axes of the domain.
        parameters: (parameter,) in the order of `law.parameters`.
        domain: Where statements other than limits hold.
        most_boxes: Bound on the work for one statement.
    """
    known = {name: float(value) for name, value in zip(law.parameters, parameters, strict=True)}
    if not all(math.isfinite(value) for value in known.values()):
        return (Statement("defined", "", "the parameters are numbers", REFUTED, "one of them is not finite"),)
    axes = [axis for axis in domain.axes if axis.name in law.inputs]
    statements = list(_sign(law, axes or domain.axes[:1], known, most_boxes))  # a constant, along any axis
    for axis in axes:
        statements.append(_monotone(law, axes, axis, known, domain, most_boxes))
        turn = _optimum(law, axis, known, domain) if statements[-1].verdict != PROVED else None
        if turn is not None:
            statements.append(turn)
        statements += _limits(law, axis, known, domain)
    statements.append(_units(law, lambda name: name in domain.pure))
    return tuple(statements)


def _sign(law: Law, axes: Sequence[Axis], known: Mapping[str, float], most_boxes: int) -> list[Statement]:
    text = "a finite number on the whole domain"
    bounds = range_on(law.expression, axes, known, most_boxes // 4)
    if bounds is not None:
        within = f"between {_outward(bounds[0], -1)} and {_outward(bounds[1], 1)}"
        defined = Statement("defined", "", text, PROVED, within)
    else:
        nowhere = _undefined_at(law, axes, known)
        because = "" if nowhere is None else f"no number at {point_text(nowhere)}"
        defined = Statement("defined", "", text, UNKNOWN if nowhere is None else REFUTED, because)
    found = sign_on(law.expression, axes, known, most_boxes=most_boxes)
    if found.always:
        word = "positive" if found.always > 0 else "negative"
        return [defined, Statement("sign", "", f"{word} on the whole domain", PROVED)]
    text = "of one sign on the whole domain"
    if found.positive is not None and found.negative is not None:
        because = f"positive at {point_text(found.positive)}, negative at {point_text(found.negative)}"
        return [defined, Statement("sign", "", text, REFUTED, because)]
    return [defined, Statement("sign", "", text, UNKNOWN)]


def _outward(value: float, way: int) -> str:
    """Four digits, rounded down (way -1) or up (way 1), so that what is printed is true."""
    digits = Decimal(value)
    if not digits.is_finite() or digits == 0:
        return f"{value:g}"
    rounding = ROUND_CEILING if way > 0 else ROUND_FLOOR
    return f"{Context(prec=4, rounding=rounding).create_decimal(digits):g}"


def _undefined_at(law: Law, axes: Sequence[Axis], known: Mapping[str, float]) -> Point | None:
    """A corner or the middle of the domain where the law gives no number."""
    from itertools import islice, product

    parameters = [known[name] for name in law.parameters]
    ends = [(axis.low, axis.high, float(axis.middle(np.array(axis.low), np.array(axis.high)))) for axis in axes]
    for values in islice(product(*ends), 243):
        point = {axis.name: value for axis, value in zip(axes, values, strict=True)}
        if np.isnan(law.predict(point, parameters)).any():
            return point
    return None


def _monotone(
    law: Law, axes: Sequence[Axis], axis: Axis, known: Mapping[str, float], domain: Domain, most_boxes: int
) -> Statement:
    found = sign_on(law.expression, axes, known, axis.name, most_boxes)
    if found.always:
        way = "rises" if found.always > 0 else "falls"
        return Statement("monotone", axis.name, f"{way} with {axis.name} on the whole domain", PROVED)
    text = f"rises or falls with {axis.name} on the whole domain"
    if found.both and found.positive is not None and found.negative is not None:
        because = f"rises at {point_text(found.positive)}, falls at {point_text(found.negative)}"
        return Statement("monotone", axis.name, text, REFUTED, because)
    return Statement("monotone", axis.name, text, UNKNOWN)


def _others(axis: Axis, known: Mapping[str, float], domain: Domain) -> dict[str, float]:
    return {**known, **{name: value for name, value in domain.middle.items() if name != axis.name}}


def _optimum(law: Law, axis: Axis, known: Mapping[str, float], domain: Domain) -> Statement | None:
    """Where the law turns along one input, the others in the middle of the data."""
    turns = turning_points(law.expression, axis, _others(axis, known, domain))
    aside = ", others in the middle of the data" if len(law.inputs) > 1 else ""
    if not turns:
        return None
    places = [
        f"a {'minimum' if kind > 0 else 'maximum'} between {_outward(low, -1)} and {_outward(high, 1)}"
        for low, high, kind in turns
    ]
    return Statement("optimum", axis.name, f"along {axis.name}{aside}: " + ", ".join(places[:4]), PROVED)


def _limits(law: Law, axis: Axis, known: Mapping[str, float], domain: Domain) -> list[Statement]:
    """Limits at both ends that the input can go to, the others in the middle of the data."""
    at = _others(axis, known, domain)
    aside = " (others in the middle of the data)" if len(law.inputs) > 1 else ""
    ends: list[tuple[str, bool]] = [("infinity", False)]
    if axis.log or axis.low >= 0.0:
        ends.append(("zero", True))
    made = []
    for name, to_zero in ends:
        if not axis.log and not to_zero and axis.high <= 1.0:
            continue  # a share goes nowhere beyond one
        found = limit(law.expression, at, axis.name, to_zero)
        text = f"has a limit as {axis.name} goes to {name}{aside}"
        if found is None:
            made.append(Statement("limit", axis.name, text, UNKNOWN))
            continue
        low, high = found
        text = f"tends to {_limit_text(low, high)} as {axis.name} goes to {name}{aside}"
        made.append(Statement("limit", axis.name, text, PROVED))
    return made


def _limit_text(low: float, high: float) -> str:
    if math.isinf(low):
        return "infinity" if low > 0 else "minus infinity"
    if abs(high - low) <= 1e-6 * max(abs(low), abs(high)):
        return f"{low:.6g}"
    return f"a value between {_outward(low, -1)} and {_outward(high, 1)}"


def _units(law: Law, is_pure: Callable[[str], bool]) -> Statement:
    text = "powers, exponentials and logarithms act on pure numbers"
    found = powers_of_units(law.expression, law.inputs, is_pure)
    if found:
        return Statement("units", "", text, REFUTED, told(found))
    return Statement("units", "", text, PROVED)


def point_text(point: Mapping[str, float]) -> str:
    """A point as it is printed: "N = 1.2e+08, D = 3e+09", with the digits that give back the very numbers."""
    return ", ".join(f"{name} = {value!r}" for name, value in point.items())
