"""`discover next`: which run to train next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from discover.cli.completion import complete_task
from discover.cli.door import Verb
from discover.cli.doubt import at_option
from discover.cli.options import json_option, seed_option, store_option
from discover.cli.printing import print_json
from discover.cli.progress import ready_fitter
from discover.cli.stored_laws import leaderboard_of
from discover.errors import DiscoverError


@click.command(cls=Verb)
@click.argument("task", shell_complete=complete_task)
@click.option("--cost", default=None, help="What a run costs, over inputs.  [default: 6*parameters*tokens]")
@click.option("--budget", type=float, required=True, help="What one run may cost, in the unit of --cost.")
@at_option
@click.option("--most", type=click.IntRange(1, 100), default=8, show_default=True, help="How many runs to show.")
@click.option("--run", "run_id", default=None, metavar="RUN", help="The laws of this run, not the newest.")
@seed_option
@json_option
@store_option
def next(
    task: str,
    cost: str | None,
    budget: float,
    given: str,
    most: int,
    run_id: str | None,
    seed: int,
    as_json: bool,
    store_path: Path,
) -> None:
    """Rank the runs of TASK that would shrink the interval of its extrapolation most for what they cost.

    The extrapolation is the one at --at; where left out, ten times beyond the largest level of every scale axis. Runs
    that take away less than a quarter of what the best one does are left out.

    \b
    discover next data_constrained_scaling --cost "6*params*tokens" --budget 1e20
    """
    import math

    import numpy as np

    from discover.intervals import FittedForm, bands_of
    from discover.law import parse_expression
    from discover.planning import next_runs
    from discover.planning.question import check_values, default_cost, read_values
    from discover.report import chosen_row, other_forms

    loaded, rows = leaderboard_of(task, store_path, run_id)
    row = chosen_row(rows)
    if row is None:
        raise DiscoverError(
            f"task {loaded.name}: no discovered law on its leaderboard; make one with: discover run {task}"
        )
    if not (math.isfinite(budget) and budget > 0):
        raise DiscoverError(f"budget: {budget:g}; expected a positive number, in the unit of the cost")
    expression = parse_expression(cost or default_cost(loaded), loaded.input_names)
    asked = read_values(given)
    check_values(loaded, asked)
    ready_fitter()
    rng = np.random.default_rng(seed)
    form = FittedForm.of_row(row, loaded)
    bands = bands_of(loaded, form, other_forms(rows, row, loaded), rng=rng, calibrate=False)
    ranked, most_telling = next_runs(bands.ensemble, expression, budget, asked=asked, most=most, rng=rng)
    record = {"law": row["law"], "runs": [_record(run) for run in ranked], "most_telling": _record(most_telling)}
    if as_json:
        print_json(record)
        return
    click.echo("runs that shrink the interval of the extrapolation most for their cost:")
    for place, run in enumerate(record["runs"], 1):
        click.echo(f"{place:3d}. {_line(run, len(loaded.cells) > 1)}")
    click.echo(f"most of all within the budget:\n     {_line(record['most_telling'], len(loaded.cells) > 1)}")


def _record(run: Any) -> dict[str, Any]:
    return {
        "cell": run.cell,
        "inputs": dict(run.inputs),
        "cost": run.cost,
        "variance_taken": run.shrinks,
        "interval_width": run.width,
        "predicted": run.predicted,
        "is_beyond": run.is_beyond,
    }


def _line(run: dict[str, Any], several: bool) -> str:
    settings = ", ".join(f"{name} {value:.4g}" for name, value in run["inputs"].items())
    where = f"{run['cell']}: " if several else ""
    beyond = ", beyond the data" if run["is_beyond"] else ""
    return f"{where}{settings}; cost {run['cost']:.3g}; interval shrinks to {run['interval_width']:.0%}{beyond}"
