"""A run while it goes: a live screen on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from discover.tui.tables import front_table, summary_line
from discover.tui.words import count, duration

_FRONT_ROWS = 8
_SECONDS_BETWEEN_LINES = 10.0


class PlainLines:
    """A line now and then, and one for the end."""

    def __init__(self, console: Any) -> None:
        self.console = console
        self._last_time = -_SECONDS_BETWEEN_LINES
        self._unsaid: str | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()

    def show(self, generation: Any) -> None:
        self._unsaid = summary_line(generation)
        if time.monotonic() - self._last_time >= _SECONDS_BETWEEN_LINES:
            self._flush()

    def _flush(self) -> None:
        if self._unsaid is not None:
            line, self._unsaid, self._last_time = self._unsaid, None, time.monotonic()
            self.say(line)

    def say(self, line: str) -> None:
        self._flush()
        self.console.print(line, soft_wrap=True)

    def abandon(self) -> None:
        """Called when the process ends without leaving the `with` block: there is nothing to restore."""


class LiveScreen:
    """Candidates, time left, best law, front, proposers' shares and failures, redrawn in place."""

    def __init__(self, console: Any, task: str, budget: Any, spent_seconds: float = 0.0) -> None:
        from rich.live import Live

        self.task, self.budget = task, budget
        self._generation: Any = None
        self._started = time.monotonic() - spent_seconds  # by the run before it was killed
        self._live = Live(console=console, get_renderable=self._view, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()
        if self._generation is not None and kind is None:
            self.say(summary_line(self._generation))

    def show(self, generation: Any) -> None:
        self._generation = generation

    def say(self, line: str) -> None:
        self._live.console.print(line)

    def abandon(self) -> None:
        """Gives the terminal its cursor back."""
        self._live.console.show_cursor(True)

    def _view(self) -> Any:
        from rich.console import Group
        from rich.text import Text

        generation, elapsed = self._generation, time.monotonic() - self._started
        head = Text(f"{self.task}  {progress_text(self.budget, generation, elapsed)}", style="bold")
        if generation is None:
            return Group(head, Text("no candidate yet"))
        shares = ", ".join(f"{name} {share:.0%}" for name, share in generation.shares.items())
        failures = ", ".join(f"{number:,} {reason}" for reason, number in generation.failures.items())
        summary = Text(summary_line(generation), no_wrap=True, overflow="ellipsis")
        lines = [summary, Text(f"proposers: {shares or '-'}", style="dim")]
        lines += [Text(f"failed: {failures}", style="dim")] if failures else []
        return Group(head, *lines, front_table(generation.front, _FRONT_ROWS), Text("Ctrl-C ends with what was found"))


def progress_text(budget: Any, generation: Any, elapsed: float) -> str:
    """`1:12 of 2:00 left`, as the budget counts: in seconds or in candidates."""
    done = 0 if generation is None else generation.n_candidates
    if budget.seconds is not None:
        return f"{count(done, 'candidate')}, {duration(budget.seconds - elapsed)} left"
    left = elapsed / done * (budget.candidates - done) if done else None
    told = f"{done:,} of {count(budget.candidates, 'candidate')}"
    return told if left is None else f"{told}, about {duration(left)} left"
