"""The portfolio: each batch is divided among proposers by what each gained lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from discover.proposers.proposal import Proposal
from discover.proposers.proposer import Proposer

if TYPE_CHECKING:
    from discover.archive import Archive, Candidate

_FORGETS = 0.97  # per batch
_LEAST = 0.06  # no proposer falls below this share: what fails early may serve late


class Portfolio:
    """Shares between proposers, by elites won per candidate and effort, recent ones counting most.

    Args:
        proposers: Those that share the batches.
        openers: Those that are asked first of all, until they have no more, and have no share.

    Source: probability matching (Thierens 2005) with a floor.
    """

    def __init__(self, proposers: Sequence[Proposer], openers: Sequence[Proposer] = ()) -> None:
        self.proposers, self.openers = tuple(proposers), tuple(openers)
        self._won = dict.fromkeys((p.name for p in proposers), 1.0)
        self._asked = dict.fromkeys((p.name for p in proposers), 4.0)

    @property
    def repeats_itself(self) -> bool:
        """Whether all of its proposers do."""
        return all(p.repeats_itself for p in (*self.openers, *self.proposers))

    def shares(self) -> dict[str, float]:
        """Fraction of the next batch for each proposer."""
        rate = {p.name: self._won[p.name] / (self._asked[p.name] * p.effort) for p in self.proposers}
        total = sum(rate.values())
        room = 1.0 - _LEAST * len(rate)
        return {name: _LEAST + room * r / total for name, r in rate.items()}

    def ask(self, count: int, archive: Archive, rng: np.random.Generator) -> list[Proposal]:
        """`count` proposals that the archive does not know yet; their keys are reserved there."""
        shares = self.shares()
        names = list(shares)
        chance = np.array([shares[name] for name in names])
        by_name = {p.name: p for p in self.proposers}
        asked: list[Proposal] = []
        for opener in self.openers:
            while len(asked) < count and (opening := opener.ask(archive, rng)):
                self._reserve(opening, archive, asked)
        for _ in range(count * 30):
            if len(asked) == count:
                break
            first = not archive.elites
            name = (
                "families"
                if first and "families" in by_name
                else names[int(rng.choice(len(names), p=chance / chance.sum()))]
            )
            proposal = by_name[name].ask(archive, rng)
            if proposal is not None:
                self._reserve(proposal, archive, asked)
        return asked

    @staticmethod
    def _reserve(proposal: Proposal, archive: Archive, asked: list[Proposal]) -> None:
        """Adds a proposal to those asked for, unless the archive knows it."""
        if not archive.knows(proposal.key):
            archive.reserve(proposal.key)
            asked.append(proposal)

    def tell(self, candidates: Sequence[Candidate], entered: Sequence[Candidate], archive: Archive) -> None:
        """Credits proposers for the candidates that became elites, and tells each what became of its own."""
        for name in self._won:
            self._won[name] *= _FORGETS
            self._asked[name] *= _FORGETS
        for candidate in candidates:
            if candidate.proposer in self._asked:
                self._asked[candidate.proposer] += 1.0
        for candidate in entered:
            if candidate.proposer in self._won:
                self._won[candidate.proposer] += 1.0
        for name in self._won:
            self._won[name] = max(self._won[name], 0.05)
            self._asked[name] = max(self._asked[name], 1.0)
        for proposer in (*self.openers, *self.proposers):
            if own := [candidate for candidate in candidates if candidate.proposer == proposer.name]:
                proposer.tell(own, archive)

    def waits(self) -> bool:
        """Whether some proposer may have proposals later."""
        return any(proposer.waits() for proposer in self.proposers)

    def close(self) -> None:
        """Ends what the proposers started."""
        for proposer in (*self.openers, *self.proposers):
            proposer.close()
