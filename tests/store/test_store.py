"""The store keeps what it is given, exactly, and only grows."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from discover.errors import StoreError
from discover.store import Batch, Candidacy, Gain, Store
from discover.store.database import APPLICATION
from discover.store.migrations import MIGRATIONS

AWKWARD = (0.1 + 0.2, 1e-320, -0.0, 1.7976931348623157e308, math.inf, math.nan)


def run_of(store: Store, task: str = "vocab_scaling") -> str:
    return store.start_run(
        task=task, folder=Path("tasks") / task, digest="d1", seed=3, budget="120s", options={"workers": 2}
    )


def candidacy(number: int) -> Candidacy:
    validation = {"score": -1.0 / (number + 1), "parameters": [[0.1 * number]]}
    return Candidacy(number, f"E + A*N**-{number}", "log weight=0.5", f"k{number}", "mutation", (1, 2), 7, validation)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "runs.sqlite"


def test_run_reads_back_as_it_was_started(path: Path):
    with Store(path, create=True) as store:
        number = run_of(store)
    with Store(path) as store:
        (run,) = store.runs()
    assert (run.id, run.task, run.digest, run.seed, run.budget) == (number, "vocab_scaling", "d1", 3, "120s")
    assert run.options == {"workers": 2}
    assert run.versions["numpy"] == np.__version__
    assert (run.ended, run.status, run.candidates) == ("", "", 0)


def test_end_of_a_run_is_a_row_of_its_own(path: Path):
    with Store(path, create=True) as store:
        number = run_of(store)
        store.end_run(number, "complete")
        assert store.runs()[0].status == "complete"
        with pytest.raises(StoreError, match="refused"):
            store.end_run(number, "interrupted")


def test_candidates_read_back_exactly(path: Path):
    given = [candidacy(n) for n in range(1, 4)]
    given.append(Candidacy(4, "c", "squared", "k", "families", (), None, {"parameters": AWKWARD}, "not finite", 0.1))
    with Store(path, create=True) as store:
        number = run_of(store)
        store.add_candidates(number, given)
        read = store.candidates(number)
        assert store.runs()[0].candidates == 4
    assert read[:3] == tuple(given[:3])
    assert [repr(value) for value in read[3].validation["parameters"]] == [repr(value) for value in AWKWARD]


@dataclass(frozen=True)
class Judged:
    """A validation as far as the store looks at it."""

    score: float
    nmse: np.ndarray
    parameters: np.ndarray
    converged: np.ndarray
    probes: np.ndarray
    far: str = ""
    r2: ClassVar[float] = 0.86


def candidate_of(judged: Judged) -> Any:
    law = SimpleNamespace(bounds={"E": (0.0, math.inf), "A": (-math.inf, math.inf)})
    return SimpleNamespace(
        number=1, law=law, recipe=SimpleNamespace(text="log"), key="k | log", proposer="families",
        parents=(), complexity=5, validation=judged, status="ok", seconds=0.25, fingerprint="00ff",
    )  # fmt: skip


def test_candidate_is_kept_to_the_last_bit_with_a_hash_for_its_predictions(path: Path):
    awkward = np.array([AWKWARD, AWKWARD[::-1]])
    awkward[0, -1] = -awkward[0, -1]  # a NaN with its sign set is another NaN
    judged = Judged(-2.0, np.array([0.1, np.inf]), awkward, np.array([True, False]), np.zeros(9999))
    with Store(path, create=True) as store:
        number = run_of(store)
        store.add_candidates(number, [Candidacy.of(candidate_of(judged))])
        (read,) = store.candidates(number)
    assert read.bounds == {"E": [0.0, math.inf]}
    assert (read.validation["score"], read.validation["far"], read.validation["r2"]) == (-2.0, "", 0.86)
    assert read.validation["fingerprint"] == "00ff"
    assert "probes" not in read.validation
    for name in ("nmse", "parameters", "converged"):
        given, kept = getattr(judged, name), read.validation[name]
        assert (kept.dtype, kept.shape, kept.tobytes()) == (given.dtype, given.shape, given.tobytes())


def test_ten_thousand_candidates_of_a_task_with_many_cells_stay_below_60_megabytes(path: Path):
    rng = np.random.default_rng(0)
    shape = (42, 5)  # the groups of sft, and the parameters that a law may have there
    with Store(path, create=True) as store:
        number = run_of(store)
        given = [
            Candidacy.of(candidate_of(Judged(
                -2.0, rng.random(9), rng.standard_normal(shape), rng.random(42) < 0.9, np.zeros(9)
            )))
            for _ in range(200)
        ]  # fmt: skip
        store.add_candidates(number, [replace(c, number=n) for n, c in enumerate(given)])
    assert path.stat().st_size * 50 < 60e6


def test_store_of_the_first_version_is_read_and_extended(path: Path):
    path.parent.mkdir()
    db = sqlite3.connect(path, isolation_level=None)
    MIGRATIONS[0](db)
    db.execute("INSERT INTO runs VALUES ('r', 't', 'f', 'd', 0, '9', '{}', '2026', '{}')")
    db.execute(
        "INSERT INTO candidates VALUES ('r', 1, 'a', 'log', 'k', 'families', '[]', 1, '{\"score\": 1}', 'ok', 0)"
    )
    db.execute(f"PRAGMA application_id = {APPLICATION}")
    db.execute("PRAGMA user_version = 1")
    db.close()
    with Store(path) as store:
        (read,) = store.candidates("r")
        assert (read.validation, read.bounds) == ({"score": 1}, {})
        store.add_candidates("r", [candidacy(2)])
        assert (len(store.candidates("r")), store.choice("r"), store.batches("r")) == (2, None, ())


def test_gains_of_proposers_are_counted_over_batches(path: Path):
    with Store(path, create=True) as store:
        number = run_of(store)
        store.add_candidates(number, [replace(candidacy(n), seconds=0.5) for n in (1, 2)])
        store.add_candidates(number, [replace(candidacy(3), proposer="human", seconds=2.0)])
        store.add_batch(number, Batch(1, 1.0, 2, {"mutation": 0.7, "recipe": 0.3}, {"mutation": 2}, (1, 2)))
        store.add_batch(number, Batch(2, 2.0, 3, {"mutation": 0.6, "recipe": 0.4}, {"human": 1}, (2, 3)))
        assert store.gains(number) == (
            Gain("mutation", 2, 2, 0.6, 1, 1.0),
            Gain("recipe", 0, 0, 0.4, 0, 0.0),
            Gain("human", 1, 1, 0.0, 1, 2.0),
        )


def test_a_rise_of_the_best_score_is_credited_to_who_proposed_the_law(path: Path):
    found = [("a", 0.5), ("b", 0.4), ("b", 0.75), ("b", math.nan), ("c", -3.0), ("a", 0.875)]
    with Store(path, create=True) as store:
        number = run_of(store)
        given = [replace(candidacy(n), proposer=p, validation={"r2": r2}) for n, (p, r2) in enumerate(found, 1)]
        failed = replace(candidacy(7), proposer="c", validation={"r2": 1.0}, status="poor fit")
        exploding = replace(candidacy(8), proposer="c", validation={"r2": 1.0, "far": "not finite far beyond the data"})
        store.add_candidates(number, [*given, failed, exploding])
        assert {gain.proposer: gain.r2_gained for gain in store.gains(number)} == {"a": 0.625, "b": 0.25, "c": 0.0}


def test_batch_with_a_number_that_exists_is_refused_whole(path: Path):
    with Store(path, create=True) as store:
        number = run_of(store)
        store.add_candidates(number, [candidacy(1)])
        with pytest.raises(StoreError, match="UNIQUE"):
            store.add_candidates(number, [candidacy(2), candidacy(1)])
        assert [c.number for c in store.candidates(number)] == [1]


def test_records_of_an_unknown_run_are_refused(path: Path):
    with Store(path, create=True) as store:
        for add in (
            lambda: store.add_candidates("nobody", [candidacy(1)]),
            lambda: store.add_opening("nobody", "held-out rows"),
            lambda: store.add_rows("nobody", "t", [{"law": "t-1", "origin": "human", "formula": "a"}]),
            lambda: store.end_run("nobody", "complete"),
        ):
            with pytest.raises(StoreError, match="FOREIGN KEY"):
                add()


def test_leaderboards_come_back_newest_run_first_and_in_order(path: Path):
    def row(law: str) -> dict[str, object]:
        return {
            "law": law,
            "origin": "human",
            "formula": "a*N",
            "r2": math.nan,
            "parameters": {"x": {"a": 0.3}},
        }

    with Store(path, create=True) as store:
        first, second = run_of(store), run_of(store)
        store.add_rows(first, "vocab_scaling", [row("vocab-2"), row("vocab-1")])
        store.add_rows(second, "vocab_scaling", [row("vocab-3")])
        assert [r["law"] for r in store.rows(task="vocab_scaling")] == ["vocab-3", "vocab-2", "vocab-1"]
        assert [r["law"] for r in store.rows(run=first)] == ["vocab-2", "vocab-1"]
        assert store.rows(task="moe_scaling") == ()
        kept = store.rows(run=second)[0]
        assert kept["run"] == second
        assert kept["parameters"] == {"x": {"a": 0.3}}


def test_openings_are_kept_with_their_time(path: Path):
    with Store(path, create=True) as store:
        number = run_of(store)
        store.add_opening(number, "leaderboard of 12 laws")
        (opening,) = store.openings()
    assert (opening.run, opening.what) == (number, "leaderboard of 12 laws")
    assert opening.opened.startswith("20")


TABLES = (
    "runs", "run_ends", "candidates", "leaderboard_rows", "held_out_openings", "batches", "choices", "finalists",
    "resumptions",
)  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_no_row_can_be_changed_or_deleted(path: Path, table: str):
    with Store(path, create=True) as store:
        number = run_of(store)
        store.add_candidates(number, [candidacy(1)])
        store.add_rows(number, "t", [{"law": "t-1", "origin": "human", "formula": "a"}])
        store.add_opening(number, "x")
        store.add_batch(number, Batch(1, 1.0, 1, {}, {}, (1,)))
        store.add_choice(number, "complete", [candidate_of(Judged(-2.0, *[np.zeros(2)] * 4))])
        store.add_resumption(number)
        store.end_run(number, "complete")
    db = sqlite3.connect(path)
    for statement in (
        f"DELETE FROM {table}",
        f"UPDATE {table} SET rowid = rowid",
        f"UPDATE {table} SET run = 'x'",
    ):
        with pytest.raises(sqlite3.Error, match=r"only grows|no such column"):
            db.execute(statement)
    with pytest.raises(sqlite3.IntegrityError, match="only grows"):
        db.execute(f"DELETE FROM {table}")
    db.close()


def test_a_thousand_candidates_are_written_at_one_time(path: Path):
    """Each by itself would wait for the disk a thousand times."""
    with Store(path, create=True) as store:
        number = run_of(store)
        said: list[str] = []
        store._database.connection.set_trace_callback(said.append)
        store.add_candidates(number, [candidacy(n) for n in range(1000)])
        assert sum(statement == "COMMIT" for statement in said) == 1
        assert sum(statement.startswith("INSERT") for statement in said) >= 1000
