"""`discover leaderboard`: found and human laws, ranked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from discover.cli.completion import complete_task
from discover.cli.door import Verb
from discover.cli.options import json_option, store_option
from discover.cli.printing import print_json, print_leaderboard
from discover.cli.progress import ready_fitter
from discover.cli.stored_laws import task_of, without_task
from discover.cli.tui import open_screen
from discover.errors import DiscoverError


@click.command(cls=Verb)
@click.argument("task", default="", shell_complete=complete_task)
@click.option("--run", "run_id", default=None, metavar="RUN", help="The leaderboard of this run, not the newest.")
@click.option("--label", is_flag=True, help="Compare the laws with the published ones now; older boards lack it.")
@json_option
@store_option
def leaderboard(task: str, run_id: str | None, label: bool, as_json: bool, store_path: Path) -> None:
    """Show the newest leaderboard of TASK; without TASK, all of them on one screen, as `discover tui` does.

    JSON: a list of objects with rank, law, origin (discovered, human, baseline), formula, parameters (cell
    -> name -> value), complexity, validation_r2, held_out_r2, held_out_r2_per_group, known_as,
    certificates, and what else is known; unknown numbers are null.

    \b
    discover leaderboard vocab_scaling
    """
    from discover.store import latest_leaderboard
    from discover.task import load_task

    if not task:
        if as_json or run_id or label:
            raise click.UsageError("--json, --run and --label need a TASK")
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
    if label:
        rows = _labelled(rows, store_path)
    if as_json:
        print_json(rows)
    else:
        print_leaderboard(name, rows)


def _labelled(rows: tuple[dict[str, Any], ...], store_path: Path) -> tuple[dict[str, Any], ...]:
    """The rows with what they are to the published laws, and with certificates, worked out now."""
    from discover.leaderboard import remarks
    from discover.store import record

    task = task_of(rows[0], store_path)
    if task is None:
        raise without_task(rows[0], "its laws cannot be compared with published ones")
    ready_fitter()
    return tuple({**row, **record(told)} for row, told in zip(rows, remarks(task, rows), strict=True))
