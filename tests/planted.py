"""A planted law as a task in memory: no folder, no held-out rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from discover.fitting import Recipe, fit
from discover.intervals import FittedForm
from discover.law import parse
from discover.task import Cell, Column, Rows, Task

TRUTH = {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28}
FORMULA = "E + A/N**alpha + B/D**beta"


def loss(inputs: np.ndarray) -> np.ndarray:
    t = TRUTH
    return t["E"] + t["A"] / inputs[:, 0] ** t["alpha"] + t["B"] / inputs[:, 1] ** t["beta"]


def rows_of(inputs: np.ndarray, target: np.ndarray, names: tuple[str, ...] = ("N", "D")) -> Rows:
    n = len(inputs)
    return Rows(names, (Cell("", "loss"),), inputs, target, np.zeros(n, dtype=int), np.arange(n) + 2)


def task_of(rows: Rows, scale_axes: tuple[str, ...] = ("N", "D"), higher_is_better: bool = False) -> Task:
    units = {"N": "parameters", "D": "tokens"}
    columns = tuple(Column(n, units.get(n, "1"), "log", n, None, None) for n in rows.input_names)
    target = Column("loss", "nats", "log", "loss", None, None)
    return Task(
        name="planted", title="Planted", summary="", folder=Path("nowhere"), inputs=columns, targets=(target,),
        group_columns=(), scale_axes=scale_axes, parameter_cap=8, higher_is_better=higher_is_better, limits=(),
        human_laws=(), training=rows, training_count=rows.n_rows, held_out_count=0,
    )  # fmt: skip


def grid(sizes: np.ndarray, tokens: np.ndarray) -> np.ndarray:
    return np.array([(n, d) for n in sizes for d in tokens])


def chinchilla(seed: int = 0, noise: float = 0.003) -> tuple[Task, Rows]:
    """Six sizes by five amounts of data with relative noise; and the next size, held back."""
    rng = np.random.default_rng(seed)
    tokens = np.geomspace(1e9, 64e9, 5)
    known, beyond = grid(np.geomspace(1e7, 1e9, 6), tokens), grid(np.array([2.5e9]), tokens)
    parts = [
        rows_of(inputs, loss(inputs) * (1.0 + noise * rng.standard_normal(len(inputs)))) for inputs in (known, beyond)
    ]
    return task_of(parts[0]), parts[1]


def fitted(task: Task, formula: str, score: float = -4.0, recipe: str = "log", name: str = "") -> FittedForm:
    law = parse(formula, task.input_names)
    kind = Recipe.from_text(recipe)
    found = fit(law, task.training, recipe=kind, starts=24, rng=np.random.default_rng(0))
    return FittedForm(law, kind, found.parameters, score, name or formula)
