"""`discover runs`: the runs in the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from discover.cli.completion import complete_task
from discover.cli.door import Verb
from discover.cli.options import json_option, store_option
from discover.cli.printing import print_json, show_view
from discover.errors import StoreError

if TYPE_CHECKING:
    from discover.store import Run, Store


@click.command(cls=Verb)
@click.argument("what", required=False, metavar="[TASK|RUN]", shell_complete=complete_task)
@json_option
@store_option
def runs(what: str | None, as_json: bool, store_path: Path) -> None:
    """List the runs in the store, the newest first; those of TASK, or all that is known of RUN.

    Of a run its id or the start of it is enough. It is shown with what each proposer gave: candidates asked for,
    elites won, by how much its laws raised the best validation R2, laws on the front, its share of the batches at the
    end, seconds; of a language model also tokens and dollars.

    \b
    discover runs vocab_scaling
    discover runs 20260131-174502
    """
    from discover.store import Store
    from discover.tui import run_view, runs_table

    with Store(store_path) as store:
        if what is not None and (one := _run_named(store, what)):
            gains, resumptions = store.gains(one.id), store.resumptions(one.id)
            if as_json:
                resumed = [{"resumed": when, "candidates": count} for when, count in resumptions]
                print_json({**vars(one), "proposers": gains, "resumptions": resumed, "batches": store.batches(one.id)})
            else:
                show_view(run_view(one, gains, resumptions))
            return
        found = store.runs(None if what is None else Path(what).name)
    if as_json:
        print_json(found)
    else:
        show_view(runs_table(found))


def _run_named(store: Store, text: str) -> Run | None:
    """The one run whose id begins so; ids begin with a date, which no task's name does."""
    if not text[:8].isdecimal() or len(text) < 8:
        return None
    found = [run for run in store.runs() if run.id.startswith(text)]
    if len(found) > 1:
        raise StoreError(f"run {text!r}: {len(found)} runs start so; type more of the id")
    return found[0] if found else None
