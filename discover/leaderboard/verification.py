"""Deriving a leaderboard row again from what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.fitting import Prior, Recipe, predict_cells
from discover.leaderboard.stored import law_of, values_of
from discover.scoring import Yardstick, score
from discover.scoring.held_out import open_held_out
from discover.store.identity import law_id

if TYPE_CHECKING:
    from discover.task import Task

_CLOSE = 1e-9
_REFIT = 1e-5  # of the cost: a refit from the stored parameters must not find a much better place


@dataclass(frozen=True)
class Check:
    """One thing derived again: what was stored, what was found."""

    name: str
    stored: Any
    found: Any
    matches: bool


def verify(task: Task, row: Mapping[str, Any]) -> tuple[Check, ...]:
    """Checks of one stored row: its id, complexity, scores, and that a refit from its parameters stays there.

    Args:
        task: The task as it is now; another table of rows shows as scores that differ.
        row: A row as the store gives it.
    """
    law, parameters = law_of(task, row), row["parameters"]
    recipe = Recipe.from_text(row["recipe"])
    found = law_id(task.name, str(law), recipe.text, parameters)
    checks = [
        Check("id", row["law"], found, found == row["law"]),
        Check("complexity", row["complexity"], law.complexity, law.complexity == row["complexity"]),
    ]
    values = values_of(task, law, parameters)
    held_out = open_held_out(task)
    reached = score(held_out, predict_cells(law, values, held_out), task.training)
    for name, value in (("held_out_r2", reached.r2), ("nmse", reached.nmse), ("nmae", reached.nmae)):
        checks.append(_number(name, row[name], value))
    for group, value in reached.per_group.items():
        checks.append(_number(f"held_out_r2 of {group or 'all'}", row["held_out_r2_per_group"].get(group), value))
    if other := row.get("plain_recipe"):
        plainly = values_of(task, law, other["parameters"])
        found_r2 = score(held_out, predict_cells(law, plainly, held_out), task.training).r2
        checks.append(_number("held_out_r2, plain recipe", other["held_out_r2"], found_r2))
    if row.get("standard_errors"):
        checks.append(_refit(task, law, recipe, values, row.get("prior") or {}))
    return tuple(checks)


def _number(name: str, stored: Any, found: float) -> Check:
    close = stored is not None and abs(stored - found) <= _CLOSE * max(abs(stored), abs(found), 1e-12)
    return Check(name, stored, found, bool(close))


def _refit(task: Task, law: Any, recipe: Recipe, values: np.ndarray, told: Mapping[str, Any]) -> Check:
    """The cost of the stored parameters beside that of a refit which starts from them, under the prior it was told."""
    prior = Prior.of_table(told, [cell.label for cell in task.cells], law) if told else None
    rows, rng = task.training, np.random.default_rng(0)
    result = Yardstick.of(task).fit(law, recipe, rng, starts=0, initial=values[None], prior=prior)
    here, there = (predict_cells(law, p, rows) for p in (values, result.parameters))
    spread = float(np.std(rows.target)) or 1.0
    gap = float(np.sqrt(np.mean((here - there) ** 2))) / spread
    return Check("refit moves predictions by (spreads)", 0.0, gap, gap <= _REFIT * 100)
