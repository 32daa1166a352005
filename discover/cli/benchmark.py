"""`discover benchmark`: the same search over tasks, seeds and arms, in processes that can be stopped and go on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from discover.cli.completion import complete_task
from discover.cli.door import Verb
from discover.cli.language_model_options import Asked as AskedModels
from discover.cli.language_model_options import language_model_options_of_many_runs
from discover.errors import DiscoverError

if TYPE_CHECKING:
    from discover.benchmark import Asked, Runs
    from discover.benchmark.figures import Figure

_ENGINES = ("operon", "pysr")  # that may be missing


def _path(_: click.Context, __: click.Parameter, value: str | None) -> Path | None:
    return None if value is None else Path(value)


@click.command(cls=Verb)
@click.argument("tasks", nargs=-1, metavar="[TASK]...", shell_complete=complete_task)
@click.option("--seeds", type=click.IntRange(1, 1000), default=5, show_default=True, help="Runs of each task.")
@click.option("--budget", default="120s", show_default=True, help="Of each run: seconds or candidates.")
@click.option("--workers", type=click.IntRange(min=1), default=None, help="Of each run.  [default: one for each core]")
@click.option("--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="Runs at the same time.")
@click.option(
    "--arms", default="auto", show_default=True, metavar="NAMES", help="Who proposes: auto,none,llm,pysr,operon,a+b."
)
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
@language_model_options_of_many_runs
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
    language_models: AskedModels,
) -> None:
    """Run TASKs (by default the embedded eight) with several seeds, and write a table of the held-out scores.

    Each run is a process with a store of its own; its held-out rows are opened once, after its choice. Seeds are run
    one after the other, all tasks of a seed before the next. What is in seeds.json is not run again, and what was
    interrupted goes on: stop it when you like, and give the same command again. Several arms are compared in arms.json
    too. The options of language models are for the arm llm; their limits are for each run.

    \b
    discover benchmark --seeds 5 --budget 120s
    discover benchmark moe_scaling sft_scaling --arms none,operon --output results/arms
    discover benchmark --arms none,llm,pysr,operon --llm gpt-5-mini --max-cost 0.10 --output results/arms
    """
    from discover.benchmark import Asked, Runs, asks_models, comparison_text, read_figures, refuse_other_arms, table
    from discover.benchmark.published import TASKS
    from discover.evolution import Budget
    from discover.task import load_task

    Budget.parse(budget)
    named = _arms_that_can_run(arms, language_models)
    loaded = {load_task(task).name: task for task in tasks or TASKS}
    options, kept = language_models.arguments(), language_models.record().get("language_models", {})
    asked = [
        Asked(name, task, seed, arm, proposers, budget, *((options, kept) if asks_models(arm) else ()))
        for seed in range(seeds)
        for arm, proposers in named.items()
        for name, task in loaded.items()
    ]
    figures = read_figures(output / "seeds.json", budget)
    refuse_other_arms(output / "seeds.json", figures, asked)
    failed = _carry_out(asked, figures, Runs(runs or output / "runs", workers), jobs, output, leaderboards)
    if figures:
        beside = comparison_text(figures)
        click.echo(table(figures) + (f"\n{beside}" if beside else ""), nl=False)
        written = ["seeds.json", "README.md", *(["arms.json"] if beside else [])]
        click.echo(f"written: {', '.join(str(output / name) for name in written)}", err=True)
    if failed:
        raise DiscoverError(f"{len(failed)} of {len(asked)} runs failed, the first: {failed[0]}")


def _arms_that_can_run(text: str, language_models: AskedModels) -> dict[str, str]:
    """Arm -> proposers; an arm whose engine is not installed is left out in a line.

    Raises:
        DiscoverError: A name that is none, an arm of language models without one or the reverse, no arm left.
    """
    from discover.benchmark import arms_named, asks_models
    from discover.proposers import DEFAULT, proposers_named

    named = arms_named(text, DEFAULT)
    asking = [arm for arm in named if asks_models(arm)]
    if asking and not language_models.models:
        raise DiscoverError(f"--arms {asking[0]}: no language model is named; name one with --llm")
    if language_models.models and not asking:
        raise DiscoverError(f"--llm {language_models.models[0]}: no arm asks it; add llm to --arms")
    found, absent = {}, []
    for arm, proposers in named.items():
        needless = [name for name in proposers.split(",") if name not in _ENGINES]
        proposers_named(",".join(needless) or "auto")  # a name that is none is a mistake, not something missing
        try:
            proposers_named(proposers)
        except DiscoverError as error:
            absent.append(f"arm {arm} is left out: {error}")
            continue
        found[arm] = proposers
    if not found:
        raise DiscoverError(absent[0])
    for line in absent:
        click.echo(line, err=True)
    return found


def _carry_out(
    asked: Sequence[Asked], figures: list[Figure], runs: Runs, jobs: int, output: Path, copy_to: Path | None
) -> list[DiscoverError]:
    """Adds to `figures` what is missing, and writes both files after each run; gives what failed."""
    from concurrent.futures import ThreadPoolExecutor, as_completed

    from discover.benchmark.figures import key_of

    known = {key_of(figure) for figure in figures}
    due = [one for one in asked if one.key not in known]
    click.echo(f"{len(asked) - len(due)} of {len(asked)} runs are there, {len(due)} are due", err=True)
    _tell_models(due)
    failed: list[DiscoverError] = []
    if figures:
        _write(output, figures)
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
                _write(output, figures)
                if copy_to is not None and (one.arm, one.seed) == (asked[0].arm, asked[0].seed):
                    runs.copy_leaderboard(one, copy_to)
                click.echo(_told(one, figures[-1]), err=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            runs.stop()
            raise
    return failed


def _write(output: Path, figures: Sequence[Figure]) -> None:
    from discover.benchmark import comparison, write_figures, write_page
    from discover.store import to_json, write_file

    write_figures(output / "seeds.json", figures)
    write_page(output / "README.md", figures)
    if found := comparison(figures):
        write_file(output / "arms.json", to_json(found, strict=True, indent=1) + "\n")


def _tell_models(due: Sequence[Asked]) -> None:
    """What the runs that are due may spend together: the limits are for each."""
    from discover.benchmark import models_of, models_told

    asking = [one for one in due if one.language_models]
    if not asking:
        return
    made = models_of(asking[0].language_models)
    calls, dollars = made["limits"]["calls"], made["limits"]["dollars"]
    told = f"{calls * len(asking):,} calls" + ("" if dollars is None else f", {dollars * len(asking):g} USD")
    click.echo(f"asking {models_told(made)}; in the {len(asking)} runs that are due at most {told}", err=True)


def _told(one: Asked, figure: Figure) -> str:
    scores = f"validation {figure['validation_r2']:.4f}, held out {figure['held_out_r2']:.4f}"
    resumed = ", resumed" if figure["resumed"] else ""
    told = f"{one}: {scores}, {figure['candidates']:,} candidates in {figure['seconds']:.0f} s{resumed}"
    if not one.language_models:
        return told
    spent = figure["spent"]
    money = "" if spent["dollars"] is None else f", {spent['dollars']:.4f} USD"
    return f"{told}; {spent['calls']} calls ({spent['failed']} failed), {spent['tokens']:,} tokens{money}"
