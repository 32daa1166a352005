"""`discover export`: a law as code, LaTeX or JSON."""

from __future__ import annotations

from pathlib import Path

import click

from discover.cli.completion import complete_law
from discover.cli.door import Verb
from discover.cli.options import store_option
from discover.cli.stored_laws import fitted_law, task_of

FORMATS = ["sympy", "latex", "python", "jax", "torch", "sldbench", "json"]


@click.command(cls=Verb)
@click.argument("law", shell_complete=complete_law)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="python",
    show_default=True, help="What to write.",
)  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the screen.")
@store_option
def export(law: str, form: str, output: Path | None, store_path: Path) -> None:
    """Write LAW with its parameters in a form to use elsewhere, exact to the last bit.

    python, jax and torch give a function or module of the law's inputs; sldbench a module with scaling_law_func,
    fit_scaling_law and law(input_data, group), as that benchmark imports them.

    \b
    discover export vocab/1 --format python --output law.py
    """
    from discover.exporters import EXPORTERS
    from discover.store import find_law

    row = find_law(law, store_path)
    text = EXPORTERS[form](fitted_law(row, task_of(row, store_path)))
    if output is None:
        click.echo(text, nl=False)
        return
    from discover.store.leaderboards import write_file

    write_file(output, text)
    click.echo(f"written: {output}", err=True)
