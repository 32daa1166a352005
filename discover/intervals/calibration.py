"""How wide a band must be, learnt from the folds: what was held back says how far laws of this task miss.

A band of sqrt(noise^2 + parameters^2 + laws^2) knows nothing of a law that is wrong beyond its data. On folds the
misses are seen; their quantile, in units of that width and among rows at a like distance beyond the data, is the
factor (split conformal prediction with localised weights: Lei et al. 2018; Guan 2023). The folds have chosen the law,
though, among hundreds: that it misses few settings by little may be luck. So they widen a band readily, and make it
narrower only as far as many settings warrant.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from discover.fitting import outliers_of, without
from discover.intervals.ensemble import Ensemble, Parts
from discover.scoring import folds_of

if TYPE_CHECKING:
    from discover.intervals.tied import FittedForm
    from discover.task import Task

_NEAR = 0.1  # ranges of the scale axis: distances smaller than this are alike
_PLACES = 9  # distances at which the factor is worked out; between them it is interpolated
_SURE = 1.6449  # standard deviations: confidence of 95 %
_BELIEF = 10.0  # settings that the band of the fit alone is worth
_MOST = 10.0  # half-widths: a law that misses by more has failed there, and by how much says nothing


@dataclass(frozen=True, eq=False)
class Misses:
    """What happened on one fold.

    Attributes:
        name: The fold.
        ratio: (row,) the miss over the uncalibrated standard deviation; infinite where nothing finite was predicted.
        distance: (row,) beyond the fold's training rows.
        setting: (row,) as `settings_of` gives: rows that err together, the same number in every fold.
        freedom: (row,) degrees of freedom of the noise.
    """

    name: str
    ratio: np.ndarray
    distance: np.ndarray
    setting: np.ndarray
    freedom: np.ndarray


def misses_on_folds(
    task: Task, tied: Sequence[tuple[FittedForm, float]], *, draws: int, rng: np.random.Generator
) -> tuple[Misses, ...]:
    """The laws refitted on each fold's training rows, and how far they miss what it holds back; a row that is set aside
    as an outlier judges no band, as it judges no law, unless a fold holds back nothing else."""
    found, setting = [], settings_of(task)
    wrong = outliers_of(task, task.training)
    for fold in folds_of(task):
        judging = without(fold.validation, wrong)
        known, held = task.training.select(fold.training), task.training.select(judging)
        ensemble = Ensemble.of(replace(task, training=known), tied, draws=draws, rng=rng)
        parts = ensemble.parts(held)
        gap = np.abs(ensemble.inside(held.target) - parts.centre)
        ratio = np.where(np.isfinite(gap), gap, np.inf) / width(parts)
        found.append(Misses(fold.name, ratio, parts.distance, setting[judging], parts.freedom))
    return tuple(found)


def settings_of(task: Task) -> np.ndarray:
    """The setting (row,) of each training row, counted from 0: rows of a cell with equal inputs are one."""
    return task.training.by_setting()[1]


def held_back(task: Task) -> int:
    """How many settings the folds of a task hold back between them."""
    held = np.zeros(task.training.n_rows, dtype=bool)
    for fold in folds_of(task):
        held |= fold.validation
    return task.training.select(held).n_settings


def width(parts: Parts) -> np.ndarray:
    """Standard deviation (row,) of a prediction before calibration."""
    return np.sqrt(parts.noise**2 + parts.parameters**2 + parts.laws**2)


def factors(misses: Sequence[Misses], distance: np.ndarray, level: float, freedom: np.ndarray | float) -> np.ndarray:
    """Half-widths (row,) in standard deviations, for rows at these distances.

    Student's quantile for the noise's degrees of freedom, times what the folds say: the quantile of the misses, each
    in units of the Student's quantile of its own fold. The row asked for is one setting more than those that were held
    back, and might be missed by more than any of them: of few settings the largest miss counts. One of them may be an
    outlier, though, so what n settings say counts n / (n + 10), in logarithms. Where the quantile is less than one, its
    upper limit by 95 % confidence stands in its place, and one where there is no such limit.

    Args:
        distance: (row,) beyond the data.
        freedom: (row,) or one for all, infinite for the normal quantile.

    Source: Tibshirani et al. 2019, Conformal prediction under covariate shift, eq. 7 (the weight of the row itself);
    Dunn, Wasserman and Ramdas 2022, Distribution-free prediction sets for two-layer hierarchical models (settings are
    what is exchangeable, not rows). What few settings count: Buehlmann 1967, Experience rating and credibility. The
    upper limit: Wilks 1941, Determination of sample sizes for setting tolerance limits, by the normal approximation,
    with Kish's number of settings for weights that differ.
    """
    from scipy.stats import t

    def student(freedom: np.ndarray | float) -> np.ndarray:
        return np.asarray(t.ppf(0.5 + 0.5 * level, freedom))

    nominal = np.broadcast_to(student(freedom), distance.shape)
    if not misses:
        return nominal.copy()
    ratio = np.minimum(np.concatenate([miss.ratio / student(miss.freedom) for miss in misses]), _MOST)
    seen = np.concatenate([miss.distance for miss in misses])
    each = len(ratio) / len(np.unique(np.concatenate([miss.setting for miss in misses])))  # misses of one setting
    order = np.argsort(ratio, kind="stable")
    places = np.unique(np.linspace(np.sqrt(seen.min()), np.sqrt(seen.max()), _PLACES) ** 2)
    found = np.empty(len(places))
    for index, place in enumerate(places):
        alike = np.exp(-np.abs(np.log((seen + _NEAR) / (place + _NEAR))))[order]
        n_settings = alike.sum() ** 2 / (alike**2).sum() / each
        surely = level + _SURE * np.sqrt(level * (1.0 - level) / n_settings)
        share = np.cumsum(alike) / alike.sum()
        at = [int(np.searchsorted(share, part)) for part in (level * (1.0 + each / alike.sum()), surely)]
        likely, upper = (ratio[order][min(first, len(ratio) - 1)] for first in at)
        if likely > 1.0:
            found[index] = likely ** (n_settings / (n_settings + _BELIEF))
        else:
            found[index] = min(upper, 1.0) if surely < 1.0 else 1.0
    return nominal * np.interp(distance, places, found)


def coverage_across_folds(misses: Sequence[Misses], level: float) -> dict[str, tuple[float, int]]:
    """For each fold the share of its rows inside the band whose factor the other folds gave, and how many rows."""
    found = {}
    for index, miss in enumerate(misses):
        others = [*misses[:index], *misses[index + 1 :]]
        inside = miss.ratio <= factors(others, miss.distance, level, miss.freedom)
        found[miss.name] = (float(inside.mean()), len(inside))
    return found
