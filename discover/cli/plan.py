"""`discover plan`: the best run that a budget pays."""

from __future__ import annotations

from pathlib import Path

import click

from discover.cli.completion import complete_law
from discover.cli.door import Verb
from discover.cli.doubt import at_option, bands_for, cell_option, law_and_task, names, tell
from discover.cli.options import json_option, seed_option, store_option


@click.command(cls=Verb)
@click.argument("law", shell_complete=complete_law)
@click.option(
    "--budget", type=float, required=True, help="What a run may cost, in the unit of --cost; FLOP by default."
)
@click.option("--cost", default=None, help="An expression over inputs.  [default: 6*parameters*tokens]")
@click.option("--over", default="", metavar="NAME,...", help="Free inputs.  [default: those that the cost reads]")
@at_option
@cell_option
@seed_option
@json_option
@store_option
def plan(
    law: str,
    budget: float,
    cost: str | None,
    over: str,
    given: str,
    cell: str,
    seed: int,
    as_json: bool,
    store_path: Path,
) -> None:
    """Find the inputs that make the target of LAW best within a budget, with intervals.

    The interval of an input tells where refits on resampled rows and near-tied laws would have put it.

    \b
    discover plan data_constrained/1 --budget 1e21 --at unique_tokens=1e11
    """
    from discover.law import parse
    from discover.planning import ask, decide
    from discover.planning.question import read_values

    row, task = law_and_task(law, store_path)
    parsed = parse(row["formula"], task.input_names)
    question = ask(task, parsed, over=names(over), at=read_values(given), cell=cell, cost=cost, budget=budget)
    tell(question, decide(question, bands_for(row, task, store_path, seed)), row, as_json)
