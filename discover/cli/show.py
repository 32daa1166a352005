"""`discover show`: all that is known of a law."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from discover.cli.completion import complete_law
from discover.cli.door import Verb
from discover.cli.options import json_option, store_option
from discover.cli.printing import print_json, show_view
from discover.cli.stored_laws import parameter_units_of, task_of, with_window
from discover.errors import DiscoverError

if TYPE_CHECKING:
    from discover.task import Task

_MOST_PAIRS = 12


@click.command(cls=Verb)
@click.argument("law", shell_complete=complete_law)
@json_option
@store_option
def show(law: str, as_json: bool, store_path: Path) -> None:
    """Show LAW: its formula, parameters with units and standard errors, scores, and where it comes from.

    Parameters that the training rows cannot tell, and pairs of which one makes up for the other, are named below.

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
    shown = row if task is None else with_window(row, task)
    show_view(law_view(shown, task, parameter_units_of(row, task)))
    for line in [] if task is None else doubtful_parameters(row, task):
        click.echo(line)


def doubtful_parameters(row: Mapping[str, Any], task: Task) -> list[str]:
    """Lines that name the parameters which the training rows cannot tell, and the pairs that move together."""
    from discover.intervals import FittedForm, seen_by_rows

    try:
        report = seen_by_rows(task, FittedForm.of_row(row, task))
    except DiscoverError:  # the task has changed since: the law is shown all the same
        return []
    lines = []
    if unseen := report.never_told():
        lines.append(f"not identified: {', '.join(unseen)}; they can be moved together without changing the fit")
    if pairs := report.together():
        shown = "; ".join(f"{a} and {b} ({r:+.3f})" for a, b, r in pairs[:_MOST_PAIRS])
        more = len(pairs) - _MOST_PAIRS
        lines.append(f"strongly correlated: {shown}" + (f"; and {more} more" if more > 0 else ""))
    return lines
