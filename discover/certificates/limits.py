"""What a law tends to as one input goes to zero or to infinity, by the leading term of its parts.

Near a limit a part of a law behaves as c * t**p * log(t)**q * exp(...), t going to infinity. The rules for sums,
products, powers, exponentials and logarithms of such terms are exact: powers are rational numbers, never rounded, and
coefficients are intervals. What the leading terms cannot tell (a difference that cancels, say) is None: unknown.

Source: Gruntz 1996, On Computing Limits in a Symbolic Manipulation System, of which this is the part for one scale.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from discover.certificates.interval import Interval, enclosure
from discover.law.expression import Call, Expression, Number, Symbol, symbols

_ZERO, _ONE = Fraction(0), Fraction(1)
_MOST_BITS = 20_000  # of a fraction: beyond, the limit is left unknown


class _Unknown(Exception):
    """The leading terms do not tell."""


@dataclass(frozen=True)
class _Term:
    """c * t**power * log(t)**logs, times a factor beyond all powers.

    Attributes:
        low, high: What the coefficient lies between.
        beyond: 1 grows faster than every power, -1 falls faster, 0 neither; the coefficient then tells the sign alone.
        only_small: It tends to zero, and no more is known of it.
        whole: There is nothing beside the leading term, so that it may cancel and leave the next one.
    """

    low: Fraction
    high: Fraction
    power: Fraction = _ZERO
    logs: Fraction = _ZERO
    beyond: int = 0
    only_small: bool = False
    whole: bool = False

    @property
    def sign(self) -> int:
        """1, -1, or 0 where it is not known."""
        return 1 if self.low > 0 else -1 if self.high < 0 else 0

    @property
    def order(self) -> tuple[int, Fraction, Fraction]:
        return (self.beyond, self.power, self.logs)

    @property
    def growth(self) -> int:
        """1: its size grows without bound; 0: it settles; -1: it vanishes."""
        if self.only_small:
            return -1
        zero: tuple[int, Fraction, Fraction] = (0, _ZERO, _ZERO)
        return (self.order > zero) - (self.order < zero)


_UNIT = _Term(_ONE, _ONE, whole=True)


def limit(
    expression: Expression, names: Mapping[str, float], of: str, to_zero: bool = False
) -> tuple[float, float] | None:
    """What the expression tends to as the input `of` goes to infinity, or to zero from above.

    Args:
        names: Value of every other name.

    Returns:
        (low, high) that contain the limit, equal and infinite where it grows without bound; None where unknown.
    """
    try:
        term = _leading(expression, names, of, to_zero)
    except (_Unknown, OverflowError, ZeroDivisionError, ValueError):
        return None
    if term.growth < 0:
        return (0.0, 0.0)
    if term.growth > 0:
        return None if term.sign == 0 else (term.sign * math.inf, term.sign * math.inf)
    return _outward(term.low, term.high)


def _outward(low: Fraction, high: Fraction) -> tuple[float, float]:
    below, above = float(low), float(high)
    if below > low:
        below = math.nextafter(below, -math.inf)
    if above < high:
        above = math.nextafter(above, math.inf)
    return below, above


def _constant(node: Expression, names: Mapping[str, float]) -> _Term:
    """A part that does not read the input: exact where it is made of sums and products, else an interval."""
    exact = _exact(node, names)
    if exact is not None:
        return _Term(exact, exact, whole=True)
    value = enclosure(node, {name: Interval.point(names[name]) for name in symbols(node)})
    if not bool(value.defined) or not (np.isfinite(value.low) and np.isfinite(value.high)):
        raise _Unknown
    return _Term(Fraction(float(value.low)), Fraction(float(value.high)), whole=True)


def _exact(node: Expression, names: Mapping[str, float]) -> Fraction | None:
    if isinstance(node, Number):
        return Fraction(node.value)
    if isinstance(node, Symbol):
        return Fraction(names[node.name])
    if node.function not in ("add", "sub", "mul", "div", "neg"):
        return None
    parts = [_exact(argument, names) for argument in node.arguments]
    if any(part is None for part in parts):
        return None
    values = [part for part in parts if part is not None]
    if node.function == "neg":
        return -values[0]
    total = values[0]
    for value in values[1:]:
        if node.function == "div" and value == 0:
            raise _Unknown
        total = {
            "add": lambda a, b: a + b,
            "sub": lambda a, b: a - b,
            "mul": lambda a, b: a * b,
            "div": lambda a, b: a / b,
        }[node.function](total, value)
        if total.denominator.bit_length() > _MOST_BITS or total.numerator.bit_length() > _MOST_BITS:
            raise _Unknown
    return total


def _leading(node: Expression, names: Mapping[str, float], of: str, to_zero: bool) -> _Term:
    if of not in symbols(node):
        return _constant(node, names)
    if isinstance(node, Symbol):
        return _Term(_ONE, _ONE, -_ONE if to_zero else _ONE, whole=True)
    assert isinstance(node, Call)

    def below(inner: Expression) -> _Term:
        return _leading(inner, names, of, to_zero)

    name = node.function
    if name in ("add", "sub"):
        return _sum(_summands(node, below))
    if name == "neg":
        return _negative(below(node.arguments[0]))
    if name == "mul":
        term = below(node.arguments[0])
        for argument in node.arguments[1:]:
            term = _product(term, below(argument))
        return term
    if name == "div":
        return _product(below(node.arguments[0]), _inverse(below(node.arguments[1])))
    if name == "sqrt":
        return _raised(below(node.arguments[0]), Fraction(1, 2))
    if name == "pow":
        base, exponent = node.arguments
        if of not in symbols(exponent):
            known = _constant(exponent, names)
            return _raised_by_any(below(base), known)
        return _exp(_product(below(exponent), _log(below(base), base, below)))
    inner = below(node.arguments[0]) if name not in ("min", "max") else _Term(_ONE, _ONE)
    if name == "exp":
        return _exp(inner)
    if name == "expm1":
        return replace(inner, whole=False) if inner.growth < 0 else _sum([_exp(inner), _negative(_UNIT)])
    if name in ("log", "log1p"):
        if name == "log1p":
            return replace(inner, whole=False) if inner.growth < 0 else _log(_sum([inner, _UNIT]), None, below)
        return _log(inner, node.arguments[0], below)
    if name in ("log2", "log10"):
        scale = _constant(Call("log", (Number(2.0 if name == "log2" else 10.0),)), {})
        return _product(_log(inner, node.arguments[0], below), _inverse(scale))
    if name in ("tanh", "sigmoid", "erf", "atan"):
        return _bounded(name, inner)
    if name == "abs":
        if inner.sign == 0 and not inner.only_small:
            raise _Unknown
        return inner if inner.sign > 0 else _negative(inner)
    if name in ("min", "max"):
        return _chosen(name, [below(argument) for argument in node.arguments])
    raise _Unknown


def _summands(node: Expression, below: Callable[[Expression], _Term]) -> list[_Term]:
    """The leading terms of a sum's parts; an exponential that tends to one is one and what it differs by."""
    if isinstance(node, Call) and node.function in ("add", "sub", "neg"):
        terms: list[_Term] = []
        for place, argument in enumerate(node.arguments):
            own = _summands(argument, below)
            flip = node.function == "neg" or (node.function == "sub" and place == 1)
            terms += [_negative(term) for term in own] if flip else own
        return terms
    if isinstance(node, Call) and node.function == "exp":
        inner = below(node.arguments[0])
        if inner.growth < 0:
            return [_UNIT, replace(inner, whole=False)]  # exp(s) - 1 = s (1 + o(1))
    return [below(node)]


def _negative(term: _Term) -> _Term:
    return replace(term, low=-term.high, high=-term.low)


def _sum(terms: list[_Term]) -> _Term:
    small = any(term.only_small for term in terms)
    known = [term for term in terms if not term.only_small and (term.low, term.high) != (0, 0)]
    if not known:
        return _Term(_ZERO, _ZERO, only_small=small, whole=not small)
    top = max(term.order for term in known)
    first = [term for term in known if term.order == top]
    if top[0]:  # of two that outgrow all powers, which is larger is not known
        alike = [term for term in known if term.beyond == top[0]]
        if len({term.sign for term in alike}) > 1 or alike[0].sign == 0:
            if top[0] > 0:
                raise _Unknown
            return _Term(_ZERO, _ZERO, only_small=True)
    low, high = sum((term.low for term in first), _ZERO), sum((term.high for term in first), _ZERO)
    whole = len(first) == len(terms) and all(term.whole for term in first)
    total = replace(first[0], low=low, high=high, whole=whole)
    if total.growth < 0 and small:
        return _Term(_ZERO, _ZERO, only_small=True)
    if total.sign == 0 and len(first) > 1:
        rest = [term for term in terms if term not in first]
        if (low, high) == (0, 0) and all(term.whole for term in first) and rest:
            return _sum(rest)
        if total.growth > 0:
            raise _Unknown
        if total.growth < 0 or (low, high) == (0, 0):
            return _Term(_ZERO, _ZERO, only_small=True)
    return total


def _product(a: _Term, b: _Term) -> _Term:
    if (a.low, a.high) == (0, 0) and not a.only_small:
        return a
    if (b.low, b.high) == (0, 0) and not b.only_small:
        return b
    if a.only_small or b.only_small:
        if a.growth > 0 or b.growth > 0:
            raise _Unknown
        return _Term(_ZERO, _ZERO, only_small=True)
    if a.beyond * b.beyond < 0:
        raise _Unknown
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    beyond = max(-1, min(1, a.beyond + b.beyond))
    return _Term(min(ends), max(ends), a.power + b.power, a.logs + b.logs, beyond, whole=a.whole and b.whole)


def _inverse(a: _Term) -> _Term:
    if a.only_small or a.sign == 0:
        raise _Unknown
    return _Term(1 / a.high, 1 / a.low, -a.power, -a.logs, -a.beyond, whole=a.whole)


def _raised(a: _Term, exponent: Fraction) -> _Term:
    return _raised_by_any(a, _Term(exponent, exponent))


def _raised_by_any(a: _Term, exponent: _Term) -> _Term:
    """a to an exponent that does not change; it may lie in an interval where it tells a sign or a size alone."""
    exact = exponent.low == exponent.high
    if exact and exponent.low == 0:
        return _UNIT
    if a.only_small:
        if exact and exponent.low > 0 and exponent.low.denominator == 1:
            return a
        raise _Unknown
    whole = exact and exponent.low.denominator == 1
    sign = 1
    if a.sign < 0:
        if not whole:
            raise _Unknown
        sign = -1 if exponent.low.numerator % 2 else 1
        a = _negative(a)
    if a.sign == 0:
        raise _Unknown
    if not exact and (a.power != 0 or a.logs != 0 or a.beyond):
        # The power of t is not known exactly: only whether it grows.
        if a.logs == 0 and a.beyond == 0 and a.power * exponent.sign < 0:
            return _Term(_ZERO, _ZERO, only_small=True)
        raise _Unknown
    value = enclosure(
        Call("pow", (Symbol("a"), Symbol("b"))),
        {"a": Interval.of(*_outward(a.low, a.high)), "b": Interval.of(*_outward(exponent.low, exponent.high))},
    )
    low, high = Fraction(float(value.low)), Fraction(float(value.high))
    if exact and a.low == a.high == 1:
        low = high = _ONE
    if low <= 0:
        raise _Unknown
    e = exponent.low
    beyond = a.beyond * (1 if exponent.sign > 0 else -1)
    power, logs = (a.power * e, a.logs * e) if exact else (_ZERO, _ZERO)
    made = _Term(low, high, power, logs, beyond, whole=a.whole)
    return made if sign > 0 else _negative(made)


def _exp(a: _Term) -> _Term:
    if a.growth < 0:
        return _Term(_ONE, _ONE)
    if a.growth == 0:
        return _spread("exp", a)
    if a.sign == 0:
        raise _Unknown
    if a.beyond == 0 and a.power == 0:
        if a.logs < 1:
            raise _Unknown
        if a.logs == 1:  # exp(c*log(t) + smaller) is t**c times what the smaller terms make: only its growth is known
            if a.sign < 0:
                return _Term(_ZERO, _ZERO, only_small=True)
            raise _Unknown
    return _Term(_ONE, _ONE, beyond=a.sign)


def _spread(name: str, a: _Term) -> _Term:
    value = enclosure(Call(name, (Symbol("a"),)), {"a": Interval.of(*_outward(a.low, a.high))})
    if not bool(value.defined) or not (np.isfinite(value.low) and np.isfinite(value.high)):
        raise _Unknown
    return _Term(Fraction(float(value.low)), Fraction(float(value.high)))


def _log(a: _Term, node: Expression | None, below: Callable[[Expression], _Term]) -> _Term:
    if a.only_small or a.sign <= 0 or a.beyond:
        raise _Unknown
    if a.power != 0:
        return _Term(a.power, a.power, _ZERO, _ONE)
    if a.logs != 0:
        raise _Unknown
    if a.low == a.high == 1:
        if node is None or not (isinstance(node, Call) and node.function in ("add", "sub")):
            return _Term(_ZERO, _ZERO, only_small=True)
        beside = _sum([*_summands(node, below), _negative(_UNIT)])  # log(1 + s) = s (1 + o(1))
        return replace(beside, whole=False) if beside.growth < 0 else _Term(_ZERO, _ZERO, only_small=True)
    return _spread("log", a)


def _bounded(name: str, a: _Term) -> _Term:
    if a.growth < 0:
        if name == "sigmoid":
            return _Term(Fraction(1, 2), Fraction(1, 2))
        return _Term(_ZERO, _ZERO, only_small=True)
    if a.growth == 0:
        return _spread(name, a)
    if a.sign == 0:
        raise _Unknown
    if name == "atan":
        low, high = _outward(Fraction(math.pi / 2) - Fraction(1, 10**15), Fraction(math.pi / 2) + Fraction(1, 10**15))
        half = _Term(Fraction(low), Fraction(high))
        return half if a.sign > 0 else _negative(half)
    if name == "sigmoid":
        return _Term(_ONE, _ONE) if a.sign > 0 else _Term(_ZERO, _ZERO, only_small=True)
    return _Term(Fraction(a.sign), Fraction(a.sign))


def _chosen(name: str, terms: list[_Term]) -> _Term:
    first, second = terms
    difference = _sum([first, _negative(second)])
    if difference.only_small or difference.sign == 0:
        raise _Unknown
    return first if (difference.sign > 0) == (name == "max") else second
