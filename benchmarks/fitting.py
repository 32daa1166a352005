"""The fitter against `scipy.optimize.least_squares` on two laws, in one run on one core.

    make bench        (or: OPENBLAS_NUM_THREADS=1 .venv/bin/python benchmarks/fitting.py)

Both solve the same law on the same rows from 64 starting points for each cell. SciPy runs its
Levenberg-Marquardt (MINPACK) once per start, with the law and its Jacobian written by hand in NumPy and
`x_scale="jac"`, or with its own finite differences. `fit` runs twice: from SciPy's starting points, and from
64 that it draws itself. Seconds are CPU time of one thread, the median of the repeats; the ratio is to `fit`
from its own starts; the cost is the sum over cells of each cell's best.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import least_squares

from discover.fitting import fit
from discover.law import Law, parse
from discover.task import Cell, Rows, load_task

STARTS = 64
NEAR = 1e-3  # a start reached the optimum when its cost is within 0.1 % of the best of all methods
TASKS = Path(__file__).resolve().parent.parent / "tasks"

Array = np.ndarray


@dataclass(frozen=True)
class Problem:
    """A law, its rows, starting points (start, cell, parameter), and the law written by hand for SciPy.

    `values` and `jacobian` take the cell's inputs (row, input) and parameters (parameter,).
    """

    name: str
    law: Law
    rows: Rows
    starts: Array
    values: Callable[[Array, Array], Array]
    jacobian: Callable[[Array, Array], Array]


def chinchilla() -> Problem:
    """Five parameters on 1,000 made-up rows with 1 % noise; coefficients of Hoffmann et al. 2022."""
    rng = np.random.default_rng(0)
    law = parse("E + A/N**alpha + B/D**beta", ["N", "D"])
    inputs = np.exp(rng.uniform(np.log([1e7, 1e9]), np.log([1e10, 1e12]), (1_000, 2)))
    truth = np.array([1.69, 406.4, 0.34, 410.7, 0.28])
    clean = law.predict({"N": inputs[:, 0], "D": inputs[:, 1]}, truth)
    target = clean * np.exp(0.01 * rng.standard_normal(len(clean)))
    rows = Rows(("N", "D"), (Cell("", "loss"),), inputs, target, np.zeros(len(target), int), np.arange(len(target)))
    exponents = rng.uniform(0.05, 1.0, (STARTS, 2))
    shares = rng.uniform(0.05, 1.0, (STARTS, 2)) * np.ptp(target)  # each term at the middle of the inputs
    middle = np.exp(np.log(inputs).mean(0))
    floors = rng.uniform(0.0, target.min(), STARTS)
    factors = shares * middle**exponents
    starts = np.column_stack([floors, factors[:, 0], exponents[:, 0], factors[:, 1], exponents[:, 1]])

    def values(x: Array, p: Array) -> Array:
        return p[0] + p[1] * x[:, 0] ** -p[2] + p[3] * x[:, 1] ** -p[4]

    def jacobian(x: Array, p: Array) -> Array:
        a, b = x[:, 0] ** -p[2], x[:, 1] ** -p[4]
        by_alpha, by_beta = -p[1] * a * np.log(x[:, 0]), -p[3] * b * np.log(x[:, 1])
        return np.column_stack([np.ones(len(x)), a, by_alpha, b, by_beta])

    name = "Chinchilla law, 5 parameters, 1,000 rows"
    return Problem(name, law, rows, starts[:, None, :], values, jacobian)


def rectified() -> Problem:
    """The four-parameter law of Lin et al. 2024 on the 42 groups of its task (training rows)."""
    rng = np.random.default_rng(0)
    rows = load_task(TASKS / "sft_scaling").training
    law = parse("B/(C + sft_examples**beta) + E", rows.input_names)
    n_cells = len(rows.cells)
    largest = np.array([rows.target[rows.cell == cell].max() for cell in range(n_cells)])
    shape = (STARTS, n_cells)
    beta = rng.uniform(0.05, 1.0, shape)
    bend = np.exp(rng.uniform(np.log(200.0), np.log(400_000.0), shape)) ** beta
    height = rng.uniform(0.2, 1.0, shape) * largest
    floor = rng.uniform(0.0, 0.8, shape) * largest
    starts = np.stack([height * bend, bend, beta, floor], axis=-1)

    def values(x: Array, p: Array) -> Array:
        return p[0] / (p[1] + x[:, 0] ** p[2]) + p[3]

    def jacobian(x: Array, p: Array) -> Array:
        power = x[:, 0] ** p[2]
        inverse = 1.0 / (p[1] + power)
        by_bend = -p[0] * inverse**2
        return np.column_stack([inverse, by_bend, by_bend * power * np.log(x[:, 0]), np.ones(len(x))])

    name = f"rectified SFT law, 4 parameters, {n_cells} groups of {rows.n_rows // n_cells} rows"
    return Problem(name, law, rows, starts, values, jacobian)


def scipy_costs(problem: Problem, analytic: bool) -> Array:
    """Final cost (start, cell) of SciPy from each starting point; infinite where it gave up."""
    costs = np.full(problem.starts.shape[:2], np.inf)
    for cell in range(costs.shape[1]):
        mine = problem.rows.cell == cell
        x, y = problem.rows.inputs[mine], problem.rows.target[mine]

        def residuals(p: Array, x: Array = x, y: Array = y) -> Array:
            return problem.values(x, p) - y

        def jacobian(p: Array, x: Array = x) -> Array:
            return problem.jacobian(x, p)

        derivative = jacobian if analytic else "2-point"
        for start in range(costs.shape[0]):
            first = problem.starts[start, cell]
            with contextlib.suppress(ValueError):  # values that are not finite
                solution = least_squares(residuals, first, jac=derivative, method="lm", x_scale="jac")
                costs[start, cell] = solution.cost
    return np.where(np.isfinite(costs), costs, np.inf)


def discover_costs(problem: Problem, own_starts: bool) -> Array:
    """Best cost (1, cell) of `fit`."""
    rng = np.random.default_rng(0)
    if own_starts:
        return fit(problem.law, problem.rows, starts=STARTS, rng=rng).cost[None]
    return fit(problem.law, problem.rows, starts=0, initial=problem.starts, rng=rng).cost[None]


METHODS: dict[str, Callable[[Problem], Array]] = {
    "fit, SciPy's starts": lambda problem: discover_costs(problem, own_starts=False),
    "fit, its own starts": lambda problem: discover_costs(problem, own_starts=True),
    "SciPy LM, analytic Jacobian": lambda problem: scipy_costs(problem, analytic=True),
    "SciPy LM, finite differences": lambda problem: scipy_costs(problem, analytic=False),
}


def timed(method: Callable[[Problem], Array], problem: Problem, repeats: int) -> tuple[float, Array]:
    """Median CPU seconds and the costs of the last repeat."""
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        with np.errstate(all="ignore"):
            costs = method(problem)
        seconds.append(time.process_time() - started)
    return statistics.median(seconds), costs


def main() -> None:
    parser = argparse.ArgumentParser(description="Times the fitter against SciPy.")
    parser.add_argument("--repeats", type=int, default=5, help="of each method; the median is shown")
    repeats = parser.parse_args().repeats
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        parser.error("set OPENBLAS_NUM_THREADS=1: several threads on small arrays measure the waiting")
    compiled = find_spec("numba") is not None and not os.environ.get("DISCOVER_NO_NUMBA")
    print(
        f"Python {platform.python_version()}, NumPy {np.__version__}, SciPy {scipy.__version__}, "
        f"{'compiled kernel' if compiled else 'no Numba'}, one BLAS thread; "
        f"{STARTS} starts, CPU seconds, median of {repeats}"
    )
    for problem in (chinchilla(), rectified()):
        fit(problem.law, problem.rows, starts=2, rng=np.random.default_rng(0))  # loads what is imported late
        measured = {name: timed(method, problem, repeats) for name, method in METHODS.items()}
        unit = measured["fit, its own starts"][0]
        best = np.min([costs.min(0) for _, costs in measured.values()], axis=0)  # (cell,)
        print(f"\n{problem.name}")
        print(f"{'':30}{'seconds':>10}{'ratio':>8}{'cost':>16}{'cells solved':>14}{'starts that do':>16}")
        for name, (seconds, costs) in measured.items():
            reached = costs <= best * (1 + NEAR)
            solved = f"{int(reached.any(0).sum())} of {len(best)}"
            starts = f"{reached.mean():.0%}" if len(costs) > 1 else ""
            cost = costs.min(0).sum()
            print(f"{name:30}{seconds:10.4f}{seconds / unit:8.1f}{cost:16.9g}{solved:>14}{starts:>16}")


if __name__ == "__main__":
    main()
