"""What `from discover import ...` gives: the verbs of the command line as functions, with the same words.

In: a task or its name. Out: `FittedLaw`s. Stays out: the held-out rows and the store; `discover run` opens the one and
keeps the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.archive import OK, choose, pareto_front
from discover.assessment import assess_law, fit_of
from discover.evolution import Budget, Search, workers_for
from discover.exporters import FittedLaw
from discover.fitting import Fit, Recipe, prepare
from discover.law import parse
from discover.proposers import proposers_named
from discover.scoring import Yardstick
from discover.task import Task, load_task

if TYPE_CHECKING:
    from os import PathLike

    from discover.archive import Candidate

_STARTS = 48


@dataclass(frozen=True)
class Discovery:
    """What a search found.

    Attributes:
        law: The law that validation chose; no held-out row was seen.
        front: Laws that nothing beats on validation score and complexity at once, simplest first.
        ranked: All finalists, the chosen one first.
        candidates: How many laws were tried.
    """

    law: FittedLaw
    front: tuple[FittedLaw, ...]
    ranked: tuple[FittedLaw, ...]
    candidates: int

    def _repr_html_(self) -> str:
        return self.law._repr_html_()


def fit(task: Task | str | PathLike[str], formula: str, *, loss: str = "squared", seed: int = 0) -> FittedLaw:
    """A formula of your own with its parameters, fitted to the training rows; the held-out rows stay closed.

    Args:
        task: A task, its folder or its name.
        formula: Such as "E + A/N**alpha"; names that are not inputs of the task are parameters.
        loss: A recipe, such as "log" or "huber weight=0.5".
        seed: Fixes the starts.

    Returns:
        The law; its `provenance` tells `validation_r2`, `status` (of each cell) and `standard_errors`.

    Raises:
        DiscoverError: No such task, no such formula, no such recipe; one line says which.
    """
    loaded = task if isinstance(task, Task) else load_task(task)  # type: ignore[arg-type]
    law, recipe = parse(formula, loaded.input_names), Recipe.from_text(loss)
    prepare()
    rng, yardstick = np.random.default_rng(seed), Yardstick.of(loaded)
    fitted = yardstick.fit(law, recipe, rng, starts=_STARTS)
    judged = assess_law(loaded, law, recipe, rng, yardstick=yardstick).validation
    return _as_law(loaded, fitted, "user", None if judged is None else judged.r2, seed)


def discover(
    task: Task | str | PathLike[str],
    *,
    budget: str | int = "120s",
    seed: int = 0,
    workers: int = 1,
    proposers: str = "auto",
    each: Callable[[Any], None] | None = None,
) -> Discovery:
    """Laws of a task, searched for on its training rows; the held-out rows stay closed.

    Args:
        task: A task, its folder or its name.
        budget: Seconds ("120s", "2m") or a number of candidates (2000); with a number the same seed finds the same.
        seed: Fixes everything random.
        workers: Processes. More than one needs `if __name__ == "__main__":` around the call in a script.
        proposers: Who proposes, as in "families,mutation"; "auto" for those of every search.
        each: Called with every `Generation` of the search.

    Raises:
        DiscoverError: No such task or no such budget; or no law could be fitted at all.
    """
    loaded = task if isinstance(task, Task) else load_task(task)  # type: ignore[arg-type]
    allowed, named = Budget.parse(str(budget)), proposers_named(proposers)
    prepare()
    with workers_for(loaded, workers) as executor:
        search = Search(loaded, allowed, seed, executor, named)
        for generation in search.generations():
            if each is not None:
                each(generation)
        choice = choose(search.finalists())
    if choice is None:  # nothing better than the mean could be fitted
        floor = "E" if "E" not in loaded.input_names else "E" + "_" * max(map(len, loaded.input_names))
        flat = fit(loaded, floor, seed=seed)
        return Discovery(flat, (flat,), (flat,), search.populations.count)
    laws = {id(c): _discovered(loaded, c, search.yardstick, seed, str(budget)) for c in choice.ranked}
    front = tuple(laws[id(candidate)] for candidate in pareto_front(choice.ranked, choice.noise))
    return Discovery(laws[id(choice.chosen)], front, tuple(laws.values()), search.populations.count)


def _discovered(task: Task, candidate: Candidate, yardstick: Yardstick, seed: int, budget: str) -> FittedLaw:
    assert candidate.validation is not None
    fitted = fit_of(candidate, yardstick)
    return _as_law(task, fitted, candidate.proposer, candidate.validation.r2, seed, budget=budget)


def _as_law(task: Task, fitted: Fit, proposer: str, r2: float | None, seed: int, **more: Any) -> FittedLaw:
    labels = [cell.label for cell in task.cells]
    errors = {
        label: dict(zip(fitted.law.parameters, map(float, own), strict=True))
        for label, own in zip(labels, fitted.standard_errors, strict=True)
    }
    provenance = {
        "task": task.name,
        "seed": seed,
        **more,
        "recipe": fitted.recipe.text,
        **({"window": window} if (window := fitted.recipe.window_text(task)) else {}),
        "proposer": proposer,
        "validation_r2": r2,
        "status": OK if fitted.converged else dict(zip(labels, fitted.status, strict=True)),
        "standard_errors": errors,
        **({"prior": fitted.prior_table} if fitted.prior else {}),
    }
    units = {column.name: column.unit for column in (*task.inputs, *task.targets)}
    scales = {column.name: column.scale == "log" for column in task.inputs}
    axes = {axis: scales[axis] for axis in task.scale_axes if axis in scales}
    return FittedLaw(fitted.law, task.cells, fitted.parameters, units, provenance, scale_axes=axes)


__all__ = ["Discovery", "discover", "fit"]
