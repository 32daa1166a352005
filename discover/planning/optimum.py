"""The best inputs of one law: a smooth problem in a few dimensions, solved with exact gradients.

SciPy's SLSQP from several starts finds the basin; a root of the Lagrange conditions then gives all digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from discover.errors import DiscoverError
from discover.law import Expression, Law
from discover.law.compiler import Tape
from discover.planning.question import Question

_STARTS = 16
_AT_BOUND = 1e-6  # of the searched width
_TIGHT = 1e-5  # of the logarithm of the cost
_POLISHED = 0.05  # of the searched width: a root further away belongs to another solution
_PROBED = 64  # random places at which the price of the cheapest run is looked for


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best place.

    Attributes:
        values: (free,) of the question's free inputs.
        target: What the law gives there.
        cost: There; NaN without a budget.
        at_bounds: Free inputs that ended where the search ends.
        converged: Whether the conditions of an optimum hold.
    """

    values: np.ndarray
    target: float
    cost: float
    at_bounds: tuple[str, ...]
    converged: bool


class Surface:
    """An expression over free inputs, the rest fixed: values and exact gradients."""

    def __init__(self, expression: Expression, free: Sequence[str], fixed: Mapping[str, float]) -> None:
        self._tape = Tape([expression], tuple(fixed), tuple(free))
        self._bound = self._tape.bind({name: np.array([[value]]) for name, value in fixed.items()})

    def __call__(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient (free,) at (free,)."""
        out = self._tape.outputs[0]
        with np.errstate(all="ignore"):
            slots = self._bound.forward(values[None])
            slopes = self._bound.backward(slots, {out: 1.0})
        value = float(np.broadcast_to(slots[out], (1, 1))[0, 0])
        return value, np.array([float(np.broadcast_to(slope, (1, 1))[0, 0]) for slope in slopes])


class _Problem:
    """The question for one set of parameters, in coordinates from 0 to 1."""

    def __init__(self, question: Question, law: Law, parameters: np.ndarray) -> None:
        self.question = question
        self.logs = np.array(question.logs)
        ends = np.array(question.bounds, dtype=float)
        self.low = np.where(self.logs, np.log(np.where(self.logs, ends[:, 0], 1.0)), ends[:, 0])
        high = np.where(self.logs, np.log(np.where(self.logs, ends[:, 1], 1.0)), ends[:, 1])
        self.width = high - self.low
        fixed = {**question.at, **dict(zip(law.parameters, map(float, parameters), strict=True))}
        self.law = Surface(law.expression, question.over, fixed)
        self.sign = -1.0 if question.task.higher_is_better else 1.0
        spread = float(np.std(question.task.training.target))
        self.scale = self.sign / (spread or 1.0)
        self.cost = None if question.cost is None else Surface(question.cost, question.over, dict(question.at))

    def values(self, place: np.ndarray) -> np.ndarray:
        inner = self.low + self.width * place
        return np.where(self.logs, np.exp(np.where(self.logs, inner, 0.0)), inner)

    def _slope(self, values: np.ndarray) -> np.ndarray:
        return np.where(self.logs, values, 1.0) * self.width

    def objective(self, place: np.ndarray) -> tuple[float, np.ndarray]:
        values = self.values(place)
        value, gradient = self.law(values)
        gradient = gradient * self._slope(values) * self.scale
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return 1e6, np.zeros(len(place))
        return value * self.scale, gradient

    def slack(self, place: np.ndarray) -> tuple[float, np.ndarray]:
        """log(budget / cost), not negative where a run can be paid."""
        assert self.cost is not None
        values = self.values(place)
        value, gradient = self.cost(values)
        if not value > 0:
            return 100.0, np.zeros(len(place))  # free of charge
        return float(np.log(self.question.budget / value)), -gradient * self._slope(values) / value

    def place(self, values: np.ndarray) -> np.ndarray:
        inner = np.where(self.logs, np.log(np.where(self.logs, values, 1.0)), values)
        return np.clip((inner - self.low) / self.width, 0.0, 1.0)


def optimum(
    question: Question, law: Law, parameters: np.ndarray, *, near: np.ndarray | None = None, seed: int = 0
) -> Optimum:
    """The inputs that make the law's target best.

    Args:
        parameters: (parameter,) of the question's cell.
        near: (free,) values to start from instead of many starts.

    Raises:
        DiscoverError: No run within the bounds costs as little as the budget, or the law is nowhere finite.
    """
    from scipy.optimize import minimize

    problem = _Problem(question, law, parameters)
    n = len(question.over)
    rng = np.random.default_rng(seed)
    starts = [problem.place(near)] if near is not None else [np.full(n, 0.5), *rng.random((_STARTS, n))]
    constraints = []
    if problem.cost is not None:
        _check_budget(problem, rng)
        constraints = [{"type": "ineq", "fun": lambda p: problem.slack(p)[0], "jac": lambda p: problem.slack(p)[1]}]
    best, best_value = None, np.inf
    for start in starts:
        found = minimize(
            problem.objective, start, jac=True, method="SLSQP", bounds=[(0.0, 1.0)] * n, constraints=constraints,
            options={"ftol": 1e-13, "maxiter": 300},
        )  # fmt: skip
        place = np.clip(found.x, 0.0, 1.0)
        paid = problem.cost is None or problem.slack(place)[0] >= -1e-6
        value = problem.objective(place)[0]
        if paid and np.isfinite(value) and value < min(best_value - 1e-12, 1e5):
            best, best_value = place, value
    if best is None:
        raise DiscoverError(
            "no optimum: the law is not finite, or nothing can be paid, within the bounds of the inputs"
        )
    place, converged = _polished(problem, best)
    values = problem.values(place)
    at_bounds = tuple(
        name for name, p in zip(question.over, place, strict=True) if p < _AT_BOUND or p > 1.0 - _AT_BOUND
    )
    cost = np.nan if problem.cost is None else problem.cost(values)[0]
    return Optimum(values, problem.law(values)[0], cost, at_bounds, converged)


def _check_budget(problem: _Problem, rng: np.random.Generator) -> None:
    n = len(problem.question.over)
    places = [np.zeros(n), np.ones(n), *rng.random((_PROBED, n))]
    slack = max(problem.slack(place)[0] for place in places)
    if slack < 0:
        cheapest = problem.question.budget * np.exp(-slack)
        raise DiscoverError(
            f"budget: {problem.question.budget:g}; the cheapest run within the bounds costs about {cheapest:.3g}"
        )


def _polished(problem: _Problem, place: np.ndarray) -> tuple[np.ndarray, bool]:
    """The root of the Lagrange conditions near `place`, with what is at a bound held there."""
    from scipy.optimize import root

    free = (place > _AT_BOUND) & (place < 1.0 - _AT_BOUND)
    slope = problem.slack(place) if problem.cost is not None else (np.inf, np.zeros(len(place)))
    tight = slope[0] < _TIGHT and bool((np.abs(slope[1][free]) > 0).any())
    if not free.any() or (tight and free.sum() == 1 and len(place) == 1):
        return place, True

    def conditions(unknown: np.ndarray) -> np.ndarray:
        here = place.copy()
        here[free] = unknown[: free.sum()]
        gradient = problem.objective(here)[1][free]
        if not tight:
            return gradient
        slack, down = problem.slack(here)
        return np.append(gradient - unknown[-1] * down[free], slack)

    gradient = problem.objective(place)[1]
    first = place[free]
    if tight:
        down = slope[1][free]
        first = np.append(first, float(gradient[free] @ down) / float(down @ down))
    found = root(conditions, first, method="hybr", options={"xtol": 1e-14})
    here = place.copy()
    here[free] = found.x[: free.sum()]
    gap = float(np.abs(conditions(found.x)).max())
    good = gap < 1e-8 and float(np.abs(here - place).max()) < _POLISHED and bool(((here > 0) & (here < 1))[free].all())
    better = problem.objective(here)[0] <= problem.objective(place)[0] + 1e-6
    if good and better:
        return here, True
    settled = float(np.abs(conditions(first)).max()) < 1e-5
    return place, settled
