"""The command as a process: Ctrl-C, a kill, pipes, terminals, and how little is loaded."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from discover.store import Store

from .conftest import ROOT, command, environment

Start = Callable[..., "subprocess.Popen[str]"]

HEAVY = (
    "numpy",
    "scipy",
    "sympy",
    "pandas",
    "sklearn",
    "rich",
    "matplotlib",
    "openai",
    "httpx",
    "pysr",
    "juliacall",
)


@pytest.mark.parametrize("module", ["discover", "discover.cli"])
def test_import_loads_nothing_heavy(module: str):
    code = f"import {module}, sys; print([m for m in {HEAVY} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def candidates_in(store: Path) -> int:
    if not store.exists() or store.stat().st_size == 0:
        return 0
    with Store(store, create=True) as opened:
        return sum(run.candidates for run in opened.runs())


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ranks_what_was_found(start: Start, widgets: Path, tmp_path: Path, workers: int):
    store = tmp_path / "runs.sqlite"
    process = start("run", widgets, "--budget", "300s", "--workers", workers, "--store", store)
    wait_for(lambda: candidates_in(store) > 0)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    assert "Ctrl-C: ranking what was found" in err
    assert "widgets_scaling: laws by held-out R2" in out
    with Store(store) as opened:
        (run,) = opened.runs()
        assert run.status == "interrupted"
        assert {row["origin"] for row in opened.rows()} == {"discovered", "human", "baseline"}
    assert json.loads((tmp_path / "widgets_scaling" / "leaderboard.json").read_text())


def children_of(process: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the children of a process from /proc")
def test_second_ctrl_c_stops_at_once_with_all_workers(start: Start, widgets: Path, tmp_path: Path):
    store = tmp_path / "runs.sqlite"
    process = start("run", widgets, "--budget", "300s", "--workers", 2, "--store", store)
    wait_for(lambda: candidates_in(store) > 0)
    workers = children_of(process.pid)
    assert len(workers) >= 2
    os.killpg(process.pid, signal.SIGINT)
    assert process.stderr is not None
    while "Ctrl-C" not in process.stderr.readline():
        pass
    os.killpg(process.pid, signal.SIGINT)
    began = time.monotonic()
    assert process.wait(timeout=120) == 130
    assert time.monotonic() - began < 15.0
    # The resource tracker of multiprocessing ends by itself a moment later.
    wait_for(
        lambda: not any(Path(f"/proc/{worker}").exists() and not is_zombie(worker) for worker in workers),
        10.0,
    )
    assert candidates_in(store) > 0
    assert not (tmp_path / "widgets_scaling").exists()


def is_zombie(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads the children of a process from /proc")
def test_workers_leave_with_a_killed_run(start: Start, widgets: Path, tmp_path: Path):
    store = tmp_path / "runs.sqlite"
    process = start("run", widgets, "--budget", "300s", "--workers", 2, "--store", store)
    wait_for(lambda: candidates_in(store) > 0)
    workers = children_of(process.pid)
    process.kill()
    wait_for(lambda: all(is_zombie(worker) for worker in workers), 15.0)


@pytest.mark.parametrize("delay", [0.3, 0.6, 0.9, 1.2])
def test_ctrl_c_while_workers_start_is_no_error(start: Start, widgets: Path, tmp_path: Path, delay: float):
    process = start("run", widgets, "--budget", "300s", "--workers", 2, "--store", tmp_path / "runs.sqlite")
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "internal error" not in err


STOPPED_INSIDE = """
import os, signal, sys
from discover.cli import main
from discover.cli.door import stop_if_pressed

def stopped(*arguments):
    {body}

import click
main.get_command = lambda ctx, name: click.Command(name, callback=stopped)
sys.argv[1:] = ["tasks"]
main()
"""


@pytest.mark.parametrize(
    "body",
    [
        # What every dataclass does when its module is imported.
        "exec('os.kill(os.getpid(), signal.SIGINT)')",
        """try:
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:
        pass
    stop_if_pressed()""",
    ],
    ids=["inside exec", "swallowed by a library"],
)
def test_ctrl_c_is_130_wherever_it_lands(tmp_path: Path, body: str):
    (tmp_path / "stopped.py").write_text(STOPPED_INSIDE.format(body=body))
    # As a module, like `python -m discover.cli`: a script's exit code survives the mark that Python sets.
    python = [sys.executable, "-m", "stopped"]
    told = subprocess.run(python, env=environment(), cwd=tmp_path, capture_output=True, text=True)
    assert (told.returncode, told.stderr.strip()) == (130, "discover: stopped")


def test_killed_run_keeps_its_candidates(start: Start, widgets: Path, tmp_path: Path):
    store = tmp_path / "runs.sqlite"
    process = start("run", widgets, "--budget", "300s", "--workers", 1, "--store", store)
    wait_for(lambda: candidates_in(store) >= 32)
    process.kill()
    process.communicate()
    assert candidates_in(store) >= 32
    told = subprocess.run(command(["runs", "--store", store]), env=environment(), capture_output=True, text=True)
    assert "not ended" in told.stdout


def test_reader_that_leaves_is_no_error(widgets: Path, tmp_path: Path):
    read, write = os.pipe()
    os.close(read)
    told = subprocess.run(
        command(["tasks"]),
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=tmp_path,
        timeout=60,
    )
    os.close(write)
    assert told.stderr == ""
    assert told.returncode == 141


def in_terminal(arguments: list[object], columns: int, **changes: str) -> tuple[int, str]:
    """Runs the command in a terminal of its own; gives the exit code and all that was shown."""
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = environment(TERM="xterm-256color", **changes)
    process = subprocess.Popen(command(arguments), stdin=slave, stdout=slave, stderr=slave, env=env, close_fds=True)
    os.close(slave)
    shown = b""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], 0.5)
        if ready:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
    os.close(master)
    return process.wait(timeout=120), shown.decode("utf-8", "replace")


def test_terminal_shows_the_run_while_it_goes(widgets: Path, tmp_path: Path):
    code, shown = in_terminal(["run", widgets, "--budget", "4s", "--workers", 1, "--store", tmp_path / "s.sqlite"], 100)
    assert code == 0, shown
    for part in (
        "left",
        "proposers:",
        "validation R2",
        "Ctrl-C ends with what was found",
        "laws by held-out R2",
    ):
        assert part in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor comes back"


def test_quiet_and_pipes_get_plain_lines(start: Start, widgets: Path, tmp_path: Path):
    process = start("run", widgets, "--budget", "32", "--workers", 1, "--store", tmp_path / "s.sqlite")
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    assert "\x1b" not in out + err
    assert "32 candidates, best validation R2" in err
    code, shown = in_terminal(
        ["run", widgets, "--budget", "16", "--workers", 1, "--quiet", "--store", tmp_path / "s.sqlite"], 100
    )
    assert code == 0
    assert "\x1b[?25l" not in shown


def test_no_color_is_respected(tmp_path: Path, finished: Path):
    arguments = ["leaderboard", "widgets_scaling", "--store", finished]
    _, coloured = in_terminal([*arguments], 100)
    _, plain = in_terminal([*arguments], 100, NO_COLOR="1")
    assert "\x1b[" in coloured
    assert not re.search(r"\x1b\[[0-9;]*(3[0-8]|9[0-7])m", plain)


@pytest.mark.parametrize("columns", [30, 60, 80, 139, 140, 200])
def test_leaderboard_fits_any_terminal(finished: Path, columns: int):
    with Store(finished) as store:
        first = store.rows()[0]
    code, shown = in_terminal(["leaderboard", "widgets_scaling", "--store", finished], columns, NO_COLOR="1")
    assert code == 0
    plain = re.sub(r"\x1b\[[0-9;]*m|\r", "", shown)
    assert max(map(len, plain.splitlines())) <= columns
    if columns >= 60:
        starts = (["1", first["law"]], ["1*", first["law"]])
        line = next(line for line in plain.splitlines() if line.split()[:2] in starts)
        assert first["origin"] in line
        assert first["formula"].replace(" ", "") in re.sub(r"\s", "", plain) or columns >= 140


def test_output_without_unicode_is_no_error(finished: Path):
    told = subprocess.run(
        command(["show", "widgets/1", "--store", finished]),
        env=environment(PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C"),
        capture_output=True,
        text=True,
    )
    assert told.returncode == 0, told.stderr
    assert "?" in told.stdout


def test_spawned_workers_find_the_package(start: Start, widgets: Path, tmp_path: Path):
    process = start("run", widgets, "--budget", "48", "--seed", 1, "--workers", 2, "--store", tmp_path / "s.sqlite")
    _, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    with Store(tmp_path / "s.sqlite") as store:
        assert store.runs()[0].candidates == 48
    assert (ROOT / "discover").exists()
