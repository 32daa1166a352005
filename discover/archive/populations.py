"""Several archives of one run: populations that learn nothing of each other, so that one may doubt another.

In: assessed candidates, batch by batch. Out: the archive that a batch belongs to; what all of them hold together.

A long search of one population ends with many near copies of one form, which cannot contradict each other where they
are wrong. Populations that never exchange a law arrive at forms of their own, and what several of them say beyond the
data is worth more than what one says often.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from discover.archive.archive import Archive, pareto_front
from discover.archive.candidate import Candidate, noise_of

POPULATIONS = 4
_ALONE = 16  # batches that a population has for itself when it begins, before the next one does
_NOMINEES = 40  # of each population
_FITTEST = 10  # of them that come before the front


class Populations:
    """The archives of one run.

    Args:
        spread: As for `Archive`.
    """

    def __init__(self, spread: float | np.ndarray) -> None:
        self.archives = tuple(Archive(spread) for _ in range(POPULATIONS))
        self.count = 0

    @staticmethod
    def turn(batch: int) -> int:
        """Which population the batch of that number (from 1) belongs to, counted from 0: whatever the budget, first one
        after the other, so that a short search is spent on one, then by turns."""
        return (batch - 1) // _ALONE if batch <= POPULATIONS * _ALONE else (batch - 1) % POPULATIONS

    def of(self, batch: int) -> Archive:
        """The archive that the batch of that number belongs to; its `count` is that of the run."""
        archive = self.archives[self.turn(batch)]
        archive.count = self.count
        return archive

    def add(self, batch: int, candidates: Iterable[Candidate]) -> tuple[tuple[Candidate, ...], list[Candidate]]:
        """Takes in the candidates of a batch; returns them, told which population is theirs, and those that became
        elites."""
        archive, population = self.of(batch), self.turn(batch)
        own = tuple(replace(candidate, population=population) for candidate in candidates)
        entered = archive.add(own)
        self.count = archive.count
        return own, entered

    @property
    def elites(self) -> list[Candidate]:
        """Those of all populations, best first."""
        valued = [(archive.fitness(elite), elite) for archive in self.archives for elite in archive.elites]
        return [elite for _, elite in sorted(valued, key=lambda entry: entry[0])]

    def by_number(self) -> dict[int, Candidate]:
        """Number -> every elite and law of a hall of fame: what may have been nominated."""
        return {c.number: c for archive in self.archives for c in (*archive.hall.values(), *archive.elites)}

    @property
    def failures(self) -> Counter[str]:
        return sum((archive.failures for archive in self.archives), Counter())

    def best(self) -> Candidate | None:
        """The fittest of all."""
        bests = [(archive.fitness(best), best) for archive in self.archives if (best := archive.best())]
        return min(bests, key=lambda entry: entry[0])[1] if bests else None

    def pareto_front(self) -> tuple[Candidate, ...]:
        """Laws of all halls of fame that nothing beats on validation and complexity at once, simplest first."""
        noise = noise_of(elite for archive in self.archives for elite in archive.elites)
        return pareto_front((law for archive in self.archives for law in archive.hall.values()), noise)

    def nominees(self) -> list[Candidate]:
        """The candidates for the final round, the populations by turns, those that come first being worth the most."""
        return _by_turns([_nominees(archive) for archive in self.archives])

    def seconds(self) -> list[float]:
        """What assessing took of each of the fittest, as many of every population as it may nominate."""
        return [elite.seconds for archive in self.archives for elite in archive.elites[:_NOMINEES]]


def _nominees(archive: Archive) -> list[Candidate]:
    """Its fittest, then its Pareto front, then other elites; of one form at most two recipes."""
    found: list[Candidate] = []
    forms: Counter[str] = Counter()
    for candidate in [*archive.elites[:_FITTEST], *reversed(archive.pareto_front()), *archive.elites[_FITTEST:]]:
        if candidate not in found and forms[candidate.law.key] < 2:
            found.append(candidate)
            forms[candidate.law.key] += 1
        if len(found) == _NOMINEES:
            break
    return found


def _by_turns(several: Sequence[Sequence[Candidate]]) -> list[Candidate]:
    longest = max(map(len, several), default=0)
    return [own[place] for place in range(longest) for own in several if place < len(own)]
