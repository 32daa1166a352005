"""The store keeps what it is given, exactly, and only grows."""

from __future__ import annotations

import math
import sqlite3
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from discover.errors import StoreError
from discover.store import Candidacy, Store

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


def test_candidate_is_kept_without_the_predictions_that_validation_compared(path: Path):
    class Law:
        complexity = 5

        def __str__(self) -> str:
            return "E + A/N"

    judged = SimpleNamespace(
        score=-2.0, r2=0.86, nmse=np.array([0.1, 0.2]), in_sample=0.01, far="", probes=np.zeros(9999),
        parameters=np.array([[1.5, 2.5]]), cost=np.array([0.3]), converged=np.array([True]),
    )  # fmt: skip
    candidate = SimpleNamespace(
        number=1, law=Law(), recipe=SimpleNamespace(text="log"), key="k | log", proposer="families",
        parents=(), complexity=5, validation=judged, status="ok", seconds=0.25,
    )  # fmt: skip
    with Store(path, create=True) as store:
        number = run_of(store)
        store.add_candidates(number, [Candidacy.of(candidate)])
        (read,) = store.candidates(number)
    assert read.formula == "E + A/N"
    assert read.validation["parameters"] == [[1.5, 2.5]]
    assert "probes" not in read.validation


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


@pytest.mark.parametrize("table", ["runs", "run_ends", "candidates", "leaderboard_rows", "held_out_openings"])
def test_no_row_can_be_changed_or_deleted(path: Path, table: str):
    with Store(path, create=True) as store:
        number = run_of(store)
        store.add_candidates(number, [candidacy(1)])
        store.add_rows(number, "t", [{"law": "t-1", "origin": "human", "formula": "a"}])
        store.add_opening(number, "x")
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


def test_thousand_candidates_are_added_in_less_than_a_second(path: Path):
    with Store(path, create=True) as store:
        number = run_of(store)
        began = time.perf_counter()
        store.add_candidates(number, [candidacy(n) for n in range(1000)])
        assert time.perf_counter() - began < 1.0
