"""What training rows show, in words and few numbers: levels, how the target moves, where a law fails.

In: rows. Out: text. No number typed by hand enters: a range in a task's own prose may name what is held out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from discover.fitting import predict_cells, usable_rows
from discover.task.sides import ABOVE, BELOW, BETWEEN

if TYPE_CHECKING:
    from discover.archive import Candidate
    from discover.proposers.language_model.names import Names
    from discover.task import Rows, Task

_MOST_LEVELS = 12
_FEWEST_PAIRS = 5
_BINS = 4


def rows_line(task: Task, names: Names) -> str:
    """How many measurements, in how many cells, and whether each cell has parameters of its own."""
    rows = task.training
    n_cells = len(rows.cells)
    told = f"{rows.n_rows} measurements"
    if n_cells == 1:
        return told
    labels = [names.label(cell.label) for cell in rows.cells]
    shown = "; ".join(labels[:4]) + ("; ..." if n_cells > 4 else "")
    return f"{told} in {n_cells} cells ({shown})"


def target_line(task: Task, names: Names) -> str:
    """The target: what it is, and the values it takes."""
    target = task.training.target
    low, middle, high = (_number(value) for value in np.quantile(target, [0.0, 0.5, 1.0]))
    told = f"target {names.target}: {low} to {high}, median {middle}"
    return f"{told}; {words}" if (words := names.describe_target()) else told


def input_lines(task: Task, names: Names) -> str:
    """A line for each input: what it is, its levels, how the target moves with it."""
    rows = task.training
    lines = []
    for index, (name, shown) in enumerate(names.inputs.items()):
        parts = [names.describe(name), _levels(rows.inputs[:, index]), _trend(rows, index)]
        lines.append(f"input {shown}: " + "; ".join(part for part in parts if part))
    return "\n".join(lines)


def asked_line(task: Task, names: Names) -> str:
    """In which direction a law must hold: axes and known limits, no place on them."""
    sides = task.held_out_sides or ({} if task.held_out_among else dict.fromkeys(task.scale_axes, ABOVE))
    wanted = []
    for side, words in (
        (ABOVE, "beyond the largest"),
        (BELOW, "below the smallest"),
        (BETWEEN, "between the measured"),
    ):
        if axes := [names.inputs[axis] for axis, own in sides.items() if own == side and axis in names.inputs]:
            wanted.append(f"{words} values of {', '.join(axes)}")
    if task.held_out_among:
        wanted.append("among the rows measured")
    lines = [f"The law is needed {' and '.join(wanted)}."] if wanted else []
    lines += [
        f"Known: the target {limit.behaviour} as {names.inputs[limit.input]} grows, all else equal."
        for limit in task.limits
        if limit.input in names.inputs
    ]
    return "\n".join(lines)


def residual_lines(candidate: Candidate, task: Task, names: Names) -> str:
    """Where a law is off: its mean residual, prediction - target, in bins of each input, in units of the RMS one."""
    rows = usable_rows(task)
    assert candidate.validation is not None
    with np.errstate(all="ignore"):
        residual = predict_cells(candidate.law, candidate.validation.parameters, rows) - rows.target
    size = float(np.sqrt(np.mean(residual**2)))
    if not np.isfinite(size) or size == 0.0:
        return ""
    lines = []
    for index, shown in enumerate(names.inputs.values()):
        column = rows.inputs[:, index]
        edges = np.unique(np.quantile(column, np.linspace(0.0, 1.0, _BINS + 1)))
        if len(edges) < 2:
            continue
        bin_of = np.clip(np.searchsorted(edges, column, side="right") - 1, 0, len(edges) - 2)
        parts = []
        for place in range(len(edges) - 1):
            own = residual[bin_of == place]
            if len(own):
                parts.append(f"{_number(edges[place])} to {_number(edges[place + 1])}: {own.mean() / size:+.2f}")
        lines.append(f"  by {shown}: " + ", ".join(parts))
    return "\n".join(lines)


def _levels(column: np.ndarray) -> str:
    values = np.unique(column)
    if len(values) <= _MOST_LEVELS:
        return f"{len(values)} levels: {', '.join(map(_number, values))}"
    return f"{_number(values[0])} to {_number(values[-1])}, median {_number(np.median(column))}, {len(values)} values"


def _trend(rows: Rows, index: int) -> str:
    """How the target moves with one input, all else equal; else by rank within cells."""
    others = np.delete(rows.inputs, index, axis=1)
    key = np.column_stack([rows.cell, others])
    order = np.lexsort((rows.inputs[:, index], *key.T[::-1]))
    same = (key[order][1:] == key[order][:-1]).all(axis=1)
    step = rows.inputs[order, index][1:] > rows.inputs[order, index][:-1]
    change = np.diff(rows.target[order])[same & step]
    change = change[change != 0.0]
    if len(change) >= _FEWEST_PAIRS:
        falls = float((change < 0).mean())
        verb, share = ("falls", falls) if falls >= 0.5 else ("rises", 1.0 - falls)
        return f"the target {verb} with it in {share:.0%} of {len(change)} comparisons, all else equal"
    correlation = _rank_correlation(rows, index)
    return "" if correlation is None else f"rank correlation with the target {correlation:+.2f}"


def _rank_correlation(rows: Rows, index: int) -> float | None:
    """Spearman's, mean over cells of at least five rows."""
    found = []
    for cell in range(len(rows.cells)):
        mine = rows.cell == cell
        if mine.sum() < _FEWEST_PAIRS:
            continue
        x, y = _ranks(rows.inputs[mine, index]), _ranks(rows.target[mine])
        if x.std() > 0 and y.std() > 0:
            found.append(float(np.corrcoef(x, y)[0, 1]))
    return float(np.mean(found)) if found else None


def _ranks(values: np.ndarray) -> np.ndarray:
    _, place = np.unique(values, return_inverse=True)
    return place.reshape(-1).astype(float)


def _number(value: float) -> str:
    return f"{float(value):.4g}"
