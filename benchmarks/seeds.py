"""Held-out R2 of the law that a run chooses, over tasks and seeds; resumable.

    python benchmarks/seeds.py --seeds 0 1 2 --budget 120s

Each run is one `discover run` with a store of its own. The runs of the first seed are the committed leaderboards
(results/<task>/); the figures of all go to results/benchmark/seeds.json, and the table to results/benchmark/README.md.
A pair of task and seed that is in the file already is not run again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TASKS = ("parallel", "vocab", "sft", "domain_mixture", "moe", "data_constrained", "lr_bsz", "u_shape")
FLOORS = dict(zip(TASKS, (0.99, 0.98, 0.985, 0.96, 0.70, 0.92, 0.5, 0.0), strict=True))
# Lin et al. 2026, arXiv 2507.21184: held-out R2 clipped to [-1, 1], mean of five runs.
PUBLISHED = {
    "human, as published": (1.000, 0.966, 0.957, 0.671, 0.703, 0.911, -0.076, -1.0),
    "best search without a language model (3.4 CPU-h)": (0.985, 0.971, 0.982, 0.991, 0.656, 0.768, 0.372, -0.076),
    "SLDAgent + GPT-5": (1.000, 0.987, 0.993, 0.988, 0.773, 0.944, 0.604, -0.305),
}


def run(task: str, seed: int, budget: str, workers: int | None, keep: bool) -> dict[str, object]:
    """One run in a process of its own; with `keep` its leaderboard is copied to results/."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "discover.sqlite"
        command = [sys.executable, "-m", "discover.cli", "run", f"{task}_scaling", "--budget", budget]
        command += ["--seed", str(seed), "--quiet", "--store", str(store)]
        command += ["--workers", str(workers)] if workers else []
        began = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        seconds = time.monotonic() - began
        written = Path(folder) / f"{task}_scaling"
        rows = json.loads((written / "leaderboard.json").read_text())
        if keep:
            kept = ROOT / "results" / f"{task}_scaling"
            kept.mkdir(parents=True, exist_ok=True)
            for path in written.iterdir():
                shutil.copy(path, kept / path.name)
    chosen = next(row for row in rows if row["chosen"])
    human = [row["held_out_r2"] for row in rows if row["origin"] == "human" and row["name"].endswith("refitted")]
    tried = [line for line in done.stderr.splitlines() if "candidates" in line]
    told = {name: chosen[name] for name in ("formula", "recipe", "validation_r2", "held_out_r2", "proposer")}
    return {
        "task": task, "seed": seed, "budget": budget, "workers": workers or "one per core",
        "seconds": round(seconds, 1),
        **told, "human_refitted": max(human, default=None), "last_line": tried[-1] if tried else "",
    }  # fmt: skip


def table(results: list[dict[str, object]]) -> str:
    """The figures as Markdown: mean, spread and range over seeds, published rows beside."""
    lines = [
        "# Held-out R2 of the chosen law",
        "",
        "Made by `python benchmarks/seeds.py`; figures in `seeds.json`.",
        "",
    ]
    lines += [f"| | {' | '.join(TASKS)} | mean |", "|---" * (len(TASKS) + 2) + "|"]
    values = {t: [float(str(r["held_out_r2"])) for r in results if r["task"] == t] for t in TASKS}

    def row(name: str, cells: list[float | None]) -> str:
        known = [c for c in cells if c is not None]
        mean = f"{statistics.fmean(known):.3f}" if len(known) == len(TASKS) else "-"
        return f"| {name} | {' | '.join('-' if c is None else f'{c:.4f}' for c in cells)} | {mean} |"

    clipped = {t: [max(-1.0, min(1.0, v)) for v in vs] for t, vs in values.items()}
    means = [statistics.fmean(v) if (v := clipped[t]) else None for t in TASKS]
    lines.append(row("discover, mean (clipped to [-1, 1])", means))
    lines.append(row("standard deviation", [statistics.stdev(v) if len(v := clipped[t]) > 1 else None for t in TASKS]))
    lines.append(row("lowest (raw)", [min(values[t], default=None) for t in TASKS]))
    lines.append(row("highest (raw)", [max(values[t], default=None) for t in TASKS]))
    lines.append(row("due at least", [FLOORS[t] for t in TASKS]))
    lines += [row(name, list(cells)) for name, cells in PUBLISHED.items()]
    seeds = sorted({int(str(r["seed"])) for r in results})
    lines += ["", f"Seeds {', '.join(map(str, seeds))}. What each run chose, before its held-out rows were opened:", ""]
    lines += [
        "| task | seed | budget, workers | held-out R2 | validation R2 | recipe | law |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in sorted(results, key=lambda r: (TASKS.index(str(r["task"])), r["seed"])):
        scores = f"{r['held_out_r2']:.4f} | {r['validation_r2']:.4f}"
        spent = f"{r['budget']}, {r['workers']}"
        lines.append(f"| {r['task']} | {r['seed']} | {spent} | {scores} | {r['recipe']} | `{r['formula']}` |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--budget", default="120s")
    parser.add_argument("--workers", type=int)
    parser.add_argument("--jobs", type=int, default=1, help="runs at the same time; with --workers 1 each has one core")
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "benchmark")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    figures = arguments.output / "seeds.json"
    results = json.loads(figures.read_text()) if figures.exists() else []
    known = {(r["task"], r["seed"]) for r in results}
    due = [(task, seed) for seed in arguments.seeds for task in arguments.tasks if (task, seed) not in known]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        jobs = [
            pool.submit(run, task, seed, arguments.budget, arguments.workers, keep=seed == arguments.seeds[0])
            for task, seed in due
        ]
        for (task, seed), job in zip(due, jobs, strict=True):
            found = job.result()
            results.append(found)
            figures.write_text(json.dumps(results, indent=1) + "\n")
            (arguments.output / "README.md").write_text(table(results))
            scores = f"validation {found['validation_r2']:.4f}, held out {found['held_out_r2']:.4f}"
            print(f"{task:18s} seed {seed}: {scores}, {found['seconds']} s", flush=True)


if __name__ == "__main__":
    main()
