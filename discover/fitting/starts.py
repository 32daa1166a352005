"""Where a fit begins: random parameters of the size that the formula and the data ask for.

A parameter's place tells its scale: beside an input in a sum it is about as large as that input; times an input
inside an exponential it is about one over the input; an exponent is of order one. Each start looks at a random
row of its cell, so that the scales differ from start to start. Nobody has to give units or guesses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from discover.law.compiler import evaluate
from discover.law.expression import Call, Expression, Number, Symbol, symbols

_TINY, _HUGE = 1e-280, 1e280


def draw_starts(
    expressions: Sequence[Expression],
    parameters: Sequence[str],
    bounds: Mapping[str, tuple[float, float]],
    inputs: Mapping[str, np.ndarray],
    wants: Sequence[np.ndarray | None],
    shape: tuple[int, ...],
    rng: np.random.Generator,
    known: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """Random values of `parameters`.

    Args:
        expressions: Where the parameters occur; other names than inputs and parameters may not.
        inputs: name -> `shape`, the row that each draw looks at.
        wants: The magnitude that each expression should have, `shape`; None where any will do.
        shape: (start, cell).
        known: Values, `shape`, of the parameters that are not to be drawn: the others are drawn to suit them.

    Returns:
        (*shape, parameter), inside the bounds.
    """
    known = known or {}
    sampler = _Sampler({**inputs, **known}, set(parameters) - set(known), bounds, shape, rng)
    for expression, want in zip(expressions, wants, strict=True):
        sampler.settle(expression, want)
    for name in parameters:
        if name in sampler.unknown:
            sampler.choose(name, sampler.log_uniform(0.05, 2.0))
    return np.stack([sampler.values[name] for name in parameters], axis=-1) if parameters else np.zeros((*shape, 0))


class _Sampler:
    def __init__(
        self,
        values: dict[str, np.ndarray],
        unknown: set[str],
        bounds: Mapping[str, tuple[float, float]],
        shape: tuple[int, ...],
        rng: np.random.Generator,
    ) -> None:
        self.values, self.unknown, self.bounds, self.shape, self.rng = values, unknown, bounds, shape, rng

    def log_uniform(self, low: float, high: float) -> np.ndarray:
        return np.exp(self.rng.uniform(np.log(low), np.log(high), self.shape))

    def choose(self, name: str, magnitude: np.ndarray, negative: float = 0.15) -> None:
        """Fixes a parameter at about `magnitude`, negative with the given probability where its bounds allow."""
        lower, upper = self.bounds.get(name, (-np.inf, np.inf))
        value = np.clip(magnitude, _TINY, _HUGE)
        value = np.where(self.rng.random(self.shape) < negative, -value, value)
        if np.isfinite(lower) and np.isfinite(upper):
            inside = self.rng.uniform(lower + 0.02 * (upper - lower), upper - 0.02 * (upper - lower), self.shape)
            value = np.where((value > lower) & (value < upper), value, inside)
        elif np.isfinite(lower):
            value = np.where(value > lower, value, lower + np.maximum(np.abs(value), 1e-3 * (1.0 + abs(lower))))
        elif np.isfinite(upper):
            value = np.where(value < upper, value, upper - np.maximum(np.abs(value), 1e-3 * (1.0 + abs(upper))))
        self.values[name] = value
        self.unknown.discard(name)

    def _open(self, node: Expression) -> bool:
        return any(name in self.unknown for name in symbols(node))

    def _magnitude(self, node: Expression) -> np.ndarray:
        value = np.abs(np.broadcast_to(evaluate(node, self.values), self.shape))
        return np.clip(np.nan_to_num(value, nan=1.0, posinf=_HUGE, neginf=_HUGE), _TINY, _HUGE)

    def settle(self, node: Expression, want: np.ndarray | None) -> None:
        """Chooses the unknown parameters below `node` so that it is of magnitude `want`."""
        if not self._open(node):
            return
        if isinstance(node, Symbol):
            near = want if want is not None else self.log_uniform(0.05, 2.0)
            self.choose(node.name, near * self.log_uniform(0.3, 3.0))
            return
        if isinstance(node, Number):
            return
        name = node.function
        if name in ("add", "sub", "min", "max"):
            self._settle_sum(node, want)
        elif name in ("mul", "div"):
            self._settle_product(node, want)
        elif name == "neg":
            self.settle(node.arguments[0], want)
        elif name == "pow":
            self._settle_power(*node.arguments)
        elif name in ("exp", "expm1"):
            inner = np.maximum(np.abs(np.log(want)), 0.1) if want is not None else self.log_uniform(0.1, 5.0)
            self.settle(node.arguments[0], inner)
        elif name in ("log", "log10", "log2", "log1p"):
            # log is flat: an argument of the size of a sibling term, or anything within a few decades.
            self.settle(
                node.arguments[0], self.log_uniform(0.03, 100.0) if want is None else np.exp(np.clip(want, 0.01, 50.0))
            )
        else:
            self.settle(node.arguments[0], self.log_uniform(0.1, 3.0))

    def _settle_sum(self, node: Call, want: np.ndarray | None) -> None:
        known = [self._magnitude(a) for a in node.arguments if not self._open(a)]
        size = np.maximum.reduce(known) if known else want
        if size is not None:  # a sum of zeros tells no scale
            size = np.where(size > 2.0 * _TINY, size, self.log_uniform(0.1, 5.0) if want is None else want)
        for argument in node.arguments:
            if self._open(argument):
                if size is None:
                    self.settle(argument, None)
                else:
                    self.settle(argument, size * self.log_uniform(0.02, 20.0))
                size = self._magnitude(argument) if size is None else size

    def _settle_product(self, node: Call, want: np.ndarray | None) -> None:
        rest = want if want is not None else self.log_uniform(0.1, 5.0)
        unknown = []
        for index, argument in enumerate(node.arguments):
            below = node.function == "div" and index == 1
            if self._open(argument):
                unknown.append((argument, below))
            else:
                size = self._magnitude(argument)
                rest = rest * size if below else rest / size
        # Exponents and the like first; the last bare parameter takes up what is missing.
        unknown.sort(key=lambda pair: isinstance(pair[0], Symbol))
        for argument, below in unknown[:-1]:
            self.settle(argument, None)
            size = self._magnitude(argument)
            rest = rest * size if below else rest / size
        argument, below = unknown[-1]
        rest = np.clip(rest, _TINY, _HUGE)
        self.settle(argument, 1.0 / rest if below else rest)

    def _settle_power(self, base: Expression, exponent: Expression) -> None:
        if self._open(exponent):
            if isinstance(exponent, Symbol):
                self.choose(exponent.name, self.log_uniform(0.03, 2.0))
            else:
                self.settle(exponent, self.log_uniform(0.03, 2.0))
        if self._open(base):
            is_sum = isinstance(base, Call) and base.function in ("add", "sub")
            self.settle(base, None if is_sum else self.log_uniform(0.01, 100.0))
