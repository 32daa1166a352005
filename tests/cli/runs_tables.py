"""Tables of training runs as people have them, each unlike the others."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np


def write(path: Path, header: str, rows: list[list[object]], encoding: str = "utf-8", separator: str = ",") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(header.split(","))
        writer.writerows(rows)
    return path


def loss_curves(folder: Path) -> Path:
    """Three corpora with a floor each; an id, a constant, a seed, compute, a time, missing and failed runs."""
    rng, rows = np.random.default_rng(0), []
    for corpus, floor in (("c4", 1.7), ("pile", 2.0), ("wiki, en", 2.3)):
        for size in (1e7, 3e7, 1e8, 3e8, 1e9, 3e9):
            for data in (1e9, 4e9, 1.6e10, 6.4e10):
                number = len(rows) + 1
                loss: object = round(floor + 400 / size**0.34 + 410 / data**0.28 + rng.normal(0, 0.003), 4)
                loss = {7: "", 33: "", 20: "nan", 41: "diverged"}.get(number, loss)
                told = [f"run-{number:04d}", corpus, int(size), int(data), 6 * size * data, 3e-4, number % 3]
                rows.append([*told, loss, round(rng.uniform(1, 99), 2), "ok"])
    return write(folder / "curves.csv", "run_id,dataset,nParams,Tokens,FLOPs,lr,seed,Val Loss,hours,state", rows)


def mixture(folder: Path) -> Path:
    """Shares of three domains that sum to 1, and a loss on each domain."""
    rng, rows = np.random.default_rng(1), []
    for _ in range(48):
        share = rng.dirichlet([2, 2, 2]).round(3)
        share[2] = round(1 - share[0] - share[1], 3)
        losses = [3 - 0.8 * share[k] ** 0.4 + 0.2 * share[(k + 1) % 3] + rng.normal(0, 0.004) for k in range(3)]
        rows.append([*share, *(round(loss, 4) for loss in losses)])
    return write(folder / "mixture.csv", "web,code,books,loss_1,loss_2,loss_3", rows)


def sweep(folder: Path) -> Path:
    """A learning-rate sweep from a spreadsheet: UTF-16, semicolons, decimal commas, sizes such as 125M."""
    rows = []
    for name, size in (("25M", 25e6), ("60M", 60e6), ("125M", 125e6), ("350M", 350e6)):
        for rate in np.geomspace(1e-4, 1e-2, 8):
            for batch in (64, 256):
                best = np.log(3e-3 * (size / 25e6) ** -0.3 * (batch / 64) ** 0.3)
                loss = 2 + 300 / size**0.33 + 0.05 * (np.log(rate) - best) ** 2
                rows.append([name, f"{rate:.3g}".replace(".", ","), batch, f"{loss:.4f}".replace(".", ",")])
    rows[-2][-1] = "diverged"
    header = "Model size,Learning rate,Batch,Train loss (nats)"
    return write(folder / "sweep.csv", header, rows, encoding="utf-16", separator=";")


def without_names(folder: Path) -> Path:
    """Two columns that no name explains."""
    rng = np.random.default_rng(2)
    rows = [[round(x, 3), round(0.1 + 1 / (x + 1) ** 0.5 + rng.normal(0, 0.001), 4)] for x in np.geomspace(1, 1000, 30)]
    return write(folder / "plain.csv", "x,y", [list(row) for row in rows])


def accuracy(folder: Path) -> Path:
    """A score that rises, Windows-1252, groups with accents, a column that says which rows are for testing."""
    rows: list[list[object]] = []
    for model in ("é", "ü"):
        for steps in (100, 300, 1000, 3000, 10000):
            for width in (64, 128, 256):
                score = round(90 - 300 * steps**-0.4 - 100 * width**-0.5, 2)
                rows.append([model, steps, width, score, "test" if width == 256 and steps > 500 else "train"])
    return write(folder / "acc.csv", "Modèle,steps,width,Accuracy (%),split", rows, encoding="cp1252")


TABLES = {table.__name__: table for table in (loss_curves, mixture, sweep, without_names, accuracy)}
