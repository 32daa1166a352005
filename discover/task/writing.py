"""A guess as a task folder: task.toml, the measurements, a README; all of it or nothing.

In: a `Foreign` table and its `Guess`. Out: a folder that `load_task` reads. Stays out: guessing.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

from discover.errors import DiscoverError, TaskError, shown
from discover.task.foreign import Foreign
from discover.task.guessing import Dropped, Guess, Judged
from discover.task.loading import load_task
from discover.task.sides import split_lines
from discover.task.task import Task


def task_name(path: Path) -> str:
    """A name for the task of a file: letters, digits and underscores of its stem."""
    stem = "".join(c for c in unicodedata.normalize("NFKD", path.stem) if not unicodedata.combining(c))
    name = re.sub(r"[^A-Za-z0-9]+", "_", stem, flags=re.ASCII).strip("_")[:60]
    return name or "my_task"


def write_task_folder(folder: Path, table: Foreign, guess: Guess) -> Task:
    """The task in `folder`, which must not exist; it is written beside, loaded, and only then given its name.

    Raises:
        TaskError: The folder exists or cannot be written.
    """
    refuse_folder(folder)
    made = [parent for parent in folder.parents if not parent.exists()]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        try:
            _write(building, task_name(folder), table, guess)
            os.rename(building, folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    except OSError as problem:
        raise TaskError(f"{shown(str(folder), 200)[1:-1]}: cannot be written ({problem.strerror})") from None
    except DiscoverError as problem:  # told by the file that the user has, with the same lines
        told = str(problem).replace(str(building.resolve() / "points.csv"), str(table.path))
        raise type(problem)(told.replace(str(building.resolve()), str(folder))) from None
    finally:
        for parent in made:
            with contextlib.suppress(OSError):
                parent.rmdir()  # not where the task is
    return load_task(folder)


def _write(building: Path, name: str, table: Foreign, guess: Guess) -> None:
    for file, text in (
        ("points.csv", table.text),
        ("task.toml", task_toml(name, table, guess)),
        ("README.md", readme(name, table, guess)),
    ):
        (building / file).write_text(text, encoding="utf-8", newline="")
    load_task(building)
    os.chmod(building, 0o755)


def refuse_folder(folder: Path) -> None:
    """TaskError where no task can be written to `folder`, as far as its path tells."""
    if folder.name in ("", ".."):
        raise TaskError(f"{folder}: is no name for a new folder; give another with --output")
    try:
        taken = folder.exists() or folder.is_symlink()
    except (OSError, ValueError) as problem:  # a name too long, a NUL in it
        told = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise TaskError(f"{shown(str(folder))}: cannot be written ({told})") from None
    if taken:
        raise TaskError(f"{folder}: exists already; give another folder with --output")


def task_toml(name: str, table: Foreign, guess: Guess) -> str:
    """The text of task.toml, with the reasons as comments."""
    predicted = " and ".join(guess.targets)
    lines = ["# Written by `discover new`; every line may be changed.", "", "[task]"]
    lines += [f"name = {_toml(name)}", f"title = {_toml(f'{predicted} of {table.path.stem}')}"]
    told = f"{predicted} as a law of {', '.join(guess.inputs)}, from {_plain(table.path.name)}."
    told += f" Asked: {guess.held_reason}."
    lines += [f"summary = {_toml(told)}", f"scale_axes = {_toml(list(guess.scale_axes))}"]
    if guess.scale_axes:
        lines[-1] += "  # the axis along which you extrapolate comes first"
    lines += [f"parameter_cap = {guess.parameter_cap}  # most parameters that a law may have"]
    lines += ["higher_is_better = true"] if guess.higher_is_better else []
    lines += ["", "[data]", 'file = "points.csv"']
    if guess.groups:
        lines += [f"groups = {_toml(list(guess.groups))}  # their values get parameters of their own"]
    for kind, names in (("inputs", guess.inputs), ("targets", guess.targets)):
        for each in names:
            judged = guess.column(each)
            lines += ["", f"[[{kind}]]", f"name = {_toml(each)}", f"unit = {_toml(judged.unit)}"]
            lines += [f"scale = {_toml(judged.scale)}"]
            lines += ["minimum = 0"] if judged.share or judged.from_zero else []
            lines += ["maximum = 1"] if judged.share else []
            heading = _plain(table.headings[each])
            told = heading if heading != each else judged.why.removeprefix("the name says ")
            lines += [f"description = {_toml(told)}"]
    for drop in guess.drops:
        lines += ["", f"[[drop]]  # {_lines(drop.lines)}"]
        if len(drop.conditions) == 1:
            name, compared, limit = drop.conditions[0]
            lines += [f"column = {_toml(name)}", f"{compared} = {_toml(limit)}"]
        else:
            lines += [f"all_of = [{', '.join(map(_condition, drop.conditions))}]"]
        lines += [f"reason = {_toml(drop.reason)}"]
    lines += ["", "[split]", f"reason = {_toml(guess.held_reason)}", f"any_of = [{_condition(guess.held_out)}]"]
    return "\n".join([*lines, *split_lines(guess.sides, guess.among), ""])


def readme(name: str, table: Foreign, guess: Guess) -> str:
    """What was guessed and why, for whoever opens the folder."""
    lines = [f"# {name}", "", f"Made by `discover new` from `{_plain(table.path.name)}`.", ""]
    lines += ["| column | role | scale | unit | why |", "|---|---|---|---|---|"]
    for judged in guess.columns:
        cells = (f"`{judged.name}`", judged.role, judged.scale, judged.unit, judged.why)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines += ["", f"H{split_line(guess)[1:]}.", ""]
    if guess.drops:
        lines += ["Not used:", ""]
        lines += [f"- {_of(drop, '`')}: {drop.reason} ({_lines(drop.lines)})" for drop in guess.drops] + [""]
    if table.notes:
        lines += ["Changed on the way from the file to `points.csv`:", "", *(f"- {note}" for note in table.notes), ""]
    lines += ["```sh", f"discover check {name}", f"discover run {name}", "```", ""]
    return "\n".join(lines)


def summary_lines(table: Foreign, guess: Guess) -> list[str]:
    """What was guessed, a line a column, for the screen."""
    wide = min(max(len(judged.name) for judged in guess.columns), 28)
    lines = [f"{_plain(table.path.name)}: {len(table.line)} rows, {len(table.columns)} columns"]
    for judged in guess.columns:
        lines.append(f"  {judged.name:<{wide}}  {_role(judged, guess):<10}  {_told(judged)}")
    return lines


def split_line(guess: Guess) -> str:
    """Which rows are held out, in a sentence."""
    column, _, value = guess.held_out
    rule = f"{column} >= {value:g}" if isinstance(value, float) else f"{column} is {value}"
    return f"held out: {len(guess.held_lines)} of {guess.rows} rows, where {rule}: {guess.held_reason}"


def drop_lines(guess: Guess) -> list[str]:
    """Which rows are not used, a line a rule."""
    return [f"not used: {_lines(drop.lines)}: {_of(drop)}: {drop.reason}" for drop in guess.drops]


def _of(drop: Dropped, quote: str = "") -> str:
    return " and ".join(f"{quote}{name}{quote}" for name, _, _ in drop.conditions)


def _condition(condition: tuple[str, str, str | float]) -> str:
    column, operator, value = condition
    return f"{{ column = {_toml(column)}, {operator} = {_toml(value)} }}"


def _role(judged: Judged, guess: Guess) -> str:
    return "scale axis" if judged.name in guess.scale_axes else judged.role


def _told(judged: Judged) -> str:
    if judged.role == "left out":
        return judged.why
    parts = [judged.span, f"{judged.scale} scale" if judged.scale else "", judged.unit and f"unit {judged.unit}"]
    return f"{', '.join(filter(None, parts))}; {judged.why}"


def _lines(lines: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, lines[:5])) + (", ..." if len(lines) > 5 else "")
    return f"line {shown}" if len(lines) == 1 else f"{len(lines)} rows, lines {shown}"


def _toml(value: Any) -> str:
    """A value as TOML: its basic strings and numbers are those of JSON, but for DEL."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[`\x00-\x1f\x7f]", " ", text).split())[:200]
