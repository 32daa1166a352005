"""`discover fit`: a formula of the user's own, or every published law that fits the columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from discover.cli.completion import complete_task
from discover.cli.door import Verb
from discover.cli.options import json_option, seed_option
from discover.cli.printing import note, print_json, show_view
from discover.cli.progress import cores, ready_fitter
from discover.cli.stored_laws import parameter_units_of
from discover.errors import DiscoverError

if TYPE_CHECKING:
    from discover.fitting import Recipe
    from discover.known_laws import Known, Watch
    from discover.law import Law
    from discover.task import Task


@click.command(cls=Verb)
@click.argument("task", shell_complete=complete_task)
@click.argument("formula", required=False)
@click.option("--library", is_flag=True, help="Fit every published law whose inputs the task has, and rank them.")
@click.option("--loss", default="squared", show_default=True, help="A recipe, such as log or 'huber weight=0.5'.")
@click.option("--role", "roles", multiple=True, metavar="COLUMN=ROLE", help="With --library: what a column stands for.")
@click.option("--workers", type=click.IntRange(min=1), default=None, help="With --library: processes, one per core.")
@seed_option
@json_option
def fit(
    task: str,
    formula: str | None,
    library: bool,
    loss: str,
    roles: Sequence[str],
    workers: int | None,
    seed: int,
    as_json: bool,
) -> None:
    """Fit FORMULA to the training rows of TASK and validate it on folds; the held-out rows stay closed.

    Names that are not inputs of the task are parameters. JSON: one object with the keys of a leaderboard
    row; rank, law and held_out_r2 are null. With --library, a list of such objects, the best first.

    \b
    discover fit parallel_scaling "E + A/(num_params*(1 + k*log(parallel_size)))**alpha"
    discover fit parallel_scaling --library
    """
    from discover.fitting import Recipe
    from discover.task import load_task

    if library == (formula is not None):
        raise click.UsageError("give either a FORMULA or --library")
    if roles and not library:
        raise click.UsageError("--role belongs to --library")
    loaded, recipe = load_task(task), Recipe.from_text(loss)
    if library:
        _fit_library(loaded, recipe, dict(map(_asked, roles)), workers or cores(), seed, as_json)
    else:
        _fit_formula(loaded, str(formula), recipe, seed, as_json)


def _fit_formula(loaded: Task, formula: str, recipe: Recipe, seed: int, as_json: bool) -> None:
    import numpy as np

    from discover.assessment import assess_law
    from discover.law import parse
    from discover.scoring import Yardstick
    from discover.task.training_check import set_aside_text
    from discover.tui import fit_view

    law = parse(formula, loaded.input_names)
    _tell_of_names(law, loaded)
    ready_fitter()
    rng, yardstick = np.random.default_rng(seed), Yardstick.of(loaded)
    fitted = yardstick.fit(law, recipe, rng, starts=48)
    row = _fit_record(loaded, fitted, assess_law(loaded, law, recipe, rng, yardstick=yardstick))
    row["set_aside"], row["window"] = yardstick.set_aside, recipe.window_text(loaded)
    if as_json:
        print_json(row)
    else:
        show_view(fit_view(row, parameter_units_of(row, loaded)))
    if len(law.parameters) > loaded.parameter_cap:
        note(f"{len(law.parameters)} parameters per cell, the task's cap is {loaded.parameter_cap}")
    note(set_aside_text(yardstick.set_aside))


def _tell_of_names(law: Law, task: Task) -> None:
    """A line for every parameter that looks like an input misspelt, or is called as a target."""
    from difflib import get_close_matches

    targets = [column.name for column in task.targets]
    for name in law.parameters:
        meant = get_close_matches(name, task.input_names, 1, 0.8) if len(name) > 3 else []
        if name in targets or meant:
            other = f"the input {meant[0]!r}" if meant else "the target, which no law reads"
            note(f"{name!r} is a parameter here, not {other}")


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


def _asked(text: str) -> tuple[str, str]:
    column, sign, role = text.partition("=")
    if not sign:
        raise DiscoverError(f"role: {text!r}; expected COLUMN=ROLE, such as params=parameters")
    return column.strip(), role.strip()


def _fit_library(task: Task, recipe: Recipe, asked: dict[str, str], workers: int, seed: int, as_json: bool) -> None:
    from discover.evolution import workers_for
    from discover.known_laws import columns_of, known_laws
    from discover.library import matches
    from discover.tui import console, known_view

    columns = columns_of(task, asked)
    if not matches(columns):
        told = "; ".join(f"{name}: {own.role or own.reason}" for name, own in columns.items())
        raise DiscoverError(f"task {task.name!r}: no published law reads its columns ({told}); see: discover laws")
    ready_fitter()
    with workers_for(task, workers) as executor, _progress() as watch:
        known = known_laws(task, columns=columns, recipe=recipe, seed=seed, executor=executor, watch=watch)
    rows = [_known_record(task, place, each) for place, each in enumerate(known, 1)]
    if as_json:
        print_json(rows)
        return
    width = console().width
    show_view(known_view(task.name, rows, {name: (own.role, own.reason) for name, own in columns.items()}, width))


@contextmanager
def _progress() -> Iterator[Watch]:
    """Tells how far the library has been fitted: a bar in a terminal, else a line for each round."""
    from rich.progress import Progress

    from discover.tui import console

    made = console(stderr=True)
    with Progress(console=made, transient=True, disable=not made.is_terminal) as bar:
        stages: dict[str, Any] = {}

        def watch(stage: str, done: int, total: int) -> None:
            if stage not in stages:
                stages[stage] = bar.add_task(stage, total=total)
                if not made.is_terminal:
                    click.echo(f"{stage}: {total} laws", err=True)
            bar.update(stages[stage], completed=done)

        yield watch


def _known_record(task: Task, rank: int, known: Known) -> dict[str, Any]:
    """A library law fitted to a task, with the keys of a leaderboard row where they apply."""
    candidate, entry = known.candidate, known.match.entry
    validation = candidate.validation
    names, labels = candidate.law.parameters, [cell.label for cell in task.cells]
    parameters = {} if validation is None else {
        label: dict(zip(names, map(float, own), strict=True))
        for label, own in zip(labels, validation.parameters, strict=True)
    }  # fmt: skip
    return {
        "rank": rank,
        "law": entry.id,
        "origin": "library",
        "task": task.name,
        "title": entry.title,
        "formula": str(candidate.law),
        "stands_for": dict(known.match.stands_for),
        "reasons": list(known.match.reasons),
        "same": list(known.same),
        "recipe": candidate.recipe.text,
        "parameters": parameters,
        "n_parameters": len(names),
        "complexity": candidate.complexity,
        "status": candidate.status,
        "beyond_the_data": "" if validation is None else validation.far,
        "effort": known.effort,
        "validation_r2": None if validation is None or not candidate.ok else validation.r2,
        "in_sample_r2": None if validation is None else 1.0 - validation.in_sample,
        "held_out_r2": None,
        "trust": entry.trust,
        "citation": str(entry.source),
    }
