"""Files that are no store are refused in one line and left as they are; several processes share one store.

A killed writer loses at most what it had not committed.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from discover.errors import StoreError
from discover.store import Candidacy, Store
from discover.store.database import APPLICATION

WRITER = """
import itertools, sys
from pathlib import Path
from discover.store import Candidacy, Store
with Store(sys.argv[1], create=True) as store:
    run = store.start_run(task=sys.argv[2], folder=Path("t"), digest="d", seed=0, budget="1", options={})
    batches = itertools.count(1) if sys.argv[3] == "forever" else range(1, int(sys.argv[3]) + 1)
    for batch in batches:
        numbers = range(batch * 10, batch * 10 + 10)
        store.add_candidates(run, [Candidacy(n, "E + A/N", "log", str(n), "families") for n in numbers])
        print(run, batch, flush=True)
"""


def writer(path: Path, task: str, batches: str) -> subprocess.Popen[str]:
    root = str(Path(__file__).resolve().parents[2])
    command = [sys.executable, "-c", WRITER, str(path), task, batches]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root})


def refused(path: Path, *, create: bool = False) -> str:
    with pytest.raises(StoreError) as caught:
        Store(path, create=create)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    return message


def test_missing_store_is_not_made_by_reading(tmp_path: Path):
    assert "make a run first" in refused(tmp_path / "sub" / "runs.sqlite")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("content", [b"rank,law\n1,vocab\n", b"SQLite", b"\0" * 5000])
def test_file_that_is_no_store_is_refused_and_kept(tmp_path: Path, content: bytes, create: bool):
    path = tmp_path / "runs.sqlite"
    path.write_bytes(content)
    assert "not a store" in refused(path, create=create)
    assert path.read_bytes() == content


@pytest.mark.parametrize("create", [False, True])
def test_database_of_another_program_is_refused_and_kept(tmp_path: Path, create: bool):
    path = tmp_path / "runs.sqlite"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE runs (id TEXT)")
    db.close()
    before = path.read_bytes()
    assert "another program" in refused(path, create=create)
    assert path.read_bytes() == before


def test_folder_is_refused(tmp_path: Path):
    assert "a folder" in refused(tmp_path, create=True)


def test_empty_file_is_no_store_to_read_but_becomes_one_to_write(tmp_path: Path):
    path = tmp_path / "runs.sqlite"
    path.touch()
    assert "empty store" in refused(path)
    with Store(path, create=True) as store:
        assert store.runs() == ()


def test_store_of_a_newer_discover_is_refused(tmp_path: Path):
    path = tmp_path / "runs.sqlite"
    Store(path, create=True).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    assert "install a newer discover" in refused(path, create=True)


def test_damaged_store_says_so(tmp_path: Path):
    path = tmp_path / "runs.sqlite"
    with Store(path, create=True) as store:
        run = store.start_run(task="t", folder=tmp_path, digest="d", seed=0, budget="1", options={})
        store.add_candidates(run, [Candidacy(n, "E" * 200, "log", str(n), "families") for n in range(300)])
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    with pytest.raises(StoreError, match="damaged"), Store(path) as store:
        store.candidates(run)


def test_store_is_marked_as_ours_and_uses_a_write_ahead_log(tmp_path: Path):
    path = tmp_path / "runs.sqlite"
    Store(path, create=True).close()
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    db.close()


def test_two_processes_write_into_one_new_store(tmp_path: Path):
    path = tmp_path / "runs.sqlite"
    writers = [writer(path, task, "40") for task in ("one", "two", "three")]
    for process in writers:
        process.communicate(timeout=240)
        assert process.returncode == 0
    with Store(path) as store:
        assert sorted((run.task, run.candidates) for run in store.runs()) == [
            ("one", 400),
            ("three", 400),
            ("two", 400),
        ]


def test_killed_writer_loses_nothing_that_it_had_committed(tmp_path: Path):
    path = tmp_path / "runs.sqlite"
    process = writer(path, "vocab", "forever")
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(25)]
    os.kill(process.pid, signal.SIGKILL)
    said += process.stdout.readlines()
    process.wait(timeout=120)
    run, batch = said[-1].split()
    with Store(path, create=True) as store:
        (kept,) = store.runs()
        assert (kept.id, kept.status) == (run, "")
        assert kept.candidates % 10 == 0, "a batch is kept whole or not at all"
        assert kept.candidates // 10 - int(batch) in (0, 1)
        store.add_candidates(run, [Candidacy(1, "E + A/N", "log", "1", "families")])
    check = sqlite3.connect(path)
    assert check.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    check.close()
