"""What the shell completes: tasks and laws (verbs are completed by the door).

In: the start of a word. Out: what it may become. Only names of files and leaderboards are read, and no room is
imported: a key press is answered before one would be loaded. What cannot be read completes to nothing.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from click import Context, Parameter

_CHECKOUT = Path(__file__).resolve().parents[2]
_LARGEST_LEADERBOARD = 20_000_000  # bytes; read at a key press
_NAME = re.compile(r"[\w.+-]{1,200}")  # what a shell takes as one plain word
_LAW = re.compile(r"[\w.+-]{1,200}-[0-9a-f]{8}")


def complete_task(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of tasks, and folders here that are tasks; a path completes to folders."""
    given = set(context.params.get(str(parameter.name)) or ()) if parameter.nargs == -1 else set()
    found = [
        CompletionItem(name)
        for name in sorted({*_tasks(Path(), Path("tasks"), _CHECKOUT / "tasks")} - given)
        if name.startswith(incomplete)
    ]
    return found or [CompletionItem(incomplete, type="dir")]


def complete_law(context: Context, parameter: Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of laws on the newest leaderboards; TASK/RANK where a slash has been typed."""
    found: dict[str, str] = {}
    for row in _rows(_results(context)):
        law, task, rank = row.get("law"), row.get("task"), row.get("rank")
        if not (isinstance(law, str) and isinstance(task, str) and isinstance(rank, int) and _LAW.fullmatch(law)):
            continue
        told = f"rank {rank} of {task}" if _NAME.fullmatch(task) else ""
        if "/" not in incomplete:
            found.setdefault(law, told)
        elif told:
            for name in (law.rpartition("-")[0], task):
                found.setdefault(f"{name}/{rank}", law)
    return [CompletionItem(text, help=told) for text, told in found.items() if text.startswith(incomplete)]


def _tasks(*folders: Path) -> Iterator[str]:
    for folder in folders:
        try:
            yield from (file.parent.name for file in folder.glob("*/task.toml") if _NAME.fullmatch(file.parent.name))
        except OSError:
            continue


def _results(context: Context) -> list[Path]:
    """Where leaderboards are: beside the store that was named, and those that come with a checkout."""
    store = context.params.get("store_path") or os.environ.get("DISCOVER_STORE") or "results/discover.sqlite"
    return list(dict.fromkeys((Path(store).parent.resolve(), _CHECKOUT / "results")))


def _rows(folders: list[Path]) -> Iterator[dict[str, Any]]:
    for path in (path for folder in folders for path in sorted(folder.glob("*/leaderboard.json"))):
        try:
            if path.stat().st_size > _LARGEST_LEADERBOARD:
                continue
            rows = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            continue
        yield from (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()
