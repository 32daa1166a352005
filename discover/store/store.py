"""`Store`: runs and what they found. Rows are added, never edited; the end of a run is a row of its own."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from discover.store.database import Database
from discover.store.identity import run_id
from discover.store.records import from_json, record, to_json

if TYPE_CHECKING:
    from discover.archive import Candidate


@dataclass(frozen=True)
class Run:
    """One `discover run`: what was asked, and how it ended ("" while it goes, or when it was killed)."""

    id: str
    task: str
    folder: str
    digest: str
    seed: int
    budget: str
    options: dict[str, Any]
    started: str
    versions: dict[str, str]
    ended: str = ""
    status: str = ""
    candidates: int = 0


@dataclass(frozen=True)
class Candidacy:
    """A candidate as stored: plain values, so that reading a run needs neither its task nor its laws."""

    number: int
    formula: str
    recipe: str
    key: str
    proposer: str
    parents: tuple[int, ...] = ()
    complexity: int | None = None
    validation: Any = field(default_factory=dict)
    status: str = "ok"
    seconds: float | None = None

    @classmethod
    def of(cls, candidate: Candidate) -> Candidacy:
        """What is kept of a candidate: all but the predictions that validation compared."""
        kept = ("score", "r2", "nmse", "in_sample", "far", "parameters", "cost", "converged")
        judged = candidate.validation
        return cls(
            number=candidate.number,
            formula=str(candidate.law),
            recipe=candidate.recipe.text,
            key=candidate.key,
            proposer=candidate.proposer,
            parents=tuple(candidate.parents),
            complexity=candidate.complexity,
            validation={} if judged is None else {name: getattr(judged, name) for name in kept},
            status=candidate.status,
            seconds=candidate.seconds,
        )


@dataclass(frozen=True)
class Opening:
    """One look at a task's held-out rows."""

    run: str
    opened: str
    what: str


class Store:
    """The store at `path`; `create` makes a missing one, otherwise a missing one is a StoreError.

    Raises:
        StoreError: Missing, foreign, damaged or newer files, and refused writes; the message names the file.
    """

    def __init__(self, path: Path | str, *, create: bool = False) -> None:
        self.path = Path(path)
        self._database = Database(self.path, create=create)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._database.close()

    # what a run writes

    def start_run(
        self, *, task: str, folder: Path, digest: str, seed: int, budget: str, options: Mapping[str, Any]
    ) -> str:
        """The new run's id."""
        run = run_id()
        asked = (task, str(folder), digest, seed, budget, to_json(options))
        with self._database.writing() as db:
            values = (run, *asked, _now(), to_json(_versions()))
            db.execute("INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?)", values)
        return run

    def add_candidates(self, run: str, candidates: Iterable[Candidacy]) -> None:
        """All of them in one transaction; a number that the run already has is refused."""
        values = [
            (run, c.number, c.formula, c.recipe, c.key, c.proposer, to_json(c.parents), c.complexity,
             to_json(c.validation), c.status, c.seconds)
            for c in candidates
        ]  # fmt: skip
        with self._database.writing() as db:
            db.executemany("INSERT INTO candidates VALUES (?,?,?,?,?,?,?,?,?,?,?)", values)

    def add_opening(self, run: str, what: str) -> None:
        """To be called before the held-out rows are read."""
        values = (run, _now(), what)
        with self._database.writing() as db:
            db.execute("INSERT INTO held_out_openings (run, opened, what) VALUES (?,?,?)", values)

    def add_rows(self, run: str, task: str, rows: Sequence[Any]) -> None:
        """The leaderboard of `run`, best first; a run has one. A row has at least law, origin and formula."""
        records = [record(row) for row in rows]
        values = [
            (run, position, task, r.get("rank"), r["law"], r["origin"], r["formula"], to_json(r))
            for position, r in enumerate(records)
        ]
        with self._database.writing() as db:
            db.executemany("INSERT INTO leaderboard_rows VALUES (?,?,?,?,?,?,?,?)", values)

    def end_run(self, run: str, status: str) -> None:
        """`status`: "complete", "interrupted", or what failed."""
        with self._database.writing() as db:
            db.execute("INSERT INTO run_ends VALUES (?,?,?)", (run, _now(), status))

    # what is read back

    def runs(self, task: str | None = None) -> tuple[Run, ...]:
        """All runs, or those of one task; the newest first."""
        with self._database.reading() as db:
            found = db.execute(
                """SELECT id, task, folder, digest, seed, budget, options, started, versions,
                          coalesce(ended, ''), coalesce(status, ''),
                          (SELECT count(*) FROM candidates WHERE run = runs.id)
                   FROM runs LEFT JOIN run_ends ON run_ends.run = runs.id
                   WHERE ?1 IS NULL OR task = ?1 ORDER BY started DESC, runs.rowid DESC""",
                (task,),
            ).fetchall()
        return tuple(Run(*(from_json(v) if i in (6, 8) else v for i, v in enumerate(r))) for r in found)

    def candidates(self, run: str) -> tuple[Candidacy, ...]:
        """The candidates of `run` by number."""
        with self._database.reading() as db:
            found = db.execute(
                """SELECT number, formula, recipe, key, proposer, complexity, status, seconds,
                          parents, validation
                   FROM candidates WHERE run = ? ORDER BY number""",
                (run,),
            ).fetchall()
        names = ("number", "formula", "recipe", "key", "proposer", "complexity", "status", "seconds")
        return tuple(
            Candidacy(
                **dict(zip(names, r[:8], strict=True)),
                parents=tuple(from_json(r[8])),
                validation=from_json(r[9]),
            )
            for r in found
        )

    def rows(self, *, run: str | None = None, task: str | None = None) -> tuple[dict[str, Any], ...]:
        """Leaderboard rows as they were added: newest run first, each leaderboard from its best row down."""
        with self._database.reading() as db:
            found = db.execute(
                """SELECT r.run, r.task, record FROM leaderboard_rows AS r JOIN runs ON runs.id = r.run
                   WHERE (?1 IS NULL OR r.run = ?1) AND (?2 IS NULL OR r.task = ?2)
                   ORDER BY runs.started DESC, runs.rowid DESC, position""",
                (run, task),
            ).fetchall()
        return tuple({**from_json(text), "run": of_run, "task": of_task} for of_run, of_task, text in found)

    def openings(self, run: str | None = None) -> tuple[Opening, ...]:
        with self._database.reading() as db:
            found = db.execute(
                """SELECT run, opened, what FROM held_out_openings
                   WHERE ?1 IS NULL OR run = ?1 ORDER BY number""",
                (run,),
            ).fetchall()
        return tuple(Opening(*r) for r in found)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _versions() -> dict[str, str]:
    """What a result may depend on: discover, Python, NumPy."""
    versions = {"python": platform.python_version()}
    for name in ("discover-scaling-laws", "numpy"):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "unknown"
    return versions
