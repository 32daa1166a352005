"""A form fitted and validated by a recipe, as thoroughly as the final round of a search does it.

In: a law, a recipe, a task's `Yardstick`. Out: a `Refit`. Stays out: held-out rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discover.archive import OK
from discover.fitting import Fit, Recipe
from discover.scoring import FINAL, Yardstick, validate

if TYPE_CHECKING:
    from discover.law import Law

STARTS = 48


@dataclass(frozen=True)
class Refit:
    """Parameters of a law by a recipe, from training rows alone.

    Attributes:
        parameters: (cell, parameter) in the task's units.
        validation_r2: None where the folds gave nothing.
        status: "ok", or what is wrong with how many cells.
    """

    law: Law
    recipe: Recipe
    parameters: np.ndarray
    validation_r2: float | None
    status: str


def plain(recipe: Recipe) -> Recipe:
    """Least squares over all rows, each counting once: how human laws are fitted here.

    Which parameters all cells share stays as it is: that belongs to the form.
    """
    return Recipe(shared=recipe.shared)


def refitted(
    law: Law,
    recipe: Recipe,
    yardstick: Yardstick,
    rng: np.random.Generator,
    *,
    initial: np.ndarray | None = None,
    core: np.ndarray | None = None,
) -> Refit:
    """`law` fitted by `recipe` on all training rows, with many starts, and validated on every fold.

    Args:
        initial: (cell, parameter), one more start for the fit on all rows.
        core: (cell, parameter), one more start for the folds, from rows that no fold holds back.
    """
    with np.errstate(all="ignore"):
        judged = validate(law, recipe, yardstick, FINAL, rng, None if core is None else core[None])
    starts = [start for start in (judged.parameters, initial) if start is not None and np.isfinite(start).all()]
    result = yardstick.fit(law, recipe, rng, starts=STARTS, initial=np.array(starts) if starts else None)
    usable = np.isfinite(judged.score)
    status = status_of(result)
    return Refit(law, recipe, result.parameters, judged.r2 if usable else None, status)


def status_of(result: Fit) -> str:
    """OK, or what is wrong with how many cells."""
    bad = [s for s in result.status if s != "converged"]
    return OK if not bad else f"{bad[0]} in {len(bad)} of {len(result.status)} cells"
