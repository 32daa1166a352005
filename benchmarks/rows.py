"""Time per candidate against the number of rows, and time of a search against the number of candidates.

    python -m benchmarks.rows                    # both tables, into results/benchmark/speed.md
    python -m benchmarks.rows --rows 1000 10000 --candidates 250 500 --output /tmp/speed.md

One process, one BLAS thread, seconds of this process's own time, so that other work on the machine does not count.
Rows: twelve laws that never change, on a made-up grid of two inputs with 1 % noise, assessed as in a search (the race;
the thorough look that survivors get; the final round, which alone fits every row in every fold). Candidates: one
search on a task of 42 rows, its clock read on the way.
"""

from __future__ import annotations

import argparse
import itertools
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.planted_laws import Planted, planted_laws
from discover.evolution import Budget, Search
from discover.fitting import Recipe, prepare
from discover.law import Law, parse
from discover.scoring import FINAL, RACE, SURVIVOR, Effort, Yardstick, validate
from discover.store.leaderboards import write_file
from discover.task import Column, Rows, Task

ROOT = Path(__file__).resolve().parents[1]
HEADING = "## Time against rows and candidates"
FORMULAS = (
    "E + A*N**(-a)",
    "A*N**(-a)*D**(-b)",
    "E + A*N**(-a) + B*D**(-b)",
    "E + A*N**(-a)*D**(-b)",
    "E + A*(k + N)**(-a) + B*D**(-b)",
    "E + (A*N**(-a) + B*D**(-b))**g",
    "exp(k + A*log(N) + B*log(D))",
    "k + A*log(N) + B*log(D) + C*log(N)**2 + F*log(D)**2 + G*log(N)*log(D)",
    "exp(k + A*N**(-a) + B*D**(-b))",
    "E + A*N**(-(a + b*log(D)))",
    "E + A*(1/(k + N**a)) + B*D**(-b)",
    "E + A*N**(-a) + B*log(D)",
)
EFFORTS: dict[str, Effort] = {"race": RACE, "survivor": SURVIVOR, "final": FINAL}


def chinchilla() -> Planted:
    return next(law for law in planted_laws() if law.name == "chinchilla")


def task_of(rows: Rows) -> Task:
    """A task that exists in memory only, with these training rows."""
    columns = tuple(Column(name, "1", "log", "", None, None) for name in rows.input_names)
    target = (Column(rows.cells[0].target, "1", "log", "", None, None),)
    return Task(
        "made_up", "Made up", "", Path("made_up"), columns, target, (), rows.input_names, 7, False, (), (), rows,
        rows.n_rows, 0,
    )  # fmt: skip


def grid(count: int) -> Rows:
    """About `count` rows of Chinchilla's law with 1 % noise: as many levels of tokens as of parameters."""
    law = chinchilla()
    side = round(count**0.5)
    n, d = np.geomspace(5e7, 3e9, side), np.geomspace(1e9, 1e11, side)
    inputs = np.stack(np.meshgrid(n, d, indexing="ij"), axis=-1).reshape(-1, 2)
    noise = np.random.default_rng(0).standard_normal(len(inputs))
    return law.rows_at(inputs, law.values(inputs) * np.exp(0.01 * noise))


def seconds_per_candidate(yardstick: Yardstick, laws: Sequence[Law], effort: Effort) -> float:
    """Mean CPU seconds of one validation, the layout of the rows (made once for a task) not counted."""
    for law in laws:
        yardstick.training(law, Recipe())
        yardstick.fold_cells(law, Recipe(), effort.most_rows)
    began = time.process_time()
    for number, law in enumerate(laws):
        with np.errstate(all="ignore"):
            validate(law, Recipe(), yardstick, effort, np.random.default_rng(number))
    return (time.process_time() - began) / len(laws)


def rows_table(counts: Sequence[int], most_final: int) -> list[str]:
    """Markdown lines; the final round is timed up to `most_final` rows."""
    laws = [parse(formula, ("N", "D")) for formula in FORMULAS]
    lines = [
        "| rows | laying out, s | " + " | ".join(f"{name}, ms" for name in EFFORTS) + " |",
        "|---|---|---|---|---|",
    ]
    measured: list[tuple[int, list[float]]] = []
    for count in counts:
        began = time.process_time()
        yardstick = Yardstick.of(task_of(grid(count)))
        laid_out = time.process_time() - began
        times = []
        for name, effort in EFFORTS.items():
            skipped = name == "final" and count > most_final
            times.append(float("nan") if skipped else 1e3 * seconds_per_candidate(yardstick, laws, effort))
        measured.append((yardstick.rows.n_rows, times))
        cells = " | ".join("-" if np.isnan(t) else f"{t:.1f}" for t in times)
        lines.append(f"| {yardstick.rows.n_rows:,} | {laid_out:.2f} | {cells} |")
        print(lines[-1], flush=True)
    slopes = []
    for column in range(len(EFFORTS)):
        known = [(n, t[column]) for n, t in measured if not np.isnan(t[column])]
        growth = [np.log(b[1] / a[1]) / np.log(b[0] / a[0]) for a, b in itertools.pairwise(known)]
        slopes.append(f"{max(growth):.2f}" if growth else "-")
    lines.append(f"| steepest exponent of growth | | {' | '.join(slopes)} |")
    print(lines[-1], flush=True)
    return lines


def candidates_table(marks: Sequence[int]) -> list[str]:
    """Markdown lines: CPU seconds of one search when it passes each number of candidates."""
    task = task_of(chinchilla().training)
    search = Search(replace(task, parameter_cap=7), Budget(candidates=max(marks)), 0)
    lines = ["| candidates | CPU seconds | per candidate since the mark before, ms |", "|---|---|---|"]
    began, passed, before, count_before = time.process_time(), 0, 0.0, 0
    due = sorted(marks)
    for generation in search.generations():
        if passed < len(due) and generation.n_candidates >= due[passed]:
            spent, count = time.process_time() - began, generation.n_candidates
            each = 1e3 * (spent - before) / (count - count_before)
            lines.append(f"| {count:,} | {spent:.1f} | {each:.1f} |")
            print(lines[-1], flush=True)
            before, count_before = spent, count
            passed += 1
    return lines


def with_section(text: str, section: str) -> str:
    """`text` with the section of our heading replaced, or added at its end; the rest stays."""
    start = text.find(HEADING)
    if start < 0:
        return text.rstrip("\n") + "\n\n" + section
    end = text.find("\n## ", start + len(HEADING))
    return text[:start] + section + (text[end:] if end >= 0 else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--most-final", type=int, default=10_000, help="rows up to which the final round is timed")
    parser.add_argument("--candidates", type=int, nargs="+", default=[250, 500, 1000, 2000, 4000])
    parser.add_argument("--output", type=Path, default=ROOT / "results" / "benchmark" / "speed.md")
    arguments = parser.parse_args()
    prepare()
    seconds_per_candidate(Yardstick.of(task_of(grid(100))), [parse(FORMULAS[0], ("N", "D"))], RACE)  # late imports
    rows = rows_table(sorted(arguments.rows), arguments.most_final)
    candidates = candidates_table(arguments.candidates)
    marks = " ".join(map(str, arguments.candidates))
    command = f"python -m benchmarks.rows --candidates {marks}"
    made = f"`{command}`, Python {platform.python_version()}, NumPy {np.__version__}"
    section = [
        HEADING, "", f"{made}; CPU time of one process. Mean over twelve laws, each with its folds:", "", *rows, "",
        "One search on 42 rows (Chinchilla's law, planted):", "", *candidates,
    ]  # fmt: skip
    text = arguments.output.read_text(encoding="utf-8") if arguments.output.exists() else "# Speed\n"
    write_file(arguments.output, with_section(text, "\n".join(section) + "\n"))


if __name__ == "__main__":
    main()
