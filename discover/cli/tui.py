"""`discover tui`: the interactive leaderboard."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from discover.cli.completion import complete_task
from discover.cli.door import Verb
from discover.cli.options import store_option
from discover.errors import DiscoverError

if TYPE_CHECKING:
    from discover.tui.app.application import Actions

_ENDINGS = {"sympy": "_sympy.py", "latex": ".tex", "python": ".py", "json": ".json"}


@click.command(cls=Verb)
@click.argument("task", default="", shell_complete=complete_task)
@store_option
def tui(task: str, store_path: Path) -> None:
    """Look through tasks and their laws on one screen, which follows a run while it goes. Needs Textual.

    Laws are sorted and filtered, drawn with their extrapolation, compared, exported and verified by single keys, which
    ? explains. Nothing is written to the store.

    \b
    discover tui
    discover tui vocab_scaling
    """
    open_screen(store_path, Path(task).name if task else "")


def open_screen(store: Path, task: str = "") -> None:
    """Shows the screen until it is left.

    Raises:
        DiscoverError: Textual is missing, this is no terminal, or the store is none.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # Textual draws on standard error
        raise DiscoverError("the screen needs a terminal; for a table: discover leaderboard TASK")
    try:
        from discover.tui.app.application import LeaderboardApp
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "textual":
            raise
        raise DiscoverError(
            "the screen needs Textual, which is not installed; install it with: pip install 'textual>=8.2'; "
            "for a table: discover leaderboard TASK"
        ) from None
    app = LeaderboardApp(store, actions_on(store), task)
    app.run()
    if app.return_code:
        raise click.exceptions.Exit(app.return_code)


def actions_on(store: Path) -> Actions:
    """What the keys do: as the verbs of the same names."""
    from discover.cli import VERBS
    from discover.exporters import EXPORTERS
    from discover.tui.app.application import Actions

    def export(row: Mapping[str, Any], form: str) -> str:
        return _export(dict(row), form, store)

    def verify(row: Mapping[str, Any]) -> tuple[Any, bool]:
        return _verify(dict(row), store)

    def report(task: str) -> str:
        return _report(task, store)

    return Actions(tuple(EXPORTERS), export, verify, report if "report" in VERBS else None)


def _export(row: dict[str, Any], form: str, store: Path) -> str:
    from discover.cli.stored_laws import fitted_law, task_of
    from discover.exporters import EXPORTERS
    from discover.store.leaderboards import write_file

    path = Path(f"{row['law']}{_ENDINGS.get(form, f'_{form}.py')}")
    if path.exists():
        raise DiscoverError(f"{path}: is there already; another name: discover export {row['law']} --output FILE")
    write_file(path, EXPORTERS[form](fitted_law(row, task_of(row, store))))
    return f"written: {path}"


def _verify(row: dict[str, Any], store: Path) -> tuple[Any, bool]:
    from discover import leaderboard as boards
    from discover.cli.progress import ready_fitter
    from discover.cli.stored_laws import task_of, without_task
    from discover.tui import checks_table

    task = task_of(row, store)
    if task is None:
        raise without_task(row, "it cannot be verified")
    ready_fitter(lambda _: None)
    checks = boards.verify(task, row)
    return checks_table(checks), all(check.matches for check in checks)


def _report(task: str, store: Path) -> str:
    """In a process of its own: nothing that it prints meets the screen."""
    import subprocess

    command = [sys.executable, "-m", "discover.cli", "report", task, "--store", str(store)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600, check=False)
    told = " ".join(done.stderr.split())
    if done.returncode:
        raise DiscoverError(told or f"discover report ended with code {done.returncode}")
    written = [line.removeprefix("written: ") for line in done.stderr.splitlines() if line.startswith("written: ")]
    if written:
        _open(Path(written[0]))
    return told


def _open(page: Path) -> None:
    """In a browser with a window of its own; one that runs in the terminal would draw over the screen."""
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser:
        browser.open(page.resolve().as_uri())
