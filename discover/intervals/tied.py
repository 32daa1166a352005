"""Laws that validation can hardly tell apart: what they disagree on, nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.errors import FitError
from discover.fitting import Recipe
from discover.law import Law, parse

if TYPE_CHECKING:
    from discover.task import Task

_SCALE = 0.25  # of log(NMSE), at least: a law this much worse counts 1/e
_FURTHEST = 3.0  # scales: a law further behind, with many rows worse by a factor of two, is not a tie
_MOST = 8
_PERFECT = 1e-12


@dataclass(frozen=True, eq=False)
class FittedForm:
    """A law with its recipe and the parameters that all training rows gave it.

    Attributes:
        parameters: (cell, parameter), in the task's units.
        score: Validation score, the mean log(NMSE) over the folds; lower is better.
        name: How to call it.
    """

    law: Law
    recipe: Recipe
    parameters: np.ndarray
    score: float
    name: str = ""

    @classmethod
    def of_row(cls, row: Mapping[str, Any], task: Task) -> FittedForm:
        """A row of a leaderboard of `task`; a law without a validation score counts as worse than any other.

        Raises:
            FitError: The row's cells are not those of the task: its columns have changed since.
        """
        cells: Mapping[str, Mapping[str, float]] = row["parameters"]
        labels = [cell.label for cell in task.cells]
        missing = [label for label in labels if label not in cells]
        if missing:
            raise FitError(
                f"law {row['law']}: has no parameters for {missing[0]!r} of task {task.name}; "
                f"the task has changed, make a new run: discover run {task.name}"
            )
        bounds = {name: (float(low), float(high)) for name, (low, high) in (row.get("bounds") or {}).items()}
        law = parse(row["formula"], task.input_names, bounds=bounds, parameters=list(cells[labels[0]]))
        values = np.array([[float(cells[label][name]) for name in law.parameters] for label in labels])
        r2 = row.get("validation_r2")
        score = np.inf if r2 is None else float(np.log(max(1.0 - r2, _PERFECT)))
        return cls(law, Recipe.from_text(row.get("recipe") or "squared"), values, score, str(row["law"]))


def near_tied(
    main: FittedForm, others: Sequence[FittedForm], held_back: int | None = None
) -> tuple[tuple[FittedForm, float], ...]:
    """The main law and those near it in score, each with its weight; the weights sum to one.

    Akaike weights on the validation score: n held-back settings tell two laws apart by exp(-n / 2 * gap), `gap` being
    the difference in log(NMSE). One that is as good or better counts 1. Settings err together, so beyond eight of them
    n is taken to be eight: exp(-gap / 0.25). Forms with the main law's key are left out.

    Args:
        held_back: Different settings that the folds hold back; None for many.

    Source: Burnham and Anderson 2002, Model selection and multimodel inference, section 2.9, with the squares of what
    was held back in place of those of the fit.
    """
    scale = _SCALE if held_back is None else max(_SCALE, 2.0 / max(held_back, 1))
    chosen, keys = [(main, 1.0)], {main.law.key}
    for other in sorted(others, key=lambda form: form.score):
        gap = max(other.score - main.score, 0.0) if np.isfinite(other.score) else np.inf
        if other.law.key in keys or not gap <= _FURTHEST * scale or len(chosen) == _MOST:
            continue
        keys.add(other.law.key)
        chosen.append((other, float(np.exp(-gap / scale))))
    total = sum(weight for _, weight in chosen)
    return tuple((form, weight / total) for form, weight in chosen)
