"""A task folder becomes a Task, and nothing of its held-out rows comes along."""

from __future__ import annotations

import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from discover.errors import TaskError, UnknownInputError, UnknownTaskError
from discover.task import Cell, Rows, list_tasks, load_task, read_rows

Write = Callable[..., Path]


def test_a_users_own_folder_anywhere_on_disk_is_a_task(folder: Write) -> None:
    task = load_task(folder())
    assert (task.name, task.parameter_cap, task.scale_axes) == ("toy", 3, ("size",))
    assert task.cells == (Cell("a", "loss"), Cell("b", "loss"))
    assert task.groups == ("a", "b")
    assert task.training.line.tolist() == [2, 3, 5, 6]
    assert task.training.column("size").tolist() == [1e7, 1e8, 1e7, 1e8]
    assert task.training.target.tolist() == [3.0, 2.5, 4.0, 3.5]
    assert task.training.cell.tolist() == [0, 0, 1, 1]
    assert (task.training_count, task.held_out_count) == (4, 2)
    assert task.human_laws[0].published == {"a: loss": {"E": 1.5, "A": 20.0, "alpha": 0.16}}
    assert task.human_laws[0].bounds == {"alpha": (0.0, 1.5)}


def test_the_folder_may_be_given_by_its_task_toml_and_relative(folder: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder().parent)
    name = folder().name
    assert load_task(name).folder == load_task(f"{name}/task.toml").folder == folder().resolve()


def test_a_name_is_found_in_the_tasks_of_the_working_directory(
    folder: Write, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(folder(), home / "tasks" / "mine")
    monkeypatch.chdir(home)
    assert "mine" in list_tasks()
    assert list_tasks(home / "tasks") == ("mine",)
    assert load_task("mine").name == "toy"


def test_an_unknown_name_offers_close_matches() -> None:
    with pytest.raises(UnknownTaskError, match=r"'vocab_scalign'.*did you mean 'vocab_scaling'"):
        load_task("vocab_scalign")


@pytest.mark.parametrize("name", ["", "x" * 5000, "a\0b", "no/such/folder"])
def test_a_name_that_is_no_path_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownTaskError):
        load_task(name)


def test_a_folder_without_task_toml_says_what_a_task_is(tmp_path: Path) -> None:
    with pytest.raises(UnknownTaskError, match=r"has no task\.toml; a task is a folder with"):
        load_task(tmp_path)


def test_training_rows_do_not_depend_on_held_out_targets(tmp_path: Path) -> None:
    """Sealed: with noise in place of every held-out target, each array of the Task stays as it was."""
    before = load_task("sft_scaling")
    shutil.copytree(before.folder, tmp_path / "tasks" / "sft_scaling")
    shutil.copytree(before.folder.parents[1] / "datasets" / "sft", tmp_path / "datasets" / "sft")
    noise = np.random.default_rng(0).uniform(0.1, 20, size=1000)
    points = tmp_path / "datasets" / "sft" / "points.csv"
    header, *lines = points.read_text().splitlines()
    lines = [
        line.rsplit(",", 1)[0] + f",{noise[number]}" if ",819200," in line else line
        for number, line in enumerate(lines)
    ]
    points.write_text("\n".join([header, *lines]) + "\n")

    after = load_task(tmp_path / "tasks" / "sft_scaling")
    for name in ("inputs", "target", "cell", "line"):
        assert getattr(after.training, name).tobytes() == getattr(before.training, name).tobytes()
    assert after.cells == before.cells
    assert read_rows(after.folder, "held_out").target.tolist() != read_rows(before.folder, "held_out").target.tolist()


def test_no_held_out_number_is_reachable_from_a_task(folder: Write) -> None:
    """Neither pickled nor behind a view: the held-out targets here are numbers that stand nowhere else."""
    points = (folder() / "points.csv").read_text().replace("2.2", "2.718281828").replace("3.3", "2.718281828")
    task = load_task(folder(points=points))
    assert np.float64(2.718281828).tobytes() not in pickle.dumps(task)
    for name in ("inputs", "target", "cell", "line"):
        array = getattr(task.training, name)
        while array is not None:
            assert len(array) == task.training.n_rows
            array = array.base


def test_rows_cannot_be_written_to() -> None:
    rows = load_task("parallel_scaling").training
    with pytest.raises(ValueError, match="read-only"):
        rows.target[0] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        rows.select(rows.cell == 0).inputs[0] = 0.0


def test_selected_rows_keep_their_cells_and_lines() -> None:
    rows = load_task("domain_mixture_scaling").training
    some = rows.select(rows.cell == 7)
    assert (some.n_rows, some.cells) == (20, rows.cells)
    assert rows.cells[7].label == "160M: loss3"
    np.testing.assert_array_equal(some.target, rows.target[rows.cell == 7])


def test_an_unknown_input_is_named_with_close_matches() -> None:
    with pytest.raises(UnknownInputError, match=r"'num_param'.*did you mean 'num_params'"):
        load_task("parallel_scaling").training.column("num_param")


def test_rows_of_unequal_lengths_are_refused() -> None:
    one, two = np.zeros(1), np.zeros(2)
    with pytest.raises(ValueError, match=r"cell: shape \(2,\), expected \(1,\)"):
        Rows(("x",), (Cell("", "y"),), np.zeros((1, 1)), one, two, one)


def test_parts_are_training_and_held_out_only(folder: Write) -> None:
    with pytest.raises(ValueError, match="'test', expected 'training' or 'held_out'"):
        read_rows(folder(), "test")


def test_every_target_reads_its_own_share_as_own() -> None:
    rows = load_task("domain_mixture_scaling").training
    assert rows.input_names == ("own", "other1", "other2", "other3", "other4")
    first = rows.select(rows.line == 2)  # shares 0.5, 0.1875, 0.0625, 0.0625, 0.1875
    assert first.inputs.tolist() == [
        [0.5, 0.1875, 0.0625, 0.0625, 0.1875],
        [0.1875, 0.5, 0.0625, 0.0625, 0.1875],
        [0.0625, 0.5, 0.1875, 0.0625, 0.1875],
        [0.0625, 0.5, 0.1875, 0.0625, 0.1875],
        [0.1875, 0.5, 0.1875, 0.0625, 0.0625],
    ]
    assert first.target.tolist() == [2.646, 3.673, 3.20752, 1.80429, 3.64303]


def test_a_task_without_human_laws_has_none(folder: Write) -> None:
    path = folder()
    (path / "human.toml").unlink()
    assert load_task(path).human_laws == ()


def test_a_byte_order_mark_and_windows_line_ends_are_read(folder: Write) -> None:
    plain = load_task(folder()).training
    points = (folder() / "points.csv").read_text().replace("\n", "\r\n")
    marked = load_task(folder(points=b"\xef\xbb\xbf" + points.encode())).training
    np.testing.assert_array_equal(marked.target, plain.target)
    np.testing.assert_array_equal(marked.line, plain.line)


def test_dropped_lines_are_not_checked_and_a_group_dropped_by_name_is_gone(folder: Write) -> None:
    points = "kind,size,loss,comment\na,0,oops,bad\na,1e7,3,\na,1e9,2,\nz,1e7,9,\n"
    task = (folder() / "task.toml").read_text()
    task += '[[drop]]\ncolumn = "comment"\nequals = "bad"\n[[drop]]\ncolumn = "kind"\nequals = "z"\n'
    loaded = load_task(folder(task=task, points=points, human=""" laws = [] """))
    assert loaded.groups == ("a",)
    assert loaded.training.line.tolist() == [3]


@pytest.mark.parametrize(
    "condition, held_out",
    [
        ("equals = 1e9", [4, 7]),
        ("equals = 1.004e9, tolerance = 0.005", [4, 7]),
        ("not_equals = 1e7", [3, 4, 6, 7]),
        ("not_equals = 1.004e9, tolerance = 0.005", [2, 3, 5, 6]),
        ("above = 1e8", [4, 7]),
        ("at_least = 1e8", [3, 4, 6, 7]),
        ("below = 1e8", [2, 5]),
        ("at_most = 1e8", [2, 3, 5, 6]),
    ],
)
def test_conditions_compare_as_they_read(folder: Write, condition: str, held_out: list[int]) -> None:
    task = (folder() / "task.toml").read_text().replace("at_least = 1e9", condition)
    assert read_rows(folder(task=task), "held_out").line.tolist() == held_out


def test_any_of_joins_and_all_of_intersects_conditions(folder: Write) -> None:
    any_of = (folder() / "task.toml").read_text()
    any_of = any_of.replace("at_least = 1e9 }", 'at_least = 1e9 }, { column = "kind", equals = "a" }')
    all_of = any_of.replace("any_of", "all_of")
    assert read_rows(folder(task=all_of), "held_out").line.tolist() == [4]
    assert read_rows(folder(task=all_of), "training").line.tolist() == [2, 3, 5, 6, 7]
    assert load_task(folder(task=all_of)).held_out_together == ("size", "kind")
    assert load_task(folder()).held_out_together == ()
    with pytest.raises(Exception, match="group 'a' is held out but has no training rows"):
        load_task(folder(task=any_of))


def test_two_thousand_lines_are_read_in_a_moment() -> None:
    load_task("lr_bsz_scaling")
    start = time.process_time()
    load_task("lr_bsz_scaling")
    assert time.process_time() - start < 2.0  # about 0.01 s; the rest is for a slow machine


def test_nothing_is_written_to_the_folder(folder: Write) -> None:
    path = folder()
    before = sorted((file.name, file.stat().st_mtime_ns) for file in path.iterdir())
    load_task(path)
    with pytest.raises(TaskError):
        load_task(folder(task="x = 1"))
    folder()
    assert sorted(name for name, _ in before) == sorted(file.name for file in path.iterdir())
