"""Options that several verbs take."""

from __future__ import annotations

from pathlib import Path

import click


def _path(_: click.Context, __: click.Parameter, value: str) -> Path:
    return Path(value)


store_option = click.option(
    "--store", "store_path", default="results/discover.sqlite", show_default=True, envvar="DISCOVER_STORE",
    show_envvar=True, metavar="FILE", callback=_path,
    help="Where runs are kept; leaderboards are written beside it.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
seed_option = click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Fixes everything random."
)
