"""`discover new`: a CSV of training runs into a task folder."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from discover.cli.door import Verb, one_line
from discover.errors import DiscoverError

if TYPE_CHECKING:
    from discover.task.foreign import Foreign
    from discover.task.guessing import Guess


@click.command(cls=Verb)
@click.argument("csv", type=click.Path(path_type=Path), metavar="RUNS.CSV")
@click.option("--target", default=None, metavar="COLUMN", help="What to predict; several with commas between.")
@click.option("--inputs", default=None, metavar="COLUMNS", help="What a law may read, if not what is guessed.")
@click.option("--groups", default=None, metavar="COLUMNS", help="Columns whose values get parameters of their own.")
@click.option("--output", type=click.Path(path_type=Path), metavar="DIR", help="The folder.  [default: as the file]")
@click.option("--yes", is_flag=True, help="Ask nothing.")
def new(csv: Path, target: str | None, inputs: str | None, groups: str | None, output: Path | None, yes: bool) -> None:
    """Make a task folder of RUNS.CSV, a table with one training run on each line.

    Guesses which columns are sizes, settings, groups and the loss, says why, holds out the largest scale, and
    writes task.toml, a copy of the table and a README. In a terminal it asks before it writes. Nothing needs to
    be edited before the first run.

    \b
    discover new runs.csv --target val_loss --groups dataset --yes
    """
    from discover.task.checking import NOTE, check_task
    from discover.task.foreign import read_foreign
    from discover.task.guessing import guess
    from discover.task.writing import refuse_folder, task_name, write_task_folder

    table = read_foreign(csv)
    folder = output or Path(task_name(csv))
    refuse_folder(folder)
    reads = _names(inputs) or ()
    guessed = guess(table, _names(target) or (), _names(groups), inputs=reads)
    _tell(table, guessed)
    if not yes and sys.stdin.isatty() and sys.stdout.isatty():
        guessed = _asked(table, guessed, reads)
        folder = Path(click.prompt("folder", default=str(folder)))
        if not click.confirm("write it?", default=True):
            raise click.Abort
    task = write_task_folder(folder, table, guessed)
    click.echo(f"written: {folder}/task.toml, points.csv, README.md")
    for finding in check_task(task):
        if finding.severity != NOTE:
            click.echo(f"{finding.severity}: {finding.subject}: {finding.message}")
    click.echo(f"{task.training_count} rows for training, {task.held_out_count} held out; next:")
    click.echo(f"  discover check {folder}\n  discover run {folder}")


def _names(text: str | None) -> tuple[str, ...] | None:
    """Names with commas between; None where the option was not given, () where it was given empty."""
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())


def _tell(table: Foreign, guessed: Guess) -> None:
    from discover.task.writing import drop_lines, split_line, summary_lines

    for line in (*summary_lines(table, guessed), split_line(guessed), *drop_lines(guessed)):
        click.echo(line)
    for note in table.notes:
        click.echo(f"note: {one_line(note)}")


def _asked(table: Foreign, guessed: Guess, reads: tuple[str, ...]) -> Guess:
    """The guess as the user wants it: target, groups and the value from which rows are held out."""
    from discover.task.guessing import guess

    column, operator, value = guessed.held_out
    while True:
        try:
            target = click.prompt("target", default=", ".join(guessed.targets))
            groups = click.prompt("groups (- for none)", default=", ".join(guessed.groups) or "-")
            named = () if groups.strip() == "-" else _names(groups)
            again = guess(table, _names(target) or (), named, inputs=reads)
            column, operator, value = again.held_out
            if operator == "at_least":
                least = click.prompt(f"hold out rows whose {column} is at least", default=value, type=float)
                if least != value:
                    again = guess(table, _names(target) or (), named, (column, least), reads)
        except DiscoverError as problem:
            click.echo(f"discover: {one_line(problem)}", err=True)
            continue
        if again != guessed:
            _tell(table, again)
        return again
