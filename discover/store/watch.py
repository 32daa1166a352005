"""Looking at a store while others write it: a connection that cannot change anything, and queries that read little.

In: the path of a store. Out: what is new since the last look. Stays out: writing, upgrading an older store, and whole
runs: of thousands of candidates only those asked for are read.
"""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from discover.errors import StoreError
from discover.store.arrays import unpack
from discover.store.database import APPLICATION
from discover.store.lock import is_held
from discover.store.migrations import MIGRATIONS
from discover.store.records import from_json
from discover.store.store import Batch

MOST_AT_ONCE = 500  # candidates
_PATIENCE_SECONDS = 2.0
_COLUMNS = "number, formula, recipe, proposer, complexity, status, parents, validation, arrays"


@dataclass(frozen=True)
class Found:
    """A candidate of a run as a screen shows it; `parameters` (cell, parameter) is None where it failed early."""

    number: int
    formula: str
    recipe: str
    proposer: str
    complexity: int | None
    status: str
    parents: tuple[int, ...]
    validation_r2: float | None
    parameters: Any


@dataclass(frozen=True)
class RunNow:
    """The newest run of a task.

    Attributes:
        ended: Its status; "" while it goes, or when it was killed.
        going: Whether a process is at work on it.
        batch: What its last batch left behind; None before the first.
        failures: Reason -> candidates so far.
    """

    id: str
    task: str
    folder: str
    seed: int
    budget: str
    started: str
    ended: str
    going: bool
    batch: Batch | None
    failures: Mapping[str, int] = field(default_factory=dict)


class Watch:
    """The store at `path`, to look at.

    Raises:
        StoreError: Missing, foreign, damaged files, and stores of another version than this discover writes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._scored: dict[str, dict[int, float | None]] = {}
        self._failed: dict[str, tuple[int, Counter[str]]] = {}
        with self._errors():
            if not path.is_file():
                raise StoreError(f"{path}: no store there; make a run first, with: discover run TASK")
            uri = f"{path.resolve().as_uri()}?mode=ro"
            self._db = sqlite3.connect(uri, uri=True, timeout=_PATIENCE_SECONDS, isolation_level=None)
        try:
            with self._errors():
                if self._pragma("application_id") != APPLICATION:
                    raise StoreError(f"{path}: no store of discover; name another file with --store")
                version = self._pragma("user_version")
                if version != len(MIGRATIONS):
                    mend = "upgrade it with: discover runs"
                    if version > len(MIGRATIONS):
                        mend = "install a newer discover"
                    raise StoreError(f"{path}: a store of version {version}, expected {len(MIGRATIONS)}; {mend}")
        except BaseException:
            self._db.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: cannot be read ({error})") from error

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._errors():
            return self._db.execute(query, values).fetchall()

    def version(self) -> int:
        """A number that differs from the one before when another process has written."""
        with self._errors():
            return self._pragma("data_version")

    def tasks(self) -> dict[str, int]:
        """Task -> number of its runs; those run last come first."""
        found = self._all("SELECT task, count(*) FROM runs GROUP BY task ORDER BY max(started) DESC")
        return {str(task): int(count) for task, count in found}

    def leaderboard(self, task: str) -> tuple[dict[str, Any], ...]:
        """The newest leaderboard of `task`, best row first; empty where there is none."""
        found = self._all(
            """SELECT run, record FROM leaderboard_rows WHERE run = (
                   SELECT r.id FROM runs AS r WHERE r.task = ?
                   AND EXISTS (SELECT 1 FROM leaderboard_rows WHERE run = r.id)
                   ORDER BY r.started DESC, r.rowid DESC LIMIT 1)
               ORDER BY position""",
            task,
        )
        return tuple({**from_json(text), "run": run, "task": task} for run, text in found)

    def newest_run(self, task: str) -> RunNow | None:
        """How far the newest run of `task` has come."""
        found = self._all(
            """SELECT id, task, folder, seed, budget, started, coalesce(status, '')
               FROM runs LEFT JOIN run_ends ON run_ends.run = runs.id
               WHERE task = ? ORDER BY started DESC, runs.rowid DESC LIMIT 1""",
            task,
        )
        if not found:
            return None
        number, name, folder, seed, budget, started, ended = found[0]
        going = not ended and is_held(self.path, number)
        asked = str(number), str(name), str(folder), int(seed), str(budget), str(started), str(ended)
        return RunNow(*asked, going, self._last_batch(number), self._failures(number))

    def folder(self, run: str) -> str:
        """Where the task of `run` was; "" for a run that is not there."""
        found = self._all("SELECT folder FROM runs WHERE id = ?", run)
        return str(found[0][0]) if found else ""

    def _last_batch(self, run: str) -> Batch | None:
        found = self._all(
            """SELECT number, elapsed, candidates, shares, won, front FROM batches
               WHERE run = ? ORDER BY number DESC LIMIT 1""",
            run,
        )
        if not found:
            return None
        number, elapsed, candidates, shares, won, front = found[0]
        return Batch(number, elapsed, candidates, from_json(shares), from_json(won), tuple(from_json(front)))

    def _failures(self, run: str) -> dict[str, int]:
        """Counted on from where the last look ended."""
        seen, counted = self._failed.get(run, (0, Counter()))
        new = self._all("SELECT max(number) FROM candidates WHERE run = ?", run)[0][0] or 0
        if new > seen:
            counted = counted + Counter(
                dict(
                    self._all(
                        """SELECT status, count(*) FROM candidates
                           WHERE run = ? AND number > ? AND number <= ? AND status != 'ok' GROUP BY status""",
                        run, seen, new,
                    )
                )
            )  # fmt: skip
            self._failed[run] = (new, counted)
        return dict(counted.most_common())

    def found(self, run: str, numbers: Iterable[int]) -> tuple[Found, ...]:
        """The candidates of those numbers, in this order; numbers that are not there are left out."""
        wanted = list(dict.fromkeys(numbers))[:MOST_AT_ONCE]
        marks = ",".join("?" * len(wanted))
        rows = self._all(f"SELECT {_COLUMNS} FROM candidates WHERE run = ? AND number IN ({marks})", run, *wanted)
        by_number = {row[0]: _found(row) for row in rows}
        return tuple(by_number[number] for number in wanted if number in by_number)

    def best(self, run: str, most: int) -> tuple[Found, ...]:
        """The valid candidates with the best validation R2."""
        scored = self._scored.setdefault(run, {})  # counted on from where the last look ended
        for number, text in self._all(
            "SELECT number, validation FROM candidates WHERE run = ? AND number > ? AND status = 'ok'",
            run, max(scored, default=0),
        ):  # fmt: skip
            scored[number] = _r2(text)
        known = sorted((-r2, number) for number, r2 in scored.items() if r2 is not None)
        return self.found(run, [number for _, number in known[: min(most, MOST_AT_ONCE)]])

    def ancestors(self, run: str, parents: Iterable[int], generations: int) -> dict[int, Found]:
        """Number -> candidate, of the parents, their parents, and so on."""
        known: dict[int, Found] = {}
        wanted = set(parents)
        for _ in range(generations):
            fresh = self.found(run, sorted(wanted - set(known)))
            if not fresh:
                break
            known |= {one.number: one for one in fresh}
            wanted = {parent for one in fresh for parent in one.parents}
        return known


def _found(row: tuple[Any, ...]) -> Found:
    number, formula, recipe, proposer, complexity, status, parents, validation, blob = row
    parameters = unpack(blob).get("parameters") if blob else None
    parents = tuple(from_json(parents))
    return Found(number, formula, recipe, proposer, complexity, status, parents, _r2(validation), parameters)


def _r2(validation: str) -> float | None:
    r2 = from_json(validation).get("r2")
    return r2 if isinstance(r2, float) and not math.isnan(r2) else None
