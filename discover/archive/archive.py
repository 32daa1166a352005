"""What a population keeps: every key it met, the best laws of each structure, and the Pareto front.

In: assessed candidates. Out: parents for the next ones, the front, bars for racing. It has no policy about where
formulas come from, and never sees a held-out row.
"""

from __future__ import annotations

import bisect
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from discover.archive.candidate import OK, Candidate, noise_of

_PER_ISLAND = 24
_ELITES = 240
_UNRULY = 2.0  # a factor of seven in NMSE, for a law that misbehaves beyond the data
_SAME = 1e-3  # of the target's spread: predictions this close on all probes are one function


def _merit(candidate: Candidate, noise: np.ndarray | float) -> float:
    """What the hall and the front go by, lower is better: validation beside the noise, worse for a law that misbehaves
    far away."""
    validation = candidate.validation
    if not candidate.ok or validation is None:
        return float("inf")
    return validation.sober_score(noise) + (_UNRULY if validation.far else 0.0)


def pareto_front(candidates: Iterable[Candidate], noise: np.ndarray | float) -> tuple[Candidate, ...]:
    """Those that no other beats on validation, the noise (fold,) added to each error, and complexity at once, simplest
    first."""
    front: list[Candidate] = []
    best = float("inf")
    for merit, candidate in sorted(((_merit(c, noise), c) for c in candidates), key=lambda m: (m[1].complexity, m[0])):
        if merit < best - 1e-9:
            front.append(candidate)
            best = merit
    return tuple(front)


@dataclass(eq=False)
class Archive:
    """The memory of one population of a run.

    Attributes:
        spread: Standard deviation of the training target, the yardstick for "the same predictions"; one for each probe
            where targets have units of their own.
        penalty: What one unit of complexity costs in units of score.
        elites: The fittest, at most so many of one island, best first.
        hall: The hall of fame: complexity -> the best law of that size ever met, whatever became of it since.
        count: Candidates assessed so far; with several populations, in all of the run (`Populations.of`).
        noise: (fold,) of the measurements, by the elites that fit best; renewed before each batch is taken in.
    """

    spread: float | np.ndarray
    penalty: float = 0.004
    elites: list[Candidate] = field(default_factory=list)
    hall: dict[int, Candidate] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    count: int = 0
    noise: np.ndarray | float = 0.0
    _keys: set[str] = field(default_factory=set)
    _prints: dict[bytes, Candidate] = field(default_factory=dict)

    def fitness(self, candidate: Candidate) -> float:
        """What selection goes by, lower is better: validation beside the noise, a little of the fit itself, and
        complexity."""
        validation = candidate.validation
        if not candidate.ok or validation is None:
            return float("inf")
        simple = self.penalty * candidate.complexity + 0.5 * candidate.surplus
        return _merit(candidate, self.noise) + 0.15 * validation.inside + simple

    def knows(self, key: str) -> bool:
        return key in self._keys

    def reserve(self, key: str) -> None:
        """Marks a key as asked for, so that nobody asks again while it is being assessed."""
        self._keys.add(key)

    def add(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Takes in candidates; returns those that became elites."""
        entered = []
        self.noise = noise_of(self.elites)
        self.elites.sort(key=self.fitness)
        for candidate in candidates:
            self.count += 1
            self._keys.add(candidate.key)
            if not candidate.ok or not np.isfinite(candidate.score):
                self.failures[candidate.status if candidate.status != OK else "poor fit"] += 1
                continue
            holder = self.hall.get(candidate.complexity)
            if holder is None or _merit(candidate, self.noise) < _merit(holder, self.noise):
                self.hall[candidate.complexity] = candidate
            if self._enter(candidate):
                entered.append(candidate)
        return entered

    def _enter(self, candidate: Candidate) -> bool:
        value = self.fitness(candidate)
        mark = np.round(candidate.probes / (_SAME * self.spread)).astype(np.float64).tobytes()
        twin = self._prints.get(mark)
        if twin is not None:
            if self.fitness(twin) <= value:
                self.failures["same predictions as another"] += 1
                return False
            self.elites.remove(twin)
        mates = [e for e in self.elites if e.structure == candidate.structure]
        worst = max(mates, key=self.fitness, default=None)
        if len(mates) >= _PER_ISLAND and worst is not None:
            if self.fitness(worst) <= value:
                return self._refused(mark, twin)
            self._drop(worst)
        bisect.insort(self.elites, candidate, key=self.fitness)
        self._prints[mark] = candidate
        if len(self.elites) > _ELITES:
            last = self.elites[-1]
            self._drop(last)
            return last is not candidate
        return True

    def _refused(self, mark: bytes, twin: Candidate | None) -> bool:
        if twin is not None:
            del self._prints[mark]
        return False

    def _drop(self, candidate: Candidate) -> None:
        self.elites.remove(candidate)
        self._prints = {m: c for m, c in self._prints.items() if c is not candidate}

    def parent(self, rng: np.random.Generator) -> Candidate | None:
        """A tournament winner: among all elites, or now and then within one island."""
        if not self.elites:
            return None
        pool = self.elites
        if rng.random() < 0.4:
            island = self.elites[int(rng.integers(len(self.elites)))].structure
            pool = [e for e in self.elites if e.structure == island]
        picks = rng.integers(len(pool), size=min(5, len(pool)))
        return pool[int(picks.min())]

    def pareto_front(self) -> tuple[Candidate, ...]:
        """Laws of the hall that nothing beats on validation and complexity at once, simplest first."""
        return pareto_front(self.hall.values(), self.noise)

    def best(self) -> Candidate | None:
        return self.elites[0] if self.elites else None

    def survivor_bar(self, place: int = 40) -> float:
        """The score a newcomer must reach to be worth a thorough look."""
        if len(self.elites) < 4:
            return float("inf")
        scores = sorted(e.score for e in self.elites)
        return scores[min(place, len(scores) // 3)]

    def fit_bar(self) -> float:
        """The log NMSE of a fit above which folds are not worth their time."""
        if len(self.elites) < 20:
            return 0.0
        best = min(e.validation.best_fit for e in self.elites if e.validation)
        return float(max(np.log(30.0) + best, np.log(0.02)))
