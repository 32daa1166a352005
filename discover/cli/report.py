"""`discover report`: one page about the law that a run chose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from discover.cli.completion import complete_task
from discover.cli.door import Verb
from discover.cli.options import seed_option, store_option
from discover.cli.progress import ready_fitter
from discover.cli.stored_laws import leaderboard_of, parameter_units_of

if TYPE_CHECKING:
    from discover.store.store import Candidacy, Run


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
    run, candidates = _run_of(rows[0].get("run"), store_path)
    ready_fitter()
    row = chosen_row(rows)
    units = {} if row is None else parameter_units_of(dict(row), loaded)
    evidence = gather(loaded, rows, candidates=candidates, run=run, units=units, rng=np.random.default_rng(seed))
    path = output or store_path.parent / loaded.name / "report.html"
    write_file(path, html_of(evidence))
    click.echo(f"written: {path}", err=True)
    if figures is not None:
        written = write_figures(evidence, figures)
        click.echo(f"written: {len(written)} files in {figures}", err=True)


def _run_of(run_id: Any, store_path: Path) -> tuple[Run | None, tuple[Candidacy, ...]]:
    """The run with its candidates, as far as the store has them."""
    from discover.store import Store

    if not run_id or not store_path.exists():
        return None, ()
    with Store(store_path) as store:
        run = next((run for run in store.runs() if run.id == run_id), None)
        return run, () if run is None else store.candidates(run.id)
