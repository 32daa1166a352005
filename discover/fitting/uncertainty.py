"""What the rows say about each parameter: condition number, standard errors, parameters at bounds."""

from __future__ import annotations

import numpy as np

_AT_BOUND = 1e-7


def spread(jacobian: np.ndarray, cost: float, count: int) -> tuple[float, np.ndarray]:
    """Condition number and standard errors of one solution.

    Args:
        jacobian: (row, parameter), weighted as the cost is.
        cost: Half the sum of squared residuals.
        count: Rows that count.

    Returns:
        Condition number of the Jacobian with unit columns, and (parameter,) standard errors: the square roots of
        the diagonal of s^2 (J^T J)^-1 with s^2 = 2 cost / (count - parameters). NaN without degrees of freedom.
    """
    n_parameters = jacobian.shape[1]
    length = np.linalg.norm(jacobian, axis=0)
    if not len(jacobian) or not np.isfinite(jacobian).all():
        return np.inf, np.full(n_parameters, np.nan)
    safe = np.where(length > 0, length, 1.0)
    _, singular, right = np.linalg.svd(jacobian / safe, full_matrices=False)
    condition = float(singular[0] / singular[-1]) if singular[-1] > 0 and (length > 0).all() else np.inf
    freedom = count - n_parameters
    if freedom <= 0 or len(singular) < n_parameters or singular[-1] <= 0:
        return condition, np.full(n_parameters, np.nan)
    variance = (2.0 * cost / freedom) * ((right / singular[:, None]) ** 2).sum(0)
    return condition, np.where(length > 0, np.sqrt(variance) / safe, np.nan)


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
