"""How many held-back measurements the 90 % bands hold: on folds of the eight tasks, and on planted laws; and how many
true parameters the 90 % intervals of parameters hold.

    python -m benchmarks.intervals                         # results/benchmark/coverage.md and .json
    python -m benchmarks.intervals --part small            # one part anew, the others as they were
    python -m benchmarks.intervals --only parallel_scaling chinchilla --budget 64 --output /tmp/coverage
    python -m benchmarks.intervals --searches /tmp/searches  # keeps what searches find: next time only bands are made

Tasks: the laws are those of the committed leaderboards. One fold of the training rows after the other is taken away;
the laws are refitted to the rest, the factor of the band is learnt from folds *of the rest*, and the band is held
against what was taken away. The forms themselves were found with all training rows in sight, so these figures flatter
a little.

Planted laws: nothing is flattered. A search of `--budget` candidates sees the training rows of a table with known
truth; the band around the law it chooses is held against measurements beyond them. Once on the tables as they are, once
on small ones: of each table with two inputs, 20 rows.

A band that holds everything is no good, so its width is told beside: as the mean interval score, the width plus 2 / 0.1
times how far a measurement lies outside (Gneiting and Raftery 2007, eq. 43).

Parameters: each planted law in its true form, fitted to its training rows measured anew a few times, by recipes that
count the rows differently.

The rows that a task holds out are never read.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.archive import choose
from discover.evolution import Budget, Search, workers_for
from discover.fitting import Recipe, prepare
from discover.intervals import Bands, FittedForm, bands_of, parameter_report, seen_by_rows
from discover.law import parse
from discover.scoring import Yardstick, folds_of
from discover.store import latest_leaderboard
from discover.store.leaderboards import write_file
from discover.task import Rows, Task, load_task

if TYPE_CHECKING:
    from benchmarks.planted_laws import Planted

ROOT = Path(__file__).resolve().parents[1]
TASKS = ("parallel", "vocab", "sft", "domain_mixture", "moe", "data_constrained", "lr_bsz", "u_shape")
LEVEL = 0.9
SMALL = 20  # rows of a small table
_LEVELS = 4  # that it keeps of an input, where there are as many
_TRIES = 1000
RECIPES = ("squared", "log", "log_huber", "log weight=1", "log weight=2", "log window=0.3", "log window=0.5")
_REPEATS = 4  # tables of one law
_STARTS = 24
_NORMAL = 1.6449  # half-width of a 90 % band, in standard deviations of normal noise

Record = dict[str, Any]


def outcome(bands: Bands, rows: Rows, unit: np.ndarray | float) -> Record:
    """What the bands made of measured rows.

    Returns:
        rows; inside: how many the band holds; score: the mean interval score in `unit`, scalar or (row,); width: the
        median width in it; and the same of the band without its folds, as raw, raw_score and raw_width.
    """
    found: Record = {"rows": rows.n_rows}
    for prefix, own in (("", bands), ("raw_", Bands(bands.ensemble, ()))):
        band = own.predict(rows, LEVEL)
        outside = np.maximum(np.maximum(band.lower - rows.target, rows.target - band.upper), 0.0)
        width = band.upper - band.lower
        found[prefix + "score"] = float(np.mean((width + 2.0 / (1.0 - LEVEL) * outside) / unit))
        found[prefix + "width"] = float(np.median(width / unit))
        found["raw" if prefix else "inside"] = int((outside == 0.0).sum())
    return found


def of_task(name: str) -> list[Record]:
    """A record for each fold of a task's training rows; scores in standard deviations of the target in its cell."""
    task = load_task(name)
    rows = [row for row in latest_leaderboard(task.name, ROOT / "results" / "none") if row["origin"] == "discovered"]
    main = next(row for row in rows if row["chosen"])
    form, others = FittedForm.of_row(main, task), [FittedForm.of_row(row, task) for row in rows if row is not main]
    known = task.training
    spread = np.array([known.target[known.cell == cell].std() for cell in range(len(task.cells))])
    found = []
    for fold in folds_of(task):
        left, held = known.select(fold.training), known.select(fold.validation)
        rng = np.random.default_rng(0)
        bands = bands_of(replace(task, training=left), form, others, rng=rng, refit=True)
        record = {"task": name, "fold": fold.name, **outcome(bands, held, spread[held.cell])}
        print(f"{name}, {fold.name}: {record['inside']}/{held.n_rows}, uncalibrated {record['raw']}", flush=True)
        found.append(record)
    return found


def searched(task: Task, budget: str, kept: Path | None = None) -> tuple[FittedForm, list[FittedForm]]:
    """What a search chooses, and the other finalists; from the file `kept` where it is one of the same budget."""
    if kept is not None and kept.exists():
        stored = json.loads(kept.read_text(encoding="utf-8"))
        if stored["budget"] == budget:
            forms = [_form(record, task) for record in stored["forms"]]
            return forms[0], forms[1:]
    with workers_for(task, 1) as executor:
        search = Search(task, Budget.parse(budget), 0, executor)
        for _ in search.generations():
            pass
        choice = choose(search.finalists())
    if choice is None:
        raise SystemExit(f"{task.name}: no usable law; raise --budget")
    forms = [FittedForm(c.law, c.recipe, c.validation.parameters, c.score, str(c.number))
             for c in choice.ranked if c.validation is not None][:8]  # fmt: skip
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_file(kept, json.dumps({"budget": budget, "forms": [_record(form) for form in forms]}) + "\n")
    return forms[0], forms[1:]


def _record(form: FittedForm) -> Record:
    return {
        "formula": str(form.law), "bounds": form.law.bounds, "recipe": form.recipe.text, "score": form.score,
        "name": form.name, "names": form.law.parameters, "parameters": form.parameters.tolist(),
    }  # fmt: skip


def _form(record: Record, task: Task) -> FittedForm:
    bounds = {name: (float(low), float(high)) for name, (low, high) in record["bounds"].items()}
    law = parse(record["formula"], task.input_names, bounds=bounds, parameters=record["names"])
    order = [record["names"].index(name) for name in law.parameters]
    values = np.array(record["parameters"])[:, order]
    return FittedForm(law, Recipe.from_text(record["recipe"]), values, record["score"], record["name"])


def can_be_small(planted: Planted) -> bool:
    """Whether a table has two inputs and more rows than that: of one input it is small, of three 20 rows say little."""
    return len(planted.input_names) == 2 and int((~planted.held_out).sum()) > SMALL


def small(planted: Planted, rng: np.random.Generator) -> Planted:
    """The same law measured at 20 of its training rows, with the least and largest level of every input among them."""
    mine = np.flatnonzero(~planted.held_out)
    levels = [np.unique(column) for column in planted.inputs[mine].T]
    for _ in range(_TRIES):
        kept = np.sort(rng.choice(mine, SMALL, replace=False))
        own = [np.unique(column) for column in planted.inputs[kept].T]
        if all(
            len(few) >= min(_LEVELS, len(many)) and few[0] == many[0] and few[-1] == many[-1]
            for few, many in zip(own, levels, strict=True)
        ):
            break
    rows = np.concatenate([kept, np.flatnonzero(planted.held_out)])
    cut = {name: getattr(planted, name)[rows] for name in ("inputs", "clean", "target", "held_out", "outliers")}
    return replace(planted, **cut)


def chance(bands: Bands, planted: Planted, rows: Rows) -> float:
    """How probable it is, in the mean over the settings of rows, that a new measurement there lies in the band."""
    band, clean = bands.predict(rows, LEVEL), planted.values(rows.inputs)
    ends = [(end - clean) / (planted.noise * np.abs(clean)) / math.sqrt(2.0) for end in (band.lower, band.upper)]
    low, high = ([math.erf(z) for z in np.nan_to_num(end).tolist()] for end in ends)
    return float(np.mean(np.array(high) - np.array(low)) / 2.0)


def of_planted(planted: Planted, budget: str, kept: Path | None = None) -> Record:
    """The record of one planted law: measurements beyond the training rows, in the band or not.

    Scores are in widths of the band that knows the law and its noise.
    """
    from benchmarks.planted_laws import write_task

    with tempfile.TemporaryDirectory() as folder:
        task = load_task(write_task(planted, Path(folder)))
        main, others = searched(task, budget, kept)
    bands = bands_of(task, main, others, rng=np.random.default_rng(0))
    beyond = planted.rows_at(planted.inputs[planted.held_out], planted.target[planted.held_out])
    due = 2.0 * _NORMAL * planted.noise * np.abs(planted.values(beyond.inputs))
    record = {
        "law": planted.name, "training": task.training.n_rows, "found": str(main.law),
        "chance": chance(bands, planted, beyond), **outcome(bands, beyond, due),
    }  # fmt: skip
    print(f"{planted.name}: {record['inside']}/{beyond.n_rows}, chance {record['chance']:.2f}", flush=True)
    return record


def of_parameters(planted: Planted, text: str) -> Record | None:
    """How many true parameters the intervals hold, over several tables of one law whose form is known; None where the
    recipe takes logarithms that the target does not have.

    Returns:
        told: parameters that are not called unidentified; inside: how many of them the interval of the report holds;
        curvature: the interval without refits; errors: 1.64 standard errors; unidentified.
    """
    from benchmarks.planted_laws import write_task

    recipe = Recipe.from_text(text)
    if recipe.is_log and planted.training.target.min() <= 0:
        return None
    with tempfile.TemporaryDirectory() as folder:
        task = load_task(write_task(planted, Path(folder)))
    found: Record = {"law": planted.name, "recipe": text, **dict.fromkeys(_PARAMETER_COUNTS, 0)}
    for repeat in range(_REPEATS):
        rng = np.random.default_rng([repeat, 1])
        again = planted.measured_again(rng)
        assert np.array_equal(again.inputs, task.training.inputs)
        measured = replace(task, training=replace(task.training, target=again.target))
        fitted = Yardstick.of(measured).fit(planted.law, recipe, rng, starts=_STARTS)
        form = FittedForm(planted.law, recipe, fitted.parameters, 0.0, planted.name)
        report = parameter_report(bands_of(measured, form, rng=rng, calibrate=False).ensemble, LEVEL)
        alone = seen_by_rows(measured, form, LEVEL)
        told, truth = ~report.unidentified[0], planted.parameters
        found["told"] += int(told.sum())
        found["unidentified"] += int((~told).sum())
        found["inside"] += int((told & (report.lower[0] <= truth) & (truth <= report.upper[0])).sum())
        found["curvature"] += int((told & (alone.lower[0] <= truth) & (truth <= alone.upper[0])).sum())
        near = np.abs(fitted.parameters[0] - truth) <= _NORMAL * fitted.standard_errors[0]
        found["errors"] += int((told & near).sum())
    return found


_PARAMETER_COUNTS = ("told", "inside", "curvature", "errors", "unidentified")


def share(records: Sequence[Record], key: str) -> str:
    """Rows inside over rows, and the mean over records, in percent."""
    rows = sum(r["rows"] for r in records)
    return f"{100 * sum(r[key] for r in records) / rows:.0f} %"


def page(
    tasks: Sequence[Record],
    planted: Sequence[Record],
    few: Sequence[Record],
    budget: str,
    parameters: Sequence[Record] = (),
) -> str:
    lines = [
        "# Coverage of the 90 % bands", "",
        "Measured by `python -m benchmarks.intervals`; docs/intervals.md says how a band is made. \"Uncalibrated\" is "
        "the band before folds widen or narrow it. The interval score is the mean of the width plus 20 times how far a "
        "measurement lies outside: lower is better, and neither a narrow band that misses nor a wide one that holds "
        "everything does well.", "",
    ]  # fmt: skip
    if tasks:
        lines += _of_tasks(tasks)
    beyond = (
        f"A search of {budget} candidates on the training rows of each; the band around the law it chose, held against "
        'measurements at the next level of the first axis, with the noise of the table. "Chance" is the probability, '
        "by the known law and noise, that a new measurement there lies in the band; it is not a matter of luck, as a "
        "count of one row is. Width and score are in widths of a band that knows the law and its noise."
    )
    if planted:
        lines += ["## Planted laws", "", beyond, "", *_of_laws(planted)]
    if few:
        lines += [
            "## Planted laws on small tables", "",
            f"The same with {SMALL} of the training rows of every table with two inputs.", "",
            *_of_laws(few),
        ]  # fmt: skip
    if parameters:
        lines += _of_recipes(parameters)
    return "\n".join(lines)


def _of_tasks(records: Sequence[Record]) -> list[str]:
    lines = [
        "## Folds of the tasks' training rows", "",
        "Each fold is taken away in turn: laws refitted to the rest, the band calibrated on folds of the rest, held "
        "against what was taken away. The forms come from the committed leaderboards, whose search saw all training "
        "rows, so these figures flatter a little. Scores are in standard deviations of the target in its cell, the "
        "mean over folds.", "",
        "| task | folds | held-back rows | inside | uncalibrated | score | uncalibrated | worst fold |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]  # fmt: skip
    parts = {name: [r for r in records if r["task"] == name] for name in dict.fromkeys(r["task"] for r in records)}
    for name, own in parts.items():
        worst = min(own, key=lambda r: r["inside"] / r["rows"])
        told = f"{worst['fold']}: {worst['inside']}/{worst['rows']}"
        scores = [float(np.mean([r[key] for r in own])) for key in ("score", "raw_score")]
        lines.append(
            f"| {name} | {len(own)} | {sum(r['rows'] for r in own)} | {share(own, 'inside')} | {share(own, 'raw')} "
            f"| {scores[0]:.3g} | {scores[1]:.3g} | {told} |"
        )
    equal = [
        100 * np.mean([sum(r[key] for r in own) / sum(r["rows"] for r in own) for own in parts.values()])
        for key in ("inside", "raw")
    ]
    rows = sum(r["rows"] for r in records)
    lines.append(f"| all rows | {len(records)} | {rows} | {share(records, 'inside')} | {share(records, 'raw')} | | | |")
    lines.append(f"| mean over tasks | | | {equal[0]:.0f} % | {equal[1]:.0f} % | | | |")
    return [*lines, ""]


def _of_laws(records: Sequence[Record]) -> list[str]:
    lines = [
        "| planted law | training rows | rows beyond | inside | uncalibrated | chance | width | score | chosen law |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for r in records:
        lines.append(
            f"| {r['law']} | {r['training']} | {r['rows']} | {r['inside']} | {r['raw']} | {100 * r['chance']:.0f} % "
            f"| {r['width']:.3g} | {r['score']:.3g} | `{r['found']}` |"
        )
    rows = sum(r["rows"] for r in records)
    lines.append(f"| all {len(records)} | | {rows} | {share(records, 'inside')} | {share(records, 'raw')} | | | | |")
    inside, raw = (100 * np.mean([r[key] / r["rows"] for r in records]) for key in ("inside", "raw"))
    mean = 100 * np.mean([r["chance"] for r in records])
    typical = [np.exp(np.mean(np.log([r[key] for r in records]))) for key in ("width", "score")]
    lines.append(
        f"| mean over laws (width, score: geometric) | | | {inside:.0f} % | {raw:.0f} % | {mean:.0f} % "
        f"| {typical[0]:.2f} | {typical[1]:.2f} | |"
    )
    return [*lines, ""]


def _of_recipes(records: Sequence[Record]) -> list[str]:
    lines = [
        "## Parameters", "",
        "The 90 % intervals of parameters, on planted laws whose form is known: "
        f"{_REPEATS} tables of each law, with noise drawn anew, fitted by recipes that count the rows differently. "
        '"Inside" is the share of true parameters that the interval of the report holds, "curvature" that of the '
        'interval without refits (`seen_by_rows`), "1.64 standard errors" what a reader makes of the ± of a table. '
        "Parameters that are called unidentified get no interval. Those of one law are missed together, so a figure "
        "may well be three points off.", "",
        "| recipe | laws | parameters | inside | curvature | 1.64 standard errors | unidentified | worst law |",
        "|---|--:|--:|--:|--:|--:|--:|---|",
    ]  # fmt: skip
    for text in dict.fromkeys(r["recipe"] for r in records):
        own = [r for r in records if r["recipe"] == text]
        told = sum(r["told"] for r in own)
        shares = [f"{100 * sum(r[key] for r in own) / told:.0f} %" for key in _PARAMETER_COUNTS[1:4]]
        worst = min((r for r in own if r["told"]), key=lambda r: r["inside"] / r["told"])
        lines.append(
            f"| `{text}` | {len(own)} | {told} | {' | '.join(shares)} | {sum(r['unidentified'] for r in own)} "
            f"| {worst['law']}: {worst['inside']}/{worst['told']} |"
        )
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", default="80", help="candidates of the search for each planted law")
    parser.add_argument(
        "--part", choices=["tasks", "planted", "small", "parameters"], help="one part; the others stay as they were"
    )
    parser.add_argument("--only", nargs="*", help="names of tasks and planted laws")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "benchmark")
    parser.add_argument("--searches", type=Path, help="a folder that keeps what searches of planted laws find")
    asked = parser.parse_args()
    prepare()
    began = time.monotonic()
    path = asked.output / "coverage.json"
    found: Record = json.loads(path.read_text(encoding="utf-8")) if asked.part and path.exists() else {}
    if asked.part in (None, "tasks"):
        names = [f"{short}_scaling" for short in TASKS]
        found["tasks"] = [r for name in names if not asked.only or name in asked.only for r in of_task(name)]
    for part in ("planted", "small"):
        if asked.part not in (None, part):
            continue
        from benchmarks.planted_laws import planted_laws

        found["budget"], found[part] = asked.budget, []
        for law in planted_laws():
            if (asked.only and law.name not in asked.only) or (part == "small" and not can_be_small(law)):
                continue
            table = small(law, np.random.default_rng(0)) if part == "small" else law
            place = None if asked.searches is None else asked.searches / part / f"{law.name}.json"
            found[part].append(of_planted(table, asked.budget, place))
    if asked.part in (None, "parameters"):
        from benchmarks.planted_laws import planted_laws

        laws = [law for law in planted_laws() if not asked.only or law.name in asked.only]
        found["parameters"] = [r for text in RECIPES for law in laws if (r := of_parameters(law, text)) is not None]
    told = [found.get(part, []) for part in ("tasks", "planted", "small")]
    text = page(*told, found.get("budget", asked.budget), found.get("parameters", []))
    write_file(asked.output / "coverage.md", text)
    write_file(path, json.dumps(found, indent=1) + "\n")
    print(f"{asked.output / 'coverage.md'}: {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
