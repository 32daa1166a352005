"""The final choice: one law out of the finalists, by a rule fixed before any held-out row is opened.

The rule:

1. Only laws whose fit converged in every cell and that behave outside the data: finite, of the sign of the data, not
   far from everything measured.
2. The finalists (at most two recipes of one form) are ordered by `order`: the mean of log NMSE over the extrapolation
   folds, 0.3 times the log NMSE of the fit to all rows, 0.004 for each unit of complexity.
3. Consensus: of the best dozen, those whose predictions beyond the data lie further from their median than twice what
   is typical are set aside. A form that diverges cannot be seen by a fold inside the range; its neighbours see it.
4. The first that is left is the choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from discover.archive.candidate import Candidate

RULE = (
    "mean log NMSE on extrapolation folds + 0.3 log NMSE of the fit + 0.004 complexity; "
    "of the 12 best, outliers beyond the data are set aside; the first that is left"
)
_JURY = 12
_TYPICAL = 2.0


@dataclass(frozen=True)
class Choice:
    """What the final round gave.

    Attributes:
        chosen: The one law.
        ranked: All usable finalists, the chosen one first, the others in order.
        set_aside: Numbers of those that consensus refused.
    """

    chosen: Candidate
    ranked: tuple[Candidate, ...]
    set_aside: tuple[int, ...]


def order(candidate: Candidate) -> float:
    """What the final round orders laws by, lower is better."""
    validation = candidate.validation
    if validation is None or not candidate.ok:
        return float("inf")
    inside = float(np.log(validation.in_sample + 1e-6))
    return validation.score + 0.3 * inside + 0.004 * candidate.complexity


def choose(finalists: Sequence[Candidate], n_inside: int) -> Choice | None:
    """The choice among finalists; None where no law is usable.

    Args:
        finalists: Refitted candidates, all probed at the same places.
        n_inside: How many of the probes lie inside the data.
    """
    usable = sorted((c for c in finalists if c.ok and np.isfinite(c.score)), key=order)
    ruly = [c for c in usable if c.validation is not None and not c.validation.far] or usable
    if not ruly:
        return None
    jury = ruly[:_JURY]
    beyond = np.array([c.probes[n_inside:] for c in jury])
    set_aside: tuple[int, ...] = ()
    chosen = jury[0]
    if len(jury) > 3 and beyond.shape[1]:
        middle = np.median(beyond, axis=0)
        distance = np.sqrt(np.mean((beyond - middle) ** 2, axis=1))
        limit = _TYPICAL * float(np.median(distance)) + 1e-12
        set_aside = tuple(c.number for c, d in zip(jury, distance, strict=True) if d > limit)
        chosen = next(c for c, d in zip(jury, distance, strict=True) if d <= limit)
    ranked = (chosen, *(c for c in usable if c is not chosen))
    return Choice(chosen, ranked, set_aside)
