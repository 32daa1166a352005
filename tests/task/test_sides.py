"""A task knows on which side of its training rows it is asked, and nothing of what was measured there."""

from __future__ import annotations

from pathlib import Path

import pytest

from discover.task import Task, load_task
from tests.folders import task_text, write_folder

SIZES = [1e6, 1e7, 1e8, 1e9]
TOKENS = [1e9, 1e10, 1e11]


def task_with(folder: Path, held_out: str, targets: float = 1.0) -> Task:
    lines = [f"{n:g},{d:g},{targets * (n**-0.1 + d**-0.1)!r}" for n in SIZES for d in TOKENS]
    text = task_text("grid", {"N": "parameters", "D": "tokens"}, held_out)
    return load_task(write_folder(folder, text, ["N,D,loss", *lines]))


@pytest.mark.parametrize(
    "held_out, sides",
    [
        ('{ column = "N", equals = 1e9 }', {"N": "above"}),
        ('{ column = "N", at_most = 1e6 }', {"N": "below"}),
        ('{ column = "N", equals = 1e7 }', {"N": "between"}),
        ('{ column = "D", above = 1e10 }', {"D": "above"}),
        ('{ column = "N", equals = 1e9 }, { column = "D", equals = 1e9 }', {"N": "above", "D": "below"}),
    ],
)
def test_a_side_is_where_the_held_out_rows_lie(tmp_path: Path, held_out: str, sides: dict[str, str]) -> None:
    assert task_with(tmp_path, held_out).held_out_sides == sides


def test_a_corner_and_a_hole_in_the_grid_have_no_side(tmp_path: Path) -> None:
    """Each value on its own was measured."""
    for name, conditions in (("corner", (1e9, 1e11)), ("hole", (1e7, 1e10))):
        n, d = conditions
        text = f'{{ column = "N", equals = {n:g} }}, {{ column = "D", equals = {d:g} }}'
        folder = tmp_path / name
        task_with(folder, text)
        described = (folder / "task.toml").read_text().replace("any_of", "all_of")
        (folder / "task.toml").write_text(described)
        assert load_task(folder).held_out_sides == {}


def test_a_few_rows_beyond_the_others_are_no_side(tmp_path: Path) -> None:
    """Of five rows that a column marks as test, one lies above."""
    marked = {(1e9, 1e11): "test", (1e6, 1e10): "test", (1e7, 1e9): "test", (1e8, 1e10): "test", (1e7, 1e11): "test"}
    lines = [f"{n:g},{d:g},{n**-0.1!r},{marked.get((n, d), 'train')}" for n in SIZES for d in TOKENS]
    lines = [line for line in lines if not (line.startswith("1e+09") and line.endswith("train"))]
    text = task_text("marked", {"N": "parameters", "D": "tokens"}, '{ column = "part", equals = "test" }')
    assert load_task(write_folder(tmp_path, text, ["N,D,loss,part", *lines])).held_out_sides == {}


def test_what_was_measured_there_does_not_matter(tmp_path: Path) -> None:
    """The words come from the inputs: other targets, the same words."""
    split = '{ column = "N", equals = 1e9 }'
    sides = [task_with(tmp_path / str(scale), split, scale).held_out_sides for scale in (1.0, 1e6)]
    assert sides[0] == sides[1] == {"N": "above"}
