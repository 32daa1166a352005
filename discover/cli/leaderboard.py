"""`discover leaderboard`: found and human laws, ranked."""

from __future__ import annotations

from pathlib import Path

import click

from discover.cli.completion import complete_task
from discover.cli.door import Verb
from discover.cli.options import json_option, store_option
from discover.cli.printing import print_json, print_leaderboard
from discover.cli.tui import open_screen
from discover.errors import DiscoverError


@click.command(cls=Verb)
@click.argument("task", default="", shell_complete=complete_task)
@click.option("--run", "run_id", default=None, metavar="RUN", help="The leaderboard of this run, not the newest.")
@json_option
@store_option
def leaderboard(task: str, run_id: str | None, as_json: bool, store_path: Path) -> None:
    """Show the newest leaderboard of TASK; without TASK, all of them on one screen, as `discover tui` does.

    JSON: a list of objects with rank, law, origin (discovered, human, baseline), formula, parameters (cell
    -> name -> value), complexity, validation_r2, held_out_r2, held_out_r2_per_group, and what else is
    known; unknown numbers are null.

    \b
    discover leaderboard vocab_scaling
    """
    from discover.store import latest_leaderboard
    from discover.task import load_task

    if not task:
        if as_json or run_id:
            raise click.UsageError("--json and --run need a TASK")
        open_screen(store_path)
        return
    name = Path(task).name
    rows = latest_leaderboard(name, store_path, run=run_id)
    if not rows:
        name = load_task(task).name  # a folder may be called otherwise; an unknown task is told here
        rows = latest_leaderboard(name, store_path, run=run_id)
    if not rows:
        of_run = f" of run {run_id}" if run_id else ""
        raise DiscoverError(f"task {name!r}: no leaderboard{of_run} yet; make one with: discover run {task}")
    if as_json:
        print_json(rows)
    else:
        print_leaderboard(name, rows)
