"""Bounds by transforms: a bounded parameter as a function of a free coordinate."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Transforms:
    """One transform per parameter: identity, exponential (one bound) or logistic (two).

    Args:
        bounds: (lower, upper) for each parameter.
    """

    def __init__(self, bounds: Sequence[tuple[float, float]]) -> None:
        self.lower = np.array([b[0] for b in bounds], dtype=float)
        self.upper = np.array([b[1] for b in bounds], dtype=float)
        below, above = np.isfinite(self.lower), np.isfinite(self.upper)
        self.rising = np.flatnonzero(below & ~above)  # lower + exp(u)
        self.falling = np.flatnonzero(~below & above)  # upper - exp(u)
        self.both = np.flatnonzero(below & above)  # lower + width * sigmoid(u)
        self.bounded = below | above

    def to_parameters(self, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Parameters and their derivative by the free coordinate, both (batch, parameter)."""
        parameters, slope = free.copy(), np.ones_like(free)
        for columns, bound, sign in ((self.rising, self.lower, 1.0), (self.falling, self.upper, -1.0)):
            if len(columns):
                distance = np.exp(np.clip(free[:, columns], -600.0, 600.0))
                parameters[:, columns] = bound[columns] + sign * distance
                slope[:, columns] = sign * distance
        if len(self.both):
            width = self.upper[self.both] - self.lower[self.both]
            part = 0.5 * (1.0 + np.tanh(0.5 * np.clip(free[:, self.both], -80.0, 80.0)))
            parameters[:, self.both] = self.lower[self.both] + width * part
            slope[:, self.both] = width * part * (1.0 - part)
        return parameters, slope

    def to_free(self, parameters: np.ndarray) -> np.ndarray:
        """Free coordinates of parameters (batch, parameter); those at or beyond a bound are moved just inside."""
        free = parameters.copy()
        tiny = 1e-12
        if len(c := self.rising):
            free[:, c] = np.log(np.maximum(parameters[:, c] - self.lower[c], tiny * (1.0 + np.abs(self.lower[c]))))
        if len(c := self.falling):
            free[:, c] = np.log(np.maximum(self.upper[c] - parameters[:, c], tiny * (1.0 + np.abs(self.upper[c]))))
        if len(c := self.both):
            part = (parameters[:, c] - self.lower[c]) / (self.upper[c] - self.lower[c])
            part = np.clip(part, 1e-9, 1.0 - 1e-9)
            free[:, c] = np.log(part) - np.log1p(-part)
        return free
