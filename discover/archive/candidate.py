"""`Candidate`: a law that was tried, with what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from discover.fitting import Recipe
from discover.law.expression import Call, walk
from discover.law.law import Law
from discover.scoring import Validation

OK = "ok"
_NATS = 3.0  # for each node of a formula
_BENDS = {"exp", "log", "sigmoid", "tanh", "min", "max"}  # functions that set islands apart
_BEST_FITS = 5  # one alone may leave little by its many parameters


@dataclass(frozen=True)
class Candidate:
    """One law × recipe of a run.

    Attributes:
        number: Its place in the run, counted from 1.
        law, recipe: What was fitted, and how.
        proposer: Where it came from: "families", "mutation", ...
        parents: Numbers of the candidates it was made from.
        status: "ok", or why it failed.
        validation: None where it failed before it was validated.
        seconds: Time that assessing took.
        population: Which of the run's populations it lives in, from 0.
    """

    number: int
    law: Law
    recipe: Recipe
    proposer: str
    parents: tuple[int, ...]
    status: str
    validation: Validation | None
    seconds: float = 0.0
    population: int = 0

    @property
    def ok(self) -> bool:
        return self.status == OK and self.validation is not None

    @property
    def score(self) -> float:
        """Validation score, lower is better; infinite where it failed."""
        return self.validation.score if self.ok and self.validation is not None else float("inf")

    @property
    def complexity(self) -> int:
        return self.law.complexity

    @cached_property
    def structure(self) -> str:
        """The island it lives on: the outermost shape of its law, what it is bent by, and the number of its inputs."""
        node = self.law.expression
        outer = node.function if isinstance(node, Call) else "symbol"
        inner = {n.function for n in walk(node) if isinstance(n, Call)} & _BENDS
        return f"{outer}/{'+'.join(sorted(inner))}/{len(self.law.inputs)}"

    @property
    def surplus(self) -> float:
        """What parameters cost on a small table, where luck wins folds: AIC's term for the log of the mean squared
        error (Akaike 1974), and four times the correction that AICc adds for few rows (Hurvich and Tsai 1989)."""
        n, k = self._sizes
        return 2 * k / n + 8 * k * (k + 1) / (n * (n - k - 1)) if n > k + 1 else 4.0 * k

    @property
    def description(self) -> float:
        """What a law's whole size costs in units of the log of the mean squared error; little where settings are many.

        Two parts: the length of its description, 3 nats for each node of the formula (one of about twenty symbols), of
        which n/2 make one unit (minimum description length, Rissanen 1978); and twice the correction that AICc adds for
        few rows (Hurvich and Tsai 1989)."""
        n, k = self._sizes
        few = 4 * k * (k + 1) / (n * (n - k - 1)) if n > k + 1 else 2.0 * k
        return few + 2 * _NATS * self.complexity / n

    @property
    def _sizes(self) -> tuple[float, float]:
        """The settings of all cells; the parameters of one cell and the noise."""
        assert self.validation is not None
        n_shared = len(self.recipe.shared)
        own = len(self.law.parameters) - n_shared + n_shared / len(self.validation.parameters)
        return self.validation.n_settings, own + 1

    @property
    def key(self) -> str:
        """The law's key with its recipe: the same law under another recipe is another candidate."""
        return f"{self.law.key} | {self.recipe.text}"

    @property
    def probes(self) -> np.ndarray:
        assert self.validation is not None
        return self.validation.probes

    @property
    def fingerprint(self) -> str:
        """A hash of the predictions at the probes: equal where they are equal to the last bit."""
        return hashlib.blake2b(np.ascontiguousarray(self.probes).tobytes(), digest_size=8).hexdigest()


def noise_of(candidates: Iterable[Candidate]) -> np.ndarray | float:
    """(fold,) how much the measurements scatter: the median of what the five best fits leave; 0 of no candidates."""
    validations = [c.validation for c in candidates if c.ok and c.validation is not None]
    best = sorted(validations, key=lambda v: v.in_sample)[:_BEST_FITS]
    return np.median([v.luck for v in best], axis=0) if best else 0.0
