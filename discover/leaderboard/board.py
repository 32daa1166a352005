"""Leaderboards: found laws beside human ones and baselines, on rows that the search never saw.

In: a task and the laws that a run chose, in order. Out: rows, ranked. The held-out rows are opened here, once, after
the choice has been made, and the opening is written down before anything is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from discover.archive import OK, Candidate
from discover.assessment import assess_law, fit_of
from discover.fitting import Fit, Recipe, predict_cells
from discover.law import Law, parse
from discover.leaderboard.baselines import baselines
from discover.leaderboard.refitting import STARTS, Refit, plain, refitted, status_of
from discover.leaderboard.stored import printed
from discover.scoring import SURVIVOR, Yardstick, score
from discover.scoring.held_out import open_held_out
from discover.store.identity import law_id

if TYPE_CHECKING:
    from discover.task import HumanLaw, Rows, Task

DISCOVERED, HUMAN, BASELINE = "discovered", "human", "baseline"
_SHOWN = 8


@dataclass(frozen=True)
class PlainRecipe:
    """The chosen form fitted by the plain recipe: what its own recipe adds is the difference between the two.

    Attributes:
        recipe: Plain least squares, with the parameters that the law's own recipe shares.
        parameters: cell label -> parameter -> value in the task's units.
    """

    recipe: str
    parameters: dict[str, dict[str, float]]
    validation_r2: float | None
    held_out_r2: float
    status: str


@dataclass(frozen=True)
class Row:
    """One line of a leaderboard; numbers as in `Score`, `Fit` and `Validation`.

    Attributes:
        rank: 1 for the best held-out R2.
        law: The id that people type.
        origin: "discovered", "human" or "baseline".
        name: What people call it; the proposer for a discovered law.
        parameters, standard_errors: cell label -> parameter -> value in the task's units.
        chosen: Whether this is the one law that the run chose before the held-out rows were opened.
        plain_recipe: For the chosen law, the same form by the plain recipe.
        prior: cell label -> parameter -> (centre, gain) that a recipe which shrinks was fitted under (`Fit.prior`).
        set_aside: Lines of the table that no law of this leaderboard was fitted to: outliers among the training rows.
        window: Which rows the recipe's window leaves out, in words; "" for none.
    """

    rank: int
    law: str
    origin: str
    name: str
    formula: str
    parameters: dict[str, dict[str, float]]
    standard_errors: dict[str, dict[str, float]]
    bounds: dict[str, tuple[float, float]]
    complexity: int
    recipe: str
    validation_r2: float | None
    held_out_r2: float
    held_out_r2_clipped: float
    held_out_r2_per_group: dict[str, float]
    nmse: float
    nmae: float
    status: str
    chosen: bool = False
    proposer: str = ""
    parents: tuple[int, ...] = ()
    citation: str = ""
    predictions: tuple[float, ...] = field(default=(), repr=False)
    plain_recipe: PlainRecipe | None = None
    prior: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)
    set_aside: tuple[int, ...] = ()
    window: str = ""


@dataclass(frozen=True)
class _Entry:
    """A law with its parameters, ready to be scored."""

    origin: str
    name: str
    law: Law
    recipe: Recipe
    parameters: np.ndarray
    standard_errors: np.ndarray | None
    validation_r2: float | None
    status: str
    chosen: bool = False
    proposer: str = ""
    parents: tuple[int, ...] = ()
    citation: str = ""
    plain: Refit | None = None
    prior: dict[str, dict[str, tuple[float, float]]] = field(default_factory=dict)


def build(
    task: Task,
    ranked: Sequence[Candidate],
    *,
    rng: np.random.Generator,
    opening: Callable[[str], None],
    yardstick: Yardstick | None = None,
    library: Sequence[HumanLaw] = (),
) -> tuple[Row, ...]:
    """The leaderboard of a run.

    Args:
        task: Its training rows; the held-out ones are read from its folder, after everything was fitted.
        ranked: Finalists of the run, the chosen one first; the best few are shown.
        rng: Source of starts for human laws and baselines.
        opening: Called with what is about to be opened, before it is.
        library: Published laws to refit beside the task's own human laws, picked by validation.

    Returns:
        Rows by held-out R2, best first. Laws that did not converge are shown with their status, below the others.
    """
    yardstick = yardstick or Yardstick.of(task)
    entries = [_discovered(c, yardstick, place == 0) for place, c in enumerate(ranked[:_SHOWN])]
    for human in task.human_laws:
        entries.extend(_human(task, human, yardstick, rng))
    entries.extend(_baselines(task, yardstick, rng))
    for human in library:
        entries.extend(_human(task, human, yardstick, rng))
    if ranked:
        entries[0] = replace(entries[0], plain=_by_plain_recipe(ranked[0], entries[0], yardstick, rng))
    opening(f"{task.name}: {task.held_out_count} held-out lines, for {len(entries)} laws")
    held_out = open_held_out(task)
    rows = [_scored(task, entry, held_out) for entry in entries]
    rows.sort(key=lambda row: (row.status != OK, -row.held_out_r2))
    aside = yardstick.set_aside
    return tuple(replace(row, rank=rank, set_aside=aside) for rank, row in enumerate(rows, 1))


def _discovered(candidate: Candidate, yardstick: Yardstick, chosen: bool) -> _Entry:
    assert candidate.validation is not None
    result = fit_of(candidate, yardstick)
    return _Entry(
        DISCOVERED,
        candidate.proposer,
        candidate.law,
        candidate.recipe,
        result.parameters,
        result.standard_errors,
        candidate.validation.r2,
        status_of(result),
        chosen,
        candidate.proposer,
        candidate.parents,
        prior=result.prior_table,
    )


def _by_plain_recipe(candidate: Candidate, own: _Entry, yardstick: Yardstick, rng: np.random.Generator) -> Refit:
    """The chosen form by the plain recipe; what was fitted so already is not fitted again."""
    assert candidate.validation is not None
    recipe = plain(own.recipe)
    if recipe == own.recipe:
        return Refit(own.law, recipe, own.parameters, own.validation_r2, own.status)
    core = candidate.validation.core
    return refitted(own.law, recipe, yardstick, rng, initial=own.parameters, core=core)


def _refitted(
    task: Task, law: Law, recipe: Recipe, yardstick: Yardstick, rng: np.random.Generator
) -> tuple[Fit, float | None]:
    result = yardstick.fit(law, recipe, rng, starts=STARTS)
    judged = assess_law(task, law, recipe, rng, effort=SURVIVOR, yardstick=yardstick)
    valid = judged.validation is not None and np.isfinite(judged.validation.score)
    return result, (judged.validation.r2 if valid and judged.validation is not None else None)


def _human(task: Task, human: HumanLaw, yardstick: Yardstick, rng: np.random.Generator) -> list[_Entry]:
    law = parse(human.formula, task.input_names, bounds=human.bounds)
    result, r2 = _refitted(task, law, Recipe(), yardstick, rng)
    entries = [
        _Entry(HUMAN, f"{human.name}, refitted", law, Recipe(), result.parameters, result.standard_errors, r2,
               status_of(result), citation=human.citation)
    ]  # fmt: skip
    if (coefficients := printed(task, human, law)) is not None:
        name = f"{human.name}, as published"
        entries.append(_Entry(HUMAN, name, law, Recipe(), coefficients, None, None, OK, citation=human.citation))
    return entries


def _baselines(task: Task, yardstick: Yardstick, rng: np.random.Generator) -> list[_Entry]:
    entries = []
    for baseline in baselines(task):
        result, r2 = _refitted(task, baseline.law, baseline.recipe, yardstick, rng)
        entries.append(
            _Entry(BASELINE, baseline.name, baseline.law, baseline.recipe, result.parameters, result.standard_errors,
                   r2, status_of(result))
        )  # fmt: skip
    return entries


def _scored(task: Task, entry: _Entry, held_out: Rows) -> Row:
    prediction = predict_cells(entry.law, entry.parameters, held_out)
    reached = score(held_out, prediction, task.training)
    labels = [cell.label for cell in task.cells]

    def table(values: np.ndarray) -> dict[str, dict[str, float]]:
        return {
            label: dict(zip(entry.law.parameters, map(float, line), strict=True))
            for label, line in zip(labels, values, strict=True)
        }

    parameters = table(entry.parameters)
    plainly = None
    if (other := entry.plain) is not None:
        r2 = score(held_out, predict_cells(other.law, other.parameters, held_out), task.training).r2
        plainly = PlainRecipe(other.recipe.text, table(other.parameters), other.validation_r2, r2, other.status)
    return Row(
        rank=0,
        law=law_id(task.name, str(entry.law), entry.recipe.text, parameters),
        origin=entry.origin,
        name=entry.name,
        formula=str(entry.law),
        parameters=parameters,
        standard_errors={} if entry.standard_errors is None else table(entry.standard_errors),
        bounds=entry.law.bounds,
        complexity=entry.law.complexity,
        recipe=entry.recipe.text,
        window=entry.recipe.window_text(task),
        validation_r2=entry.validation_r2,
        held_out_r2=reached.r2,
        held_out_r2_clipped=reached.r2_clipped,
        held_out_r2_per_group=reached.per_group,
        nmse=reached.nmse,
        nmae=reached.nmae,
        status=entry.status,
        chosen=entry.chosen,
        proposer=entry.proposer,
        parents=entry.parents,
        citation=entry.citation,
        predictions=tuple(map(float, prediction)),
        plain_recipe=plainly,
        prior=entry.prior,
    )
