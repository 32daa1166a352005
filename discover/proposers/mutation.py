"""Mutation and crossover: laws made from laws that did well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from discover.law.expression import ONE, Call, Expression, Number, Symbol, add, mul, neg, rename, symbols, walk
from discover.law.law import Law
from discover.proposers.pieces import POSITIVE, Input, Pieces

Changed = Expression | None  # None where the edit does not apply


def mutate(
    law: Law, inputs: list[Input], rng: np.random.Generator, values: Mapping[str, np.ndarray]
) -> tuple[Expression, Pieces]:
    """One to three random edits of a law: the new tree and its pieces; `values` (cell,) of the law's parameters."""
    pieces = Pieces(inputs, rng, dict(law.bounds), dict(values))
    expression = law.expression
    for _ in range(1 + int(rng.random() < 0.35) + int(rng.random() < 0.15)):
        for _ in range(8):
            name = pieces.pick({n: w for n, (w, _) in _EDITS.items()})
            changed = _EDITS[name][1](expression, pieces)
            if changed is not None and changed != expression:
                expression = changed
                break
    return expression, pieces


def cross(
    first: Law,
    second: Law,
    inputs: list[Input],
    rng: np.random.Generator,
    first_values: Mapping[str, np.ndarray],
    second_values: Mapping[str, np.ndarray],
) -> tuple[Expression, Pieces]:
    """A term of `second` put in place of a term of `first`, or added to it; values (cell,) of both laws' parameters."""
    pieces = Pieces(inputs, rng, dict(first.bounds), dict(first_values))
    donor = _fresh_copy(second, pieces, second_values)
    donors = list(_terms(donor)) or [donor]
    term = donors[int(rng.integers(len(donors)))]
    own = list(_terms(first.expression))
    if own and rng.random() < 0.5:
        return _swapped(first.expression, own[int(rng.integers(len(own)))], term), pieces
    return _added(first.expression, term), pieces


def _fresh_copy(law: Law, pieces: Pieces, values: Mapping[str, np.ndarray]) -> Expression:
    """The tree of a law with its parameters renamed to fresh ones, bounds and values carried along."""
    names = {}
    for name, bound in law.bounds.items():
        names[name] = pieces.fresh(bound if bound != (-np.inf, np.inf) else None).name
        if name in values:
            pieces.known[names[name]] = values[name]
    return rename(law.expression, names)


def _terms(expression: Expression) -> tuple[Expression, ...]:
    """The terms of the outermost sum, below at most one exp or outer power."""
    node = expression
    if isinstance(node, Call) and node.function in ("exp", "pow", "mul"):
        inner = [a for a in node.arguments if isinstance(a, Call) and a.function == "add"]
        if inner:
            node = inner[0]
    if isinstance(node, Call) and node.function == "add":
        return tuple(a for a in node.arguments if isinstance(a, Call))
    return (expression,) if isinstance(expression, Call) else ()


def _swapped(tree: Expression, old: Expression, new: Expression) -> Expression:
    """The tree with the first occurrence of `old` replaced."""
    done = False

    def visit(node: Expression) -> Expression:
        nonlocal done
        if not done and node == old:
            done = True
            return new
        if isinstance(node, Call):
            arguments = [visit(a) for a in node.arguments]
            if node.function == "add":
                return add(*arguments)
            if node.function == "mul":
                return mul(*arguments)
            return Call(node.function, tuple(arguments))
        return node

    return visit(tree)


def _added(tree: Expression, term: Expression) -> Expression:
    if isinstance(tree, Call) and tree.function == "exp" and isinstance(tree.arguments[0], Call):
        return Call("exp", (add(tree.arguments[0], term),))
    return add(tree, term)


def _choose(p: Pieces, options: Sequence[Expression]) -> Expression | None:
    return options[int(p.rng.integers(len(options)))] if options else None


def _calls(tree: Expression, *functions: str) -> list[Expression]:
    return [n for n in walk(tree) if isinstance(n, Call) and (not functions or n.function in functions)]


def _kind(p: Pieces, name: str) -> Input | None:
    return next((i for i in p.inputs if i.name == name), None)


def _insert_term(tree: Expression, p: Pieces) -> Changed:
    return _added(tree, p.term())


def _insert_inner_term(tree: Expression, p: Pieces) -> Changed:
    target = _choose(p, _calls(tree, "add"))
    return None if target is None else _swapped(tree, target, add(target, p.term()))


def _remove_term(tree: Expression, p: Pieces) -> Changed:
    target = _choose(p, _calls(tree, "add", "mul"))
    if not isinstance(target, Call) or len(target.arguments) < 2:
        return None
    gone = int(p.rng.integers(len(target.arguments)))
    kept = [a for i, a in enumerate(target.arguments) if i != gone]
    return _swapped(tree, target, add(*kept) if target.function == "add" else mul(*kept))


def _insert_factor(tree: Expression, p: Pieces) -> Changed:
    target = _choose(p, list(_terms(tree)))
    return None if target is None else _swapped(tree, target, mul(target, p.atom()))


def _replace_subtree(tree: Expression, p: Pieces) -> Changed:
    target = _choose(p, [n for n in _calls(tree) if n != tree])
    return None if target is None else _swapped(tree, target, p.atom() if p.rng.random() < 0.6 else p.term())


def _swap_power(tree: Expression, p: Pieces) -> Changed:
    """A power of an input becomes another function of it: saturating, shifted, logarithmic, ..."""
    names = {i.name for i in p.inputs}
    options = [
        n
        for n in _calls(tree, "pow", "log", "exp", "div", "sigmoid", "tanh")
        if len(names & set(symbols(n))) == 1 and len(symbols(n)) <= 3
    ]
    target = _choose(p, options)
    if target is None:
        return None
    kind = _kind(p, next(s for s in symbols(target) if s in names))
    return None if kind is None else _swapped(tree, target, p.atom(kind))


def _swap_input(tree: Expression, p: Pieces) -> Changed:
    used = [n for n in walk(tree) if isinstance(n, Symbol) and _kind(p, n.name)]
    target = _choose(p, list(used))
    if not isinstance(target, Symbol):
        return None
    here = _kind(p, target.name)
    other = p.other_input(here) if here else None
    if here is None or other is None or other.positive != here.positive:
        return None
    places = [n for n in _calls(tree) if isinstance(n, Call) and target in n.arguments]
    place = _choose(p, places)
    if not isinstance(place, Call):
        return None
    new = Call(place.function, tuple(Symbol(other.name) if a == target else a for a in place.arguments))
    return _swapped(tree, place, new)


def _enrich_input(tree: Expression, p: Pieces) -> Changed:
    """An input becomes a quantity made of it: shifted, or joined with another input."""
    places = [
        n
        for n in _calls(tree, "pow", "log", "exp", "div", "mul")
        if any(isinstance(a, Symbol) and (k := _kind(p, a.name)) and k.positive for a in n.arguments)  # type: ignore[union-attr]
    ]
    place = _choose(p, places)
    if not isinstance(place, Call):
        return None
    index = next(i for i, a in enumerate(place.arguments) if isinstance(a, Symbol) and _kind(p, a.name))
    x = place.arguments[index]
    assert isinstance(x, Symbol)
    here = _kind(p, x.name)
    other = p.other_input(here) if here else None
    if other is None or not other.positive or p.rng.random() < 0.4:
        new: Expression = add(x, p.fresh(POSITIVE))
    else:
        z = Symbol(other.name)
        roll = p.rng.random()
        if roll < 0.3:
            new = mul(x, Call("pow", (z, p.fresh())))
        elif roll < 0.5:
            new = Call("div", (x, z))
        elif roll < 0.7:
            new = add(x, mul(p.fresh(POSITIVE), z))
        else:
            new = mul(x, add(Number(1.0), mul(p.fresh(POSITIVE), Call("log", (z,)))))
    arguments = tuple(new if i == index else a for i, a in enumerate(place.arguments))
    return _swapped(tree, place, Call(place.function, arguments))


def _parameters(tree: Expression, p: Pieces) -> list[str]:
    inputs = {i.name for i in p.inputs}
    return [s for s in symbols(tree) if s not in inputs]


def _exponents(tree: Expression, p: Pieces) -> list[str]:
    own = set(_parameters(tree, p))
    return sorted({s for n in _calls(tree, "pow") for s in symbols(n.arguments[1]) if s in own})  # type: ignore[union-attr]


def _tie(tree: Expression, p: Pieces) -> Changed:
    """Two exponents become one."""
    names = _exponents(tree, p)
    if len(names) < 2:
        return None
    first, second = (names[int(i)] for i in p.rng.permutation(len(names))[:2])
    return rename(tree, {second: first})


def _untie(tree: Expression, p: Pieces) -> Changed:
    counts = Counter(n.name for n in walk(tree) if isinstance(n, Symbol))
    repeated = [s for s in _parameters(tree, p) if counts[s] > 1]
    name = _choose(p, [Symbol(s) for s in repeated])
    if not isinstance(name, Symbol):
        return None
    bound = p.bounds.get(name.name)
    return _swapped(tree, name, p.fresh(bound))


def _freeze(tree: Expression, p: Pieces) -> Changed:
    """An exponent becomes a simple number."""
    name = _choose(p, [Symbol(s) for s in _exponents(tree, p)])
    return None if name is None else _swapped(tree, name, Number((0.5, 1.0, 1.0 / 3.0, 2.0)[int(p.rng.integers(4))]))


def _free(tree: Expression, p: Pieces) -> Changed:
    """A number in an exponent becomes a parameter."""
    places = [n for n in _calls(tree, "pow") if isinstance(n.arguments[1], Number)]  # type: ignore[union-attr]
    place = _choose(p, places)
    if not isinstance(place, Call):
        return None
    return _swapped(tree, place, Call("pow", (place.arguments[0], p.fresh())))


def _wrap(tree: Expression, p: Pieces) -> Changed:
    """The target's transform changes: the law becomes exp, a power or the log of what it was, or stops being so."""
    roll = p.rng.random()
    if isinstance(tree, Call) and tree.function == "exp" and roll < 0.6:
        return tree.arguments[0]
    if roll < 0.5:
        return Call("exp", (tree,))
    if roll < 0.8:
        return add(p.fresh(), mul(p.fresh(), Call("pow", (tree, p.fresh()))))
    terms = list(_terms(tree))
    target = _choose(p, terms)
    return None if target is None else _swapped(tree, target, Call("log", (add(Number(1.0), target),)))


def _transform(tree: Expression, p: Pieces) -> Changed:
    """The law becomes its reciprocal, root or square, or loses its outermost function."""
    node = tree
    if isinstance(node, Call) and node.function == "add":  # below an offset and a factor, as `_wrap` leaves them
        whole = [a for a in node.arguments if isinstance(a, Call)]
        node = whole[0] if len(whole) == 1 else node
    if isinstance(node, Call) and node.function == "mul":
        outer = [a for a in node.arguments if isinstance(a, Call) and a.function in ("pow", "exp", "log")]
        node = outer[0] if len(outer) == 1 else node
    if isinstance(node, Call) and node.function in ("pow", "exp", "log") and p.rng.random() < 0.5:
        inner = node.arguments[0]
        return inner if isinstance(inner, Call) else None
    return Call("pow", (tree, Number((-1.0, 0.5, 2.0, -0.5)[int(p.rng.integers(4))])))


def _saturate(tree: Expression, p: Pieces) -> Changed:
    """A power of an input becomes one that levels off, or the other way round."""
    inputs = {i.name: i for i in p.inputs if i.positive}
    single = [n for n in _calls(tree) if len(set(symbols(n)) & set(inputs)) == 1 and len(symbols(n)) <= 3]
    powers = [n for n in single if isinstance(n, Call) and n.function == "pow" and isinstance(n.arguments[0], Symbol)]
    levelled = [n for n in single if _levels_off(n)]
    target = _choose(p, [*powers, *levelled])
    if target is None:
        return None
    x = Symbol(next(name for name in symbols(target) if name in inputs))
    if target in levelled:
        return _swapped(tree, target, Call("pow", (x, neg(p.fresh()))))
    ratio, roll = Call("div", (x, p.fresh(POSITIVE))), p.rng.random()
    if roll < 0.35:
        new: Expression = Call("sub", (ONE, Call("exp", (neg(ratio),))))
    elif roll < 0.7:
        new = Call("div", (ONE, add(p.fresh(POSITIVE), Call("pow", (x, p.fresh())))))
    else:
        new = Call("exp", (neg(Call("pow", (ratio, p.fresh(POSITIVE)))),))
    return _swapped(tree, target, new)


def _levels_off(node: Expression) -> bool:
    """Whether a tree is 1 - exp(...), 1/(k + ...) or exp(-...), as `_saturate` writes them."""
    if not isinstance(node, Call):
        return False
    last = node.arguments[-1]
    if node.function in ("sub", "div"):
        return node.arguments[0] == ONE and isinstance(last, Call) and last.function in ("exp", "add")
    return node.function == "exp" and isinstance(last, Call) and last.function == "neg"


_LADDER = (-2.0, -1.0, -0.5, -1.0 / 3.0, 1.0 / 3.0, 0.5, 1.0, 2.0)
_TWINS = {"min": "max", "max": "min", "tanh": "sigmoid", "sigmoid": "tanh", "div": "mul", "log": "sqrt", "sqrt": "log"}


def _point(tree: Expression, p: Pieces) -> Changed:
    """One node changes: a fixed exponent to the next simple number, a function to its like."""
    options = [
        n
        for n in _calls(tree)
        if isinstance(n, Call)
        and (n.function in _TWINS or (n.function == "pow" and n.arguments[1] in [Number(v) for v in _LADDER]))
    ]
    target = _choose(p, options)
    if not isinstance(target, Call):
        return None
    if target.function in _TWINS:
        twin = _TWINS[target.function]
        return _swapped(tree, target, mul(*target.arguments) if twin == "mul" else Call(twin, target.arguments))
    exponent = target.arguments[1]
    assert isinstance(exponent, Number)
    place = _LADDER.index(exponent.value) + (1 if p.rng.random() < 0.5 else -1)
    value = _LADDER[min(max(place, 0), len(_LADDER) - 1)]
    base = target.arguments[0]
    return _swapped(tree, target, base if value == 1.0 else Call("pow", (base, Number(value))))


def _drift(tree: Expression, p: Pieces) -> Changed:
    """An exponent starts to drift with the logarithm of an input."""
    name = _choose(p, [Symbol(s) for s in _exponents(tree, p)])
    positive = [i for i in p.inputs if i.positive]
    if name is None or not positive:
        return None
    x = positive[int(p.rng.integers(len(positive)))]
    return _swapped(tree, name, add(name, mul(p.fresh(), Call("log", (Symbol(x.name),)))))


def _offset(tree: Expression, p: Pieces) -> Changed:
    return add(p.fresh(), tree)


_EDITS: dict[str, tuple[float, Callable[[Expression, Pieces], Changed]]] = {
    "insert term": (3.0, _insert_term),
    "insert inner term": (1.0, _insert_inner_term),
    "remove term": (3.0, _remove_term),
    "insert factor": (2.0, _insert_factor),
    "replace subtree": (2.0, _replace_subtree),
    "swap function": (2.5, _swap_power),
    "swap input": (1.0, _swap_input),
    "enrich input": (2.0, _enrich_input),
    "tie exponents": (0.7, _tie),
    "untie": (0.5, _untie),
    "freeze exponent": (0.7, _freeze),
    "free exponent": (0.7, _free),
    "wrap": (0.8, _wrap),
    "transform": (0.6, _transform),
    "saturate": (1.0, _saturate),
    "point": (0.7, _point),
    "drift": (1.0, _drift),
    "offset": (0.4, _offset),
}

__all__ = ["cross", "mutate"]
