"""`discover report`: one page about the law that a run chose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from discover.cli.completion import complete_task
from discover.cli.door import Verb
from discover.cli.options import seed_option, store_option
from discover.cli.progress import ready_fitter
from discover.cli.stored_laws import leaderboard_of, parameter_units_of


@click.command(cls=Verb)
@click.argument("task", shell_complete=complete_task)
@click.option("--run", "run_id", default=None, metavar="RUN", help="The leaderboard of this run, not the newest.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file.  [default: report.html beside the leaderboard]",
)
@click.option(
    "--figures", type=click.Path(file_okay=False, path_type=Path), help="A folder for every figure as SVG and PNG."
)
@seed_option
@store_option
def report(
    task: str, run_id: str | None, output: Path | None, figures: Path | None, seed: int, store_path: Path
) -> None:
    """Write a page about the law that the newest run of TASK chose: fit, extrapolation with bands, other laws.

    One HTML file that needs no network. The bands come from refits on resampled rows, near-tied laws, and what folds of
    the training rows showed; the held-out rows stay closed.

    \b
    discover report vocab_scaling --output vocab.html --figures figures
    """
    import numpy as np

    from discover.report import gather, html_of, write_figures
    from discover.report.evidence import chosen_row
    from discover.store.leaderboards import write_file

    loaded, rows = leaderboard_of(task, store_path, run_id)
    found = _found_in(store_path, rows[0].get("run"))
    ready_fitter()
    row = chosen_row(rows)
    units = {} if row is None else parameter_units_of(dict(row), loaded)
    evidence = gather(loaded, rows, **found, units=units, rng=np.random.default_rng(seed))
    path = output or store_path.parent / loaded.name / "report.html"
    write_file(path, html_of(evidence))
    click.echo(f"written: {path}", err=True)
    if figures is not None:
        written = write_figures(evidence, figures)
        click.echo(f"written: {len(written)} files in {figures}", err=True)


def _found_in(store_path: Path, run_id: Any) -> dict[str, Any]:
    """The run, its candidates, what its proposers gave and its calls to language models; {} where they are gone."""
    from discover.store import Store, calls_of

    if not run_id or not store_path.exists():
        return {}
    with Store(store_path) as store:
        run = next((run for run in store.runs() if run.id == run_id), None)
        if run is None:
            return {}
        candidates, gains = store.candidates(run.id), store.gains(run.id)
        return {"run": run, "candidates": candidates, "gains": gains, "calls": calls_of(store, run.id)}
