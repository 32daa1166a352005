"""Parameters under resampled rows: what the fit would have been with other runs of the same kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from discover.fitting import Cells, fit_cells
from discover.intervals.tied import FittedForm

if TYPE_CHECKING:
    from discover.task import Rows

_STEPS = 12
_TOLERANCE = 1e-6
_AT_ONCE = 400_000  # rows in one batch of refits


def resampled(
    form: FittedForm,
    parameters: np.ndarray,
    rows: Rows,
    cluster: np.ndarray,
    weights: np.ndarray | None,
    draws: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Parameters (draw, cell, parameter) refitted from `parameters` under random weights of the clusters.

    Every cluster gets an exponential weight of mean one (the Bayesian bootstrap), so that no draw loses a level of a
    short ladder altogether, as drawing with replacement would. NaN where a refit is not finite.

    Args:
        rows: What the law was fitted on.
        draws: How many; none at all gives an array without draws.
        cluster: (row,), as `clusters` gives.
        weights: (row,) of the recipe, or None.

    Source: Rubin 1981, The Bayesian bootstrap; for clusters, Cameron, Gelbach and Miller 2008.
    """
    n_cells = len(rows.cells)
    if draws == 0:
        return np.empty((0, *parameters.shape))
    laid = Cells.from_rows(rows, form.law.inputs, np.arange(1.0, rows.n_rows + 1.0))
    index, real = np.maximum(laid.weight.astype(int) - 1, 0), laid.weight > 0
    base = np.ones(rows.n_rows) if weights is None else weights
    found = []
    each = max(1, min(draws, _AT_ONCE // max(real.size, 1)))
    for first in range(0, draws, each):
        number = min(each, draws - first)
        luck = rng.exponential(size=(number, int(cluster.max()) + 1))[:, cluster] * base
        batch = Cells(
            {name: np.tile(column, (number, 1)) for name, column in laid.inputs.items()},
            np.tile(laid.target, (number, 1)),
            (luck[:, index] * real).reshape(number * n_cells, -1),
            np.tile(laid.count, number),
            (laid.pool + np.arange(number)[:, None] * n_cells).ravel(),  # cells learn from their own draw alone
        )
        fitted, cost = _refits(form, batch, parameters, number, rng)
        found.append(np.where(np.isfinite(cost)[:, None], fitted, np.nan).reshape(number, n_cells, -1))
    return np.concatenate(found)


def _refits(
    form: FittedForm, batch: Cells, parameters: np.ndarray, number: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters and costs of all cells of `number` draws; cells of different draws share no parameter."""
    together = len(parameters) if form.recipe.shared else len(batch.count)
    parts = []
    for first in range(0, len(batch.count), together):
        mine = np.arange(first, first + together)
        with np.errstate(all="ignore"):
            fitted, cost, _ = fit_cells(
                form.law,
                batch.take_cells(mine) if form.recipe.shared else batch,
                form.recipe,
                starts=0,
                rng=rng,
                initial=np.tile(parameters, (together // len(parameters), 1))[None],
                steps=_STEPS,
                tolerance=_TOLERANCE,
            )
        parts.append((fitted, cost))
    return np.concatenate([p for p, _ in parts]), np.concatenate([c for _, c in parts])


def predictions(form: FittedForm, drawn: np.ndarray, rows: Rows) -> np.ndarray:
    """Predictions (draw, row) of the law under parameters (draw, cell, parameter)."""
    from discover.law.compiler import evaluate

    law = form.law
    values = {name: rows.column(name)[None] for name in law.inputs}
    values.update({name: drawn[:, rows.cell, place] for place, name in enumerate(law.parameters)})
    return np.array(np.broadcast_to(evaluate(law.expression, values), (len(drawn), rows.n_rows)), dtype=float)
