"""Where the screen reads: a store that others may be writing, and leaderboards on file for what it does not have."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from discover.errors import DiscoverError, StoreError
from discover.store import read_leaderboard
from discover.store.lookup import COMMITTED
from discover.store.watch import MOST_AT_ONCE, RunNow, Watch
from discover.task import list_tasks, load_task
from discover.tui.app.entries import Entry, candidate, ranked

if TYPE_CHECKING:
    from discover.store.watch import Found
    from discover.task import Task

_GENERATIONS = 8
_LOOK_AT_LEAST_SECONDS = 5.0  # a run that was killed writes nothing that would tell


class Source:
    """What is known of every task; of each only what is asked for is read.

    Args:
        store: May be missing: it is looked for again every time.

    Raises:
        StoreError: A file that is no store of this version.
    """

    def __init__(self, store: Path) -> None:
        self.store = store
        self._watch: Watch | None = None
        self._version, self._looked = -1, 0.0
        self._tasks: dict[tuple[str, str], Task | str] = {}
        self.changed()

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def changed(self) -> bool:
        """Whether there may be something new since it was asked last.

        Raises:
            StoreError: The store cannot be read.
        """
        if self._watch is None:
            if not self.store.exists():
                return False
            self._watch = Watch(self.store)
        version, now = self._watch.version(), time.monotonic()
        if version == self._version and now - self._looked < _LOOK_AT_LEAST_SECONDS:
            return False
        self._version, self._looked = version, now
        return True

    def tasks(self) -> tuple[str, ...]:
        """Tasks with runs, those run last first; then those with a leaderboard on file, then the others."""
        names = dict.fromkeys(self._watch.tasks() if self._watch is not None else ())
        for folder in self._folders():
            names |= dict.fromkeys(sorted(path.parent.name for path in folder.glob("*/leaderboard.json")))
        names |= dict.fromkeys(list_tasks())
        return tuple(names)

    def entries(self, task: str, every_candidate: bool = False) -> tuple[Entry, ...]:
        """The newest leaderboard of `task` and, while a newer run goes on, its front.

        Args:
            every_candidate: Instead the best candidates of the newest run, at most 500.
        """
        run = self.run(task)
        if self._watch is not None and run is not None and every_candidate:
            return tuple(candidate(found, run.id) for found in self._watch.best(run.id, MOST_AT_ONCE))
        rows = self._watch.leaderboard(task) if self._watch is not None else ()
        rows = rows or self._on_file(task)
        entries = [ranked(row) for row in rows]
        if self._watch is not None and run is not None and run.batch is not None and not run.ended:
            entries += [candidate(found, run.id) for found in self._watch.found(run.id, run.batch.front)]
        return tuple(entries)

    def run(self, task: str) -> RunNow | None:
        """The newest run of `task`."""
        return self._watch.newest_run(task) if self._watch is not None else None

    def ancestors(self, entry: Entry) -> dict[int, Found]:
        """Number -> candidate, of all that a law descends from; empty where its run is not in the store."""
        if self._watch is None or not entry.run:
            return {}
        return self._watch.ancestors(entry.run, entry.parents, _GENERATIONS)

    def task(self, name: str, run: str) -> Task | str:
        """The task of a law, or why it cannot be had."""
        folder = self._watch.folder(run) if self._watch is not None and run else ""
        if (name, folder) not in self._tasks:
            self._tasks[name, folder] = _loaded(folder, name)
        return self._tasks[name, folder]

    def _on_file(self, task: str) -> tuple[dict[str, object], ...]:
        for folder in self._folders():
            path = folder / task / "leaderboard.json"
            if path.is_file():
                try:
                    return read_leaderboard(path)
                except StoreError:
                    continue  # a damaged file of one task does not close the screen
        return ()

    def _folders(self) -> tuple[Path, ...]:
        return tuple(dict.fromkeys((self.store.parent.resolve(), COMMITTED)))


def _loaded(folder: str, name: str) -> Task | str:
    told = ""
    for place in filter(None, (folder, name)):
        try:
            return load_task(place)
        except DiscoverError as error:
            told = str(error)
    return told
