"""The owner's end of the worker process: start it, send it searches, take its events, and end it for certain.

In: jobs as JSON. Out: events, each checked before it counts. The worker leads a process group of its own, so that
Ctrl-C in a terminal does not reach it and ending it ends what Julia started; a pipe that only the owner holds tells the
worker's guard when the owner is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from discover.proposers.pysr.julia import OFFLINE

LONGEST_LINE = 4_000_000  # bytes
_WORKER = Path(__file__).with_name("worker.py")
_EVENTS: dict[str, dict[str, type]] = {
    "ready": {"version": str},
    "hall_of_fame": {"search": int, "csv": str},
    "finished": {"search": int},
    "refused": {"search": int, "reason": str},
    "failed": {"search": int, "reason": str},
}


class Worker:
    """A running worker.

    Attributes:
        folder: Where PySR writes; gone once the worker is closed.
    """

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="discover-pysr-"))
        self._errors = (self.folder / "errors.txt").open("wb")
        self._events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        given = {OFFLINE: "yes", "PYTHON_JULIACALL_HANDLE_SIGNALS": "yes", **environment}
        lifeline, self._held = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_WORKER), str(lifeline)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=given,
                pass_fds=(lifeline,) if os.name == "posix" else (),
                start_new_session=True,
            )
        except OSError:
            os.close(self._held)
            self._errors.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        finally:
            os.close(lifeline)
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def send(self, job: Mapping[str, Any]) -> None:
        """One search; what comes of it comes as events. Never waits: a thread writes, for the pipe may be full."""
        line = (json.dumps(job) + "\n").encode()
        threading.Thread(target=self._write, args=(line,), daemon=True).start()

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):  # gone: the reader says so
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def events(self, patience_seconds: float = 0.0) -> list[dict[str, Any]]:
        """What the worker said since; waits up to `patience_seconds` for the first. "ended" is the last event."""
        found: list[dict[str, Any]] = []
        with contextlib.suppress(queue.Empty):
            found.append(
                self._events.get(timeout=patience_seconds) if patience_seconds > 0 else self._events.get_nowait()
            )
            while True:
                found.append(self._events.get_nowait())
        return found

    def close(self) -> None:
        """Ends the worker and all that it started, and removes its folder. May be called twice."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)  # it leads its group
        self._process.kill()
        self._process.wait()
        if self._held >= 0:
            os.close(self._held)
            self._held = -1
        self._reader.join(timeout=5.0)
        # A stream that somebody still reads, which left the group and holds the other end, is not waited for.
        ended = () if self._reader.is_alive() else (self._process.stdout,)
        for stream in (self._process.stdin, self._errors, *ended):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _listen(self, stream: IO[bytes]) -> None:
        with contextlib.suppress(OSError, ValueError):
            while line := stream.readline(LONGEST_LINE + 1):
                if (event := event_of(line)) is not None:
                    self._events.put(event)
                if len(line) > LONGEST_LINE:
                    break
        self._events.put({"event": "ended", "reason": self._last_words()})

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            with (self.folder / "errors.txt").open("rb") as stream:
                stream.seek(max(os.fstat(stream.fileno()).st_size - 4_000, 0))
                lines = [line.strip() for line in stream.read().decode("utf-8", "replace").splitlines()]
            if said := [line for line in lines if line]:
                return "".join(c if c.isprintable() else " " for c in said[-1])[:200]
        return "it said nothing"


def event_of(line: bytes) -> dict[str, Any] | None:
    """An event as the worker sends it; None for anything else."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        event = json.loads(line)
        due = _EVENTS[event["event"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    is_due = all(type(event.get(name)) is kind for name, kind in due.items())
    return event if is_due else None
