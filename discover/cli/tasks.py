"""`discover tasks`: the tasks at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from discover.cli.door import MISTAKE, Verb, one_line
from discover.cli.options import json_option
from discover.cli.printing import print_json, show_view
from discover.errors import DiscoverError

if TYPE_CHECKING:
    from discover.task import Task


@click.command(cls=Verb)
@json_option
def tasks(as_json: bool) -> None:
    """List the tasks in ./tasks and those that come with discover.

    JSON: a list of objects with name, training, held_out, inputs, targets, groups, and title, units,
    parameter_cap, human_laws, folder.

    \b
    discover tasks --json
    """
    from discover.task import list_tasks, load_task
    from discover.tui import tasks_table

    loaded, broken = [], []
    for name in list_tasks():
        try:
            loaded.append(load_task(name))
        except DiscoverError as error:
            broken.append(one_line(error))
    if as_json:
        print_json([_task_record(task) for task in loaded])
    else:
        show_view(tasks_table(loaded))
    for line in broken:
        click.echo(f"discover: {line}", err=True)
    if broken:
        raise click.exceptions.Exit(MISTAKE)


def _task_record(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "title": task.title,
        "training": task.training_count,
        "held_out": task.held_out_count,
        "inputs": list(task.input_names),
        "targets": [column.name for column in task.targets],
        "groups": list(task.groups),
        "units": {column.name: column.unit for column in (*task.inputs, *task.targets)},
        "parameter_cap": task.parameter_cap,
        "human_laws": [law.name for law in task.human_laws],
        "folder": str(task.folder),
    }
