"""`Fit`: what came out of fitting a law, per cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discover.fitting.recipe import Recipe
from discover.fitting.shrinkage import Prior
from discover.law.law import Law

if TYPE_CHECKING:
    from discover.task import Cell, Rows

CONVERGED = "converged"


@dataclass(frozen=True)
class Fit:
    """A law with its parameters.

    Attributes:
        law: The law.
        recipe: How it was fitted.
        cells: (group, target) of each line below.
        parameters: (cell, parameter) in the task's own units.
        cost: (cell,) half the sum of squared residuals (robust ones where the recipe says so), in target units
            squared, or squared log-ratios for a log loss. Of the cell's own rows alone, also where the recipe shrinks.
        status: (cell,) "converged", "step limit", "not finite" or "too few rows".
        condition: (cell,) of the Jacobian with columns scaled to unit length.
        at_bounds: (cell, parameter) whether a parameter ended at a bound.
        standard_errors: (cell, parameter) from the Jacobian at the solution, the larger of two where the recipe weighs
            rows (`uncertainty.spread`); NaN where the rows cannot tell. Where the recipe shrinks, of the cell's rows
            and its prior together: standard deviations of a posterior.
        shared: Parameters with one value for all cells.
        prior: What each cell learned from its neighbours; None where the recipe does not shrink or they say nothing.
    """

    law: Law
    recipe: Recipe
    cells: tuple[Cell, ...]
    parameters: np.ndarray
    cost: np.ndarray
    status: tuple[str, ...]
    condition: np.ndarray
    at_bounds: np.ndarray
    standard_errors: np.ndarray
    shared: tuple[str, ...] = ()
    prior: Prior | None = None

    @property
    def converged(self) -> bool:
        """Whether every cell converged."""
        return all(status == CONVERGED for status in self.status)

    @property
    def prior_table(self) -> dict[str, dict[str, tuple[float, float]]]:
        """Cell label -> parameter -> (centre, gain) of the prior; empty where there is none."""
        if self.prior is None:
            return {}
        lines = zip(self.cells, self.prior.centre.tolist(), self.prior.gain.tolist(), strict=True)
        return {
            cell.label: dict(zip(self.law.parameters, zip(centre, gain, strict=True), strict=True))
            for cell, centre, gain in lines
        }

    def predict(self, rows: Rows) -> np.ndarray:
        """Values (row,) for rows whose `cells` are those of the fit; NaN for a cell that has no finite parameters."""
        return predict_cells(self.law, self.parameters, rows)


def predict_cells(law: Law, parameters: np.ndarray, rows: Rows) -> np.ndarray:
    """Values (row,) of a law with parameters (cell, parameter), every row with its own cell's."""
    from discover.law.compiler import evaluate

    values = {name: rows.inputs[:, rows.input_names.index(name)] for name in law.inputs}
    values.update({name: parameters[rows.cell, j] for j, name in enumerate(law.parameters)})
    return np.array(np.broadcast_to(evaluate(law.expression, values), rows.target.shape), dtype=float)
