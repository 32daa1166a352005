"""Each mistake in a task folder gets one line that names the file, the line or column, and what was due."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from discover.errors import DiscoverError, TableError, TaskError
from discover.task import files, load_task, table

Write = Callable[..., Path]


@pytest.fixture
def refused(folder: Write) -> Callable[..., str]:
    """Loads the toy task with one text replaced in one file, and gives the message of the refusal."""

    def message(file: str, old: str, new: str, error: type[DiscoverError]) -> str:
        text = (folder() / file).read_text()
        assert text.count(old) == 1, f"{old!r} is in {file} {text.count(old)} times"
        path = folder(**{file.split(".")[0]: text.replace(old, new)})
        before = {each.name: each.read_bytes() for each in path.iterdir()}
        with pytest.raises(error) as refusal:
            load_task(path)
        assert {each.name: each.read_bytes() for each in path.iterdir()} == before
        told = str(refusal.value)
        assert "\n" not in told
        assert type(refusal.value) is error
        return told.replace(str(path) + os.sep, "")

    return message


POINTS = {
    "missing column": (
        "kind,size,",
        "kind,sise,",
        "points.csv, line 1: column 'size' (for",
        "did you mean 'sise'?",
    ),
    "missing target": ("size,loss,", "size,cost,", "points.csv, line 1: column 'loss'", "is missing"),
    "missing group": (
        "kind,size",
        "sort,size",
        "points.csv, line 1: column 'kind' (for groups of",
        "task.toml",
    ),
    "wrong unit scale": (
        "a,1e7,3.0",
        "a,10,3.0",
        "line 2, column 'size': got 10, expected 1e+06 to 1e+12 parameters",
    ),
    "above the maximum": (
        "a,1e9",
        "a,1e13",
        "line 4, column 'size': got 1e+13, expected 1e+06 to 1e+12 parameters",
    ),
    "nan": (
        "b,1e8,3.5",
        "b,1e8,nan",
        "line 6, column 'loss': got 'nan', expected a finite number",
        "[[drop]]",
    ),
    "infinite": ("b,1e8,3.5", "b,1e8,-inf", "line 6, column 'loss': got '-inf', expected a finite number"),
    "too large": ("b,1e8,3.5", "b,1e8,1e999", "line 6, column 'loss': got '1e999', expected a finite number"),
    "no number": (
        "b,1e8,3.5",
        "b,1e8,about 3",
        "line 6, column 'loss': got 'about 3', expected a finite number",
    ),
    "empty cell": (
        "b,1e8,3.5",
        "b,1e8,",
        "line 6, column 'loss': got an empty cell, expected a finite number",
    ),
    "nan held out": ("b,1e9,3.3", "b,1e9,NaN", "line 7, column 'loss': got 'NaN'"),
    "negative on log scale": (
        "a,1e8,2.5",
        "a,1e8,-2.5",
        "line 3, column 'loss': got -2.5, expected a positive number",
    ),
    "zero on log scale": ("a,1e8,2.5", "a,1e8,0", "line 3, column 'loss': got 0", 'loss has scale = "log"'),
    "duplicated header": (
        "size,loss,comment",
        "size,loss,size",
        "line 1: column 'size' is there twice",
        "2 and 4",
    ),
    "unnamed column": ("size,loss,comment", "size,loss,", "line 1, column 4: has no name"),
    "group without a name": ("b,1e8,3.5", ",1e8,3.5", "line 6, column 'kind': the group has no name"),
    "group held out only": (
        "b,1e9,3.3",
        "c,1e9,3.3",
        "line 7, column 'kind': group 'c' is held out but has no training",
    ),
    "short line": ("a,1e8,2.5,first", "a,1e8", "line 3: got 2 cells, expected 4"),
    "long line": ("a,1e8,2.5,first", "a,1e8,2.5,6,7", "line 3: got 5 cells, expected 4"),
    "open quote": (
        "a,1e8,2.5,first",
        'a,1e8,2.5,"first',
        "points.csv, line 3: not CSV (unexpected end of data)",
    ),
    "stray quote": ("a,1e8,2.5,first", 'a,1e8,2.5,"fi"rst', "points.csv, line 3: not CSV"),
}


@pytest.mark.parametrize("old, new, parts", [(a, b, c) for a, b, *c in POINTS.values()], ids=POINTS)
def test_a_mistake_in_the_csv_names_line_and_column(
    refused: Callable[..., str], old: str, new: str, parts: list[str]
) -> None:
    message = refused("points.csv", old, new, TableError)
    assert message.startswith("points.csv")
    for part in parts:
        assert part in message


def test_a_column_in_millions_is_recognised(folder: Write) -> None:
    points = "kind,size,loss,comment\na,10,3,\na,100,2.5,\na,1000,2,\n"
    with pytest.raises(
        TableError, match=r"got 10, expected 1e\+06 to 1e\+12 parameters \(is the column in millions\?\)"
    ):
        load_task(folder(points=points, task=(folder() / "task.toml").read_text().replace("1e9", "1e3")))


def test_a_group_left_without_rows_is_named(folder: Write) -> None:
    task = (folder() / "task.toml").read_text() + '[[drop]]\ncolumn = "loss"\nabove = 3.2\n'
    with pytest.raises(TableError, match=r"line 5, column 'kind': group 'b' has no rows after \[\[drop\]\]"):
        load_task(folder(task=task))


def test_groups_that_read_alike_are_refused(folder: Write) -> None:
    task = (folder() / "task.toml").read_text().replace('["kind"]', '["kind", "comment"]')
    points = 'kind,size,loss,comment\n"a, b",1e7,3,c\na,1e7,3,"b, c"\na,1e9,3,"b, c"\n'
    with pytest.raises(TableError, match="two groups read alike"):
        load_task(folder(task=task, points=points))


@pytest.mark.parametrize("content", [b"", b"\n", b"kind,size,loss,comment\n"])
def test_a_csv_without_rows_is_refused(folder: Write, content: bytes) -> None:
    with pytest.raises(TableError, match=r"points.csv.*(no rows below the header|is empty)"):
        load_task(folder(points=content))


def test_a_csv_separated_by_semicolons_is_told_so(folder: Write) -> None:
    points = (folder() / "points.csv").read_text().replace(",", ";")
    with pytest.raises(TableError, match="separate columns by commas"):
        load_task(folder(points=points))


def test_text_that_is_not_utf8_names_line_and_byte(folder: Write) -> None:
    points = (folder() / "points.csv").read_text().replace("first", "für").encode("latin-1")
    with pytest.raises(TableError, match=r"points.csv, line 3: byte 0xfc is not UTF-8; save the file as UTF-8"):
        load_task(folder(points=points))
    with pytest.raises(TaskError, match=r"task.toml, line 2: byte 0xff is not UTF-8"):
        load_task(folder(task=b"[task]\n\xff"))


def test_a_quoted_cell_over_two_lines_does_not_shift_the_numbers_of_lines(folder: Write) -> None:
    points = (folder() / "points.csv").read_text().replace("first", '"first\nsecond"').replace("4.0", "x")
    with pytest.raises(TableError, match="line 6, column 'loss': got 'x'"):
        load_task(folder(points=points))


TASK = {
    "typo of a key": ("parameter_cap", "paramter_cap",
      "task.toml, line 6, [task]: key 'paramter_cap' is not known; did you mean 'parameter_cap'?"),
    "typo of a table": ("[split]", "[spilt]", "line 24: key 'spilt' is not known; did you mean 'split'?"),
    "typo in a column": ("minimum", "minimun",
      "[[inputs]] 1: key 'minimun' is not known; did you mean 'minimum'"),
    "typo of an operator": ("at_least = 1e9", "at_lest = 1e9",
      "[split] [[any_of]] 1: key 'at_lest' is not known"),
    "unknown key": ("[data]", "[data]\nshuffle = true",
      "[data]: key 'shuffle' is not known; known: file, groups"),
    "missing key": ('title = "A toy"\n', "", "[task]: key 'title' is missing; add title = \"...\""),
    "missing table": ('[data]\nfile = "points.csv"\ngroups = ["kind"]\n', "",
      "task.toml: key 'data' is missing"),
    "wrong kind": ("parameter_cap = 3", 'parameter_cap = "3"',
      "line 6, [task]: parameter_cap: got text ('3'), expected a whole number"),
    "truth for a number": ("parameter_cap = 3", "parameter_cap = true", "got true or false"),
    "cap of zero": ("parameter_cap = 3", "parameter_cap = 0", "parameter_cap is 0, expected at least 1"),
    "empty text": ('title = "A toy"', 'title = " "', "[task]: title is empty, expected text"),
    "name that ends a path": ('name = "toy"', 'name = "toy/x"', "name is 'toy/x', expected up to 64 letters"),
    "name with a slash": ('name = "toy"', 'name = "../toy"', "name is '../toy', expected up to 64 letters"),
    "unknown scale": ('unit = "parameters"\nscale = "log"', 'unit = "p"\nscale = "logarithm"',
                      "[[inputs]] 1: scale is 'logarithm', expected 'log' or 'linear'"),
    "scale axis that is no input": ('["size"]', '["sizes"]', "scale_axes: 'sizes' is no such column; "
                                    "did you mean 'size'?"),
    "scale axis twice": ('["size"]', '["size", "size"]', "scale_axes: 'size' stands there twice"),
    "input with two underscores": ('name = "size"', 'name = "model__size"',
      "name is 'model__size', expected a name that a formula can hold"),
    "drop by two ways": ("[split]", '[[drop]]\ncolumn = "size"\nall_of = []\n[split]',
      "[[drop]] 1: got column beside all_of, expected one or the other"),
    "input that no formula can hold": ('name = "size"', 'name = "model size"',
      "name is 'model size', expected a name"),
    "input named as a function": ('name = "size"', 'name = "log"', "which is a function in formulas"),
    "input and target alike": ('name = "size"', 'name = "loss"',
      "two of the inputs and targets are named 'loss'"),
    "range upside down": ("minimum = 1e6", "minimum = 1e13",
      "[[inputs]] 1: minimum 1e+13 is above maximum 1e+12"),
    "nan as a bound": ("minimum = 1e6", "minimum = nan", "minimum is nan, expected a number"),
    "0 held-out rows": ("at_least = 1e9", "above = 1e9", "[split]: 0 held-out rows among the 6 of",
      "size above 1"),
    "0 training rows": ("at_least = 1e9", "at_least = 1", "[split]: 0 training rows among the 6 of"),
    "two operators": ("at_least = 1e9", "at_least = 1e9, below = 1e12",
      "got at_least and below, expected exactly one"),
    "no operator": (", at_least = 1e9", "", "got none, expected exactly one of equals"),
    "tolerance without equals": ("at_least = 1e9", "at_least = 1e9, tolerance = 0.1",
      "tolerance belongs to equals"),
    "tolerance above one": ("at_least = 1e9", "equals = 1e9, tolerance = 5",
      "tolerance is 5, expected a fraction"),
    "text compared by size": ("at_least = 1e9", 'at_least = "1e9"', "at_least is '1e9', expected a number"),
    "no condition": ('[{ column = "size", at_least = 1e9 }]', "[]", "any_of is empty"),
    "no rule": ('any_of = [{ column = "size", at_least = 1e9 }]', "",
      "[split]: got none, expected either any_of"),
    "condition that is no table": ('[{ column = "size", at_least = 1e9 }]', "[1]",
      "[[any_of]] 1: got a whole number"),
    "not toml": ('title = "A toy"', "title = A toy", "task.toml: not TOML:", "line 4"),
    "key twice": ('title = "A toy"', 'title = "A toy"\ntitle = "B"', "task.toml: not TOML:", "line 5"),
}  # fmt: skip


@pytest.mark.parametrize("old, new, parts", [(a, b, c) for a, b, *c in TASK.values()], ids=TASK)
def test_a_mistake_in_task_toml_names_key_and_place(
    refused: Callable[..., str], old: str, new: str, parts: list[str]
) -> None:
    message = refused("task.toml", old, new, TaskError)
    assert "task.toml" in message
    for part in parts:
        assert part in message


def test_a_split_on_a_column_that_is_not_there_names_the_rule(refused: Callable[..., str]) -> None:
    message = refused("task.toml", 'column = "size"', 'column = "sizes"', TableError)
    assert re.search(r"points.csv, line 1: column 'sizes' \(for \[split\] of .*did you mean 'size'\?", message)


LIMIT = '[[limits]]\ninput = "size"\nbehaviour = "falls"\nsource = "nobody"\n'


@pytest.mark.parametrize(
    "old, new, part",
    [
        ('"size"', '"siez"', "[[limits]] 1: input: 'siez' is no such column; did you mean 'size'?"),
        ('"falls"', '"sinks"', "behaviour is 'sinks', expected 'falls' or 'rises'"),
        ("source", 'targets = ["los"]\nsource', "targets: 'los' is no such column; did you mean 'loss'?"),
        ('source = "nobody"\n', "", "key 'source' is missing"),
    ],
)
def test_a_mistake_in_a_limit_is_named(folder: Write, old: str, new: str, part: str) -> None:
    task = (folder() / "task.toml").read_text()
    assert load_task(folder(task=task + LIMIT)).limits[0].targets == ("loss",)
    with pytest.raises(TaskError, match=re.escape(part)):
        load_task(folder(task=task + LIMIT.replace(old, new)))


HUMAN = {
    "unknown function": (
        "E + A/size**alpha",
        "E + A*lgo(size)**alpha",
        "human.toml, line 4, [[laws]] 1: formula:",
        "lgo",
    ),
    "bound of no parameter": ("{ alpha =", "{ beta =", "[bounds]: key 'beta' is not known"),
    "bounds upside down": ("[0.0, 1.5]", "[1.5, 0.0]", "alpha: expected [lower, upper]"),
    "unknown cell": (
        '"a: loss"',
        '"c: loss"',
        "[published]: key 'c: loss' is not known; did you mean 'b: loss' or 'a: loss'?",
    ),
    "missing coefficient": ("A = 20.0\n", "", "[published] [a: loss]: key 'A' is missing"),
    "unknown coefficient": (
        "A = 20.0\n",
        "A = 20.0\nB = 1.0\n",
        "[published] [a: loss]: key 'B' is not known",
    ),
    "unknown key": (
        "citation",
        "citaton",
        "[[laws]] 1: key 'citaton' is not known; did you mean 'citation'?",
    ),
    "missing citation": ('citation = "nobody"\n', "", "[[laws]] 1: key 'citation' is missing"),
}


@pytest.mark.parametrize("old, new, parts", [(a, b, c) for a, b, *c in HUMAN.values()], ids=HUMAN)
def test_a_mistake_in_human_toml_names_law_and_key(
    refused: Callable[..., str], old: str, new: str, parts: list[str]
) -> None:
    message = refused("human.toml", old, new, TaskError)
    assert message.startswith("human.toml")
    for part in parts:
        assert part in message


def test_two_human_laws_of_one_name_are_refused(folder: Write) -> None:
    law = '[[laws]]\nname = "x"\nformula = "A*size"\ncitation = "c"\n'
    with pytest.raises(TaskError, match=r"\[\[laws\]\] 2: two laws are named 'x'"):
        load_task(folder(human=law + law))


# --- hostile files


def test_the_data_file_may_lie_outside_the_folder_but_must_be_a_regular_file(folder: Write, tmp_path: Path) -> None:
    text = (folder() / "task.toml").read_text()
    elsewhere = tmp_path / "sub"
    elsewhere.mkdir()
    (elsewhere / "task.toml").write_text(text.replace('"points.csv"', '"../points.csv"'))
    assert load_task(elsewhere).training_count == 4
    os.mkfifo(tmp_path / "pipe")
    irregular = dict.fromkeys(("/dev/zero", "pipe", "sub"), "is not a regular file")
    for name, part in (irregular | {"none.csv": "no such file", "a\\u0000b": "cannot be read"}).items():
        with pytest.raises(TableError, match=part):
            load_task(folder(task=text.replace('"points.csv"', f'"{name}"')))


def test_a_csv_beyond_its_size_is_not_read(folder: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    assert table.LARGEST_CSV == 200 * files.MEGABYTE
    monkeypatch.setattr(table, "LARGEST_CSV", 50)
    with pytest.raises(TableError, match=r"points\.csv: larger than"):
        load_task(folder())


def test_a_sparse_csv_of_a_terabyte_is_refused_at_once(folder: Write) -> None:
    path = folder()
    os.truncate(path / "points.csv", 10**12)
    start = time.process_time()
    with pytest.raises(TableError, match="larger than 200 MB"):
        load_task(path)
    assert time.process_time() - start < 10


@pytest.mark.parametrize(
    "task, part",
    [
        ("#" + "x" * 10**6, "larger than 1 MB"),
        ("x = " + "[" * 1900, "not TOML that can be read"),
        (".".join("a" * 3000) + " = 1", "line 1: got 2999 dots, expected at most 100"),
        ("\n".join(".".join("a" * 100) + f".b{row} = 1" for row in range(2000)), "key 'a' is not known"),
        ("x = " + "9" * 1900, "is not known|not TOML that can be read"),
    ],
    ids=["large", "deep", "long key", "many long keys", "long number"],
)  # fmt: skip
def test_a_hostile_toml_is_refused_soon(folder: Write, task: str, part: str) -> None:
    start = time.process_time()
    with pytest.raises(TaskError, match=part):
        load_task(folder(task=task))
    assert time.process_time() - start < 20


def test_a_hostile_csv_is_refused_soon(folder: Write) -> None:
    start = time.process_time()
    wide = ",".join(f"c{number}" for number in range(300_000)) + "\n"
    with pytest.raises(TableError, match=r"column .* is missing"):
        load_task(folder(points=wide + wide))
    with pytest.raises(TableError, match="line 2: not CSV"):
        load_task(folder(points="kind,size,loss,comment\n" + "1" * 200_000 + ",1,1,1\n"))
    assert time.process_time() - start < 20


def test_a_message_shows_little_of_a_long_cell(folder: Write) -> None:
    points = (folder() / "points.csv").read_text().replace("4.0", "x" * 100_000)
    with pytest.raises(TableError) as refusal:
        load_task(folder(points=points))
    assert len(str(refusal.value)) < 1000
