"""Tables and views of tasks, leaderboards, laws, fits, checks and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from discover.store.remarks import certificate_lines, known_as_text
from discover.task.training_check import set_aside_text
from discover.tui.markdown import origin, plain_recipe_note
from discover.tui.remarks import CERTAIN, LEGEND, certificates_note, known_as_sign
from discover.tui.words import cost, count, measured, number

Record = Mapping[str, Any]

WIDE = 140  # from this width on, a leaderboard shows its formulas inside the table
_LEAST = 8  # columns for what a law is known as; with less room it stands below the table alone


def _table(*columns: str | tuple[str, str]) -> Any:
    """A plain table; a column is a heading, or (heading, justification)."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        heading, justify = (column, "left") if isinstance(column, str) else column
        table.add_column(heading, justify=justify, overflow="fold")  # type: ignore[arg-type]
    return table


def tasks_table(tasks: Sequence[Any]) -> Any:
    table = _table("task", ("training", "right"), ("held out", "right"), "inputs", "targets", ("groups", "right"))
    for task in tasks:
        inputs, targets = ", ".join(task.input_names), ", ".join(column.name for column in task.targets)
        counts = str(task.training_count), str(task.held_out_count)
        table.add_row(task.name, *counts, inputs, targets, str(len(task.groups) or "-"))
    return table


_STYLES = {"discovered": "bold", "baseline": "dim"}


def leaderboard_view(task: str, rows: Sequence[Record], width: int) -> Any:
    """The ranked laws; in a narrow terminal their names and formulas stand below the table."""
    from rich.console import Group
    from rich.text import Text

    wide = width >= WIDE
    title = Text(f"{task}: laws by held-out R2, * chosen by validation before", style="italic")
    headings = ("rank", "size", "validation R2", "held-out R2") if wide else ("#", "size", "valid.", "held out")
    rank, *numbers = ((heading, "right") for heading in headings)
    paid = (("cost", "right"),) if any(row.get("cost") for row in rows) else ()
    known = _room_for_known_as(rows, width, bool(paid))
    told = ("known as",) if known else ()
    table = _table(rank, "law", "origin", *numbers, *paid, *told, *(("recipe", "formula") if wide else ()))
    for column in table.columns[: 6 + len(paid) + len(told)]:
        column.no_wrap = column.header != "origin" or not wide
    table.columns[0].min_width = 3
    if known:
        last = table.columns[6 + len(paid)]
        last.max_width, last.overflow = known, "ellipsis"
    if not wide:
        table.padding = (0, 1, 0, 0)
    for row in rows:
        cells = [
            f"{row.get('rank', '')}{'*' if row.get('chosen') else ' '}",
            row["law"],
            origin(row) if wide else row["origin"],
            str(row.get("complexity", "")),
            number(row.get("validation_r2")),
            number(row.get("held_out_r2")),
        ]
        cells += [cost(row.get("cost"))] if paid else []
        cells += [known_as_sign(row)] if known else []
        cells += [row.get("recipe") or "", row["formula"]] if wide else []
        table.add_row(*cells, style=_STYLES.get(row["origin"], ""))
    notes = [Text(LEGEND, style="dim")] if known else []
    notes += [Text(note) for row in rows if (note := plain_recipe_note(row))]
    notes += [
        Text(f"{row['law']}: {note}; see: discover show {row['law']}")
        for row in rows
        if row.get("chosen") and (note := certificates_note(row))
    ]
    if wide:
        return Group(title, table, *notes)
    return Group(title, table, *notes, *(_below(row) for row in rows))


def _room_for_known_as(rows: Sequence[Record], width: int, paid: bool) -> int:
    """Characters for the column of what laws are known as; 0 where nothing is known, or too little room is left."""
    longest = max((len(known_as_sign(row)) for row in rows), default=0)
    if not longest or width >= WIDE:
        return longest
    heads = (4, 3, 6, 4, 6, 8)  # of rank, law, origin, size and the two scores
    cells = [
        (3, *(len(str(row.get(name, ""))) for name in ("law", "origin", "complexity")),
         len(number(row.get("validation_r2"))), len(number(row.get("held_out_r2"))))
        for row in rows
    ]  # fmt: skip
    taken = sum(max(own) for own in zip(*cells, heads, strict=True)) + 15  # gaps and edges
    if paid:
        taken += 2 + max(len(cost(row.get("cost"))) for row in rows)
    room = width - taken
    return min(room, max(longest, _LEAST)) if room >= _LEAST else 0


def _below(row: Record) -> Any:
    """A law below a narrow table: where it comes from, what it is known as, its formula."""
    from rich.text import Text

    known = known_as_text(row)
    return Text(f"{row['law']}  {origin(row)}{'; ' if known else ''}{known}\n  {row['formula']}")


def law_view(row: Record, task: Any | None, units: Mapping[str, str]) -> Any:
    """Everything the store knows of a law: formula, parameters with units, scores, where it comes from."""
    from rich.console import Group
    from rich.text import Text

    target = "target" if task is None or len(task.targets) > 1 else task.targets[0].name
    lines = [
        Text(f"{row['law']}  {origin(row)}", style="bold"),
        Text(f"\n{target} = {row['formula']}\n", style="bold"),
    ]
    if task is not None:
        for column in (*task.inputs, *task.targets):
            lines.append(Text(f"  {column.name}: {column.description or column.name} ({column.unit or 'no unit'})"))
    aside = set_aside_text(row.get("set_aside") or ())
    return Group(*lines, parameters_table(row, units), *_facts(row), *([Text(aside)] if aside else []))


def parameters_table(row: Record, units: Mapping[str, str]) -> Any:
    """One cell: a line for each parameter with its unit. Several cells: a line for each cell."""
    cells: Mapping[str, Mapping[str, float]] = row.get("parameters") or {}
    errors: Mapping[str, Mapping[str, float]] = row.get("standard_errors") or {}
    if len(cells) == 1:
        ((label, values),) = cells.items()
        table = _table("parameter", ("value", "right"), "unit")
        for name, value in values.items():
            table.add_row(name, measured(value, (errors.get(label) or {}).get(name)), units.get(name, ""))
        return table
    names = list(next(iter(cells.values()), {}))
    table = _table("cell", *((f"{name} [{units[name]}]" if units.get(name) else name, "right") for name in names))
    for label, values in cells.items():
        own = errors.get(label) or {}
        table.add_row(label, *(measured(values.get(name), own.get(name)) for name in names))
    return table


def _facts(row: Record) -> list[Any]:
    from rich.text import Text

    facts = [
        ("rank", row.get("rank")),
        ("validation R2", number(row.get("validation_r2"))),
        ("held-out R2", number(row.get("held_out_r2"), 6)),
        ("held-out NMSE, NMAE", f"{number(row.get('nmse'), 6)}, {number(row.get('nmae'), 6)}"),
        ("complexity", row.get("complexity")),
        ("known as", known_as_text(row)),
        ("recipe", row.get("recipe")),
        ("window", row.get("window")),
        ("status", row.get("status")),
        ("reason", row.get("reason")),
        ("cost in language models", cost(row.get("cost"))),
        ("citation", row.get("citation")),
        ("task", row.get("task")),
        ("run", row.get("run")),
        ("seed, budget", f"{row.get('seed')}, {row.get('budget')}" if row.get("budget") else None),
    ]
    lines = [Text(f"{name}: {value}") for name, value in facts if value not in (None, "", "-", "-, -")]
    lines += [Text(note) for note in (plain_recipe_note(row),) if note]
    groups: Mapping[str, float] = row.get("held_out_r2_per_group") or {}
    if len(groups) > 1:
        worst = sorted(groups.items(), key=lambda item: item[1] if item[1] is not None else -9e9)
        lines.append(Text("held-out R2 by group: " + ", ".join(f"{name} {number(r2)}" for name, r2 in worst)))
    if certain := certificate_lines(row):
        lines.append(Text(f"\n{CERTAIN}:"))
        lines += [Text(f"  {line}") for line in certain]
    return lines


def fit_view(row: Record, units: Mapping[str, str]) -> Any:
    """A formula typed by a user, fitted and validated."""
    from rich.console import Group
    from rich.text import Text

    return Group(Text(f"{row['formula']}\n", style="bold"), parameters_table(row, units), *_facts(row))


def checks_table(checks: Sequence[Any]) -> Any:
    """What was re-derived, beside what is stored."""
    table = _table("what", ("stored", "right"), ("found", "right"), "")
    for check in checks:
        style = "" if check.matches else "bold red"
        shown = (number(v, 9) if isinstance(v, float) else str(v) for v in (check.stored, check.found))
        table.add_row(check.name, *shown, "matches" if check.matches else "DIFFERS", style=style)
    return table


_UNENDED = "not ended: still going, or killed (discover run TASK --resume)"


def runs_table(runs: Sequence[Any]) -> Any:
    table = _table("run", "task", ("seed", "right"), "budget", ("candidates", "right"), "started (UTC)", "status")
    for run in runs:
        status = run.status or _UNENDED
        started = run.started[:16].replace("T", " ")
        table.add_row(run.id, run.task, str(run.seed), run.budget, f"{run.candidates:,}", started, status)
    return table


def proposers_table(gains: Sequence[Any]) -> Any:
    """What each proposer gave to a run; tokens and money where a language model was asked."""
    names = ["candidates", "elites won", "R2 gained", "laws on the front", "share at the end", "seconds"]
    asked = any(gain.tokens for gain in gains)
    priced = any(gain.tokens and gain.dollars is not None for gain in gains)
    names += (["tokens"] if asked else []) + (["USD"] if priced else [])
    table = _table("proposer", *((name, "right") for name in names))
    table.columns[0].no_wrap = True
    for gain in gains:
        share = f"{gain.share:.0%}" if gain.share else "-"
        counts = f"{gain.candidates:,}", f"{gain.won:,}", f"{gain.r2_gained:.4f}", str(gain.on_front)
        dollars = "?" if gain.dollars is None else f"{gain.dollars:.4f}"
        paid = [f"{gain.tokens:,}", dollars] if gain.tokens else ["-", "-"]
        table.add_row(gain.proposer, *counts, share, f"{gain.seconds:.1f}", *paid[: asked + priced])
    return table


def run_view(run: Any, gains: Sequence[Any], resumptions: Sequence[tuple[str, int]]) -> Any:
    """One run: what was asked, how it went, and what each proposer gave."""
    from rich.console import Group
    from rich.text import Text

    facts = {
        "task": f"{run.task} ({run.folder})",
        "seed, budget": f"{run.seed}, {run.budget}",
        "started (UTC)": run.started[:19].replace("T", " "),
        "resumed (UTC)": ", ".join(f"{when[:19].replace('T', ' ')} at {n:,} candidates" for when, n in resumptions),
        "ended (UTC)": run.ended[:19].replace("T", " "),
        "status": run.status or _UNENDED,
        "candidates": f"{run.candidates:,}",
        "starts from": "the human laws" if run.options.get("start_from") else "nothing",
        "workers": run.options.get("workers"),
        "rule": run.options.get("rule"),
        "versions": ", ".join(f"{name} {version}" for name, version in run.versions.items()),
    }
    lines = [Text(f"{name}: {value}") for name, value in facts.items() if value]
    return Group(Text(f"run {run.id}", style="bold"), *lines, proposers_table(gains))


def front_table(front: Sequence[Any], most: int) -> Any:
    """The front of a running search, the best by validation first."""
    table = _table(("validation R2", "right"), ("size", "right"), "recipe", "formula")
    for column in table.columns:
        column.no_wrap, column.overflow = True, "ellipsis"
    table.expand, table.columns[3].ratio = True, 1  # the formula is cut first
    for candidate in sorted(front, key=lambda c: c.score)[:most]:
        r2 = number(candidate.validation.r2) if candidate.validation else "-"
        table.add_row(r2, str(candidate.complexity), candidate.recipe.text, str(candidate.law))
    return table


def summary_line(generation: Any) -> str:
    """`31 s, 1,240 candidates, best validation R2 0.9812: E + A/N**alpha`."""
    from discover.tui.words import duration

    told = f"{duration(generation.elapsed_seconds)}, {count(generation.n_candidates, 'candidate')}"
    best = generation.best
    if best is None or best.validation is None:
        return f"{told}, none valid yet"
    return f"{told}, best validation R2 {number(best.validation.r2)}: {best.law}"
