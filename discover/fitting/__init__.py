"""Fitting: the one fitter that every law, human or found, goes through.

In: a law, rows, a recipe. Out: a `Fit` with parameters per cell and what can be said about them.
Stays out: choosing among laws, held-out rows.
"""

from discover.fitting.cells import Cells
from discover.fitting.fit import CONVERGED, Fit, predict_cells
from discover.fitting.least_squares import fit, fit_cells, prepare
from discover.fitting.outliers import outliers_of, usable_rows, without
from discover.fitting.recipe import FEWEST_WEIGHED, LOSSES, Recipe
from discover.fitting.shrinkage import Prior
from discover.fitting.uncertainty import equal_noise

__all__ = [
    "CONVERGED", "FEWEST_WEIGHED", "LOSSES", "Cells", "Fit", "Prior", "Recipe",
    "equal_noise", "fit", "fit_cells", "outliers_of", "predict_cells", "prepare", "usable_rows", "without",
]  # fmt: skip
