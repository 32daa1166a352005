"""`Fit`: what came out of fitting a law, per cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discover.fitting.recipe import Recipe
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
            squared, or squared log-ratios for a log loss.
        status: (cell,) "converged", "step limit", "not finite" or "too few rows".
        condition: (cell,) of the Jacobian with columns scaled to unit length.
        at_bounds: (cell, parameter) whether a parameter ended at a bound.
        standard_errors: (cell, parameter) from the Jacobian at the solution; NaN where the rows cannot tell.
        shared: Parameters with one value for all cells.
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

    @property
    def converged(self) -> bool:
        """Whether every cell converged."""
        return all(status == CONVERGED for status in self.status)

    def predict(self, rows: Rows) -> np.ndarray:
        """Values (row,) for rows whose `cells` are those of the fit; NaN for a cell that has no finite parameters."""
        return predict_cells(self.law, self.parameters, rows)


def predict_cells(law: Law, parameters: np.ndarray, rows: Rows) -> np.ndarray:
    """Values (row,) of a law with parameters (cell, parameter), every row with its own cell's."""
    from discover.law.compiler import evaluate

    values = {name: rows.inputs[:, rows.input_names.index(name)] for name in law.inputs}
    values.update({name: parameters[rows.cell, j] for j, name in enumerate(law.parameters)})
    return np.array(np.broadcast_to(evaluate(law.expression, values), rows.target.shape), dtype=float)
