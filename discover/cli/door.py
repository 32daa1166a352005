"""The door of the command line: finds the verb, and turns every failure into one line and an exit code."""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from discover.errors import DiscoverError, did_you_mean, shown

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

MISTAKE, INTERRUPTED, BROKEN_PIPE = 2, 130, 141
_LONGEST_MISTAKE = 1000  # characters
_OF_THE_DISK = (errno.ENAMETOOLONG, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG)


class Verb(click.Command):
    """A command that also takes --debug."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.params.append(debug_option())


class Door(click.Group):
    """The group of verbs: offers close matches, and turns every failure into one line and an exit code."""

    def __init__(self, *arguments: Any, verbs: Mapping[str, str], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._verbs:
            return None
        verb: click.Command = getattr(importlib.import_module(f"discover.cli.{cmd_name}"), cmd_name)
        return verb

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in `--help`, without importing any verb."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._verbs.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs that begin so, none of them imported; options of the group."""
        from click.shell_completion import CompletionItem

        found = [CompletionItem(verb, help=told) for verb, told in self._verbs.items() if verb.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in self._verbs:
            ctx.fail(f"unknown command {name!r}{did_you_mean(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)

    def main(self, args: Sequence[str] | None = None, *rest: Any, **settings: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal that has no ± shows a question mark
        settings |= {"standalone_mode": False, "prog_name": "discover"}
        _DEBUG.clear()
        try:
            with _heard():
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


class CtrlC(KeyboardInterrupt):
    """Ctrl-C. A class of its own, since CPython marks a process in which a plain KeyboardInterrupt crosses an
    `exec` (every dataclass has some) to die of the signal, whatever exit code it asks for later."""


_PRESSED: list[int] = []


@contextmanager
def _heard() -> Iterator[None]:
    """Ctrl-C raises `CtrlC`, and is remembered: libraries swallow some of those that come while they are imported."""
    import threading

    _PRESSED.clear()
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, _ctrl_c)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _ctrl_c(signal_number: int, frame: object) -> None:
    _PRESSED.append(signal_number)
    raise CtrlC


def stop_if_pressed() -> None:
    """Raises CtrlC where a Ctrl-C came earlier, and whoever it reached kept it."""
    if _PRESSED:
        raise CtrlC


_DEBUG: list[bool] = []  # filled by --debug, wherever it stands on the line


def debug_option() -> click.Option:
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
        told = error.format_message()  # with what was typed, however long
        if len(told) > _LONGEST_MISTAKE:
            told = f"{told[: _LONGEST_MISTAKE // 2]} ... {told[-_LONGEST_MISTAKE // 2 :]}"
        message = f"{told} (see: {verb} --help)"
    elif isinstance(error, DiscoverError):
        message = str(error)
    elif isinstance(error, OSError) and error.errno in _OF_THE_DISK and error.filename is not None:
        message = f"{shown(str(error.filename), 200)[1:-1]}: {error.strerror}"
    else:
        place = "run again with --debug to see where"
        click.echo(f"discover: internal error: {type(error).__name__}: {one_line(error)}; {place}", err=True)
        return 1
    click.echo(f"discover: {one_line(message)}", err=True)
    return MISTAKE


def one_line(message: object) -> str:
    return " ".join(str(message).split())
