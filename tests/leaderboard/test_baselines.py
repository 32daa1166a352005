"""The baselines are the same laws whatever the columns are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from discover.leaderboard.baselines import baselines
from discover.task import load_task

TASK = """
[task]
name = "named"
title = "Named"
scale_axes = ["{first}"]
parameter_cap = 5
[data]
file = "points.csv"
[[inputs]]
name = "{first}"
unit = "1"
scale = "log"
[[inputs]]
name = "{second}"
unit = "1"
scale = "log"
[[targets]]
name = "loss"
unit = "1"
scale = "log"
[split]
any_of = [{{ column = "{first}", at_least = 9 }}]
"""


@pytest.mark.parametrize("first, second", [("E", "A1"), ("a1", "b1"), ("A2", "b2")])
def test_columns_may_be_called_as_the_parameters_of_a_baseline(tmp_path: Path, first: str, second: str) -> None:
    """A column called E made the group mean a law without parameters: a run was lost when it came to be ranked."""
    (tmp_path / "task.toml").write_text(TASK.format(first=first, second=second))
    rows = [f"{n},{d},{1 / n + 1 / d}" for n in range(1, 11) for d in (1, 2, 4)]
    (tmp_path / "points.csv").write_text("\n".join([f"{first},{second},loss", *rows]) + "\n")
    found = {each.name: each.law for each in baselines(load_task(tmp_path))}
    assert [len(law.parameters) for law in found.values()] == [1, 1, 5, 6]
    assert set(found["power law + floor"].inputs) == {first, second}
