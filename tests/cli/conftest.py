"""A small task of one's own, a finished run of it, and the command as a user starts it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from discover.cli import main
from tests.folders import task_text, write_folder

ROOT = Path(__file__).resolve().parents[2]

TASK = task_text(
    "widgets_scaling", {"N": "parameters", "D": "tokens"}, '{ column = "N", at_least = 1e9 }', groups=("kind",)
)

HUMAN = """
[[laws]]
name = "planted"
formula = "E + A/N**alpha + B/D**beta"
bounds = { E = [0.0, inf], A = [0.0, inf], alpha = [0.0, 2.0], B = [0.0, inf], beta = [0.0, 2.0] }
citation = "the test that made the numbers"
"""


def write_task(folder: Path) -> Path:
    """Two kinds of widgets, five sizes (the largest held out), four amounts of data, four digits."""
    lines = ["kind,N,D,loss"]
    for kind, floor in (("a", 1.7), ("b", 2.1)):
        for size in (1e7, 3e7, 1e8, 3e8, 1e9):
            for data in (1e9, 4e9, 16e9, 64e9):
                loss = floor + 400 / size**0.34 + 410 / data**0.28
                lines.append(f"{kind},{size:.0f},{data:.0f},{loss:.4f}")
    return write_folder(folder, TASK, lines, HUMAN)


Command = Callable[..., Result]


def invoke(*arguments: object) -> Result:
    """The command in this process; `exit_code`, `stdout` and `stderr` are as a user gets them."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def discover() -> Command:
    return invoke


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "DISCOVER_STORE")}
    return {**kept, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", **changes}


def command(arguments: Sequence[object]) -> list[str]:
    return [sys.executable, "-m", "discover.cli", *map(str, arguments)]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts the command as a process of its own, in an empty folder."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, **changes: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command(arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=environment(**changes),
            start_new_session=True,  # as in a terminal: a signal reaches the workers too
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="session")
def widgets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small task; not to be changed."""
    return write_task(tmp_path_factory.mktemp("tasks") / "widgets_scaling")


@pytest.fixture(scope="session")
def finished(widgets: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of one short run of the small task; not to be changed."""
    store = tmp_path_factory.mktemp("results") / "runs.sqlite"
    result = invoke("run", widgets, "--budget", "48", "--seed", "1", "--workers", "1", "--store", store)
    assert result.exit_code == 0, result.output
    return store
