"""The one door to the held-out rows."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from discover.errors import TaskError
from discover.scoring.held_out import open_held_out
from discover.task import load_task

PACKAGE = Path(__file__).resolve().parents[2] / "discover"


def test_held_out_rows_have_the_cells_of_the_training_rows() -> None:
    task = load_task("sft_scaling")
    rows = open_held_out(task)
    assert rows.cells == task.cells
    assert rows.input_names == task.input_names
    assert rows.column("sft_examples").tolist() == [819200.0] * 42
    assert rows.cell.tolist() == list(range(42))


def test_several_targets_give_one_row_for_each_line_and_target() -> None:
    task = load_task("domain_mixture_scaling")
    assert open_held_out(task).n_rows == 5 * task.held_out_count == 120


def test_a_folder_that_changed_since_loading_is_refused(tmp_path: Path) -> None:
    original = load_task("parallel_scaling")
    shutil.copytree(original.folder, tmp_path / "tasks" / "parallel")
    shutil.copytree(original.folder.parents[1] / "datasets", tmp_path / "datasets")
    task = load_task(tmp_path / "tasks" / "parallel")
    points = tmp_path / "datasets" / "parallel" / "points.csv"
    lines = points.read_text().splitlines(keepends=True)
    points.write_text("".join(line for line in lines if not line.startswith("stack,4414502408,8,")))
    with pytest.raises(
        TaskError, match=r"changed since it was loaded: 2 cells and 11 held-out rows, expected 2 and 12"
    ):
        open_held_out(task)


def test_no_other_file_asks_for_held_out_rows() -> None:
    """Everything that reads both parts is private to the room `task`; only held_out.py calls `read_rows`."""
    callers = set()
    for file in PACKAGE.rglob("*.py"):
        name = file.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and "read_rows" in ast.unparse(node.func):
                callers.add(name)
            if isinstance(node, ast.ImportFrom | ast.Import) and not name.startswith("task/"):
                modules = (
                    [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
                )
                assert "discover.task.points" not in modules, file
    assert callers == {"scoring/held_out.py"}
