"""`discover optimum`: the best value of some inputs at given others."""

from __future__ import annotations

from pathlib import Path

import click

from discover.cli.completion import complete_law
from discover.cli.door import Verb
from discover.cli.doubt import at_option, bands_for, cell_option, law_and_task, names, tell
from discover.cli.options import json_option, seed_option, store_option


@click.command(cls=Verb)
@click.argument("law", shell_complete=complete_law)
@click.option("--over", required=True, metavar="NAME,...", help="Free inputs.")
@at_option
@cell_option
@seed_option
@json_option
@store_option
def optimum(law: str, over: str, given: str, cell: str, seed: int, as_json: bool, store_path: Path) -> None:
    """Find the values of the inputs --over that make the target of LAW best at the inputs --at.

    Inputs that are no scale axes are looked for within what was measured, with the law refitted on the half of the rows
    that it puts nearest the best of their setting.

    \b
    discover optimum lr_bsz/1 --over lr,batch_size --at n_params=1e9,d_tokens=1e11
    """
    from discover.law import parse
    from discover.planning import ask, decide
    from discover.planning.question import read_values

    row, task = law_and_task(law, store_path)
    parsed = parse(row["formula"], task.input_names)
    question = ask(task, parsed, over=names(over), at=read_values(given), cell=cell)
    tell(question, decide(question, bands_for(row, task, store_path, seed, best_over=question.over)), row, as_json)
