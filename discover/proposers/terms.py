"""A fixed library of terms: what a law might lack, with a few trial values of what is not linear in a term.

In: a task's inputs and training rows. Out: `Term`s, the kinds of `pieces` laid out on a grid. Stays out: chance, laws.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from discover.law.complexity import complexity
from discover.law.expression import ONE, Call, Expression, Number, Symbol, add, mul, neg, rename
from discover.proposers.pieces import POSITIVE, Input
from discover.task import Rows

_EXPONENTS = (0.15, 0.35, 0.7, 1.0, 2.0, -0.3, -0.6)  # of x**-exponent
_IN_PRODUCTS = (0.35, 1.0, -0.3)
_PLACES = (0.2, 0.5, 0.8)  # quantiles of an input at which a term may bend


@dataclass(frozen=True)
class Term:
    """One term as it is screened.

    Attributes:
        expression: In the inputs, and in parameters named as no law names its own.
        trial: The parameters' values under which it is looked at; it is proposed with them free.
        bounds: Of the parameters that need them.
    """

    expression: Expression
    trial: dict[str, float] = field(default_factory=dict)
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def complexity(self) -> int:
        return complexity(self.expression)


def library(inputs: list[Input], rows: Rows) -> list[Term]:
    """Powers, logarithms, saturating and bowl-shaped functions of each input, and products over pairs of inputs."""
    found: list[Term] = []
    simple: dict[str, list[Term]] = {}
    for x in inputs:
        own = _of_positive(x.name, rows) if x.positive else _of_any(x, rows)
        found += own
        simple[x.name] = [t for t in own if _is_simple(t)]
    for index, second in enumerate(inputs):
        for first in inputs[:index]:
            found += [_product(a, b) for a in simple[first.name] for b in simple[second.name]]
            if first.positive and second.positive:
                ratio = Call("div", (Symbol(first.name), Symbol(second.name)))
                found.append(Term(ratio))
                found += [
                    Term(Call("pow", (ratio, Symbol("screened_exponent"))), {"screened_exponent": e})
                    for e in (-1.0, -0.35, 0.35)
                ]
    return found


def _bends(column: np.ndarray) -> list[float]:
    return list(dict.fromkeys(float(q) for q in np.quantile(column, _PLACES)))


def _of_positive(name: str, rows: Rows) -> list[Term]:
    s, k, centre = Symbol(name), Symbol("screened_scale"), Symbol("screened_centre")
    log, exponent = Call("log", (s,)), Symbol("screened_exponent")
    found = [
        Term(log),
        Term(s),
        Term(Call("pow", (s, Number(-1.0)))),
        Term(Call("pow", (s, Number(0.5)))),
        Term(Call("pow", (log, Number(2.0)))),
    ]
    found += [Term(Call("pow", (s, neg(exponent))), {exponent.name: value}) for value in _EXPONENTS]
    for value in _bends(rows.column(name)):
        saturating = Call("sub", (ONE, Call("exp", (neg(Call("div", (s, k))),))))
        hyperbola = Call("div", (ONE, add(s, k)))
        found += [
            Term(e, {k.name: value}, {k.name: POSITIVE}) for e in (saturating, hyperbola, Call("log", (add(s, k),)))
        ]
        bowl = Call("pow", (Call("sub", (log, centre)), Number(2.0)))
        found.append(Term(bowl, {centre.name: float(np.log(value))}))
    return found


def _of_any(x: Input, rows: Rows) -> list[Term]:
    s, k, rate, centre = (Symbol(n) for n in (x.name, "screened_scale", "screened_rate", "screened_centre"))
    column = rows.column(x.name)
    width = float(column.std()) or 1.0
    found = [Term(s), Term(Call("pow", (s, Number(2.0))))]
    found += [Term(Call("exp", (mul(rate, s),)), {rate.name: r / width}) for r in (-2.0, -0.7, 0.7, 2.0)]
    for value in _bends(column):
        gap = Call("sub", (s, centre))
        found.append(Term(Call("pow", (gap, Number(2.0))), {centre.name: value}))
        found.append(Term(Call("sigmoid", (mul(rate, gap),)), {rate.name: 2.0 / width, centre.name: value}))
    if x.touches_zero:
        root = Symbol("screened_exponent")
        found += [Term(Call("pow", (s, root)), {root.name: e}, {root.name: POSITIVE}) for e in (0.3, 0.6)]
        found += [
            Term(Call("log", (add(s, k),)), {k.name: value}, {k.name: POSITIVE}) for value in (0.1 * width, width)
        ]
    return found


def _is_simple(term: Term) -> bool:
    """Whether a term is worth a product with another: the input itself, its logarithm, some of its powers."""
    node = term.expression
    if isinstance(node, Symbol) or (isinstance(node, Call) and node.function == "log" and not term.trial):
        return True
    return tuple(term.trial) == ("screened_exponent",) and next(iter(term.trial.values())) in _IN_PRODUCTS


def _product(one: Term, other: Term) -> Term:
    names = {name: f"{name}_other" for name in other.trial}
    expression = mul(one.expression, rename(other.expression, names))
    trial = one.trial | {names[name]: value for name, value in other.trial.items()}
    return Term(expression, trial, one.bounds | {names[name]: bound for name, bound in other.bounds.items()})


__all__ = ["Term", "library"]
