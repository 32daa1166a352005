"""What is wrong with a task's measurements, before a run is spent on them.

In: a task, and where it asks for predictions. Out: `Finding`s with the lines of the CSV, the worst first. Stays out:
the held-out targets, and any fit of a law: a surface that is quadratic in logarithms stands in where a value must be
told from its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from discover.task.asked import Asked, asked_of
from discover.task.rows import Rows
from discover.task.task import Task

WRONG, DOUBT, NOTE = "wrong", "doubt", "note"
_ORDER = {WRONG: 0, DOUBT: 1, NOTE: 2}
_ENTWINED, _ALIKE = 0.999, 0.95  # absolute correlations: never varied apart, hardly varied apart
_LEVELS = 3  # an exponent and a floor need as many
_FAR, _VERY_FAR = 10.0, 100.0  # times beyond the training range
_OUTLYING = 6.0  # robust standard deviations
_GROSS = 4.0  # times above all other values: no edge of the data
_MOST_OUTLIERS = 8
_SHOWN_LINES = 6
_LEAST_HELD_OUT = 3


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


def check_task(task: Task) -> tuple[Finding, ...]:
    """Everything that is wrong or doubtful with the measurements of `task`, the worst first."""
    asked = asked_of(task.folder)
    found = [
        *_constant(task, asked),
        *_repeated(task.training),
        *_known_already(task.training, asked),
        *_entwined(task, asked),
        *_bound_together(task),
        *_levels(task),
        *_few_rows(task),
        *_few_held_out(asked),
        *_reach(task, asked),
        *_outliers(task),
        *_flat_targets(task),
    ]
    return tuple(sorted(found, key=lambda finding: _ORDER[finding.severity]))


def lines_text(lines: tuple[int, ...]) -> str:
    """Lines as people read them: "lines 3, 8, 9 and 14 more"."""
    shown = ", ".join(map(str, lines[:_SHOWN_LINES]))
    more = len(lines) - _SHOWN_LINES
    return f"line{'s' if len(lines) > 1 else ''} {shown}" + (f" and {more} more" if more > 0 else "")


def _log(task: Task) -> dict[str, bool]:
    return {column.name: column.scale == "log" for column in task.inputs}


def _scaled(task: Task, rows: Rows) -> np.ndarray:
    """Inputs (row, input), in logarithms where the task compares them by ratios."""
    logs = _log(task)
    columns = [np.log(rows.column(name)) if logs[name] else rows.column(name) for name in rows.input_names]
    return np.stack(columns, axis=1)


def _lines(rows: Rows, mask: np.ndarray) -> tuple[int, ...]:
    return tuple(np.unique(rows.line[mask]).tolist())


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


def _repeated(rows: Rows) -> Iterator[Finding]:
    table = np.column_stack([rows.cell, rows.inputs, rows.target])
    _, first, setting, count = np.unique(table, axis=0, return_index=True, return_inverse=True, return_counts=True)
    setting = setting.reshape(-1)
    copies = count[setting] > 1
    copies[first] = False
    if copies.any():
        lines, kept = _lines(rows, copies), _lines(rows, np.isin(np.arange(rows.n_rows), first[count > 1]))
        severity = DOUBT if copies.mean() > 0.1 else NOTE
        message = f"{lines_text(lines)} repeat {lines_text(kept)} in every digit: delete what is no run of its own"
        yield Finding(severity, "duplicated rows", (), message, lines, (("rows", float(copies.sum())),))
    _, alike, count = np.unique(table[:, :-1], axis=0, return_inverse=True, return_counts=True)
    again = (count[alike.reshape(-1)] > 1) & (np.bincount(setting)[setting] == 1)
    if again.any():
        lines = _lines(rows, again)
        message = (
            f"{len(lines)} rows share their inputs with another row and differ in the target ({lines_text(lines)}): "
            "seeds, or something that varied is missing from [[inputs]] and from groups"
        )
        yield Finding(NOTE, "repeated settings", (), message, lines, (("rows", float(len(lines))),))


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
    rows, x = task.training, _scaled(task, task.training)
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
        scale = "log " if all(_log(task)[name] for name in names) else ""
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
    logs = _log(task)
    columns = [asked.inputs[:, asked.input_names.index(name)] for name in names]
    a, b = (np.log(column) if logs[name] else column for name, column in zip(names, columns, strict=True))
    gap = np.abs(b - np.polyval(np.polyfit(measured[:, 0], measured[:, 1], 1), a))
    return tuple(np.unique(asked.line[gap > 0.25 * measured[:, 1].std()]).tolist())


def _bound_together(task: Task) -> Iterator[Finding]:
    """Three or more inputs of which the others tell one, as shares that sum to 1, or compute that is 6*N*D."""
    x = np.unique(_scaled(task, task.training), axis=0)
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


def _off_the_line(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The tenth of the settings, at least one, that lies farthest from the line through all."""
    line = np.polyfit(a, b, 1)
    gap = np.abs(b - np.polyval(line, a))
    return np.argsort(-gap)[: max(len(gap) // 10, 1)]


def _levels(task: Task) -> Iterator[Finding]:
    rows, x = task.training, _scaled(task, task.training)
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
        yield Finding(severity, "too few rows", (), f"{message}; add runs or join groups", _lines(rows, mask))
    if counts.min() < task.parameter_cap:
        least = rows.cells[int(counts.argmin())].label
        told = f"parameter_cap is {task.parameter_cap}, and {least} has {counts.min()} "
        yield Finding(NOTE, "cap above rows", (), f"{told}training rows: laws near the cap fit them by force; lower it")


def _few_held_out(asked: Asked) -> Iterator[Finding]:
    """R2 compares with the mean of the held-out rows: of one row nothing is left to explain."""
    lines = tuple(np.unique(asked.line).tolist())
    if len(lines) < _LEAST_HELD_OUT:
        told = f"{len(lines)} held-out row{'s' if len(lines) > 1 else ''} ({lines_text(lines)})"
        message = f"{told}: too few for an R2, the ranking will mean little; hold out more in [split], or add runs"
        yield Finding(DOUBT, "few held-out rows", (), message, lines, (("rows", float(len(lines))),))


def _reach(task: Task, asked: Asked) -> Iterator[Finding]:
    """How far beyond the training rows each input is asked for."""
    rows, logs, beyond_any = task.training, _log(task), False
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


def _outliers(task: Task) -> Iterator[Finding]:
    """Training rows far from a surface that is quadratic in the inputs' logarithms, fitted robustly to their cell."""
    rows, x = task.training, _scaled(task, task.training)
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
    times_above, to_do = _exclusion(rows, {line for _, line, _ in found})
    worst = WRONG if times_above >= _GROSS else DOUBT
    if len(found) > _MOST_OUTLIERS and len(found) > 0.05 * rows.n_rows:
        lines = tuple(sorted({line for _, line, _ in found}))
        message = f"{len(found)} rows lie off a smooth surface ({lines_text(lines)}): diverged runs, or a jump{to_do}"
        yield Finding(WRONG if worst == WRONG else NOTE, "outliers", (), message, lines, (("rows", float(len(found))),))
        return
    for times, line, value in found[:_MOST_OUTLIERS]:
        message = f"line {line}: target {value:g} lies {times:.0f} robust standard deviations off a smooth "
        message += f"surface: the edge of the data, or a mistake? a run that diverged is excluded with [[drop]]{to_do}"
        yield Finding(worst, "outlier", (), message, (line,), (("deviations", times),))


def _exclusion(rows: Rows, lines: set[int]) -> tuple[float, str]:
    """How many times the outliers of a target lie above its other values, and what to write below [[drop]] if so."""
    targets = {cell.target for cell in rows.cells}
    outlying = np.isin(rows.line, list(lines))
    if len(targets) > 1 or (times := _times_above(rows.target, outlying)) < 1.5:
        return 1.0, ""
    between = float(f"{float(rows.target[outlying].min()) / times**0.5:.2g}")
    return times, f": column = {targets.pop()!r}, above = {between:g}"


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
