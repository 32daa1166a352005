"""Arms side by side: what each reached with the same budget, and what it had spent when it reached it.

In: the records of finished runs. Out: one summary for each task and arm, as plain values and as tables in Markdown.
A task is compared where every arm has run it, over the seeds that all of them have.
"""

from __future__ import annotations

import bisect
import statistics
from collections.abc import Sequence
from typing import Any

from discover.benchmark.figures import Figure, key_of, models_told

ALL = "all tasks"
_SHARES = (0.125, 0.25, 0.5, 1.0)
_SHARES_SHOWN = ("1/8", "1/4", "1/2", "all")
_NOTHING = {"calls": 0, "failed": 0, "tokens": 0, "seconds": 0.0, "dollars": 0.0}  # before records had it

Runs = Sequence[Figure]


def comparison(figures: Runs) -> dict[str, Any]:
    """What `arms.json` holds; {} where there is nothing to compare.

    Returns:
        `arms`: proposers and language models of each; `baseline`: the arm that gains are counted from; `rows`: for each
        task and arm, and for all tasks, the number of runs, mean and standard deviation (of the means over tasks, from
        seed to seed) of the scores, clipped to [-1, 1], and what a run spent on average; `gains`: of each other arm,
        the mean difference in held-out R2 and its standard error over `pairs` of task and seed; `curves`: by what is
        spent, for each task and arm the mean best validation R2 when `share` of `of` was spent.
    """
    arms = arms_of(figures)
    if len(arms) < 2:
        return {}
    shared = _shared(figures, arms)
    if not shared:
        return {}
    tasks = list(dict.fromkeys(figure["task"] for figure in shared))
    rows = [_row(task, arm, _runs(shared, arm, task)) for task in tasks for arm in arms]
    if len(tasks) > 1:
        rows += [_row(ALL, arm, _runs(shared, arm)) for arm in arms]
    baseline = next((arm for arm in ("none", "auto") if arm in arms), arms[0])
    return {
        "arms": {arm: _made_with(_runs(shared, arm)[0]) for arm in arms},
        "baseline": baseline,
        "rows": rows,
        "gains": [_gain(shared, arm, baseline) for arm in arms if arm != baseline],
        "curves": {unit: found for unit in _units(shared) if (found := _curves(shared, arms, tasks, unit))},
    }


def comparison_text(figures: Runs) -> str:
    """The same as tables: "" where there is nothing to compare."""
    found = comparison(figures)
    if not found:
        return ""
    lines = [
        "## Arms with the same budget", "",
        "Means over the seeds that every arm has; scores clipped to [-1, 1]; seconds, candidates, calls of language "
        "models (and how many of them brought nothing), tokens and US dollars are those of one run.", "",
        "| task | arm | runs | held-out R2 | sd | validation R2 | sd | seconds | candidates | calls | failed | tokens "
        "| USD |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    for row in found["rows"]:
        scores = [row["held_out_r2"]["mean"], row["held_out_r2"]["sd"]]
        scores += [row["validation_r2"]["mean"], row["validation_r2"]["sd"]]
        spent = [f"{row[name]:,.{digits}f}" for name, digits in _SPENT]
        cells = [row["task"], row["arm"], str(row["runs"]), *map(_score, scores), *spent, _dollars(row["dollars"])]
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"Gain in held-out R2 over `{found['baseline']}`, pair by pair of task and seed:", ""]
    for gain in found["gains"]:
        error = "" if gain["standard_error"] is None else f" ± {gain['standard_error']:.4f}"
        lines.append(f"- `{gain['arm']}`: {gain['mean']:+.4f}{error} ({gain['pairs']} pairs)")
    lines += ["", "An arm is:", ""]
    for arm, made in found["arms"].items():
        models = models_told(made["language_models"])
        lines.append(f"- `{arm}`: {', '.join(made['proposers']) or '-'}{f'; and {models}' if models else ''}")
    for unit, curves in found["curves"].items():
        lines += _curve_lines(unit, curves)
    return "\n".join(lines) + "\n"


def arms_of(figures: Runs) -> list[str]:
    """In the order in which they were first finished."""
    return list(dict.fromkeys(key_of(figure)[0] for figure in figures))


_SPENT = (("seconds", 0), ("candidates", 0), ("calls", 1), ("failed", 1), ("tokens", 0))


def _shared(figures: Runs, arms: Sequence[str]) -> list[Figure]:
    """Runs of the tasks and seeds that every arm has."""
    known = {key_of(figure) for figure in figures}
    return [f for f in figures if all((arm, f["task"], f["seed"]) in known for arm in arms)]


def _runs(figures: Runs, arm: str, task: str | None = None) -> list[Figure]:
    return [f for f in figures if key_of(f)[0] == arm and task in (None, f["task"])]


def _made_with(figure: Figure) -> dict[str, Any]:
    return {
        "proposers": list(figure.get("proposers", [])),
        "language_models": dict(figure.get("language_models", {})),
    }


def _row(task: str, arm: str, runs: Runs) -> dict[str, Any]:
    spent = [figure.get("spent") or _NOTHING for figure in runs]
    dollars = [each["dollars"] for each in spent]
    return {
        "task": task,
        "arm": arm,
        "runs": len(runs),
        "held_out_r2": _spread(runs, "held_out_r2"),
        "validation_r2": _spread(runs, "validation_r2"),
        "seconds": statistics.fmean(figure["seconds"] for figure in runs),
        "candidates": statistics.fmean(figure.get("candidates") or 0 for figure in runs),
        **{name: statistics.fmean(each[name] for each in spent) for name in ("calls", "failed", "tokens")},
        "dollars": None if None in dollars else statistics.fmean(dollars),
    }


def _spread(runs: Runs, name: str) -> dict[str, float | None]:
    """Mean, and standard deviation from seed to seed of the mean over the tasks that a seed has."""
    by_seed = [[_clipped(f[name]) for f in runs if f["seed"] == seed] for seed in sorted({f["seed"] for f in runs})]
    fullest = max(map(len, by_seed))
    means = [statistics.fmean(values) for values in by_seed if len(values) == fullest]
    sd = statistics.stdev(means) if len(means) > 1 else None
    return {"mean": statistics.fmean(value for values in by_seed for value in values), "sd": sd}


def _gain(figures: Runs, arm: str, baseline: str) -> dict[str, Any]:
    reached = {key_of(f): _clipped(f["held_out_r2"]) for f in figures}
    pairs = [(f["task"], f["seed"]) for f in _runs(figures, baseline)]
    differences = [reached[(arm, *pair)] - reached[(baseline, *pair)] for pair in pairs]
    error = statistics.stdev(differences) / len(differences) ** 0.5 if len(differences) > 1 else None
    return {"arm": arm, "mean": statistics.fmean(differences), "standard_error": error, "pairs": len(differences)}


# cost curves


def _units(figures: Runs) -> list[str]:
    """What scores are shown against: candidates, seconds, and money, or tokens where a price is not known."""
    curves = [f["curve"] for f in figures if f.get("curve")]
    if any(None in curve["dollars"] for curve in curves):
        return ["candidates", "seconds", "tokens"]
    return ["candidates", "seconds", "dollars" if any(_last(c, "dollars") for c in curves) else "tokens"]


def _curves(figures: Runs, arms: Sequence[str], tasks: Sequence[str], unit: str) -> list[dict[str, Any]]:
    """For each task and arm the score at shares of what every run of the task that spends at all has spent."""
    found: list[dict[str, Any]] = []
    for task in tasks:
        known = [figure for figure in figures if (figure.get("curve") or {}).get(unit)]
        here = {arm: [figure["curve"] for figure in _runs(known, arm, task)] for arm in arms}
        spending = [end for curves in here.values() for c in curves if (end := _last(c, unit))]
        if not spending:
            continue
        of = min(spending)
        for arm, curves in here.items():
            means = [_mean([_reached(curve, unit, share * of) for curve in curves]) for share in _SHARES]
            found.append({"task": task, "arm": arm, "of": of, "share": list(_SHARES), "validation_r2": means})
    if len(tasks) > 1 and len(found) == len(tasks) * len(arms):
        for arm in arms:
            columns = zip(*(row["validation_r2"] for row in found if row["arm"] == arm), strict=True)
            means = [_mean(column) for column in columns]
            found.append({"task": ALL, "arm": arm, "of": None, "share": list(_SHARES), "validation_r2": means})
    return found


def _mean(values: Sequence[float | None]) -> float | None:
    """None where one of them is missing, or all."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known and len(known) == len(values) else None


def _last(curve: dict[str, Any], unit: str) -> float:
    return curve[unit][-1] if curve[unit] else 0.0


def _reached(curve: dict[str, Any], unit: str, spent: float) -> float | None:
    """The best validation R2 when so much was spent, None before the first."""
    place = bisect.bisect_right(curve[unit], spent * (1.0 + 1e-12)) - 1
    return _clipped(curve["validation_r2"][place]) if place >= 0 else None


def _curve_lines(unit: str, curves: Sequence[dict[str, Any]]) -> list[str]:
    name = "US dollars" if unit == "dollars" else unit
    lines = [
        "", f"Best validation R2 so far against {name}, at shares of what every run of the task spent in the end:", "",
        f"| task | {name} | arm | {' | '.join(_SHARES_SHOWN)} |", f"|---|--:|---|{'--:|' * len(_SHARES)}",
    ]  # fmt: skip
    for row in curves:
        of = _dollars(row["of"]) if unit == "dollars" or row["of"] is None else f"{row['of']:,.0f}"
        cells = [row["task"], of, row["arm"], *map(_score, row["validation_r2"])]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _clipped(r2: float) -> float:
    return max(-1.0, min(1.0, r2))


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _dollars(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4f}" if value else "0"
