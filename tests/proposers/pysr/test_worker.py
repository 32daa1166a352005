"""The worker process: what it says, and that it is gone when it should be."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from discover.proposers.pysr.coordinates import VIEWS, Coordinates
from discover.proposers.pysr.process import LONGEST_LINE, Worker, event_of
from discover.proposers.pysr.settings import settings_of
from discover.task import load_task

ROOT = Path(__file__).resolve().parents[3]
posix = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes in /proc")


@pytest.fixture
def start(ready: dict[str, str]) -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def start(mode: str = "") -> Worker:
        started.append(Worker({**ready, "STAND_IN": mode}))
        return started[-1]

    yield start
    for worker in started:
        worker.close()


def job(worker: Worker, number: int = 1, task: str = "vocab") -> dict[str, Any]:
    coordinates = Coordinates(load_task(f"{task}_scaling"), VIEWS[0])
    settings = settings_of(coordinates, 5, 7, reproducible=True, threads=1)
    settings |= {"output_directory": str(worker.folder), "run_id": f"search{number}"}
    told = {"search": number, "settings": settings, "template": coordinates.template(), "guesses": []}
    return {**told, "table": coordinates.table()}


def events_until(worker: Worker, kind: str, seconds: float = 60.0) -> list[dict[str, Any]]:
    deadline, found = time.monotonic() + seconds, []
    while not any(event["event"] == kind for event in found):
        assert time.monotonic() < deadline, f"no {kind!r} but {found}"
        found.extend(worker.events(0.2))
    return found


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def group_of(leader: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[2]) == leader and fields[0] != "Z":
                found.append(int(folder.name))
    return found


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_a_search_gives_its_hall_of_fame_and_ends(start: Callable[..., Worker]) -> None:
    worker = start()
    worker.send(job(worker))
    found = events_until(worker, "finished")
    assert found[0] == {"event": "ready", "version": "2.7.2"}
    files = [event["csv"] for event in found if event["event"] == "hall_of_fame"]
    assert files[-1].startswith("Complexity,Loss,Equation\n")
    assert files[-1] == (worker.folder / "search1" / "hall_of_fame.csv").read_text(encoding="utf-8")


def test_the_hall_of_fame_comes_while_the_search_goes_on(start: Callable[..., Worker]) -> None:
    worker = start("late")
    worker.send(job(worker))
    told = events_until(worker, "hall_of_fame", 30.0)
    assert told[-1]["csv"].startswith("Complexity,Loss,Equation\n1,")
    assert "finished" not in [event["event"] for event in told]


def test_several_searches_use_one_process(start: Callable[..., Worker]) -> None:
    worker = start()
    for number, task in ((1, "vocab"), (2, "parallel")):
        worker.send(job(worker, number, task))
        assert events_until(worker, "finished")[-1] == {"event": "finished", "search": number}


def test_what_julia_prints_is_no_event(start: Callable[..., Worker]) -> None:
    worker = start("noise")
    worker.send(job(worker))
    found = events_until(worker, "finished")
    assert [event["event"] for event in found].count("finished") == 1
    assert any(event["event"] == "hall_of_fame" for event in found)
    assert "Compiling Julia backend" in (worker.folder / "errors.txt").read_text(encoding="utf-8")


def test_a_guess_that_cannot_be_read_does_not_cost_the_search(start: Callable[..., Worker]) -> None:
    worker = start("guess")
    worker.send({**job(worker), "guesses": ["x1 ~ 2"]})
    found = events_until(worker, "finished")
    assert [e["reason"] for e in found if e["event"] == "refused"] == [
        "RuntimeError: ArgumentError: cannot read the guess"
    ]


@pytest.mark.parametrize(
    ("mode", "kind", "reason"),
    [
        ("import", "failed", "Exception: could not find Julia 1.10.3 - 1.11"),
        ("error", "failed", "RuntimeError: JuliaError: something went wrong"),
        ("exit", "ended", "the last words"),
    ],
)
def test_every_end_says_why_in_one_line(start: Callable[..., Worker], mode: str, kind: str, reason: str) -> None:
    worker = start(mode)
    worker.send(job(worker))
    assert [e["reason"] for e in events_until(worker, kind) if e["event"] == kind] == [reason]


@posix
def test_closing_ends_the_worker_and_all_it_started(start: Callable[..., Worker]) -> None:
    worker = start("hang")
    worker.send(job(worker))
    note = worker.folder / "child.txt"
    wait_until(lambda: note.exists() and note.read_text() != "")
    child, leader = int(note.read_text()), worker._process.pid
    assert is_running(child)
    began = time.monotonic()
    worker.close()
    assert time.monotonic() - began < 30.0
    wait_until(lambda: not group_of(leader) and not is_running(child), 5.0)
    assert not worker.folder.exists()
    worker.close()


@posix
def test_closing_ends_all_of_them_also_where_the_guard_is_gone(start: Callable[..., Worker]) -> None:
    worker = start("hang")
    worker.send(job(worker))
    note = worker.folder / "child.txt"
    wait_until(lambda: note.exists() and note.read_text() != "")
    child, leader = int(note.read_text()), worker._process.pid
    for guard in set(group_of(leader)) - {leader, child}:
        os.kill(guard, signal.SIGKILL)
    wait_until(lambda: set(group_of(leader)) == {leader, child})
    worker.close()
    wait_until(lambda: not is_running(child), 5.0)


OWNER = """
import os, sys, time
from discover.proposers.pysr.process import Worker
from tests.proposers.pysr.test_worker import job
worker = Worker(os.environ)
worker.send(job(worker))
print(worker._process.pid, worker.folder, flush=True)
time.sleep(600)
"""


@posix
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_the_worker_leaves_with_an_owner_that_was_killed(ready: dict[str, str], sent: signal.Signals) -> None:
    """Also while PySR is busy: the guard does not need the worker's help."""
    environment = {**ready, "PYTHONPATH": f"{ready['PYTHONPATH']}{os.pathsep}{ROOT}", "STAND_IN": "hang"}
    owner = subprocess.Popen([sys.executable, "-c", OWNER], env=environment, stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    leader, folder = owner.stdout.readline().split()
    note = Path(folder) / "child.txt"
    try:
        # It is in the middle of a search, which does not look at its standard input.
        wait_until(lambda: note.exists() and note.read_text() != "")
        assert len(group_of(int(leader))) >= 3, "the worker, its guard, its child"
        owner.send_signal(sent)
        owner.wait()
        wait_until(lambda: not group_of(int(leader)), 10.0)
        assert not is_running(int(note.read_text()))
    finally:
        owner.kill()
        owner.stdout.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(int(leader), signal.SIGKILL)
        shutil.rmtree(folder)


@posix
def test_the_guard_leaves_with_its_worker(start: Callable[..., Worker]) -> None:
    worker = start("exit")
    leader = worker._process.pid
    worker.send(job(worker))
    events_until(worker, "ended")
    wait_until(lambda: not group_of(leader), 10.0)


@posix
def test_ctrl_c_in_the_terminal_does_not_reach_the_worker(start: Callable[..., Worker]) -> None:
    worker = start()
    assert os.getpgid(worker._process.pid) != os.getpgid(0)


def test_it_may_not_download_unless_the_user_says_so(
    ready: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "probe" / "pysr.py"
    package.parent.mkdir()
    package.write_text("import os\n__version__ = os.environ['PYTHON_JULIAPKG_OFFLINE']\n", encoding="utf-8")
    for asked, told in (({}, "yes"), ({"PYTHON_JULIAPKG_OFFLINE": "no"}, "no")):
        worker = Worker({**ready, "PYTHONPATH": "probe", **asked})  # relative to where the owner is
        try:
            assert events_until(worker, "ready")[0]["version"] == told
        finally:
            worker.close()


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[1]",
        b"\xff\xfe",
        b'{"event": "hall_of_fame", "search": 1}',
        b'{"event": "hall_of_fame", "search": true, "csv": "x"}',
        b'{"event": "ended", "reason": "x"}',
        b'{"event": ["ready"]}',
        b"[" * 100_000,
        b'{"event": "ready", "version": "' + b"x" * LONGEST_LINE + b'"}',
    ],
)
def test_what_is_no_event_is_passed_over(line: bytes) -> None:
    assert event_of(line) is None
