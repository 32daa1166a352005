"""`discover new` on tables as people have them: a first run on the folder needs no editing."""

from __future__ import annotations

import os
import pty
import subprocess
import time
from pathlib import Path

import pytest

from discover.task import load_task

from .conftest import Command, command, environment
from .runs_tables import TABLES, loss_curves, sweep, write


@pytest.mark.parametrize(
    "name, budget",
    [("sweep", 64), ("without_names", 64), ("loss_curves", 16)]
    + [pytest.param(name, 64, marks=pytest.mark.slow) for name in ("loss_curves", "mixture", "accuracy")],
)
def test_first_run_needs_no_editing(
    discover: Command, tmp_path: Path, name: str, budget: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    table = TABLES[name](tmp_path)
    made = discover("new", table, "--output", "mine", "--yes")
    assert made.exit_code == 0, made.output
    assert discover("check", "mine").exit_code == 0
    run = discover("run", "mine", "--budget", budget, "--workers", "1", "--store", tmp_path / "r" / "runs.sqlite")
    assert run.exit_code == 0, run.output
    assert "discovered" in run.stdout
    assert discover("export", "mine/1", "--store", tmp_path / "r" / "runs.sqlite").exit_code == 0


def test_folder_says_what_was_guessed_and_why(discover: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    result = discover("new", loss_curves(tmp_path), "--yes")
    assert result.exit_code == 0, result.output
    task = load_task("curves")
    assert (task.input_names, task.scale_axes) == (("nParams", "Tokens"), ("nParams", "Tokens"))
    assert ([c.name for c in task.targets], task.groups) == (["Val_Loss"], ("c4", "pile", "wiki, en"))
    assert (task.training_count, task.held_out_count) == (56, 12)
    assert [(c.unit, c.scale) for c in (*task.inputs, *task.targets)] == [
        ("parameters", "log"), ("tokens", "log"), ("nats/token", "log"),
    ]  # fmt: skip
    readme = (tmp_path / "curves" / "README.md").read_text(encoding="utf-8")
    for told in (
        "the name says a model size", "follows from nParams and Tokens", "never varies: always '0.0003'",
        "the name says a seed", "3 values, at least 22 rows for each", "12 of 68 rows, where nParams >= 3e+09",
    ):  # fmt: skip
        assert told in result.stdout
        assert told in readme
    assert "not used: 2 rows, lines 8, 34: Val_Loss: not measured" in result.stdout
    assert "discover run curves" in result.stdout
    assert {path.name for path in Path("curves").iterdir()} == {"task.toml", "points.csv", "README.md"}


def test_lines_of_the_copy_are_those_of_the_file(discover: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What is told with a line is found there in the user's own file, also where the copy was written anew."""
    monkeypatch.chdir(tmp_path)
    table = loss_curves(tmp_path)
    lines = table.read_text().splitlines()
    lines.insert(3, "")
    lines[10] = lines[10].replace("run-", '"run\n').replace(",c4", '",c4', 1)  # a cell with a line break
    table.write_text("\n".join(lines) + "\n")
    assert discover("new", table, "--yes").exit_code == 0
    original = table.read_text().splitlines()
    for line, own in zip(load_task("curves").training.line, load_task("curves").training.target, strict=True):
        assert f",{own}," in original[line - 1] + original[line]


def test_what_the_user_names_counts(discover: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    table = loss_curves(tmp_path)
    assert discover("new", table, "--target", "Val Loss", "--groups", "", "--output", "a", "--yes").exit_code == 0
    assert load_task("a").groups == ()
    assert discover("new", table, "--groups", "dataset,seed", "--output", "b", "--yes").exit_code == 0
    assert len(load_task("b").groups) == 9
    assert discover("new", table, "--target", "hours", "--output", "c", "--yes").exit_code == 0
    assert load_task("c").targets[0].name == "hours"


def test_table_that_marks_its_own_test_rows_is_followed(discover: Command, tmp_path: Path):
    result = discover("new", TABLES["accuracy"](tmp_path), "--output", tmp_path / "acc", "--yes")
    task = load_task(tmp_path / "acc")
    assert (task.held_out_count, task.higher_is_better) == (6, True)
    assert "where split is test" in result.stdout
    assert task.targets[0].unit == "%"


HOSTILE = {
    "no file": (None, "no such file"),
    "empty": (b"", "is empty, expected a header"),
    "header only": (b"params,loss\n", "no rows below the header"),
    "no header": (b"1e7,3.1\n3e7,2.9\n", "expected the names of the columns; add a header"),
    "spreadsheet": (b"PK\x03\x04rest", "is a spreadsheet or an archive"),
    "zero bytes": (b"params,loss\n\x00\x00", "holds zero bytes"),
    "half UTF-16": (b"\xff\xfea", "starts as UTF-16"),
    "ragged": (b"params,loss\n1e7,3\n1e8,2,9\n", "line 3: got 3 cells, expected 2"),
    "open quote": (b'params,loss\n"1e7,3\n', "not CSV"),
    "too few rows": (b"params,loss\n1e7,3\n1e8,2\n", "got 2 rows with a number in loss, expected at least 8"),
    "no target": (b"params,tokens\n" + b"".join(b"%d,%d\n" % (10**i, 10**i) for i in range(9)), "with --target"),
    "nothing varies": (b"params,loss\n" + b"1e7,3\n" * 9, "loss is the same in every row"),
    "no input": (b"seed,loss\n" + b"".join(b"%d,%d\n" % (i, i + 1) for i in range(9)), "no column can be an input"),
    "blanks": (b"params  tokens  loss\n1e7  1e9  3\n1e8  1e9  2\n", "got one column, 'params tokens loss'; separate"),
    "loss never varies": (b"size,loss\n" + b"".join(b"%d,3\n" % i for i in range(9)), "loss is the same in every row"),
    "no loss at all": (b"params,loss\n" + b"".join(b"%d,nan\n" % i for i in range(9)), "loss holds no numbers"),
    "many rows": (b"params,loss\n" + b"1,2\n" * 200_001, "got more than 200000 rows; keep fewer"),
    "many columns": (b",".join(b"c%d" % i for i in range(400)) + b"\n", "got 400 columns, expected at most 300"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_table_that_is_none_is_told_in_one_line(discover: Command, tmp_path: Path, name: str):
    content, told = HOSTILE[name]
    table = tmp_path / "runs.csv"
    if content is not None:
        table.write_bytes(content)
    before = sorted(tmp_path.rglob("*"))
    result = discover("new", table, "--output", tmp_path / "mine", "--yes")
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("discover: ")
    assert result.stderr.count("\n") == 1
    assert told in result.stderr
    assert sorted(tmp_path.rglob("*")) == before


def test_mistakes_in_options_are_told(discover: Command, tmp_path: Path):
    table = loss_curves(tmp_path)
    (tmp_path / "there").mkdir()
    for options, told in (
        (("--target", "val los"), "--target names 'val los', which is no column of it; did you mean 'Val Loss'"),
        (("--target", "state"), "target 'state' holds 'ok', expected numbers"),
        (("--groups", "datset"), "--groups names 'datset'"),
        (("--groups", "run_id"), "no value of run_id has 6 rows"),
        (("--output", tmp_path / "there"), "exists already; give another folder with --output"),
        (("--output", tmp_path / "new" / ".."), "is no name for a new folder"),
        (("--output", tmp_path / "deep" / ("x" * 300)), "cannot be written (File name too long)"),
        (("--output", table / "mine"), "cannot be written (File exists)"),
        (("--inputs", "state"), "input 'state' holds 'ok', expected numbers that vary"),
    ):
        result = discover("new", table, "--yes", "--output", tmp_path / "mine", *options)
        assert result.exit_code == 2
        assert told in result.stderr
        assert {path.name for path in tmp_path.iterdir()} == {"there", "curves.csv"}


def test_names_and_cells_cannot_break_out_of_the_files(discover: Command, tmp_path: Path):
    """Headings and cells with quotes, brackets, line breaks and terminal codes."""
    rows: list[list[object]] = [
        [1e7 * 2**i, 3 - i / 9, 'x"]\n[evil]\ny = "' if i % 2 else "\x1b[31mred\x7f", "`|</script>"] for i in range(16)
    ]
    rows[3][1] = 'no"\n[[drop]]'
    table = write(tmp_path / "r.csv", "params,loss\x1b[2J,ki nd`|,__import__('os')", rows)
    result = discover("new", table, "--output", tmp_path / "mine", "--yes")
    assert result.exit_code == 0, result.output
    task = load_task(tmp_path / "mine")
    assert len(task.groups) == 2
    assert task.training_count + task.held_out_count == 15
    assert "\x1b" not in result.stdout
    assert "\x1b" not in (tmp_path / "mine" / "README.md").read_text()
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {"task.toml", "points.csv", "README.md"}


def test_nothing_is_left_when_the_folder_does_not_load(
    discover: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from discover.task import writing

    monkeypatch.setattr(writing, "task_toml", lambda *_: "[task")
    result = discover("new", loss_curves(tmp_path), "--output", tmp_path / "mine", "--yes")
    assert result.exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["curves.csv"]


def test_it_asks_in_a_terminal(tmp_path: Path):
    """Target, groups, the split and the folder, by a real terminal."""
    sweep(tmp_path)
    owner, own = pty.openpty()
    process = subprocess.Popen(
        command(["new", "sweep.csv"]), stdin=own, stdout=own, stderr=own, cwd=tmp_path, env=environment(),
        start_new_session=True, close_fds=True,
    )  # fmt: skip
    os.close(own)
    seen, answers = "", ["", "-", "125e6", "mine", "y"]
    questions = ["target [", "groups (- for none) [", "is at least [", "folder [", "write it? ["]
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            try:
                piece = os.read(owner, 4096).decode()
            except OSError:
                break
            if not piece:
                break
            seen += piece
            if questions and questions[0] in seen and seen.rstrip(" ").endswith(":"):
                questions.pop(0)
                os.write(owner, (answers.pop(0) + "\n").encode())
        assert process.wait(timeout=120) == 0, seen
    finally:
        process.kill()
        os.close(owner)
    assert questions == [], seen
    task = load_task(tmp_path / "mine")
    assert (task.training_count, task.held_out_count) == (32, 31)
