"""A stored law with its doubt, and decisions from it, for the verbs that plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from discover.cli.printing import note, print_json
from discover.cli.progress import ready_fitter
from discover.cli.stored_laws import task_of, without_task

if TYPE_CHECKING:
    from discover.intervals import Bands
    from discover.planning import Decision, Question
    from discover.task import Task

at_option = click.option("--at", "given", default="", metavar="NAME=VALUE,...", help="Inputs that are given.")
cell_option = click.option("--cell", default="", metavar="LABEL", help="Which group, where the task has several.")


def law_and_task(law: str, store_path: Path) -> tuple[dict[str, Any], Task]:
    """The row of a law, and its task."""
    from discover.store import find_law

    row = find_law(law, store_path)
    task = task_of(row, store_path)
    if task is None:
        raise without_task(row, "nothing can be planned with it")
    return row, task


def bands_for(row: dict[str, Any], task: Task, store_path: Path, seed: int, best_over: Sequence[str] = ()) -> Bands:
    """Bands of a stored law; the near-tied laws are those of its own run.

    Where the best values of some inputs are asked for, all laws are refitted on the rows near them.
    """
    import numpy as np

    from discover.intervals import FittedForm, bands_of
    from discover.planning import rows_near_optimum
    from discover.report import other_forms
    from discover.store import latest_leaderboard

    ready_fitter()
    rows = latest_leaderboard(task.name, store_path, run=row.get("run")) or (row,)
    form = FittedForm.of_row(row, task)
    others, rng = other_forms(rows, row, task), np.random.default_rng(seed)
    near = rows_near_optimum(task, form, best_over) if best_over else None
    if near is None:
        return bands_of(task, form, others, rng=rng)
    return bands_of(replace(task, training=near), form, others, rng=rng, refit=True)


def names(text: str) -> list[str]:
    return [name for name in (part.strip() for part in text.split(",")) if name]


def tell(question: Question, decision: Decision, row: dict[str, Any], as_json: bool) -> None:
    """Prints a decision, as text or JSON."""
    record = decision_record(question, decision, row)
    if as_json:
        print_json(record)
        return
    click.echo(f"{row['law']}: {row['formula']}")
    if record["cell"] and len(question.task.cells) > 1:
        click.echo(f"cell {record['cell']}")
    if record["cost"] is not None:
        click.echo(f"cost {record['cost']:.4g} of {record['budget']:.4g}")
    for name, told in record["inputs"].items():
        if "lower" not in told:
            click.echo(f"  {name} = {told['value']:.6g} (given)")
            continue
        grows = ""
        if told["exponent"] is not None:
            low, high = told["exponent_lower"], told["exponent_upper"]
            ends = "" if low is None else f" ({_plain(low)} to {_plain(high)})"
            grows = f"; grows as budget^{told['exponent']:.4f}{ends}"
        unit = f" {told['unit']}" if told["unit"] not in ("", "1") else ""
        click.echo(
            f"  {name} = {told['value']:.6g}{unit}, 90% interval {told['lower']:.4g} to {told['upper']:.4g}{grows}"
        )
    target = record["target"]
    click.echo(f"  {target['name']} = {target['value']:.5g}, 90% band {target['lower']:.5g} to {target['upper']:.5g}")
    if record["rows"] < record["of_rows"]:
        click.echo(f"  fitted to the {record['rows']} of {record['of_rows']} rows nearest the best of their setting")
    for told in record["notes"]:
        note(told)


def _plain(exponent: float) -> str:
    """Three digits, and no minus before zero."""
    return f"{round(exponent, 3) + 0.0:.3f}"


def decision_record(question: Question, decision: Decision, row: dict[str, Any]) -> dict[str, Any]:
    """A decision as plain values."""
    units = {column.name: column.unit for column in question.task.inputs}
    inputs: dict[str, dict[str, Any]] = {name: {"value": value, "given": True} for name, value in question.at.items()}
    best = decision.optimum

    def known(value: float) -> float | None:
        return None if value != value else float(value)

    for place, name in enumerate(question.over):
        inputs[name] = {
            "value": float(best.values[place]),
            "lower": float(decision.lower[place]),
            "upper": float(decision.upper[place]),
            "unit": units.get(name, ""),
            "exponent": known(decision.exponents[place]),
            "exponent_lower": known(decision.exponent_ends[0, place]),
            "exponent_upper": known(decision.exponent_ends[1, place]),
        }
    cell = question.task.cells[question.cell]
    notes = []
    if best.at_bounds:
        notes.append(f"{', '.join(best.at_bounds)} ended where the search ends; the optimum may lie beyond")
    if not best.converged:
        notes.append("the conditions of an optimum do not hold to all digits: the law is flat or has a kink here")
    if decision.distance > 0:
        checked = (
            "no fold reached as far, the band is unchecked" if not decision.band.measured[0] else "folds reached as far"
        )
        how_far = f"{decision.distance:.2g} times the range of a scale axis"
        notes.append(f"the optimum lies {how_far} beyond the data; {checked}")
    return {
        "law": row["law"],
        "cell": cell.label,
        "inputs": inputs,
        "target": {
            "name": cell.target,
            "value": float(decision.band.centre[0]),
            "lower": float(decision.band.lower[0]),
            "upper": float(decision.band.upper[0]),
            "level": decision.band.level,
            "measured": bool(decision.band.measured[0]),
        },
        "cost": known(best.cost),
        "budget": question.budget if question.cost is not None else None,
        "distance": decision.distance,
        "laws": decision.laws,
        "rows": decision.rows,
        "of_rows": question.task.training.n_rows,
        "notes": notes,
    }
