"""The SQLite file: opening it, refusing what is not ours, and transactions. Errors leave as `StoreError`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from discover.errors import StoreError
from discover.store.migrations import MIGRATIONS

APPLICATION = 0x64736376  # "dscv" in SQLite's application_id: tells our files from those of other programs
PATIENCE_SECONDS = 30.0  # how long a writer waits for another process's transaction

_HEADER = b"SQLite format 3\0"


class Database:
    """One connection; transactions are explicit, and every SQLite error names the file."""

    def __init__(self, path: Path, *, create: bool) -> None:
        self.path = path
        new = _is_new(path, create)
        with _as_store_errors(path):
            uri = path.resolve().as_uri()
            self.connection = sqlite3.connect(
                uri if new else f"{uri}?mode=rw", uri=True, timeout=PATIENCE_SECONDS, isolation_level=None
            )
        try:
            self._prepare(create)
        except BaseException:
            self.connection.close()
            raise

    def _prepare(self, create: bool) -> None:
        with _as_store_errors(self.path):
            if self._pragma("application_id") != APPLICATION:
                self._claim(create)
            version = self._pragma("user_version")
            if version > len(MIGRATIONS):
                raise StoreError(
                    f"{self.path}: a store of version {version}, this discover reads {len(MIGRATIONS)}; "
                    "install a newer discover, or name another file with --store"
                )
            if version < len(MIGRATIONS):
                with self.writing():
                    for step in MIGRATIONS[self._pragma("user_version") :]:
                        step(self.connection)
                    self.connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            self.connection.execute("PRAGMA foreign_keys = ON")
            self.connection.execute("PRAGMA synchronous = NORMAL")  # with WAL: a crash never damages the file

    def _claim(self, create: bool) -> None:
        """Makes an empty file ours; a file that holds anything else is refused untouched."""
        if self.connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            # Another process may have claimed it since the first look.
            if self._pragma("application_id") == APPLICATION:
                return
            raise StoreError(f"{self.path}: a SQLite file of another program; name another file with --store")
        if not create:
            raise StoreError(f"{self.path}: an empty store; make a run first, with: discover run TASK")
        self._use_write_ahead_log()
        with self.writing():
            self.connection.execute(f"PRAGMA application_id = {APPLICATION}")

    def _use_write_ahead_log(self) -> None:
        # This one pragma does not wait for other processes by itself.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self.connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _pragma(self, name: str) -> int:
        return int(self.connection.execute(f"PRAGMA {name}").fetchone()[0])

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is kept, or nothing."""
        with _as_store_errors(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        with _as_store_errors(self.path):
            yield self.connection

    def close(self) -> None:
        self.connection.close()


def _is_new(path: Path, create: bool) -> bool:
    """Whether the file is still to be made; refuses folders, files that are not SQLite, and missing ones."""
    if path.is_dir():
        raise StoreError(f"{path}: a folder, expected a store file; name one with --store")
    try:
        with path.open("rb") as file:
            start = file.read(len(_HEADER))
    except FileNotFoundError:
        if not create:
            raise StoreError(f"{path}: no store there; make a run first, with: discover run TASK") from None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path}: its folder cannot be made ({error.strerror}); use --store") from None
        return True
    except OSError as error:
        raise StoreError(f"{path}: cannot be read ({error.strerror}); name another with --store") from None
    if start and start != _HEADER:
        raise StoreError(f"{path}: not a store (no SQLite file); name another with --store")
    return False


@contextmanager
def _as_store_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise StoreError(f"{path}: refused: {error}") from error
    except sqlite3.OperationalError as error:
        raise StoreError(f"{path}: {error}; is it in use, read-only or the disk full?") from error
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path}: damaged ({error}); restore a copy, or name another with --store") from error
