"""PySR as a proposer: searches run in a worker process, and what they find competes as laws of the project's own.

The worker searches in one view of the rows after another, each search seeded with the archive's best laws. Its hall of
fame is read back as it grows; every equation becomes the family of laws that it belongs to and is fitted anew, like
any other proposal. With `reproducible` a search is waited for and a seed fixes what comes of it; otherwise `ask`
never waits.
"""

from __future__ import annotations

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.errors import DiscoverError, LawSyntaxError
from discover.law import parse
from discover.law.expression import ZERO, Call, Expression, Symbol, add, rename, symbols, walk
from discover.proposers.evolutionary import Evolutionary, Recipes
from discover.proposers.proposal import Proposal, is_sensible, tidy_law
from discover.proposers.pysr.coordinates import CELL, VIEWS, Coordinates
from discover.proposers.pysr.family import family_of
from discover.proposers.pysr.hall_of_fame import parts_of, rows_of
from discover.proposers.pysr.julia import is_offline, require
from discover.proposers.pysr.operators import from_julia, to_julia
from discover.proposers.pysr.process import Worker
from discover.proposers.pysr.settings import ROUND_SECONDS, settings_of

if TYPE_CHECKING:
    from discover.archive import Archive, Candidate
    from discover.law import Law
    from discover.task import Task

START_SECONDS = 300.0  # Julia compiles for a minute or two when PySR is new
INSTALL_SECONDS = 3_600.0  # the same, where juliapkg may download
GRACE_SECONDS = 60.0  # beyond a search's own time limit; the first search compiles what the others use
REPRODUCIBLE_SECONDS = 900.0  # of a search that counts iterations
_GUESSES = 12
_BETWEEN = 64  # candidates between two searches of a reproducible run
_MOST_BARREN = len(VIEWS)  # searches in a row that find nothing new, after which PySR has nothing more to say
_MOST_STARTS = 2


class PySR(Evolutionary):
    """Laws that PySR finds.

    Args:
        reproducible: Whether a search is waited for, on one thread, so that the seed fixes what it finds.
        alone: Whether no other proposer fills the time between two searches.
        environment: What the worker sees as its environment.
        limits: Seconds: `start`, `search`, `grace`; others than the usual ones for tests.

    Attributes:
        faults: What went wrong -> how often; the search goes on without.

    Raises:
        DiscoverError: PySR or Julia is missing or out of range; says what to do.
    """

    name = "pysr"

    def __init__(
        self,
        task: Task,
        recipes: Recipes,
        *,
        reproducible: bool = False,
        alone: bool = False,
        environment: Mapping[str, str] = os.environ,
        limits: Mapping[str, float] | None = None,
    ) -> None:
        require(environment)
        super().__init__(task, recipes)
        views = [Coordinates(task, view) for view in VIEWS]
        self._views = [view for view in views if view.is_distinct]
        self.repeats_itself = reproducible
        self._reproducible, self._alone, self._environment = reproducible, alone, dict(environment)
        start = START_SECONDS if is_offline(environment) else INSTALL_SECONDS
        usual = REPRODUCIBLE_SECONDS if reproducible else ROUND_SECONDS
        self._limits = {"start": start, "search": usual, "grace": GRACE_SECONDS, **(limits or {})}
        self._threads = max((os.cpu_count() or 2) // 2, 1)
        self.faults: Counter[str] = Counter()
        self._shown: Counter[str] = Counter()
        self._worker: Worker | None = None
        self._starts = 0
        self._ready = self._closed = False
        self._deadline = float("inf")
        self._search = 0  # number of the search that runs or ran last
        self._running = False
        self._gave: set[str] = set()  # keys of all laws so far
        self._found: deque[tuple[Law, dict[str, np.ndarray]]] = deque()
        self._barren = 0
        self._fresh = 0  # laws that the running search has given
        self._asked_at = -_BETWEEN
        self._last_text = ""

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        if not self._found and not self._closed:
            self._go_on(archive, rng)
            for reason, times in (self.faults - self._shown).items():
                archive.failures[f"pysr: {reason}"] += times
            self._shown = self.faults.copy()
        if not self._found:
            return None
        law, guess = self._found.popleft()
        return Proposal(law, self.recipes.draw(rng), self.name, (), guess)

    def waits(self) -> bool:
        """Whether laws may still come though there is none now."""
        if self._closed or self._barren >= _MOST_BARREN:
            return bool(self._found)
        # In a reproducible run a search comes every so many candidates: for the others', there is no waiting.
        return bool(self._found) or self._alone or not self._reproducible

    def close(self) -> None:
        self._closed = True
        self._end()

    def _go_on(self, archive: Archive, rng: np.random.Generator) -> None:
        if self._barren >= _MOST_BARREN:
            return
        if self._reproducible:
            if not self._alone and archive.count < self._asked_at + _BETWEEN:
                return
            self._asked_at = archive.count
            if self._started():
                self._begin(archive, rng)
                self._wait_for(lambda: not self._running)
            return
        if not self._started():
            return
        self._take(self._worker.events() if self._worker else [])
        if self._worker and time.monotonic() > self._deadline:
            self._fault("took longer than its time limit", restart=True)
        if self._worker and self._ready and not self._running:
            self._begin(archive, rng)

    def _started(self) -> bool:
        if self._worker is None and not self._closed:
            if self._starts >= _MOST_STARTS:
                self._give_up()
                return False
            self._starts += 1
            try:
                self._worker = Worker({"PYTHON_JULIACALL_THREADS": str(self._threads), **self._environment})
            except OSError as error:
                self._fault(f"the worker cannot be started: {error}", restart=False)
                return False
            self._deadline = time.monotonic() + self._limits["start"]
            if self._reproducible:
                self._wait_for(lambda: self._ready)
        return self._worker is not None

    def _wait_for(self, condition: Callable[[], bool]) -> None:
        while self._worker is not None and not condition():
            left = self._deadline - time.monotonic()
            if left <= 0:
                self._fault("took longer than its time limit", restart=True)
                return
            self._take(self._worker.events(min(left, 1.0)))

    def _begin(self, archive: Archive, rng: np.random.Generator) -> None:
        if self._worker is None:
            return
        coordinates = self._views[self._search % len(self._views)]
        self._search += 1
        seed = int(rng.integers(2**31 - 1))
        seconds = self._limits["search"]
        settings = settings_of(
            coordinates, self.cap, seed, reproducible=self._reproducible, threads=self._threads, seconds=seconds
        )
        settings |= {"output_directory": str(self._worker.folder), "run_id": f"search{self._search}"}
        guesses = guesses_of(archive.elites, coordinates, settings["maxsize"])
        job = {"search": self._search, "settings": settings, "template": coordinates.template(), "guesses": guesses}
        self._worker.send({**job, "table": coordinates.table()})
        self._running, self._fresh, self._last_text = True, 0, ""
        self._deadline = time.monotonic() + seconds + self._limits["grace"]

    def _take(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            kind = event["event"]
            if kind == "ready":
                self._ready, self._deadline = True, float("inf")
            elif kind == "ended":
                self._fault(f"the worker ended: {event['reason']}", restart=True)
            elif event["search"] not in (self._search, 0):
                continue
            elif kind == "hall_of_fame":
                self._last_text = event["csv"]
                if not self._reproducible:  # what is found on the way depends on the clock
                    self._read()
            elif kind == "finished":
                self._read()
                self._over()
            elif kind == "refused":
                self._fault(f"guesses refused: {event['reason']}", restart=False)
            elif kind == "failed" and event["search"] == 0:
                self._fault(event["reason"], restart=True)
            elif kind == "failed":
                self._fault(event["reason"], restart=False)
                self._over()

    def _over(self) -> None:
        self._running, self._deadline = False, float("inf")
        self._barren = 0 if self._fresh else self._barren + 1
        if self._barren >= _MOST_BARREN:
            self._end()  # it would only take time from the others

    def _read(self) -> None:
        """Queues the laws of the hall of fame that are new, those of least loss first."""
        coordinates = self._views[(self._search - 1) % len(self._views)]
        try:
            rows = rows_of(self._last_text)
        except LawSyntaxError as error:
            self.faults[str(error)] += 1
            return
        for row in sorted(rows, key=lambda r: (r.loss, r.complexity)):
            try:
                made = self.law_from(row.equation, coordinates)
            except LawSyntaxError as error:
                self.faults[str(error)[:120]] += 1
                continue
            if made is not None and made[0].key not in self._gave:
                self._gave.add(made[0].key)
                self._found.append(made)
                self._fresh += 1

    def law_from(self, equation: str, coordinates: Coordinates) -> tuple[Law, dict[str, np.ndarray]] | None:
        """The law that an equation of a hall of fame belongs to, and where its fit may start.

        Returns:
            The law, and exponent -> values (cell,); None where it is no sensible law of the task.

        Raises:
            LawSyntaxError: The equation is no formula over its columns.
        """
        text = from_julia(parts_of(equation).get("f", ""), coordinates.places)
        # The parser wants a parameter, which a formula of PySR need not have.
        spare = "spare"
        read = parse(f"{spare} + ({text})", coordinates.columns).expression
        tree = _without(read, spare)
        slots = {CELL: coordinates.slots[0]} if len(coordinates.slots) == 1 else {}
        tree = rename(tree, slots)
        known = {*coordinates.columns, *coordinates.slots}
        unknown = [n.name for n in walk(tree) if isinstance(n, Symbol) and n.name not in known]
        if unknown:
            raise LawSyntaxError(f"equation of PySR: unknown name {unknown[0]!r}")
        family, exponents = family_of(coordinates.in_task_units(tree), set(self.input_names), self.cap)
        if not set(symbols(family)) & set(self.input_names) or set(symbols(family)) <= set(self.input_names):
            return None
        law, renamed = tidy_law(family, self.input_names, {})
        if not is_sensible(law, self.cap):
            return None
        guess = {renamed[old]: np.full(coordinates.n_cells, v) for old, v in exponents.items() if old in renamed}
        return law, guess

    def _fault(self, reason: str, *, restart: bool) -> None:
        self.faults[reason] += 1
        if restart:
            self._end()

    def _end(self) -> None:
        worker, self._worker = self._worker, None
        self._ready = self._running = False
        self._deadline = float("inf")
        if worker is not None:
            worker.close()

    def _give_up(self) -> None:
        self._closed = True
        if self._alone and not self._gave:
            reason = next(iter(self.faults), "it said nothing")
            raise DiscoverError(f"PySR found nothing: {reason}; see what is missing with: discover doctor")


def guesses_of(elites: list[Candidate], coordinates: Coordinates, maxsize: int) -> list[Any]:
    """The best laws as PySR's `guesses`: strings, or for a template its parts with the values of each slot."""
    guesses: list[Any] = []
    for candidate in elites[: 4 * _GUESSES]:
        if len(guesses) == _GUESSES or candidate.validation is None:
            break
        made = coordinates.guess(candidate.law, candidate.validation.parameters)
        if made is None or sum(1 for _ in walk(made[0])) > maxsize:
            continue
        expression, values = made
        if not coordinates.slots:
            text = to_julia(expression, coordinates.functions)
            if text is not None and text not in guesses:
                guesses.append(text)
            continue
        places = {name: f"#{i + 1}" for i, name in enumerate(coordinates.places)}
        text = to_julia(rename(expression, places), coordinates.functions)
        if text is not None:
            guesses.append({"f": text, **values})
    return guesses


def _without(node: Expression, name: str) -> Expression:
    """The sum without its first term, which is the symbol `name`; nothing beside it is zero."""
    if node == Symbol(name):
        return ZERO
    if not isinstance(node, Call) or node.function != "add" or node.arguments[0] != Symbol(name):
        raise LawSyntaxError("equation of PySR: its brackets do not match")
    return add(*node.arguments[1:])


__all__ = ["PySR", "guesses_of"]
