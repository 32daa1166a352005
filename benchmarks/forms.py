"""Form × recipe: which part of what each task's chosen law gained is its form, and which is how it was fitted.

    python -m benchmarks.forms                         # the committed leaderboards, into results/benchmark/README.md
    python -m benchmarks.forms --tasks moe_scaling sft_scaling --store results/discover.sqlite

For each task: the published coefficients of the human law; the human form and the discovered form, each by the plain
recipe (least squares, every row once, many starts) and by the recipe that the search chose; and the best known law of
task and library by validation. Laws are fitted on training rows; then the held-out rows of the task are opened once.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from discover.benchmark import write_between
from discover.benchmark.published import TASKS
from discover.errors import DiscoverError
from discover.fitting import prepare
from discover.known_laws import best_human_laws, known_laws
from discover.leaderboard import WAYS, Way, attribute
from discover.leaderboard.attribution import DISCOVERED, DISCOVERED_PLAIN, HUMAN, HUMAN_THEIRS, KNOWN
from discover.scoring import Yardstick
from discover.store import latest_leaderboard, short_name
from discover.store.leaderboards import read_leaderboard
from discover.task import load_task

ROOT = Path(__file__).resolve().parents[1]
BEGIN = "<!-- written by benchmarks.forms: begin -->"
END = "<!-- written by benchmarks.forms: end -->"
NOTE = """\
Each form by each recipe, so that one sees which of the two earned a gain. The discovered law is the one that the run on
the leaderboard in `results/<task>/` chose. The plain recipe is least squares over all rows, each counting once, with
many starts (parameters that all cells share stay shared: that is form). The human form is the one whose coefficients
its source prints; where none or several do, the best of them by validation. The best known law is the best by
validation of the task's human laws and the library's. All are fitted on training rows and validated on the same folds;
then the held-out rows of a task are opened once. Scores below -1 count as -1; `*`: not converged in some cell.
Published coefficients have no validation score: no fold refits them. That of the discovered law is the score that it
was chosen by, the best of many, and so flatters it beside the others."""
NO_VALUE = "-"

Found = Mapping[str, Sequence[Way]]  # short name of a task -> its ways


def gains(ways: Mapping[str, float]) -> dict[str, float | None]:
    """What was gained over the human form by the plain recipe, and what either step gives by itself, in R2."""

    def step(better: str, worse: str) -> float | None:
        return ways[better] - ways[worse] if better in ways and worse in ways else None

    return {
        "gain of the discovered law over the human form, plain": step(DISCOVERED, HUMAN),
        "of it form (both by the plain recipe)": step(DISCOVERED_PLAIN, HUMAN),
        "of it recipe (on the discovered form)": step(DISCOVERED, DISCOVERED_PLAIN),
        "the same recipe on the human form gains": step(HUMAN_THEIRS, HUMAN),
    }


def page(found: Found) -> str:
    """Held-out R2, where the gain comes from, validation R2, and what was fitted: Markdown."""
    held_out = {task: {way.way: way.held_out_r2_clipped for way in ways} for task, ways in found.items()}
    marks = {task: {way.way for way in ways if way.status != "ok"} for task, ways in found.items()}
    lines = ["## Form × recipe", "", NOTE, "", *_table("held-out R2", WAYS, held_out, marks)]
    steps = {task: {k: v for k, v in gains(values).items() if v is not None} for task, values in held_out.items()}
    lines += ["", *_table("held-out R2, differences", list(gains({})), steps, {}, sign="+")]
    validation = {
        task: {way.way: max(way.validation_r2, -1.0) for way in ways if way.validation_r2 is not None}
        for task, ways in found.items()
    }
    lines += ["", *_table("validation R2", WAYS[1:], validation, marks)]
    lines += ["", "| task | | law | recipe | formula |", "|---|---|---|---|---|"]
    for task, ways in found.items():
        for way in ways:
            if way.way in (HUMAN, KNOWN, DISCOVERED):
                formula = way.formula.replace("|", "\\|")
                lines.append(f"| {task} | {way.way.partition(',')[0]} | {way.name} | {way.recipe} | `{formula}` |")
    failed = [
        f"- {task}, {way.way}: {way.status}" for task, ways in found.items() for way in ways if way.status != "ok"
    ]
    lines += ["", "Not converged:", "", *failed] if failed else []
    return "\n".join(lines) + "\n"


def _table(
    title: str,
    names: Sequence[str],
    values: Mapping[str, Mapping[str, float]],
    marks: Mapping[str, set[str]],
    sign: str = "",
) -> list[str]:
    """A line for each name, a column for each task, the mean where every task has a value."""
    lines = [f"| {title} | {' | '.join(values)} | mean |", "|---|" + "--:|" * (len(values) + 1)]
    for name in names:
        cells = []
        for task, own in values.items():
            mark = "*" if name in marks.get(task, ()) else ""
            cells.append(f"{own[name]:{sign}.4f}{mark}" if name in own else NO_VALUE)
        known = [own[name] for own in values.values() if name in own]
        mean = f"{statistics.fmean(known):{sign}.3f}" if known and len(known) == len(values) else NO_VALUE
        lines.append(f"| {name} | {' | '.join(cells)} | {mean} |")
    return lines


def ways_of(name: str, store: Path | None, seed: int) -> tuple[Way, ...]:
    """The ways of one task, against the law that was chosen on its leaderboard (of the store, or committed).

    Raises:
        DiscoverError: There is no leaderboard, or no law on it was chosen.
    """
    task = load_task(name)
    committed = ROOT / "results" / task.name / "leaderboard.json"
    rows = latest_leaderboard(task.name, store) if store else read_leaderboard(committed)
    chosen = next((row for row in rows if row.get("chosen")), None)
    if chosen is None:
        raise DiscoverError(f"{task.name}: no leaderboard with a chosen law; make one with: discover run {name}")
    yardstick = Yardstick.of(task)
    library = best_human_laws(task, known_laws(task, seed=seed, yardstick=yardstick, finalists=0))
    rng = np.random.default_rng([seed, 3])

    def opening(what: str) -> None:
        print(f"opening {what}", file=sys.stderr, flush=True)

    return attribute(task, chosen, rng=rng, opening=opening, yardstick=yardstick, library=library)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", help="names or folders; the eight embedded ones where left out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--store", type=Path, help="newest leaderboards of this store, not the committed ones")
    parser.add_argument("--output", type=Path, help="where the table goes; some tasks alone are only printed")
    arguments = parser.parse_args()
    output = arguments.output or (None if arguments.tasks else ROOT / "results" / "benchmark" / "README.md")
    prepare()
    found = {}
    try:
        for name in arguments.tasks or TASKS:
            began = time.process_time()
            found[short_name(load_task(name).name)] = ways_of(name, arguments.store, arguments.seed)
            print(f"{name}: {time.process_time() - began:.0f} CPU s", file=sys.stderr, flush=True)
    except DiscoverError as error:
        sys.exit(f"benchmarks.forms: {error}")
    made = f"`python -m benchmarks.forms`, Python {platform.python_version()}, NumPy {np.__version__}."
    body = f"{page(found)}\n{made}\n"
    print(body)
    if output is not None:
        write_between(output, body, BEGIN, END)


if __name__ == "__main__":
    main()
