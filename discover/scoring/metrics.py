"""R2, NMSE and NMAE as SLDBench defines them: pooled over groups, per target, then the mean.

Source: Lin et al. 2026, arXiv 2507.21184.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from discover.task import Rows

_TINY = 1e-300
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


def score(rows: Rows, prediction: np.ndarray, training: Rows | None = None) -> Score:
    """Scores of predictions (row,) for rows of all groups and targets.

    Args:
        training: Rows with the same cells. Where the values to predict do not vary (a single row, such as the largest
            run of a group), errors are compared with the spread of these.
    """
    if prediction.shape != rows.target.shape:
        raise ValueError(f"prediction: shape {prediction.shape}, expected {rows.target.shape}, one value per row")
    nmse, nmae = pooled_errors(rows, prediction, training)
    groups = np.array([cell.group for cell in rows.cells])
    per_group = {
        group: 1.0 - pooled_errors(rows, prediction, training, groups == group)[0]
        for group in dict.fromkeys(groups[np.unique(rows.cell)].tolist())
    }
    return Score(1.0 - nmse, nmse, nmae, per_group)


def pooled_errors(
    rows: Rows, prediction: np.ndarray, training: Rows | None = None, among: np.ndarray | None = None
) -> tuple[float, float]:
    """NMSE and NMAE pooled over groups, mean over the targets that have rows.

    Args:
        training: As for `score`.
        among: (cell,) which cells count; None for all.
    """
    targets = np.array([cell.target for cell in rows.cells])
    found = []
    for name in dict.fromkeys(targets.tolist()):
        chosen = targets == name if among is None else (targets == name) & among
        mine = chosen[rows.cell]
        if mine.any():
            usual = None if training is None else training.target[chosen[training.cell]]
            found.append(errors(rows.target[mine], prediction[mine], usual))
    nmse, nmae = (float(np.mean(part)) for part in zip(*found, strict=True))
    return nmse, nmae


class PooledNmse:
    """The NMSE of `pooled_errors` for many predictions of the same rows: what none of them changes is computed once."""

    def __init__(self, rows: Rows) -> None:
        targets = np.array([cell.target for cell in rows.cells])[rows.cell]
        self._parts = []
        for name in dict.fromkeys(targets.tolist()):
            mine = np.flatnonzero(targets == name)
            own = rows.target[mine]
            self._parts.append((mine, own, float(np.var(own))))

    def __call__(self, prediction: np.ndarray) -> float:
        """NMSE of predictions (row,)."""
        return float(np.mean([_nmse(own, prediction[mine], variance) for mine, own, variance in self._parts]))


def errors(target: np.ndarray, prediction: np.ndarray, usual: np.ndarray | None = None) -> tuple[float, float]:
    """NMSE and NMAE of one target; huge where a prediction is not finite, or nothing varies and it is missed.

    Args:
        usual: Values of the same target, whose spread is taken where those to predict are all the same.
    """
    if not np.isfinite(prediction).all():
        return _WORST, _WORST
    with np.errstate(all="ignore"):
        measured = target if usual is None or np.ptp(target) > 0 else usual
        variance = float(np.var(measured))
        deviation = float(np.mean(np.abs(measured - measured.mean())))
        absolute = float(np.mean(np.abs(prediction - target)))
    return _nmse(target, prediction, variance), min(absolute / max(deviation, _TINY), _WORST)


def _nmse(target: np.ndarray, prediction: np.ndarray, variance: float) -> float:
    if not np.isfinite(prediction).all():
        return _WORST
    with np.errstate(all="ignore"):
        return min(float(np.mean((prediction - target) ** 2)) / max(variance, _TINY), _WORST)
