"""What the rows say about each parameter: condition number, standard errors, parameters at bounds."""

from __future__ import annotations

import numpy as np

_AT_BOUND = 1e-7


def spread(jacobian: np.ndarray, cost: float, weight: np.ndarray | None = None) -> tuple[float, np.ndarray]:
    """Condition number and standard errors of one solution.

    Args:
        jacobian: (row, parameter), weighted as the cost is, rows that do not count left out.
        cost: Half the sum of squared residuals.
        weight: (row,) of a recipe; None where a weight tells how much a row scatters, and for equal ones.

    Returns:
        Condition number of the Jacobian with unit columns, and (parameter,) standard errors: the square roots of
        the diagonal of s^2 (J^T J)^-1 with s^2 = 2 cost / (rows - parameters), or those of `equal_noise` where they
        are larger. NaN without degrees of freedom.
    """
    n_parameters = jacobian.shape[1]
    length = np.linalg.norm(jacobian, axis=0)
    if not len(jacobian) or not np.isfinite(jacobian).all():
        return np.inf, np.full(n_parameters, np.nan)
    safe = np.where(length > 0, length, 1.0)
    left, singular, right = np.linalg.svd(jacobian / safe, full_matrices=False)
    condition = float(singular[0] / singular[-1]) if singular[-1] > 0 and (length > 0).all() else np.inf
    freedom = len(jacobian) - n_parameters
    if freedom <= 0 or len(singular) < n_parameters or singular[-1] <= 0:
        return condition, np.full(n_parameters, np.nan)
    inverse = (right / singular[:, None]).T
    errors = np.linalg.norm(inverse, axis=1)
    if weight is not None:
        errors = np.maximum(errors, equal_noise(inverse, left, weight))
    return condition, np.where(length > 0, np.sqrt(2.0 * cost / freedom) * errors / safe, np.nan)


def equal_noise(inverse: np.ndarray, left: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Standard errors (parameter,) of a weighted fit where all rows scatter alike, for s = 1 (as in `spread`).

    A row of small weight may scatter more, which the usual formula takes for granted; or it scatters like the others
    and was merely asked less. Then a fit that leans on few rows knows its parameters and the noise less well.

    Args:
        inverse: (parameter, direction) right singular vectors of the weighted Jacobian over its singular values.
        left: (row, direction) its left singular vectors.
        weight: (row,) above zero.

    Source: White 1980, A heteroskedasticity-consistent covariance matrix estimator, eq. 3 with equal variances; the
    noise has the expectation of a weighted sum of squares, sum(w) - sum(w h), h being the leverage.
    """
    usual = max(len(weight) - len(inverse), 1)
    left_over = float(weight.sum() - (weight * (left**2).sum(1)).sum())
    scale = np.sqrt(usual / max(left_over, weight.mean()))
    found: np.ndarray = scale * np.linalg.norm(inverse @ (np.sqrt(weight)[:, None] * left).T, axis=1)
    return found


def near_bounds(parameters: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Whether each of parameters (cell, parameter) stands at one of bounds (parameter, 2)."""
    near = np.zeros(parameters.shape, dtype=bool)
    for side in (0, 1):
        bound = bounds[:, side]
        finite = np.isfinite(bound)
        width = np.where(np.isfinite(bounds).all(1), bounds[:, 1] - bounds[:, 0], 1.0 + np.abs(bound))
        distance = np.abs(parameters - np.where(finite, bound, 0.0))
        near |= finite & (distance <= _AT_BOUND * np.where(finite, width, 1.0))
    return near
