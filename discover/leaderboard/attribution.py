"""Form × recipe: which part of a discovered law's gain is its form, and which is how it was fitted.

In: a task, the chosen row of a leaderboard, published laws. Out: the human and the discovered form, each by the plain
recipe and by the discovered one, beside the published coefficients and the best known law. All are fitted on training
rows; then the held-out rows are opened once for all of them. Stays out: everything that chooses by held-out rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.archive import OK
from discover.fitting import Recipe, predict_cells
from discover.law import parse
from discover.leaderboard.refitting import Refit, plain, refitted
from discover.leaderboard.stored import law_of, printed, values_of
from discover.scoring import Yardstick, score
from discover.scoring.held_out import open_held_out

if TYPE_CHECKING:
    from discover.task import HumanLaw, Task

PUBLISHED = "human law, as published"
HUMAN = "human form, plain recipe"
HUMAN_THEIRS = "human form, discovered recipe"
KNOWN = "best known law, plain recipe"
DISCOVERED_PLAIN = "discovered form, plain recipe"
DISCOVERED = "discovered form, discovered recipe"
WAYS = (PUBLISHED, HUMAN, HUMAN_THEIRS, KNOWN, DISCOVERED_PLAIN, DISCOVERED)


@dataclass(frozen=True)
class Way:
    """One form by one recipe, scored.

    Attributes:
        way: One of WAYS.
        name: What people call the law; the proposer of a discovered one.
        recipe: "" for published coefficients.
        validation_r2: None for published coefficients, which no fold refits, and where the folds gave nothing.
        status: "ok", or what is wrong with the fit.
    """

    way: str
    name: str
    formula: str
    recipe: str
    validation_r2: float | None
    held_out_r2: float
    held_out_r2_clipped: float
    status: str


def attribute(
    task: Task,
    chosen: Mapping[str, Any],
    *,
    rng: np.random.Generator,
    opening: Callable[[str], None],
    yardstick: Yardstick | None = None,
    library: Sequence[HumanLaw] = (),
) -> tuple[Way, ...]:
    """The six ways of a task, as far as it has human laws, in the order of WAYS.

    The human form is the one whose coefficients its source prints, the best by validation among several; where no
    source prints any, the best by validation of the task's human laws. The best known law is the best by validation of
    the task's human laws and of `library`.

    Args:
        chosen: The row of the law that a run chose, as a leaderboard keeps it.
        rng: Source of starts.
        opening: Called with what is about to be opened, before it is.
        library: Published laws that suit the task's columns.
    """
    yardstick = yardstick or Yardstick.of(task)
    found, own = _discovered(task, chosen, yardstick, rng)
    ways = [(DISCOVERED_PLAIN, chosen["name"], found), (DISCOVERED, chosen["name"], own)]
    known = [(human, _human(task, human, Recipe(), yardstick, rng)) for human in (*task.human_laws, *library)]
    if best := _best(known):
        ways.append((KNOWN, best[0].name, best[1]))
    theirs = known[: len(task.human_laws)]
    human = _best([(own, refit) for own, refit in theirs if printed(task, own, refit.law) is not None]) or _best(theirs)
    if human is not None:
        law, refit = human
        coefficients = printed(task, law, refit.law)
        if coefficients is not None:
            published = replace(refit, parameters=coefficients, validation_r2=None, status=OK)
            ways.append((PUBLISHED, law.name, published))
        ways.append((HUMAN, law.name, refit))
        recipe = replace(own.recipe, shared=())
        same = recipe == refit.recipe
        ways.append((HUMAN_THEIRS, law.name, refit if same else _human(task, law, recipe, yardstick, rng)))
    ways.sort(key=lambda way: WAYS.index(way[0]))
    opening(f"{task.name}: {task.held_out_count} held-out lines, for {len(ways)} ways to compare with {chosen['law']}")
    held_out = open_held_out(task)
    scored = []
    for way, name, refit in ways:
        reached = score(held_out, predict_cells(refit.law, refit.parameters, held_out), task.training)
        recipe_text = "" if way == PUBLISHED else refit.recipe.text
        scores = refit.validation_r2, reached.r2, reached.r2_clipped
        scored.append(Way(way, name, str(refit.law), recipe_text, *scores, refit.status))
    return tuple(scored)


def _discovered(
    task: Task, chosen: Mapping[str, Any], yardstick: Yardstick, rng: np.random.Generator
) -> tuple[Refit, Refit]:
    """The chosen law by the plain recipe, and by its own as it is stored."""
    law, recipe = law_of(task, chosen), Recipe.from_text(chosen["recipe"])
    parameters, status = values_of(task, law, chosen["parameters"]), chosen.get("status") or OK
    own = Refit(law, recipe, parameters, chosen.get("validation_r2"), status)
    if recipe == plain(recipe):
        return own, own
    if kept := chosen.get("plain_recipe"):
        parameters = values_of(task, law, kept["parameters"])
        return Refit(law, plain(recipe), parameters, kept["validation_r2"], kept["status"]), own
    return refitted(law, plain(recipe), yardstick, rng, initial=own.parameters), own


def _human(task: Task, human: HumanLaw, recipe: Recipe, yardstick: Yardstick, rng: np.random.Generator) -> Refit:
    law = parse(human.formula, task.input_names, bounds=human.bounds)
    return refitted(law, recipe, yardstick, rng)


def _best(known: Sequence[tuple[HumanLaw, Refit]]) -> tuple[HumanLaw, Refit] | None:
    """The best by validation; among laws without any, the first."""

    def validation(pair: tuple[HumanLaw, Refit]) -> float:
        r2 = pair[1].validation_r2
        return -np.inf if r2 is None else r2

    return max(known, key=validation, default=None)
