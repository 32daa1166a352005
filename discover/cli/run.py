"""`discover run`: search, then rank; a run that was killed goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from discover.cli.completion import complete_task
from discover.cli.door import INTERRUPTED, Verb
from discover.cli.language_model_options import Asked, joining, language_model_options, replayed
from discover.cli.options import seed_option, store_option
from discover.cli.printing import print_leaderboard, show_view
from discover.cli.progress import cores, ctrl_c, ready_fitter, recorded, screen_for
from discover.errors import ResumeError

if TYPE_CHECKING:
    from discover.archive import Candidate
    from discover.evolution import Budget, Past
    from discover.scoring import Yardstick
    from discover.store import Run, Store
    from discover.task import Task

_NEWEST = "newest"  # what --resume without a RUN stands for


@click.command(cls=Verb)
@click.argument("task", shell_complete=complete_task)
@click.option("--budget", default="120s", show_default=True, help="Seconds (120s, 2m) or candidates (2000).")
@seed_option
@click.option("--workers", type=click.IntRange(min=1), default=None, help="Processes.  [default: one for each core]")
@click.option("--proposers", default="auto", show_default=True, metavar="NAMES", help="Who proposes, as in a,b,c.")
@click.option("--start-from", type=click.Choice(["human"]), default=None, help="Begin with the forms of human laws.")
@click.option(
    "--resume", is_flag=False, flag_value=_NEWEST, default=None, metavar="[RUN]",
    help="Go on with a killed run, by default the newest of TASK.",
)  # fmt: skip
@click.option("--quiet", is_flag=True, help="Plain lines, no live screen.")
@click.option("--json-lines", is_flag=True, help="Print a JSON object a generation, the leaderboard as the last.")
@language_model_options
@store_option
@click.pass_context
def run(
    context: click.Context,
    task: str,
    budget: str,
    seed: int,
    workers: int | None,
    proposers: str,
    start_from: str | None,
    resume: str | None,
    quiet: bool,
    json_lines: bool,
    store_path: Path,
    language_models: Asked,
) -> None:
    """Search for laws of TASK (a folder or a name), then open the held-out rows once and rank.

    Candidates go into the store as they are found. The leaderboard is printed, kept in the store and
    written to leaderboard.md and leaderboard.json. Ctrl-C ends the search and ranks what was found
    (exit code 130); a second Ctrl-C stops at once. What was killed goes on with --resume.

    \b
    discover run tasks/vocab_scaling --budget 5m --seed 1
    discover run tasks/vocab_scaling --resume
    """
    from discover.evolution import Budget
    from discover.proposers import HUMAN, proposers_named
    from discover.store import Store, resumable, task_digest
    from discover.task import load_task
    from discover.tui import proposers_table

    loaded = load_task(task)
    if resume is not None:
        _refuse_what_a_resumed_run_has(context, "resume", _OF_THE_RUN)
    if language_models.replay:
        _refuse_what_a_resumed_run_has(context, "replay", (*_OF_THE_RUN[:-1], "resume"))
    allowed = Budget.parse(budget)
    named = ((HUMAN,) if start_from == HUMAN else ()) + proposers_named(proposers)
    is_new = resume is None and not language_models.replay  # else who proposes is known
    engines, absent = _pysr_where_it_is(allowed) if proposers.strip() == "auto" and is_new else ((), "")
    named += engines
    workers = workers or cores()
    if resume is None:
        _tell_what_is_wrong(loaded, task)
    asked = language_models.record()
    with Store(store_path, create=is_new) as store:
        if resume is None:
            options = {"workers": workers, "proposers": named, "start_from": start_from, **asked}
            if language_models.replay:
                seed, budget, options = replayed(store, language_models.replay, loaded, options)
            number = _start(store, loaded, seed, budget, options)
        else:
            number = resumable(store, loaded.name, task_digest(loaded), "" if resume == _NEWEST else resume).id
        if absent:
            click.echo(absent, err=True)
        with store.working_on(number):
            rows, how = _carry_out(
                store, number, loaded, workers, quiet, resumed=resume is not None, json_lines=json_lines
            )
        gains = store.gains(number)
    if not json_lines:
        print_leaderboard(loaded.name, rows)
        show_view(proposers_table(gains), stderr=True)
    written = ", ".join(str(store_path.parent / loaded.name / name) for name in ("leaderboard.md", "leaderboard.json"))
    click.echo(f"written: {written}; run {number} in {store_path}", err=True)
    if how == "interrupted":
        raise click.exceptions.Exit(INTERRUPTED)


def _pysr_where_it_is(allowed: Budget) -> tuple[tuple[str, ...], str]:
    """PySR, for a search by the clock where it can run; else a line to say that it is absent.

    A number of candidates promises to be quick and the same everywhere: there PySR takes part when it is named.
    """
    from discover.proposers.pysr import PySR, readiness

    if allowed.seconds is None:
        return (), ""
    found = readiness()
    if found.is_ready:
        return (PySR.name,), ""
    return (), f"PySR is absent ({found.reason}), the others search; see: discover doctor"


def _tell_what_is_wrong(loaded: Task, task: str) -> None:
    """A line for what makes a run pointless, before it begins; `discover check` tells the rest."""
    from discover.task.training_check import WRONG, check_training

    if found := dict.fromkeys(each.subject for each in check_training(loaded) if each.severity == WRONG):
        what = f"this run is pointless ({', '.join(found)})"
        click.echo(f"discover: {what}; see: discover check {task}", err=True)


# Options that a stored run has already.
_OF_THE_RUN = (
    "budget", "seed", "proposers", "start_from", "models", "llm_base_url", "llm_key_env", "llm_profiles",
    "llm_timeout", "mask_names", "max_cost", "max_calls", "max_tokens", "replay",
)  # fmt: skip


def _refuse_what_a_resumed_run_has(context: click.Context, verb: str, names: Sequence[str]) -> None:
    options = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    for name in names:
        if context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE:
            what = f"{options[name]} cannot be given with --{verb}: the run goes on with its own"
            raise click.UsageError(what, context)


def _start(store: Store, task: Task, seed: int, budget: str, options: dict[str, Any]) -> str:
    from discover.archive import RULE
    from discover.store import task_digest

    return store.start_run(
        task=task.name,
        folder=task.folder,
        digest=task_digest(task),
        seed=seed,
        budget=budget,
        options={**options, "rule": RULE},
    )


def _carry_out(
    store: Store, number: str, task: Task, workers: int, quiet: bool, resumed: bool, json_lines: bool = False
) -> tuple[tuple[dict[str, Any], ...], str]:
    """Searches, chooses and ranks, whatever of it has not been done yet; gives the leaderboard and how it ended."""
    from discover.evolution import NOTHING, Budget
    from discover.store import calls_of, write_leaderboard
    from discover.tui import language_models_markdown, leaderboard_markdown

    run = store.run(number)
    allowed = Budget.parse(run.budget)
    past = _past(store, run) if resumed else NOTHING
    with (
        recorded(store, number) as ended,
        screen_for(task.name, allowed, quiet, past.seconds, json_lines) as screen,
    ):
        if resumed:
            screen.say(_told(run, past, allowed))
        ranked, how, yardstick = _search(store, run, task, past, workers, screen)
        rows = store.rows(run=number) or _rank(store, run, task, ranked, yardstick, screen.say)
        page = leaderboard_markdown(task, rows) + language_models_markdown(calls_of(store, number))
        write_leaderboard(store.path.parent / task.name, rows, page)
        ended(how)
    if json_lines:
        screen.end(number, how, rows)
    return rows, how


def _past(store: Store, run: Run) -> Past:
    """What the killed run had done; notes that it is taken up again."""
    from discover.evolution import Past

    if run.status:  # by another process, since it was looked up
        raise ResumeError(f"run {run.id}: has ended ({run.status})")
    batches = store.batches(run.id)
    kept = {candidate.number: candidate for candidate in store.candidates(run.id)}
    store.add_resumption(run.id)
    seconds = batches[-1].elapsed_seconds if batches else 0.0
    return Past(kept, seconds, over=store.choice(run.id) is not None)


def _told(run: Run, past: Past, allowed: Budget) -> str:
    told = f"run {run.id} goes on: {len(past.kept):,} candidates are there"
    if allowed.seconds is None:
        return f"{told}, {allowed.candidates:,} are due"
    return f"{told}, {max(allowed.seconds - past.seconds, 0.0):.0f} s of {allowed.seconds:g} s are left"


def _search(
    store: Store, run: Run, task: Task, past: Past, workers: int, screen: Any
) -> tuple[tuple[Candidate, ...], str, Yardstick]:
    """The search and its choice, stored; gives the finalists, the chosen one first, and how the search ended."""
    from discover.archive import choose
    from discover.evolution import Budget, Search, workers_for
    from discover.store import Batch, Candidacy
    from discover.task.training_check import set_aside_text

    def keep(candidate: Candidate) -> None:
        store.add_candidates(run.id, [Candidacy.of(candidate)])

    stored, decided = len(store.batches(run.id)), store.choice(run.id)
    named = tuple(run.options["proposers"])
    with ctrl_c(screen) as pressed:
        ready_fitter(screen.say)
        allowed = Budget.parse(run.budget)
        models = joining(store, run, task, candidates=allowed.candidates, past=past, say=screen.say, pressed=pressed)
        with workers_for(task, workers) as executor:
            search = Search(task, allowed, run.seed, executor, named, keep, past, models)
            if told := set_aside_text(search.yardstick.set_aside):
                screen.say(told)
            with closing(search.generations()) as generations:
                for generation in generations:
                    if generation.number > stored:
                        store.add_batch(run.id, Batch.of(generation))
                    screen.show(generation)
                    if pressed:
                        break
            if decided is not None:
                return search.finalists_of(decided.ranked), decided.search, search.yardstick
            how = "interrupted" if pressed else "complete"
            for model in models:
                screen.say(model.summary)
            screen.say("final round: the best laws are refitted with many starts")
            choice = choose(search.finalists())
    ranked = choice.ranked if choice else ()
    store.add_choice(run.id, how, ranked)
    return ranked, how, search.yardstick


def _rank(
    store: Store, run: Run, task: Task, ranked: tuple[Candidate, ...], yardstick: Yardstick, say: Callable[[str], None]
) -> tuple[dict[str, Any], ...]:
    """The leaderboard, stored: here the held-out rows are opened."""
    import numpy as np

    from discover import leaderboard as boards
    from discover.known_laws import best_human_laws, known_laws
    from discover.store import record, with_costs

    def opening(what: str) -> None:
        before = store.openings(run.id)
        if before:
            say("the held-out rows were opened before the run was killed: they are opened again, for the same laws")
        store.add_opening(run.id, f"resumed, for the same laws: {what}" if before else what)

    library = best_human_laws(task, known_laws(task, seed=run.seed, yardstick=yardstick, finalists=0))
    rng = np.random.default_rng([run.seed, 2])
    built = boards.build(task, ranked, rng=rng, opening=opening, yardstick=yardstick, library=library)
    asked = {"task": task.name, "seed": run.seed, "budget": run.budget, "run": run.id}
    rows = [record(row) for row in built]
    told = boards.remarks(task, rows)
    rows = [{**row, **record(own), **asked} for row, own in zip(rows, told, strict=True)]
    store.add_rows(run.id, task.name, with_costs(store, run.id, rows))
    return store.rows(run=run.id)
