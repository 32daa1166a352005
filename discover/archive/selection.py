"""The final choice: one law out of the finalists, by a rule fixed before any held-out row is opened.

The rule:

1. Only laws whose fit converged in every cell, and that stay finite and keep the sign of the data far outside it.
2. The finalists are ordered by fitness: mean log NMSE on the extrapolation folds, a little of the fit to all rows,
   complexity.
3. Consensus: of the best dozen, those whose predictions beyond the data lie further from their median than twice
   what is typical are set aside. A form that diverges cannot be seen by a fold inside the range; its neighbours see it.
4. The first that is left is the choice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from discover.archive.candidate import Candidate

RULE = "extrapolation folds + fit + complexity; outliers beyond the data set aside; the first that is left"
_JURY = 12
_TYPICAL = 2.0


@dataclass(frozen=True)
class Choice:
    """What the final round gave.

    Attributes:
        chosen: The one law.
        ranked: All usable finalists, the chosen one first, the others by fitness.
        set_aside: Numbers of those that consensus refused.
    """

    chosen: Candidate
    ranked: tuple[Candidate, ...]
    set_aside: tuple[int, ...]


def choose(
    finalists: Sequence[Candidate], fitness: Callable[[Candidate], float], n_inside: int
) -> Choice | None:
    """The choice among finalists; None where no law is usable.

    Args:
        finalists: Refitted candidates, all probed at the same places.
        fitness: What orders them, lower is better.
        n_inside: How many of the probes lie inside the data.
    """
    usable = sorted((c for c in finalists if c.ok and np.isfinite(c.score)), key=fitness)
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
