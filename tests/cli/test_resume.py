"""A run killed at any moment and resumed ends as it would have ended, to the last bit."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discover.store import Store

from .conftest import Command, command, environment

SMALL = 64  # candidates, where one run is as good as another

Start = Callable[..., "subprocess.Popen[str]"]


def bits(value: Any) -> Any:
    """What tells two values apart by their last bit."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, dict):
        return {name: bits(item) for name, item in value.items()}
    return repr(value)


def found_in(path: Path) -> dict[str, Any]:
    """All that the one run of a store found, times and its own name aside."""
    with Store(path) as store:
        (run,) = store.runs()
        assert run.status == "complete"
        chosen = store.choice(run.id)
        assert chosen is not None
        return {
            "candidates": [
                (c.number, c.formula, c.recipe, c.key, c.proposer, c.parents, c.complexity, c.status, c.bounds,
                 bits(c.validation))
                for c in store.candidates(run.id)
            ],
            "batches": [(b.number, b.candidates, b.shares, b.won, b.front) for b in store.batches(run.id)],
            "finalists": [(c.number, c.status, bits(c.validation)) for c in chosen.ranked],
            "leaderboard": [{k: bits(v) for k, v in row.items() if k != "run"} for row in store.rows(run=run.id)],
        }  # fmt: skip


def kept(store: Path) -> int:
    """Candidates in a store that another process may be making or writing."""
    if not store.exists():
        return 0
    try:
        with contextlib.closing(sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)) as db:
            return int(db.execute("SELECT count(*) FROM candidates").fetchone()[0])
    except sqlite3.Error:
        return 0


def killed_at(process: subprocess.Popen[str], store: Path, candidates: int, delay: float) -> bool:
    """Kills the process that long after it has kept so many candidates; whether it was still there to be killed."""
    while process.poll() is None and kept(store) < candidates:
        time.sleep(0.01)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(delay)
    alive = process.poll() is None
    process.kill()
    process.communicate()
    return alive


def interrupt(
    start: Start, task: Path, store: Path, budget: int, workers: int, moments: list[tuple[int, float]]
) -> int:
    """Runs, is killed at each of the moments and resumed after each; gives how many kills met a living run."""
    # A run that was killed before it was written down has nothing to resume: it is begun once more.
    new = ("run", task, "--budget", budget, "--seed", 3, "--workers", workers, "--quiet", "--store", store)
    again = ("run", task, "--resume", "--workers", workers, "--quiet", "--store", store)

    def is_begun() -> bool:
        if not store.exists():
            return False
        with Store(store, create=True) as opened:
            return bool(opened.runs())

    met = 0
    for candidates, delay in moments:
        met += killed_at(start(*(again if is_begun() else new)), store, candidates, delay)
    process = start(*(again if is_begun() else new))
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0 or "has not ended" in err, err
    return met


@pytest.fixture(scope="session")
def whole(widgets: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """The store of an uninterrupted run of the small task with a budget in candidates."""
    made: dict[int, Path] = {}

    def run(budget: int) -> Path:
        if budget not in made:
            made[budget] = tmp_path_factory.mktemp("whole") / "runs.sqlite"
            arguments = ("run", widgets, "--budget", budget, "--seed", 3, "--workers", 1, "--store", made[budget])
            subprocess.run(command(arguments), env=environment(), check=True, capture_output=True)
        return made[budget]

    return run


def moments(seed: int, count: int, budget: int) -> list[tuple[int, float]]:
    """Random moments in the order in which a run reaches them, start and final round included."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.integers(0, int(budget * 1.2), count))  # beyond the budget: in the final round
    return [(min(int(n), budget), float(rng.uniform(0.0, 0.15 if n < budget else 0.8))) for n in at]


def test_run_killed_three_times_ends_as_if_it_had_not_been(
    start: Start, widgets: Path, whole: Callable[[int], Path], tmp_path: Path
):
    store = tmp_path / "runs.sqlite"
    assert interrupt(start, widgets, store, SMALL, 1, [(5, 0.02), (40, 0.05), (SMALL, 0.2)]) >= 2
    assert found_in(store) == found_in(whole(SMALL))
    own, other = (
        json.loads((p.parent / "widgets_scaling/leaderboard.json").read_text()) for p in (store, whole(SMALL))
    )
    assert [{**row, "run": ""} for row in own] == [{**row, "run": ""} for row in other]
    assert not list(tmp_path.glob("*.lock")) + list(tmp_path.glob(".*.lock"))


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "workers"), [(0, 1), (1, 1), (2, 1), (3, 2), (4, 2)])
def test_run_killed_at_random_moments_ends_as_if_it_had_not_been(
    start: Start, widgets: Path, whole: Callable[[int], Path], tmp_path: Path, seed: int, workers: int
):
    """Six kills each, thirty in all; of each six at most two may come when the run has just ended."""
    store = tmp_path / "runs.sqlite"
    assert interrupt(start, widgets, store, 192, workers, moments(seed, 6, 192)) >= 4
    assert found_in(store) == found_in(whole(192))


# Where a run kills itself: what is replaced by the kill, and what a resumed run then says of the held-out rows.
PLACES = {
    "when the choice is stored": ("discover.store.store", "Store.add_choice", 1),
    "when the held-out rows are open": ("discover.leaderboard.board", "_scored", 2),
    "when the leaderboard is stored": ("discover.store", "write_leaderboard", 1),
    "when all is written": ("discover.store.store", "Store.end_run", 1),
}
SUICIDE = """
import importlib, os, signal, sys
from discover.cli import main
module, name = sys.argv[1:3]
owner = importlib.import_module(module)
*path, last = name.split(".")
for part in path:
    owner = getattr(owner, part)
setattr(owner, last, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
main(sys.argv[3:])
"""


@pytest.mark.parametrize("place", PLACES)
def test_run_killed_after_its_search_opens_the_held_out_rows_for_the_same_laws(
    widgets: Path, whole: Callable[[int], Path], tmp_path: Path, discover: Command, place: str
):
    module, name, openings = PLACES[place]
    store = tmp_path / "runs.sqlite"
    if place == "when the choice is stored":
        arguments = ["run", widgets, "--budget", SMALL, "--seed", 3, "--workers", 1, "--store", store]
    else:  # the search is as in the others: only what follows is done again
        arguments = ["run", widgets, "--resume", "--workers", 1, "--store", store]
        _copy_without_end(whole(SMALL), store)
    died = subprocess.run(
        [sys.executable, "-c", SUICIDE, module, name, *map(str, arguments)], env=environment(), capture_output=True
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    result = discover("run", widgets, "--resume", "--workers", 1, "--store", store)
    assert result.exit_code == 0, result.output
    assert found_in(store) == found_in(whole(SMALL))
    with Store(store) as opened:
        told = [opening.what.startswith("resumed, for the same laws") for opening in opened.openings()]
    assert told == [False, True][:openings]
    assert ("opened again, for the same laws" in result.stderr) == (openings == 2)


def _copy_without_end(source: Path, store: Path) -> None:
    """The store of a run that was killed right before it made its choice."""
    shutil.copy(source, store)
    with contextlib.closing(sqlite3.connect(store)) as db:
        for table in ("choices", "finalists", "held_out_openings", "leaderboard_rows", "run_ends"):
            db.execute(f"DROP TRIGGER {table}_no_delete")
            db.execute(f"DELETE FROM {table}")
            db.execute(
                f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the store only grows'); END"
            )
        db.commit()


@pytest.fixture
def killed(whole: Callable[[int], Path], tmp_path: Path) -> Path:
    """The store of a run that was killed before its choice."""
    _copy_without_end(whole(SMALL), tmp_path / "runs.sqlite")
    return tmp_path / "runs.sqlite"


def altered(store: Path, statement: str) -> None:
    """Does to a store what the store itself would not do."""
    with contextlib.closing(sqlite3.connect(store)) as db:
        for (trigger,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        db.execute(statement)
        db.commit()


REFUSED = {
    "ended": ("INSERT INTO run_ends SELECT id, '2026-01-01T00:00:00', 'complete' FROM runs", "no run in"),
    "another task": ("UPDATE runs SET digest = 'x'", "widgets_scaling has changed since"),
    "another library": (
        "UPDATE runs SET versions = replace(versions, '\"numpy\": \"', '\"numpy\": \"0.')", "begun with numpy 0."
    ),
    "an older discover": ("UPDATE runs SET versions = '{\"python\": \"3.11\"}'", "by an older discover"),
    "another formula": ("UPDATE candidates SET key = 'x' WHERE number = 20", "candidate 20 is"),
    "other numbers": (
        "UPDATE candidates SET arrays = (SELECT arrays FROM candidates WHERE number = 17) WHERE number = 1",
        "candidate 1, ",
    ),
    "damage": ("UPDATE candidates SET arrays = x'00' WHERE number = 20", "arrays are damaged"),
}  # fmt: skip


@pytest.mark.parametrize("change", REFUSED)
def test_run_that_would_not_go_on_as_it_was_is_refused(discover: Command, killed: Path, widgets: Path, change: str):
    statement, told = REFUSED[change]
    altered(killed, statement)
    result = discover("run", widgets, "--resume", "--workers", 1, "--store", killed)
    assert result.exit_code == 2, result.output
    assert told in result.stderr.splitlines()[-1]
    with Store(killed) as store:
        assert store.runs()[0].status == ("complete" if change == "ended" else "")


def test_ended_run_is_refused_by_its_name(discover: Command, whole: Callable[[int], Path], widgets: Path):
    with Store(whole(SMALL)) as store:
        (run,) = store.runs()
    result = discover("run", widgets, "--resume", run.id[:18], "--store", whole(SMALL))
    assert result.exit_code == 2
    assert f"run {run.id}: has ended (complete" in result.stderr
    assert "not in" in discover("run", widgets, "--resume", "2031", "--store", whole(SMALL)).stderr


@pytest.mark.parametrize("option", ["--budget 9", "--seed 3", "--proposers families", "--start-from human"])
def test_resumed_run_keeps_what_it_was_asked(discover: Command, killed: Path, widgets: Path, option: str):
    result = discover("run", widgets, "--resume", "--store", killed, *option.split())
    assert result.exit_code == 2
    assert f"{option.split()[0]} cannot be given with --resume" in result.stderr


def test_run_that_is_still_going_is_not_resumed(start: Start, discover: Command, widgets: Path, tmp_path: Path):
    store = tmp_path / "runs.sqlite"
    process = start("run", widgets, "--budget", "300s", "--workers", 1, "--store", store)
    while kept(store) == 0:
        time.sleep(0.02)
    for run in ((), (_only_run(store),)):
        result = discover("run", widgets, "--resume", *run, "--store", store)
        assert result.exit_code == 2
        assert "still going in another process" in result.stderr
    process.kill()


def _only_run(store: Path) -> str:
    with Store(store) as opened:
        return opened.runs()[0].id


def test_budget_in_seconds_goes_on_with_what_is_left(start: Start, widgets: Path, tmp_path: Path):
    store = tmp_path / "runs.sqlite"
    process = start("run", widgets, "--budget", "6s", "--workers", 1, "--store", store)
    while _elapsed(store) < 2.0:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    before, spent = kept(store), _elapsed(store)
    resumed = start("run", widgets, "--resume", "--workers", 1, "--store", store)
    _, err = resumed.communicate(timeout=240)
    assert resumed.returncode == 0, err
    assert f"{before:,} candidates are there, {6 - spent:.0f} s of 6 s are left" in err
    assert before <= kept(store)  # on a slow machine nothing may be left
    assert _elapsed(store) >= spent


def _elapsed(store: Path) -> float:
    if not kept(store):
        return 0.0
    with Store(store) as opened:
        batches = opened.batches(opened.runs()[0].id)
    return batches[-1].elapsed_seconds if batches else 0.0
