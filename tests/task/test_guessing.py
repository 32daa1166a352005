"""What `discover new` makes of columns that can be taken in more than one way."""

from __future__ import annotations

from pathlib import Path

import pytest

from discover.errors import TableError
from discover.task import load_task
from discover.task.foreign import Foreign, read_foreign
from discover.task.guessing import guess
from discover.task.writing import task_name, write_task_folder


def read(tmp_path: Path, header: str, rows: list[tuple[object, ...]]) -> Foreign:
    path = tmp_path / "runs.csv"
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    return read_foreign(path)


def grid(**changes: str) -> list[tuple[object, ...]]:
    """Five sizes by four amounts of data; `changes` replaces a cell of the row of that number: r3_0="x"."""
    rows = [[n, d, round(1.7 + 400 / n**0.34 + 410 / d**0.28, 4)] for n in (1e7, 3e7, 1e8, 3e8, 1e9)
            for d in (1e9, 4e9, 1.6e10, 6.4e10)]  # fmt: skip
    for place, text in changes.items():
        row, column = map(int, place[1:].split("_"))
        rows[row][column] = text  # type: ignore[call-overload]
    return [tuple(row) for row in rows]


def test_runs_without_a_size_are_left_out(tmp_path: Path) -> None:
    """An empty cell in the column that the split compares, and a size of zero beside it, made the task unreadable."""
    table = read(tmp_path, "params,tokens,loss", grid(r3_0="", r7_0="unknown", r9_1="0", r12_1="nan"))
    task = write_task_folder(tmp_path / "mine", table, guess(table))
    assert (task.training_count, task.held_out_count) == (12, 4)
    assert set(task.training.line) == {line for line in range(2, 18) if line not in (5, 9, 11, 14)}


def test_refusal_names_the_file_that_the_user_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = read(tmp_path, "params,tokens,loss", grid(r3_0=""))
    from dataclasses import replace

    with pytest.raises(TableError) as refusal:
        write_task_folder(tmp_path / "mine", table, replace(guess(table), drops=()))
    assert str(refusal.value).startswith(f"{table.path}, line 5, column 'params': got an empty cell")


def test_small_combinations_of_groups_are_dropped_alone(tmp_path: Path) -> None:
    """With three rows of one task on one model, the tasks were thrown together in one law of all models."""
    counts = {("a", "x"): 9, ("a", "y"): 9, ("b", "x"): 9, ("b", "y"): 3, ("c", "x"): 1}
    rows = [
        (*label, 10 ** (2 + k / 4), round(floor + 10 ** (1 - k / 8), 4))
        for floor, (label, count) in enumerate(counts.items(), 1)
        for k in range(count)
    ]
    table = read(tmp_path, "model,task,examples,loss", rows)
    found = guess(table)
    assert found.groups == ("model", "task")
    task = write_task_folder(tmp_path / "mine", table, found)
    assert [cell.group for cell in task.cells] == ["a, x", "a, y", "b, x"]
    assert "'b, y' has fewer than 6 rows" in (tmp_path / "mine" / "task.toml").read_text()
    assert load_task(tmp_path / "mine").training_count + task.held_out_count == 27


def test_one_small_group_does_not_cap_the_law_of_all(tmp_path: Path) -> None:
    """A group of five training rows left every law two parameters, and a power law with a floor has three."""
    groups = {"a": range(15), "b": range(15), "c": range(8, 14)}
    rows = [(kind, 10 ** (2 + k / 4), round(1 + 10 ** (1 - k / 8), 4)) for kind, own in groups.items() for k in own]
    found = guess(read(tmp_path, "kind,examples,loss", rows))
    assert found.parameter_cap == 3


def test_hours_are_an_input_where_nothing_else_is(tmp_path: Path) -> None:
    table = read(tmp_path, "train hours,score", [(k, 1 - 1 / k) for k in range(2, 40, 3)])
    assert guess(table).inputs == ("train_hours",)
    table = read(tmp_path, "train hours,params,score", [(k, k * k % 7 + 1, 1 - 1 / k) for k in range(2, 40, 3)])
    assert guess(table).inputs == ("params",)


def test_inputs_that_the_user_names_are_taken(tmp_path: Path) -> None:
    rows = [(n, d, k % 5, "w", loss) for k, (n, d, loss) in enumerate(grid())]
    table = read(tmp_path, "params,tokens,seed,word,loss", rows)
    found = guess(table, inputs=("params", "seed"))
    assert found.inputs == ("params", "seed")
    assert found.column("tokens").why == "not among --inputs"
    for names, told in (
        (("word",), "input 'word' holds 'w', expected numbers that vary"),
        (("loss",), "'loss' is the target, and among --inputs too"),
        (("sizes",), "--inputs names 'sizes', which is no column"),
    ):
        with pytest.raises(TableError, match=told):
            guess(table, inputs=names)


def test_size_of_millions_is_a_model_size(tmp_path: Path) -> None:
    assert guess(read(tmp_path, "size,tokens,loss", grid())).column("size").unit == "parameters"
    rows = [(*row, 10 ** (6 + k % 3)) for k, row in enumerate(grid())]
    table = read(tmp_path, "params,tokens,loss,size", rows)
    assert guess(table).column("size").unit == "1"


def test_nothing_below_zero_is_asked_of_what_begins_there(tmp_path: Path) -> None:
    """A certificate spoke of a penalty of -0.075, and a plan might have."""
    rows = [(n, d, k % 5, k % 3 + 1, loss) for k, (n, d, loss) in enumerate(grid())]
    table = read(tmp_path, "params,tokens,shots,layers_kept,loss", rows)
    task = write_task_folder(tmp_path / "mine", table, guess(table))
    assert {column.name: column.minimum for column in task.inputs}["shots"] == 0
    assert {column.minimum for column in task.inputs if column.name != "shots"} == {None}


def test_second_loss_is_offered_as_a_target(tmp_path: Path) -> None:
    table = read(tmp_path, "params,tokens,loss_web,loss_code", [(*row, row[2]) for row in grid()])
    assert guess(table).column("loss_code").why.endswith("both are predicted with --target loss_web,loss_code")
    table = read(tmp_path, "params,tokens,val_loss,train_loss", [(*row, row[2]) for row in grid()])
    assert "--target" not in guess(table).column("train_loss").why


def test_task_is_named_without_accents() -> None:
    assert task_name(Path("noms étranges.csv")) == "noms_etranges"
