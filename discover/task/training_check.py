"""What is wrong with a task's training rows by themselves: repeats, too few levels, outliers, nothing to explain.

In: a task. Out: `Finding`s with the lines of the CSV. Stays out: everything about the held-out rows, their inputs too
(`checking` adds what those tell), and any fit of a law: a surface that is quadratic in logarithms stands in where a
value must be told from its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from discover.task.rows import Rows
from discover.task.task import Task

WRONG, DOUBT, NOTE = "wrong", "doubt", "note"
_LEVELS = 3  # an exponent and a floor need as many
_OUTLYING = 6.0  # robust standard deviations
_GROSS = 4.0  # times above all other values: no edge of the data
_MOST_OUTLIERS = 8
_SHOWN_LINES = 6


@dataclass(frozen=True)
class Finding:
    """Something to know about a task's measurements.

    Attributes:
        severity: "wrong" where a run is pointless, "doubt" where its result will be weak, "note" otherwise.
        subject: Such as "constant column" or "outlier".
        columns: Inputs and targets it is about.
        message: A sentence: what came, what was due, what to do.
        lines: Lines of the CSV that show it, all of them; the header is line 1.
        values: The figures in the message, by name, for programs.
    """

    severity: str
    subject: str
    columns: tuple[str, ...]
    message: str
    lines: tuple[int, ...] = ()
    values: tuple[tuple[str, float], ...] = ()


def check_training(task: Task) -> tuple[Finding, ...]:
    """What is wrong or doubtful with the training rows of `task`."""
    return (
        *_repeated(task.training),
        *_bound_together(task),
        *_levels(task),
        *_few_rows(task),
        *_outliers(task),
        *_flat_targets(task),
    )


def lines_text(lines: tuple[int, ...]) -> str:
    """Lines as people read them: "lines 3, 8, 9 and 14 more"."""
    shown = ", ".join(map(str, lines[:_SHOWN_LINES]))
    more = len(lines) - _SHOWN_LINES
    return f"line{'s' if len(lines) > 1 else ''} {shown}" + (f" and {more} more" if more > 0 else "")


def set_aside_text(lines: Sequence[int]) -> str:
    """Which lines of the table no law is fitted to, and how to keep them; "" where there are none."""
    keep = "keep_outliers = true in task.toml keeps such rows"
    which = f"{lines_text(tuple(lines))} of the table"
    return f"set aside, since nothing smooth comes near: {which} ({keep})" if lines else ""


def are_logs(task: Task) -> dict[str, bool]:
    return {column.name: column.scale == "log" for column in task.inputs}


def scaled(task: Task, rows: Rows) -> np.ndarray:
    """Inputs (row, input), in logarithms where the task compares them by ratios."""
    logs = are_logs(task)
    columns = [np.log(rows.column(name)) if logs[name] else rows.column(name) for name in rows.input_names]
    return np.stack(columns, axis=1)


def lines_of(rows: Rows, mask: np.ndarray) -> tuple[int, ...]:
    return tuple(np.unique(rows.line[mask]).tolist())


def _repeated(rows: Rows) -> Iterator[Finding]:
    table = np.column_stack([rows.cell, rows.inputs, rows.target])
    _, first, setting, count = np.unique(table, axis=0, return_index=True, return_inverse=True, return_counts=True)
    setting = setting.reshape(-1)
    copies = count[setting] > 1
    copies[first] = False
    if copies.any():
        lines, kept = lines_of(rows, copies), lines_of(rows, np.isin(np.arange(rows.n_rows), first[count > 1]))
        severity = DOUBT if copies.mean() > 0.1 else NOTE
        message = f"{lines_text(lines)}, as {lines_text(kept)} in every digit: delete what is no run of its own"
        yield Finding(severity, "duplicated rows", (), message, lines, (("rows", float(copies.sum())),))
    _, alike, count = np.unique(table[:, :-1], axis=0, return_inverse=True, return_counts=True)
    again = (count[alike.reshape(-1)] > 1) & (np.bincount(setting)[setting] == 1)
    if again.any():
        lines = lines_of(rows, again)
        message = (
            f"{len(lines)} rows share their inputs with another row and differ in the target ({lines_text(lines)}): "
            "seeds, or something that varied is missing from [[inputs]] and from groups"
        )
        yield Finding(NOTE, "repeated settings", (), message, lines, (("rows", float(len(lines))),))


def _bound_together(task: Task) -> Iterator[Finding]:
    """Three or more inputs of which the others tell one, as shares that sum to 1, or compute that is 6*N*D."""
    x = np.unique(scaled(task, task.training), axis=0)
    varied = np.flatnonzero(x.std(axis=0) > 1e-9 * (1 + np.abs(x).max(axis=0)))
    if len(varied) < 3 or len(x) < 2 * len(varied):
        return
    z = (x[:, varied] - x[:, varied].mean(axis=0)) / x[:, varied].std(axis=0)
    _, sizes, directions = np.linalg.svd(z, full_matrices=False)
    if sizes[-1] > 1e-2 * sizes[0]:
        return
    names = tuple(
        task.training.input_names[column]
        for column, weight in zip(varied, directions[-1], strict=True)
        if abs(weight) > 0.05
    )
    if len(names) > 2:
        message = f"of {', '.join(names)} each follows from the others: a law needs one fewer, and many forms will tie"
        yield Finding(NOTE, "confounded inputs", names, message)


def _levels(task: Task) -> Iterator[Finding]:
    rows, x = task.training, scaled(task, task.training)
    for index, name in enumerate(rows.input_names):
        if len(np.unique(x[:, index])) < 2:
            continue
        counts = [len(np.unique(x[rows.cell == cell, index])) for cell in range(len(rows.cells))]
        few = [rows.cells[cell].label for cell, count in enumerate(counts) if count < _LEVELS]
        if not few:
            continue
        more = f" and {len(few) - 3} more" if len(few) > 3 else ""
        where = f"in {', '.join(few[:3])}{more}" if rows.cells[0].group else ""
        everywhere = len(few) == len(counts)
        axis = bool(task.scale_axes) and name == task.scale_axes[0]
        severity = WRONG if axis and everywhere else DOUBT if axis else NOTE
        told = f"{name} has {min(counts)} level{'s' if min(counts) != 1 else ''} {where}".rstrip()
        message = f"{told}: an exponent and a floor need at least {_LEVELS}; add sizes between"
        if severity == WRONG:
            message += ", or extrapolate along another axis"
        yield Finding(severity, "too few levels", (name,), message, (), (("levels", float(min(counts))),))


def _few_rows(task: Task) -> Iterator[Finding]:
    rows = task.training
    counts = np.bincount(rows.cell, minlength=len(rows.cells))
    few = np.flatnonzero(counts <= 3)
    if len(few):
        mask = np.isin(rows.cell, few)
        labels = ", ".join(rows.cells[cell].label for cell in few[:4].tolist())
        severity = WRONG if len(few) == len(counts) else DOUBT
        message = f"{labels}: {int(counts[few].min())} training rows, too few to tell a law with three parameters"
        yield Finding(severity, "too few rows", (), f"{message}; add runs or join groups", lines_of(rows, mask))
    if counts.min() < task.parameter_cap:
        least = rows.cells[int(counts.argmin())].label
        told = f"parameter_cap is {task.parameter_cap}, and {least} has {counts.min()} "
        yield Finding(NOTE, "cap above rows", (), f"{told}training rows: laws near the cap fit them by force; lower it")


def _outliers(task: Task) -> Iterator[Finding]:
    """Training rows far from a surface that is quadratic in the inputs' logarithms, fitted robustly to their cell."""
    rows, x = task.training, scaled(task, task.training)
    logs = {column.name: column.scale == "log" for column in task.targets}
    found: list[tuple[float, int, float]] = []
    for cell in range(len(rows.cells)):
        mine = np.flatnonzero(rows.cell == cell)
        target = rows.target[mine]
        y = np.log(target) if logs[rows.cells[cell].target] and (target > 0).all() else target
        left = np.arange(len(mine))
        while (gap := _gaps(x[mine[left]], y[left])) is not None and (outlying := gap > _OUTLYING).any():
            for place in np.flatnonzero(outlying).tolist():
                row = left[place]
                found.append((float(gap[place]), int(rows.line[mine[row]]), float(target[row])))
            if not _times_above(target[left], outlying) >= _GROSS:
                break
            left = left[~outlying]  # a loss of 1000 hides one of 20
    found.sort(reverse=True)
    if not found:
        return
    to_do = _exclusion(rows, {line for _, line, _ in found})
    if len(found) > _MOST_OUTLIERS and len(found) > 0.05 * rows.n_rows:
        lines = tuple(sorted({line for _, line, _ in found}))
        message = f"{len(found)} rows lie off a smooth surface ({lines_text(lines)}): diverged runs, or a jump{to_do}"
        yield Finding(NOTE, "outliers", (), message, lines, (("rows", float(len(found))),))
        return
    for times, line, value in found[:_MOST_OUTLIERS]:
        message = f"line {line}: target {value:g} lies {times:.0f} robust standard deviations off a smooth "
        message += f"surface: the edge of the data, or a mistake? a run that diverged is excluded with [[drop]]{to_do}"
        yield Finding(DOUBT, "outlier", (), message, (line,), (("deviations", times),))


def _exclusion(rows: Rows, lines: set[int]) -> str:
    """What to write below [[drop]] where the outliers of a target are its largest values by far; else ""."""
    targets = {cell.target for cell in rows.cells}
    outlying = np.isin(rows.line, list(lines))
    if len(targets) > 1 or (times := _times_above(rows.target, outlying)) < 1.5:
        return ""
    between = float(f"{float(rows.target[outlying].min()) / times**0.5:.2g}")
    return f": column = {targets.pop()!r}, above = {between:g}"


def _times_above(target: np.ndarray, outlying: np.ndarray) -> float:
    """How many times the least of the `outlying` values is the largest of the others; 1 where that says nothing."""
    if outlying.all() or (target <= 0).any():
        return 1.0
    return float(target[outlying].min() / target[~outlying].max())


def _gaps(x: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """Sizes (row,) of the residuals in robust standard deviations; None where rows are too few for a surface."""
    varied = x[:, x.std(axis=0) > 1e-12]
    if varied.shape[1] == 0 or y.std() < 1e-12:
        return None
    z = (varied - varied.mean(axis=0)) / varied.std(axis=0)
    n = z.shape[1]
    linear, square = [np.ones(len(y)), *z.T], [z[:, i] ** 2 for i in range(n)]
    cross = [z[:, i] * z[:, j] for i, j in combinations(range(n), 2)]
    terms = [linear + square + cross, linear + square, linear]
    design = next((np.stack(t, axis=1) for t in terms if len(y) >= 2 * len(t) + 3), None)
    if design is None:
        return None
    weight = np.ones(len(y))
    for _ in range(30):  # Huber's weights, so that an outlier does not draw the surface
        root = np.sqrt(weight)
        solved, *_rest = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)
        gap = np.abs(y - design @ solved)
        scale = 1.4826 * float(np.median(gap)) * len(y) / (len(y) - design.shape[1]) + 1e-12
        weight = 1.0 / np.maximum(gap / (1.345 * scale), 1.0)
    # Where the law is no quadratic, many rows lie off it and none of them stands out: what nine of ten rows reach is
    # no outlier.
    usual = float(np.quantile(gap, 0.9, method="lower"))
    return gap / max(scale, 0.5 * usual, 5e-3 * float(y.std()))


def _flat_targets(task: Task) -> Iterator[Finding]:
    rows = task.training
    for name in dict.fromkeys(cell.target for cell in rows.cells):
        mine = np.array([cell.target == name for cell in rows.cells])[rows.cell]
        if np.ptp(rows.target[mine]) <= 1e-9 * np.abs(rows.target[mine]).max():
            message = f"{name} is {rows.target[mine][0]:g} in every training row: there is nothing to explain"
            yield Finding(WRONG, "constant target", (name,), message)
