"""A law judged on folds: fitted on each fold's training part, scored on what the fold holds back.

In: a law, a recipe, a `Yardstick` (a task's training rows with folds and probes, laid out once). Out: a
`Validation`. Held-out rows never enter: nothing here has them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.errors import FitError
from discover.fitting import FEWEST_WEIGHED, Cells, Fit, Recipe, fit, fit_cells, outliers_of, predict_cells, without
from discover.law.law import Law
from discover.scoring.folds import Fold, folds_of, levels
from discover.scoring.metrics import PooledNmse

if TYPE_CHECKING:
    from discover.task import Limit, Rows, Task

FLOOR = 1e-7  # NMSE below this is not told apart: measurements have six digits
_FAILED = 1e6  # the NMSE of a fold whose fit or prediction is not finite
_PROBED_ROWS = 16  # rows per cell and axis whose extrapolation is looked at
_EDGE_ROWS = 3  # rows per cell that are moved to the edge of an input's range
_REACHES = (2.0, 4.0)  # times beyond the largest scale
_FAR = (10.0, 100.0)
_WRONG_WAY = 0.01  # of the target's range, between two steps of a ladder
_CORE_PART, _CORE_ROWS = 0.2, 5  # of a cell, for the rows that all folds share
FAR_BEHIND = "leaves all measured values far behind"
_PLAUSIBLE = 1.5  # ranges of the target that a prediction just beyond the data may leave it by
_NO_ERROR = 1e-6  # NMSE: a better fit is no better law
_FEW = 4.0  # settings of a fold up to which a law may miss all of them by nothing, by luck
_FEWEST_REPEATS = 8  # measurements of settings that were measured before, for the scatter between them to be known
_SMALL, _MOST_TIMES = 600, 3  # rows below which a fit starts twice as often or more, and how often at most


@dataclass(frozen=True)
class Effort:
    """How much work a judgement may take.

    Attributes:
        starts: Random starts for the fit on all training rows.
        fold_starts: Random starts for each fold, beside the parameters found on all rows.
        steps: Limit on steps of one fit.
        tolerance: Relative gain in cost below which a fit has converged.
        most_rows: Rows of a cell that a fold's fit sees; None for all.
    """

    starts: int
    fold_starts: int
    steps: int
    most_rows: int | None
    tolerance: float = 1e-12
    polish: bool = False

    def on(self, n_rows: int) -> Effort:
        """The same for a table of so many rows: on a small one a fit costs what calling it does, and more starts and
        steps are nearly free."""
        more = min(max(_SMALL // n_rows, 1), _MOST_TIMES)
        return replace(
            self, starts=more * self.starts, fold_starts=more * self.fold_starts, steps=min(more, 2) * self.steps
        )


RACE = Effort(starts=5, fold_starts=1, steps=16, most_rows=160, tolerance=1e-5)
SURVIVOR = Effort(starts=12, fold_starts=2, steps=30, most_rows=512, tolerance=1e-7)
FINAL = Effort(starts=32, fold_starts=6, steps=400, most_rows=None, polish=True)


@dataclass(frozen=True)
class Validation:
    """What folds and far-away probes say of a law.

    Attributes:
        score: Mean over folds of log(NMSE), weighted; lower is better.
        nmse: (fold,) pooled over groups, mean over targets.
        in_sample: NMSE on the rows of the fit.
        inside: Log NMSE of the fit to all rows where it counts: of what each fold holds back, the mean over the folds;
            of all settings where these are under `FEWEST_WEIGHED`. A recipe may serve large scales alone. To each NMSE
            is added what measurements of equal inputs scatter by (`Yardstick.scatter`).
        parameters: (cell, parameter) on all training rows.
        cost: (cell,).
        converged: (cell,).
        probes: (probe,) predictions on training rows and, after them, beyond each scale axis.
        far: Problems found far outside: "" for none.
        core: (cell, parameter) on the rows that every fold fits to: a start that knows nothing of what any holds back.
        n_settings: Different settings of the inputs among the training rows, over all cells.
        weights: (fold,) what each counts in the mean.
        luck: (fold,) by how much each NMSE may lie too low: what the fit to all rows leaves there, 4/m of it where
            the fold holds back m > 4 settings.
    """

    score: float
    nmse: np.ndarray
    in_sample: float
    inside: float
    parameters: np.ndarray
    cost: np.ndarray
    converged: np.ndarray
    probes: np.ndarray
    far: str
    core: np.ndarray
    n_settings: int
    weights: np.ndarray
    luck: np.ndarray

    def sober_score(self, noise: np.ndarray | float) -> float:
        """The score with the noise added to the error of each fold. An error below the noise is luck, of which a search
        among thousands of laws finds plenty where folds hold few settings.

        Args:
            noise: (fold,) NMSE: the `luck` of laws that fit well.
        """
        return _mean_log(self.weights, self.nmse + noise)

    @property
    def best_fit(self) -> float:
        """Log NMSE of the fit to all rows, `inside` or on all settings, whichever is less."""
        return min(self.inside, _log_fit(self.in_sample))

    @property
    def r2(self) -> float:
        """1 - exp(score): one minus the geometric mean NMSE over the folds."""
        return float(1.0 - np.exp(min(self.score, 700.0)))


@dataclass(frozen=True)
class Ladder:
    """Rows of which one input climbs, all else equal, and what the source says that the target must do.

    Attributes:
        rows: (step * start,) the starting rows, then the same at every further step.
        steps: How many steps, the start included.
        sign: +1 where the target must not rise, -1 where it must not fall.
        spread: (start,) from the least to the largest value measured of the target of a row.
        name: Such as "N: falls".
    """

    rows: Rows
    steps: int
    sign: float
    spread: np.ndarray
    name: str


@dataclass(eq=False)
class Yardstick:
    """A task's training rows with everything that judging a law needs, laid out once per process.

    Attributes:
        settings: One row for each setting that judges how laws fit; `held_back` the same for each fold.
        scatter: (fold + 1,) NMSE by which the means of what each fold holds back, and last of all settings, may be off,
            as measurements of equal inputs differ; 0 where there are few such. What varied beside the inputs may go
            with them: a law that comes nearer to the means than that is not the better one for it.
        core: The rows that every fold fits to; None where they are too few.
        outliers: Rows that no law is fitted to or judged by.
        neighbours: Rows with one input at the edge of its range or a step beyond, where a law must have a value.
    """

    task: Task
    rows: Rows
    folds: tuple[Fold, ...]
    probes: Rows
    n_inside: int
    far: Rows
    ladders: tuple[Ladder, ...]
    settings: Rows
    held_back: tuple[Rows, ...]
    scatter: np.ndarray
    core: Rows | None
    outliers: Rows
    neighbours: Rows
    _cells: dict[tuple[object, ...], Cells] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, task: Task, rows: Rows | None = None) -> Yardstick:
        """The yardstick of a task's training rows (or of `rows`, some of them); FitError where no input varies, or none
        but in its order: nothing could be held back."""
        if rows is None and (task.training.inputs == task.training.inputs[0]).all():
            raise FitError(f"task {task.name!r}: no input varies over its training rows; expected runs that differ")
        rows = task.training if rows is None else rows
        inside = rows.select(_thinned(rows, np.ones(rows.n_rows, dtype=bool), _PROBED_ROWS))
        beyond = [_moved(task, rows, axis, reach) for axis in task.scale_axes for reach in _REACHES]
        beyond += _edges(task, rows)
        if len(task.scale_axes) > 1:
            beyond += [_moved(task, rows, task.scale_axes, 2.0), _corner(task, rows)]
        far = [_moved(task, rows, axis, reach) for axis in task.scale_axes for reach in _FAR]
        probes = _joined([inside, *beyond])
        ladders = tuple(_ladder(task, rows, limit) for limit in task.limits if limit.input in rows.input_names)
        far_rows = _joined(far) if far else inside
        folds = folds_of(task, rows)
        if not folds:
            raise FitError(
                f"task {task.name!r}: all {rows.n_rows} training rows have the same inputs but for their order; "
                "expected rows that differ, some of which can be held back"
            )
        wrong = outliers_of(task, rows)
        held = [_settings(rows.select(without(fold.validation, wrong))) for fold in folds]
        right = rows.select(~wrong)
        settings, setting, often = _settings(right)
        variance = _variance_of_repeats(right, settings, setting)
        scatter = [
            _Missed(means, settings)(means.target + np.sqrt(variance[_target_of(means)] / times))
            for means, _, times in (*held, (settings, setting, often))
        ]
        return cls(
            task, rows, folds, probes, inside.n_rows, far_rows, ladders, settings,
            tuple(means for means, _, _ in held), np.array(scatter), _core(rows, folds), rows.select(wrong),
            _neighbours(task, rows),
        )  # fmt: skip

    @cached_property
    def in_sample(self) -> PooledNmse:
        """NMSE of predictions (row,) for the settings."""
        return PooledNmse(self.settings)

    @cached_property
    def asked(self) -> tuple[Rows, Rows, tuple[tuple[slice, _Missed], ...]]:
        """What all folds hold back as one table, so that a law is evaluated once for all of them; the same with cells
        counted on from fold to fold; and for each fold its part of the rows, and the NMSE of predictions for it."""
        rows, sizes = _joined(list(self.held_back)), [held.n_rows for held in self.held_back]
        cell = rows.cell + np.repeat(np.arange(len(sizes)), sizes) * len(rows.cells)
        parts, start = [], 0
        for held in self.held_back:
            parts.append((slice(start, start + held.n_rows), _Missed(held, self.settings)))
            start += held.n_rows
        return rows, replace(rows, cell=cell), tuple(parts)

    @cached_property
    def ranges(self) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]:
        """For each target, which has a unit of its own, its least and largest measured value, and which probes beyond
        the data (probe,) and which rows of `far` (row,) are of it."""
        mine, probed, far = (_target_of(rows) for rows in (self.rows, self.probes, self.far))
        found = []
        for kind in np.unique(mine):
            measured = self.rows.target[mine == kind]
            ends = np.array([measured.min(), measured.max()])
            found.append((ends, probed[self.n_inside :] == kind, far == kind))
        return tuple(found)

    @property
    def probe_spread(self) -> np.ndarray:
        """(probe,) the standard deviation of what was measured of the probe's target; 1 where that does not vary."""
        spread = _of_own_target(self.rows, self.probes, np.std)
        return np.where(spread > 0, spread, 1.0)

    @property
    def set_aside(self) -> tuple[int, ...]:
        """The lines of the table that are outliers, in order."""
        return tuple(sorted(set(self.outliers.line.tolist())))

    def weights(self, recipe: Recipe, rows: Rows | None = None) -> np.ndarray | None:
        """Weights (row,) that a recipe gives to the training rows (or to `rows`, some of them), none to outliers; None
        for equal ones."""
        rows = self.rows if rows is None else rows
        weights = None
        if recipe.weighs:
            axes = self.task.scale_axes
            weights = recipe.row_weights(rows, axes, [self.task.is_log(axis) for axis in axes])
        if self.outliers.n_rows:
            kept = ~np.isin(_places(rows), _places(self.outliers))
            weights = kept * (np.ones(rows.n_rows) if weights is None else weights)
        return weights

    def fit(self, law: Law, recipe: Recipe, rng: np.random.Generator, **work: Any) -> Fit:
        """`law` fitted by `recipe` to the rows, outliers aside; `work` (starts, initial, prior) as for `fit`."""
        return fit(law, self.rows, recipe=recipe, rng=rng, weights=self.weights(recipe), **work)

    def training(self, law: Law, recipe: Recipe) -> Cells:
        """All training rows, laid out for a law."""
        key = (law.inputs, recipe.weight, recipe.window, recipe.once)
        if key not in self._cells:
            self._cells[key] = Cells.from_rows(self.rows, law.inputs, self.weights(recipe))
        return self._cells[key]

    def core_cells(self, law: Law, recipe: Recipe, most_rows: int | None) -> Cells | None:
        """The rows that every fold fits to; None where the folds have too few in common."""
        if self.core is None:
            return None
        key = (law.inputs, recipe.weight, recipe.window, recipe.once, most_rows, "core")
        if key not in self._cells:
            mask = _thinned(self.core, np.ones(self.core.n_rows, dtype=bool), most_rows)
            self._cells[key] = Cells.from_rows(self.core, law.inputs, self.weights(recipe, self.core), mask)
        return self._cells[key]

    def fold_cells(self, law: Law, recipe: Recipe, most_rows: int | None) -> Cells:
        """The training parts of all folds, stacked along the cell axis: fold by fold, each with all its cells."""
        key = (law.inputs, recipe.weight, recipe.window, recipe.once, most_rows)
        if key not in self._cells:
            parts = []
            for fold in self.folds:
                own = self.rows.select(fold.training)
                mask = _thinned(own, np.ones(own.n_rows, dtype=bool), most_rows)
                parts.append(Cells.from_rows(own, law.inputs, self.weights(recipe, own), mask))
            self._cells[key] = Cells.stack(parts)
        return self._cells[key]


def validate(
    law: Law,
    recipe: Recipe,
    yardstick: Yardstick,
    effort: Effort,
    rng: np.random.Generator,
    initial: np.ndarray | None = None,
    bar: float = np.inf,
) -> Validation:
    """Fits `law` on all training rows and on each fold, and scores what each fold held back.

    Args:
        initial: (start, cell, parameter) guesses to try beside random ones.
        bar: Log NMSE of the fit, on all settings and on those that folds hold back, above which the folds are not worth
            their time: the score then is infinite.
    """
    n_cells = len(yardstick.rows.cells)
    weights = np.array([fold.weight for fold in yardstick.folds])
    cells = yardstick.training(law, recipe)
    starts = effort.starts
    common = yardstick.core_cells(law, recipe, effort.most_rows)
    if common is not None:
        # From the rows that all folds share to all rows, never the other way: a fit that is not quite done remembers
        # where it began, and a fold must not remember what it holds back.
        core, core_cost, _ = fit_cells(
            law,
            common,
            recipe,
            starts=starts,
            rng=rng,
            initial=initial,
            steps=effort.steps,
            tolerance=effort.tolerance,
        )
        if np.isfinite(core_cost).all():
            initial, starts = core[None], (starts + 1) // 2
        else:
            common = None
    parameters, cost, converged = fit_cells(
        law,
        cells,
        recipe,
        starts=starts,
        rng=rng,
        initial=initial,
        polish=effort.polish,
        steps=effort.steps,
        tolerance=effort.tolerance,
    )
    in_sample = yardstick.in_sample(predict_cells(law, parameters, yardstick.settings))
    probes = predict_cells(law, parameters, yardstick.probes)
    far = _far_problem(yardstick, law, parameters, probes)
    n_settings, n_folds = yardstick.settings.n_rows, len(yardstick.folds)
    asked, by_fold, folds = yardstick.asked
    by_all = predict_cells(law, parameters, asked)
    left = np.array([missed(by_all[part]) for part, missed in folds])
    scatter = yardstick.scatter
    if n_settings < FEWEST_WEIGHED:
        inside = _log_fit(in_sample + scatter[-1])
    else:
        inside = _mean_log(weights, left + scatter[:-1], _NO_ERROR)
    luck = left * [min(_FEW / (part.stop - part.start), 1.0) for part, _ in folds]
    nmse = np.full(n_folds, np.inf)
    judged = Validation(
        np.inf, nmse, in_sample, inside, parameters, cost, converged, probes, far, parameters, n_settings, weights, luck
    )
    if not np.isfinite(cost).all() or judged.best_fit > bar:
        return judged
    stacked = yardstick.fold_cells(law, recipe, effort.most_rows)
    core = parameters if common is None else core
    fitted, _, _ = fit_cells(
        law,
        stacked,
        recipe,
        starts=effort.fold_starts,
        rng=rng,
        initial=np.tile(core, (n_folds, 1))[None],
        polish=effort.polish,
        steps=effort.steps,
        tolerance=effort.tolerance,
        together=n_cells,  # cells of different folds share nothing
    )
    by_folds = predict_cells(law, fitted, by_fold)
    for index, (part, missed) in enumerate(folds):
        nmse[index] = missed(by_folds[part])
    return replace(judged, score=_mean_log(weights, nmse), core=core)


def _places(rows: Rows) -> np.ndarray:
    """A number (row,) for each line of the table and cell."""
    return rows.line * len(rows.cells) + rows.cell


def _core(rows: Rows, folds: tuple[Fold, ...]) -> Rows | None:
    """The rows that no fold holds back; None where a cell keeps less than a fifth of its own, or fewer than five."""
    kept = np.ones(rows.n_rows, dtype=bool)
    for fold in folds:
        kept &= fold.training
    total = np.bincount(rows.cell, minlength=len(rows.cells))
    left = np.bincount(rows.cell[kept], minlength=len(rows.cells))
    return rows.select(kept) if (left >= np.maximum(_CORE_PART * total, _CORE_ROWS))[total > 0].all() else None


def _settings(rows: Rows) -> tuple[Rows, np.ndarray, np.ndarray]:
    """One row for each cell and setting of the inputs, its target the mean: what scatters under equal inputs is no
    law's fault, and a setting that was measured often is still one setting. With them the setting of each row (row,),
    and how often each was measured (setting,)."""
    first, setting, times = rows.by_setting()
    if len(first) == rows.n_rows:
        return rows, np.arange(rows.n_rows), times
    return replace(rows.select(first), target=np.bincount(setting, rows.target) / times), setting, times


def _variance_of_repeats(rows: Rows, settings: Rows, setting: np.ndarray) -> np.ndarray:
    """(target,) the variance between measurements of equal inputs, pooled over all settings; 0 where few are known."""
    kind, squared = _target_of(rows), (rows.target - settings.target[setting]) ** 2
    repeats = np.bincount(kind) - np.bincount(_target_of(settings))
    return np.where(repeats >= _FEWEST_REPEATS, np.bincount(kind, squared) / np.maximum(repeats, 1), 0.0)


class _Missed:
    """NMSE of what a fold held back, bounded; one setting has no variance of its own and is measured by that of all."""

    def __init__(self, held: Rows, settings: Rows) -> None:
        self._target = held.target
        self._pooled = PooledNmse(held) if held.n_rows > 1 else None
        self._variance = settings.target.var()

    def __call__(self, prediction: np.ndarray) -> float:
        if self._pooled is not None:
            nmse = self._pooled(prediction)
        else:
            nmse = float(np.mean((prediction - self._target) ** 2) / self._variance)
        return min(nmse, _FAILED)


def _mean_log(weights: np.ndarray, nmse: np.ndarray, floor: float = FLOOR) -> float:
    return float(weights @ np.log(nmse + floor))


def _log_fit(in_sample: float) -> float:
    return float(np.log(in_sample + _NO_ERROR))


def _far_problem(yardstick: Yardstick, law: Law, parameters: np.ndarray, probes: np.ndarray) -> str:
    """What is wrong outside the data, in words: not finite, or of a sign that no measurement has."""
    beyond = probes[yardstick.n_inside :]
    if not np.isfinite(probes).all():
        return "not finite just beyond the data"
    if not np.isfinite(predict_cells(law, parameters, yardstick.neighbours)).all():
        return "not finite at the edge of an input's range"
    far = predict_cells(law, parameters, yardstick.far)
    if not np.isfinite(far).all():
        return "not finite far beyond the data"
    for measured, probed, probed_far in yardstick.ranges:
        there = beyond[probed]
        if len(there) and _far_behind(measured, there):
            return FAR_BEHIND
        outside = np.concatenate([there, far[probed_far]])
        if len(outside) and ((measured[0] > 0 > outside.min()) or (measured[1] < 0 < outside.max())):
            return "changes sign beyond the data"
    for ladder in yardstick.ladders:
        climb = predict_cells(law, parameters, ladder.rows).reshape(ladder.steps, -1)
        if (ladder.sign * np.diff(climb, axis=0) - _WRONG_WAY * ladder.spread).max() > 0:
            return f"against what is known beyond the data ({ladder.name})"
    return ""


def _target_of(rows: Rows) -> np.ndarray:
    """(row,) which target a row measures, as a number."""
    names = list(dict.fromkeys(cell.target for cell in rows.cells))
    return np.array([names.index(cell.target) for cell in rows.cells])[rows.cell]


def _of_own_target(rows: Rows, others: Rows, measure: Callable[[np.ndarray], Any]) -> np.ndarray:
    """For each of `others` (row,) what `measure` says of all values that `rows` have of its target."""
    mine = _target_of(rows)
    told = {kind: measure(rows.target[mine == kind]) for kind in np.unique(mine)}
    return np.array([told[kind] for kind in _target_of(others)], dtype=float)


def _far_behind(target: np.ndarray, beyond: np.ndarray) -> bool:
    """Whether predictions leave the range of the target, in its unit and also, where all are positive, by ratios: what
    goes as a power of the scale is soon far off in its unit."""
    ranges = [(target, beyond)]
    if min(target.min(), beyond.min()) > 0:
        ranges.append((np.log(target), np.log(beyond)))
    return all(
        there.min() < here.min() - _PLAUSIBLE * np.ptp(here) or there.max() > here.max() + _PLAUSIBLE * np.ptp(here)
        for here, there in ranges
    )


def _ladder(task: Task, rows: Rows, limit: Limit) -> Ladder:
    """The rows of a limit's targets, spread over the table, with its input times 1 (the largest measured), 2, 4, ..."""
    column = rows.input_names.index(limit.input)
    of_target = np.array([cell.target in limit.targets for cell in rows.cells])[rows.cell]
    start = rows.select(_thinned(rows, of_target, _EDGE_ROWS))
    largest = np.array([rows.inputs[rows.cell == cell, column].max(initial=-np.inf) for cell in range(len(rows.cells))])
    width = float(np.ptp(rows.inputs[:, column])) or 1.0
    parts = []
    for reach in (1.0, *_REACHES, *_FAR):
        inputs = start.inputs.copy()
        top = largest[start.cell]
        inputs[:, column] = top * reach if task.is_log(limit.input) else top + np.log10(reach) * width
        parts.append(replace(start, inputs=inputs))
    sign = 1.0 if limit.behaviour == "falls" else -1.0
    spread = _of_own_target(rows, start, np.ptp)
    return Ladder(_joined(parts), len(parts), sign, spread, f"{limit.input}: {limit.behaviour}")


def _moved(task: Task, rows: Rows, axes: str | tuple[str, ...], reach: float) -> Rows:
    """Rows at the top of an axis (or of several at once), moved beyond it: times `reach`, or on a linear axis by
    log10(reach) of its range. Where the task asks for what lies below an axis, rows at its bottom are moved down, no
    further than the input has values."""
    names = (axes,) if isinstance(axes, str) else axes
    top = np.zeros(rows.n_rows, dtype=bool)
    first = rows.column(names[0])
    for cell in range(len(rows.cells)):
        mine = np.flatnonzero(rows.cell == cell)
        if len(mine):
            values = np.log(first[mine]) if task.is_log(names[0]) else first[mine]
            level = levels(task.direction(names[0]) * values)
            top[mine] = level >= max(int(level.max()) - (1 if level.max() > 3 else 0), 0)
    chosen = rows.select(_thinned(rows, top, _PROBED_ROWS))
    inputs = chosen.inputs.copy()
    for name in names:
        column, direction = rows.input_names.index(name), task.direction(name)
        if task.is_log(name):
            inputs[:, column] *= reach**direction
        else:
            inputs[:, column] += direction * np.log10(reach) * np.ptp(rows.inputs[:, column])
        least = next((each.minimum for each in task.inputs if each.name == name), None)
        if direction < 0 and least is not None:
            inputs[:, column] = np.maximum(inputs[:, column], least)
    return replace(chosen, inputs=inputs)


def _corner(task: Task, rows: Rows) -> Rows:
    """Rows at the top of the first axis, every other scale axis at the largest value measured in their cell (at the
    least where the task asks for what lies below it): the corner of the grid, which is often what nobody could afford
    to measure."""
    top = _moved(task, rows, task.scale_axes[0], 1.0)
    inputs = top.inputs.copy()
    for axis in task.scale_axes[1:]:
        direction = task.direction(axis)
        values = direction * rows.column(axis)
        ends = np.array([direction * values[rows.cell == c].max(initial=-np.inf) for c in range(len(rows.cells))])
        inputs[:, rows.input_names.index(axis)] = ends[top.cell]
    return replace(top, inputs=inputs)


def _neighbours(task: Task, rows: Rows) -> Rows:
    """Rows of every cell with one input at the least or most that any cell measured, twice as far on either side where
    its scale is logarithmic; scale axes stay, for they are moved elsewhere. A power of a hundred has no value one step
    beyond the data that tamed it, and other settings of such an input may be asked for."""
    found = [rows.select(_thinned(rows, np.ones(rows.n_rows, dtype=bool), _EDGE_ROWS))]
    for index, name in enumerate(rows.input_names):
        if name not in task.scale_axes:
            values, wider = rows.inputs[:, index], 2.0 if task.is_log(name) else 1.0
            moved = _at(rows, index, values.min() / wider, values.max() * wider)
            found += [_no_further(task, rows, index, own) for own in moved]
    return _joined(found)


def _no_further(task: Task, rows: Rows, index: int, moved: Rows) -> Rows:
    """The moved rows, the input no further than another of its unit that it never passes in the table: distinct tokens
    are among all tokens, and a law need have no value where they are more."""
    units, names = {column.name: column.unit for column in task.inputs if column.scale == "log"}, rows.input_names
    values, inputs = rows.inputs, moved.inputs.copy()
    for other, name in enumerate(names):
        if other != index and name in units and units[name] == units.get(names[index]):
            if (values[:, index] <= values[:, other]).all():
                inputs[:, index] = np.minimum(inputs[:, index], inputs[:, other])
            elif (values[:, index] >= values[:, other]).all():
                inputs[:, index] = np.maximum(inputs[:, index], inputs[:, other])
    return replace(moved, inputs=inputs)


def _edges(task: Task, rows: Rows) -> list[Rows]:
    """Rows of every cell with one linear input at the least or most that any cell measured, or its unit allows.

    A share that is never zero in one cell may be zero in the next one asked for.
    """
    found = []
    for column in task.inputs:
        if column.scale == "log" or column.name in task.scale_axes or column.name not in rows.input_names:
            continue
        index = rows.input_names.index(column.name)
        values = rows.inputs[:, index]
        lowest = float(values.min()) if column.minimum is None else float(column.minimum)
        found += _at(rows, index, lowest, float(values.max()))
    return found


def _at(rows: Rows, index: int, *values: float) -> list[Rows]:
    """A few rows of every cell with one input at each of the values."""
    chosen = rows.select(_thinned(rows, np.ones(rows.n_rows, dtype=bool), _EDGE_ROWS))
    found = []
    for value in values:
        inputs = chosen.inputs.copy()
        inputs[:, index] = value
        found.append(replace(chosen, inputs=inputs))
    return found


def _thinned(rows: Rows, mask: np.ndarray, most: int | None) -> np.ndarray:
    """At most `most` rows of each cell out of `mask`, evenly spaced in the order of the target."""
    if most is None:
        return mask
    kept = np.zeros(rows.n_rows, dtype=bool)
    for cell in range(len(rows.cells)):
        mine = np.flatnonzero(mask & (rows.cell == cell))
        if len(mine) > most:
            order = mine[np.argsort(rows.target[mine], kind="stable")]
            mine = order[np.round(np.linspace(0, len(order) - 1, most)).astype(int)]
        kept[mine] = True
    return kept


def _joined(several: list[Rows]) -> Rows:
    first = several[0]
    return replace(
        first,
        inputs=np.concatenate([r.inputs for r in several]),
        target=np.concatenate([r.target for r in several]),
        cell=np.concatenate([r.cell for r in several]),
        line=np.concatenate([r.line for r in several]),
    )
