"""Trivial laws that every leaderboard shows, so that one sees what a score is worth."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from discover.fitting import Recipe
from discover.law import Law, parse

if TYPE_CHECKING:
    from discover.task import Task


@dataclass(frozen=True)
class Baseline:
    name: str
    law: Law
    recipe: Recipe


def baselines(task: Task) -> tuple[Baseline, ...]:
    """Group mean, last value, power law + floor and a log-quadratic, as far as the task's columns allow them."""
    rows = task.training
    scales = {column.name: column.scale for column in task.inputs}
    names = list(rows.input_names)
    is_log = {n: scales.get(n, "linear") == "log" and float(rows.column(n).min()) > 0 for n in names}

    def own(parameter: str) -> str:
        return own(parameter + "_") if parameter in names else parameter  # columns may be called E or A1

    constant = parse(own("E"), names)
    found = [Baseline("group mean", constant, Recipe())]
    if task.scale_axes:
        found.append(Baseline("last value", constant, Recipe(window=0.9)))
    powers = [n for n in names if is_log[n]]
    if powers:
        falling = [f"{own(f'A{i}')}*{n}**(-{own(f'a{i}')})" for i, n in enumerate(powers, 1)]
        text = " + ".join([own("E"), *falling])
        found.append(Baseline("power law + floor", parse(text, names), Recipe()))
    smallest = int(np.bincount(rows.cell, minlength=len(rows.cells)).min())
    terms = [f"log({n})" if is_log[n] else n for n in names]
    quadratic = terms + [f"{t}**2" for t in terms] + [f"{s}*{t}" for s, t in combinations(terms, 2)]
    for label, chosen in (("log-quadratic", quadratic), ("log-quadratic, no cross terms", quadratic[: 2 * len(terms)])):
        if len(chosen) + 1 <= smallest * 2 // 3:
            text = " + ".join([own("E"), *(f"{own(f'b{i}')}*{t}" for i, t in enumerate(chosen, 1))])
            found.append(Baseline(label if powers else label.removeprefix("log-"), parse(text, names), Recipe()))
            break
    return tuple(found)
