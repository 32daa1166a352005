"""Runs of a benchmark, each a `discover run` of its own: begun, resumed, waited for, or found finished."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from discover.benchmark.curve import curve, spent
from discover.benchmark.figures import Asked, models_of
from discover.errors import DiscoverError
from discover.store import Run, Store, calls_of, short_name, task_digest, to_json, versions
from discover.task import load_task

LLM = "llm"  # in the name of an arm: it asks the language models of the line
_ROOT = Path(__file__).resolve().parents[2]
_THREAD_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
_MISTAKE = 2  # the exit code of a refusal


def arms_named(text: str, plain: Sequence[str]) -> dict[str, str]:
    """Arm -> proposers, for a comma-separated list of arms.

    `auto` is what every search uses, `none` the `plain` portfolio, without engine and language model,
    `families+mutation` exactly these; any other name, such as `operon`, is the plain portfolio with that proposer.
    `llm` stands for the language models of the line, alone (`llm`: the plain portfolio and these) or among others
    (`families+llm`); they are no proposers that `--proposers` knows, so `asks_models` says it of an arm.
    """
    arms = {}
    for arm in dict.fromkeys(name.strip() for name in text[:1000].split(",")):
        names = [name for name in arm.split("+") if name != LLM]
        if arm == "auto":
            arms[arm] = "auto"
        elif arm == "none" or not names:
            arms[arm] = ",".join(plain)
        elif "+" in arm or arm in plain:
            arms[arm] = ",".join(names)
        else:
            arms[arm] = ",".join((*plain, arm))
    return arms


def asks_models(arm: str) -> bool:
    """Whether the language models of the line take part in the arm of that name."""
    return LLM in arm.split("+")


class Runs:
    """Where the runs of a benchmark are kept, and the processes that are at work.

    Args:
        folder: Each run has a folder in it, with its store and its leaderboard.
        workers: Of each run; None for one per core.
    """

    def __init__(self, folder: Path, workers: int | None) -> None:
        self.folder, self.workers = folder, workers
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def place(self, asked: Asked) -> Path:
        return self.folder / asked.arm / f"{short_name(asked.task)}-{asked.seed}"

    def figure(self, asked: Asked) -> dict[str, Any]:
        """The record of a run, which is begun or resumed where it has not been finished.

        Raises:
            DiscoverError: The run failed; says with what.
        """
        store = self.place(asked) / "discover.sqlite"
        digest, fresh = task_digest(load_task(asked.folder)), False
        made = False
        while not self._stopped:
            run = None if fresh else _newest(store, asked, digest)
            if run is not None and run.status == "complete":
                return self._record(asked, store, run)
            if run is not None and _is_worked_on(store, run):
                time.sleep(1.0)  # left over from a benchmark that was killed: it will finish
                continue
            if made and run is None:  # to begin once more could go on for ever, and a language model has its price
                raise DiscoverError(
                    f"{asked}: the run that ended is not the one that was asked for; did the code, the task or the "
                    "file of --llm-profiles change meanwhile? Give the command again"
                )
            code, told = self._process(asked, store, None if run is None else run.id)
            if code == _MISTAKE and run is not None:
                fresh = True  # it cannot go on: another version of discover, say
                continue
            if code != 0:
                raise DiscoverError(f"{asked}: discover run ended with code {code}: {told}")
            fresh, made = False, True
        raise DiscoverError(f"{asked}: stopped")

    def stop(self) -> None:
        """Ends the processes at once; what they kept is resumed by the next benchmark."""
        with self._lock:
            self._stopped = True
            for process in self._processes:
                process.kill()

    def copy_leaderboard(self, asked: Asked, folder: Path) -> None:
        """The leaderboard of a finished run, as files in `folder`/TASK."""
        target = folder / asked.task
        target.mkdir(parents=True, exist_ok=True)
        for path in (self.place(asked) / asked.task).glob("leaderboard.*"):
            shutil.copy(path, target / path.name)

    def _process(self, asked: Asked, store: Path, run: str | None) -> tuple[int, str]:
        """Begins or resumes a run and waits for it; gives its exit code and the last line that it said."""
        command = [sys.executable, "-m", "discover.cli", "run", asked.folder, "--quiet", "--store", str(store)]
        command += ["--workers", str(self.workers)] if self.workers else []
        if run is None:
            command += ["--budget", asked.budget, "--seed", str(asked.seed), "--proposers", asked.proposers]
            command += asked.options
        else:
            command += ["--resume", run]
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        env = {**dict.fromkeys(_THREAD_LIMITS, "1"), **os.environ, "PYTHONPATH": os.pathsep.join(paths)}
        store.parent.mkdir(parents=True, exist_ok=True)
        # A file, not a pipe: a run goes on when the benchmark is killed.
        said = store.parent / "run.log"
        with said.open("w", encoding="utf-8") as log:
            with self._lock:
                if self._stopped:
                    raise DiscoverError(f"{asked}: stopped")
                # Ctrl-C is for the benchmark: a run that heard it would end early, and count as finished.
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    env=env,
                    start_new_session=True,
                )
                self._processes.add(process)
            code = process.wait()
        with self._lock:
            self._processes.discard(process)
        lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return code, (lines or ["nothing said"])[-1][:500]

    def _record(self, asked: Asked, store: Path, run: Run) -> dict[str, Any]:
        with Store(store) as opened:
            rows = opened.rows(run=run.id)
            batches, resumed = opened.batches(run.id), len(opened.resumptions(run.id))
            calls = calls_of(opened, run.id)
            rising = curve(batches, opened.candidates(run.id), calls)
        models = models_of(run.options.get("language_models", {}))
        chosen = next((row for row in rows if row["chosen"]), None)
        if chosen is None:
            raise DiscoverError(f"{asked}: the run found no law ({store})")
        human = [r["held_out_r2"] for r in rows if r["origin"] == "human" and r["name"].endswith("refitted")]
        told = ("formula", "recipe", "complexity", "validation_r2", "held_out_r2", "proposer")
        return {
            "task": short_name(asked.task),
            "seed": asked.seed,
            "arm": asked.arm,
            "budget": asked.budget,
            "workers": run.options["workers"],
            "seconds": round(batches[-1].elapsed_seconds, 1),
            "candidates": run.candidates,
            **{name: chosen[name] for name in told},
            "human_refitted": max(human, default=None),
            "proposers": run.options["proposers"],
            **({"language_models": models} if models else {}),
            "spent": spent(calls),
            "curve": rising,
            "resumed": resumed,
            "started": run.started,
            "versions": run.versions,
            "commit": _commit(),
            "machine": f"{platform.machine()}, {_cores()} cores",
        }


def _newest(store: Path, asked: Asked, digest: str) -> Run | None:
    """The newest run of a store that is what is asked for, finished or to be finished, with the versions of now."""
    if not store.exists() or store.stat().st_size == 0:
        return None
    here = versions()
    with Store(store, create=True) as opened:
        for run in opened.runs(asked.task):
            same = (run.seed, run.budget, run.digest) == (asked.seed, asked.budget, digest)
            # A run goes on with the models, limits and addresses that it began with.
            same &= to_json(run.options.get("language_models", {})) == to_json(asked.language_models)
            if same and run.status in ("", "complete") and run.versions == here:
                return run
    return None


def _is_worked_on(store: Path, run: Run) -> bool:
    with Store(store) as opened:
        return opened.is_worked_on(run.id)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _commit() -> str:
    """The commit of the checkout that this package stands in; "" where it stands in none."""
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--exclude", "*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
