"""The command line: verbs that parse, call and print.

In: arguments. Out: tables or JSON on standard output, progress and errors on standard error, and an exit
code: 0 done, 1 a law that does not verify or an internal error, 2 a user's mistake, 130 after Ctrl-C, 141
when the reader of a pipe left. Stays out: everything else. Each verb imports its rooms itself, so that
`discover --help` is quick.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from discover import __version__
from discover.errors import DiscoverError, UnknownTaskError, did_you_mean

if TYPE_CHECKING:
    from discover.exporters import FittedLaw
    from discover.store import Store
    from discover.task import Task

MISTAKE, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


class Verb(click.Command):
    """A command that also takes --debug."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params.append(_debug_option())


class Door(click.Group):
    """The group of verbs: offers close matches, and turns every failure into one line and an exit code."""

    command_class = Verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            ctx.fail(f"unknown command {name!r}{did_you_mean(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **settings: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal that has no ± shows a question mark
        settings |= {"standalone_mode": False, "prog_name": "discover"}
        _DEBUG.clear()
        try:
            code = super().main(args, *rest, **settings)
            sys.stdout.flush()
        except Exception as error:
            if _DEBUG:
                raise
            code = _told(error)
        except KeyboardInterrupt:
            click.echo("discover: stopped", err=True)
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)


_DEBUG: list[bool] = []  # filled by --debug, wherever it stands on the line


def _debug_option() -> click.Option:
    def note(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value:
            _DEBUG.append(True)

    return click.Option(
        ["--debug"], is_flag=True, expose_value=False, is_eager=True, callback=note, help="Show tracebacks."
    )


def _told(error: Exception) -> int:
    """Prints one line about a failure; gives the exit code."""
    if isinstance(error, BrokenPipeError):
        # Nothing more can be written; Python's own flush at exit must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    if isinstance(error, click.Abort):
        click.echo("discover: stopped", err=True)
        return INTERRUPTED
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return 0
    if isinstance(error, click.ClickException):
        verb = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "discover"
        message = f"{error.format_message()} (see: {verb} --help)"
    elif isinstance(error, DiscoverError):
        message = str(error)
    else:
        place = "run again with --debug to see where"
        click.echo(f"discover: internal error: {type(error).__name__}: {_line(error)}; {place}", err=True)
        return 1
    click.echo(f"discover: {_line(message)}", err=True)
    return MISTAKE


def _line(message: object) -> str:
    return " ".join(str(message).split())


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="discover", message="%(prog)s %(version)s")
def main() -> None:
    """Find the scaling law behind a table of training runs.

    \b
    discover tasks                          what there is to be discovered
    discover run tasks/vocab_scaling        search for two minutes, then rank
    discover leaderboard vocab_scaling      found laws beside human ones
    discover export vocab/1 --format python the best law as a function
    """


main.params.append(_debug_option())


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


@main.command(short_help="List the tasks.")
@json_option
def tasks(as_json: bool) -> None:
    """List the tasks in ./tasks and those that come with discover.

    JSON: a list of objects with name, training, held_out, inputs, targets, groups, and title, units,
    parameter_cap, human_laws, folder.
    """
    from discover.task import list_tasks, load_task
    from discover.tui import tasks_table

    loaded, broken = [], []
    for name in list_tasks():
        try:
            loaded.append(load_task(name))
        except DiscoverError as error:
            broken.append(_line(error))
    if as_json:
        _print_json([_task_record(task) for task in loaded])
    else:
        _print(tasks_table(loaded))
    for line in broken:
        click.echo(f"discover: {line}", err=True)
    if broken:
        raise click.exceptions.Exit(MISTAKE)


@main.command(short_help="Search for laws of a task, then rank them.")
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
    workers = workers or _cores()
    with Store(store_path, create=True) as store:
        number = store.start_run(
            task=loaded.name,
            folder=loaded.folder,
            digest=task_digest(loaded),
            seed=seed,
            budget=budget,
            options={"workers": workers, "rule": RULE},
        )
        with _recorded(store, number) as ended, _screen(loaded.name, allowed, quiet) as screen:
            with _ctrl_c(screen) as pressed:
                _ready_fitter(screen.say)
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
    _print_leaderboard(loaded.name, rows)
    click.echo(f"written: {', '.join(map(str, written))}; run {number} in {store_path}", err=True)
    if interrupted:
        raise click.exceptions.Exit(INTERRUPTED)


@main.command(short_help="Show found and human laws, ranked.")
@click.argument("task")
@click.option("--run", "run_id", default=None, metavar="RUN", help="The leaderboard of this run, not the newest.")
@json_option
@store_option
def leaderboard(task: str, run_id: str | None, as_json: bool, store_path: Path) -> None:
    """Show the newest leaderboard of TASK.

    JSON: a list of objects with rank, law, origin (discovered, human, baseline), formula, parameters (cell
    -> name -> value), complexity, validation_r2, held_out_r2, held_out_r2_per_group, and what else is
    known; unknown numbers are null.
    """
    from discover.store import latest_leaderboard
    from discover.task import load_task

    name = Path(task).name
    rows = latest_leaderboard(name, store_path, run=run_id)
    if not rows:
        name = load_task(task).name  # a folder may be called otherwise; an unknown task is told here
        rows = latest_leaderboard(name, store_path, run=run_id)
    if not rows:
        of_run = f" of run {run_id}" if run_id else ""
        raise DiscoverError(f"task {name!r}: no leaderboard{of_run} yet; make one with: discover run {task}")
    if as_json:
        _print_json(rows)
    else:
        _print_leaderboard(name, rows)


@main.command(short_help="Show all that is known of a law.")
@click.argument("law")
@json_option
@store_option
def show(law: str, as_json: bool, store_path: Path) -> None:
    """Show LAW: its formula, parameters with units and standard errors, scores, and where it comes from.

    LAW is an id on a leaderboard (vocab-3f2a91c0), the start of one (vocab-3f2a, or 3f2a), or TASK/RANK
    (vocab/1).
    """
    from discover.store import find_law
    from discover.tui import law_view

    row = find_law(law, store_path)
    if as_json:
        _print_json(row)
        return
    task = _task_of(row, store_path)
    _print(law_view(row, task, _parameter_units(row, task)))


@main.command(short_help="Fit and validate a formula of your own.")
@click.argument("task")
@click.argument("formula")
@click.option("--loss", default="squared", show_default=True, help="A recipe, such as log or 'huber weight=0.5'.")
@seed_option
@json_option
def fit(task: str, formula: str, loss: str, seed: int, as_json: bool) -> None:
    """Fit FORMULA to the training rows of TASK and validate it on folds; the held-out rows stay closed.

    Names that are not inputs of the task are parameters. JSON: one object with the keys of a leaderboard
    row; rank, law and held_out_r2 are null.

    \b
    discover fit parallel_scaling "E + A/(num_params*(1 + k*log(parallel_size)))**alpha"
    """
    import numpy as np

    from discover.assessment import assess_law
    from discover.fitting import Recipe
    from discover.fitting import fit as fit_law
    from discover.law import parse
    from discover.scoring import Yardstick
    from discover.task import load_task
    from discover.tui import fit_view

    loaded = load_task(task)
    law, recipe = parse(formula, loaded.input_names), Recipe.from_text(loss)
    _ready_fitter()
    rng, yardstick = np.random.default_rng(seed), Yardstick.of(loaded)
    weights = yardstick.weights(recipe)
    fitted = fit_law(law, loaded.training, recipe=recipe, starts=48, rng=rng, weights=weights)
    row = _fit_record(loaded, fitted, assess_law(loaded, law, recipe, rng, yardstick=yardstick))
    if as_json:
        _print_json(row)
    else:
        _print(fit_view(row, _parameter_units(row, loaded)))
    if len(law.parameters) > loaded.parameter_cap:
        over = f"{len(law.parameters)} parameters per cell, the task's cap is {loaded.parameter_cap}"
        click.echo(f"discover: note: {over}", err=True)


@main.command(short_help="Write a law as code, LaTeX or JSON.")
@click.argument("law")
@click.option(
    "--format", "form", type=click.Choice(["sympy", "latex", "python", "json"]), default="python",
    show_default=True, help="What to write.",
)  # fmt: skip
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the screen.")
@store_option
def export(law: str, form: str, output: Path | None, store_path: Path) -> None:
    """Write LAW with its parameters in a form to use elsewhere, exact to the last bit.

    \b
    discover export vocab/1 --format python --output law.py
    """
    from discover.exporters import EXPORTERS
    from discover.store import find_law

    row = find_law(law, store_path)
    text = EXPORTERS[form](_fitted(row, _task_of(row, store_path)))
    if output is None:
        click.echo(text, nl=False)
        return
    from discover.store.leaderboards import write_file

    write_file(output, text)
    click.echo(f"written: {output}", err=True)


@main.command(short_help="Derive the row of a law again.")
@click.argument("law")
@store_option
def verify(law: str, store_path: Path) -> None:
    """Derive the leaderboard row of LAW again from what is stored, and say what matches.

    Exit code 1 when something differs.
    """
    from discover import leaderboard as boards
    from discover.store import find_law
    from discover.tui import checks_table

    row = find_law(law, store_path)
    task = _task_of(row, store_path)
    if task is None:
        raise _without_task(row, "it cannot be verified")
    _ready_fitter()
    checks = boards.verify(task, row)
    _print(checks_table(checks))
    different = [check.name for check in checks if not check.matches]
    if different:
        click.echo(f"discover: {row['law']}: differs in {', '.join(different)}", err=True)
        raise click.exceptions.Exit(1)
    click.echo(f"{row['law']}: all {len(checks)} checks match")


@main.command(short_help="List the runs in the store.")
@click.argument("task", required=False)
@json_option
@store_option
def runs(task: str | None, as_json: bool, store_path: Path) -> None:
    """List the runs in the store, the newest first; those of TASK when it is given."""
    from discover.store import Store
    from discover.tui import runs_table

    with Store(store_path) as store:
        found = store.runs(None if task is None else Path(task).name)
    if as_json:
        _print_json(found)
    else:
        _print(runs_table(found))


# what the verbs share


def _print(renderable: Any) -> None:
    from discover.tui import console

    console().print(renderable)


def _print_leaderboard(task: str, rows: Sequence[Any]) -> None:
    from discover.tui import console, leaderboard_view

    made = console()
    made.print(leaderboard_view(task, rows, made.width))


def _print_json(value: Any) -> None:
    from discover.store import to_json

    click.echo(to_json(value, strict=True, indent=2))


def _task_record(task: Task) -> dict[str, Any]:
    return {
        "name": task.name,
        "title": task.title,
        "training": task.training_count,
        "held_out": task.held_out_count,
        "inputs": list(task.input_names),
        "targets": [column.name for column in task.targets],
        "groups": list(task.groups),
        "units": {column.name: column.unit for column in (*task.inputs, *task.targets)},
        "parameter_cap": task.parameter_cap,
        "human_laws": [law.name for law in task.human_laws],
        "folder": str(task.folder),
    }


def _fit_record(task: Task, fitted: Any, candidate: Any) -> dict[str, Any]:
    """A fit as a leaderboard row would have it; what only the held-out rows tell is null."""
    names, labels = fitted.law.parameters, [cell.label for cell in task.cells]

    def by_cell(values: Any) -> dict[str, dict[str, float]]:
        return {
            label: dict(zip(names, map(float, own), strict=True)) for label, own in zip(labels, values, strict=True)
        }

    judged = candidate.validation
    return {
        "rank": None,
        "law": None,
        "origin": "user",
        "task": task.name,
        "formula": str(fitted.law),
        "recipe": fitted.recipe.text,
        "parameters": by_cell(fitted.parameters),
        "standard_errors": by_cell(fitted.standard_errors),
        "complexity": fitted.law.complexity,
        "status": candidate.status,
        "fit_status": dict(zip(labels, fitted.status, strict=True)),
        "validation_r2": None if judged is None else judged.r2,
        "held_out_r2": None,
        "held_out_r2_per_group": {},
    }


def _task_of(row: dict[str, Any], store_path: Path) -> Task | None:
    """The task of a stored law: where its run found it, else by name; None when it is gone."""
    from discover.store import Store
    from discover.task import load_task

    places: list[str] = []
    if store_path.exists():
        with Store(store_path) as store:
            places = [run.folder for run in store.runs() if run.id == row.get("run")]
    for place in (*places, str(row.get("task", ""))):
        try:
            return load_task(place)
        except UnknownTaskError:
            continue
    return None


def _without_task(row: dict[str, Any], therefore: str) -> UnknownTaskError:
    return UnknownTaskError(f"law {row['law']}: its task {row.get('task')!r} is not found, so {therefore}")


def _fitted(row: dict[str, Any], task: Task | None) -> FittedLaw:
    """A stored row as a law with parameters; without its task, cells are told by their labels alone."""
    import numpy as np

    from discover.exporters import FittedLaw
    from discover.law import parse

    cells: dict[str, dict[str, float]] = row["parameters"]
    names = list(next(iter(cells.values())))
    known = {} if task is None else {cell.label: cell for cell in task.cells}
    inputs = row.get("inputs") or (task.input_names if task is not None else None)
    if inputs is None:
        raise _without_task(row, "its inputs are unknown")
    law = parse(row["formula"], inputs, parameters=names)
    values = np.array([[own[name] for name in law.parameters] for own in cells.values()])
    units = {} if task is None else _units(task)
    return FittedLaw(law, tuple(known.get(label) or _cell(label) for label in cells), values, units, row)


def _cell(label: str) -> Any:
    from discover.task import Cell

    group, _, target = label.rpartition(": ")
    return Cell(group, target)


def _units(task: Task) -> dict[str, str]:
    """Unit of every name that laws of the task read or predict."""
    units = {column.name: column.unit for column in (*task.inputs, *task.targets)}
    return {**dict.fromkeys(task.input_names, task.inputs[0].unit), **units}


def _parameter_units(row: dict[str, Any], task: Task | None) -> dict[str, str]:
    if task is None:
        return {}
    from discover.exporters.units import parameter_units
    from discover.law import parse

    law = parse(row["formula"], task.input_names)
    return parameter_units(law, _units(task), task.targets[0].unit)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _screen(task: str, budget: Any, quiet: bool) -> Any:
    from discover.tui import LiveScreen, PlainLines, console

    made = console(stderr=True)
    return PlainLines(made) if quiet or not made.is_terminal else LiveScreen(made, task, budget)


def _ready_fitter(say: Callable[[str], None] | None = None) -> None:
    """Compiles the fitter where that has not been done; says so when it takes more than a moment."""
    import threading

    from discover.fitting import prepare

    why = "compiling the fitter: only the first command after an installation waits for this"
    notice = threading.Timer(2.0, say or functools.partial(click.echo, err=True), [why])
    notice.daemon = True
    notice.start()
    try:
        prepare()
    finally:
        notice.cancel()


@contextmanager
def _recorded(store: Store, run: str) -> Iterator[Callable[[str], None]]:
    """Gives what writes how the run ended; a failure on the way is written by itself."""
    try:
        yield functools.partial(store.end_run, run)
    except BaseException as error:
        store.end_run(run, f"failed: {type(error).__name__}: {_line(error)[:200]}")
        raise


@contextmanager
def _ctrl_c(screen: Any) -> Iterator[list[int]]:
    """Collects the first Ctrl-C; the second one stops the process and its workers at once."""
    pressed: list[int] = []

    def note(signal_number: int, frame: FrameType | None) -> None:
        if pressed:
            screen.abandon()
            _stop_at_once()
        pressed.append(signal_number)
        screen.say("Ctrl-C: ranking what was found; press it again to stop at once")

    before = signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _stop_at_once() -> None:
    import multiprocessing

    for worker in multiprocessing.active_children():
        worker.kill()
    sys.stderr.flush()
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
