"""The page of a benchmark: a table that is written anew, in a file whose other sections are people's."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

from discover.benchmark.comparison import comparison_text
from discover.benchmark.figures import Figure, key_of
from discover.benchmark.published import PUBLISHED, SOURCE, TASKS
from discover.errors import DiscoverError
from discover.store import short_name, write_file

BEGIN = "<!-- written by discover benchmark: begin -->"
END = "<!-- written by discover benchmark: end -->"
_HEAD = "# Held-out R2 of the chosen law\n\n"

Cells = Sequence[float | None]


def write_page(path: Path, figures: Sequence[Figure]) -> None:
    """Puts the tables between the two markers of the file, as `write_between` does."""
    beside = comparison_text(figures)
    parts = [table(figures), *([beside] if beside else []), choices(figures)]
    write_between(path, "\n".join(parts), BEGIN, END)


def write_between(path: Path, body: str, begin: str, end: str) -> None:
    """Puts `body` between two markers of the file; a file without them gets them at its end.

    Raises:
        DiscoverError: One marker without the other, or one of them twice.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = _HEAD
    except (OSError, ValueError) as error:
        raise DiscoverError(f"{path}: cannot be read ({error})") from None
    section = f"{begin}\n\n{body}\n{end}"
    counts = text.count(begin), text.count(end)
    if counts == (0, 0):
        text = f"{text.rstrip()}\n\n{section}\n"
    elif counts == (1, 1) and text.index(begin) < text.index(end):
        before, _, rest = text.partition(begin)
        text = before + section + rest.partition(end)[2]
    else:
        raise DiscoverError(f"{path}: expected {begin!r} and {end!r} once each, in this order")
    write_file(path, text)


def table(figures: Sequence[Figure]) -> str:
    """Means, spread and range over seeds for each arm, published rows beside, and what it was made with."""
    names = _tasks(figures)
    published = {short_name(task): place for place, task in enumerate(TASKS)}
    lines = [f"| | {' | '.join(names)} | mean |", "|---" * (len(names) + 2) + "|"]
    for arm in dict.fromkeys(key_of(figure)[0] for figure in figures):
        lines += _arm(arm, [figure for figure in figures if key_of(figure)[0] == arm], names)
    if set(names) & set(published):
        for name, values in PUBLISHED.items():
            cells = [values[published[task]] if task in published else None for task in names]
            known = [cell for cell in cells if cell is not None]
            lines.append(_line(name, cells, statistics.fmean(known) if len(known) == len(names) else None))
    lines += [
        "",
        "Held-out R2 of the one law that a run chooses, clipped to [-1, 1] as published, over seeds; the last column "
        f"is the mean over tasks. Rows below those of discover: {SOURCE}, mean of five runs unless said.",
        "",
        *_made_with(figures),
    ]
    return "\n".join(lines) + "\n"


def choices(figures: Sequence[Figure]) -> str:
    """What each run chose, before its held-out rows were opened."""
    lines = [
        "What each run chose, before its held-out rows were opened:",
        "",
        "| task | arm | seed | workers | seconds of search | candidates | held-out R2 | validation R2 | recipe | law |",
        "|---|---|--:|--:|--:|--:|--:|--:|---|---|",
    ]
    order = _tasks(figures)
    for f in sorted(figures, key=lambda f: (order.index(f["task"]), key_of(f)[0], f["seed"])):
        spent = f"{f.get('workers', '-')} | {f['seconds']:.0f} | {_count(f.get('candidates'))}"
        scores = f"{f['held_out_r2']:.4f} | {f['validation_r2']:.4f}"
        name = f"{f['task']} | {key_of(f)[0]} | {f['seed']}"
        formula = f["formula"].replace("|", "\\|")
        lines.append(f"| {name} | {spent} | {scores} | {f['recipe']} | `{formula}` |")
    return "\n".join(lines) + "\n"


def _tasks(figures: Sequence[Figure]) -> list[str]:
    """Tasks that were run: the embedded ones in the published order, then others."""
    run = {figure["task"] for figure in figures}
    known = [short_name(task) for task in TASKS]
    return [name for name in known if name in run] + sorted(run - set(known))


def _arm(arm: str, figures: Sequence[Figure], names: Sequence[str]) -> list[str]:
    by_task = {name: {f["seed"]: _clipped(f["held_out_r2"]) for f in figures if f["task"] == name} for name in names}
    seeds = set.intersection(*(set(values) for values in by_task.values()))
    whole = [statistics.fmean(by_task[name][seed] for name in names) for seed in sorted(seeds)]
    who = "discover" if arm == "auto" else f"discover, {arm}"
    columns = [list(by_task[name].values()) for name in names]
    means = [statistics.fmean(values) if values else None for values in columns]
    known = [mean for mean in means if mean is not None]
    lines = [_line(f"**{who}, mean**", means, statistics.fmean(known) if len(known) == len(names) else None)]
    for label, of in (("sd", _sd), ("min", min), ("max", max)):
        cells = [of(values) if values else None for values in columns]  # type: ignore[operator]
        lines.append(_line(f"{who}, {label}", cells, of(whole) if whole else None))  # type: ignore[operator]
    counts = [str(len(values)) for values in columns]
    lines.append(f"| {who}, runs | {' | '.join(counts)} | {len(whole)} |")
    return lines


def _made_with(figures: Sequence[Figure]) -> list[str]:
    """Budgets, versions and machines, each as often as it differs."""
    spent = sum(f["seconds"] for f in figures)
    tried = [f["candidates"] for f in figures if f.get("candidates")]
    budgets = ", ".join(sorted({f["budget"] for f in figures}))
    told = f"{spent / 60:.0f} minutes of search, {_count(sum(tried) or None)} candidates"
    lines = [f"{len(figures)} runs, budget {budgets} each: {told}."]
    made: dict[str, int] = {}
    for f in figures:
        versions = f.get("versions", {})
        names = [name for name in ("python", "numpy", "scipy", "numba") if name in versions]
        parts = [f"commit {f['commit']}"] if f.get("commit") else []
        parts += [f"code {versions['code']}"] if "code" in versions else []
        parts += [f"{name} {versions[name]}" for name in names]
        parts += [f["machine"]] if f.get("machine") else []
        parts += [f"workers of a run: {f['workers']}"] if f.get("workers") else []
        machine = ", ".join(parts) or "not recorded"
        made[machine] = made.get(machine, 0) + 1
    return [*lines, "", "Made with:", "", *(f"- {machine} ({count} runs)" for machine, count in made.items())]


def _clipped(r2: float) -> float:
    return max(-1.0, min(1.0, r2))


def _sd(values: Sequence[float]) -> float | None:
    return statistics.stdev(values) if len(values) > 1 else None


def _line(name: str, cells: Cells, mean: float | None) -> str:
    shown = ["-" if cell is None else f"{cell:.4f}" for cell in cells]
    return f"| {name} | {' | '.join(shown)} | {'-' if mean is None else f'{mean:.3f}'} |"


def _count(number: int | None) -> str:
    return "-" if not number else f"{number:,}"
