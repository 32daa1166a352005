"""Views of the library: lists of laws, one law with a curve, laws ranked on a task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from discover.tui.curve import curve
from discover.tui.tables import _table
from discover.tui.words import count, number

Record = Mapping[str, Any]

_SHOWN = 20  # laws of a ranking
_WIDE = 130


def laws_view(entries: Sequence[Any], without: Sequence[Any], width: int) -> Any:
    """Laws that were found, and below them those without a formula; a wide terminal shows inputs and sources, too."""
    from rich.console import Group
    from rich.text import Text

    wide = width >= _WIDE
    table = _table("law", "what", "predicts", *(("from", "source") if wide else ()), "trust")
    table.columns[0].no_wrap = True
    for entry in entries:
        source = f"{entry.source.authors} {entry.source.year}"
        roles = ", ".join(dict.fromkeys(quantity.role for quantity in entry.inputs))
        table.add_row(entry.id, entry.title, entry.target.role, *((roles, source) if wide else ()), entry.trust)
    parts: list[Any] = [table] if entries else []
    if without:
        parts.append(Text("formula not found:", style="italic"))
        parts += [Text(f"  {each.id}  {each.title} ({each.source}): {each.known}") for each in without]
    told = f"{count(len(entries), 'law')}; discover laws show LAW tells all of one"
    return Group(*parts, Text(told, style="dim"))


def library_law_view(entry: Any, trust: Mapping[str, str], coefficient_trust: Mapping[str, str], width: int) -> Any:
    """All that the library knows of a law, an evaluated example and a curve."""
    from rich.console import Group
    from rich.text import Text

    target = f"{entry.target.meaning} ({entry.target.unit})"
    lines: list[Any] = [
        Text(f"{entry.id}  {entry.title}", style="bold"),
        Text(f"\n{entry.target.role} = {entry.form.formula}\n", style="bold"),
        Text(f"  predicts: {target}"),
    ]
    for q in entry.inputs:
        effect = f"; {entry.target.role} {q.effect} with it" if q.effect else ""
        lines.append(Text(f"  {q.name}: {q.meaning} ({q.unit}), role {q.role}{effect}"))
    if entry.measured is not None:
        names = ", ".join(f"{q.name}: {q.meaning}" for q in entry.measured.inputs)
        lines.append(Text(f"\nin what is measured ({names}):\n  {entry.measured.formula}"))
    lines += [Text(""), _coefficients(entry)]
    for own in entry.coefficients:
        some = f", only {', '.join(own.from_source)}; the rest is illustrative" if own.from_source else ""
        lines.append(Text(f"{own.name}: {coefficient_trust[own.trust]}{some}"))
    facts = [
        ("source", entry.source),
        ("form", trust[entry.trust]),
        ("fitted on", entry.fitted_on),
        ("measured runs", entry.runs),
        ("public material", entry.material),
        ("note", entry.note),
    ]
    lines += [Text(""), *(Text(f"{name}: {value}") for name, value in facts if value)]
    at = ", ".join(f"{name} = {value:g}" for name, value in entry.at.items())
    first = entry.coefficients[0]
    lines.append(Text(f"\nat {at}: {float(entry.value(first)):.5g} {_unit(entry.target.unit)}({first.name})"))
    drawn = law_curve(entry, min(max(width - 16, 20), 64))
    return Group(*lines, *((Text(""),) if drawn else ()), *(Text(line) for line in drawn))


def _unit(unit: str) -> str:
    return "" if unit in ("1", "any") else f"{unit} "


def law_curve(entry: Any, width: int) -> tuple[str, ...]:
    """The law against its first input, all else at the check point, with its first coefficients."""
    axis = entry.inputs[0]
    at = entry.at[axis.name]
    share = axis.unit == "share"
    log = at > 0 and not share and axis.role not in ("time", "score", "success", "log_compute", "log_parameters")
    if log:
        low, high = at / 100.0, at * 100.0
    elif share or (axis.role in ("success", "score") and 0 < at < 1):
        low, high = 0.01, 0.99
    else:
        reach = max(abs(at) * 0.5, 1.0) if axis.role != "time" else 10.0
        low, high = at - reach, at + reach
    first = entry.coefficients[0]
    others = {name: value for name, value in entry.at.items() if name != axis.name}

    def values(x: np.ndarray) -> np.ndarray:
        return np.asarray(entry.value(first, {**others, axis.name: x}))

    return curve(values, low, high, log=log, width=width, label=axis.name)


def _coefficients(entry: Any) -> Any:
    """Bounds and sets of coefficients: a line for each parameter, or for each set where there are many."""
    bounds = {
        name: "free" if math.isinf(low) and math.isinf(high) else f"{low:g} to {high:g}"
        for name, (low, high) in entry.law.bounds.items()
    }
    sets = entry.coefficients
    if len(sets) <= 3:
        table = _table("parameter", "bounds", *((own.name, "right") for own in sets))
        for name, text in bounds.items():
            table.add_row(name, text, *(f"{own.values[name]:g}" for own in sets))
        table.add_row("value below", "", *(f"{own.gives:.5g}" for own in sets))
        return table
    table = _table("coefficients", *((name, "right") for name in bounds), ("value below", "right"))
    table.add_row("bounds", *bounds.values(), "")
    for own in sets:
        table.add_row(own.name, *(f"{own.values[name]:g}" for name in bounds), f"{own.gives:.5g}")
    return table


def known_view(task: str, rows: Sequence[Record], roles: Mapping[str, tuple[str, str]], width: int) -> Any:
    """The library against a task: what its columns stand for, then the laws by validation."""
    from rich.console import Group
    from rich.text import Text

    lines: list[Any] = [Text(f"{name}: {role or 'no role'} ({reason})") for name, (role, reason) in roles.items()]
    lines.append(Text(f"\n{task}: published laws by validation R2, parameters refitted", style="italic"))
    usable = [row for row in rows if row["status"] == "ok"]
    table = _table(("#", "right"), "law", ("par.", "right"), ("valid.", "right"), "formula")
    for column in table.columns[:4]:
        column.no_wrap = True
    for row in usable[:_SHOWN]:
        problem = f"  [{row['beyond_the_data']}]" if row["beyond_the_data"] else ""
        formula = row["formula"] if len(row["formula"]) <= width else row["formula"][: width - 3] + "..."
        own = str(row["rank"]), row["law"], str(row["n_parameters"]), number(row["validation_r2"])
        table.add_row(*own, Text(formula + problem))
    lines.append(table)
    for row in usable[:3]:
        lines.append(Text(f"{row['law']}: {row['title']}; {row['citation']}"))
        lines += [Text(f"  {reason}") for reason in row["reasons"]]
        if row["same"]:
            lines.append(Text(f"  the same here: {', '.join(row['same'])}"))
    rest = []
    if len(usable) > _SHOWN:
        rest.append(f"{len(usable) - _SHOWN} more with --json")
    if len(usable) < len(rows):
        failed = ", ".join(row["law"] for row in rows if row["status"] != "ok")
        rest.append(f"not usable here: {failed}")
    return Group(*lines, *(Text(line, style="dim") for line in rest))
