"""A run while it goes: a live screen on a terminal, plain lines elsewhere, JSON for programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from discover.tui.tables import front_table, summary_line
from discover.tui.words import bar, count, duration

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


class JsonLines:
    """A JSON object on standard output for each generation, and one for the leaderboard; words go to `console`.

    The keys are promised in docs/tui.md. Numbers that are unknown or infinite are null.
    """

    def __init__(self, console: Any, write: Callable[[dict[str, Any]], None], task: str, budget: Any) -> None:
        self.console, self.write, self.task, self.budget = console, write, task, budget

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, generation: Any) -> None:
        self.write(generation_record(self.task, self.budget, generation))

    def end(self, run: str, status: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """The last object: how the run ended, and its leaderboard."""
        self.write({"event": "leaderboard", "task": self.task, "run": run, "status": status, "rows": list(rows)})

    def say(self, line: str) -> None:
        self.console.print(line, soft_wrap=True)

    def abandon(self) -> None:
        """Called when the process ends without leaving the `with` block: there is nothing to restore."""


def generation_record(task: str, budget: Any, generation: Any) -> dict[str, Any]:
    """What `--json-lines` tells of a generation."""
    best = generation.best
    return {
        "event": "generation",
        "task": task,
        "number": generation.number,
        "elapsed_seconds": generation.elapsed_seconds,
        "candidates": generation.n_candidates,
        "budget": {"seconds": budget.seconds, "candidates": budget.candidates},
        "best": None if best is None else _law_record(best),
        "front": [_law_record(candidate) for candidate in generation.front],
        "shares": dict(generation.shares),
        "won": dict(generation.won),
        "failures": dict(generation.failures),
    }


def _law_record(candidate: Any) -> dict[str, Any]:
    return {
        "number": candidate.number,
        "formula": str(candidate.law),
        "recipe": candidate.recipe.text,
        "complexity": candidate.complexity,
        "proposer": candidate.proposer,
        "parents": list(candidate.parents),
        "validation_r2": candidate.validation.r2 if candidate.validation is not None else None,
    }


class LiveScreen:
    """Candidates, time left, best law, front, proposers' shares and failures, redrawn in place."""

    def __init__(self, console: Any, task: str, budget: Any, spent_seconds: float = 0.0) -> None:
        from rich.live import Live

        self.task, self.budget, self._console = task, budget, console
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
        """What fits the terminal: a taller one would leave old lines behind when it is redrawn."""
        from rich.console import Group
        from rich.text import Text

        generation, elapsed = self._generation, time.monotonic() - self._started
        size = self._console.size
        head = Text(f"{self.task}  {progress_text(self.budget, generation, elapsed)}", style="bold")
        full = bar(spent_share(self.budget, generation, elapsed), max(min(size.width, 60), 10))
        top: list[Any] = [head, Text(full, style="cyan")]
        if generation is None:
            return Group(*top, Text("no candidate yet"))
        shares = ", ".join(
            f"{name} {share:.0%}" for name, share in sorted(generation.shares.items(), key=lambda item: -item[1])
        )
        failures = sorted(generation.failures.items(), key=lambda item: -item[1])
        told = ", ".join(f"{number:,} {reason}" for reason, number in failures)
        for line in (summary_line(generation), f"proposers: {shares or '-'}", f"failed: {told}" if told else ""):
            if line:
                top.append(Text(line, no_wrap=True, overflow="ellipsis", style="" if len(top) == 2 else "dim"))
        rows = max(min(_FRONT_ROWS, size.height - len(top) - 6), 0)  # 6: the table's frame, the last line, the cursor
        front = [front_table(generation.front, rows)] if rows else []
        return Group(*top, *front, Text("Ctrl-C ends with what was found"))


def spent_share(budget: Any, generation: Any, elapsed: float) -> float:
    """The share of the budget that is spent, 0 to 1."""
    done = 0 if generation is None else generation.n_candidates
    return min(elapsed / budget.seconds if budget.seconds is not None else done / budget.candidates, 1.0)


def progress_text(budget: Any, generation: Any, elapsed: float) -> str:
    """`1:12 of 2:00 left`, as the budget counts: in seconds or in candidates."""
    done = 0 if generation is None else generation.n_candidates
    if budget.seconds is not None:
        return f"{count(done, 'candidate')}, {duration(budget.seconds - elapsed)} left"
    left = elapsed / done * (budget.candidates - done) if done else None
    told = f"{done:,} of {count(budget.candidates, 'candidate')}"
    return told if left is None else f"{told}, about {duration(left)} left"
