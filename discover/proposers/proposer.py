"""`Proposer`: what every source of laws is to the loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from discover.proposers.proposal import Proposal

if TYPE_CHECKING:
    from discover.archive import Archive, Candidate


class Proposer:
    """A source of laws, asked for one at a time and told what became of them.

    Attributes:
        name: What the portfolio, the store and the screens call it.
        repeats_itself: Whether the same archive, the same `rng` and the same candidates told give the same proposals. A
            killed run then goes on exactly as it would have; with a proposer that does not, its batches are taken
            from the store as they are.
        effort: What one of its candidates costs in all, in units of an assessment: a round figure, not a measurement of
            the run, so that shares do not depend on the machine.
    """

    name = ""
    repeats_itself = True
    effort = 1.0

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        """One proposal, or None where there is none to be had now. All chance comes from `rng`."""
        raise NotImplementedError

    def tell(self, candidates: Sequence[Candidate], archive: Archive) -> None:
        """What became of this proposer's own candidates of one batch; most proposers look at the archive instead."""

    def waits(self) -> bool:
        """Whether there may be proposals later though there is none now: so of those that another process makes."""
        return False

    def close(self) -> None:
        """The run is over: ends what the proposer started. May be called twice."""
