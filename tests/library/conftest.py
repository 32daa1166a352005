"""A small task that no law was made for, and the command as a user types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from discover.cli import main
from tests.folders import task_text, write_folder

TASK = task_text(
    "gadgets",
    {"size": "million parameters", "seen": "1"},
    '{ column = "size", at_least = 1000 }',
    roles={"seen": "tokens"},
)


@pytest.fixture(scope="session")
def gadgets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with five sizes (the largest held out) and five amounts of data, planted: chinchilla."""
    folder = tmp_path_factory.mktemp("gadgets")
    lines = ["size,seen,loss"]
    for size in (10, 30, 100, 300, 1000):
        for seen in (1e9, 3e9, 9e9, 27e9, 81e9):
            lines.append(f"{size},{seen:.0f},{1.7 + 4.1 / size**0.34 + 410 / seen**0.28:.5f}")
    return write_folder(folder, TASK, lines)


@pytest.fixture
def discover() -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])
