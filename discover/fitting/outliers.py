"""Measurements that went wrong: rows far off every smooth surface through the others.

In: training rows. Out: a mask over them. Such a row (a run that diverged, a slip of the pen) is set aside: no law is
fitted to it or judged by it. On a small table one of them decides which of two laws wins a fold, and a robust loss does
not help where a fold has few rows to be robust with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np

from discover.fitting.cells import Cells
from discover.fitting.fit import predict_cells
from discover.fitting.least_squares import fit_cells
from discover.fitting.recipe import Recipe
from discover.law.parser import parse

if TYPE_CHECKING:
    from discover.task import Rows, Task

_FAR = 6.0  # robust standard deviations
_TAIL = 0.5  # of what nine of ten rows reach: where many lie off the surface, none of them stands out
_ALONE = 0.5  # of its own distance: where a neighbour lies off like that, it is the surface that is wrong
_NEIGHBOURS = 4
_EXACT = 1e-6  # of the spread of what was measured: what a surface misses by less is how numbers are written
_MOST = 0.1  # of the rows: beyond that, tails are heavy and nothing went wrong
_MOST_ROWS = 500  # that surfaces are fitted to
_ROWS_EACH, _SPARE = 1.5, 4  # rows for each parameter, and beside them, that a surface needs
_MOST_TERMS = 40  # of a surface
_STARTS, _STEPS = 4, 25
# Task -> the mask of its training rows: the yardstick, proposers and every prompt ask for it, and it takes up to .3 s.
_FOUND: WeakKeyDictionary[Task, np.ndarray] = WeakKeyDictionary()


def outliers_of(task: Task, rows: Rows) -> np.ndarray:
    """Which of a task's training rows (or of `rows`, some of them) are set aside: a mask, all False where the task
    keeps its outliers."""
    if task.keep_outliers:
        return np.zeros(rows.n_rows, dtype=bool)
    logs = [task.is_log(name) for name in rows.input_names]
    if rows is not task.training:
        return outlying(rows, logs)
    if task not in _FOUND:
        _FOUND[task] = outlying(rows, logs)
        _FOUND[task].setflags(write=False)
    return _FOUND[task]


def usable_rows(task: Task) -> Rows:
    """A task's training rows without those that are set aside."""
    return task.training.select(~outliers_of(task, task.training))


def without(mask: np.ndarray, wrong: np.ndarray) -> np.ndarray:
    """`mask` (row,) without the rows that are `wrong`, where that leaves any."""
    left = mask & ~wrong
    return left if left.any() else mask


def outlying(rows: Rows, log_inputs: Sequence[bool]) -> np.ndarray:
    """Which rows (mask) lie far off the best of some smooth surfaces, alone.

    The surfaces are sums of powers, quadratics in the (logarithms of the) inputs and their exponentials, a power of
    each input times a sum of powers; each fitted with a loss that large residuals do not draw. The best is the one with
    the least median residual, for its parameters. "Far" is six times its robust standard deviation. A row at a corner
    of the grid is found only where no surface can bend to it: it may be the law that bends there.

    Args:
        log_inputs: Of each input, whether its scale is logarithmic.
    """
    none = np.zeros(rows.n_rows, dtype=bool)
    residual, scale = _best_residuals(rows, log_inputs, ~none)
    far = np.abs(residual) > _FAR * scale
    if not far.any() or far.sum() > max(_MOST * rows.n_rows, 2.0):
        return none
    # Once more without them: on a small table a wrong row draws the surface away from others.
    residual, scale = _best_residuals(rows, log_inputs, ~far)
    far &= np.abs(residual) > _FAR * scale
    return _alone(rows, log_inputs, residual, far) if far.sum() <= max(_MOST * rows.n_rows, 1.0) else none


def _best_residuals(rows: Rows, log_inputs: Sequence[bool], usable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Residuals (row,) of the surface that most of the `usable` rows lie close to, and their robust standard deviation
    (row,); all zero where no surface has few enough parameters."""
    named = replace(rows, input_names=tuple(f"x{i}" for i in range(len(rows.input_names))))
    recipe = Recipe("log_soft_l1" if (rows.target > 0).all() else "soft_l1")
    measured = np.log(rows.target) if recipe.is_log else rows.target
    thin = named.select(usable & _every(rows.n_rows, _MOST_ROWS))
    own = np.bincount(thin.cell, minlength=len(rows.cells))
    best, least, width = np.zeros(rows.n_rows), np.inf, np.ones(rows.n_rows)
    for formula in _surfaces(log_inputs):
        law = parse(formula, named.input_names)
        k = len(law.parameters)
        if own[own > 0].min() < _ROWS_EACH * k + _SPARE:
            continue
        with np.errstate(all="ignore"):
            cells = Cells.from_rows(thin, law.inputs, None)
            start = np.random.default_rng(0)
            parameters, *_ = fit_cells(law, cells, recipe, starts=_STARTS, rng=start, steps=_STEPS, tolerance=1e-4)
            prediction = predict_cells(law, parameters, named)
            residual = np.log(rows.target / prediction) if recipe.is_log else rows.target - prediction
        if not np.isfinite(residual).all():
            continue
        spread = _spread(rows, measured, residual, usable, own, k)
        size = float(np.mean(np.log(spread + 1e-300)))
        if size < least:
            best, least, width = residual, size, spread
    return best, width


def _spread(
    rows: Rows, measured: np.ndarray, residual: np.ndarray, usable: np.ndarray, own: np.ndarray, k: int
) -> np.ndarray:
    """Robust standard deviation (row,) of the residuals of each target, its cells together; of those that the target
    itself has, as `measured` (row,), it is `_EXACT` at least."""
    spread = np.empty(rows.n_rows)
    targets = np.array([cell.target for cell in rows.cells])
    for target in np.unique(targets):
        is_its = targets == target
        mine = is_its[rows.cell]
        if not (mine & usable).any():
            spread[mine] = np.inf
            continue
        size = np.abs(residual[mine & usable])
        n, n_cells = int(own[is_its].sum()), int(np.count_nonzero(own[is_its]))
        spare = (n / max(n - k * n_cells, 1)) ** 0.5
        usual = _TAIL * float(np.quantile(size, 0.9, method="lower"))
        exact = _EXACT * float(np.std(measured[mine & usable]))
        spread[mine] = max(1.4826 * spare * float(np.median(size)), usual, exact)
    return spread


def _alone(rows: Rows, log_inputs: Sequence[bool], residual: np.ndarray, far: np.ndarray) -> np.ndarray:
    """Those of `far` (row,) of whose nearest neighbours in their cell none lies off to the same side."""
    from scipy.spatial import cKDTree  # .3 to .4 s that not every command needs

    logs = np.array(log_inputs, dtype=bool)
    place = np.where(logs, np.log(np.where(logs, rows.inputs, 1.0)), rows.inputs)
    width = place.std(axis=0)
    place = place / np.where(width > 0, width, 1.0)
    found = np.zeros(len(far), dtype=bool)
    for cell in np.unique(rows.cell[far]):
        mine = np.flatnonzero(rows.cell == cell)
        asked = np.flatnonzero(far & (rows.cell == cell))
        if len(mine) < 3:
            continue
        # One more than asked for: the nearest is the row itself, or another run of the same setting.
        _, near = cKDTree(place[mine]).query(place[asked], k=min(_NEIGHBOURS + 1, len(mine)), p=1)
        for row, mates in zip(asked, mine[near], strict=True):
            same = residual[mates[mates != row][:_NEIGHBOURS]] * np.sign(residual[row])
            found[row] = same.max() < _ALONE * abs(residual[row])
    return found


def _surfaces(log_inputs: Sequence[bool]) -> Iterator[str]:
    """Formulas in the inputs x0, x1, ..."""
    names = [f"x{i}" for i in range(len(log_inputs))]
    x = [f"log({name})" if is_log else name for name, is_log in zip(names, log_inputs, strict=True)]
    logs = [i for i, is_log in enumerate(log_inputs) if is_log]
    rest = [x[i] for i, is_log in enumerate(log_inputs) if not is_log]
    squares, crossed = [f"{one}**2" for one in x], [f"{one}*{two}" for one, two in combinations(x, 2)]
    for terms in (x, x + squares, x + squares + crossed):
        if len(terms) <= _MOST_TERMS:
            yield _linear(terms)
            yield f"exp({_linear(terms)})"
    if len(x) > _MOST_TERMS // 4:
        return
    yield f"E + a*exp({_linear(x)})"
    if logs:
        powers = " + ".join(f"a{i}*x{i}**(-b{i})" for i in logs)
        more = "".join(f" + q{i}*{term}" for i, term in enumerate(rest + [f"{one}**2" for one in rest]))
        yield f"E + {powers}{more}"
        if len(logs) > 1:
            yield f"E + {powers} + c*{'*'.join(f'x{i}**c{i}' for i in logs)}{more}"
            yield f"exp({_linear(x)})*(1 + {powers})"


def _linear(terms: list[str]) -> str:
    return " + ".join(["p"] + [f"p{i}*{term}" for i, term in enumerate(terms)])


def _every(n: int, most: int) -> np.ndarray:
    """A mask (row,) of at most `most` rows, evenly spaced."""
    mask = np.zeros(n, dtype=bool)
    mask[np.unique(np.round(np.linspace(0, n - 1, min(n, most))).astype(int))] = True
    return mask
