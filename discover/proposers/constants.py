"""A formula full of numbers, as an engine fits it, into the law that it is an instance of.

In: a tree of sums, products, quotients and powers whose constants are numbers. Out: a tree whose constants are
parameters, as few as say the same, with the numbers as their known values. Stays out: where the formula came from.
"""

from __future__ import annotations

import math

import numpy as np

from discover.law.expression import ONE, Call, Expression, Number, Symbol, add, mul
from discover.proposers.pieces import Pieces

_SIMPLE = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
_NEAR = 0.005  # of an exponent: nearer than this to a simple one, it is that


class NotALawError(ValueError):
    """A formula that has no finite normal form."""


def folded(node: Expression) -> Expression:
    """The tree as a sum of products, each with one number in front; numbers are drawn out of powers.

    Raises:
        NotALawError: A number on the way is not finite.
    """
    factor, rest = _split(node)
    return _scaled(factor, rest)


def _scaled(factor: float, rest: Expression) -> Expression:
    if rest == ONE or factor == 0.0:
        return Number(factor)
    if isinstance(rest, Call) and rest.function == "add":
        return add(*(_scaled(factor * f, r) for f, r in map(_own, rest.arguments)))
    return mul(Number(factor), rest)


def _own(node: Expression) -> tuple[float, Expression]:
    """The number in front of a term that is folded already, and the rest."""
    if isinstance(node, Number):
        return node.value, ONE
    if isinstance(node, Call) and node.function == "mul" and isinstance(node.arguments[0], Number):
        return node.arguments[0].value, mul(*node.arguments[1:])
    return 1.0, node


def _split(node: Expression) -> tuple[float, Expression]:
    """A number times a tree without a number in front."""
    if isinstance(node, Number):
        return _finite(node.value), ONE
    if isinstance(node, Symbol):
        return 1.0, node
    parts = [_split(argument) for argument in node.arguments]
    if node.function == "neg":
        return -parts[0][0], parts[0][1]
    if node.function == "mul":
        return _finite(math.prod(f for f, _ in parts)), _product([r for _, r in parts])
    if node.function == "div":
        (above, first), (below, second) = parts
        inverse, rest = _power(below, second, -1.0)
        return _finite(above * inverse), _product([first, rest])
    if node.function in ("add", "sub"):
        flip = -1.0 if node.function == "sub" else 1.0
        return _sum([parts[0], *((f * flip, r) for f, r in parts[1:])])
    if node.function == "pow" and parts[1][1] == ONE:
        return _power(*parts[0], parts[1][0])
    return 1.0, Call(node.function, tuple(_scaled(f, r) for f, r in parts))


def _sum(parts: list[tuple[float, Expression]]) -> tuple[float, Expression]:
    totals: dict[Expression, float] = {}
    for factor, rest in parts:
        inner = rest.arguments if isinstance(rest, Call) and rest.function == "add" else (rest,)
        for term in inner:
            own, bare = _own(term)
            totals[bare] = totals.get(bare, 0.0) + _finite(factor * own)
    kept = [(f, r) for r, f in totals.items() if f != 0.0]
    if not kept:
        return 0.0, ONE
    if len(kept) == 1:
        return kept[0]
    # The first term that varies gets the factor one: an outer power then has nothing to share with it.
    lead = next((f for f, r in kept if r != ONE and f > 0), next((f for f, r in kept if r != ONE), 1.0))
    return lead, add(*(_scaled(f / lead, r) for f, r in kept))


def _product(factors: list[Expression]) -> Expression:
    exponents: dict[Expression, float] = {}
    others: list[Expression] = []
    for factor in factors:
        for part in factor.arguments if isinstance(factor, Call) and factor.function == "mul" else (factor,):
            if isinstance(part, Call) and part.function == "pow" and isinstance(part.arguments[1], Number):
                exponents[part.arguments[0]] = exponents.get(part.arguments[0], 0.0) + part.arguments[1].value
            elif isinstance(part, Call) and part.function == "pow":
                others.append(part)
            elif part != ONE:
                exponents[part] = exponents.get(part, 0.0) + 1.0
    return mul(*(_raised(base, exponent) for base, exponent in exponents.items()), *others)


def _power(factor: float, base: Expression, exponent: float) -> tuple[float, Expression]:
    exponent = next((s for s in _SIMPLE if abs(exponent - s) < _NEAR * abs(s)), _finite(exponent))
    if base == ONE:
        return _raised_number(factor, exponent), ONE
    if factor < 0 and not exponent.is_integer():
        return 1.0, _raised(_scaled(factor, base), exponent)
    outside = _raised_number(factor, exponent)
    parts = base.arguments if isinstance(base, Call) and base.function == "mul" else (base,)
    found = []
    for part in parts:
        if isinstance(part, Call) and part.function == "pow" and isinstance(part.arguments[1], Number):
            found.append(_raised(part.arguments[0], part.arguments[1].value * exponent))
        else:
            found.append(_raised(part, exponent))
    return outside, _product(found)


def _raised(base: Expression, exponent: float) -> Expression:
    if exponent == 0.0:
        return ONE
    return base if exponent == 1.0 else Call("pow", (base, Number(exponent)))


def _raised_number(factor: float, exponent: float) -> float:
    try:
        value = factor**exponent
    except (OverflowError, ZeroDivisionError):
        raise NotALawError(f"{factor}**{exponent} is not finite") from None
    if isinstance(value, complex):
        raise NotALawError(f"{factor}**{exponent} is not real")
    return _finite(value)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise NotALawError(f"a constant is {value}")
    return value


def with_parameters(node: Expression, pieces: Pieces, n_cells: int) -> Expression:
    """The folded tree with every number a parameter, its value known to `pieces`; simple exponents stay numbers."""

    def parameter(value: float) -> Symbol:
        fresh = pieces.fresh()
        pieces.known[fresh.name] = np.full(n_cells, value)
        return fresh

    def visit(node: Expression) -> Expression:
        if isinstance(node, Number):
            return parameter(node.value)
        if isinstance(node, Symbol):
            return node
        if node.function == "pow" and isinstance(node.arguments[1], Number):
            exponent = node.arguments[1].value
            kept: Expression = Number(exponent) if exponent in _SIMPLE else parameter(exponent)
            return Call("pow", (visit(node.arguments[0]), kept))
        if node.function == "mul" and node.arguments[0] == ONE:
            return visit(mul(*node.arguments[1:]))
        return Call(node.function, tuple(visit(argument) for argument in node.arguments))

    return visit(node)


__all__ = ["NotALawError", "folded", "with_parameters"]
