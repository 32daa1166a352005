"""The process that runs PySR, and with it Julia; started as a script, for it must import PySR before anything else.

In, on standard input, one JSON object a line: a search to do. Out, on the stream that was standard output, one JSON
object a line: `ready`, then for each search `hall_of_fame` (the text of the CSV, whenever it has changed), `refused`
where it went on without guesses, and `finished` or `failed`. It imports the standard library and PySR, nothing of this
project. A second process guards it: when the owner is gone, however it ended, the guard ends the whole group, whatever
Julia is doing.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import threading
from typing import Any, TextIO

LARGEST_FILE = 1_000_000  # bytes
LOOK_SECONDS = 1.0


def main() -> None:
    lifeline = int(sys.argv[1])
    _guard(lifeline)
    # Julia and whatever it calls may print: the protocol gets a stream of its own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        import pysr
    except BaseException as error:
        _tell(answers, event="failed", search=0, reason=_reason(error))
        raise SystemExit(1) from None
    _tell(answers, event="ready", version=str(getattr(pysr, "__version__", "unknown")))
    for line in sys.stdin:
        job = json.loads(line)
        try:
            _search(pysr, job, answers)
        except Exception as error:
            _tell(answers, event="failed", search=job["search"], reason=_reason(error))
        else:
            _tell(answers, event="finished", search=job["search"])


def _search(pysr: Any, job: dict[str, Any], answers: TextIO) -> None:
    import numpy as np

    settings = dict(job["settings"])
    settings["operators"] = {int(arity): names for arity, names in settings["operators"].items()}
    # A limit for each argument is a tuple to PySR; JSON has lists.
    settings["constraints"] = {
        name: tuple(size) if isinstance(size, list) else size for name, size in settings["constraints"].items()
    }
    if job["template"]:
        settings["expression_spec"] = pysr.TemplateExpressionSpec(**job["template"])
    file = os.path.join(settings["output_directory"], settings["run_id"], "hall_of_fame.csv")
    table = {name: np.array(job["table"][name], dtype=float) for name in ("X", "y", "weights")}

    def fit(guesses: list[Any] | None) -> None:
        model = pysr.PySRRegressor(**settings, guesses=guesses)
        model.fit(table["X"], table["y"], weights=table["weights"], variable_names=job["table"]["columns"])

    over = threading.Event()
    watch = threading.Thread(target=_watch, args=(file, job["search"], answers, over), daemon=True)
    watch.start()
    try:
        try:
            fit(job["guesses"] or None)
        except Exception as error:
            if not job["guesses"]:
                raise
            # A guess that PySR cannot read must not cost the search, nor go unsaid.
            _tell(answers, event="refused", search=job["search"], reason=_reason(error))
            fit(None)
    finally:
        over.set()
        watch.join()


def _watch(file: str, search: int, answers: TextIO, over: threading.Event) -> None:
    """Sends the hall of fame whenever it has changed, and once more at the end."""
    sent = ""
    while True:
        is_last = over.wait(LOOK_SECONDS)
        text = _read(file)
        if text and text != sent:
            _tell(answers, event="hall_of_fame", search=search, csv=text)
            sent = text
        if is_last:
            return


def _read(file: str) -> str:
    """The file or its copy, whichever is whole: PySR writes both in place, one after the other."""
    texts = []
    for name in (file, file + ".bak"):
        with contextlib.suppress(OSError), open(name, "rb") as stream:
            texts.append(stream.read(LARGEST_FILE).decode("utf-8", "replace"))
    return max(texts, key=lambda text: (text.endswith("\n"), len(text)), default="")


_LOCK = threading.Lock()


def _tell(answers: TextIO, **event: Any) -> None:
    with _LOCK:
        answers.write(json.dumps(event) + "\n")
        answers.flush()


def _reason(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def _guard(lifeline: int) -> None:
    """Forks the guard. `lifeline` is the reading end of a pipe whose other end the owner holds and never writes to."""
    if not hasattr(os, "fork"):  # Windows: the worker ends with its standard input, once a search is over
        return
    worker = os.getpid()
    if os.fork() == 0:
        try:
            for stream in (0, 1, 2):  # held here, the owner would wait for their end
                with contextlib.suppress(OSError):
                    os.close(stream)
            while os.getppid() == worker:
                gone, _, _ = select.select([lifeline], [], [], 1.0)
                if gone and os.getpgid(0) == worker:  # else the group is not the worker's to end
                    os.killpg(worker, signal.SIGKILL)
                elif gone:
                    os.kill(worker, signal.SIGKILL)
        finally:
            os._exit(0)
    os.close(lifeline)


if __name__ == "__main__":
    main()
