"""`discover runs`: the runs in the store."""

from __future__ import annotations

from pathlib import Path

import click

from discover.cli.door import Verb
from discover.cli.options import json_option, store_option
from discover.cli.printing import print_json, show_view


@click.command(cls=Verb)
@click.argument("task", required=False)
@json_option
@store_option
def runs(task: str | None, as_json: bool, store_path: Path) -> None:
    """List the runs in the store, the newest first; those of TASK when it is given."""
    from discover.store import Store
    from discover.tui import runs_table

    with Store(store_path) as store:
        found = store.runs(None if task is None else Path(task).name)
    if as_json:
        print_json(found)
    else:
        show_view(runs_table(found))
