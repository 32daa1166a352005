"""Whether another law tells the same of a task's range as a law does, and where the two part beyond it.

In: a law with its parameters on a task's training rows. Out: how far the other law, fitted to the law's own
predictions, is from it in units of the noise, and at which factor beyond the data they differ. Held-out rows are not
asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from discover.fitting import Cells, Recipe, fit_cells, predict_cells
from discover.law import Law
from discover.law.compiler import evaluate
from discover.task import Rows

CLOSE = 0.5  # of the noise: two laws that differ less cannot be told apart by the rows
_PARTED = 3.0  # times the noise
_EXPLAINS = 0.7  # of the scatter in a cell: residuals that are larger are the law's own fault, not noise
_FACTORS = (2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0)


@dataclass(frozen=True)
class Nearness:
    """How near another law comes on a task.

    Attributes:
        distance: Root mean square difference on the rows, as a share of the law's own residuals.
        parts: Input -> factor beyond its largest value at which they differ by three times the noise (None: not up to a
            hundred times).
    """

    distance: float
    parts: dict[str, float | None]

    @property
    def close(self) -> bool:
        return self.distance <= CLOSE

    @property
    def text(self) -> str:
        away = [f"x{factor:g} beyond {name}" for name, factor in self.parts.items() if factor is not None]
        told = "they part at " + ", ".join(away) if away else "they do not part up to x100 beyond the data"
        return f"differ by {self.distance:.2g} of the noise on the data; {told}"


def nearness(
    law: Law, parameters: np.ndarray, other: Law, rows: Rows, rng: np.random.Generator, starts: int = 12
) -> Nearness | None:
    """How near `other` comes to a fitted law on the rows.

    Args:
        parameters: (cell, parameter) of `law`.
        other: Reads inputs of the rows; fitted to the law's predictions, not to the targets.

    Returns:
        None where the law leaves no residuals, has no finite predictions, or explains less than half of the variance:
        of a bad law, every other bad law is near.
    """
    predicted = predict_cells(law, parameters, rows)
    noise = float(np.sqrt(np.mean((predicted - rows.target) ** 2)))
    if not (np.isfinite(predicted).all() and np.isfinite(noise) and noise > 0.0 and other.parameters):
        return None
    if noise > _EXPLAINS * _scatter(rows):
        return None
    made = Rows(rows.input_names, rows.cells, rows.inputs, predicted, rows.cell, rows.line)
    cells = Cells.from_rows(made, other.inputs)
    with np.errstate(all="ignore"):
        fitted, _, _ = fit_cells(other, cells, Recipe(), starts=starts, rng=rng, polish=True, steps=80)
    fitted = np.asarray(fitted)
    off = predict_cells(other, fitted, rows) - predicted
    distance = float(np.sqrt(np.mean(off**2)))
    if not np.isfinite(distance):
        return None
    return Nearness(distance / noise, {n: _parting(law, parameters, other, fitted, rows, n, noise) for n in law.inputs})


def _scatter(rows: Rows) -> float:
    """Root mean square distance of the targets from their cells' means."""
    counts = np.maximum(np.bincount(rows.cell, minlength=len(rows.cells)), 1)
    means = np.bincount(rows.cell, rows.target, minlength=len(rows.cells)) / counts
    return float(np.sqrt(np.mean((rows.target - means[rows.cell]) ** 2)))


def _parting(
    law: Law, parameters: np.ndarray, other: Law, fitted: np.ndarray, rows: Rows, name: str, noise: float
) -> float | None:
    column = rows.column(name)
    if (column <= 0).any() or column.max() <= 1.0:
        return None
    at = {n: np.median(rows.column(n)) for n in rows.input_names}
    for factor in _FACTORS:
        point = {**at, name: np.float64(column.max() * factor)}
        ours, theirs = _at(law, parameters, point), _at(other, fitted, point)
        if not np.isfinite(ours - theirs).all() or np.median(np.abs(ours - theirs)) > _PARTED * noise:
            return factor
    return None


def _at(law: Law, parameters: np.ndarray, point: dict[str, np.ndarray]) -> np.ndarray:
    names = {name: np.asarray(point[name]) for name in law.inputs}
    names.update({name: parameters[:, j] for j, name in enumerate(law.parameters)})
    return np.array(np.broadcast_to(evaluate(law.expression, names), (len(parameters),)), dtype=float)
