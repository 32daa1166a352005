"""`discover verify`: a row derived again."""

from __future__ import annotations

from pathlib import Path

import click

from discover.cli.completion import complete_law
from discover.cli.door import Verb
from discover.cli.options import store_option
from discover.cli.printing import show_view
from discover.cli.progress import ready_fitter
from discover.cli.stored_laws import task_of, without_task


@click.command(cls=Verb)
@click.argument("law", shell_complete=complete_law)
@store_option
def verify(law: str, store_path: Path) -> None:
    """Derive the leaderboard row of LAW again from what is stored, and say what matches.

    Exit code 1 when something differs.

    \b
    discover verify vocab/1
    """
    from discover import leaderboard as boards
    from discover.store import find_law
    from discover.tui import checks_table

    row = find_law(law, store_path)
    task = task_of(row, store_path)
    if task is None:
        raise without_task(row, "it cannot be verified")
    ready_fitter()
    checks = boards.verify(task, row)
    show_view(checks_table(checks))
    different = [check.name for check in checks if not check.matches]
    if different:
        click.echo(f"discover: {row['law']}: differs in {', '.join(different)}", err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"{row['law']}: all {len(checks)} checks match")
