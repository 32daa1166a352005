"""What each proposer adds: the score against candidates and seconds, with one more of them in every arm.

    pip install -e '.[bench,operon]'
    python -m benchmarks.ablation --candidates 600 --seeds 0 1 2 --jobs 2      # runs what is missing, then reports
    python -m benchmarks.ablation --report                                     # reports what is stored

Every arm searches the same training rows with the same number of candidates. A task loses the largest level of its
first scale axis beforehand, cell by cell; the search never sees it, and the law that it chooses is scored on it: R2,
clipped to [-1, 1]. The search goes by validation, whose curve therefore flatters it; the cut is the judge. The held-out
rows stay closed.

Runs are kept in a store (results/ablation.sqlite); the curves are read from there: the best validation score among the
first n candidates, against n and against the seconds that assessing them took. An arm that names a proposer which is
not there, or whose engine is not installed, is left out and named.
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cuts import cut_top
from discover.archive import choose
from discover.errors import DiscoverError
from discover.evolution import Budget, Search
from discover.fitting import predict_cells, prepare
from discover.proposers import proposers_named
from discover.scoring import score
from discover.store import Candidacy, Store, task_digest
from discover.store.leaderboards import write_file
from discover.task import load_task

ROOT = Path(__file__).resolve().parents[1]
TASKS = ("parallel", "vocab", "sft", "domain_mixture", "moe", "data_constrained", "lr_bsz", "u_shape")
ARMS: dict[str, tuple[str, ...]] = {
    "families only": ("families",),
    "+ mutation, crossover": ("families", "mutation", "crossover"),
    "+ residual": ("families", "mutation", "crossover", "residual"),
    "+ sharing": ("families", "mutation", "crossover", "residual", "sharing"),
    "+ operon": ("families", "mutation", "crossover", "residual", "sharing", "operon"),
    "+ recipe genes": ("families", "mutation", "crossover", "residual", "sharing", "operon", "recipe"),
}
_NOTABLE = 2.0  # standard errors of a difference between arms: less than that is not called a gain

Array = np.ndarray


@dataclass(frozen=True)
class Finished:
    """One stored run.

    Attributes:
        best: (candidate,) the best validation score among the first n, in the order they were asked for.
        seconds: (candidate,) that assessing the first n took, summed over workers.
        chosen_r2: R2 of the choice on the cut, clipped; best_r2 that of the fittest law before the final round.
    """

    arm: str
    task: str
    seed: int
    best: Array
    seconds: Array
    chosen_r2: float
    best_r2: float
    formula: str


def available(arms: Mapping[str, Sequence[str]] = ARMS) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """The arms that can run here, without the proposers that cannot, and what was left out, with the reason.

    An arm that would thereby equal an earlier one is left out whole.
    """
    missing: dict[str, str] = {}
    for name in dict.fromkeys(name for arm in arms.values() for name in arm):
        try:
            proposers_named(name)
        except DiscoverError as refusal:
            missing[name] = str(refusal)
    kept: dict[str, tuple[str, ...]] = {}
    for arm, names in arms.items():
        here = tuple(name for name in names if name not in missing)
        if here and here not in kept.values():
            kept[arm] = here
    return kept, missing


def run(arm: str, proposers: tuple[str, ...], name: str, seed: int, candidates: int, store_path: Path) -> str:
    """One search on a cut task, stored; the id of its run."""
    prepare()
    task, asked, cut = cut_top(load_task(f"{name}_scaling"))
    search = Search(task, Budget(candidates=candidates), seed, proposers=proposers)
    began = time.monotonic()
    options: dict[str, Any] = {"benchmark": "ablation", "arm": arm, "proposers": list(proposers), "cut": cut}
    found: list[Candidacy] = []
    for generation in search.generations():
        found.extend(map(Candidacy.of, generation.candidates))
    best = search.populations.best()
    choice = choose(search.finalists())
    reached = {}
    for label, law in (("chosen", choice.chosen if choice else None), ("best", best)):
        r2 = -1.0
        if law is not None and law.validation is not None:
            with np.errstate(all="ignore"):
                r2 = score(asked, predict_cells(law.law, law.validation.parameters, asked), task.training).r2_clipped
        reached[f"{label}_r2"] = r2
    options |= reached | {
        "formula": str(choice.chosen.law) if choice else "", "seconds": round(time.monotonic() - began, 1),
        "shares": search.portfolio.shares(),
    }  # fmt: skip
    # The run enters the store when it is done: what was cut off in the middle is simply run again.
    with Store(store_path, create=True) as store:
        number = store.start_run(
            task=name, folder=task.folder, digest=task_digest(task), seed=seed, budget=str(candidates), options=options
        )
        store.add_candidates(number, found)
        store.end_run(number, "complete")
    return number


def finished(store_path: Path, candidates: int) -> list[Finished]:
    """The stored runs of that budget, one for each arm, task and seed: the newest."""
    if not store_path.exists():
        return []
    found: dict[tuple[str, str, int], Finished] = {}
    with Store(store_path) as store:
        for stored in store.runs():
            options = stored.options
            key = (str(options.get("arm")), stored.task, stored.seed)
            mine = options.get("benchmark") == "ablation" and stored.budget == str(candidates)
            if not mine or stored.status != "complete" or key in found:
                continue
            tried = store.candidates(stored.id)
            ok = [t.status == "ok" and np.isfinite(t.validation.get("score", np.inf)) for t in tried]
            scores = [t.validation["score"] if good else np.inf for t, good in zip(tried, ok, strict=True)]
            found[key] = Finished(
                *key, np.minimum.accumulate(scores), np.cumsum([t.seconds or 0.0 for t in tried]),
                options["chosen_r2"], options["best_r2"], options["formula"],
            )  # fmt: skip
    return list(found.values())


def r2_of(best: Array) -> Array:
    """1 - NMSE, the geometric mean over the folds, of validation scores; -1 where there is none yet."""
    return np.clip(1.0 - np.exp(np.minimum(best, 10.0)), -1.0, 1.0)


def gains(runs: Sequence[Finished], arms: Sequence[str], what: str) -> list[tuple[str, str, float, float]]:
    """(arm, the arm before, mean gain, its standard error) over the pairs of task and seed that both have."""
    value = {(r.arm, r.task, r.seed): getattr(r, what) for r in runs}
    found = []
    for before, arm in itertools.pairwise(arms):
        pairs = [key[1:] for key in value if key[0] == arm and (before, *key[1:]) in value]
        gap = np.array([value[(arm, *pair)] - value[(before, *pair)] for pair in pairs])
        if len(gap) > 1:
            found.append((arm, before, float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(len(gap)))))
    return found


def verdict(steps: Iterable[tuple[str, str, float, float]]) -> str:
    """What helped and what did not, by the score on the cut, in sentences."""
    told = []
    for arm, before, gain, error in steps:
        clear = abs(gain) > _NOTABLE * error
        word = "helped" if clear and gain > 0 else "harmed" if clear else "did not help"
        told.append(f'"{arm}" {word} beside "{before}" ({gain:+.3f} ± {error:.3f}).')
    return " ".join(told) or "Too few runs to compare."


def report(runs: Sequence[Finished], missing: Mapping[str, str], candidates: int, command: str) -> str:
    """The report as Markdown."""
    arms = [arm for arm in ARMS if any(r.arm == arm for r in runs)]
    tasks = [task for task in TASKS if any(r.task == task for r in runs)]
    seeds = sorted({r.seed for r in runs})
    marks = [n for n in (50, 100, 200, 400, 800, 1600, 3200) if n < candidates] + [candidates]

    def row(name: str, cells: list[str]) -> str:
        return f"| {name} | " + " | ".join(cells) + " |"

    def mean_of(values: list[float]) -> str:
        return f"{np.mean(values):.3f}" if values else "-"

    lines = [
        "# Cost and ablation", "",
        f"Made by `{command}`; {candidates} candidates a run, seeds {', '.join(map(str, seeds))}. "
        f"Python {platform.python_version()}.", "",
        *(__doc__ or "").strip().split("\n\n", 2)[2].splitlines(), "",
        *(f"Left out: {name}, {why}.\n" for name, why in missing.items()),
        "## R2 of the choice on the cut", "", row("", [*tasks, "mean", "before the final round"]),
        "|---" * (len(tasks) + 3) + "|",
    ]  # fmt: skip
    for arm in arms:
        mine = [r for r in runs if r.arm == arm]
        cells = [mean_of([r.chosen_r2 for r in mine if r.task == task]) for task in tasks]
        lines.append(row(arm, [*cells, mean_of([r.chosen_r2 for r in mine]), mean_of([r.best_r2 for r in mine])]))
    judged = verdict(gains(runs, arms, "chosen_r2"))
    lines += ["", f"On the cut: {judged} (Mean gain and its standard error over tasks and seeds; within "
              "two standard errors nothing is claimed.)", "",
              "## Best validation R2 against candidates, mean over tasks and seeds", "",
              row("", [*(f"{mark}" for mark in marks), "seconds"]), "|---" * (len(marks) + 2) + "|"]  # fmt: skip
    for arm in arms:
        mine = [r for r in runs if r.arm == arm]
        cells = [mean_of([float(r2_of(r.best)[min(mark, len(r.best)) - 1]) for r in mine]) for mark in marks]
        lines.append(row(arm, [*cells, f"{np.mean([r.seconds[-1] for r in mine]):.1f}"]))
    lines += ["", "![against candidates](ablation-candidates.svg)", "", "![against seconds](ablation-seconds.svg)", ""]
    return "\n".join(lines)


def draw(runs: Sequence[Finished], folder: Path) -> None:
    """ablation-candidates.svg and ablation-seconds.svg in `folder`: a panel for each task, a line for each arm."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "discover"  # the same figures give the same bytes
    from matplotlib import pyplot as plt

    arms = [arm for arm in ARMS if any(r.arm == arm for r in runs)]
    tasks = [task for task in TASKS if any(r.task == task for r in runs)]
    for name, unit in (("candidates", "candidates"), ("seconds", "seconds of assessment")):
        columns = min(len(tasks), 4)
        figure, axes = plt.subplots(
            -(-len(tasks) // columns), columns, figsize=(3.2 * columns, 2.6 * -(-len(tasks) // columns)), squeeze=False
        )
        for place, task in zip(axes.flat, tasks, strict=False):
            for colour, arm in enumerate(arms):
                mine = [r for r in runs if (r.arm, r.task) == (arm, task)]
                if not mine:
                    continue
                last = min(r.seconds[-1] if name == "seconds" else len(r.best) for r in mine)
                grid = np.geomspace(max(last / 200.0, 1e-3) if name == "seconds" else 10, last, 60)
                lines = []
                for r in mine:
                    steps = r.seconds if name == "seconds" else np.arange(1, len(r.best) + 1)
                    lines.append(np.exp(r.best[np.clip(np.searchsorted(steps, grid, side="right") - 1, 0, None)]))
                place.plot(grid, np.median(lines, axis=0), color=f"C{colour}", label=arm, linewidth=1.4)
            place.set_title(task, fontsize=9)
            place.set_xscale("log")
            place.set_yscale("log")
            place.tick_params(labelsize=7)
            place.set_xlabel(unit, fontsize=8)
        for place in list(axes.flat)[len(tasks) :]:
            place.set_visible(False)
        axes[0, 0].set_ylabel("NMSE on folds, best so far", fontsize=8)
        axes[0, 0].legend(fontsize=6)
        figure.tight_layout()
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(folder / f"ablation-{name}.svg", metadata={"Date": None})
        plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=600, help="of each run")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--arms", nargs="+", choices=list(ARMS), default=list(ARMS))
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--store", type=Path, default=ROOT / "results" / "ablation.sqlite")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "benchmark")
    parser.add_argument("--report", action="store_true", help="only report what is stored")
    arguments = parser.parse_args()
    arms, missing = available({arm: ARMS[arm] for arm in ARMS if arm in arguments.arms})
    for name, why in missing.items():
        print(f"{name}: left out, {why}")
    known = {(r.arm, r.task, r.seed) for r in finished(arguments.store, arguments.candidates)}
    if not arguments.report:
        prepare()
        with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
            jobs = {
                pool.submit(run, arm, names, task, seed, arguments.candidates, arguments.store): (arm, task, seed)
                for seed in arguments.seeds for task in arguments.tasks for arm, names in arms.items()
                if (arm, task, seed) not in known
            }  # fmt: skip
            for number, job in enumerate(as_completed(jobs), 1):
                job.result()
                print(f"{number} of {len(jobs)}: {', '.join(map(str, jobs[job]))}", flush=True)
    runs = finished(arguments.store, arguments.candidates)
    if not runs:
        parser.error(f"--report: {arguments.store} has no finished run of {arguments.candidates} candidates")
    command = f"python -m benchmarks.ablation --candidates {arguments.candidates}"
    figures = [
        {"arm": r.arm, "task": r.task, "seed": r.seed, "chosen_r2": r.chosen_r2, "best_r2": r.best_r2,
         "best_validation_r2": float(r2_of(r.best)[-1]), "seconds": round(float(r.seconds[-1]), 2), "chosen": r.formula}
        for r in sorted(runs, key=lambda r: (TASKS.index(r.task), list(ARMS).index(r.arm), r.seed))
    ]  # fmt: skip
    write_file(arguments.output / "ablation.json", json.dumps(figures, indent=1) + "\n")
    write_file(arguments.output / "ablation.md", report(runs, missing, arguments.candidates, command))
    draw(runs, arguments.output)
    print(f"written: {arguments.output}/ablation.md, ablation.json, ablation-candidates.svg, ablation-seconds.svg")


if __name__ == "__main__":
    main()
