"""What stands below the table: a law, where it comes from, two laws side by side, and a run while it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from discover.store.remarks import certificate_lines, known_as_text
from discover.tui.app.entries import CANDIDATE, Entry
from discover.tui.words import bar, count, duration, measured, number

if TYPE_CHECKING:
    from discover.store.watch import Found, RunNow
    from discover.task import Task

_MOST_GROUPS = 12  # whose scores are shown one by one
_MOST_TYPESET = 4000  # characters of a formula; a longer one is shown as it was written


def law_view(entry: Entry, task: Task | str, width: int) -> Any:
    """The formula typeset, scores, parameters with their standard errors."""
    from rich.console import Group
    from rich.text import Text

    facts = [
        ("validation R2", number(entry.validation_r2)),
        ("held-out R2", number(entry.held_out_r2, 6)),
        ("size", "" if entry.size is None else str(entry.size)),
        ("recipe", entry.recipe),
    ]
    told = "  ".join(f"{name} {value}" for name, value in facts if value not in ("", "-"))
    record = entry.record or {}
    lines = [Text(told, style="dim")]
    if known := known_as_text(record):
        lines.append(Text(f"known as: {known}"))
    for name in ("window", "status", "citation"):
        if record.get(name) not in (None, "", "ok"):
            lines.append(Text(f"{name}: {record[name]}", style="dim"))
    groups: Mapping[str, Any] = record.get("held_out_r2_per_group") or {}
    if 1 < len(groups) <= _MOST_GROUPS:
        each = ", ".join(f"{name} {number(value)}" for name, value in groups.items())
        lines.append(Text(f"held-out R2 by group: {each}", style="dim"))
    certain = [Text(line) for line in certificate_lines(record)]
    formula = formula_text(entry, task, width)
    if max(map(len, formula.splitlines()), default=0) > width:
        lines.insert(0, Text(entry.formula))  # what the edge cuts can be read here
    return Group(_heading(entry), Text(formula, no_wrap=True), Text(), *lines,
                 Text(), _parameters(entry, task, width), *certain)  # fmt: skip


def _heading(entry: Entry) -> Any:
    from rich.text import Text

    chosen = " (chosen)" if entry.chosen else ""
    return Text(f"{entry.id}  {entry.origin}{': ' if entry.by else ''}{entry.by}{chosen}", style="bold")


def formula_text(entry: Entry, task: Task | str, width: int) -> str:
    """The formula typeset, or as it was written where its task's inputs are not known."""
    from discover.errors import DiscoverError
    from discover.law import parse
    from discover.tui.typeset import typeset

    if isinstance(task, str) or len(entry.formula) > _MOST_TYPESET:
        return entry.formula
    target = task.targets[0].name if len(task.targets) == 1 else "target"
    try:
        return "\n".join(typeset(parse(entry.formula, task.input_names), target, width))
    except DiscoverError:
        return entry.formula


def _parameters(entry: Entry, task: Task | str, width: int) -> Any:
    from rich.text import Text

    values = _values(entry, task)
    if values is None:
        return Text("its parameters cannot be told without its task", style="dim")
    errors: Mapping[str, Any] = (entry.record or {}).get("standard_errors") or {}
    shown = Text()
    for label, own in values.items():
        told = errors.get(label) or {}
        aligned = max(map(len, own), default=0)
        if len(values) > 1:
            shown.append(f"{label}\n", style="bold")
        items = [f"{name:<{aligned}}  {measured(value, told.get(name))}" for name, value in own.items()]
        across = max(width // (max(map(len, items), default=0) + 3), 1) if len(values) > 1 else 1
        column = max(map(len, items), default=0) + 3
        for start in range(0, len(items), across):
            shown.append("".join(f"{item:<{column}}" for item in items[start : start + across]).rstrip() + "\n")
    return shown


def _values(entry: Entry, task: Task | str) -> dict[str, dict[str, float]] | None:
    """cell label -> parameter -> value."""
    if entry.record is not None:
        found: dict[str, dict[str, float]] = entry.record.get("parameters") or {}
        return found
    if isinstance(task, str) or entry.parameters is None or len(entry.parameters) != len(task.cells):
        return None
    from discover.errors import DiscoverError
    from discover.law import parse

    try:
        names = parse(entry.formula, task.input_names).parameters
    except DiscoverError:
        return None
    lines = zip(task.cells, entry.parameters, strict=True)
    return {cell.label: dict(zip(names, map(float, line), strict=False)) for cell, line in lines}


def lineage_view(entry: Entry, known: Mapping[int, Found]) -> Any:
    """Who proposed a law, from which laws, and those from which; each ancestor once."""
    from rich.console import Group
    from rich.text import Text

    heading = _heading(entry)
    if entry.origin not in ("discovered", CANDIDATE):
        return Group(heading, Text("not found by a search: it has no parents"))
    if not entry.parents:
        return Group(heading, Text(f"proposed by {entry.by or '?'}, from no other law"))
    parents = ", ".join(f"#{parent}" for parent in entry.parents)
    lines = [Text(f"proposed by {entry.by or '?'} from {parents}, run {entry.run or '?'}")]
    if not known:
        lines.append(Text("its run is not in this store: its ancestors cannot be shown", style="dim"))
    shown: set[int] = set()

    def add(numbers: Sequence[int], indent: str) -> None:
        for place, one in enumerate(numbers):
            last = place == len(numbers) - 1
            lead = f"{indent}{'└' if last else '├'} "
            found = known.get(one)
            if found is None or one in shown:
                lines.append(Text(f"{lead}#{one}{' (above)' if one in shown else ''}", style="dim"))
                continue
            shown.add(one)
            told = f"{lead}#{one} {found.proposer}  R2 {number(found.validation_r2)}  size {found.complexity}  "
            lines.append(Text.assemble(told, (found.formula, "cyan"), no_wrap=True, overflow="ellipsis"))
            add(found.parents, indent + ("  " if last else "│ "))

    add(entry.parents, "")
    return Group(heading, *lines)


def compare_view(first: Entry, second: Entry, task: Task | str, apart: Sequence[tuple[str, float, float]]) -> Any:
    """Two laws side by side: scores, parameters, and how far their predictions are apart."""
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    def table(*headings: str) -> Table:
        made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for place, heading in enumerate(headings):
            made.add_column(heading, justify="right" if place else "left", overflow="fold")
        return made

    facts = table("", first.short_id, second.short_id)
    for name, of in (
        ("origin", lambda e: e.origin),
        ("by", lambda e: e.by),
        ("validation R2", lambda e: number(e.validation_r2)),
        ("held-out R2", lambda e: number(e.held_out_r2, 6)),
        ("size", lambda e: "-" if e.size is None else str(e.size)),
        ("parameters", lambda e: "-" if e.n_parameters is None else str(e.n_parameters)),
        ("recipe", lambda e: e.recipe or "-"),
    ):
        facts.add_row(name, of(first), of(second))
    parts: list[Any] = [facts]
    for entry in (first, second):
        parts += [Text(entry.short_id, style="bold"), Text(formula_text(entry, task, 0), no_wrap=True), Text()]
    if apart:
        gaps = table("predictions apart at", "root mean square", "largest")
        for where, mean, most in apart:
            gaps.add_row(where, f"{mean:.4g}", f"{most:.4g}")
        parts.append(gaps)
    ours, theirs = _values(first, task) or {}, _values(second, task) or {}
    if len(ours) == 1 and len(theirs) == 1:
        (left,), (right,) = ours.values(), theirs.values()
        values = table("parameter", first.short_id, second.short_id)
        for name in dict.fromkeys((*left, *right)):
            values.add_row(name, _measured(first, left, name), _measured(second, right, name))
        parts.append(values)
    return Group(*parts)


def _measured(entry: Entry, values: Mapping[str, float], name: str) -> str:
    if name not in values:
        return ""
    errors = next(iter(((entry.record or {}).get("standard_errors") or {}).values()), None) or {}
    return measured(values[name], errors.get(name))


def run_now_view(run: RunNow | None, best: float | None, width: int) -> Any:
    """How far a run has come, who proposes, what failed."""
    from rich.console import Group
    from rich.text import Text

    if run is None:
        return Text("no run of this task in the store; start one in another terminal with: discover run TASK")
    state = run.ended or ("going on" if run.going else "killed: discover run TASK --resume takes it up again")
    lines = [
        Text(f"run {run.id}: {state}", style="bold"),
        Text(f"seed {run.seed}, budget {run.budget}, started {run.started[:16].replace('T', ' ')} UTC"),
    ]
    if run.batch is None:
        return Group(*lines, Text("no candidate yet"))
    spent, batch = _spent(run), run.batch
    lines.append(Text(f"{count(batch.candidates, 'candidate')} in {duration(batch.elapsed_seconds)}"))
    if spent is not None and not run.ended:
        lines.append(Text(f"{bar(spent, max(min(width - 12, 40), 8))} {spent:.0%}", style="cyan"))
    lines.append(Text(f"best validation R2 {number(best)}, {count(len(batch.front), 'law')} on the front"))
    shares = sorted(batch.shares.items(), key=lambda item: -item[1])
    lines += [Text(), Text("shares of the next batch", style="bold")]
    lines += [Text(f"{name:<22.22} {bar(share, 20)} {share:.0%}") for name, share in shares]
    if run.failures:
        lines += [Text(), Text("failed", style="bold")]
        lines += [Text(f"{many:>7,}  {reason}") for reason, many in run.failures.items()]
    return Group(*lines)


def _spent(run: RunNow) -> float | None:
    """The share of the budget that is spent; None where the budget is not understood."""
    from contextlib import suppress

    assert run.batch is not None
    with suppress(ValueError):
        if run.budget[-1:] == "s":
            return min(run.batch.elapsed_seconds / float(run.budget[:-1]), 1.0)
        if run.budget[-1:] in ("m", "h"):
            factor = {"m": 60, "h": 3600}[run.budget[-1]]
            return min(run.batch.elapsed_seconds / float(run.budget[:-1]) / factor, 1.0)
        return min(run.batch.candidates / float(run.budget), 1.0)
    return None
