"""A leaderboard as Markdown, for `results/<task>/leaderboard.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from discover.store.remarks import certificate_lines, known_as_text
from discover.task.training_check import set_aside_text
from discover.tui.remarks import CERTAIN, LEGEND, known_as_sign
from discover.tui.words import cost, measured, number

Record = Mapping[str, Any]


def leaderboard_markdown(task: Any, rows: Sequence[Record]) -> str:
    """The table, what was asked, and each law with its parameters."""
    first = rows[0] if rows else {}
    asked = ", ".join(
        f"{word} {first[word]}" for word in ("budget", "seed", "run") if first.get(word) not in (None, "")
    )
    lines = [f"# {task.title}", "", " ".join(task.summary.split()), ""]
    counts = f"{task.training_count} training rows, {task.held_out_count} held out"
    lines += [f"Task `{task.name}`: {counts}. Run: {asked}.", ""]
    lines += [f"{told.capitalize()}.", ""] if (told := set_aside_text(first.get("set_aside") or ())) else []
    lines += ["`*` marks the law chosen by validation, before the held-out rows were opened.", ""]
    paid, known = any(row.get("cost") for row in rows), any(known_as_sign(row) for row in rows)
    lines += [f"{LEGEND}.", ""] if known else []
    more = f"{' cost |' if paid else ''}{' known as |' if known else ''}"
    lines += [
        f"| rank | law | origin | complexity | validation R2 | held-out R2 |{more} formula |",
        f"|--:|---|---|--:|--:|--:|{'--:|' if paid else ''}{'---|' if known else ''}---|",
    ]
    for row in rows:
        cells = [
            f"{row.get('rank', '')}{'*' if row.get('chosen') else ''}",
            f"`{row['law']}`",
            origin(row),
            str(row.get("complexity", "")),
            number(row.get("validation_r2")),
            number(row.get("held_out_r2")),
            *([cost(row.get("cost"))] if paid else []),
            *([known_as_sign(row)] if known else []),
            f"`{row['formula']}`",
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines += [line for row in rows if (told := plain_recipe_note(row)) for line in ("", told)]
    for row in rows:
        lines += ["", *_law(row)]
    return "\n".join([*lines, ""])


def origin(row: Record) -> str:
    """Where a law comes from, in a word or two: "human: parscale, as published"."""
    detail = row.get("proposer") or row.get("name") or ""
    return f"{row['origin']}: {detail}" if detail and detail != row["origin"] else str(row["origin"])


def plain_recipe_note(row: Record) -> str:
    """What the chosen form reaches by the plain recipe, so that one sees whether form or recipe earned a gain; "" where
    that is not known."""
    other = row.get("plain_recipe")
    if not other:
        return ""
    if other["recipe"] == row.get("recipe"):
        return f"{row['law']}: its recipe is the plain one, {other['recipe']}; nothing is gained by the recipe."
    own, plain = (f"{number(r['validation_r2'])}, {number(r['held_out_r2'])}" for r in (row, other))
    status = "" if other.get("status") in (None, "", "ok") else f" ({other['status']})"
    return (
        f"{row['law']}, validation and held-out R2: {own} by its recipe, {row.get('recipe')}; "
        f"{plain} for the same form by the plain recipe, {other['recipe']}{status}."
    )


def _law(row: Record) -> list[str]:
    lines = [f"## `{row['law']}`", "", f"    {row['formula']}", ""]
    window = f": {row['window']}" if row.get("window") else ""
    lines += [f"Recipe `{row['recipe']}`{window}.", ""] if row.get("recipe") else []
    lines += [f"Known as: {told}.", ""] if (told := known_as_text(row)) else []
    lines += [f"Status: {row['status']}.", ""] if row.get("status") not in (None, "", "ok", "converged") else []
    cells: Mapping[str, Mapping[str, float]] = row.get("parameters") or {}
    if not cells:
        return lines
    names = list(next(iter(cells.values())))
    errors: Mapping[str, Mapping[str, float]] = row.get("standard_errors") or {}
    lines += ["| cell | " + " | ".join(names) + " |", "|---|" + "--:|" * len(names)]
    for label, values in cells.items():
        written = [measured(values.get(name), (errors.get(label) or {}).get(name)) for name in names]
        lines.append(f"| {label} | " + " | ".join(written) + " |")
    if certain := certificate_lines(row):
        lines += ["", f"{CERTAIN.capitalize()}:", "", *(f"- {line}" for line in certain)]
    return lines
