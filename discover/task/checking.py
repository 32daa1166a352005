"""What is wrong with a task's measurements, before a run is spent on them.

In: a task, and where it asks for predictions. Out: `Finding`s with the lines of the CSV, the worst first. Stays out:
the held-out targets, and any fit of a law. What the training rows tell by themselves is in `training_check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from discover.task.asked import Asked, asked_of
from discover.task.rows import Rows
from discover.task.sides import Places, left_open, split_lines
from discover.task.task import Task
from discover.task.training_check import (
    DOUBT,
    NOTE,
    WRONG,
    Finding,
    are_logs,
    check_training,
    lines_text,
    scaled,
)

_ORDER = {WRONG: 0, DOUBT: 1, NOTE: 2}
_ENTWINED, _ALIKE = 0.999, 0.95  # absolute correlations: never varied apart, hardly varied apart
_FAR, _VERY_FAR = 10.0, 100.0  # times beyond the training range
_LEAST_HELD_OUT = 3


def check_task(task: Task) -> tuple[Finding, ...]:
    """Everything that is wrong or doubtful with the measurements of `task`, the worst first."""
    asked = asked_of(task.folder)
    found = [
        *_constant(task, asked),
        *check_training(task),
        *_known_already(task.training, asked),
        *_entwined(task, asked),
        *_few_held_out(asked),
        *_reach(task, asked),
        *_elsewhere(task, asked),
    ]
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.severity]))


def _constant(task: Task, asked: Asked) -> Iterator[Finding]:
    rows, varying = task.training, 0
    for index, name in enumerate(rows.input_names):
        values = np.unique(rows.inputs[:, index])
        if len(values) > 1:
            varying += 1
            continue
        other = asked.inputs[:, index] != values[0]
        told = f"{name} is {values[0]:g} in every training row"
        if other.any():
            told += f", and other values are asked for ({lines_text(tuple(np.unique(asked.line[other]).tolist()))})"
        to_do = "nothing can be learned about it; delete it from [[inputs]], or add runs that vary it"
        lines = tuple(np.unique(asked.line[other]).tolist())
        yield Finding(WRONG if other.any() else DOUBT, "constant column", (name,), f"{told}: {to_do}", lines)
    if not varying:
        yield Finding(WRONG, "constant column", rows.input_names, "no input varies over the training rows: no law can "
                      "be told from them; add runs that differ")  # fmt: skip


def _known_already(rows: Rows, asked: Asked) -> Iterator[Finding]:
    measured = set(map(tuple, np.column_stack([rows.cell, rows.inputs]).tolist()))
    same = np.array([tuple(row) in measured for row in np.column_stack([asked.cell, asked.inputs]).tolist()])
    if same.any():
        lines = tuple(np.unique(asked.line[same]).tolist())
        message = (
            f"{int(same.sum())} of {len(same)} held-out rows have the inputs of a training row ({lines_text(lines)}): "
            "they test memory, not extrapolation; change [split]"
        )
        yield Finding(WRONG if same.all() else DOUBT, "held-out rows already known", (), message, lines)


def _entwined(task: Task, asked: Asked) -> Iterator[Finding]:
    """Pairs of inputs that were hardly varied apart, within the cells as a whole."""
    rows, x = task.training, scaled(task, task.training)
    settings, first = np.unique(x, axis=0, return_index=True)
    for a, b in combinations(range(x.shape[1]), 2):
        spread = settings[:, [a, b]].std(axis=0)
        if (spread < 1e-9 * (1 + np.abs(settings[:, [a, b]]).max(axis=0))).any():
            continue  # constant: told elsewhere
        correlation = float(np.corrcoef(settings[:, a], settings[:, b])[0, 1])
        if not abs(correlation) > _ALIKE or len(settings) < 3:
            continue
        names = rows.input_names[a], rows.input_names[b]
        both = len(np.unique(settings[:, a])) > 2 or len(np.unique(settings[:, b])) > 2
        scale = "log " if all(are_logs(task)[name] for name in names) else ""
        apart = _off_the_line(settings[:, a], settings[:, b])
        lines = tuple(np.unique(rows.line[first[apart]]).tolist())
        values = (("correlation", correlation),)
        told = f"{scale}{names[0]} and {scale}{names[1]} correlate to {correlation:.4f}"
        if abs(correlation) > _ENTWINED and both:
            message = f"{told}: never varied apart, so that their exponents cannot be told apart; leave one out of "
            message += "[[inputs]], or add runs off that line"
            off = _asked_off_the_line(task, asked, names, settings[:, [a, b]])
            if off:
                message += f"; predictions are asked for off it ({lines_text(off)})"
            yield Finding(WRONG if off else DOUBT, "confounded inputs", names, message, off, values)
        else:
            message = f"{told}: their exponents hang on the few rows off that line ({lines_text(lines)})"
            yield Finding(NOTE, "confounded inputs", names, message, lines, values)


def _asked_off_the_line(task: Task, asked: Asked, names: tuple[str, str], measured: np.ndarray) -> tuple[int, ...]:
    """Lines of held-out rows that leave the line on which two inputs moved together."""
    logs = are_logs(task)
    columns = [asked.inputs[:, asked.input_names.index(name)] for name in names]
    a, b = (np.log(column) if logs[name] else column for name, column in zip(names, columns, strict=True))
    gap = np.abs(b - np.polyval(np.polyfit(measured[:, 0], measured[:, 1], 1), a))
    return tuple(np.unique(asked.line[gap > 0.25 * measured[:, 1].std()]).tolist())


def _off_the_line(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The tenth of the settings, at least one, that lies farthest from the line through all."""
    line = np.polyfit(a, b, 1)
    gap = np.abs(b - np.polyval(line, a))
    return np.argsort(-gap)[: max(len(gap) // 10, 1)]


def _few_held_out(asked: Asked) -> Iterator[Finding]:
    """R2 compares errors with the spread of the held-out rows: of few rows that is chance, of one there is none."""
    lines = tuple(np.unique(asked.line).tolist())
    if len(lines) < _LEAST_HELD_OUT:
        told = f"{len(lines)} held-out row{'s' if len(lines) > 1 else ''} ({lines_text(lines)})"
        message = f"{told}: too few for an R2 that means much; hold out more in [split], or add runs"
        yield Finding(DOUBT, "few held-out rows", (), message, lines, (("rows", float(len(lines))),))


def _elsewhere(task: Task, asked: Asked) -> Iterator[Finding]:
    """Where predictions are asked for elsewhere than a search is told by [split]."""
    rows, places = task.training, Places(asked.inputs, asked.cell)
    logs = {name: task.is_log(name) for name in rows.input_names}
    sides, among = left_open(logs, task.scale_axes, task.held_out_sides, Places(rows.inputs, rows.cell), places)
    if not sides and (not among or task.held_out_among):
        return
    lie = ", ".join(f"{side} the training rows in {name}" for name, side in sides.items()) or "among the training rows"
    to_do = f"add {' and '.join(split_lines(sides, among))} to it"
    message = f"the held-out rows lie {lie}, which [split] does not say, and a search prepares for the largest scales"
    yield Finding(DOUBT, "asked elsewhere", tuple(sides), f"{message}; {to_do}")


def _reach(task: Task, asked: Asked) -> Iterator[Finding]:
    """How far beyond the training rows each input is asked for."""
    rows, logs, beyond_any = task.training, are_logs(task), False
    for index, name in enumerate(rows.input_names):
        known, wanted = rows.inputs[:, index], asked.inputs[:, index]
        low, high = float(known.min()), float(known.max())
        outside = (wanted < low) | (wanted > high)
        if low == high or not outside.any():
            continue
        beyond_any = True
        lines = tuple(np.unique(asked.line[outside]).tolist())
        if logs[name]:
            factor = float(max(wanted.max() / high, low / wanted.min()))
            severity = DOUBT if factor > _FAR else NOTE
            word = "very far" if factor > _VERY_FAR else "far" if factor > _FAR else ""
            told = f"{name} is asked for {factor:.3g} times beyond what was measured, {low:.3g} to {high:.3g}"
            span = float(np.log10(high / low))
            values: tuple[tuple[str, float], ...] = (("factor", factor), ("decades_measured", span))
        else:
            far = float(max(wanted.max() - high, low - wanted.min()) / (high - low))
            severity, word = (DOUBT, "far") if far > 1 else (NOTE, "")
            told = f"{name} is asked for {far:.2g} of its range beyond what was measured, {low:.3g} to {high:.3g}"
            values = (("ranges", far),)
        message = f"{told} ({lines_text(lines)})" + (f": {word}, expect wide intervals" if word else "")
        yield Finding(severity, "extrapolation", (name,), message, lines, values)
    if not beyond_any:
        yield Finding(NOTE, "extrapolation", (), "every held-out row lies inside the range of the training rows: the "
                      "ranking will say how laws interpolate")  # fmt: skip
