"""What it gains to let groups with few rows learn from each other (`shrink` of a recipe).

    python benchmarks/shrinkage.py planted [--repeats 6]
    python benchmarks/shrinkage.py cuts

`planted`: groups of 4 to 12 rows of a known law with 0.5 to 2 % noise, whose parameters vary from group to group; error
in logarithms (root mean square) at 3, 5 and 10 times the largest scale of each group, relative to the fit of each
group by itself, geometric mean over the repeats. `cuts`: the human laws of the grouped tasks, fitted to the training
rows without the top of their first scale axis and scored there; `chosen` is the shrinkage with the best validation
score on what was left. Held-out rows are not read.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from benchmarks.cuts import cut_top
from discover.fitting import Recipe, fit, predict_cells
from discover.law import parse
from discover.law.law import Law
from discover.scoring import Yardstick, score, validate
from discover.scoring.validation import SURVIVOR
from discover.task import Cell, Column, Rows, Task, load_task

SHRINKS = (0.0, 0.3, 1.0)
TASKS = ("sft_scaling", "domain_mixture_scaling", "u_shape_scaling")
REACHES = (3.0, 5.0, 10.0)
VARIES = (0.03, 0.15, 0.5)  # of an exponent, as a standard deviation of its logarithm


@dataclass(frozen=True)
class Form:
    """A law to plant: `alike` are about the same in all groups, `own` anywhere in a range."""

    name: str
    formula: str
    alike: dict[str, float]
    own: dict[str, tuple[float, float]]


FORMS = (
    Form("power", "A*N**(-a)", {"a": 0.4}, {"A": (0.6, 2.7)}),
    Form("floor", "E + A*N**(-a)", {"a": 0.5}, {"E": (1.0, 3.0), "A": (0.6, 2.7)}),
    Form("floor alike", "E + A*N**(-a)", {"a": 0.5, "E": 2.0}, {"A": (0.6, 2.7)}),
    Form("rectified", "B/(K + N**b) + E", {"b": 0.7, "K": 2.0, "E": 0.8}, {"B": (2.0, 6.0)}),
    Form("two scales", "E + A*N**(-a) + B*D**(-b)", {"a": 0.4, "b": 0.5, "E": 1.7}, {"A": (0.5, 2.0), "B": (0.5, 2.0)}),
)


def planted(form: Form, vary: float, rng: np.random.Generator) -> tuple[Law, Rows, Rows]:
    """The law, its training rows, and noiseless rows beyond them."""
    law = parse(form.formula, ["N", "D"])
    n_groups, n_rows = int(rng.choice([5, 10, 20, 40])), int(rng.integers(max(4, len(law.parameters)), 13))
    noise = float(rng.choice([0.005, 0.01, 0.02]))
    own = {name: rng.uniform(*ends, n_groups) for name, ends in form.own.items()}
    own |= {name: middle * np.exp(vary * rng.standard_normal(n_groups)) for name, middle in form.alike.items()}
    parameters = np.stack([own[name] for name in law.parameters], axis=1)
    cells = tuple(Cell(f"g{number}", "loss") for number in range(n_groups))

    def rows(inputs: np.ndarray) -> Rows:
        cell = np.repeat(np.arange(n_groups), inputs.shape[1])
        table = inputs.reshape(-1, 2)
        empty = Rows(("N", "D"), cells, table, np.zeros(len(table)), cell, np.arange(2, len(table) + 2))
        return replace(empty, target=predict_cells(law, parameters, empty))

    measured = np.exp(rng.uniform(0.0, 3.0, (n_groups, n_rows, 2)))  # a factor of twenty
    beyond = measured.max(axis=1)[:, None] * np.array(REACHES)[:, None]
    training = rows(measured)
    return (
        law,
        replace(training, target=training.target * np.exp(noise * rng.standard_normal(training.n_rows))),
        rows(beyond),
    )


def task_of(rows: Rows, cap: int) -> Task:
    columns = tuple(Column(name, "", "log", name, None, None) for name in (*rows.input_names, "loss"))
    return Task(
        "planted", "planted", "", Path("."), columns[:2], columns[2:], ("group",), rows.input_names, cap, False, (), (),
        rows, rows.n_rows, 0,
    )  # fmt: skip


def compare_planted(repeats: int) -> None:
    ways = (*(f"shrink={shrink:g}" for shrink in SHRINKS[1:]), "chosen")
    print(f"| law | vary | error of each alone | {' | '.join(ways)} | chosen is worse by 5 % |")
    print(f"|---|---|---|{'---|' * len(ways)}---|")
    rng, everything = np.random.default_rng(0), []
    for form in FORMS:
        for vary in VARIES:
            found = []
            for _ in range(repeats):
                law, rows, beyond = planted(form, vary, rng)
                yardstick = Yardstick.of(task_of(rows, len(law.parameters)))
                errors, scores = [], []
                for shrink in SHRINKS:
                    recipe = Recipe(shrink=shrink)
                    fitted = fit(law, rows, recipe=recipe, starts=12, rng=np.random.default_rng(1))
                    with np.errstate(all="ignore"):
                        gap = np.log(np.maximum(fitted.predict(beyond), 1e-9) / beyond.target)
                        judged = validate(law, recipe, yardstick, SURVIVOR, np.random.default_rng(1))
                    errors.append(float(np.sqrt(np.mean(np.clip(np.nan_to_num(gap, nan=3.0), -3.0, 3.0) ** 2))))
                    scores.append(judged.score)
                found.append([*errors, errors[int(np.argmin(scores))]])
            table = np.array(found)
            ratio = np.log(table[:, 1:] / table[:, :1])
            everything.append(ratio)
            told = " | ".join(f"{value:.2f}" for value in np.exp(ratio.mean(axis=0)))
            worse = (ratio[:, -1] > np.log(1.05)).mean()
            print(f"| {form.name} | {vary} | {np.median(table[:, 0]):.4f} | {told} | {worse:.0%} |", flush=True)
    ratio = np.concatenate(everything)
    told = " | ".join(f"{value:.2f}" for value in np.exp(ratio.mean(axis=0)))
    print(f"| all | | | {told} | {(ratio[:, -1] > np.log(1.05)).mean():.0%} |")


def compare_cuts() -> None:
    ways = " | ".join(f"shrink={shrink:g}" for shrink in SHRINKS)
    print("R2 by validation on what is left / on what was cut off\n")
    print(f"| task | law | loss | {ways} | chosen |")
    print(f"|---|---|---|{'---|' * len(SHRINKS)}---|")
    for name in TASKS:
        task, held, _ = cut_top(load_task(name))
        yardstick = Yardstick.of(task)
        for human in task.human_laws:
            law = parse(human.formula, task.input_names, bounds=human.bounds)
            for loss in ("squared", "log") if (task.training.target > 0).all() else ("squared", "huber"):
                told, scores = [], []
                for shrink in SHRINKS:
                    recipe = Recipe(loss, shrink=shrink)
                    with np.errstate(all="ignore"):
                        judged = validate(law, recipe, yardstick, SURVIVOR, np.random.default_rng(0))
                        fitted = fit(law, task.training, recipe=recipe, starts=24, rng=np.random.default_rng(0))
                        reached = score(held, fitted.predict(held)).r2
                    scores.append(judged.score)
                    told.append(f"{judged.r2:.4f} / {reached:.4f}")
                chosen = SHRINKS[int(np.argmin(scores))]
                print(f"| {name} | {human.name} | {loss} | {' | '.join(told)} | {chosen:g} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("planted", "cuts"))
    parser.add_argument("--repeats", type=int, default=6)
    arguments = parser.parse_args()
    if arguments.what == "planted":
        compare_planted(arguments.repeats)
    else:
        compare_cuts()


if __name__ == "__main__":
    main()
