"""Who runs a run: a lock that the system takes back when the process dies, however it dies."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from discover.errors import ResumeError, StoreError


def _path(store: Path, run: str) -> Path:
    return store.parent / f".{store.name}.{run}.lock"


def _taken(handle: int) -> bool:
    """Whether another process holds the lock; takes it where none does."""
    try:
        import fcntl
    except ImportError:  # Windows: two processes on one run are not told apart
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


@contextmanager
def held(store: Path, run: str) -> Iterator[None]:
    """Holds the lock of a run meanwhile.

    Raises:
        ResumeError: Another process holds it: the run is still going.
        StoreError: The lock cannot be written beside the store.
    """
    path = _path(store, run)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)  # not inherited by the workers
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror}); use --store") from None
    try:
        if _taken(handle):
            raise ResumeError(f"run {run}: still going in another process; wait for it, or end it with Ctrl-C there")
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                path.unlink()
    finally:
        os.close(handle)


def is_held(store: Path, run: str) -> bool:
    """Whether a process is at work on a run."""
    try:
        handle = os.open(_path(store, run), os.O_RDWR)
    except OSError:
        return False
    try:
        return _taken(handle)
    finally:
        os.close(handle)
