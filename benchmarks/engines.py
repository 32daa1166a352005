"""`discover` beside other symbolic-regression engines: the same rows, the same wall time, one process each.

    pip install -e '.[bench,operon]'
    python -m benchmarks.engines --seconds 30                    # results/benchmark/engines.md and .json
    python -m benchmarks.engines --tasks vocab moe --engines discover pyoperon --seconds 10 --output /tmp/engines

Every engine is given the training rows without the largest level of the first scale axis, and is scored by R2 on that
level (pooled over groups, per target, then the mean, clipped to [-1, 1]). The held-out rows stay closed: they are
opened for one law over all groups, and the other engines give a formula for each group.

- discover: one law, parameters of its own for each group; `Search`, the final round and the choice, as `discover run`.
- pyoperon, gplearn, PySR: a regressor for each group and target, the time divided equally among them; where a task has
  one group, one regressor over all rows. pyoperon and PySR are given inputs divided by their geometric mean (pyoperon
  computes in single precision) and powers; gplearn, which fits no constants, also their logarithms.

An engine that is not installed is left out and named; PySR needs Julia on the path and is never made to download it.
A process that dies, or takes longer than three times its time, is a result too.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cuts import cut_top
from discover.archive import choose
from discover.evolution import Budget, Search
from discover.fitting import predict_cells, prepare
from discover.scoring import score
from discover.store.leaderboards import write_file
from discover.task import Rows, Task, load_task

ROOT = Path(__file__).resolve().parents[1]
TASKS = ("parallel", "vocab", "sft", "domain_mixture", "moe", "data_constrained", "lr_bsz", "u_shape")
_MODULES = {"pyoperon": "pyoperon.sklearn", "gplearn": "gplearn.genetic", "pysr": "pysr"}
_PATIENCE = 3.0  # times its own seconds, and a minute to start

Array = np.ndarray


@dataclass(frozen=True)
class Prediction:
    """What an engine gives: values (row,) for the rows that were cut off, and what made them, in words."""

    values: Array
    formula: str


def discover_engine(task: Task, asked: Rows, seconds: float, seed: int) -> Prediction:
    search = Search(task, Budget(seconds=seconds), seed)
    for _ in search.generations():
        pass
    choice = choose(search.finalists())
    if choice is None or choice.chosen.validation is None:
        return Prediction(np.full(asked.n_rows, np.nan), "none")
    chosen = choice.chosen
    values = predict_cells(chosen.law, chosen.validation.parameters, asked)
    return Prediction(values, f"{chosen.law} ({search.populations.count} candidates)")


Regress = Callable[[Array, Array, Array, float, int], tuple[Array, str]]


def each_cell(regress: Regress) -> Callable[[Task, Rows, float, int], Prediction]:
    """An engine that makes one regressor for each cell out of `regress(x, y, x_asked, seconds, seed)`."""

    def engine(task: Task, asked: Rows, seconds: float, seed: int) -> Prediction:
        rows = task.training
        values = np.full(asked.n_rows, np.nan)
        cells = [cell for cell in range(len(rows.cells)) if (asked.cell == cell).any()]
        formulas = []
        for cell in cells:
            mine, wanted = rows.cell == cell, asked.cell == cell
            x, x_asked = scaled(task, rows.inputs[mine], asked.inputs[wanted])
            target = rows.target[mine]
            middle, spread = float(target.mean()), float(target.std()) or 1.0
            found, formula = regress(x, (target - middle) / spread, x_asked, seconds / len(cells), seed)
            values[wanted] = middle + spread * found
            formulas.append(formula)
        return Prediction(values, formulas[0] + (f" (first of {len(cells)})" if len(cells) > 1 else ""))

    return engine


def scaled(task: Task, inputs: Array, asked: Array) -> tuple[Array, Array]:
    """Both tables (row, input), inputs on a log scale divided by their geometric mean, the others standardised."""
    first, second = inputs.astype(float).copy(), asked.astype(float).copy()
    for index, column in enumerate(task.inputs):
        if column.scale == "log":
            unit = float(np.exp(np.log(inputs[:, index]).mean()))
            first[:, index] /= unit
            second[:, index] /= unit
        else:
            spread = float(inputs[:, index].std()) or 1.0
            first[:, index] /= spread
            second[:, index] /= spread
    return first, second


def pyoperon_regress(x: Array, y: Array, asked: Array, seconds: float, seed: int) -> tuple[Array, str]:
    from pyoperon.sklearn import SymbolicRegressor

    engine = SymbolicRegressor(
        allowed_symbols="add,sub,mul,div,pow,constant,variable",
        optimizer_iterations=10,
        objectives=["r2", "length"],
        model_selection_criterion="bayesian_information_criterion",  # the default needs to be told the noise
        max_length=30,
        generations=10**6,
        max_evaluations=10**9,
        max_time=max(round(seconds), 1),  # it counts whole seconds
        random_state=seed + 1,
    )
    engine.fit(x, y)
    return np.asarray(engine.predict(asked), dtype=float), str(engine.get_model_string(engine.model_, precision=4))


def gplearn_regress(x: Array, y: Array, asked: Array, seconds: float, seed: int) -> tuple[Array, str]:
    from gplearn.genetic import SymbolicRegressor

    def with_logs(table: Array) -> Array:
        return np.hstack([table, np.log(table[:, (x > 0).all(axis=0)])])

    began = time.monotonic()
    engine = SymbolicRegressor(
        population_size=1000,
        generations=1,
        function_set=("add", "sub", "mul", "div", "sqrt", "log", "inv"),
        metric="mse",
        parsimony_coefficient=1e-4,
        random_state=seed,
        warm_start=True,
        low_memory=True,
    )
    engine.fit(with_logs(x), y)
    generations, last = 1, time.monotonic() - began
    while time.monotonic() - began + last < seconds:
        started = time.monotonic()
        generations += 1
        engine.set_params(generations=generations)
        engine.fit(with_logs(x), y)
        last = time.monotonic() - started
    return np.asarray(engine.predict(with_logs(asked)), dtype=float), str(engine._program)


def pysr_regress(x: Array, y: Array, asked: Array, seconds: float, seed: int) -> tuple[Array, str]:
    from pysr import PySRRegressor

    engine = PySRRegressor(
        binary_operators=["+", "-", "*", "/", "^"],
        constraints={"^": (-1, 1)},
        maxsize=30,
        niterations=10**6,
        timeout_in_seconds=max(seconds, 1.0),
        random_state=seed,
        deterministic=True,
        parallelism="serial",
        temp_equation_file=True,
        verbosity=0,
        progress=False,
    )
    engine.fit(x, y)
    return np.asarray(engine.predict(asked), dtype=float), str(engine.sympy())


ENGINES: dict[str, Callable[[Task, Rows, float, int], Prediction]] = {
    "discover": discover_engine,
    "pyoperon": each_cell(pyoperon_regress),
    "gplearn": each_cell(gplearn_regress),
    "pysr": each_cell(pysr_regress),
}


def absent(engine: str) -> str:
    """Why an engine cannot run here; "" where it can."""
    if engine == "discover":
        return ""
    if find_spec(engine) is None:
        return "not installed"
    if engine == "pysr" and shutil.which("julia") is None:
        return "no julia on the path"
    return ""


def run(engine: str, name: str, seconds: float, seed: int) -> dict[str, Any]:
    """One engine on one task; called in a process of its own."""
    warnings.filterwarnings("ignore")
    if engine == "discover":
        prepare()
    elif engine in _MODULES:
        import_module(_MODULES[engine])  # before the clock starts: seconds, on a busy machine
    task, asked, cut = cut_top(load_task(f"{name}_scaling"))
    began, used = time.monotonic(), time.process_time()
    with np.errstate(all="ignore"):
        found = ENGINES[engine](task, asked, seconds, seed)
    elapsed, used = time.monotonic() - began, time.process_time() - used
    reached = score(asked, found.values, task.training)
    return {
        "engine": engine, "task": name, "seconds_asked": seconds, "seed": seed, "cut": cut, "cells": len(task.cells),
        "training_rows": task.training.n_rows, "scored_rows": asked.n_rows, "r2": reached.r2,
        "r2_clipped": reached.r2_clipped, "seconds": round(elapsed, 1), "cpu_seconds": round(used, 1),
        "formula": found.formula[:400], "failure": "",
    }  # fmt: skip


def guarded(engine: str, name: str, seconds: float, seed: int) -> dict[str, Any]:
    """`run` in a process that may die or hang."""
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    failure = ""
    try:
        return pool.submit(run, engine, name, seconds, seed).result(timeout=_PATIENCE * seconds + 60.0)
    except BrokenProcessPool:
        failure = "its process died"
    except TookTooLong:
        failure = "took more than three times its time"
        for process in list(pool._processes.values()):
            process.kill()
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    asked = {"engine": engine, "task": name, "seconds_asked": seconds, "seed": seed}
    return {**asked, "r2": None, "r2_clipped": -1.0, "failure": " ".join(failure.split())[:200]}


def table(results: Sequence[Mapping[str, Any]], missing: Mapping[str, str], command: str) -> str:
    """The report as Markdown: mean over seeds of R2 on the cut, clipped to [-1, 1]."""
    done = [e for e in ENGINES if any(r["engine"] == e for r in results)]
    tasks = [t for t in TASKS if any(r["task"] == t for r in results)]
    seeds = sorted({r["seed"] for r in results})

    def mean(engine: str, task: str) -> float | None:
        values = [r["r2_clipped"] for r in results if (r["engine"], r["task"]) == (engine, task)]
        return float(np.mean(values)) if values else None

    versions = []
    for package in ("pyoperon", "gplearn", "pysr"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    lines = [
        "# Engines", "",
        f"Made by `{command}`; figures in `engines.json`. Python {platform.python_version()}, {', '.join(versions)}. "
        f"Seeds {', '.join(map(str, seeds))}.",
        "", *(__doc__ or "").strip().split("\n\n", 2)[2].splitlines(), "",
        f"| R2 on the cut | {' | '.join(tasks)} | mean |", "|---" * (len(tasks) + 2) + "|",
    ]  # fmt: skip
    for engine in done:
        values = [mean(engine, task) for task in tasks]
        whole = f"{np.mean([v for v in values if v is not None]):.3f}" if None not in values else "-"
        lines.append(f"| {engine} | {' | '.join('-' if v is None else f'{v:.4f}' for v in values)} | {whole} |")
    lines += [f"| {engine} | " + "left out: " + why + " |" * (len(tasks) + 1) for engine, why in missing.items()]
    lines += [
        "",
        "Seconds are of the wall and of the processor: where other work ran beside, an engine got less than its time.",
        "",
        "| task | engine | seed | cut | rows fitted, scored | R2 | seconds, wall and CPU | formula |",
        "|---" * 8 + "|",
    ]
    for r in sorted(results, key=lambda r: (TASKS.index(r["task"]), list(ENGINES).index(r["engine"]), r["seed"])):
        told = r["failure"] or f"`{r['formula'].replace('|', '/')}`"
        cut, rows, r2, seconds = "-", "-", "-", "-"
        if not r["failure"]:
            cut, rows = r["cut"], f"{r['training_rows']}, {r['scored_rows']}"
            r2, seconds = f"{r['r2']:.4f}", f"{r['seconds']:.0f}, {r['cpu_seconds']:.0f}"
        lines.append(f"| {r['task']} | {r['engine']} | {r['seed']} | {cut} | {rows} | {r2} | {seconds} | {told} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="of wall time, for each engine and task")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--engines", nargs="+", choices=list(ENGINES), default=list(ENGINES))
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "benchmark")
    parser.add_argument("--fresh", action="store_true", help="run again what engines.json has already")
    arguments = parser.parse_args()
    missing = {engine: why for engine in arguments.engines if (why := absent(engine))}
    for engine, why in missing.items():
        print(f"{engine}: left out, {why}")
    figures = arguments.output / "engines.json"
    results: list[dict[str, Any]] = []
    if figures.exists() and not arguments.fresh:
        stored = json.loads(figures.read_text(encoding="utf-8"))
        results = [r for r in stored if r["seconds_asked"] == arguments.seconds]
    known = {(r["engine"], r["task"], r["seed"]) for r in results}
    for task in arguments.tasks:
        for engine in arguments.engines:
            for seed in arguments.seeds:
                if engine in missing or (engine, task, seed) in known:
                    continue
                found = guarded(engine, task, arguments.seconds, seed)
                results.append(found)
                command = f"python -m benchmarks.engines --seconds {arguments.seconds:g}"
                write_file(figures, json.dumps(results, indent=1) + "\n")
                write_file(arguments.output / "engines.md", table(results, missing, command))
                told = found["failure"] or f"R2 {found['r2']:.4f} in {found['seconds']} s"
                print(f"{task:18s}{engine:12s} seed {seed}: {told}", flush=True)


if __name__ == "__main__":
    main()
