"""`Bands`: predictions with a lower and an upper end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discover.errors import FitError
from discover.intervals.calibration import Misses, coverage_across_folds, factors, held_back, misses_on_folds, width
from discover.intervals.ensemble import Ensemble
from discover.intervals.tied import FittedForm, near_tied

if TYPE_CHECKING:
    from discover.task import Rows, Task

DRAWS, FOLD_DRAWS = 100, 40
_REACH = 1.5  # times the furthest distance of the folds; beyond it nothing was measured


@dataclass(frozen=True, eq=False)
class Band:
    """Predictions of new measurements.

    Attributes:
        centre, lower, upper: (row,) in the target's unit.
        level: The share of new measurements that the band is made to hold.
        measured: (row,) whether folds reached about as far beyond the data as the row lies.
    """

    centre: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    level: float
    measured: np.ndarray


@dataclass(frozen=True, eq=False)
class Bands:
    """A law's predictions with the doubt about them: noise, parameters, near-tied laws, and misses on folds."""

    ensemble: Ensemble
    misses: tuple[Misses, ...]

    @property
    def reach(self) -> float:
        """The furthest distance beyond the data, in ranges of a scale axis, at which folds measured misses."""
        return max((float(miss.distance.max()) for miss in self.misses), default=0.0)

    def predict(self, rows: Rows, level: float = 0.9) -> Band:
        """The band for rows of the task's cells; their targets are not read.

        Raises:
            FitError: A level outside 0.5 to 0.99.
        """
        if not 0.5 <= level <= 0.99:
            raise FitError(f"level: {level:g}; expected 0.5 to 0.99, such as 0.9 for a 90 % band")
        parts = self.ensemble.parts(rows)
        half = factors(self.misses, parts.distance, level, parts.freedom) * width(parts)
        outside = self.ensemble.outside
        measured = parts.distance <= _REACH * self.reach + 1e-12
        return Band(outside(parts.centre), outside(parts.centre - half), outside(parts.centre + half), level, measured)

    def coverage(self, level: float = 0.9) -> dict[str, tuple[float, int]]:
        """Fold -> share of its held-back rows inside the band that the other folds gave, and their number."""
        return coverage_across_folds(self.misses, level)


def bands_of(
    task: Task,
    main: FittedForm,
    others: Sequence[FittedForm] = (),
    *,
    rng: np.random.Generator,
    draws: int = DRAWS,
    calibrate: bool = True,
    refit: bool = False,
) -> Bands:
    """Bands around the main law on the task's training rows.

    Args:
        main: The law, with its parameters on all training rows.
        others: Laws of the same run; those that validation puts near the main one widen the band where they disagree.
        draws: Refits of the main law on resampled clusters.
        refit: Fit the laws to the task's training rows anew, their parameters being those of other rows.
        calibrate: Learn the factor from the folds; without it Student's quantile is taken.
    """
    tied = near_tied(main, others, held_back(task))
    ensemble = Ensemble.of(task, tied, draws=draws, rng=rng, refit=refit)
    misses = misses_on_folds(task, tied, draws=FOLD_DRAWS, rng=rng) if calibrate else ()
    return Bands(ensemble, misses)
