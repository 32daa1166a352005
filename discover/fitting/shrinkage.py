"""What cells learn from each other: about how large each parameter is, said to the fit as rows of its own.

In: a law's parameters, found for every cell by itself. Out: what is usual in each `Pool`, the `Prior` that follows, and
the law and its cells with the rows that speak for the prior. Stays out: the fit.

A cell with few rows pins its exponents down badly, while its neighbours (the other cells of its pool) show about how
large they are. Each parameter of a cell is taken for a draw from one normal distribution over the pool, whose centre
and spread are estimated from the pool itself. To the fit such a prior is one row per parameter: it measures the
parameter to be the centre, with an error of the spread where rows of the cell have one of the noise. So the solver, its
compiled kernel, the closed form of linear parameters and the robust losses need not know of it.

Source: Efron and Morris 1975 (empirical Bayes); Laird and Ware 1982, section 4 (expectation-maximisation for random
effects), linearised at the current fit as in Lindstrom and Bates 1990.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from discover.fitting.cells import Cells
from discover.fitting.recipe import Recipe
from discover.fitting.residuals import Residuals
from discover.law.compiler import linear_parts, log_of
from discover.law.expression import Symbol, add, mul
from discover.law.law import Law

_FEWEST = 3  # cells that can say what is usual
_KNOWN = 4.0  # degrees of freedom that the usual noise counts for beside a cell's own
_LEAST_LEFT = 0.1  # of the variance between the middle cells, where noise alone seems to explain it
_DECADES, _HALVINGS = 8.0, 14  # range and precision in which the variance between cells is looked for
_SMALLEST = 1e-6  # spread, relative to the centre
_FLAT = 1e-12  # eigenvalue of a scaled Gram matrix that counts as nothing
_NOTHING = 1e-150  # a spread whose square is no number any more
_TO_MAD = 1.4826


@dataclass(frozen=True)
class Prior:
    """What the fit of a cell is told beside its rows: parameter j measured to be `centre`, in units where a row's own
    residual counts, `gain` times.

    Attributes:
        centre: (cell, parameter) in the law's units.
        gain: (cell, parameter) residual, in the loss's terms, for each unit that the parameter is off its centre; zero
            where nothing is said.
    """

    centre: np.ndarray
    gain: np.ndarray

    @classmethod
    def of_table(cls, table: Mapping[str, Mapping[str, Sequence[float]]], labels: Sequence[str], law: Law) -> Prior:
        """The prior that a stored law was fitted under: cell label -> parameter -> (centre, gain)."""
        both = np.array([[table[label][name] for name in law.parameters] for label in labels], dtype=float)
        return cls(both[:, :, 0], both[:, :, 1])


@dataclass(frozen=True)
class Pool:
    """What cells fitted so far say of what is usual.

    Attributes:
        centre: (cell, parameter) of the cell's pool.
        spread: (cell, parameter) standard deviation in the pool; infinite where it says nothing.
        noise: (cell,) standard deviation of a row of weight one, in the loss's terms.
    """

    centre: np.ndarray
    spread: np.ndarray
    noise: np.ndarray

    def prior(self, shrink: float) -> Prior:
        return Prior(self.centre, np.sqrt(shrink) * self.noise[:, None] / self.spread)


def first_pool(law: Law, cells: Cells, recipe: Recipe, parameters: np.ndarray, cost: np.ndarray) -> Pool | None:
    """The pools of cells fitted each by itself.

    Args:
        parameters: (cell, parameter), with `cost` (cell,) of these fits.

    Returns:
        None where no pool has three cells with more rows than parameters.
    """
    shared = _shared(law, recipe)
    freedom = (cells.weight > 0).sum(1) - int((~shared).sum())
    useful = (freedom > 0) & np.isfinite(cost) & np.isfinite(parameters).all(1)
    centre, spread = np.zeros(parameters.shape), np.full(parameters.shape, np.inf)
    noise = np.zeros(len(parameters))
    pools = [mine for mine in cells.pools if useful[mine].sum() >= _FEWEST]
    if not pools:
        return None
    for mine in pools:
        good = mine[useful[mine]]
        common = float(np.median(2.0 * cost[good] / freedom[good]))
        own, count = np.where(useful[mine], 2.0 * cost[mine], 0.0), np.where(useful[mine], freedom[mine], 0)
        noise[mine] = np.sqrt((own + _KNOWN * common) / (count + _KNOWN))
    variance = _variance(law, cells, recipe, parameters, Pool(centre, spread, noise))
    for mine in pools:
        good = mine[useful[mine]]
        middle, between = _between(parameters[good], variance[good])
        centre[mine], spread[mine] = middle, _deviation(between, middle, shared)
    return Pool(centre, spread, noise)


def next_pool(law: Law, cells: Cells, recipe: Recipe, parameters: np.ndarray, pool: Pool) -> Pool:
    """The pools from parameters that were fitted under the priors of `pool`: one step of expectation-maximisation."""
    shared = _shared(law, recipe)
    variance = _variance(law, cells, recipe, parameters, pool)
    centre, spread = pool.centre.copy(), pool.spread.copy()
    for mine in cells.pools:
        good = mine[np.isfinite(parameters[mine]).all(1)]
        if not np.isfinite(spread[mine]).any() or len(good) < _FEWEST:
            continue
        before = np.where(shared, 1.0, spread[mine[0]]) ** 2
        middle = np.median(parameters[good], axis=0)
        apart = (parameters[good] - middle) ** 2
        between = (apart + np.minimum(variance[good], before)).mean(axis=0)
        centre[mine], spread[mine] = middle, _deviation(between, middle, shared)
    return Pool(centre, spread, pool.noise)


def with_prior(law: Law, cells: Cells, recipe: Recipe, prior: Prior) -> tuple[Law, Cells, Recipe]:
    """The law, its cells and a recipe whose plain fit is the fit under `prior`.

    In front of each cell's own rows stands one row per parameter, which reads that parameter alone. Columns are named
    with a space: no formula can.
    """
    expression = log_of(law.expression) if recipe.is_log else law.expression
    own = Symbol("own rows")
    told = {name: Symbol(f"row of {name}") for name in law.parameters if name not in recipe.shared}
    names, basis, offset = linear_parts(expression, law.parameters, recipe.shared)
    terms = [mul(own, offset)]
    # A linear parameter has to stay one: written once.
    for name, part in zip(names, basis, strict=True):
        terms.append(mul(Symbol(name), add(mul(own, part), told[name])))
    terms += [mul(column, Symbol(name)) for name, column in told.items() if name not in names]
    columns = (own.name, *(column.name for column in told.values()))
    whole = Law(add(*terms), (*law.inputs, *columns), law.parameters, law.parameter_bounds)
    n_cells, n_told = len(cells.target), len(told)
    place = [law.parameters.index(name) for name in told]
    gain, centre = prior.gain[:, place], prior.centre[:, place]

    def in_front(rows: np.ndarray, values: np.ndarray) -> np.ndarray:
        return np.concatenate([np.broadcast_to(values, (n_cells, n_told)), rows], axis=1)

    zeros = np.zeros(cells.target.shape)
    inputs = {name: in_front(column, column[:, :1]) for name, column in cells.inputs.items()}
    inputs[own.name] = in_front(zeros + 1.0, np.zeros(1))
    for index, column in enumerate(told.values()):
        inputs[column.name] = in_front(zeros, np.where(np.arange(n_told) == index, gain, 0.0))
    target = np.log(np.maximum(cells.target, 1e-300)) if recipe.is_log else cells.target
    weight = in_front(cells.weight, (gain > 0.0).astype(float))
    rows = Cells(inputs, in_front(target, gain * centre), weight, cells.count + n_told, cells.pool)
    return whole, rows, Recipe(recipe.robust or "squared", shared=recipe.shared)


def _shared(law: Law, recipe: Recipe) -> np.ndarray:
    """Whether each parameter (parameter,) has one value for all cells: nothing is left to learn of it."""
    return np.array([name in recipe.shared for name in law.parameters], dtype=bool)


def _between(values: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centre and variance between cells (parameter,) of estimates (cell, parameter) with a variance of their own each.

    The variance is the one under which the estimates scatter as they should: few that are known well count more than
    many that are not, and a pool of widely different cells says little.

    Source: Paule and Mandel 1982, Consensus values and weighting factors.
    """
    middle = np.median(values, axis=0)
    least = _LEAST_LEFT * (_TO_MAD * np.median(np.abs(values - middle), axis=0)) ** 2
    high = np.log(np.maximum(values.var(axis=0), _NOTHING**2))
    low = high - _DECADES * np.log(10.0)
    variance = np.minimum(variance, np.exp(high) / _FLAT)
    for _ in range(_HALVINGS):
        between = np.exp(0.5 * (low + high))
        weight = 1.0 / (between + variance)
        middle = (weight * values).sum(axis=0) / weight.sum(axis=0)
        too_small = (weight * (values - middle) ** 2).sum(axis=0) > len(values) - 1
        low, high = np.where(too_small, np.log(between), low), np.where(too_small, high, np.log(between))
    return middle, np.maximum(np.exp(0.5 * (low + high)), least)


def _deviation(variance: np.ndarray, centre: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Standard deviation (parameter,) in a pool; infinite for what is shared, and where all are zero."""
    found = np.maximum(np.sqrt(variance), _SMALLEST * np.abs(centre))
    return np.where(shared | (found < _NOTHING), np.inf, found)


def _variance(law: Law, cells: Cells, recipe: Recipe, parameters: np.ndarray, pool: Pool) -> np.ndarray:
    """Variance (cell, parameter) that rows and prior together leave each parameter, linearised at `parameters`."""
    whole = Residuals.of(law, recipe.is_log, linear=False)
    free = whole.transforms.to_free(np.where(np.isfinite(parameters), parameters, 1.0))
    slope = whole.transforms.to_parameters(free)[1]
    with np.errstate(all="ignore"):
        gram = np.moveaxis(whole.bind(cells).at(free, np.arange(len(free))).gram, -1, 0)
        gram = np.nan_to_num(gram / (slope[:, :, None] * slope[:, None, :]), posinf=0.0, neginf=0.0)
        seen = gram / np.maximum(pool.noise, 1e-150)[:, None, None] ** 2
        seen[:, *np.diag_indices(seen.shape[1])] += recipe.shrink / pool.spread**2
    diagonal = np.sqrt(np.maximum(np.einsum("cii->ci", seen), 1e-300))
    scaled = np.nan_to_num(seen / (diagonal[:, :, None] * diagonal[:, None, :]))
    values, vectors = np.linalg.eigh(scaled)
    return np.einsum("cij,cj->ci", vectors**2, 1.0 / np.maximum(values, _FLAT)) / diagonal**2
