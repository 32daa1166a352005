"""`discover fit`: a formula of the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from discover.cli.door import Verb
from discover.cli.options import json_option, seed_option
from discover.cli.printing import print_json, show_view
from discover.cli.progress import ready_fitter
from discover.cli.stored_laws import parameter_units_of

if TYPE_CHECKING:
    from discover.task import Task


@click.command(cls=Verb)
@click.argument("task")
@click.argument("formula")
@click.option("--loss", default="squared", show_default=True, help="A recipe, such as log or 'huber weight=0.5'.")
@seed_option
@json_option
def fit(task: str, formula: str, loss: str, seed: int, as_json: bool) -> None:
    """Fit FORMULA to the training rows of TASK and validate it on folds; the held-out rows stay closed.

    Names that are not inputs of the task are parameters. JSON: one object with the keys of a leaderboard
    row; rank, law and held_out_r2 are null.

    \b
    discover fit parallel_scaling "E + A/(num_params*(1 + k*log(parallel_size)))**alpha"
    """
    import numpy as np

    from discover.assessment import assess_law
    from discover.fitting import Recipe
    from discover.fitting import fit as fit_law
    from discover.law import parse
    from discover.scoring import Yardstick
    from discover.task import load_task
    from discover.tui import fit_view

    loaded = load_task(task)
    law, recipe = parse(formula, loaded.input_names), Recipe.from_text(loss)
    ready_fitter()
    rng, yardstick = np.random.default_rng(seed), Yardstick.of(loaded)
    weights = yardstick.weights(recipe)
    fitted = fit_law(law, loaded.training, recipe=recipe, starts=48, rng=rng, weights=weights)
    row = _fit_record(loaded, fitted, assess_law(loaded, law, recipe, rng, yardstick=yardstick))
    if as_json:
        print_json(row)
    else:
        show_view(fit_view(row, parameter_units_of(row, loaded)))
    if len(law.parameters) > loaded.parameter_cap:
        over = f"{len(law.parameters)} parameters per cell, the task's cap is {loaded.parameter_cap}"
        click.echo(f"discover: note: {over}", err=True)


def _fit_record(task: Task, fitted: Any, candidate: Any) -> dict[str, Any]:
    """A fit as a leaderboard row would have it; what only the held-out rows tell is null."""
    names, labels = fitted.law.parameters, [cell.label for cell in task.cells]

    def by_cell(values: Any) -> dict[str, dict[str, float]]:
        return {
            label: dict(zip(names, map(float, own), strict=True)) for label, own in zip(labels, values, strict=True)
        }

    judged = candidate.validation
    return {
        "rank": None,
        "law": None,
        "origin": "user",
        "task": task.name,
        "formula": str(fitted.law),
        "recipe": fitted.recipe.text,
        "parameters": by_cell(fitted.parameters),
        "standard_errors": by_cell(fitted.standard_errors),
        "complexity": fitted.law.complexity,
        "status": candidate.status,
        "fit_status": dict(zip(labels, fitted.status, strict=True)),
        "validation_r2": None if judged is None else judged.r2,
        "held_out_r2": None,
        "held_out_r2_per_group": {},
    }
