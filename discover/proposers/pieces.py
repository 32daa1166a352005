"""The pieces that laws of this field are made of: random trees over a task's inputs.

In: columns and a source of randomness. Out: expressions with fresh parameter names and the bounds some of them need.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from discover.law.expression import ONE, Call, Expression, Number, Symbol, add, mul, neg

POSITIVE = (0.0, math.inf)


@dataclass(frozen=True)
class Input:
    """An input as the pieces see it: whether it is positive throughout (powers of it are defined)."""

    name: str
    positive: bool
    touches_zero: bool = False


@dataclass
class Pieces:
    """A bag of parameter names for one law in the making.

    Attributes:
        bounds: Of the parameters that have some.
        known: Values (cell,) of the parameters that were fitted in another law.
    """

    inputs: Sequence[Input]
    rng: np.random.Generator
    bounds: dict[str, tuple[float, float]] = field(default_factory=dict)
    known: dict[str, np.ndarray] = field(default_factory=dict)
    _count: int = 0

    def fresh(self, bound: tuple[float, float] | None = None) -> Symbol:
        """A parameter not used before."""
        self._count += 1
        name = f"new{self._count}"
        if bound is not None:
            self.bounds[name] = bound
        return Symbol(name)

    def pick(self, weights: dict[str, float]) -> str:
        names = list(weights)
        p = np.array([weights[n] for n in names])
        return names[int(self.rng.choice(len(names), p=p / p.sum()))]

    def any_input(self) -> Input:
        return self.inputs[int(self.rng.integers(len(self.inputs)))]

    def other_input(self, than: Input) -> Input | None:
        others = [i for i in self.inputs if i.name != than.name]
        return others[int(self.rng.integers(len(others)))] if others else None

    def atom(self, x: Input | None = None, subject: Expression | None = None) -> Expression:
        """One factor in an input (or in `subject`, an expression of the same kind): at most two parameters."""
        x = x or self.any_input()
        s = subject if subject is not None else Symbol(x.name)
        if not x.positive:
            return self._linear_atom(s, x)
        kind = self.pick(
            {
                "power": 6.0,
                "log": 1.5,
                "shifted": 1.5,
                "hill": 0.8,
                "exp": 0.5,
                "saturating": 0.6,
                "fixed": 0.6,
                "log square": 0.4,
                "shifted log": 0.4,
                "stretched": 0.3,
            }
        )
        if kind == "power":
            return Call("pow", (s, neg(self.fresh())))
        if kind == "log":
            return Call("log", (s,))
        if kind == "shifted":
            return Call("pow", (add(s, self.fresh(POSITIVE)), neg(self.fresh())))
        if kind == "hill":
            return Call("div", (ONE, add(self.fresh(POSITIVE), Call("pow", (s, self.fresh())))))
        if kind == "exp":
            return Call("exp", (neg(mul(self.fresh(), s)),))
        if kind == "saturating":
            return Call("sub", (ONE, Call("exp", (neg(Call("div", (s, self.fresh(POSITIVE)))),))))
        if kind == "fixed":
            exponent = (-1.0, -0.5, 0.5, 1.0, -2.0, -1.0 / 3.0)[int(self.rng.integers(6))]
            return s if exponent == 1.0 else Call("pow", (s, Number(exponent)))
        if kind == "log square":
            return Call("pow", (Call("log", (s,)), Number(2.0)))
        if kind == "shifted log":
            return Call("log", (add(s, self.fresh(POSITIVE)),))
        return Call("exp", (neg(Call("pow", (Call("div", (s, self.fresh(POSITIVE))), self.fresh(POSITIVE)))),))

    def _linear_atom(self, s: Expression, x: Input) -> Expression:
        kinds = {"linear": 3.0, "square": 1.5, "exp": 2.5, "sigmoid": 1.5, "tanh": 0.7, "bell": 0.8, "fixed exp": 0.5}
        if x.touches_zero:
            kinds |= {"root": 1.5, "shifted": 2.0, "shifted log": 1.5, "sigmoid": 0.4, "bell": 0.2}
        else:
            kinds |= {"cube": 0.5}
        kind = self.pick(kinds)
        if kind == "linear":
            return s
        if kind == "square":
            return Call("pow", (s, Number(2.0)))
        if kind == "cube":
            return Call("pow", (s, Number(3.0)))
        if kind == "exp":
            return Call("exp", (mul(self.fresh(), s),))
        if kind == "fixed exp":
            return Call("exp", (neg(s),))
        if kind == "sigmoid":
            return Call("sigmoid", (mul(self.fresh(), Call("sub", (s, self.fresh()))),))
        if kind == "tanh":
            return Call("tanh", (mul(self.fresh(), s),))
        if kind == "bell":
            square = Call("pow", (Call("sub", (s, self.fresh())), Number(2.0)))
            return Call("exp", (neg(Call("div", (square, self.fresh(POSITIVE)))),))
        if kind == "root":
            return Call("pow", (s, self.fresh(POSITIVE)))
        if kind == "shifted":
            return Call("pow", (add(s, self.fresh(POSITIVE)), neg(self.fresh())))
        return Call("log", (add(s, self.fresh(POSITIVE)),))

    def composite(self) -> tuple[Expression, Input] | None:
        """Two positive inputs joined into one quantity: a ratio, a product with a power, an effective size."""
        positive = [i for i in self.inputs if i.positive]
        if len(positive) < 2:
            return None
        first, second = (positive[int(i)] for i in self.rng.permutation(len(positive))[:2])
        x, z = Symbol(first.name), Symbol(second.name)
        kind = self.pick(
            {"ratio": 1.5, "power product": 1.5, "sum": 0.7, "bounded": 1.2, "log growth": 1.0, "smallest": 0.3}
        )
        if kind == "ratio":
            joined: Expression = Call("div", (x, z))
        elif kind == "power product":
            joined = mul(x, Call("pow", (z, self.fresh())))
        elif kind == "sum":
            joined = add(x, mul(self.fresh(POSITIVE), z))
        elif kind == "bounded":  # what repetition is worth: it saturates at k times the unique amount
            k = self.fresh(POSITIVE)
            ratio = Call("div", (x, mul(k, z)))
            joined = mul(k, z, Call("sub", (ONE, Call("exp", (neg(ratio),)))))
        elif kind == "log growth":
            joined = mul(x, add(ONE, mul(self.fresh(POSITIVE), Call("log", (z,)))))
        else:
            joined = Call("min", (x, mul(self.fresh(POSITIVE), z)))
        return joined, Input(first.name, True)

    def term(self) -> Expression:
        """A factor times one to three atoms."""
        factors: list[Expression] = []
        if self.rng.random() < 0.2 and (joined := self.composite()):
            factors.append(self.atom(joined[1], joined[0]))
        number = 1 + int(self.rng.random() < 0.35) + int(self.rng.random() < 0.08)
        chosen = self.rng.permutation(len(self.inputs))[: number - len(factors)]
        factors.extend(self.atom(self.inputs[int(i)]) for i in chosen)
        return mul(self.fresh(), *factors)
