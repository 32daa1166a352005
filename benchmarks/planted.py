"""How often the search finds a law that is known: forty planted ones, and whether each came first.

    python -m benchmarks.planted --budget 4000 --jobs 2          # search, results/benchmark/planted.md and .json
    python -m benchmarks.planted --only chinchilla nmt --budget 400 --output /tmp/planted
    python -m benchmarks.planted --write /tmp/tasks              # the forty task folders, for any other use

Each law is searched for in a process of its own, as `discover run` does: search, final round, one choice. A chosen law
counts as the true one in either of two cases:

- It has the true form. Either it has the canonical key (bounds aside) of one of the form's spellings, or each form
  reproduces the other: fitted to the other's noiseless values on the training settings and ten times beyond, it is off
  by at most 1e-5 (root mean square, relative). Neither special cases of the form nor richer ones pass: these have the
  second test.
- It cannot be told from the truth at ten times the scale. In every direction (each extrapolated axis at ten times its
  largest training level, the others at all their levels; then all of them jointly) its root mean square relative
  deviation from the noiseless truth is at most the noise, or at most what the true form itself shows there when it is
  refitted to tables measured anew: the 95th percentile over 40 refits. (Also counted with their root mean square in
  place of the percentile, which the true form itself would miss in a third of all cases.)
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.planted_laws import Planted, planted_laws, write_task
from discover.archive import Candidate, choose
from discover.archive.selection import order
from discover.assessment import assess_law
from discover.evolution import Budget, Search
from discover.fitting import Recipe, fit, prepare
from discover.law import Law
from discover.law.canonical import canonical_key
from discover.store.leaderboards import write_file
from discover.task import load_task

ROOT = Path(__file__).resolve().parents[1]
SAME_FORM = 1e-5  # relative: one form reproduces another
_REFITS = 40
_STARTS = 48
_FREE = (-np.inf, np.inf)

Array = np.ndarray


def key_of(law: Law) -> str:
    """The canonical key of a form, whatever bounds its parameters have."""
    return canonical_key(law.expression, dict.fromkeys(law.parameters, _FREE))


def reproduces(law: Law, planted: Planted, values: Array, inputs: Array) -> bool:
    """Whether some parameters of `law` give `values` (row,) at `inputs` (row, input), to `SAME_FORM`."""
    rows = planted.rows_at(inputs, values)
    recipe = Recipe("log" if (values > 0).all() else "squared")
    with np.errstate(all="ignore"):
        found = fit(law, rows, recipe=recipe, starts=_STARTS, rng=np.random.default_rng(0))
        gap = relative_deviation(found.predict(rows), values)
    return gap <= SAME_FORM


def relative_deviation(prediction: Array, truth: Array) -> float:
    """Root mean square of (prediction - truth) / truth; infinite where a prediction is not finite."""
    if not np.isfinite(prediction).all():
        return float("inf")
    with np.errstate(over="ignore"):
        return float(np.sqrt(np.mean(((prediction - truth) / truth) ** 2)))


def is_same_form(law: Law, parameters: Array, planted: Planted) -> bool:
    """Whether a fitted law has the true form: equal keys, or each form reproduces the other's values."""
    if key_of(law) in {key_of(spelling) for spelling in planted.spellings}:
        return True
    spare = len(law.parameters) - len(planted.parameters)
    if spare not in (0, 1) or not np.isfinite(parameters).all():
        return False  # another number of parameters that matter is another class of functions
    inputs = np.concatenate([planted.training.inputs, *planted.beyond.values()])
    columns = dict(zip(planted.input_names, inputs.T, strict=True))
    with np.errstate(all="ignore"):
        own = law.predict({name: columns[name] for name in law.inputs}, parameters)
    if not np.isfinite(own).all() or not reproduces(planted.law, planted, own, inputs):
        return False
    return reproduces(law, planted, planted.values(inputs), inputs)


def deviations(law: Law, parameters: Array, planted: Planted) -> dict[str, float]:
    """Direction -> relative deviation (root mean square) from the noiseless truth ten times beyond."""
    found = {}
    for direction, inputs in planted.beyond.items():
        columns = dict(zip(planted.input_names, inputs.T, strict=True))
        with np.errstate(all="ignore"):
            prediction = law.predict({name: columns[name] for name in law.inputs}, parameters)
        found[direction] = relative_deviation(prediction, planted.values(inputs))
    return found


def refits(planted: Planted, seed: int = 0) -> dict[str, Array]:
    """Direction -> deviation (refit,) of the true form refitted to tables that were measured anew."""
    rng = np.random.default_rng([seed, 3])
    loss = ("log" if (planted.clean > 0).all() else "squared") if not planted.outliers.any() else (
        "log_huber" if (planted.clean > 0).all() else "huber")  # fmt: skip
    found: dict[str, list[float]] = {direction: [] for direction in planted.beyond}
    for _ in range(_REFITS):
        with np.errstate(all="ignore"):
            rows = planted.measured_again(rng)
            if loss.startswith("log") and not (rows.target > 0).all():
                continue
            known = planted.parameters[None, None]
            again = fit(planted.law, rows, recipe=Recipe(loss), starts=0, initial=known, rng=rng)
        for direction, gap in deviations(planted.law, again.parameters[0], planted).items():
            found[direction].append(gap)
    return {direction: np.array(gaps) for direction, gaps in found.items()}


class Judge:
    """Says of a candidate whether it is the true law of one planted table."""

    def __init__(self, planted: Planted) -> None:
        self.planted = planted
        self.spread = refits(planted)
        self.tolerance = {d: max(planted.noise, float(np.quantile(g, 0.95))) for d, g in self.spread.items()}
        self.strict = {d: max(planted.noise, float(np.sqrt(np.mean(g**2)))) for d, g in self.spread.items()}

    def __call__(self, candidate: Candidate, noise: np.ndarray | float) -> dict[str, Any]:
        assert candidate.validation is not None
        parameters = candidate.validation.parameters[0]
        gaps = deviations(candidate.law, parameters, self.planted)
        near = all(gap <= self.tolerance[d] for d, gap in gaps.items())
        form = is_same_form(candidate.law, parameters, self.planted)
        return {
            "formula": str(candidate.law), "parameters": dict(zip(candidate.law.parameters, parameters, strict=True)),
            "recipe": candidate.recipe.text, "proposer": candidate.proposer, "complexity": candidate.complexity,
            "order": order(candidate, noise), "deviation": gaps,
            "times_tolerance": max(gap / self.tolerance[d] for d, gap in gaps.items()),
            "same_form": form, "near": near, "near_strictly": all(gap <= self.strict[d] for d, gap in gaps.items()),
            "true": form or near,
        }  # fmt: skip


def searched(number: int, planted_seed: int, budget: str, seed: int) -> dict[str, Any]:
    """One planted law, searched for and judged."""
    planted = planted_laws(planted_seed)[number]
    prepare()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        task = load_task(write_task(planted, Path(folder)))
    search = Search(task, Budget.parse(budget), seed)
    keys = {key_of(law) for law in planted.spellings}
    tried: list[int] = []
    for generation in search.generations():
        tried += [c.number for c in generation.candidates if key_of(c.law) in keys]
    place = next((i for i, e in enumerate(search.populations.elites, 1) if key_of(e.law) in keys), None)
    front = {(c.law.key, c.recipe.text) for c in search.populations.pareto_front()}
    finalists = search.finalists()
    choice = choose(finalists)
    seconds = time.monotonic() - began
    judge = Judge(planted)
    ranked = choice.ranked if choice else ()
    noise = choice.noise if choice else 0.0
    verdicts = [judge(candidate, noise) for candidate in ranked]
    first_true = next((rank for rank, verdict in enumerate(verdicts, 1) if verdict["true"]), None)
    on_front = [v for c, v in zip(ranked, verdicts, strict=True) if (c.law.key, c.recipe.text) in front]
    known = assess_law(task, planted.law, _plain_recipe(planted), np.random.default_rng(0), yardstick=search.yardstick)
    gaps = {d: float(np.sqrt(np.mean(g**2))) for d, g in judge.spread.items()}
    return {
        "name": planted.name, "source": planted.form.source, "formula": planted.form.formula,
        "inputs": len(planted.form.axes), "parameters": len(planted.parameters), "noise": planted.noise,
        "rows": planted.training.n_rows, "outliers": int(planted.outliers.sum()),
        "planted_seed": planted_seed, "budget": budget, "seed": seed,
        "candidates": search.populations.count, "seconds": round(seconds, 1),
        "tried": len(tried), "first_tried": min(tried, default=None), "place_in_archive": place,
        "finalists": len(finalists), "chosen": verdicts[0] if verdicts else None,
        "first": bool(verdicts and verdicts[0]["true"]),
        "first_strictly": bool(verdicts and (verdicts[0]["same_form"] or verdicts[0]["near_strictly"])),
        "on_front": any(v["true"] for v in on_front), "among_finalists": first_true is not None,
        "rank_of_true": first_true, "refit_spread": gaps, "tolerance": judge.tolerance,
        "true_form": {
            "status": known.status, "order": order(known, noise),
            "far": known.validation.far if known.validation else "", **_gap_of(known, planted, judge),
        },
    }  # fmt: skip


def _plain_recipe(planted: Planted) -> Recipe:
    positive = bool((planted.target > 0).all())
    if planted.outliers.any():
        return Recipe("log_huber" if positive else "huber")
    return Recipe("log" if positive else "squared")


def _gap_of(known: Candidate, planted: Planted, judge: Judge) -> dict[str, Any]:
    if known.validation is None:
        return {}
    gaps = deviations(known.law, known.validation.parameters[0], planted)
    return {"times_tolerance": max(gap / judge.tolerance[d] for d, gap in gaps.items())}


def reason(result: Mapping[str, Any]) -> str:
    """Why a law was missed, in words; "" where it was not."""
    if result["first"]:
        return ""
    chosen = result["chosen"]
    if chosen is None:
        return "no usable law"
    if result["among_finalists"]:
        return f"found, rank {result['rank_of_true']} of the finalists: the choice"
    preferred = result["true_form"]["order"] < chosen["order"]
    tried = f"tried first as candidate {result['first_tried']}" if result["tried"] else "never tried"
    return f"{tried}; validation prefers {'the true form' if preferred else 'the chosen law'}"


def table(results: Sequence[Mapping[str, Any]], command: str) -> str:
    """The report as Markdown."""
    n = len(results)

    def share(what: str) -> str:
        hits = sum(bool(r[what]) for r in results)
        return f"{hits} of {n} ({hits / n:.0%})"

    of_the_form = sum(bool(r["chosen"] and r["chosen"]["same_form"]) for r in results)
    lines = [
        "# Planted laws", "",
        f"Made by `{command}`; all figures in `planted.json`. "
        f"Python {platform.python_version()}, NumPy {np.__version__}.",
        "", *(__doc__ or "").strip().split("\n\n", 2)[2].splitlines(), "",
        "| the true law, or one that cannot be told from it at ten times the scale | |", "|---|---|",
        f"| is the choice | **{share('first')}** |",
        f"| is the choice, of the very form | {of_the_form} of {n} |",
        f"| is the choice, by the stricter spread | {share('first_strictly')} |",
        f"| is on the Pareto front | {share('on_front')} |",
        f"| is among the finalists | {share('among_finalists')} |", "",
        "| law | arXiv | inputs | parameters | rows | noise | outliers | candidates | seconds | first | front |"
        " deviation / tolerance | chosen | where not first |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for r in results:
        chosen = r["chosen"] or {"formula": "-", "times_tolerance": float("inf"), "same_form": False}
        first = "the form" if chosen["same_form"] else "yes" if r["first"] else "**no**"
        front = "yes" if r["on_front"] else "no"
        told = (
            r["name"], r["source"], r["inputs"], r["parameters"], r["rows"], f"{r['noise']:.2%}", r["outliers"],
            r["candidates"], f"{r['seconds']:.0f}", first, front, f"{chosen['times_tolerance']:.2g}",
            f"`{chosen['formula']}`", reason(r),
        )  # fmt: skip
        lines.append(f"| {' | '.join(map(str, told))} |")
    lines += ["", "The laws:", "", *(f"- {r['name']}: `{r['formula']}`" for r in results)]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", default="1000", help="of each search: candidates, or seconds such as 60s")
    parser.add_argument("--seed", type=int, default=0, help="of the searches")
    parser.add_argument("--planted-seed", type=int, default=0, help="of the laws and their measurements")
    parser.add_argument("--jobs", type=int, default=1, help="searches at a time")
    parser.add_argument("--only", nargs="+", metavar="LAW", help="names of some of the laws")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "benchmark")
    parser.add_argument("--fresh", action="store_true", help="search again for laws that planted.json has already")
    parser.add_argument("--write", type=Path, metavar="FOLDER", help="only write the task folders")
    arguments = parser.parse_args()
    names = [law.name for law in planted_laws(arguments.planted_seed)]
    if unknown := [name for name in arguments.only or () if name not in names]:
        parser.error(f"--only: no law {unknown[0]!r}; there are {', '.join(names)}")
    Budget.parse(arguments.budget)
    if arguments.write:
        for law in planted_laws(arguments.planted_seed):
            print(write_task(law, arguments.write))
        return
    figures = arguments.output / "planted.json"
    due = [n for n, name in enumerate(names) if not arguments.only or name in arguments.only]
    kept: dict[str, dict[str, Any]] = {}
    if figures.exists() and not arguments.fresh:
        same = {"budget": arguments.budget, "seed": arguments.seed, "planted_seed": arguments.planted_seed}
        stored = json.loads(figures.read_text(encoding="utf-8"))
        kept = {r["name"]: r for r in stored if r["name"] in names and same.items() <= r.items()}
    arguments.output.mkdir(parents=True, exist_ok=True)
    command = f"python -m benchmarks.planted --budget {arguments.budget} --seed {arguments.seed}"
    command += f" --planted-seed {arguments.planted_seed}" if arguments.planted_seed else ""
    prepare()
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        jobs = {
            pool.submit(searched, number, arguments.planted_seed, arguments.budget, arguments.seed): names[number]
            for number in due if names[number] not in kept
        }  # fmt: skip
        for job in as_completed(jobs):
            found = job.result()
            kept[found["name"]] = found
            ordered = [kept[name] for name in names if name in kept]
            write_file(figures, json.dumps(ordered, indent=1, default=float) + "\n")
            write_file(arguments.output / "planted.md", table(ordered, command))
            verdict = "first" if found["first"] else reason(found)
            print(f"{found['name']:18s}{found['seconds']:7.1f} s  {verdict}", flush=True)
    shown = [kept[name] for name in names if name in kept]
    print(f"first: {sum(r['first'] for r in shown)} of {len(shown)}; on the front {sum(r['on_front'] for r in shown)}")


if __name__ == "__main__":
    main()
