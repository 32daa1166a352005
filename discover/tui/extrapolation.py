"""What the plots of a law show: its fit to the training rows, and how it goes on beyond them.

In: laws with parameters, and a task's training rows. Out: plots, and how far two laws are apart. Stays out: the
held-out rows; what is drawn beyond the training rows is the law's word alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.tui.plot import MARKS, Axis, Curve, Points, plot, short

if TYPE_CHECKING:
    from discover.law import Law
    from discover.task import Rows, Task

BEYOND = 10.0  # times the largest training value of a logarithmic axis; a linear one goes on by a third of its range
MEASURED = "measured against predicted"
_SETTINGS = 3
_STYLES = ("cyan", "yellow", "magenta")
_STEPS = 160


@dataclass(frozen=True)
class Drawn:
    """A law to draw: `parameters` (cell, parameter) in the order of the task's cells."""

    law: Law
    parameters: np.ndarray

    def predict(self, columns: Mapping[str, np.ndarray], cell: int) -> np.ndarray:
        with np.errstate(all="ignore"):
            return self.law.predict(columns, self.parameters[cell])


def drawn(task: Task, formula: str, parameters: Any, names: Sequence[str] | None = None) -> Drawn:
    """The law of a stored formula.

    Args:
        parameters: cell label -> name -> value, or an array (cell, parameter).
        names: The parameters' names, where the formula alone does not tell them.

    Raises:
        LawSyntaxError: The stored formula is not a law of the task's inputs.
        KeyError: A cell of the task, or a parameter of the law, has no value.
    """
    from discover.law import parse

    if isinstance(parameters, Mapping):
        names = list(next(iter(parameters.values()), {}))
        law = parse(formula, task.input_names, parameters=names)
        values = [[parameters[cell.label][name] for name in law.parameters] for cell in task.cells]
        return Drawn(law, np.array(values, dtype=float).reshape(len(task.cells), len(law.parameters)))
    return Drawn(parse(formula, task.input_names, parameters=names), np.asarray(parameters, dtype=float))


def axes_of(task: Task) -> tuple[str, ...]:
    """What can stand on the horizontal axis: the scale axes first, the other inputs, at last the predictions."""
    inputs = dict.fromkeys((*task.scale_axes, *task.input_names))
    return (*(name for name in inputs if name in task.input_names), MEASURED)


def law_plot(task: Task, laws: Sequence[Drawn], *, axis: str, cell: int, width: int, height: int) -> Any:
    """One cell's training rows with the laws (the first drawn strongly), as far as ten times beyond the rows.

    The other inputs stay as they are measured: of the settings that the axis varies most in, up to three are drawn.
    """
    rows = task.training.select(task.training.cell == cell)
    settings = [] if axis == MEASURED else _settings(rows, axis, {c.name for c in task.inputs if c.scale == "log"})
    if not settings:
        return _against_predicted(task, laws, rows, cell, width, height, axis)
    from rich.text import Text

    column = next((c for c in task.inputs if c.name == axis), None)
    log = column is not None and column.scale == "log" and float(rows.column(axis).min()) > 0
    low, high = float(rows.column(axis).min()), float(rows.column(axis).max())
    end = high * BEYOND if log else high + (high - low) / 3
    if column is not None and column.maximum is not None:
        end = max(min(end, column.maximum), high)
    grid = np.geomspace(low, end, _STEPS) if log else np.linspace(low, end, _STEPS)
    points, curves = [], []
    for (chosen, fixed), style, mark in zip(settings, _STYLES, MARKS, strict=False):
        points.append(Points(rows.column(axis)[chosen], rows.target[chosen], style, mark))
        columns = {name: np.full(_STEPS, value) for name, value in fixed.items()} | {axis: grid}
        for place, one in enumerate(laws):
            curves.append(Curve(grid, one.predict(columns, cell), "red" if place else style))
    heights = np.concatenate([p.y for p in points] + [_tame(c.y, rows.target) for c in curves])
    y = Axis.over(heights, log=False)
    told = Text()
    for (_, fixed), style, mark in zip(settings, _STYLES, MARKS, strict=False):
        words = ", ".join(f"{name}={short(value, 2)}" for name, value in fixed.items())
        told.append(f"{mark} {words or 'training rows'}  ", style)
    if len(laws) > 1:
        told.append("second law in red", "red")
    drawing = plot(
        width, height - 1, x=Axis.over(np.array([low, end]), log), y=y, curves=curves, points=points,
        upright=high, names=("", f"{task.cells[cell].label} against {axis}{' (log)' * log}; ┊ the training rows end"),
    )  # fmt: skip
    return _stacked(told, drawing)


def _settings(rows: Rows, axis: str, log: set[str]) -> list[tuple[np.ndarray, dict[str, float]]]:
    """Sets of rows in which only `axis` varies, with the values of the other inputs; spread over their range.

    Values of a logarithmic input within a twentieth are one: a model has a few parameters more for a larger vocabulary.
    """
    others = [name for name in rows.input_names if name != axis]
    about = [_merged(rows.column(name)) if name in log else rows.column(name) for name in others]
    levels = np.stack(about, axis=1) if about else np.zeros((rows.n_rows, 0))
    kinds, where = np.unique(levels, axis=0, return_inverse=True)
    where = where.reshape(-1)
    counts = np.array([len(np.unique(rows.column(axis)[where == kind])) for kind in range(len(kinds))])
    if counts.max(initial=0) < 2:
        return []
    good = np.flatnonzero(counts >= max(2, 0.7 * counts.max()))
    picked = good[np.unique(np.linspace(0, len(good) - 1, _SETTINGS).round().astype(int))]
    return [(where == kind, dict(zip(others, map(float, kinds[kind]), strict=True))) for kind in picked]


def _merged(values: np.ndarray) -> np.ndarray:
    """Each value, or the smallest one of those that lie within a twentieth above that."""
    merged, start = {}, np.nan
    for value in np.unique(values):
        if not (start > 0 and value <= 1.05 * start):
            start = value
        merged[value] = start
    return np.array([merged[value] for value in values])


def _tame(values: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Values within reach of what was measured, so that a law that explodes does not flatten the rest."""
    low, high = float(target.min()), float(target.max())
    reach = (high - low) or abs(high) or 1.0
    return np.clip(values[np.isfinite(values)], low - 1.5 * reach, high + 1.5 * reach)


def _against_predicted(
    task: Task, laws: Sequence[Drawn], rows: Rows, cell: int, width: int, height: int, axis: str
) -> Any:
    from rich.text import Text

    columns = {name: rows.column(name) for name in rows.input_names}
    predicted = [one.predict(columns, cell) for one in laws]
    reach = Axis.over(np.concatenate([rows.target, *(_tame(values, rows.target) for values in predicted)]), log=False)
    ends = np.array([reach.low, reach.high])
    points = [
        Points(values, rows.target, "red" if place else _STYLES[0], MARKS[min(place, 1)])
        for place, values in enumerate(predicted)
    ][::-1]
    told = f"{task.cells[cell].label}: training rows, measured (up) against predicted (across); on the line they agree"
    if axis != MEASURED:
        told = f"{axis} never varies alone. {told}"
    drawing = plot(
        width, height - 1, x=reach, y=reach, curves=[Curve(ends, ends, "dim")], points=points,
        names=("predicted", "measured"),
    )  # fmt: skip
    return _stacked(Text(told, style="dim"), drawing)


def _stacked(told: Any, drawing: Any) -> Any:
    from rich.text import Text

    both = Text("\n").join([told, drawing])
    both.no_wrap, both.overflow = True, "ellipsis"
    return both


def gaps(task: Task, first: Drawn, second: Drawn) -> list[tuple[str, float, float]]:
    """How far two laws are apart: where, root mean square and largest difference of their predictions.

    On the training rows, and with each scale axis at ten times its largest training value.
    """
    rows = task.training
    columns = {name: rows.column(name) for name in rows.input_names}
    found = [("training rows", *_gap(rows, columns, first, second))]
    for axis in task.scale_axes:
        column = next((c for c in task.inputs if c.name == axis), None)
        if column is None or column.scale != "log":
            continue
        beyond = columns | {axis: np.full(rows.n_rows, float(columns[axis].max()) * BEYOND)}
        found.append((f"{axis} × {BEYOND:g}", *_gap(rows, beyond, first, second)))
    return found


def _gap(rows: Rows, columns: Mapping[str, np.ndarray], first: Drawn, second: Drawn) -> tuple[float, float]:
    apart = np.full(rows.n_rows, np.nan)
    for cell in range(len(rows.cells)):
        chosen = rows.cell == cell
        own = {name: values[chosen] for name, values in columns.items()}
        with np.errstate(all="ignore"):
            apart[chosen] = first.predict(own, cell) - second.predict(own, cell)
    return float(np.sqrt(np.mean(apart**2))), float(np.max(np.abs(apart)))
