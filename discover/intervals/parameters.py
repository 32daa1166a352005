"""What the rows say about each parameter: intervals, what moves together, what cannot be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discover.fitting import Cells, equal_noise
from discover.law.compiler import Tape

if TYPE_CHECKING:
    from discover.intervals.ensemble import Ensemble
    from discover.intervals.tied import FittedForm
    from discover.task import Task

_FLAT = 1e-6  # singular value of the Jacobian with unit columns, of the largest: a direction the rows do not see
_SHARE = 0.1  # of a flat direction that a parameter must have to be named
_TOGETHER = 0.95
_OFTEN = 0.5  # of the cells


@dataclass(frozen=True, eq=False)
class ParameterReport:
    """The parameters of a law, cell by cell.

    Attributes:
        names: Of the parameters.
        lower, upper: (cell, parameter) ends of the interval: those of the bootstrap or of the curvature, whichever lie
            further out; infinite where the rows cannot tell the parameter.
        level: Of the interval.
        unidentified: (cell, parameter) whether the parameter can be moved, others following, and the fit stays.
        correlation: (cell, parameter, parameter) at the solution; NaN where it is not defined.
    """

    names: tuple[str, ...]
    lower: np.ndarray
    upper: np.ndarray
    level: float
    unidentified: np.ndarray
    correlation: np.ndarray

    def never_told(self) -> tuple[str, ...]:
        """Parameters that are unidentified in half of the cells or more."""
        often = self.unidentified.mean(0) >= _OFTEN
        return tuple(name for name, found in zip(self.names, often, strict=True) if found)

    def together(self) -> tuple[tuple[str, str, float], ...]:
        """Pairs of identified parameters whose correlation is beyond 0.95 in half of the cells or more, strongest
        first, each with its median correlation."""
        found = []
        for i, first in enumerate(self.names):
            for j in range(i):
                ok = ~(self.unidentified[:, i] | self.unidentified[:, j]) & np.isfinite(self.correlation[:, i, j])
                values = self.correlation[ok, i, j]
                if len(values) and (np.abs(values) > _TOGETHER).mean() >= _OFTEN:
                    found.append((self.names[j], first, float(np.median(values))))
        return tuple(sorted(found, key=lambda pair: -abs(pair[2])))


def parameter_report(ensemble: Ensemble, level: float = 0.9) -> ParameterReport:
    """Intervals of the main law's parameters from its bootstrap, and what its Jacobian says of them.

    A refit of a few steps does not walk far along a valley, so the bootstrap alone would call a parameter certain that
    the rows hardly see: the interval is at least that of the curvature, by Student's quantile, and the Jacobian's flat
    directions are looked for by themselves. An ensemble without draws has the curvature alone.
    """
    from scipy.stats import t

    form, parameters = ensemble.forms[0], ensemble.parameters[0]
    law = form.law
    tail = 50.0 * (1.0 - level)
    drawn = ensemble.drawn if len(ensemble.drawn) else parameters[None]
    lower, upper = np.nanpercentile(drawn, [tail, 100.0 - tail], axis=0)
    slopes, counted = _jacobians(ensemble)
    n_cells, n = parameters.shape
    unidentified = np.zeros((n_cells, n), dtype=bool)
    correlation = np.full((n_cells, n, n), np.nan)
    reach = t.ppf(0.5 + 0.5 * level, ensemble.freedom)
    shared = form.recipe.shared
    # Cells that share a parameter speak of it together; else each speaks for itself.
    for block in [range(n_cells)] if shared else [[cell] for cell in range(n_cells)]:
        keys = [(name, -1 if name in shared else cell) for cell in block for name in law.parameters]
        column = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        places = {cell: [column[name, -1 if name in shared else cell] for name in law.parameters] for cell in block}
        joint = np.zeros((sum(len(slopes[cell]) for cell in block), len(column)))
        first = 0
        for cell in block:
            joint[first : first + len(slopes[cell]), places[cell]] = slopes[cell]
            first += len(slopes[cell])
        unseen, together, error = _seen(joint, np.concatenate([counted[cell] for cell in block]))
        for cell in block:
            own = np.array(places[cell])
            unidentified[cell], correlation[cell] = unseen[own], together[np.ix_(own, own)]
            lower[cell] = np.fmin(lower[cell], parameters[cell] - reach[cell] * error[own])
            upper[cell] = np.fmax(upper[cell], parameters[cell] + reach[cell] * error[own])
    limits = np.array(law.parameter_bounds)
    lower, upper = np.maximum(lower, limits[:, 0]), np.minimum(upper, limits[:, 1])
    lower, upper = np.where(unidentified, -np.inf, lower), np.where(unidentified, np.inf, upper)
    return ParameterReport(law.parameters, lower, upper, level, unidentified, correlation)


def seen_by_rows(task: Task, form: FittedForm, level: float = 0.9) -> ParameterReport:
    """What the task's training rows say of a law's parameters by the curvature of its fit alone, which takes no refit.

    Args:
        form: With its parameters on those rows.
    """
    from discover.intervals.ensemble import Ensemble

    nobody = np.random.default_rng(0)  # nothing is drawn
    return parameter_report(Ensemble.of(task, [(form, 1.0)], draws=0, rng=nobody, refit=False), level)


def _jacobians(ensemble: Ensemble) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """For each cell the derivatives (row, parameter) of the main law's predictions, in units of the cell's noise, and
    the weights (row,) of its rows, one in the mean; rows that the fit leaves out are left out."""
    law, parameters = ensemble.forms[0].law, ensemble.parameters[0]
    cells = Cells.from_rows(ensemble.task.training, law.inputs, ensemble.row_weights)
    tape = Tape([law.expression], law.inputs, law.parameters)
    found, weights = [], []
    for cell in range(len(parameters)):
        own = cells.take_cells(np.array([cell]))
        real = own.weight[0] > 0
        with np.errstate(all="ignore"):
            values = (bound := tape.bind(own.inputs)).forward(parameters[cell][None])
            slopes = bound.backward(values, {tape.outputs[0]: 1.0})
            value = np.broadcast_to(values[tape.outputs[0]], own.target.shape)[0][real]
            jacobian = np.stack([np.broadcast_to(slope, own.target.shape)[0][real] for slope in slopes], axis=1)
            found.append(jacobian / ensemble.noise[cell] / (value[:, None] if ensemble.is_log else 1.0))
        weight = own.weight[0][real]
        weights.append(weight / weight.mean() if len(weight) else weight)
    return found, weights


def _seen(jacobian: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which parameters (parameter,) lie in a direction that the rows do not see, their correlation, and their
    standard errors (parameter,) for noise of one.

    Args:
        jacobian: (row, parameter) of the predictions, without weights.
        weight: (row,) of the fit, above zero, one in the mean.
    """
    n = jacobian.shape[1]
    if not np.isfinite(jacobian).all():
        return np.ones(n, dtype=bool), np.full((n, n), np.nan), np.full(n, np.nan)
    root = np.sqrt(weight)[:, None]
    length = np.linalg.norm(root * jacobian, axis=0)
    dead = length <= 0
    if dead.all() or len(jacobian) < n:
        return np.ones(n, dtype=bool), np.full((n, n), np.nan), np.full(n, np.nan)
    left, singular, right = np.linalg.svd(root * jacobian / np.where(dead, 1.0, length), full_matrices=False)
    flat = singular <= _FLAT * singular[0]
    unseen = dead | (np.abs(right[flat]) > _SHARE).any(0)
    inverse = right.T / np.where(flat, np.inf, singular)  # (parameter, direction)
    covariance = inverse @ inverse.T
    spread = np.sqrt(np.diag(covariance))
    with np.errstate(all="ignore"):
        correlation = covariance / np.outer(spread, spread)
    error = np.maximum(spread, equal_noise(inverse, left, weight))
    return unseen, correlation, error / np.where(dead, np.inf, length)
