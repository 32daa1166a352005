"""`discover check`: what is wrong with a task's data."""

from __future__ import annotations

from dataclasses import asdict

import click

from discover.cli.completion import complete_task
from discover.cli.door import Verb
from discover.cli.options import json_option
from discover.cli.printing import print_json


@click.command(cls=Verb)
@click.argument("task", shell_complete=complete_task)
@json_option
def check(task: str, as_json: bool) -> None:
    """Look for what makes a run on TASK pointless or weak, with the lines of the table; nothing is fitted.

    Constant columns, duplicated rows, inputs never varied apart, too few levels for an exponent, how far beyond
    the measurements the held-out rows lie, outliers. The held-out targets stay closed. Exit code 1 when
    something is wrong enough to make a run pointless.

    \b
    discover check vocab_scaling
    """
    from discover.task import load_task
    from discover.task.checking import WRONG, check_task

    loaded = load_task(task)
    found = check_task(loaded)
    if as_json:
        print_json([{**asdict(finding), "values": dict(finding.values)} for finding in found])
    else:
        click.echo(f"{loaded.name}: {loaded.training_count} training rows, {loaded.held_out_count} held out")
        for finding in found:
            click.echo(f"{finding.severity:<5}  {finding.subject}: {finding.message}")
        if not found:
            click.echo("nothing to remark")
    if any(finding.severity == WRONG for finding in found):
        click.echo("discover: a run on this task is pointless until what is wrong is mended", err=True)
        raise click.exceptions.Exit(1)
