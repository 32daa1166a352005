"""Finding a law or a leaderboard by what a user types: in the store, else in the leaderboards on file."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from discover.errors import StoreError, UnknownLawError
from discover.store.identity import short_name
from discover.store.leaderboards import read_leaderboard
from discover.store.store import Store

Row = dict[str, Any]

COMMITTED = Path(__file__).resolve().parents[2] / "results"  # the leaderboards that come with a checkout


def latest_leaderboard(task: str, store: Path, *, run: str | None = None) -> tuple[Row, ...]:
    """The newest leaderboard of `task` (or that of `run`), best row first; empty when there is none."""
    if store.exists():
        with Store(store) as opened:
            rows = opened.rows(run=run, task=task)
        if rows:
            return tuple(row for row in rows if row.get("run") == rows[0].get("run"))
    for folder in _folders(store):
        path = folder / task / "leaderboard.json"
        if path.is_file():
            rows = read_leaderboard(path)
            if run is None or rows[0].get("run") == run:
                return rows
    return ()


def find_law(text: str, store: Path) -> Row:
    """The leaderboard row that `text` names: an id, its start (with or without the task), TASK/RANK or TASK/chosen.

    Raises:
        UnknownLawError: Nothing or more than one law is named so; tells which are near.
    """
    task, slash, rank = text.partition("/")
    if slash and (rank.isdecimal() or rank == "chosen"):
        return _by_rank(task, int(rank) if rank.isdecimal() else None, text, store)
    known: dict[str, Row] = {}
    for row in _all_rows(store):
        known.setdefault(row["law"], row)
    if not known:
        raise UnknownLawError(f"law {text!r}: there is no leaderboard yet; make one with: discover run TASK")
    wanted = text.lower()
    if wanted in known:
        return known[wanted]
    starts = {law: (law, law.rpartition("-")[2]) for law in known}
    found = [law for law, ways in starts.items() if wanted and any(way.startswith(wanted) for way in ways)]
    if len(found) == 1:
        return known[found[0]]
    if found:
        shown = ", ".join(sorted(found)[:6]) + (", ..." if len(found) > 6 else "")
        raise UnknownLawError(f"law {text!r}: {len(found)} laws start so ({shown}); type more of the id")
    near = difflib.get_close_matches(wanted, known, 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "ids stand on: discover leaderboard TASK"
    raise UnknownLawError(f"law {text!r}: not on any leaderboard in {store} or {store.parent}; {hint}")


def _by_rank(task: str, rank: int | None, text: str, store: Path) -> Row:
    names = {row.get("task", "") for row in _all_rows(store)}
    name = next((n for n in names if task in (n, short_name(n))), task)
    rows = latest_leaderboard(name, store)
    for row in rows:
        if row.get("rank") == rank or (rank is None and row.get("chosen")):
            return row
    if rows:
        chosen = " and no chosen law" if rank is None else ""
        raise UnknownLawError(f"law {text!r}: the leaderboard of {name} has ranks 1 to {len(rows)}{chosen}")
    near = difflib.get_close_matches(task, [*names, *map(short_name, names)], 3, 0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"make one with: discover run {task}"
    raise UnknownLawError(f"law {text!r}: {task} has no leaderboard; {hint}")


def _all_rows(store: Path) -> Iterator[Row]:
    if store.exists():
        with Store(store) as opened:
            yield from opened.rows()
    for folder in _folders(store):
        for path in sorted(folder.glob("*/leaderboard.json")):
            try:
                yield from read_leaderboard(path)
            except StoreError:
                continue  # a damaged leaderboard of one task does not hide the laws of the others


def _folders(store: Path) -> tuple[Path, ...]:
    return tuple(dict.fromkeys((store.parent.resolve(), COMMITTED)))
