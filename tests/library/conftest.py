"""A small task that no law was made for, and the command as a user types it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from discover.cli import main

TASK = """
[task]
name = "gadgets"
title = "Loss of gadgets"
scale_axes = ["size", "seen"]
parameter_cap = 5

[data]
file = "points.csv"

[[inputs]]
name = "size"
unit = "million parameters"
scale = "log"

[[inputs]]
name = "seen"
unit = "1"
scale = "log"
role = "tokens"

[[targets]]
name = "loss"
unit = "nats"
scale = "log"

[split]
reason = "the largest"
any_of = [{ column = "size", at_least = 1000 }]
"""


@pytest.fixture(scope="session")
def gadgets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with five sizes (the largest held out) and five amounts of data, planted: chinchilla."""
    folder = tmp_path_factory.mktemp("gadgets")
    lines = ["size,seen,loss"]
    for size in (10, 30, 100, 300, 1000):
        for seen in (1e9, 3e9, 9e9, 27e9, 81e9):
            lines.append(f"{size},{seen:.0f},{1.7 + 4.1 / size**0.34 + 410 / seen**0.28:.5f}")
    (folder / "points.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "task.toml").write_text(TASK, encoding="utf-8")
    return folder


@pytest.fixture
def discover() -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(main, [str(argument) for argument in arguments])
