"""An optimum with its doubt: where refits on resampled rows and near-tied laws would have put it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from discover.errors import DiscoverError
from discover.intervals import Band, Bands
from discover.intervals.distance import distance_beyond
from discover.planning.optimum import Optimum, optimum
from discover.planning.question import Question, row_of
from discover.task import Rows

if TYPE_CHECKING:
    from discover.intervals.ensemble import Ensemble

_STEP = 1.02  # of the budget, for the exponents at which optima grow with it


@dataclass(frozen=True, eq=False)
class Decision:
    """What to do, and how sure that is.

    Attributes:
        optimum: By the main law.
        lower, upper: (free,) ends of the interval of each free input.
        band: Of the target at the optimum, one row.
        exponents: (free,) d log(input) / d log(budget) at the optimum; NaN without a budget.
        exponent_ends: (2, free) of their interval.
        distance: How far beyond the data the optimum lies, in ranges of the scale axes.
        laws: How many laws had a say.
        rows: How many training rows they were fitted on.
    """

    optimum: Optimum
    lower: np.ndarray
    upper: np.ndarray
    band: Band
    exponents: np.ndarray
    exponent_ends: np.ndarray
    distance: float
    laws: int
    rows: int


def decide(question: Question, bands: Bands, level: float = 0.9) -> Decision:
    """The best inputs for a question, with intervals.

    Each refit of the main law on resampled rows has its own optimum, and so has each near-tied law; their weighted
    percentiles are the interval.
    """
    ensemble = bands.ensemble
    cell = question.cell
    best = _optimum_of(question, ensemble, 0)
    exponent = _exponents(question, ensemble, best)
    places, exponents, weights = [best.values], [exponent], [0.0]
    drawn = ensemble.drawn[:, cell]
    for parameters in drawn[np.isfinite(drawn).all(1)]:
        _vote(
            question, ensemble, 0, parameters, best, float(ensemble.weights[0]) / len(drawn), places, exponents, weights
        )
    for law in range(1, len(ensemble.forms)):
        _vote(question, ensemble, law, ensemble.parameters[law][cell], None, float(ensemble.weights[law]),
              places, exponents, weights)  # fmt: skip
    tail = 0.5 * (1.0 - level)
    if sum(weights) <= 0.0:
        weights[0] = 1.0
    ends = [_percentile(np.array(places), np.array(weights), q) for q in (tail, 1.0 - tail)]
    exponent_ends = [_percentile(np.array(exponents), np.array(weights), q) for q in (tail, 1.0 - tail)]
    row = rows_at(question, best.values)
    distance = float(distance_beyond(ensemble.task, ensemble.task.training, row)[0])
    band = bands.predict(row, level)
    laws, rows = len(ensemble.forms), ensemble.task.training.n_rows
    return Decision(best, ends[0], ends[1], band, exponent, np.array(exponent_ends), distance, laws, rows)


def rows_at(question: Question, values: np.ndarray) -> Rows:
    """One row at the optimum; inputs that nothing reads stand at a measured value."""
    training = question.task.training
    given = row_of(question, values)
    mine = np.flatnonzero(training.cell == question.cell)
    usual = training.inputs[mine[-1]]
    inputs = np.array([[given.get(name, usual[place]) for place, name in enumerate(training.input_names)]])
    return Rows(
        training.input_names, training.cells, inputs, np.zeros(1), np.array([question.cell]), np.zeros(1, dtype=int)
    )


def _optimum_of(question: Question, ensemble: Ensemble, law: int) -> Optimum:
    """The optimum of one law.

    Where the law was refitted, the search begins at the optimum that its parameters before had: rows around an optimum
    no longer tell how the target rises far from it, and a refit may dip there.
    """
    form, own = ensemble.forms[law], ensemble.parameters[law]
    first = optimum(question, form.law, form.parameters[question.cell])
    return first if own is form.parameters else optimum(question, form.law, own[question.cell], near=first.values)


def _vote(
    question: Question,
    ensemble: Ensemble,
    law: int,
    parameters: np.ndarray,
    near: Optimum | None,
    weight: float,
    places: list[np.ndarray],
    exponents: list[np.ndarray],
    weights: list[float],
) -> None:
    form, rows = ensemble.forms[law], rows_at(question, np.ones(len(question.over)))
    try:
        free = [name for name in question.over if name in form.law.inputs]
        if not free:
            return  # a law without these inputs has no opinion about them
        usual = dict(zip(rows.input_names, map(float, rows.inputs[0]), strict=True))
        question = replace(question, at={n: v for n, v in usual.items() if n not in question.over} | dict(question.at))
        found = (
            _optimum_of(question, ensemble, law)
            if near is None
            else optimum(question, form.law, parameters, near=near.values)
        )
    except DiscoverError:
        return
    places.append(found.values)
    exponents.append(_exponents(question, ensemble, found, law, parameters))
    weights.append(weight)


def _exponents(
    question: Question, ensemble: Ensemble, best: Optimum, law: int = 0, parameters: np.ndarray | None = None
) -> np.ndarray:
    """How the optimum moves with the budget, from two budgets 2 % apart on either side."""
    none = np.full(len(question.over), np.nan)
    if question.cost is None:
        return none
    own = ensemble.parameters[law][question.cell] if parameters is None else parameters
    ends = []
    for budget in (question.budget * _STEP, question.budget / _STEP):
        try:
            found = optimum(replace(question, budget=budget), ensemble.forms[law].law, own, near=best.values)
        except DiscoverError:
            return none
        ends.append(np.log(np.maximum(found.values, 1e-300)))
    return (ends[0] - ends[1]) / (2.0 * np.log(_STEP))


def _percentile(values: np.ndarray, weights: np.ndarray, part: float) -> np.ndarray:
    """Weighted percentile (free,) of values (vote, free)."""
    found = np.empty(values.shape[1])
    for column in range(values.shape[1]):
        own = values[:, column]
        known = np.isfinite(own)
        if not known.any():
            found[column] = np.nan
            continue
        order = np.argsort(own[known])
        share = np.cumsum(weights[known][order]) / max(weights[known].sum(), 1e-300)
        found[column] = own[known][order][min(int(np.searchsorted(share, part)), len(order) - 1)]
    return found
