"""Near-tied laws fitted on the same rows, and what a prediction's doubt is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discover.fitting import fit_cells, predict_cells
from discover.intervals.bootstrap import predictions, resampled
from discover.intervals.clusters import clusters
from discover.intervals.distance import distance_beyond
from discover.intervals.tied import FittedForm
from discover.scoring import Yardstick

if TYPE_CHECKING:
    from discover.task import Rows, Task

_STARTS, _STEPS, _TOLERANCE = 2, 60, 1e-9
_PRIOR = 4.0  # degrees of freedom that the pooled noise counts for in a cell of its own
_MIDDLE = (15.87, 50.0, 84.13)  # percentiles one standard deviation apart under normal noise
_TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Parts:
    """What is known of predictions, in the target's unit or, with a log recipe, in its logarithm.

    Attributes:
        centre: (row,) the main law's prediction.
        noise: (row,) standard deviation of what scatters around the law.
        parameters: (row,) standard deviation over the bootstrap.
        laws: (row,) root mean square distance of the near-tied laws from the main one.
        distance: (row,) beyond the data, as `distance_beyond` gives.
        freedom: (row,) degrees of freedom of the noise.
    """

    centre: np.ndarray
    noise: np.ndarray
    parameters: np.ndarray
    laws: np.ndarray
    distance: np.ndarray
    freedom: np.ndarray


@dataclass(frozen=True, eq=False)
class Ensemble:
    """The near-tied laws with their parameters on `task.training`, the main law first.

    Attributes:
        weights: (law,) summing to one.
        row_weights: (row,) that the main law's recipe gives to the training rows; None for equal ones.
        parameters: For each law (cell, parameter).
        drawn: (draw, cell, parameter) of the main law under the bootstrap.
        noise: (cell,) standard deviation around the main law.
        freedom: (cell,) its degrees of freedom.
        shrunk: (cell,) by how much residuals are smaller than the noise: sqrt(rows / (rows - parameters)). A bootstrap
            sees the noise through residuals.
        is_log: Whether doubt is counted in logarithms of the target.
    """

    task: Task
    forms: tuple[FittedForm, ...]
    weights: np.ndarray
    row_weights: np.ndarray | None
    parameters: tuple[np.ndarray, ...]
    drawn: np.ndarray
    noise: np.ndarray
    freedom: np.ndarray
    shrunk: np.ndarray
    is_log: bool

    @classmethod
    def of(
        cls,
        task: Task,
        tied: Sequence[tuple[FittedForm, float]],
        *,
        draws: int,
        rng: np.random.Generator,
        refit: bool = True,
    ) -> Ensemble:
        """The laws on the training rows of `task`; `refit` where their parameters come from other rows."""
        forms, weights = [form for form, _ in tied], np.array([weight for _, weight in tied])
        yardstick = Yardstick.of(task)
        fitted = [_refitted(form, yardstick, rng) if refit else form.parameters for form in forms]
        main, rows = forms[0], task.training
        row_weights = yardstick.weights(main.recipe)
        drawn = resampled(main, fitted[0], rows, clusters(task), row_weights, draws, rng)
        is_log = main.recipe.is_log
        own = len(main.law.parameters) - len(main.recipe.shared) * (1.0 - 1.0 / len(task.cells))
        noise, freedom = _noise(rows, predict_cells(main.law, fitted[0], rows), own, is_log, row_weights)
        count = np.bincount(rows.cell, minlength=len(rows.cells))
        shrunk = np.sqrt(count / np.maximum(count - own, 1.0))
        return cls(task, tuple(forms), weights, row_weights, tuple(fitted), drawn, noise, freedom, shrunk, is_log)

    def inside(self, values: np.ndarray) -> np.ndarray:
        """Values in the space in which doubt is counted."""
        with np.errstate(all="ignore"):
            return np.log(values) if self.is_log else values

    def outside(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            return np.exp(values) if self.is_log else values

    def parts(self, rows: Rows) -> Parts:
        """Prediction and doubt for rows of the task's cells."""
        centre = self.inside(predict_cells(self.forms[0].law, self.parameters[0], rows))
        drawn = self.inside(predictions(self.forms[0], self.drawn, rows))
        with np.errstate(all="ignore"):
            low, _, high = np.nanpercentile(np.where(np.isfinite(drawn), drawn, np.nan), _MIDDLE, axis=0)
            gaps = np.zeros(rows.n_rows)
            for form, values, weight in zip(self.forms[1:], self.parameters[1:], self.weights[1:], strict=True):
                gap = self.inside(predict_cells(form.law, values, rows)) - centre
                gaps += weight * np.where(np.isfinite(gap), gap, 0.0) ** 2
        return Parts(
            centre=centre,
            noise=self.noise[rows.cell],
            parameters=np.nan_to_num(0.5 * (high - low), nan=0.0) * self.shrunk[rows.cell],
            laws=np.sqrt(gaps),
            distance=distance_beyond(self.task, self.task.training, rows),
            freedom=self.freedom[rows.cell],
        )


def _refitted(form: FittedForm, yardstick: Yardstick, rng: np.random.Generator) -> np.ndarray:
    """Parameters (cell, parameter) on the yardstick's rows, from those of other rows and from random starts.

    A law of many parameters that cancel each other does not find its minimum again from anywhere else; the price is
    that a fit which is not quite done remembers a little of the rows that it began with.
    """
    with np.errstate(all="ignore"):
        return fit_cells(
            form.law,
            yardstick.training(form.law, form.recipe),
            form.recipe,
            starts=_STARTS,
            rng=rng,
            initial=form.parameters[None],
            steps=_STEPS,
            tolerance=_TOLERANCE,
        )[0]


def _noise(
    rows: Rows, fitted: np.ndarray, n_parameters: float, is_log: bool, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviation (cell,) of the rows around the law, shrunk towards that of all cells together, and its degrees
    of freedom (cell,).

    Weighted as the fit was: where a recipe looks at the large scales, the noise is that of the large scales. Each
    cell's squares are divided by its rows less its parameters.

    Source: Smyth 2004, Linear models and empirical Bayes methods, section 3: the variance of a cell and that of all,
    weighted by their degrees of freedom, has those of both. The weight of all cells is a fixed 4 here.
    """
    with np.errstate(all="ignore"):
        gap = np.log(rows.target) - np.log(fitted) if is_log else rows.target - fitted
    gap = np.where(np.isfinite(gap), gap, 0.0)
    weight = np.ones(rows.n_rows) if weights is None else weights
    n_cells = len(rows.cells)
    count = np.bincount(rows.cell, weight > 0, minlength=n_cells)
    total = np.maximum(np.bincount(rows.cell, weight, minlength=n_cells), _TINY)
    mean_square = np.bincount(rows.cell, weight * gap**2, minlength=n_cells) / total
    free = np.maximum(count - n_parameters, 1.0)
    own = mean_square * count / free
    pooled = float(np.sum(own * free) / np.sum(free))
    freedom = np.minimum(free + _PRIOR, np.sum(free))  # one cell learns nothing from itself
    return np.sqrt((own * free + pooled * _PRIOR) / (free + _PRIOR)) + _TINY, freedom
