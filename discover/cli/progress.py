"""What a long verb needs: workers, a screen, a compiled fitter, Ctrl-C, and a record of how it ended."""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from discover.cli.door import INTERRUPTED, one_line, stop_if_pressed

if TYPE_CHECKING:
    from discover.store import Store


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def screen_for(task: str, budget: Any, quiet: bool, spent_seconds: float = 0.0, json_lines: bool = False) -> Any:
    from discover.tui import JsonLines, LiveScreen, PlainLines, console

    made = console(stderr=True)
    if json_lines:
        from discover.cli.printing import print_json_line

        return JsonLines(made, print_json_line, task, budget)
    return PlainLines(made) if quiet or not made.is_terminal else LiveScreen(made, task, budget, spent_seconds)


def ready_fitter(say: Callable[[str], None] | None = None) -> None:
    """Compiles the fitter where that has not been done; says so when it takes more than a moment."""
    import threading

    from discover.fitting import prepare

    why = "getting the fitter ready: the first command after an installation compiles it"
    notice = threading.Timer(2.0, say or functools.partial(click.echo, err=True), [why])
    notice.daemon = True
    notice.start()
    try:
        prepare()
    finally:
        notice.cancel()


@contextmanager
def recorded(store: Store, run: str) -> Iterator[Callable[[str], None]]:
    """Gives what writes how the run ended; a failure on the way is written by itself, a refusal to go on is none."""
    from discover.errors import ResumeError

    try:
        yield functools.partial(store.end_run, run)
    except ResumeError:
        raise
    except BaseException as error:
        store.end_run(run, f"failed: {type(error).__name__}: {one_line(error)[:200]}")
        raise


@contextmanager
def ctrl_c(screen: Any) -> Iterator[list[int]]:
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
        stop_if_pressed()
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _stop_at_once() -> None:
    import multiprocessing

    for worker in multiprocessing.active_children():
        worker.kill()
    sys.stderr.flush()
    os._exit(INTERRUPTED)
