"""`discover run`: search, then rank."""

from __future__ import annotations

import functools
from contextlib import closing
from pathlib import Path

import click

from discover.cli.door import INTERRUPTED, Verb
from discover.cli.options import seed_option, store_option
from discover.cli.printing import print_leaderboard
from discover.cli.progress import cores, ctrl_c, ready_fitter, recorded, screen_for


@click.command(cls=Verb)
@click.argument("task")
@click.option("--budget", default="120s", show_default=True, help="Seconds (120s, 2m) or candidates (2000).")
@seed_option
@click.option("--workers", type=click.IntRange(min=1), default=None, help="Processes.  [default: one for each core]")
@click.option("--quiet", is_flag=True, help="Plain lines, no live screen.")
@store_option
def run(task: str, budget: str, seed: int, workers: int | None, quiet: bool, store_path: Path) -> None:
    """Search for laws of TASK (a folder or a name), then open the held-out rows once and rank.

    Candidates go into the store as they are found. The leaderboard is printed, kept in the store and
    written to leaderboard.md and leaderboard.json. Ctrl-C ends the search and ranks what was found
    (exit code 130); a second Ctrl-C stops at once.

    \b
    discover run tasks/vocab_scaling --budget 5m --seed 1
    """
    import numpy as np

    from discover import leaderboard as boards
    from discover.archive import RULE, choose
    from discover.evolution import Budget, Search, workers_for
    from discover.store import Candidacy, Store, record, task_digest, write_leaderboard
    from discover.task import load_task
    from discover.tui import leaderboard_markdown

    loaded, allowed = load_task(task), Budget.parse(budget)
    asked = {"task": loaded.name, "seed": seed, "budget": budget}
    workers = workers or cores()
    with Store(store_path, create=True) as store:
        number = store.start_run(
            task=loaded.name,
            folder=loaded.folder,
            digest=task_digest(loaded),
            seed=seed,
            budget=budget,
            options={"workers": workers, "rule": RULE},
        )
        with recorded(store, number) as ended, screen_for(loaded.name, allowed, quiet) as screen:
            with ctrl_c(screen) as pressed:
                ready_fitter(screen.say)
                with workers_for(loaded, workers) as executor:
                    search = Search(loaded, allowed, seed, executor)
                    with closing(search.generations()) as generations:
                        for generation in generations:
                            store.add_candidates(number, map(Candidacy.of, generation.candidates))
                            screen.show(generation)
                            if pressed:
                                break
                    interrupted = bool(pressed)
                    screen.say("final round: the best laws are refitted with many starts")
                    choice = choose(search.finalists())
                ranked = choice.ranked if choice else ()
                opening = functools.partial(store.add_opening, number)
                rng = np.random.default_rng([seed, 2])
                built = boards.build(loaded, ranked, rng=rng, opening=opening, yardstick=search.yardstick)
            rows = [{**record(row), **asked, "run": number} for row in built]
            store.add_rows(number, loaded.name, rows)
            folder = store_path.parent / loaded.name
            written = write_leaderboard(folder, rows, leaderboard_markdown(loaded, rows))
            ended("interrupted" if interrupted else "complete")
    print_leaderboard(loaded.name, rows)
    click.echo(f"written: {', '.join(map(str, written))}; run {number} in {store_path}", err=True)
    if interrupted:
        raise click.exceptions.Exit(INTERRUPTED)
