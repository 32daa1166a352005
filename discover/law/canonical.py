"""One key per law, equal for laws that differ only in names, order, constants or signs that a fit absorbs.

The tree is brought to sums, products and powers, numbers are folded, a number beside a parameter that occurs
nowhere else is dropped (the fit absorbs it, where the parameter's bounds let it), operands are sorted, and
parameters are named by where they stand.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np

from discover.law.expression import ONE, ZERO, Call, Expression, Number, Symbol, symbols, walk
from discover.law.grammar import GRAMMAR

_FREE = (-math.inf, math.inf)


def canonical_key(expression: Expression, bounds: Mapping[str, tuple[float, float]]) -> str:
    """The key of a law whose parameters are the names in `bounds`."""
    once = {n for n, c in Counter(s.name for s in walk(expression) if isinstance(s, Symbol)).items() if c == 1}
    single = {name: bounds[name] for name in bounds if name in once}
    normal = _normal(expression, single)
    parameters = [name for name in symbols(normal) if name in bounds]
    kinds = {name: _kind(bounds[name]) for name in parameters}
    # Names by place: a parameter's colour is the tree as seen with that parameter marked, refined until stable,
    # so that the order of operands never depends on what somebody called a parameter.
    colours = kinds
    for _ in range(len(parameters)):
        refined = {p: _render(normal, {**colours, p: "*" + colours[p]}) for p in parameters}
        ranks = {text: rank for rank, text in enumerate(sorted(set(refined.values())))}
        renamed = {p: f"{kinds[p]}{ranks[refined[p]]}" for p in parameters}
        if renamed == colours:
            break
        colours = renamed
    order: dict[str, str] = {}
    _number(normal, colours, kinds, order)
    return _render(normal, order)


def _kind(bound: tuple[float, float]) -> str:
    if bound == _FREE:
        return "?"
    return "?+" if bound == (0.0, math.inf) else f"?[{bound[0]:g},{bound[1]:g}]"


def _number(node: Expression, colours: Mapping[str, str], kinds: Mapping[str, str], order: dict[str, str]) -> None:
    if isinstance(node, Symbol):
        if node.name in colours and node.name not in order:
            order[node.name] = f"{kinds[node.name]}{len(order)}"
    elif isinstance(node, Call):
        for argument in _sorted(node, colours):
            _number(argument, colours, kinds, order)


def _sorted(node: Call, names: Mapping[str, str]) -> list[Expression]:
    if node.function in ("add", "mul", "min", "max"):
        return sorted(node.arguments, key=lambda argument: _render(argument, names))
    return list(node.arguments)


def _render(node: Expression, names: Mapping[str, str]) -> str:
    if isinstance(node, Number):
        return f"{node.value:.12g}"
    if isinstance(node, Symbol):
        return names.get(node.name, node.name)
    parts = [_render(argument, names) for argument in node.arguments]
    if node.function in ("add", "mul", "min", "max"):
        parts.sort()
    return f"{node.function}({','.join(parts)})"


def _normal(node: Expression, single: Mapping[str, tuple[float, float]]) -> Expression:
    if not isinstance(node, Call):
        return node
    arguments = [_normal(argument, single) for argument in node.arguments]
    name = node.function
    if name == "add":
        return _sum(arguments, single)
    if name == "sub":
        return _sum([arguments[0], _product([Number(-1.0), arguments[1]], single)], single)
    if name == "neg":
        return _product([Number(-1.0), arguments[0]], single)
    if name == "mul":
        return _product(arguments, single)
    if name == "div":
        return _product([arguments[0], _raised(arguments[1], Number(-1.0), single)], single)
    if name == "sqrt":
        return _raised(arguments[0], Number(0.5), single)
    if name == "pow":
        return _raised(arguments[0], arguments[1], single)
    if name in ("log10", "log2"):
        scale = 1.0 / math.log(10.0 if name == "log10" else 2.0)
        return _product([Number(scale), Call("log", (arguments[0],))], single)
    if name == "log1p":
        return _folded("log", [_sum([ONE, arguments[0]], single)])
    if name == "expm1":
        return _sum([_folded("exp", [arguments[0]]), Number(-1.0)], single)
    return _folded(name, arguments)


def _folded(name: str, arguments: list[Expression]) -> Expression:
    if all(isinstance(argument, Number) for argument in arguments):
        with np.errstate(all="ignore"):
            value = float(GRAMMAR[name].numpy(*(a.value for a in arguments if isinstance(a, Number))))
        if math.isfinite(value):
            return Number(value)
    return Call(name, tuple(sorted(arguments, key=_by_text) if name in ("min", "max") else arguments))


def _raised(base: Expression, exponent: Expression, single: Mapping[str, tuple[float, float]]) -> Expression:
    if isinstance(exponent, Number):
        if exponent.value == 0.0:
            return ONE
        if exponent.value == 1.0:
            return base
        if isinstance(base, Number) and (base.value > 0 or exponent.value.is_integer()) and base.value != 0:
            try:
                return Number(float(base.value**exponent.value))
            except OverflowError:
                pass
    if isinstance(base, Call) and base.function == "pow" and _joins(base.arguments[1], exponent):
        return _raised(base.arguments[0], _product([base.arguments[1], exponent], single), single)
    if isinstance(base, Call) and base.function == "exp":
        return _folded("exp", [_product([base.arguments[0], exponent], single)])
    if isinstance(base, Call) and base.function == "mul" and isinstance(exponent, Number) and exponent.value == -1.0:
        return _product([_raised(factor, exponent, single) for factor in base.arguments], single)
    return Call("pow", (base, exponent))


def _by_text(node: Expression) -> str:
    """An order of operands, so that equal sums are equal trees while terms are collected."""
    return _render(node, {})


def _joins(inner: Expression, outer: Expression) -> bool:
    """Whether (x**inner)**outer is x**(inner*outer) for every x: the root of an even power is not."""
    whole = isinstance(outer, Number) and outer.value.is_integer()
    return whole or not (isinstance(inner, Number) and inner.value % 2 == 0)


def _absorbs(term: Expression, single: Mapping[str, tuple[float, float]], factor: float) -> bool:
    """Whether `term` is a parameter that takes up a factor without leaving its bounds."""
    if not isinstance(term, Symbol) or term.name not in single:
        return False
    bound = single[term.name]
    return bound == _FREE or (factor > 0 and bound == (0.0, math.inf))


def _product(factors: list[Expression], single: Mapping[str, tuple[float, float]]) -> Expression:
    number = 1.0
    powers: dict[Expression, list[Expression]] = {}
    order: list[Expression] = []
    for factor in factors:
        for part in factor.arguments if isinstance(factor, Call) and factor.function == "mul" else (factor,):
            if isinstance(part, Number):
                number *= part.value
                continue
            base: Expression = part
            exponent: Expression = ONE
            if isinstance(part, Call) and part.function == "pow":
                base, exponent = part.arguments
            if base not in powers:
                order.append(base)
            powers.setdefault(base, []).append(exponent)
    if number == 0.0:
        return ZERO
    parts: list[Expression] = []
    for base in order:
        exponents = powers[base]
        exponent = exponents[0] if len(exponents) == 1 else _sum(exponents, single)
        raised = _raised(base, exponent, single) if len(exponents) > 1 else _rejoined(base, exponent)
        if isinstance(raised, Number):
            number *= raised.value
        else:
            parts.append(raised)
    if number != 1.0 and any(_absorbs(part, single, number) for part in parts):
        number = 1.0
    if not parts:
        return Number(number)
    if number != 1.0:
        if len(parts) == 1 and isinstance(parts[0], Call) and parts[0].function == "add":
            return _sum([_product([Number(number), term], single) for term in parts[0].arguments], single)
        return Call("mul", (Number(number), *sorted(parts, key=_by_text)))
    return parts[0] if len(parts) == 1 else Call("mul", tuple(sorted(parts, key=_by_text)))


def _rejoined(base: Expression, exponent: Expression) -> Expression:
    return base if exponent == ONE else Call("pow", (base, exponent))


def _sum(terms: list[Expression], single: Mapping[str, tuple[float, float]]) -> Expression:
    number = 0.0
    counts: dict[Expression, float] = {}
    for term in terms:
        for part in term.arguments if isinstance(term, Call) and term.function == "add" else (term,):
            if isinstance(part, Number):
                number += part.value
                continue
            factor = 1.0
            rest: Expression = part
            if isinstance(part, Call) and part.function == "mul" and isinstance(part.arguments[0], Number):
                factor = part.arguments[0].value
                remaining = part.arguments[1:]
                rest = remaining[0] if len(remaining) == 1 else Call("mul", remaining)
            counts[rest] = counts.get(rest, 0.0) + factor
    parts = [_product([Number(factor), rest], single) for rest, factor in counts.items() if factor != 0.0]
    shifts = any(isinstance(part, Symbol) and single.get(part.name) == _FREE for part in parts)
    if number != 0.0 and not shifts:
        parts.append(Number(number))
    if not parts:
        return ZERO
    return parts[0] if len(parts) == 1 else Call("add", tuple(sorted(parts, key=_by_text)))
