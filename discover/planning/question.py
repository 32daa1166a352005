"""What is asked of a law: which inputs are free, which are given, what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discover.errors import DiscoverError, did_you_mean, shown
from discover.law import Expression, Law, parse_expression, symbols

if TYPE_CHECKING:
    from discover.task import Task

_MULTIPLES = {"": 1.0, "thousands": 1e3, "millions": 1e6, "billions": 1e9, "trillions": 1e12}
_BELOW, _ABOVE = 0.1, 1e4  # times the measured ends: how far a scale axis is searched


@dataclass(frozen=True)
class Question:
    """One decision.

    Attributes:
        task: Its columns name everything below, in its units.
        cell: Index of the cell that is asked about.
        over: Inputs that are free, in the order of every array.
        at: The other inputs that the law or the cost reads, with their values.
        bounds: (low, high) of each free input.
        logs: Whether each free input is moved by ratios.
        cost: Over `over` and `at`; None without a budget.
        budget: In the cost's own unit.
    """

    task: Task
    cell: int
    over: tuple[str, ...]
    at: Mapping[str, float]
    bounds: tuple[tuple[float, float], ...]
    logs: tuple[bool, ...]
    cost: Expression | None = None
    budget: float = math.inf


def ask(
    task: Task,
    law: Law,
    *,
    over: Sequence[str] = (),
    at: Mapping[str, float] | None = None,
    cell: str = "",
    cost: str | None = None,
    budget: float | None = None,
) -> Question:
    """A checked question.

    Args:
        over: Free inputs; where left out, those that the cost reads and `at` does not give.
        at: Given inputs.
        cell: Label of the cell; may be left out where the task has one.
        cost: An expression over inputs of the task; where left out and a budget is given, 6 x parameters x tokens.
        budget: What the cost may be at most.

    Raises:
        DiscoverError: An unknown name, an input neither free nor given, a value outside its unit, a missing cell.
        LawSyntaxError: A cost that is not arithmetic over inputs.
    """
    at = dict(at or {})
    _check_names(task, over)
    check_values(task, at)
    both = [name for name in over if name in at]
    if both:
        raise DiscoverError(f"input {both[0]!r}: both free (--over) and given (--at); choose one")
    expression = None
    if budget is not None:
        if not (math.isfinite(budget) and budget > 0):
            raise DiscoverError(f"budget: {budget:g}; expected a positive number, in the unit of the cost")
        expression = parse_expression(cost or default_cost(task), task.input_names)
    elif cost is not None:
        raise DiscoverError("cost: given without a budget; add --budget")
    read = [n for n in task.input_names if n in law.inputs or (expression is not None and n in symbols(expression))]
    chosen = tuple(over) or tuple(
        n for n in read if expression is not None and n in symbols(expression) and n not in at
    )
    if not chosen:
        raise DiscoverError(f"nothing is free; name inputs with --over, such as --over {','.join(read[:2])}")
    idle = [name for name in chosen if name not in read]
    if idle:
        raise DiscoverError(f"input {idle[0]!r}: neither the law nor the cost reads it; they read {', '.join(read)}")
    missing = [name for name in read if name not in chosen and name not in at]
    if missing:
        raise DiscoverError(
            f"input {missing[0]!r}: neither free nor given; add --over ...,{missing[0]} or --at {missing[0]}=VALUE"
        )
    number = _cell(task, cell)
    limits, logs = zip(*(_limits(task, number, name) for name in chosen), strict=True)
    given = {name: float(value) for name, value in at.items()}  # near-tied laws may read what this one does not
    return Question(
        task, number, chosen, given, limits, logs, expression, math.inf if budget is None else float(budget)
    )


def default_cost(task: Task) -> str:
    """6 x parameters x tokens in the task's own names, the compute of training in FLOP (Kaplan et al. 2020, section
    2.1); units such as "billions of tokens", as `discover new` writes them, are counted.

    Raises:
        DiscoverError: The task does not have one input of each unit.
    """
    found, size = [], 6.0
    for unit in ("parameters", "tokens"):
        times = {c.name: _of(c.unit, unit) for c in task.inputs if c.name in task.input_names and _of(c.unit, unit)}
        scale = [name for name in times if name in task.scale_axes]
        if len(scale or times) != 1:
            raise DiscoverError(
                f"cost: task {task.name} has no single input in {unit}; say what a run costs, such as --cost "
                f'"6*{"*".join(task.input_names[:2])}"'
            )
        found.append((scale or list(times))[0])
        size *= times[found[-1]]
    return f"{size:g}*{found[0]}*{found[1]}"


def _of(unit: str, plain: str) -> float:
    """How many of a plain unit one of `unit` is: 1e9 for "billions of tokens"; 0 where it is another."""
    several, _, last = unit.rpartition(" of ")
    return _MULTIPLES.get(several, 0.0) if last == plain else 0.0


def read_values(text: str) -> dict[str, float]:
    """`n_params=1e9,d_tokens=1e11` as numbers; DiscoverError names the part that is none."""
    found: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = part.partition("=")
        try:
            number = float(value) if equals else math.nan
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise DiscoverError(f"--at: {shown(part)}; expected NAME=NUMBER, such as n_params=1e9")
        found[name.strip()] = number
    return found


def _cell(task: Task, label: str) -> int:
    labels = [cell.label for cell in task.cells]
    if not label:
        if len(labels) > 1:
            some = ", ".join(labels[:4]) + (", ..." if len(labels) > 4 else "")
            raise DiscoverError(f"task {task.name}: has {len(labels)} cells; choose one with --cell ({some})")
        return 0
    if label in labels:
        return labels.index(label)
    groups = [i for i, cell in enumerate(task.cells) if label in (cell.group, cell.target)]
    if len(groups) == 1:
        return groups[0]
    raise DiscoverError(f"cell {shown(label)}: not one of task {task.name}{did_you_mean(label, labels)}")


def check_values(task: Task, values: Mapping[str, float]) -> None:
    """DiscoverError where a name is no input of the task, or a value is none that its unit allows."""
    _check_names(task, values)
    for name, value in values.items():
        _check(task, name, value)


def _check_names(task: Task, names: Iterable[str]) -> None:
    for name in names:
        if name not in task.input_names:
            hint = did_you_mean(name, task.input_names)
            raise DiscoverError(f"input {shown(name)}: not one of task {task.name}{hint}")


def _check(task: Task, name: str, value: float) -> None:
    column = next((c for c in task.inputs if c.name == name), None)
    if column is None:
        return
    low = -math.inf if column.minimum is None else column.minimum
    high = math.inf if column.maximum is None else column.maximum
    if not low <= value <= high or (column.scale == "log" and value <= 0):
        least = max(low, 0.0) if column.scale == "log" else low
        raise DiscoverError(f"{name}: {value:g} {column.unit}; its unit allows {least:g} to {high:g}")


def _limits(task: Task, cell: int, name: str) -> tuple[tuple[float, float], bool]:
    """Where a free input is looked for: scale axes far beyond the data, others where there are data."""
    column = next((c for c in task.inputs if c.name == name), None)
    values = task.training.column(name)[task.training.cell == cell]
    low, high = float(values.min()), float(values.max())
    is_log = task.is_log(name) and low > 0
    if name in task.scale_axes:
        low, high = (low * _BELOW, high * _ABOVE) if is_log else (low, high + (high - low))
    if column is not None:
        low = low if column.minimum is None else max(low, column.minimum)
        high = high if column.maximum is None else min(high, column.maximum)
    if not low < high:
        raise DiscoverError(
            f"{name}: is {low:g} in every row of this cell: nothing is known of other values; give it with --at"
        )
    return (low, high), is_log


def row_of(question: Question, values: np.ndarray) -> dict[str, float]:
    """All inputs by name at free values (free,)."""
    return {**question.at, **dict(zip(question.over, map(float, values), strict=True))}
