"""Candidates assessed per second and core on each task, folds and races included.

    python benchmarks/rate.py [--seconds 20] [--tasks sft vocab]

One process, one BLAS thread, seconds of this process's own time, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from discover.evolution import Budget, Search
from discover.fitting import prepare
from discover.task import load_task

TASKS = ("parallel", "vocab", "sft", "domain_mixture", "moe", "data_constrained", "lr_bsz", "u_shape")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    arguments = parser.parse_args()
    prepare()
    print("| task | training rows | folds | candidates | CPU seconds | candidates per second |")
    print("|---|---|---|---|---|---|")
    for name in arguments.tasks:
        task = load_task(f"{name}_scaling")
        search = Search(task, Budget(candidates=10**8), 0)
        generations = search.generations()
        began, count = time.process_time(), 0
        while time.process_time() - began < arguments.seconds:
            count = next(generations).n_candidates
        spent = time.process_time() - began
        folds = len(search.yardstick.folds)
        print(
            f"| {name} | {task.training.n_rows} | {folds} | {count} | {spent:.1f} | {count / spent:.1f} |", flush=True
        )


if __name__ == "__main__":
    main()
