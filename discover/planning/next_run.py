"""Which run to train next: the one that would shrink the doubt about the extrapolation most, for what it costs.

Many plausible laws (near-tied ones, each under refits on resampled rows) predict both the run and the target of the
extrapolation. Where they disagree on a cheap run in the same way as on the expensive one, measuring the cheap run tells
them apart. With Gaussian doubt the expected variance after the run is known beforehand: var(t) - cov(t, r)^2 /
(var(r) + noise^2) (MacKay 1992; Cohn, Ghahramani and Jordan 1996).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discover.errors import DiscoverError
from discover.fitting import predict_cells
from discover.intervals.bootstrap import predictions, resampled
from discover.intervals.clusters import clusters
from discover.law import Expression
from discover.law.compiler import evaluate
from discover.scoring import Yardstick
from discover.scoring.folds import levels
from discover.task import Rows

if TYPE_CHECKING:
    from discover.intervals.ensemble import Ensemble
    from discover.task import Task

_DRAWS = 40  # of every law
_BEYOND = (2.0, 4.0)  # times the largest measured level: runs that might be made
_REACH = 10.0  # times the largest measured level: what is asked for where nobody says
_MOST_LEVELS = 8
_TOP = 4  # measured settings of the largest scale that are always among the starting points
_NEAREST = 5  # measured rows that tell how well the law fits near a run
_MOST_RUNS = 20_000
_WORTH = 0.25  # of the best reduction: a run that tells next to nothing is no bargain at any price


@dataclass(frozen=True)
class NextRun:
    """One run that might be made.

    Attributes:
        cell: Label of its cell.
        inputs: Its settings.
        cost: In the cost's own unit.
        shrinks: The part of the extrapolation's variance that it is expected to take away.
        width: What the interval's width would be, of what it is now.
        predicted: What the main law expects.
        is_beyond: Whether it lies beyond the measured levels.
    """

    cell: str
    inputs: Mapping[str, float]
    cost: float
    shrinks: float
    width: float
    predicted: float
    is_beyond: bool


def next_runs(
    ensemble: Ensemble,
    cost: Expression,
    budget: float,
    *,
    asked: Mapping[str, float] | None = None,
    most: int = 10,
    rng: np.random.Generator,
) -> tuple[tuple[NextRun, ...], NextRun]:
    """The runs worth most for their cost, best first, and the one that tells most of all that can be paid.

    Args:
        cost: Over the task's inputs.
        budget: What one run may cost.
        asked: The extrapolation that matters, as inputs; where left out, every scale axis ten times beyond its largest
            measured level, one after the other and all at once.

    Raises:
        DiscoverError: Nothing can be paid; the laws agree about the extrapolation already.
    """
    task = ensemble.task
    runs, beyond = _runs(task)
    prices = _prices(task, runs, cost)
    paid = np.isfinite(prices) & (prices > 0) & (prices <= budget)
    if not paid.any():
        cheapest = float(np.min(prices[np.isfinite(prices) & (prices > 0)], initial=math.inf))
        raise DiscoverError(f"budget: {budget:g}; the cheapest run considered costs {cheapest:.3g}")
    runs, prices, beyond = runs.select(paid), prices[paid], beyond[paid]
    targets = _asked(task, asked)
    at_runs, at_targets, weights = _opinions(ensemble, runs, targets, rng)
    noise = _noise(ensemble, runs) * (np.abs(_centre(at_runs, weights)) if ensemble.is_log else 1.0)
    mine, theirs = _centred(at_runs, weights), _centred(at_targets, weights)
    total = float((weights @ theirs**2).sum())
    if not total > 0:
        raise DiscoverError("the laws of this run agree about the extrapolation: no run would shrink its interval")
    shared = np.einsum("m,mr,mt->rt", weights, mine, theirs)
    shared = np.where(runs.cell[:, None] == targets.cell[None], shared, 0.0)
    spread = weights @ mine**2 + noise**2
    shrinks = (shared**2 / np.maximum(spread, 1e-300)[:, None]).sum(1) / total

    def told(index: int) -> NextRun:
        inputs = dict(zip(runs.input_names, map(float, runs.inputs[index]), strict=True))
        part = float(min(shrinks[index], 1.0))
        centre = float(_centre(at_runs[:, [index]], weights)[0])
        return NextRun(task.cells[runs.cell[index]].label, inputs, float(prices[index]), part, math.sqrt(1.0 - part),
                       centre, bool(beyond[index]))  # fmt: skip

    best = int(np.argmax(shrinks))
    worth = np.flatnonzero(shrinks >= _WORTH * shrinks[best])
    order = worth[np.argsort(-(shrinks / prices)[worth], kind="stable")]
    return tuple(told(int(i)) for i in order[:most]), told(best)


def _centre(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean (row,) of opinions (member, row)."""
    return weights @ values


def _centred(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return values - (weights @ values)[None]


def _opinions(
    ensemble: Ensemble, runs: Rows, targets: Rows, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions (member, run) and (member, target), and the members' weights: every law under resampled rows."""
    task = ensemble.task
    cluster, yardstick = clusters(task), Yardstick.of(task)
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for form, parameters, weight in zip(ensemble.forms, ensemble.parameters, ensemble.weights, strict=True):
        drawn = resampled(form, parameters, task.training, cluster, yardstick.weights(form.recipe), _DRAWS, rng)
        here, there = predictions(form, drawn, runs), predictions(form, drawn, targets)
        ok = np.isfinite(here).all(1) & np.isfinite(there).all(1)
        ok &= ~_wild(there)
        if ok.any():
            found.append((here[ok], there[ok], np.full(int(ok.sum()), weight / ok.sum())))
    if not found:
        raise DiscoverError("no law of this run stays finite at the extrapolation asked for")
    here, there, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return here, there, weights / weights.sum()


def _wild(values: np.ndarray) -> np.ndarray:
    """Members (member,) that lie apart from all others by twenty times their spread, at any row: failed refits."""
    middle = np.nanmedian(values, axis=0)
    spread = np.nanmedian(np.abs(values - middle), axis=0)
    with np.errstate(all="ignore"):
        return (np.abs(values - middle) > 20.0 * spread + 1e-12 * np.abs(middle)).any(1)


def _prices(task: Task, runs: Rows, cost: Expression) -> np.ndarray:
    values = {name: runs.column(name) for name in task.input_names}
    with np.errstate(all="ignore"):
        return np.array(np.broadcast_to(evaluate(cost, values), (runs.n_rows,)), dtype=float)


def _ladder(task: Task, values: np.ndarray, axis: str) -> np.ndarray:
    """Measured levels of a scale axis, thinned, and a few beyond the largest."""
    column = next((c for c in task.inputs if c.name == axis), None)
    is_log = task.is_log(axis) and values.min() > 0
    level = levels(np.log(values) if is_log else values)
    measured = np.array([np.median(values[level == k]) for k in np.unique(level)])
    measured = measured[_thinned(len(measured), _MOST_LEVELS)]
    top, width = float(values.max()), float(np.ptp(values))
    further = np.array([top * b if is_log else top + math.log10(b) * width for b in _BEYOND])
    limit = math.inf if column is None or column.maximum is None else column.maximum
    return np.append(measured, further[further <= limit])


def _thinned(count: int, most: int) -> np.ndarray:
    return np.unique(np.round(np.linspace(0, count - 1, min(count, most))).astype(int))


def _runs(task: Task) -> tuple[Rows, np.ndarray]:
    """Runs that might be made, and whether each is beyond the measured levels.

    Each is a setting that was measured, again or with its scale axes moved up: what was possible at a setting is
    possible at a larger scale, which no rule of ours would know of a setting made up from scratch.
    """
    training = task.training
    places = [training.input_names.index(axis) for axis in task.scale_axes if axis in training.input_names]
    parts, cells, beyond = [], [], []
    n_cells = len(np.unique(training.cell))
    for cell in np.unique(training.cell):
        own = np.unique(training.inputs[training.cell == cell], axis=0)
        tops = own[:, places].max(0) if places else np.zeros(0)
        ladders = [_ladder(task, own[:, place], training.input_names[place]) for place in places]
        combos = np.stack([g.reshape(-1) for g in np.meshgrid(*ladders, indexing="ij")], axis=1) if places else None
        if combos is None:
            inputs = own
        else:
            base = own[_thinned(len(own), max(_MOST_RUNS // (n_cells * len(combos)), 8))]
            base = np.unique(np.vstack([base, own[np.argsort(own[:, places[0]])[-_TOP:]]]), axis=0)
            moved = np.repeat(base, len(combos), axis=0)
            moved[:, places] = np.tile(combos, (len(base), 1))
            up = (moved[:, places] >= np.repeat(base[:, places], len(combos), axis=0) * (1.0 - 1e-9)).all(1)
            inputs = np.unique(np.vstack([own, moved[up]]), axis=0)
        parts.append(inputs)
        cells.append(np.full(len(inputs), cell))
        beyond.append((inputs[:, places] > tops).any(1) if places else np.zeros(len(inputs), dtype=bool))
    inputs, cell_of = np.concatenate(parts), np.concatenate(cells)
    n = len(inputs)
    rows = Rows(training.input_names, training.cells, inputs, np.zeros(n), cell_of, np.zeros(n, dtype=int))
    return rows, np.concatenate(beyond)


def _noise(ensemble: Ensemble, runs: Rows) -> np.ndarray:
    """Standard deviation (row,) of what a run would measure around the law, in the ensemble's own space.

    Where the law fits badly nearby, a run tells little about anything else: the misses of the nearest rows count.
    """
    training = ensemble.task.training
    fitted = predict_cells(ensemble.forms[0].law, ensemble.parameters[0], training)
    gap = ensemble.inside(training.target) - ensemble.inside(fitted)
    gap = np.where(np.isfinite(gap), gap, 0.0)
    places = [i for i, name in enumerate(training.input_names) if name in ensemble.task.scale_axes] or list(
        range(len(training.input_names))
    )

    def coordinates(rows: Rows) -> np.ndarray:
        columns = []
        for place in places:
            is_log = ensemble.task.is_log(training.input_names[place]) and training.inputs[:, place].min() > 0
            values, reference = rows.inputs[:, place], training.inputs[:, place]
            values, reference = (np.log(values), np.log(reference)) if is_log else (values, reference)
            columns.append((values - reference.min()) / (float(np.ptp(reference)) or 1.0))
        return np.column_stack(columns)

    here, there = coordinates(runs), coordinates(training)
    found = ensemble.noise[runs.cell].copy()
    for cell in np.unique(runs.cell):
        mine, own = np.flatnonzero(runs.cell == cell), np.flatnonzero(training.cell == cell)
        for part in np.array_split(mine, max(1, len(mine) * len(own) // 2_000_000)):
            apart = np.abs(here[part][:, None] - there[own][None]).max(-1)
            nearest = np.argpartition(apart, min(_NEAREST, len(own)) - 1, axis=1)[:, :_NEAREST]
            local = np.sqrt(np.mean(gap[own][nearest] ** 2, axis=1))
            found[part] = np.maximum(found[part], local)
    return found


def _asked(task: Task, asked: Mapping[str, float] | None) -> Rows:
    """The rows that matter: what is asked for, else the largest setting of each cell, its scale axes moved beyond."""
    training = task.training
    found, cells = [], []
    for cell in range(len(task.cells)):
        own = training.inputs[training.cell == cell]
        if not len(own):
            continue
        names = training.input_names
        height = np.zeros(len(own))
        for axis in task.scale_axes:
            column = own[:, names.index(axis)]
            height += np.argsort(np.argsort(column, kind="stable")) / max(len(own), 1)
        top = own[int(np.argmax(height))]
        if asked:
            moves = [dict(asked)]
        else:
            far = {axis: _far(task, own[:, names.index(axis)], axis) for axis in task.scale_axes}
            moves = [{axis: value} for axis, value in far.items()] + ([far] if len(far) > 1 else [])
        for move in moves or [{}]:
            row = top.copy()
            for name, value in move.items():
                row[names.index(name)] = value
            found.append(row)
            cells.append(cell)
    n = len(found)
    return Rows(
        training.input_names, training.cells, np.array(found), np.zeros(n), np.array(cells), np.zeros(n, dtype=int)
    )


def _far(task: Task, values: np.ndarray, axis: str) -> float:
    column = next((c for c in task.inputs if c.name == axis), None)
    is_log = task.is_log(axis) and values.min() > 0
    far = float(values.max()) * _REACH if is_log else float(values.max()) + float(np.ptp(values))
    return far if column is None or column.maximum is None else min(far, column.maximum)
