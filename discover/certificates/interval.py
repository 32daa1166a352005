"""Intervals that contain every value a law takes on a box, and the same for its derivatives.

In: an expression, an interval for every name. Out: intervals, many boxes at once. Operations are rounded outward:
what is proved here holds for the real numbers, not for their roundings. Stays out: what is to be proved.

Sources: Moore, Kearfott and Cloud 2009, Introduction to Interval Analysis; Griewank and Walther 2008 (forward mode).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from discover.law.expression import Expression, Number, Symbol

# NumPy's functions are within four units in the last place; eight are allowed for, and for erf and gamma more.
_ULPS = 8.0 * 2.0**-53
_LOOSE = 1e-12
_GAMMA_LEAST = 1.4616321449683623  # where the gamma function is least, for positive arguments


@dataclass(frozen=True)
class Interval:
    """Closed intervals, arrays of one shape; a lower end of NaN nowhere: what may be undefined is flagged.

    Attributes:
        low, high: The ends; infinite where there is no bound.
        defined: Whether every value on the box is a real number; False where one may not be.
    """

    low: np.ndarray
    high: np.ndarray
    defined: np.ndarray

    @classmethod
    def of(cls, low: Any, high: Any) -> Interval:
        """Intervals from ends as given, without rounding."""
        low, high = np.broadcast_arrays(np.asarray(low, dtype=float), np.asarray(high, dtype=float))
        return cls(low, high, np.ones(low.shape, dtype=bool))

    @classmethod
    def point(cls, value: Any) -> Interval:
        return cls.of(value, value)

    def contains(self, values: Any) -> np.ndarray:
        return (self.low <= values) & (values <= self.high)


def enclosure(expression: Expression, names: Mapping[str, Interval]) -> Interval:
    """Intervals that contain the expression's values for all values of the names in theirs."""
    return _dual(expression, names, "")[0]


def slope(expression: Expression, names: Mapping[str, Interval], of: str) -> tuple[Interval, Interval]:
    """Intervals for the expression's value and for its derivative with respect to the name `of`.

    Where the expression has a kink (abs, min, max), the derivative's interval holds the slopes of both sides.
    """
    value, derivative = _dual(expression, names, of)
    return value, derivative if derivative is not None else Interval.point(np.zeros(value.low.shape))


_Dual = tuple[Interval, "Interval | None"]  # None: the derivative is zero


def _dual(node: Expression, names: Mapping[str, Interval], of: str) -> _Dual:
    if isinstance(node, Number):
        return Interval.point(node.value), None
    if isinstance(node, Symbol):
        return names[node.name], Interval.point(1.0) if node.name == of else None
    parts = [_dual(argument, names, of) for argument in node.arguments]
    with np.errstate(all="ignore"):
        if node.function == "pow":
            return _power(node.arguments[1], *parts)
        if len(parts) == 1:
            return _unary(node.function, *parts[0])
        total = parts[0]
        for part in parts[1:]:
            total = _binary(node.function, total, part)
        return total


# ---- arithmetic


def _made(low: Any, high: Any, defined: Any, slack: float = 2.0**-52) -> Interval:
    """Ends moved outward by `slack` times their size; an end that is not a number is no bound at all."""
    low = np.where(np.isnan(low), -np.inf, low)
    high = np.where(np.isnan(high), np.inf, high)
    low = np.where(low == np.inf, np.finfo(float).max, low)
    high = np.where(high == -np.inf, -np.finfo(float).max, high)
    low = np.nextafter(low - np.where(np.isfinite(low), np.abs(low) * slack, 0.0), -np.inf)
    high = np.nextafter(high + np.where(np.isfinite(high), np.abs(high) * slack, 0.0), np.inf)
    low, high, defined = np.broadcast_arrays(low, high, defined)
    return Interval(low, high, defined)


def _add(a: Interval, b: Interval) -> Interval:
    return _made(a.low + b.low, a.high + b.high, a.defined & b.defined)


def _negative(a: Interval) -> Interval:
    return Interval(-a.high, -a.low, a.defined)


def _multiply(a: Interval, b: Interval) -> Interval:
    ends = [np.asarray(x * y) for x in (a.low, a.high) for y in (b.low, b.high)]
    ends = [np.where(np.isnan(end), 0.0, end) for end in ends]  # zero times a missing bound: zero times any number
    low, high = np.minimum.reduce(ends), np.maximum.reduce(ends)
    return _made(low, high, a.defined & b.defined)


def _reciprocal(a: Interval) -> Interval:
    through = (a.low <= 0.0) & (a.high >= 0.0)
    low = np.where(through, np.where((a.low == 0.0) & (a.high > 0.0), 1.0 / a.high, -np.inf), 1.0 / a.high)
    high = np.where(through, np.where((a.high == 0.0) & (a.low < 0.0), 1.0 / a.low, np.inf), 1.0 / a.low)
    return _made(low, high, a.defined & ~through)


def _exp(a: Interval) -> Interval:
    made = _made(np.exp(a.low), np.exp(a.high), a.defined, _ULPS)
    return Interval(np.maximum(made.low, 0.0), made.high, made.defined)


def _log(a: Interval) -> Interval:
    low = np.where(a.low > 0.0, np.log(np.maximum(a.low, 0.0)), -np.inf)
    high = np.where(a.high > 0.0, np.log(np.maximum(a.high, 0.0)), np.inf)
    made = _made(low, high, a.defined & (a.low > 0.0), _ULPS)
    return Interval(np.where(np.isfinite(low), made.low - _ULPS, low), made.high + _ULPS, made.defined)


def _whole_power(a: Interval, n: int) -> Interval:
    """a**n for a whole n > 0, narrower than a product: an even power is never negative."""
    low, high = np.power(a.low, n), np.power(a.high, n)
    if n % 2 == 0:
        through = (a.low <= 0.0) & (a.high >= 0.0)
        low, high = np.where(through, 0.0, np.minimum(low, high)), np.maximum(low, high)
    made = _made(low, high, a.defined, _ULPS)
    return made if n % 2 else Interval(np.maximum(made.low, 0.0), made.high, made.defined)


def _real_power(a: Interval, b: Interval) -> Interval:
    """a**b for positive a: monotone in a and in b, so that its extremes are at the corners."""
    ends = []
    for x in (a.low, a.high):
        for y in (b.low, b.high):
            end = np.power(np.maximum(x, 0.0), y)
            ends.append(np.asarray(end))
    hidden = np.logical_or.reduce([np.isnan(end) for end in ends])
    low = np.where(hidden, 0.0, np.minimum.reduce(ends))
    high = np.where(hidden, np.inf, np.maximum.reduce(ends))
    made = _made(low, high, a.defined & b.defined & (a.low > 0.0), _ULPS)
    return Interval(np.maximum(made.low, 0.0), made.high, made.defined)


def _hull(a: Interval, b: Interval) -> Interval:
    return Interval(np.minimum(a.low, b.low), np.maximum(a.high, b.high), a.defined & b.defined)


# ---- dual numbers


def _product(a: Interval, derivative: Interval | None) -> Interval | None:
    return None if derivative is None else _multiply(a, derivative)


def _total(a: Interval | None, b: Interval | None) -> Interval | None:
    if a is None or b is None:
        return b if a is None else a
    return _add(a, b)


def _binary(name: str, left: _Dual, right: _Dual) -> _Dual:
    (a, da), (b, db) = left, right
    if name == "sub":
        return _binary("add", left, (_negative(b), None if db is None else _negative(db)))
    if name == "add":
        return _add(a, b), _total(da, db)
    if name == "mul":
        return _multiply(a, b), _total(_product(b, da), _product(a, db))
    if name == "div":
        inverse = _reciprocal(b)
        value = _multiply(a, inverse)
        first = _product(inverse, da)
        second = None if db is None else _negative(_multiply(_multiply(a, _multiply(inverse, inverse)), db))
        return value, _total(first, second)
    pick = np.minimum if name == "min" else np.maximum
    value = Interval(pick(a.low, b.low), pick(a.high, b.high), a.defined & b.defined)
    if da is None and db is None:
        return value, None
    zero = Interval.point(0.0)
    da, db = da or zero, db or zero
    both = _hull(da, db)
    first_wins = (a.high < b.low) if name == "min" else (a.low > b.high)
    second_wins = (b.high < a.low) if name == "min" else (b.low > a.high)
    low = np.where(first_wins, da.low, np.where(second_wins, db.low, both.low))
    high = np.where(first_wins, da.high, np.where(second_wins, db.high, both.high))
    return value, _made(low, high, both.defined)


def _power(exponent: Expression, base: _Dual, power: _Dual) -> _Dual:
    (a, da), (b, db) = base, power
    whole = exponent.value if isinstance(exponent, Number) and float(exponent.value).is_integer() else None
    if whole is None and db is None and np.all(b.low == b.high) and np.size(b.low):
        common = float(np.ravel(b.low)[0])
        whole = common if common.is_integer() and np.all(b.low == common) else None
    if whole is not None and abs(whole) <= 64:
        n = int(whole)
        if n == 0:
            return Interval.point(np.ones(a.low.shape)), None
        value = _whole_power(a, abs(n))
        if n < 0:
            value = _reciprocal(value)
        if da is None:
            return value, None
        if n == 1:
            return value, da
        below = _whole_power(a, n - 1) if n > 0 else _reciprocal(_whole_power(a, 1 - n))
        return value, _multiply(_multiply(Interval.point(float(n)), below), da)
    value = _real_power(a, b)
    to_base = None
    if da is not None:
        one_less = _real_power(a, _add(b, Interval.point(-1.0)))
        to_base = _multiply(_multiply(b, one_less), da)
    to_exponent = None if db is None else _multiply(_multiply(value, _log(a)), db)
    return value, _total(to_base, to_exponent)


def _rising(function: Any, a: Interval, slack: float, floor: float, ceiling: float) -> Interval:
    made = _made(function(a.low), function(a.high), a.defined, slack)
    return Interval(np.clip(made.low, floor, ceiling), np.clip(made.high, floor, ceiling), made.defined)


def _wave(a: Interval, shift: float) -> Interval:
    """cos(a + shift) where shift is 0 or minus a quarter turn (sine)."""
    function = np.cos if shift == 0.0 else np.sin
    ends = np.asarray(function(a.low)), np.asarray(function(a.high))
    large = ~(np.maximum(np.abs(a.low), np.abs(a.high)) < 1e8)
    turn = 2.0 * math.pi
    slack = 1e-6  # of a turn: a peak this near to an end counts as inside, which only widens

    def peaks(offset: float) -> np.ndarray:
        first = np.ceil((a.low + shift - offset) / turn - slack)
        return np.asarray(first * turn <= a.high + shift - offset + slack * turn)

    low = np.where(large | peaks(math.pi), -1.0, np.minimum(*ends))
    high = np.where(large | peaks(0.0), 1.0, np.maximum(*ends))
    made = _made(low, high, a.defined & np.isfinite(a.low) & np.isfinite(a.high), _ULPS)
    return Interval(np.maximum(made.low - _ULPS, -1.0), np.minimum(made.high + _ULPS, 1.0), made.defined)


def _unary(name: str, a: Interval, da: Interval | None) -> _Dual:
    if name == "neg":
        return _negative(a), None if da is None else _negative(da)
    one = Interval.point(1.0)
    if name == "exp":
        value = _exp(a)
        return value, _product(value, da)
    if name == "expm1":
        return _rising(np.expm1, a, _ULPS, -1.0, np.inf), _product(_exp(a), da)
    if name in ("log", "log2", "log10"):
        value = _log(a)
        slope_here = _reciprocal(a)
        if name != "log":
            base = math.log(10.0 if name == "log10" else 2.0)
            scale = _reciprocal(_made(base, base, True, _ULPS))
            value, slope_here = _multiply(value, scale), _multiply(slope_here, scale)
        return value, _product(slope_here, da)
    if name == "log1p":
        inside = _add(one, a)
        low = np.where(a.low > -1.0, np.log1p(np.maximum(a.low, -1.0)), -np.inf)
        high = np.where(a.high > -1.0, np.log1p(np.maximum(a.high, -1.0)), np.inf)
        return _made(low, high, a.defined & (a.low > -1.0), _ULPS), _product(_reciprocal(inside), da)
    if name == "sqrt":
        low, high = np.sqrt(np.maximum(a.low, 0.0)), np.sqrt(np.maximum(a.high, 0.0))
        made = _made(low, high, a.defined & (a.low >= 0.0), _ULPS)
        value = Interval(np.maximum(made.low, 0.0), made.high, made.defined)
        return value, _product(_multiply(Interval.point(0.5), _reciprocal(value)), da)
    if name == "tanh":
        value = _rising(np.tanh, a, _LOOSE, -1.0, 1.0)
        rest = _add(one, _negative(_whole_power(value, 2)))
        return value, _product(Interval(np.maximum(rest.low, 0.0), rest.high, rest.defined), da)
    if name == "sigmoid":
        value = _rising(lambda x: 1.0 / (1.0 + np.exp(-x)), a, _LOOSE, 0.0, 1.0)
        other = _rising(lambda x: 1.0 / (1.0 + np.exp(-x)), _negative(a), _LOOSE, 0.0, 1.0)
        return value, _product(_multiply(value, other), da)
    if name == "atan":
        value = _rising(np.arctan, a, _ULPS, -1.5707963267948968, 1.5707963267948968)
        return value, _product(_reciprocal(_add(one, _whole_power(a, 2))), da)
    if name == "abs":
        through = (a.low <= 0.0) & (a.high >= 0.0)
        sizes = np.abs(a.low), np.abs(a.high)
        value = Interval(np.where(through, 0.0, np.minimum(*sizes)), np.maximum(*sizes), a.defined)
        sign = Interval.of(np.where(a.low > 0.0, 1.0, -1.0), np.where(a.high < 0.0, -1.0, 1.0))
        return value, _product(sign, da)
    if name in ("sin", "cos"):
        sine, cosine = _wave(a, -math.pi / 2.0), _wave(a, 0.0)
        value = sine if name == "sin" else cosine
        return value, _product(cosine if name == "sin" else _negative(sine), da)
    if name == "erf":
        from scipy.special import erf

        value = _rising(erf, a, _LOOSE, -1.0, 1.0)
        scale = _made(2.0 / math.sqrt(math.pi), 2.0 / math.sqrt(math.pi), True, _ULPS)
        return value, _product(_multiply(scale, _exp(_negative(_whole_power(a, 2)))), da)
    if name == "gamma":
        return _gamma(a, da)
    raise NotImplementedError(f"interval of {name}")  # a test holds the grammar against this list


def _gamma(a: Interval, da: Interval | None) -> _Dual:
    from scipy.special import digamma, gamma

    positive = a.low > 0.0
    safe_low, safe_high = np.where(positive, a.low, 1.0), np.where(positive, a.high, 1.0)
    ends = gamma(safe_low), gamma(safe_high)
    through = (safe_low <= _GAMMA_LEAST) & (safe_high >= _GAMMA_LEAST)
    low = np.where(through, 0.885603194410888, np.minimum(*ends))
    high = np.where(positive, np.maximum(*ends), np.inf)
    made = _made(np.where(positive, low, -np.inf), high, a.defined & positive, _LOOSE)
    if da is None:
        return made, None
    # digamma rises on the positive axis
    low, high = np.where(positive, digamma(safe_low), -np.inf), np.where(positive, digamma(safe_high), np.inf)
    psi = _made(low, high, positive, _LOOSE)
    psi = Interval(psi.low - 1e-12, psi.high + 1e-12, psi.defined)
    return made, _multiply(_multiply(made, psi), da)
