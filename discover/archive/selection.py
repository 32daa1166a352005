"""The final choice: one law out of the finalists, by a rule fixed before any held-out row is opened.

The rule:

1. Only laws whose fit converged in every cell and that behave outside the data: finite, of the sign of the data, as
   the source says. A law that soon leaves everything measured far behind must be a hundred times better than one that
   does not: some targets do so.
2. The finalists (at most two recipes of one form) are ordered by `order`: 0.8 times the mean of log NMSE over the
   extrapolation folds, the noise added to each, and as much of what the fit to all rows leaves of the rows that each
   fold holds back (of all settings where these are under 32): a law may serve large scales alone, and its recipe drop
   the others. To what a fit leaves is added by what the means of repeated measurements may be off (`Yardstick`). To it
   come 0.004 for each unit of complexity, and what size costs on so few settings: the law's description length and
   AICc's correction twice (`Candidate.description`). The noise is what the five finalists that fit best leave of the
   rows that the fold holds back, their median, 4/m of it where these are m > 4 settings: of thousands of laws some miss
   a few rows by less, by luck.
3. Consensus within a population: of its best twenty, none more than a factor of ten behind the first, those are set
   aside whose predictions, on the data and beyond it, lie four times farther from their median than is usual among the
   twenty. The first of the others stands for the population. A form that diverges cannot be seen by a fold inside the
   range; its neighbours see it.
4. Consensus between populations, where there are several: of those that stand for one, none more than a factor of ten
   behind the first, the lowest with log(0.3 + distance) added to the order is chosen, the distance being that from the
   median of their predictions, in what they usually differ by. Neighbours may be copies of one form; populations that
   learned nothing of each other are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discover.archive.candidate import Candidate, noise_of
from discover.scoring.validation import FAR_BEHIND

RULE = (
    "0.8 mean log (NMSE + noise) on extrapolation folds + 0.8 mean log (NMSE + scatter of repeats) of the fit to all "
    "rows on what the folds hold back (on all settings where n < 32) + (0.004 + 6/n) complexity + 4k(k+1)/(n(n-k-1)), "
    "+ log 100 if it leaves all measured values far behind; "
    "of the best 20 of a population the first that lies no more than 4 times farther than usual from their median "
    "prediction on the data and beyond; of the populations' the lowest with + log (0.3 + distance from their median in "
    "what they usually differ by)"
)
_JURY = 20
_BEHIND = float(np.log(10.0))  # ten times the NMSE: many poor laws must not outvote the one good one
_FARTHER = 4.0  # times the usual distance from the median
_NEAR = 0.3  # of the usual distance between populations: less hardly counts
_WILD = float(np.log(100.0))  # the price of leaving all measured values far behind
_ALIKE = 0.001  # of the spread of the predictions on the data: a disagreement within a population below it is none
_AGREED = 0.01  # the same between populations


@dataclass(frozen=True)
class Choice:
    """What the final round gave.

    Attributes:
        chosen: The one law.
        ranked: All usable finalists, the chosen one first, the others in order; what several populations found, once.
        noise: (fold,) of the measurements (NMSE), by the finalists that fit best.
    """

    chosen: Candidate
    ranked: tuple[Candidate, ...]
    noise: np.ndarray | float


def order(candidate: Candidate, noise: np.ndarray | float) -> float:
    """What the final round orders laws by, lower is better; `noise` as in `Choice`."""
    validation = candidate.validation
    if validation is None or not candidate.ok:
        return float("inf")
    wild = _WILD if validation.far == FAR_BEHIND else 0.0
    errors = validation.sober_score(noise) + validation.inside
    return 0.8 * errors + 0.004 * candidate.complexity + candidate.description + wild


def choose(finalists: Sequence[Candidate]) -> Choice | None:
    """The choice among finalists; None where no law is usable.

    Args:
        finalists: Refitted candidates, all probed at the same places.
    """
    usable = [c for c in finalists if c.ok and np.isfinite(c.score)]
    noise = noise_of(usable)
    usable.sort(key=lambda c: order(c, noise))
    ruly = [c for c in usable if c.validation is not None and c.validation.far in ("", FAR_BEHIND)]
    ruly = ruly or [c for c in usable if np.isfinite(c.probes).all()]
    if not ruly:  # what has no value beyond the data cannot be compared with its peers there
        return Choice(usable[0], tuple(usable), noise) if usable else None
    least = order(ruly[0], noise) + _BEHIND
    elected = [_elected(own, noise) for own in _by_population(ruly)]
    near = [c for c in elected if order(c, noise) <= least]
    distances = _distances(near, _AGREED)
    chosen = min(zip(near, distances, strict=True), key=lambda c: order(c[0], noise) + np.log(_NEAR + c[1]))[0]
    first: dict[str, Candidate] = {}
    for candidate in (chosen, *usable):
        first.setdefault(candidate.key, candidate)
    return Choice(chosen, tuple(first.values()), noise)


def _by_population(ordered: Sequence[Candidate]) -> list[list[Candidate]]:
    """The same in the same order, those of each population by themselves."""
    apart: dict[int, list[Candidate]] = {}
    for candidate in ordered:
        apart.setdefault(candidate.population, []).append(candidate)
    return list(apart.values())


def _elected(ordered: Sequence[Candidate], noise: np.ndarray | float) -> Candidate:
    """The first of a population that its peers do not contradict."""
    jury = [c for c in ordered[:_JURY] if order(c, noise) <= order(ordered[0], noise) + _BEHIND]
    distances = _distances(jury, _ALIKE)
    limit = _FARTHER * max(float(np.median(distances)), 1.0)
    return next(c for c, far in zip(jury, distances, strict=True) if far <= limit)


def _distances(jury: Sequence[Candidate], alike: float) -> np.ndarray:
    """(juror,) how far the predictions of each lie from their median, the mean over the places, in units of the jury's
    own disagreement at each place, so that no far place outweighs all others.

    Args:
        alike: The part of the spread of the predictions below which a disagreement is none.
    """
    predictions = np.array([c.probes for c in jury])
    middle = np.median(predictions, axis=0)
    gap = np.abs(predictions - middle)
    unit = np.median(gap, axis=0) + alike * float(np.std(middle)) + 1e-300
    return np.mean(gap / unit, axis=1)
