"""A task knows on which side of its training rows it is asked, and nothing of what was measured there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from discover.cli import main
from discover.errors import TaskError
from discover.task import Task, load_task
from discover.task.checking import check_task
from discover.task.sides import _reached, split_lines
from tests.folders import task_text, write_folder

SIZES = [1e6, 1e7, 1e8, 1e9]
TOKENS = [1e9, 1e10, 1e11]


def task_with(folder: Path, held_out: str) -> Task:
    lines = [f"{n:g},{d:g},{n**-0.1 + d**-0.1!r}" for n in SIZES for d in TOKENS]
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


LOWER = {"N": "below", "D": "below"}


@pytest.mark.parametrize(
    "n, d, sides, among",
    [(1e9, 1e11, {}, False), (1e7, 1e10, {}, True), (1e7, 1e11, {}, False), (1e6, 1e9, LOWER, False)],
)
def test_corners_and_holes_in_the_grid_are_told_apart(
    tmp_path: Path, n: float, d: float, sides: dict[str, str], among: bool
) -> None:
    """Each value on its own was measured; a hole has measured ones on either side, and a lower corner below none."""
    task_with(tmp_path, f'{{ column = "N", equals = {n:g} }}, {{ column = "D", equals = {d:g} }}')
    described = (tmp_path / "task.toml").read_text().replace("any_of", "all_of")
    (tmp_path / "task.toml").write_text(described)
    task = load_task(tmp_path)
    assert (task.held_out_sides, task.held_out_among) == (sides, among)


def marked(folder: Path, test: set[tuple[float, float]], split: str = "") -> Path:
    """A table that marks its test rows, of which the rule in [split] therefore has no numbers."""
    parts = {True: "test", False: "train"}
    lines = [f"{n:g},{d:g},{n**-0.1!r},{parts[(n, d) in test]}" for n in SIZES for d in TOKENS]
    text = task_text("marked", {"N": "parameters", "D": "tokens"}, '{ column = "part", equals = "test" }')
    return write_folder(folder, text + split, ["N,D,loss,part", *lines])


SMALLEST = {(1e6, d) for d in TOKENS}
DEALT = {(1e7, 1e10), (1e8, 1e9), (1e8, 1e11), (1e6, 1e10)}


@pytest.mark.parametrize(
    "test, open_sides, among",
    [
        (SMALLEST, {"N": "below"}, False),
        ({(n, 1e11) for n in SIZES}, {"D": "above"}, False),
        ({(1e9, d) for d in TOKENS}, {}, False),
        (DEALT, {}, True),
        ({(1e9, 1e11)}, {}, False),
    ],
    ids=["smallest", "another axis", "largest", "dealt", "corner"],
)
def test_what_a_column_of_marks_leaves_open_is_found_by_a_check(
    tmp_path: Path, test: set[tuple[float, float]], open_sides: dict[str, str], among: bool
) -> None:
    """Largest scales, and the corner of a grid, are what a search prepares for anyway."""
    folder = marked(tmp_path, test)
    task = load_task(folder)
    assert (task.held_out_sides, task.held_out_among) == ({}, False)
    doubts = [finding for finding in check_task(task) if finding.subject == "asked elsewhere"]
    assert len(doubts) == bool(open_sides or among)
    lines = split_lines(open_sides, among)
    told = load_task(marked(tmp_path, test, "\n".join([*lines, ""])))
    assert (told.held_out_sides, told.held_out_among) == (open_sides, among)
    assert all(line in doubts[0].message for line in lines)
    assert not [finding for finding in check_task(told) if finding.subject == "asked elsewhere"]


@pytest.mark.parametrize(
    "line, told",
    [
        ('sides = { N = "left" }', r"sides.*N is 'left'.*'above'.*'below'.*'between'"),
        ('sides = { M = "below" }', r"key 'M' is not known"),
        ("sides = 3", "expected a table"),
        ("among = 1", "expected true or false"),
    ],
)
def test_sides_that_are_none_are_refused(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(TaskError, match=told):
        load_task(marked(tmp_path, SMALLEST, f"{line}\n"))


def test_a_table_that_marks_its_test_rows_becomes_a_task_that_says_where_they_lie(tmp_path: Path) -> None:
    for name, test, line in (("smallest", SMALLEST, 'sides = { N = "below" }'), ("dealt", DEALT, "among = true")):
        points = marked(tmp_path / name, test) / "points.csv"
        points.write_text(points.read_text().replace("part", "split"))
        folder = tmp_path / f"new_{name}"
        result = CliRunner().invoke(main, ["new", str(points), "--inputs", "N,D", "--output", str(folder), "--yes"])
        assert result.exit_code == 0, result.output
        assert (folder / "task.toml").read_text().splitlines()[-1] == line


def test_nothing_of_the_held_out_rows_is_in_the_words(tmp_path: Path) -> None:
    """The words come from the rule and the training rows: other held-out rows, at other amounts, the same words."""
    kept = [f"{n:g},{d:g},{n**-0.1!r}" for n in SIZES[:-1] for d in TOKENS]
    text = task_text("grid", {"N": "parameters", "D": "tokens"}, '{ column = "N", equals = 1e9 }')
    for name, amounts in (("small", (1e3, 1e4)), ("large", (1e15,))):
        folder = write_folder(tmp_path / name, text, ["N,D,loss", *kept, *(f"1e9,{d:g},7" for d in amounts)])
        assert load_task(folder).held_out_sides == {"N": "above"}


def test_a_place_is_reached_where_one_measured_is_as_large_in_both_numbers() -> None:
    """Against every pair compared with every other."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        measured, asked = rng.integers(0, 6, (9, 2)).astype(float), rng.integers(0, 6, (12, 2)).astype(float)
        due = (measured[None] >= asked[:, None]).all(axis=2).any(axis=1)
        assert (_reached(measured, asked) == due).all()
