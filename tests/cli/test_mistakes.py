"""A user's mistake is answered in one line, what came and what was due; code 2, and nothing is written."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from .conftest import Command, write_task

FORMULA = "E + A/N**alpha"

# What is typed (with {task}, {store}), and what the answer must say.
LINES = [
    ("taks", "unknown command 'taks'; did you mean 'tasks'?"),
    ("leaderbord moe_scaling", "did you mean 'leaderboard'?"),
    ("run", "Missing argument 'TASK'"),
    ("run vocab_scalin", "did you mean 'vocab_scaling'"),
    ("run /no/such/folder", "no such folder or name"),
    ("run {task} --buget 3", "--budget"),
    ("run {task} --budget soon", "budget: 'soon'; expected seconds such as 120s"),
    ("run {task} --budget 0", "budget: '0'"),
    ("run {task} --budget -5s", "budget: '-5s'"),
    ("run {task} --seed -1", "-1 is not in the range x>=0"),
    ("run {task} --seed one", "'one' is not a valid integer"),
    ("run {task} --workers 0", "0 is not in the range x>=1"),
    ("run {task} --proposers families,mutaton", "proposers: 'mutaton' is none; did you mean 'mutation'?"),
    ("run {task} --start-from nothing", "'nothing' is not 'human'"),
    ("run {task} --resume --store {store}", "no store there; make a run first"),
    ("run {task} --resume 2031 --store {task}/points.csv", "not a store"),
    ("benchmark vocab_scalin", "did you mean 'vocab_scaling'"),
    ("benchmark {task} --seeds 0", "0 is not in the range"),
    ("benchmark {task} --budget soon", "budget: 'soon'"),
    ("benchmark {task} --arms none,mutaton", "proposers: 'mutaton' is none; did you mean 'mutation'?"),
    ("runs 20310101 --store {store}", "no store there"),
    ("run {task} extra", "unexpected extra argument"),
    ("fit {task} E+A/M**alpha+foo(N)", "unknown function 'foo'"),
    ("fit {task} E+A/N^alpha", "write ** for powers"),
    ("fit {task} __import__('os').getpid()", "formula:"),
    ("fit {task} 9**9**9+a*N", "formula:"),
    ("fit {task} " + "a+" * 5000 + "N", "10,001 characters"),
    ("fit {task} ''", "it is empty"),
    ("fit {task} E+A/N --loss cubic", "loss: 'cubic'"),
    ("fit {task} E+A/N --loss huber,weight=x", "loss: 'huber,weight=x'"),
    ("fit nosuch E+A/N", "no such folder or name"),
    ("leaderboard {task} --store {store}", "no leaderboard yet; make one with: discover run"),
    ("leaderboard vocab_scalin --store {store}", "did you mean 'vocab_scaling'"),
    ("show widgets-1 --store {store}", "discover run TASK"),
    ("show ../../etc/1 --store {store}", "no leaderboard"),
    ("export widgets/1 --format pdf", "'pdf' is not one of"),
    ("verify widgets/1 --store {store}", "no leaderboard"),
    ("runs --store {store}", "no store there; make a run first"),
    ("runs --store {task}", "a folder, expected a store file"),
    ("run {task} --store {task}/points.csv", "not a store"),
    ("run {task} --store {task}/points.csv/x.sqlite", "x.sqlite"),
]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the small task in it, and no leaderboards to be found elsewhere."""
    from discover.store import lookup

    monkeypatch.setattr(lookup, "COMMITTED", tmp_path / "none")
    write_task(tmp_path / "widgets_scaling")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def is_one_line(text: str) -> bool:
    return text.startswith("discover: ") and text.count("\n") == 1 and len(text) < 500


@pytest.mark.parametrize("line, told", LINES, ids=[line[:40] for line, _ in LINES])
def test_mistake_is_told_in_one_line(discover: Command, empty: Path, line: str, told: str):
    before = contents(empty)
    typed = line.format(task=empty / "widgets_scaling", store=empty / "runs.sqlite").split()
    result = discover(*(word if word != "''" else "" for word in typed))
    assert result.exit_code == 2, result.output
    assert is_one_line(result.stderr), result.stderr
    assert told in result.stderr
    assert result.stdout == ""
    assert contents(empty) == before


def test_no_arguments_show_the_help(discover: Command):
    result = discover()
    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: discover")
    assert result.stdout.count("\n") > 10


BROKEN = {
    "missing column": ("points.csv", lambda text: text.replace("kind,N,", "kind,M,"), "N"),
    "not a number": ("points.csv", lambda text: text.replace("10000000,", "many,", 1), "line 2"),
    "empty cell": ("points.csv", lambda text: text.replace("10000000,", ",", 1), "line 2"),
    "NaN": ("points.csv", lambda text: text.replace("10000000,", "nan,", 1), "line 2"),
    "negative under a log": ("points.csv", lambda text: text.replace("10000000,", "-1,", 1), "line 2"),
    "duplicated header": ("points.csv", lambda text: text.replace("kind,N,D", "kind,N,N"), "N"),
    "typo in a key": (
        "task.toml",
        lambda text: text.replace("parameter_cap", "paramter_cap"),
        "parameter_cap",
    ),
    "no held-out rows": ("task.toml", lambda text: text.replace("1e9", "1e12"), "held"),
    "everything held out": ("task.toml", lambda text: text.replace("1e9", "1e1"), "training"),
    "toml that is none": ("task.toml", lambda text: text + "\n[[", "task.toml"),
    "human law that is none": ("human.toml", lambda text: text.replace("N**alpha", "N^alpha"), "human.toml"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("verb", ["run", "fit"])
def test_broken_task_is_told_with_its_file_and_place(discover: Command, empty: Path, name: str, verb: str):
    file, change, told = BROKEN[name]
    path = empty / "widgets_scaling" / file
    changed = change(path.read_text(encoding="utf-8"))
    assert changed != path.read_text(encoding="utf-8")
    path.write_text(changed, encoding="utf-8")
    before = contents(empty)
    result = discover(verb, empty / "widgets_scaling", *([FORMULA] if verb == "fit" else []))
    assert result.exit_code == 2, result.output
    assert is_one_line(result.stderr), result.stderr
    assert file in result.stderr
    assert told in result.stderr
    assert contents(empty) == before


def test_table_in_another_encoding_is_told(discover: Command, empty: Path):
    path = empty / "widgets_scaling" / "points.csv"
    path.write_bytes(path.read_bytes().replace(b"a,1", b"\xe4,1", 1))
    result = discover("fit", empty / "widgets_scaling", FORMULA)
    assert result.exit_code == 2
    assert "UTF-8" in result.stderr


def test_foreign_database_is_left_alone(discover: Command, empty: Path):
    path = empty / "other.sqlite"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE music (song TEXT)")
    db.close()
    before = contents(empty)
    result = discover("run", empty / "widgets_scaling", "--store", path)
    assert (result.exit_code, contents(empty)) == (2, before)
    assert "another program" in result.stderr


def test_log_loss_with_a_negative_target_names_the_line(discover: Command, empty: Path):
    result = discover("fit", "vocab_scaling", "E + A/non_vocab_params", "--loss", "log")
    assert result.exit_code == 2
    assert "needs positive targets" in result.stderr


@pytest.mark.parametrize("place", ["before", "after"])
def test_debug_shows_where(discover: Command, place: str):
    typed = ["--debug", "run", "nosuch"] if place == "before" else ["run", "nosuch", "--debug"]
    result = discover(*typed)
    assert result.exception is not None
    assert type(result.exception).__name__ == "UnknownTaskError"


def test_fault_of_ours_is_one_line_and_another_code(discover: Command, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise RuntimeError("a\nb")

    monkeypatch.setattr("discover.task.list_tasks", fail)
    result = discover("tasks")
    assert result.exit_code == 1
    assert is_one_line(result.stderr)
    assert "internal error: RuntimeError: a b; run again with --debug" in result.stderr


def test_what_was_typed_is_not_echoed_at_any_length(discover: Command):
    told = discover("fit", "vocab_scaling", "--" + "x" * 50_000)
    assert told.exit_code == 2
    assert told.stderr.startswith("discover: No such option '--xxx")
    assert len(told.stderr) < 1200
