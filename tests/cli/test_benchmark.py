"""The benchmark as a command: it is run in parts, and what is finished is not run again."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from discover.store import Store

from .conftest import Command

Start = Callable[..., "subprocess.Popen[str]"]


def figures(folder: Path) -> list[dict[str, Any]]:
    path = folder / "seeds.json"
    return json.loads(path.read_text()) if path.exists() else []


def test_benchmark_is_stopped_and_goes_on(start: Start, discover: Command, widgets: Path, tmp_path: Path):
    output = tmp_path / "benchmark"
    asked = ("benchmark", widgets, "--seeds", 2, "--budget", 48, "--workers", 1, "--arms", "none", "--output", output)
    # Ctrl-C in the middle of the second seed: the first one is kept, and the second begun.
    process = start(*asked)
    store = output / "runs" / "none" / "widgets-1" / "discover.sqlite"
    while _candidates(store) < 16:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    (first,) = figures(output)
    assert (first["task"], first["seed"], first["arm"], first["candidates"]) == ("widgets", 0, "none", 48)
    before = _candidates(store)
    assert 16 <= before < 48, "the run was stopped where it was, not ended early"

    result = discover(*asked, "--leaderboards", tmp_path / "boards")
    assert result.exit_code == 0, result.output
    assert "1 of 2 runs are there, 1 are due" in result.stderr
    assert [f["seed"] for f in figures(output)] == [0, 1]
    assert figures(output)[0] == first
    assert [f["resumed"] for f in figures(output)] == [0, 1]
    with Store(store) as opened:
        (run,) = opened.runs()
        assert opened.resumptions(run.id)[0][1] >= before
    assert "| discover, none, runs | 2 | 2 |" in result.stdout
    assert result.stdout in (output / "README.md").read_text()

    again = discover(*asked)
    assert "2 of 2 runs are there, 0 are due" in again.stderr
    assert again.stdout == result.stdout

    # The table is made anew from what the runs left, and the leaderboards of the first seed are copied.
    (output / "seeds.json").unlink()
    result = discover(*asked, "--leaderboards", tmp_path / "boards")
    assert [f["held_out_r2"] for f in figures(output)] == [f["held_out_r2"] for f in figures(output)]
    (row,) = [r for r in json.loads((tmp_path / "boards/widgets_scaling/leaderboard.json").read_text()) if r["chosen"]]
    assert row["held_out_r2"] == first["held_out_r2"]


def test_run_of_a_killed_benchmark_is_waited_for(start: Start, discover: Command, widgets: Path, tmp_path: Path):
    """Its messages went into a pipe that nobody read any more: the run ended with a broken pipe."""
    asked = ("benchmark", widgets, "--seeds", 1, "--budget", 96, "--workers", 1, "--output", tmp_path)
    store = tmp_path / "runs" / "auto" / "widgets-0" / "discover.sqlite"
    process = start(*asked)
    while _candidates(store) < 16:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    result = discover(*asked)
    assert result.exit_code == 0, result.output
    assert [(f["candidates"], f["resumed"]) for f in figures(tmp_path)] == [(96, 0)]
    with Store(store) as opened:
        assert [run.status for run in opened.runs()] == ["complete"]


def _candidates(store: Path) -> int:
    try:
        with sqlite3.connect(f"{store.resolve().as_uri()}?mode=ro", uri=True) as db:
            return int(db.execute("SELECT count(*) FROM candidates").fetchone()[0])
    except sqlite3.Error:
        return 0


def test_run_that_fails_is_told_and_the_others_are_kept(discover: Command, widgets: Path, tmp_path: Path):
    place = tmp_path / "runs" / "auto" / "widgets-0"
    place.mkdir(parents=True)
    (place / "discover.sqlite").write_text("no store")
    result = discover("benchmark", widgets, "--seeds", 2, "--budget", 16, "--workers", 1, "--output", tmp_path)
    assert result.exit_code == 2
    assert "1 of 2 runs failed, the first:" in result.stderr.splitlines()[-1]
    assert "not a store" in result.stderr.splitlines()[-1]
    assert [f["seed"] for f in figures(tmp_path)] == [1]
