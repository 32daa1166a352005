"""Families: plain laws first, then random ones of the shapes that the field uses; nothing learned from the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from discover.law.expression import Call, Expression, Number, Symbol, add, mul, neg, symbols
from discover.proposers.pieces import POSITIVE, Input, Pieces

_SHAPES = {
    "sum": 5.0,
    "product": 2.0,
    "outer power": 1.5,
    "log linear": 2.0,
    "log quadratic": 1.2,
    "moving exponent": 1.2,
    "joint": 1.5,
    "bowl": 0.8,
    "logistic": 0.8,
}


def random_expression(
    inputs: list[Input], cap: int, rng: np.random.Generator, tries: int = 40
) -> tuple[Expression, Pieces]:
    """A random law within `cap` parameters, most often one that reads all inputs, with its pieces."""
    best: tuple[Expression, Pieces] | None = None
    want_all = rng.random() < 0.8
    for _ in range(tries):
        pieces = Pieces(inputs, rng)
        expression = _shape(pieces, cap)
        names = symbols(expression)
        read = {i.name for i in inputs} & set(names)
        if not read or len(names) - len(read) > cap or len(names) == len(read):
            continue
        best = (expression, pieces)
        if not want_all or len(read) == len(inputs) or len(inputs) > cap:
            break
    if best is None:
        pieces = Pieces(inputs[:1], rng)
        best = (add(pieces.fresh(), mul(pieces.fresh(), Symbol(inputs[0].name))), pieces)
    return best


def opening_expressions(inputs: list[Input], cap: int) -> Iterator[tuple[Expression, Pieces]]:
    """The plainest laws over all inputs, within the cap: what a search should not have to wait for.

    Sums of powers, products of powers and powers of sums, with and without a floor, and response surfaces (Box and
    Wilson 1951) in the inputs' logarithms: linear, quadratic without and with cross terms, for the target and for its
    logarithm, and with a product of powers added, which takes up what leaves the surface on one side only. Between a
    floor and a ceiling: the logistic function of such a surface, as shares of right answers go (Ruan et al. 2024,
    arXiv 2405.10938).
    """
    positive = [i for i in inputs if i.positive]
    x = [_coordinate(i) for i in inputs]
    squares: list[Expression] = [Call("pow", (c, Number(2.0))) for c in x]
    crossed: list[Expression] = [mul(x[i], x[j]) for i in range(len(x)) for j in range(i)]

    def surface(p: Pieces, terms: list[Expression]) -> Expression:
        return add(p.fresh(), *(mul(p.fresh(), term) for term in terms))

    def powers(p: Pieces, chosen: list[Input]) -> list[Expression]:
        return [mul(p.fresh(), Call("pow", (Symbol(i.name), neg(p.fresh())))) for i in chosen]

    def product(p: Pieces) -> Expression:
        return mul(p.fresh(), *(Call("pow", (Symbol(i.name), p.fresh())) for i in positive))

    def between(p: Pieces, inner: Expression) -> Expression:
        return add(p.fresh(), mul(p.fresh(), Call("sigmoid", (inner,))))

    def positive_sum(p: Pieces) -> Expression:
        return add(*(mul(p.fresh(POSITIVE), Call("pow", (Symbol(i.name), neg(p.fresh())))) for i in positive))

    builders: list[Callable[[Pieces], Expression]] = [
        lambda p: surface(p, x),
        lambda p: Call("exp", (surface(p, x),)),
        lambda p: add(p.fresh(), Call("exp", (surface(p, x),))),
        lambda p: surface(p, x + squares),
        lambda p: Call("exp", (surface(p, x + squares),)),
        lambda p: surface(p, x + squares + crossed),
        lambda p: Call("exp", (surface(p, x + squares + crossed),)),
        lambda p: surface(p, x + crossed),
        lambda p: Call("exp", (surface(p, x + crossed),)),
        lambda p: between(p, surface(p, x)),
        lambda p: between(p, surface(p, x + crossed)),
    ]
    if positive:
        builders += [
            lambda p: add(p.fresh(), *powers(p, positive)),
            lambda p: add(p.fresh(), *powers(p, positive[:1])),
            lambda p: Call("exp", (add(p.fresh(), *powers(p, positive)),)),
            lambda p: add(p.fresh(), product(p)),
            product,
        ]
    if len(positive) > 1:
        builders += [
            lambda p: Call("pow", (positive_sum(p), p.fresh())),
            lambda p: add(p.fresh(), Call("pow", (positive_sum(p), p.fresh()))),
            lambda p: add(p.fresh(), *powers(p, positive), product(p)),
            lambda p: add(Call("exp", (surface(p, x + squares),)), product(p)),
            lambda p: add(Call("exp", (surface(p, x + squares + crossed),)), product(p)),
            lambda p: add(p.fresh(), Call("exp", (surface(p, x + squares + crossed),)), product(p)),
        ]
    for build in builders:
        pieces = Pieces(inputs, np.random.default_rng(0))
        expression = build(pieces)
        if len(symbols(expression)) - len({i.name for i in inputs} & set(symbols(expression))) <= cap:
            yield expression, pieces


def _shape(p: Pieces, cap: int) -> Expression:
    weights = dict(_SHAPES)
    positive = [i for i in p.inputs if i.positive]
    if not positive:
        for name in ("moving exponent", "joint", "log quadratic", "bowl"):
            weights.pop(name)
        weights["polynomial"] = 1.0
    if len(p.inputs) < 2:
        weights.pop("moving exponent", None)
        weights.pop("joint", None)
    return _BUILDERS[p.pick(weights)](p, cap)


def _sum(p: Pieces, cap: int) -> Expression:
    number = 1 + int(p.rng.integers(max(min(len(p.inputs) + 1, 4), 1)))
    terms: list[Expression] = [p.term() for _ in range(number)]
    if p.rng.random() < 0.9:
        terms.insert(0, p.fresh())
    return add(*terms)


def _product(p: Pieces, cap: int) -> Expression:
    chosen = p.rng.permutation(len(p.inputs))[: 1 + int(p.rng.integers(len(p.inputs)))]
    body = mul(p.fresh(), *(p.atom(p.inputs[int(i)]) for i in chosen))
    return add(p.fresh(), body) if p.rng.random() < 0.7 else body


def _inner_sum(p: Pieces) -> Expression:
    """A sum of terms that stays positive where its factors are: what an outer power acts on."""
    terms = []
    for i in p.rng.permutation(len(p.inputs))[: 1 + int(p.rng.integers(min(len(p.inputs), 3)))]:
        terms.append(mul(p.fresh((0.0, float("inf"))), p.atom(p.inputs[int(i)])))
    if p.rng.random() < 0.5:
        terms.append(p.fresh((0.0, float("inf"))))
    return add(*terms)


def _outer_power(p: Pieces, cap: int) -> Expression:
    exponent = p.fresh() if p.rng.random() < 0.7 else Number((0.5, 2.0, -1.0, -0.5)[int(p.rng.integers(4))])
    body: Expression = Call("pow", (_inner_sum(p), exponent))
    if p.rng.random() < 0.5:
        body = mul(p.fresh(), body)
    return add(p.fresh(), body) if p.rng.random() < 0.7 else body


def _log_linear(p: Pieces, cap: int) -> Expression:
    number = 1 + int(p.rng.integers(max(min(len(p.inputs) + 1, 4), 1)))
    inner = add(p.fresh(), *(p.term() for _ in range(number)))
    body = Call("exp", (inner,))
    return add(p.fresh(), body) if p.rng.random() < 0.4 else body


def _coordinate(x: Input) -> Expression:
    return Call("log", (Symbol(x.name),)) if x.positive else Symbol(x.name)


def _log_quadratic(p: Pieces, cap: int) -> Expression:
    """Some of the terms of a quadratic form in the inputs' logarithms."""
    x = [_coordinate(i) for i in p.inputs]
    terms: list[Expression] = list(x) if p.rng.random() < 0.7 else [c for c in x if p.rng.random() < 0.7]
    pairs: list[Expression] = [
        Call("pow", (x[i], Number(2.0))) if i == j else mul(x[i], x[j]) for i in range(len(x)) for j in range(i + 1)
    ]
    room = max(cap - len(terms) - 1, 0)
    density = p.rng.uniform(0.2, 1.0)
    chosen = [pair for pair in pairs if p.rng.random() < density]
    for index in p.rng.permutation(len(chosen))[:room]:
        terms.append(chosen[int(index)])
    body = add(p.fresh(), *(mul(p.fresh(), term) for term in terms))
    return Call("exp", (body,)) if p.rng.random() < 0.4 else body


def _moving_exponent(p: Pieces, cap: int) -> Expression:
    """A power of one input whose exponent drifts with the logarithm of another."""
    positive = [i for i in p.inputs if i.positive]
    if len(positive) < 2:
        return _sum(p, cap)
    x, z = (positive[int(i)] for i in p.rng.permutation(len(positive))[:2])
    exponent = add(p.fresh(), mul(p.fresh(), Call("log", (Symbol(z.name),))))
    body: Expression = mul(p.fresh(), Call("pow", (Symbol(x.name), exponent)))
    if p.rng.random() < 0.6:
        body = mul(body, Call("pow", (Symbol(z.name), p.fresh())))
    parts = [body]
    if p.rng.random() < 0.3:
        parts.append(p.term())
    return add(p.fresh(), *parts) if p.rng.random() < 0.7 else add(*parts)


def _joint(p: Pieces, cap: int) -> Expression:
    """A law in two inputs joined into one quantity, with terms in the rest."""
    joined = p.composite()
    if joined is None:
        return _sum(p, cap)
    terms: list[Expression] = [p.fresh(), mul(p.fresh(), p.atom(joined[1], joined[0]))]
    if p.rng.random() < 0.6:
        terms.append(p.term())
    return add(*terms)


def _bowl(p: Pieces, cap: int) -> Expression:
    """A square around an optimum that moves with the other inputs, on top of a sum."""
    positive = [i for i in p.inputs if i.positive]
    if not positive:
        return _sum(p, cap)
    x = positive[int(p.rng.integers(len(positive)))]
    others = [i for i in positive if i.name != x.name]
    centre: list[Expression] = [p.fresh()]
    for other in others:
        if p.rng.random() < 0.6:
            centre.append(mul(p.fresh(), Call("log", (Symbol(other.name),))))
    gap = Call("sub", (Call("log", (Symbol(x.name),)), add(*centre)))
    bowl = mul(p.fresh(), Call("pow", (gap, Number(2.0))))
    rest = [mul(p.fresh(), p.atom(other)) for other in others if p.rng.random() < 0.7]
    return add(p.fresh(), *rest, bowl)


def _logistic(p: Pieces, cap: int) -> Expression:
    """A rise between a floor and a ceiling, by the inputs' logarithms and perhaps a product of two of them."""
    x = [_coordinate(i) for i in p.inputs]
    chosen = [x[int(i)] for i in p.rng.permutation(len(x))[: 1 + int(p.rng.integers(len(x)))]]
    if len(x) > 1 and p.rng.random() < 0.4:
        one, other = (x[int(i)] for i in p.rng.permutation(len(x))[:2])
        chosen.append(mul(one, other))
    body = Call("sigmoid", (add(p.fresh(), *(mul(p.fresh(), term) for term in chosen)),))
    return add(p.fresh(), mul(p.fresh(), body)) if p.rng.random() < 0.7 else mul(p.fresh(), body)


def _polynomial(p: Pieces, cap: int) -> Expression:
    x = p.any_input()
    degree = 1 + int(p.rng.integers(min(4, max(cap - 1, 1))))
    terms: list[Expression] = [p.fresh()]
    for k in range(1, degree + 1):
        terms.append(mul(p.fresh(), Symbol(x.name) if k == 1 else Call("pow", (Symbol(x.name), Number(float(k))))))
    return add(*terms)


_BUILDERS = {
    "sum": _sum,
    "product": _product,
    "outer power": _outer_power,
    "log linear": _log_linear,
    "log quadratic": _log_quadratic,
    "moving exponent": _moving_exponent,
    "joint": _joint,
    "bowl": _bowl,
    "logistic": _logistic,
    "polynomial": _polynomial,
}

__all__ = ["opening_expressions", "random_expression"]
