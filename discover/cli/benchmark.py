"""`discover benchmark`: the same search over tasks, seeds and arms, in processes that can be stopped and go on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from discover.cli.completion import complete_task
from discover.cli.door import Verb
from discover.errors import DiscoverError

if TYPE_CHECKING:
    from discover.benchmark import Asked, Runs
    from discover.benchmark.figures import Figure


def _path(_: click.Context, __: click.Parameter, value: str | None) -> Path | None:
    return None if value is None else Path(value)


@click.command(cls=Verb)
@click.argument("tasks", nargs=-1, metavar="[TASK]...", shell_complete=complete_task)
@click.option("--seeds", type=click.IntRange(1, 1000), default=5, show_default=True, help="Runs of each task.")
@click.option("--budget", default="120s", show_default=True, help="Of each run: seconds or candidates.")
@click.option("--workers", type=click.IntRange(min=1), default=None, help="Of each run.  [default: one for each core]")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Runs at the same time.")
@click.option("--arms", default="auto", show_default=True, metavar="NAMES", help="Who proposes: auto,none,operon,a+b.")
@click.option(
    "--output", default="results/benchmark", show_default=True, metavar="FOLDER", callback=_path,
    help="Gets seeds.json and the table in README.md.",
)  # fmt: skip
@click.option(
    "--runs", default=None, metavar="FOLDER", callback=_path,
    help="Where the runs are kept.  [default: OUTPUT/runs]",
)  # fmt: skip
@click.option(
    "--leaderboards", default=None, metavar="FOLDER", callback=_path,
    help="Gets the leaderboards of the first seed and arm.",
)  # fmt: skip
def benchmark(
    tasks: tuple[str, ...],
    seeds: int,
    budget: str,
    workers: int | None,
    jobs: int,
    arms: str,
    output: Path,
    runs: Path | None,
    leaderboards: Path | None,
) -> None:
    """Run TASKs (by default the embedded eight) with several seeds, and write a table of the held-out scores.

    Each run is a process with a store of its own; its held-out rows are opened once, after its choice. Seeds are run
    one after the other, all tasks of a seed before the next. What is in seeds.json is not run again, and what was
    interrupted goes on: stop it when you like, and give the same command again.

    \b
    discover benchmark --seeds 5 --budget 120s
    discover benchmark moe_scaling sft_scaling --arms none,operon --output results/arms
    """
    from discover.benchmark import Asked, Runs, arms_named, read_figures, table
    from discover.benchmark.published import TASKS
    from discover.evolution import Budget
    from discover.proposers import proposers_named
    from discover.task import load_task

    Budget.parse(budget)
    named = arms_named(arms)
    for proposers in named.values():
        proposers_named(proposers)
    loaded = {load_task(task).name: task for task in tasks or TASKS}
    asked = [
        Asked(name, task, seed, arm, proposers, budget)
        for seed in range(seeds)
        for arm, proposers in named.items()
        for name, task in loaded.items()
    ]
    figures = read_figures(output / "seeds.json", budget)
    failed = _carry_out(asked, figures, Runs(runs or output / "runs", workers), jobs, output, leaderboards)
    if figures:
        click.echo(table(figures), nl=False)
        click.echo(f"written: {output / 'seeds.json'}, {output / 'README.md'}", err=True)
    if failed:
        raise DiscoverError(f"{len(failed)} of {len(asked)} runs failed, the first: {failed[0]}")


def _carry_out(
    asked: Sequence[Asked], figures: list[Figure], runs: Runs, jobs: int, output: Path, copy_to: Path | None
) -> list[DiscoverError]:
    """Adds to `figures` what is missing, and writes both files after each run; gives what failed."""
    from concurrent.futures import ThreadPoolExecutor, as_completed

    from discover.benchmark import write_figures, write_page
    from discover.benchmark.figures import key_of

    known = {key_of(figure) for figure in figures}
    due = [one for one in asked if one.key not in known]
    click.echo(f"{len(asked) - len(due)} of {len(asked)} runs are there, {len(due)} are due", err=True)
    failed: list[DiscoverError] = []
    if figures:
        write_page(output / "README.md", figures)
    with ThreadPoolExecutor(jobs) as pool:
        try:
            waiting = {pool.submit(runs.figure, one): one for one in due}
            for future in as_completed(waiting):
                one = waiting[future]
                try:
                    figures.append(future.result())
                except DiscoverError as error:
                    failed.append(error)
                    click.echo(f"{one}: failed: {error}", err=True)
                    continue
                write_figures(output / "seeds.json", figures)
                write_page(output / "README.md", figures)
                if copy_to is not None and (one.arm, one.seed) == (asked[0].arm, asked[0].seed):
                    runs.copy_leaderboard(one, copy_to)
                click.echo(_told(one, figures[-1]), err=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runs.stop()
            raise
    return failed


def _told(one: Asked, figure: Figure) -> str:
    scores = f"validation {figure['validation_r2']:.4f}, held out {figure['held_out_r2']:.4f}"
    resumed = ", resumed" if figure["resumed"] else ""
    return f"{one}: {scores}, {figure['candidates']:,} candidates in {figure['seconds']:.0f} s{resumed}"
