"""How wide a band must be, learnt from the folds: what was held back says how far laws of this task miss.

A band of sqrt(noise^2 + parameters^2 + laws^2) knows nothing of a law that is wrong beyond its data. On folds the
misses are seen; their quantile, in units of that width and among rows at a like distance beyond the data, is the
factor (split conformal prediction with localised weights: Lei et al. 2018; Guan 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from discover.intervals.ensemble import Ensemble, Parts
from discover.scoring import folds_of

if TYPE_CHECKING:
    from discover.intervals.tied import FittedForm
    from discover.task import Task

_MARGIN = 0.8  # of the misses allowed: a factor from few, shorter ladders is asked for 92 % where 90 % are promised
_NARROWEST = 0.85  # of the normal quantile: folds that a law fits by luck do not make its bands narrow
_NEAR = 0.1  # ranges of the scale axis: distances smaller than this are alike
_PLACES = 9  # distances at which the factor is worked out; between them it is interpolated
_MISSED = 1e6


@dataclass(frozen=True, eq=False)
class Misses:
    """What happened on one fold.

    Attributes:
        name: The fold.
        ratio: (row,) the miss over the uncalibrated standard deviation.
        distance: (row,) beyond the fold's training rows.
    """

    name: str
    ratio: np.ndarray
    distance: np.ndarray


def misses_on_folds(
    task: Task, tied: Sequence[tuple[FittedForm, float]], *, draws: int, rng: np.random.Generator
) -> tuple[Misses, ...]:
    """The laws refitted on each fold's training rows, and how far they miss what it holds back."""
    found = []
    for fold in folds_of(task):
        known, held = task.training.select(fold.training), task.training.select(fold.validation)
        ensemble = Ensemble.of(replace(task, training=known), tied, draws=draws, rng=rng)
        parts = ensemble.parts(held)
        gap = np.abs(ensemble.inside(held.target) - parts.centre)
        ratio = np.where(np.isfinite(gap), gap, np.inf) / width(parts)
        found.append(Misses(fold.name, np.minimum(ratio, _MISSED), parts.distance))
    return tuple(found)


def width(parts: Parts) -> np.ndarray:
    """Standard deviation (row,) of a prediction before calibration."""
    return np.sqrt(parts.noise**2 + parts.parameters**2 + parts.laws**2)


def factors(misses: Sequence[Misses], distance: np.ndarray, level: float) -> np.ndarray:
    """Half-widths (row,) in standard deviations, for rows at these distances; the normal quantile without folds."""
    from scipy.stats import norm

    normal = float(norm.ppf(0.5 + 0.5 * level))
    if not misses:
        return np.full(distance.shape, normal)
    ratio = np.concatenate([miss.ratio for miss in misses])
    seen = np.concatenate([miss.distance for miss in misses])
    order = np.argsort(ratio, kind="stable")
    wanted = 1.0 - _MARGIN * (1.0 - level)
    places = np.unique(np.linspace(np.sqrt(seen.min()), np.sqrt(seen.max()), _PLACES) ** 2)
    found = np.empty(len(places))
    for index, place in enumerate(places):
        alike = np.exp(-np.abs(np.log((seen + _NEAR) / (place + _NEAR))))[order]
        share = np.cumsum(alike) / alike.sum()
        found[index] = ratio[order][min(int(np.searchsorted(share, wanted)), len(ratio) - 1)]
    return np.interp(distance, places, np.maximum(found, _NARROWEST * normal))


def coverage_across_folds(misses: Sequence[Misses], level: float) -> dict[str, tuple[float, int]]:
    """For each fold the share of its rows inside the band whose factor the other folds gave, and how many rows."""
    found = {}
    for index, miss in enumerate(misses):
        others = [*misses[:index], *misses[index + 1 :]]
        inside = miss.ratio <= factors(others, miss.distance, level)
        found[miss.name] = (float(inside.mean()), len(inside))
    return found
