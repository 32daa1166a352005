"""How many held-back measurements the 90 % bands hold: on folds of the eight tasks, and on planted laws.

    python -m benchmarks.intervals                         # results/benchmark/coverage.md and .json
    python -m benchmarks.intervals --part planted          # one half anew, the other as it was
    python -m benchmarks.intervals --only parallel_scaling chinchilla --budget 64 --output /tmp/coverage

Tasks: the laws are those of the committed leaderboards. One fold of the training rows after the other is taken away;
the laws are refitted to the rest, the factor of the band is learnt from folds *of the rest*, and the band is held
against what was taken away. The forms themselves were found with all training rows in sight, so these figures flatter
a little.

Planted laws: nothing is flattered. A search of `--budget` candidates sees the training rows of a table with known
truth; the band around the law it chooses is held against measurements beyond them.

The rows that a task holds out are never read.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.archive import choose
from discover.evolution import Budget, Search, workers_for
from discover.fitting import prepare
from discover.intervals import Bands, FittedForm, bands_of
from discover.scoring import folds_of
from discover.store import latest_leaderboard
from discover.store.leaderboards import write_file
from discover.task import Rows, Task, load_task

if TYPE_CHECKING:
    from benchmarks.planted_laws import Planted

ROOT = Path(__file__).resolve().parents[1]
TASKS = ("parallel", "vocab", "sft", "domain_mixture", "moe", "data_constrained", "lr_bsz", "u_shape")
LEVEL = 0.9

Record = dict[str, Any]


def inside(bands: Bands, rows: Rows) -> np.ndarray:
    band = bands.predict(rows, LEVEL)
    return (rows.target >= band.lower) & (rows.target <= band.upper)


def both(bands: Bands, rows: Rows) -> tuple[int, int]:
    """Rows inside the calibrated band, and inside the one with the normal quantile."""
    return int(inside(bands, rows).sum()), int(inside(Bands(bands.ensemble, ()), rows).sum())


def of_task(name: str) -> list[Record]:
    """A record for each fold of a task's training rows."""
    task = load_task(name)
    rows = [row for row in latest_leaderboard(task.name, ROOT / "results" / "none") if row["origin"] == "discovered"]
    main = next(row for row in rows if row["chosen"])
    form, others = FittedForm.of_row(main, task), [FittedForm.of_row(row, task) for row in rows if row is not main]
    found = []
    for fold in folds_of(task):
        known, held = task.training.select(fold.training), task.training.select(fold.validation)
        rng = np.random.default_rng(0)
        bands = bands_of(replace(task, training=known), form, others, rng=rng, refit=True)
        calibrated, raw = both(bands, held)
        found.append({"task": name, "fold": fold.name, "rows": held.n_rows, "inside": calibrated, "raw": raw})
        print(f"{name}, {fold.name}: {calibrated}/{held.n_rows}, uncalibrated {raw}", flush=True)
    return found


def searched(task: Task, budget: str) -> tuple[FittedForm, list[FittedForm]]:
    """What a search chooses, and the other finalists."""
    with workers_for(task, 1) as executor:
        search = Search(task, Budget.parse(budget), 0, executor)
        for _ in search.generations():
            pass
        choice = choose(search.finalists())
    if choice is None:
        raise SystemExit(f"{task.name}: no usable law; raise --budget")
    forms = [FittedForm(c.law, c.recipe, c.validation.parameters, c.score, str(c.number))
             for c in choice.ranked if c.validation is not None]  # fmt: skip
    return forms[0], forms[1:8]


def of_planted(planted: Planted, budget: str) -> Record:
    """The record of one planted law: measurements beyond the training rows, in the band or not."""
    from benchmarks.planted_laws import write_task

    with tempfile.TemporaryDirectory() as folder:
        task = load_task(write_task(planted, Path(folder)))
        main, others = searched(task, budget)
    bands = bands_of(task, main, others, rng=np.random.default_rng(0))
    beyond = planted.rows_at(planted.inputs[planted.held_out], planted.target[planted.held_out])
    calibrated, raw = both(bands, beyond)
    record = {"law": planted.name, "rows": beyond.n_rows, "inside": calibrated, "raw": raw, "found": str(main.law)}
    print(f"{planted.name}: {calibrated}/{beyond.n_rows}, uncalibrated {raw}", flush=True)
    return record


def share(records: Sequence[Record], key: str) -> str:
    """Rows inside over rows, and the mean over records, in percent."""
    rows = sum(r["rows"] for r in records)
    return f"{100 * sum(r[key] for r in records) / rows:.0f} %"


def page(tasks: Sequence[Record], planted: Sequence[Record], budget: str) -> str:
    lines = [
        "# Coverage of the 90 % bands", "",
        "Measured by `python -m benchmarks.intervals`; docs/intervals.md says how a band is made. \"Uncalibrated\" is "
        "the band before folds widen or narrow it.", "",
        "## Folds of the tasks' training rows", "",
        "Each fold is taken away in turn: laws refitted to the rest, the band calibrated on folds of the rest, held "
        "against what was taken away. The forms come from the committed leaderboards, whose search saw all training "
        "rows, so these figures flatter a little.", "",
        "| task | folds | held-back rows | inside | uncalibrated | worst fold |", "|---|--:|--:|--:|--:|---|",
    ]  # fmt: skip
    for name in dict.fromkeys(r["task"] for r in tasks):
        own = [r for r in tasks if r["task"] == name]
        worst = min(own, key=lambda r: r["inside"] / r["rows"])
        told = f"{worst['fold']}: {worst['inside']}/{worst['rows']}"
        rows = sum(r["rows"] for r in own)
        lines.append(f"| {name} | {len(own)} | {rows} | {share(own, 'inside')} | {share(own, 'raw')} | {told} |")
    if tasks:
        rows, equal = sum(r["rows"] for r in tasks), {}
        for key in ("inside", "raw"):
            names = dict.fromkeys(r["task"] for r in tasks)
            parts = [[r for r in tasks if r["task"] == name] for name in names]
            equal[key] = np.mean([sum(r[key] for r in own) / sum(r["rows"] for r in own) for own in parts])
        lines.append(f"| all rows | {len(tasks)} | {rows} | {share(tasks, 'inside')} | {share(tasks, 'raw')} | |")
        lines.append(f"| mean over tasks | | | {100 * equal['inside']:.0f} % | {100 * equal['raw']:.0f} % | |")
    if planted:
        lines += [
            "", "## Planted laws", "",
            f"A search of {budget} candidates on the training rows of each; the band around the law it chose, held "
            "against measurements at the next level of the first axis, with the noise of the table.", "",
            "| planted law | rows beyond | inside | uncalibrated | chosen law |", "|---|--:|--:|--:|---|",
        ]  # fmt: skip
        for r in planted:
            lines.append(f"| {r['law']} | {r['rows']} | {r['inside']} | {r['raw']} | `{r['found']}` |")
        rows = sum(r["rows"] for r in planted)
        lines.append(f"| all {len(planted)} | {rows} | {share(planted, 'inside')} | {share(planted, 'raw')} | |")
        mean = [100 * np.mean([r[key] / r["rows"] for r in planted]) for key in ("inside", "raw")]
        lines.append(f"| mean over laws | | {mean[0]:.0f} % | {mean[1]:.0f} % | |")
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", default="200", help="candidates of the search for each planted law")
    parser.add_argument("--part", choices=["tasks", "planted"], help="one of the two; the other stays as it was")
    parser.add_argument("--only", nargs="*", help="names of tasks and planted laws")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "benchmark")
    asked = parser.parse_args()
    prepare()
    began = time.monotonic()
    path = asked.output / "coverage.json"
    known = json.loads(path.read_text(encoding="utf-8")) if asked.part and path.exists() else {}
    tasks, planted, budget = known.get("tasks", []), known.get("planted", []), known.get("budget", asked.budget)
    if asked.part != "planted":
        names = [f"{short}_scaling" for short in TASKS]
        tasks = [r for name in names if not asked.only or name in asked.only for r in of_task(name)]
    if asked.part != "tasks":
        from benchmarks.planted_laws import planted_laws

        laws, budget = planted_laws(), asked.budget
        planted = [of_planted(law, budget) for law in laws if not asked.only or law.name in asked.only]
    write_file(asked.output / "coverage.md", page(tasks, planted, budget))
    write_file(path, json.dumps({"tasks": tasks, "planted": planted, "budget": budget}, indent=1) + "\n")
    print(f"{asked.output / 'coverage.md'}: {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
