"""Levenberg-Marquardt over a batch of problems.

Damping as in Nielsen 1999 (Madsen, Nielsen, Tingleff 2004, algorithm 3.16), scaled by each column's length
(Marquardt 1963), so that units do not matter. A problem is one start of one cell, or one start of all cells
together where parameters are shared; cells then form an arrow-shaped system that is eliminated cell by cell.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import numpy as np

from discover.fitting.residuals import BoundResiduals
from discover.fitting.small_systems import solve_symmetric

_LONGEST_STEP = 4.0  # in a transformed coordinate: a factor of 55
_SMALL_GRADIENT = 1e-9  # cosine between the residual and a column
_SMALL_GAIN = 1e-12  # relative
_NOTHING = 1e-13  # relative gain that a nearly undamped step can expect where nothing is left to gain


@dataclass(frozen=True)
class Solution:
    """Where the batch ended.

    Attributes:
        free: (problem * cells, searched) in free coordinates.
        linear: (problem * cells, linear).
        cost: (problem,).
        cell_cost: (problem * cells,).
        converged: (problem,) whether a stopping rule held; False where the step limit came first.
    """

    free: np.ndarray
    linear: np.ndarray
    cost: np.ndarray
    cell_cost: np.ndarray
    converged: np.ndarray


def minimise(
    residuals: BoundResiduals,
    free: np.ndarray,
    cell: np.ndarray,
    *,
    cells_each: int = 1,
    steps: int = 40,
    tolerance: float = _SMALL_GAIN,
) -> Solution:
    """Runs every problem until it converges or `steps` are done; with `steps` 0, only evaluates.

    Args:
        free: (problem * cells_each, searched), the cells of one problem side by side.
        cell: (problem * cells_each,), the rows that each item reads.
        cells_each: Cells that one problem has together; more than one where parameters are shared.
        tolerance: Relative gain in cost below which a problem has converged.
    """
    if (compiled := _compiled(residuals, free, cell, cells_each, steps, tolerance)) is not None:
        return compiled
    searched = free.shape[1]
    shared = residuals.residuals.is_shared
    problems = len(free) // cells_each
    point = residuals.at(free, cell, derivatives=steps > 0)
    linear, cell_cost = point.linear, point.cost
    cost = cell_cost.reshape(problems, cells_each).sum(1)
    free = free.copy()
    if searched == 0 or steps == 0:
        return Solution(free, linear, cost, cell_cost, np.isfinite(cost))
    damping = np.full(problems, 1e-2)
    factor = np.full(problems, 2.0)
    converged = np.zeros(problems, dtype=bool)
    small = np.zeros(problems, dtype=int)
    gram, gradient, norms = point.gram, point.gradient, point.norms
    active = np.flatnonzero(np.isfinite(cost))
    offsets = np.arange(cells_each)
    for step in range(steps):
        # Where precision is not asked for, a few stragglers do not hold up the batch.
        if len(active) == 0 or (tolerance > 1e-9 and step >= 10 and len(active) < 0.03 * problems):
            break
        items = (active[:, None] * cells_each + offsets).ravel()
        g, h, d = gradient[:, items], gram[:, :, items], norms[:, items]
        each = np.repeat(damping[active], cells_each)
        diagonal = np.einsum("iib->ib", h)
        scale = np.maximum(diagonal, 1e-10 * d) + 1e-290
        delta = _step(h, g, scale, each, shared, cells_each)
        bounded = residuals.residuals.transforms.bounded[:, None]
        delta = np.where(bounded, np.clip(delta, -_LONGEST_STEP, _LONGEST_STEP), delta)
        delta = np.where(np.isfinite(delta), delta, 0.0)
        trial = free[items] + delta.T
        point = residuals.at(trial, cell[items])
        trial_cost = point.cost.reshape(-1, cells_each).sum(1)
        expected = -np.einsum("ib,ib->b", delta, g) - 0.5 * np.einsum("ib,ijb,jb->b", delta, h, delta)
        expected = expected.reshape(-1, cells_each).sum(1)
        arrived = (damping[active] <= 1e-3) & (expected <= _NOTHING * cost[active])
        with np.errstate(invalid="ignore", over="ignore"):
            gain = cost[active] - trial_cost
        better = np.isfinite(trial_cost) & (gain > 0)
        ratio = np.where(better, np.minimum(gain / np.maximum(expected, 1e-200), 2.0), 0.0)
        damping[active] = np.where(
            better,
            damping[active] * np.clip(1.0 - (2.0 * ratio - 1.0) ** 3, 0.1, 1.0),
            damping[active] * factor[active],
        )
        factor[active] = np.where(better, 2.0, factor[active] * 2.0)
        damping = np.clip(damping, 1e-14, 1e14)
        moved = np.abs(delta.T) / (np.abs(free[items]) + 1e-8)
        still = (moved.max(1) < 1e-11).reshape(-1, cells_each).all(1)
        won = active[better]
        if len(won):
            where = np.repeat(better, cells_each)
            into = items[where]
            free[into], linear[into], cell_cost[into] = trial[where], point.linear[where], point.cost[where]
            gradient[:, into], gram[:, :, into], norms[:, into] = (
                point.gradient[:, where],
                point.gram[:, :, where],
                point.norms[:, where],
            )
        small[active] = np.where(better & (gain <= tolerance * cost[active]), small[active] + 1, 0)
        cost[won] = trial_cost[better]
        flat = _is_flat(gradient[:, items], norms[:, items], cell_cost[items], shared, cells_each)
        stuck = ~better & (damping[active] > 1e10)
        last = small[active] >= (2 if tolerance < 1e-9 else 1)
        done = arrived | flat | still | last | (cost[active] == 0.0) | stuck
        converged[active[done]] = True
        active = active[~done]
    return Solution(free, linear, cost, cell_cost, converged)


def _compiled(
    residuals: BoundResiduals, free: np.ndarray, cell: np.ndarray, cells_each: int, steps: int, tolerance: float
) -> Solution | None:
    """The same by the compiled kernel; None where Numba is missing or the law has a function that it has not."""
    kernel = _kernel()
    if kernel is None:
        return None
    r, tape = residuals.residuals, residuals.bound.tape
    ops = tape.encoded(kernel.KINDS)
    if ops is None:
        return None
    steps_array, live, is_live = ops
    width = residuals.target.shape[1]
    tables = residuals.bound.tables
    shaped = [np.broadcast_to(t, (t.shape[0], width)) for t in tables.values()]
    stacked = np.stack(shaped) if shaped else np.empty((0, 1, width))
    constants = residuals.bound.constants
    transforms = r.transforms
    codes = np.zeros(free.shape[1], dtype=np.int64)
    for code, columns in ((1, transforms.rising), (2, transforms.falling), (3, transforms.both)):
        codes[columns] = code
    bounds = np.array(r.linear_bounds, dtype=float).reshape(-1, 2)
    by_column = sorted(tape._parameter_slots, key=lambda slot: tape._parameter_slots[slot])
    if len(by_column) < free.shape[1]:
        return None  # a parameter that a zero factor took out of the tape has no slot to be written to
    free = np.array(free, dtype=float, order="C")
    linear, cost = np.empty((len(free), len(r.linear))), np.empty(len(free))
    converged = np.zeros(len(free) // cells_each, dtype=bool)
    is_common = r.is_shared & (cells_each > 1)
    kernel.minimise_items(
        steps_array,
        live,
        is_live,
        np.array(list(tables), dtype=np.int64),
        np.ascontiguousarray(stacked),
        np.array(list(constants), dtype=np.int64),
        np.array([float(c) for c in constants.values()]),
        np.array(by_column, dtype=np.int64),
        np.array(tape.outputs[:-1], dtype=np.int64),
        tape.outputs[-1],
        np.ascontiguousarray(residuals.target),
        np.ascontiguousarray(residuals.root_weight),
        residuals.counts,
        codes,
        transforms.lower,
        transforms.upper,
        np.ascontiguousarray(bounds[:, 0]),
        np.ascontiguousarray(bounds[:, 1]),
        free,
        np.ascontiguousarray(cell, dtype=np.int64),
        cells_each,
        np.flatnonzero(~is_common),
        np.flatnonzero(is_common),
        steps,
        tolerance,
        _SMALL_GRADIENT,
        _NOTHING,
        _LONGEST_STEP,
        linear,
        cost,
        converged,
    )
    return Solution(free, linear, cost.reshape(-1, cells_each).sum(1), cost, converged)


@cache
def _kernel() -> ModuleType | None:
    """The compiled kernel's module, or None: Numba is optional."""
    if os.environ.get("DISCOVER_NO_NUMBA"):
        return None
    try:
        from discover.fitting import kernel
    except ImportError:
        return None
    return kernel


def _is_flat(gradient: np.ndarray, norms: np.ndarray, cost: np.ndarray, shared: np.ndarray, cells: int) -> np.ndarray:
    """Whether the residuals of each problem stand upright on every column: of each cell, of all for shared ones."""

    def upright(slope: np.ndarray, norm: np.ndarray, cost: np.ndarray) -> np.ndarray:
        return (np.abs(slope) <= _SMALL_GRADIENT * np.sqrt(norm * 2.0 * cost) + 1e-290).all(0)

    def total(values: np.ndarray) -> np.ndarray:
        return values.reshape(*values.shape[:-1], len(cost) // cells, cells).sum(-1)

    own = upright(gradient[~shared], norms[~shared], cost).reshape(-1, cells).all(1)
    return own & upright(total(gradient[shared]), total(norms[shared]), total(cost))


def _step(
    gram: np.ndarray, gradient: np.ndarray, scale: np.ndarray, damping: np.ndarray, shared: np.ndarray, cells: int
) -> np.ndarray:
    """The damped Gauss-Newton step (searched, batch)."""
    n, batch = gradient.shape
    damped = gram.copy()
    index = np.arange(n)
    if not shared.any():
        damped[index, index] += damping * scale
        return -solve_symmetric(damped, gradient[:, None])[:, 0]
    # Arrow: eliminate each cell's own parameters, solve for the shared ones, substitute back.
    own, common = np.flatnonzero(~shared), np.flatnonzero(shared)
    damped[own, own] += damping * scale[own]
    problems = batch // cells
    right = gradient[own][:, None]
    border = damped[np.ix_(own, common)]
    inner = damped[np.ix_(own, own)]
    solved = solve_symmetric(inner, np.concatenate([border, right], axis=1)) if len(own) else None
    total = damped[np.ix_(common, common)]
    pull = gradient[common]
    if solved is not None:
        total = total - np.einsum("kib,kjb->ijb", border, solved[:, :-1])
        pull = pull - np.einsum("kib,kb->ib", border, solved[:, -1])
    total = total.reshape(len(common), len(common), problems, cells).sum(-1)
    pull = pull.reshape(len(common), problems, cells).sum(-1)
    spread = scale[common].reshape(len(common), problems, cells).sum(-1)
    diagonal = np.arange(len(common))
    total[diagonal, diagonal] += damping.reshape(problems, cells)[:, 0] * spread
    together = -solve_symmetric(total, pull[:, None])[:, 0]
    step = np.empty((n, batch))
    step[common] = np.repeat(together, cells, axis=1)
    if solved is not None:
        step[own] = -solved[:, -1] - np.einsum("kjb,jb->kb", solved[:, :-1], step[common])
    return step
