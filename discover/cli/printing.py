"""What verbs print: views on the screen, JSON for machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click


def show_view(renderable: Any, *, stderr: bool = False) -> None:
    from discover.tui import console

    console(stderr=stderr).print(renderable)


def print_leaderboard(task: str, rows: Sequence[Any]) -> None:
    from discover.tui import console, leaderboard_view

    made = console()
    made.print(leaderboard_view(task, rows, made.width))


def print_json(value: Any) -> None:
    from discover.store import to_json

    click.echo(to_json(value, strict=True, indent=2))


def print_json_line(value: Any) -> None:
    """`value` on a line of its own, at once: who reads along need not wait for the next."""
    from discover.store import to_json

    click.echo(to_json(value, strict=True))


def note(told: str) -> None:
    """A line beside the result, for people; none for ""."""
    if told:
        click.echo(f"discover: note: {told}", err=True)
