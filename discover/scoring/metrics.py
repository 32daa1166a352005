"""R2, NMSE and NMAE as SLDBench defines them: pooled over groups, per target, then the mean.

Source: Lin et al. 2026, arXiv 2507.21184.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from discover.task import Rows

_WORST = 1e12  # stands for a prediction that is not finite: no mean or sum can hide it


@dataclass(frozen=True)
class Score:
    """Quality of predictions on rows that the law was not fitted on.

    Attributes:
        r2: 1 - nmse.
        nmse: Mean squared error over the variance of the target.
        nmae: Mean absolute error over the mean absolute deviation of the target from its mean.
        per_group: group -> R2 on its own rows, targets averaged.
    """

    r2: float
    nmse: float
    nmae: float
    per_group: dict[str, float]

    @property
    def r2_clipped(self) -> float:
        """R2 in [-1, 1], as the published rows show it."""
        return float(np.clip(self.r2, -1.0, 1.0))


def score(rows: Rows, prediction: np.ndarray) -> Score:
    """Scores of predictions (row,) for rows of all groups and targets."""
    if prediction.shape != rows.target.shape:
        raise ValueError(f"prediction: shape {prediction.shape}, expected {rows.target.shape}, one value per row")
    groups = np.array([cell.group for cell in rows.cells])[rows.cell]
    targets = np.array([cell.target for cell in rows.cells])[rows.cell]
    names = tuple(dict.fromkeys(cell.target for cell in rows.cells))
    pooled = [errors(rows.target[targets == n], prediction[targets == n]) for n in names if (targets == n).any()]
    nmse, nmae = (float(np.mean(part)) for part in zip(*pooled, strict=True))
    per_group = {}
    for group in dict.fromkeys(cell.group for cell in rows.cells):
        own = [
            errors(rows.target[mine], prediction[mine])[0]
            for n in names
            if (mine := (groups == group) & (targets == n)).any()
        ]
        if own:
            per_group[group] = 1.0 - float(np.mean(own))
    return Score(1.0 - nmse, nmse, nmae, per_group)


def errors(target: np.ndarray, prediction: np.ndarray) -> tuple[float, float]:
    """NMSE and NMAE of one target; huge where a prediction is not finite, or nothing varies and it is missed."""
    if not np.isfinite(prediction).all():
        return _WORST, _WORST
    with np.errstate(all="ignore"):
        gap = prediction - target
        variance = float(np.var(target))
        deviation = float(np.mean(np.abs(target - target.mean())))
        squared, absolute = float(np.mean(gap**2)), float(np.mean(np.abs(gap)))
    tiny = 1e-300
    return min(squared / max(variance, tiny), _WORST), min(absolute / max(deviation, tiny), _WORST)
