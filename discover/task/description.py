"""What task.toml says, before any measurement is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path

from discover.errors import did_you_mean, shown
from discover.law import GRAMMAR, is_name
from discover.library.roles import ROLES
from discover.task.document import Section, read_document
from discover.task.sides import SIDES
from discover.task.split import CONDITION_KEYS, Rule, read_drop, read_rule
from discover.task.task import Column, Limit

TABLES = ("task", "data", "inputs", "targets", "drop", "split", "limits")
TASK_KEYS = ("name", "title", "summary", "scale_axes", "parameter_cap", "higher_is_better", "keep_outliers")
COLUMN_KEYS = ("name", "unit", "scale", "description", "minimum", "maximum", "role")


@dataclass(frozen=True)
class Description:
    """A task without its measurements: where they are, what they mean, which are held out."""

    name: str
    title: str
    summary: str
    folder: Path
    file: Path  # the CSV
    inputs: tuple[Column, ...]
    targets: tuple[Column, ...]
    reads: tuple[tuple[str, ...], ...]  # per target: the CSV column of each input
    group_columns: tuple[str, ...]
    drop: tuple[Rule, ...]
    split: Rule
    sides: dict[str, str]  # input -> side on which rows are held out, where the rule's numbers do not tell
    among: bool
    scale_axes: tuple[str, ...]
    parameter_cap: int
    higher_is_better: bool
    keep_outliers: bool
    limits: tuple[Limit, ...]

    @property
    def where(self) -> str:
        return str(self.folder / "task.toml")


def read_description(folder: Path) -> Description:
    """The task.toml in `folder`; TaskError names whatever is missing, unknown or of the wrong kind in it."""
    document = read_document(folder / "task.toml", TABLES)
    task = document.section("task", TASK_KEYS)
    data = document.section("data", ("file", "groups"))
    input_tables = document.sections("inputs", COLUMN_KEYS)
    target_tables = document.sections("targets", (*COLUMN_KEYS, "read"))
    drop_tables = document.sections("drop", (*CONDITION_KEYS, "all_of", "reason"), default=[])
    split = document.section("split", ("reason", "any_of", "all_of", "sides", "among"))
    limit_tables = document.sections("limits", ("input", "behaviour", "targets", "source"), default=[])

    name = task.text("name")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", name):
        raise task.error(f"name is {shown(name)}, expected up to 64 letters, digits and '_', '-', '.'", "name")
    parameter_cap = task.value("parameter_cap", int)
    if parameter_cap < 1:
        raise task.error(f"parameter_cap is {parameter_cap}, expected at least 1", "parameter_cap")
    split.text("reason", default="")  # for readers of the file

    inputs = tuple(_read_column(table, in_formulas=True) for table in input_tables)
    targets = tuple(_read_column(table) for table in target_tables)
    input_names = tuple(column.name for column in inputs)
    target_names = tuple(column.name for column in targets)
    for key, names in (("inputs", input_names), ("targets", target_names)):
        if not names:
            raise document.error(f"{key} is empty, expected at least one [[{key}]]", key)
    names = (*input_names, *target_names)
    for position, column in enumerate(names):
        if column in names[:position]:
            raise document.error(f"two of the inputs and targets are named {column!r}; rename one")
    scale_axes = task.texts("scale_axes", default=[])
    for axis in scale_axes:
        _check_known(task, "scale_axes", axis, input_names)
    return Description(
        name=name,
        title=task.text("title"),
        summary=task.text("summary", default=""),
        folder=folder,
        file=folder / data.text("file"),
        inputs=inputs,
        targets=targets,
        reads=tuple(_read_reads(table, input_names) for table in target_tables),
        group_columns=data.texts("groups", default=[]),
        drop=tuple(read_drop(table) for table in drop_tables),
        split=read_rule(split),
        sides=_read_sides(split, input_names),
        among=split.value("among", bool, default=False),
        scale_axes=scale_axes,
        parameter_cap=parameter_cap,
        higher_is_better=task.value("higher_is_better", bool, default=False),
        keep_outliers=task.value("keep_outliers", bool, default=False),
        limits=tuple(_read_limit(table, input_names, target_names) for table in limit_tables),
    )


def columns_read(folder: Path) -> dict[str, dict[str, str]]:
    """For each target of the task in `folder`, the CSV column that each input reads."""
    described = read_description(folder)
    names = [column.name for column in described.inputs]
    return {
        target.name: dict(zip(names, reads, strict=True))
        for target, reads in zip(described.targets, described.reads, strict=True)
    }


def _read_column(section: Section, in_formulas: bool = False) -> Column:
    name = section.text("name")
    if not name.isidentifier() or iskeyword(name) or (in_formulas and not is_name(name)):
        due = "a name that a formula can hold, such as num_params: up to 64 letters, digits and single underscores"
        raise section.error(f"name is {shown(name)}, expected {due}", "name")
    if name in GRAMMAR:
        raise section.error(f"name is {name!r}, which is a function in formulas; rename the column", "name")
    low, high = (section.value(key, float, default=None) for key in ("minimum", "maximum"))
    if low is not None and high is not None and low > high:
        raise section.error(f"minimum {low:g} is above maximum {high:g}")
    scale = section.choice("scale", ("log", "linear"))
    role = section.text("role", default="")
    if role and role not in ROLES:
        raise section.error(f"role is {shown(role)}, which is no role of a column{did_you_mean(role, ROLES)}", "role")
    return Column(name, section.text("unit"), scale, section.text("description", default=""), low, high, role)


def _read_sides(split: Section, input_names: tuple[str, ...]) -> dict[str, str]:
    """`sides` of [split]: input -> "above", "below" or "between" what is left for training."""
    told = split.section("sides", input_names, default={})
    return {name: told.choice(name, SIDES) for name in told.table}


def _read_reads(section: Section, input_names: tuple[str, ...]) -> tuple[str, ...]:
    """The CSV column of each input for one target: as `read` maps it, or the column of the input's name."""
    read = section.section("read", input_names, default={})
    return tuple(read.text(name, default=name) for name in input_names)


def _read_limit(section: Section, input_names: tuple[str, ...], target_names: tuple[str, ...]) -> Limit:
    name = section.text("input")
    _check_known(section, "input", name, input_names)
    targets = section.texts("targets", default=target_names)
    for target in targets:
        _check_known(section, "targets", target, target_names)
    return Limit(name, section.choice("behaviour", ("falls", "rises")), targets, section.text("source"))


def _check_known(section: Section, key: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise section.error(f"{key}: {shown(name)} is no such column{did_you_mean(name, known)}", key)
