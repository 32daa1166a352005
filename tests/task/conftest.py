from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

TASK = """
[task]
name = "toy"
title = "A toy"
scale_axes = ["size"]
parameter_cap = 3

[data]
file = "points.csv"
groups = ["kind"]

[[inputs]]
name = "size"
unit = "parameters"
scale = "log"
minimum = 1e6
maximum = 1e12

[[targets]]
name = "loss"
unit = "nats/token"
scale = "log"

[split]
any_of = [{ column = "size", at_least = 1e9 }]
"""
POINTS = """kind,size,loss,comment
a,1e7,3.0,
a,1e8,2.5,first
a,1e9,2.2,
b,1e7,4.0,
b,1e8,3.5,
b,1e9,3.3,
"""
HUMAN = """
[[laws]]
name = "power"
formula = "E + A/size**alpha"
citation = "nobody"
bounds = { alpha = [0.0, 1.5] }
[laws.published."a: loss"]
E = 1.5
A = 20.0
alpha = 0.16
"""


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes a small task of six lines; text (or bytes) given by keyword takes the place of a file's own."""

    def write(task: str | bytes = TASK, points: str | bytes = POINTS, human: str | bytes = HUMAN) -> Path:
        for name, content in (("task.toml", task), ("points.csv", points), ("human.toml", human)):
            (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return write
