"""`Store`: runs and what they found. Rows are added, never edited; the end of a run is a row of its own."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from discover.errors import StoreError
from discover.store.arrays import pack, unpack
from discover.store.database import Database
from discover.store.identity import run_id, versions
from discover.store.lock import held, is_held
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
    """A candidate as stored: plain values and arrays, so that reading a run needs neither its task nor its laws.

    Attributes:
        validation: What `Validation` holds, bit by bit, but for the predictions: of them a hash, for they follow from
            law and parameters.
        bounds: Of the parameters that have any.
    """

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
    bounds: Mapping[str, Sequence[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, candidate: Candidate) -> Candidacy:
        """What is kept of a candidate."""
        judged = candidate.validation
        validation: dict[str, Any] = {}
        if judged is not None:
            validation = {f.name: getattr(judged, f.name) for f in fields(judged) if f.name != "probes"}
            validation |= {"r2": judged.r2, "fingerprint": candidate.fingerprint}
        free = (float("-inf"), float("inf"))
        return cls(
            number=candidate.number,
            formula=str(candidate.law),
            recipe=candidate.recipe.text,
            key=candidate.key,
            proposer=candidate.proposer,
            parents=tuple(candidate.parents),
            complexity=candidate.complexity,
            validation=validation,
            status=candidate.status,
            seconds=candidate.seconds,
            bounds={name: pair for name, pair in candidate.law.bounds.items() if pair != free},
        )


@dataclass(frozen=True)
class Batch:
    """What a run looked like when a batch had been told.

    Attributes:
        number: Counted from 1.
        elapsed_seconds: Spent by the run so far, over all its resumptions.
        candidates: Assessed so far.
        shares: Proposer -> its share of the next batch.
        won: Proposer -> its candidates of this batch that became elites.
        front: Numbers of the candidates on the Pareto front, simplest first.
    """

    number: int
    elapsed_seconds: float
    candidates: int
    shares: Mapping[str, float]
    won: Mapping[str, int]
    front: tuple[int, ...]

    @classmethod
    def of(cls, generation: Any) -> Batch:
        front = tuple(candidate.number for candidate in generation.front)
        spent = generation.elapsed_seconds, generation.n_candidates
        return cls(generation.number, *spent, dict(generation.shares), dict(generation.won), front)


@dataclass(frozen=True)
class Gain:
    """What a proposer gave to a run.

    Attributes:
        candidates: That it was asked for.
        won: Of these, how many became elites.
        share: Of the next batch, at the end; 0 for one that only opened the search.
        on_front: Its laws on the Pareto front at the end.
        seconds: That assessing its candidates took, summed over workers.
        r2_gained: By how much its laws raised the best validation R2 of the run, which begins at 0; laws that misbehave
            beyond the data, which are not chosen, do not count.
        tokens, dollars: Of its calls, where it is a language model; `dollars` is None where a price was not known.
    """

    proposer: str
    candidates: int
    won: int
    share: float
    on_front: int
    seconds: float
    r2_gained: float = 0.0
    tokens: int = 0
    dollars: float | None = 0.0


@dataclass(frozen=True)
class Chosen:
    """The end of a search, written before the held-out rows are opened.

    Attributes:
        search: "complete" or "interrupted".
        ranked: The refitted finalists as stored, the chosen one first; only what refitting changed is filled in.
    """

    search: str
    ranked: tuple[Candidacy, ...]


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

    def working_on(self, run: str) -> AbstractContextManager[None]:
        """Meanwhile no other process may work on `run`; ResumeError when one does."""
        return held(self.path, run)

    def is_worked_on(self, run: str) -> bool:
        return is_held(self.path, run)

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """One transaction, for the other modules of this room."""
        return self._database.writing()

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        return self._database.reading()

    # what a run writes

    def start_run(
        self, *, task: str, folder: Path, digest: str, seed: int, budget: str, options: Mapping[str, Any]
    ) -> str:
        """The new run's id."""
        run = run_id()
        asked = (task, str(folder), digest, seed, budget, to_json(options))
        with self._database.writing() as db:
            values = (run, *asked, _now(), to_json(versions()))
            db.execute("INSERT INTO runs VALUES (?,?,?,?,?,?,?,?,?)", values)
        return run

    def add_candidates(self, run: str, candidates: Iterable[Candidacy]) -> None:
        """All of them in one transaction; a number that the run already has is refused."""
        values = [
            (run, c.number, c.formula, c.recipe, c.key, c.proposer, to_json(c.parents), c.complexity,
             *_split(c.validation), c.status, c.seconds, to_json(c.bounds) if c.bounds else None)
            for c in candidates
        ]  # fmt: skip
        with self._database.writing() as db:
            db.executemany(
                """INSERT INTO candidates (run, number, formula, recipe, key, proposer, parents, complexity, validation,
                                           arrays, status, seconds, bounds)
                   VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)""",
                values,
            )

    def add_batch(self, run: str, batch: Batch) -> None:
        """What a batch left behind; its candidates are added before."""
        told = to_json(batch.shares), to_json(batch.won), to_json(batch.front)
        with self._database.writing() as db:
            db.execute(
                "INSERT INTO batches VALUES (?,?,?,?,?,?,?)",
                (run, batch.number, batch.elapsed_seconds, batch.candidates, *told),
            )

    def add_choice(self, run: str, search: str, ranked: Iterable[Candidate]) -> None:
        """To be called before the held-out rows are opened: how the search ended, the chosen law and the others."""
        values = [
            (run, place, c.number, *_split(c.validation), c.status, c.seconds)
            for place, c in enumerate(map(Candidacy.of, ranked))
        ]
        with self._database.writing() as db:
            db.execute("INSERT INTO choices VALUES (?,?,?)", (run, _now(), search))
            db.executemany("INSERT INTO finalists VALUES (?,?,?,?,?,?,?)", values)

    def add_resumption(self, run: str) -> None:
        """To be called when a run is taken up again."""
        with self._database.writing() as db:
            db.execute(
                """INSERT INTO resumptions (run, resumed, candidates)
                   VALUES (?1, ?2, (SELECT count(*) FROM candidates WHERE run = ?1))""",
                (run, _now()),
            )

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

    def run(self, run: str) -> Run:
        """The run of that id; StoreError where there is none."""
        for found in self.runs():
            if found.id == run:
                return found
        raise StoreError(f"run {run!r}: not in {self.path}; see: discover runs")

    def gains(self, run: str) -> tuple[Gain, ...]:
        """What each proposer gave to `run`, those with the largest share first."""
        with self._database.reading() as db:
            found = db.execute(
                "SELECT proposer, count(*), total(seconds) FROM candidates WHERE run = ? GROUP BY proposer", (run,)
            ).fetchall()
            told = db.execute(
                "SELECT number, proposer, status, validation FROM candidates WHERE run = ? ORDER BY number", (run,)
            ).fetchall()
            paid = db.execute(
                """SELECT proposer, sum(tokens_in + tokens_out), iif(count(dollars) = count(*), sum(dollars), NULL)
                   FROM language_model_calls WHERE run = ? GROUP BY proposer""",
                (run,),
            ).fetchall()
        proposer_of = {number: proposer for number, proposer, *_ in told}
        rises: dict[str, float] = {}
        best = 0.0
        for _, proposer, status, validation in told:
            judged = from_json(validation) if status == "ok" else {}
            r2 = None if judged.get("far") else judged.get("r2")
            if isinstance(r2, float) and r2 > best:
                rises[proposer], best = rises.get(proposer, 0.0) + r2 - best, r2
        batches = self.batches(run)
        won, on_front = Counter[str](), Counter[str]()
        for batch in batches:
            won.update(batch.won)
        shares = batches[-1].shares if batches else {}
        if batches:
            on_front.update(proposer_of[number] for number in batches[-1].front)
        counted = {name: (count, seconds) for name, count, seconds in found}
        costs = {name: (tokens, dollars) for name, tokens, dollars in paid}
        gains = []
        for name in dict.fromkeys([*counted, *shares, *costs]):
            count, seconds = counted.get(name, (0, 0.0))
            given = won[name], shares.get(name, 0.0), on_front[name]
            gains.append(Gain(name, count, *given, seconds, rises.get(name, 0.0), *costs.get(name, (0, 0.0))))
        return tuple(sorted(gains, key=lambda gain: (-gain.share, gain.proposer)))

    def candidates(self, run: str) -> tuple[Candidacy, ...]:
        """The candidates of `run` by number."""
        with self._database.reading() as db:
            found = db.execute(
                """SELECT number, formula, recipe, key, proposer, complexity, status, seconds,
                          parents, validation, arrays, bounds
                   FROM candidates WHERE run = ? ORDER BY number""",
                (run,),
            ).fetchall()
        names = ("number", "formula", "recipe", "key", "proposer", "complexity", "status", "seconds")
        return tuple(
            Candidacy(
                **dict(zip(names, r[:8], strict=True)),
                parents=tuple(from_json(r[8])),
                validation=_joined(r[9], r[10]),
                bounds=from_json(r[11]) if r[11] else {},
            )
            for r in found
        )

    def batches(self, run: str) -> tuple[Batch, ...]:
        """What each batch of `run` left behind, in order."""
        with self._database.reading() as db:
            found = db.execute(
                """SELECT number, elapsed, candidates, shares, won, front
                   FROM batches WHERE run = ? ORDER BY number""",
                (run,),
            ).fetchall()
        return tuple(
            Batch(number, elapsed, candidates, from_json(shares), from_json(won), tuple(from_json(front)))
            for number, elapsed, candidates, shares, won, front in found
        )

    def choice(self, run: str) -> Chosen | None:
        """How the search of `run` ended and what it chose; None where it has not come so far."""
        with self._database.reading() as db:
            made = db.execute("SELECT search FROM choices WHERE run = ?", (run,)).fetchone()
            found = db.execute(
                """SELECT f.number, c.formula, c.recipe, c.key, c.proposer, f.status, f.seconds, f.validation, f.arrays
                   FROM finalists AS f JOIN candidates AS c ON c.run = f.run AND c.number = f.number
                   WHERE f.run = ? ORDER BY place""",
                (run,),
            ).fetchall()
        if made is None:
            return None
        names = ("number", "formula", "recipe", "key", "proposer", "status", "seconds")
        ranked = (Candidacy(**dict(zip(names, r[:7], strict=True)), validation=_joined(r[7], r[8])) for r in found)
        return Chosen(made[0], tuple(ranked))

    def resumptions(self, run: str) -> tuple[tuple[str, int], ...]:
        """When `run` was taken up again, and how many candidates it had then."""
        with self._database.reading() as db:
            return tuple(
                db.execute("SELECT resumed, candidates FROM resumptions WHERE run = ? ORDER BY number", (run,))
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


def _split(validation: Mapping[str, Any]) -> tuple[str, bytes | None]:
    """Arrays apart from the rest: they are kept as bytes."""
    arrays = {name: value for name, value in validation.items() if hasattr(value, "dtype") and value.shape}
    rest = {name: value for name, value in validation.items() if name not in arrays}
    return to_json(rest), pack(arrays) if arrays else None


def _joined(text: str, blob: bytes | None) -> dict[str, Any]:
    return {**from_json(text), **({} if blob is None else unpack(blob))}
