"""The console that everything is printed on: a terminal, a file or a pipe."""

from __future__ import annotations

import os
from typing import Any

WIDTH_OF_FILES = 160  # characters; a file or a pipe has no width of its own


def console(*, stderr: bool = False) -> Any:
    """A Rich console that respects NO_COLOR and COLUMNS, and leaves a broken pipe to the caller."""
    from rich.console import Console

    class Quiet(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    made = Quiet(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not made.is_terminal and not os.environ.get("COLUMNS", "").isdecimal():
        made.width = WIDTH_OF_FILES
    return made
