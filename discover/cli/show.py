"""`discover show`: all that is known of a law."""

from __future__ import annotations

from pathlib import Path

import click

from discover.cli.completion import complete_law
from discover.cli.door import Verb
from discover.cli.options import json_option, store_option
from discover.cli.printing import print_json, show_view
from discover.cli.stored_laws import parameter_units_of, task_of


@click.command(cls=Verb)
@click.argument("law", shell_complete=complete_law)
@json_option
@store_option
def show(law: str, as_json: bool, store_path: Path) -> None:
    """Show LAW: its formula, parameters with units and standard errors, scores, and where it comes from.

    LAW is an id on a leaderboard (vocab-3f2a91c0), the start of one (vocab-3f2a, or 3f2a), or TASK/RANK
    (vocab/1).

    \b
    discover show vocab/1
    """
    from discover.store import find_law
    from discover.tui import law_view

    row = find_law(law, store_path)
    if as_json:
        print_json(row)
        return
    task = task_of(row, store_path)
    show_view(law_view(row, task, parameter_units_of(row, task)))
