"""`discover certify`: what is proved of a law over its domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from discover.cli.completion import complete_law
from discover.cli.door import Verb
from discover.cli.options import json_option, seed_option, store_option
from discover.cli.printing import print_json
from discover.errors import DiscoverError

if TYPE_CHECKING:
    from discover.certificates import Statement


@click.command(cls=Verb)
@click.argument("law", shell_complete=complete_law)
@click.option("--task", "task_name", metavar="TASK", help="The task that a typed formula is fitted to.")
@click.option("--cell", metavar="CELL", help="Only this cell, such as 'pile: loss'; all where left out.")
@seed_option
@json_option
@store_option
def certify(law: str, task_name: str | None, cell: str | None, seed: int, as_json: bool, store_path: Path) -> None:
    """Prove statements about LAW up to a hundred times beyond the data: sign, monotonicity, optima, limits.

    LAW is an id on a leaderboard, or a formula with --task, which is fitted first. A tick is proved, a cross names the
    point that refutes, a question mark is unknown. JSON: a list with one object for each cell.

    \b
    discover certify vocab/1
    discover certify "E + A/num_params**alpha" --task parallel_scaling
    """
    from discover.certificates import certify as prove
    from discover.certificates import domain_of
    from discover.cli.asked_law import asked_law
    from discover.errors import did_you_mean, shown

    asked = asked_law(law, task_name, None, store_path, seed)
    if asked.task is None or asked.parameters is None:
        why = "it is published, without a task" if asked.library_id else "its task is not found"
        raise DiscoverError(f"law {asked.name}: {why}, so its domain is unknown; give its formula with --task TASK")
    labels = [own.label for own in asked.task.cells]
    if len(asked.parameters) != len(labels):
        raise DiscoverError(f"law {asked.name}: stored with {len(asked.parameters)} cells, the task has {len(labels)}")
    if cell is not None and cell not in labels:
        some = did_you_mean(cell, labels) or f"; it has {', '.join(labels[:3])}{', ...' if len(labels) > 3 else ''}"
        raise DiscoverError(f"cell: {shown(cell)} is no cell of {asked.task.name}{some}")
    made: dict[str, Sequence[Statement]] = {}
    for place, label in enumerate(labels):
        if cell in (None, label):
            made[label] = prove(asked.law, asked.parameters[place], domain_of(asked.task, place))
    if as_json:
        print_json([
            {
                "law": asked.name,
                "cell": label,
                "statements": [{**asdict(statement), "input": statement.input or None} for statement in own],
            }
            for label, own in made.items()
        ])  # fmt: skip
        return
    click.echo(f"{asked.law}\nup to 100 times beyond the data on log axes, one span on linear ones:")
    for label, own in made.items():
        click.echo(f"\n{label}" if label else "")
        for statement in own:
            click.echo(f"  {statement}")
