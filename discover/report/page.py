"""The page: one HTML file that needs nothing else, readable in light, dark and on paper.

Everything that comes from outside (names, formulas, texts of a task) passes `escape`; the page forbids itself scripts
and the network besides.
"""

from __future__ import annotations

import math
import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from discover.report.evidence import LEVEL, Evidence
from discover.report.mathml import name_mathml, to_mathml
from discover.store.remarks import certificate_lines, known_as_text
from discover.task.training_check import set_aside_text

_OPEN_CELLS = 12  # cells whose parameters stand open; more are folded away
_CAPTIONS = {
    "measured_and_predicted": "Training rows: measured against predicted, each with its {level} band.",
    "residuals": "Training rows: what is left over, against each input. A trend here is a term that the law lacks. "
    "Rows that were set aside are not drawn.",
    "laws": "Every law of the leaderboard, human ones and baselines among them. The axis counts 1 − R2 in powers of "
    "ten; a score below −1 is drawn at −1.",
    "pareto_front": "Accuracy against complexity: every valid candidate of the search, and what nothing beats.",
    "search_progress": "The search: best candidate so far, and where candidates came from.",
}
_EXTRAPOLATION = (
    "Along {axis}, up to ten times the largest measured value (dotted line; half the range further on a linear axis). "
    "The band is made to hold {level} of new measurements; where it is pale, no fold reached as far beyond its data, "
    "and nobody has checked it."
)


def page(evidence: Evidence, figures: Mapping[str, str]) -> str:
    """The whole file.

    Args:
        figures: Name -> <svg> element, in the order in which they are shown.
    """
    task, row = evidence.task, evidence.row
    title = f"{task.name}: a scaling law with its uncertainty"
    long = " long" if row["complexity"] > 40 else ""
    target = task.targets[0].name if len(task.targets) == 1 else "target"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:">',
        f"<title>{escape(title)}</title><style>{_style()}</style></head><body><main>",
        f'<p class="kicker">{escape(task.name)}</p><h1>{escape(task.title)}</h1><p>{_prose(task.summary)}</p>',
        f'<div class="card{long}">{to_mathml(evidence.form.law.expression, target)}{_facts(evidence)}</div>',
        _parameters(evidence), _certificates(row),
        "<h2>Fit</h2>", _figure("measured_and_predicted", figures), _figure("residuals", figures),
        "<h2>Extrapolation</h2>", _extrapolation(evidence, figures),
        "<h2>How far to trust the band</h2>", _coverage(evidence),
        "<h2>Discovered and human laws</h2>", _figure("laws", figures), _leaderboard(evidence),
        "<h2>Search</h2>", _figure("pareto_front", figures), _figure("search_progress", figures), _search(evidence),
        "<h2>Where the data come from</h2>", _provenance(evidence),
        "<h2>How to reproduce</h2>", _reproduce(evidence),
        "</main></body></html>\n",
    ]  # fmt: skip
    return "".join(parts)


def _style() -> str:
    return (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def _facts(evidence: Evidence) -> str:
    row = evidence.row
    facts = [
        ("validation R2, on folds", _score(row.get("validation_r2"))),
        ("held-out R2, opened once", _score(row.get("held_out_r2"))),
        ("complexity", str(row["complexity"])),
        ("parameters per cell", str(len(evidence.form.law.parameters))),
        ("cells", str(len(evidence.task.cells))),
        ("fitted with", evidence.form.recipe.text),
        *([("window", window)] if (window := evidence.form.recipe.window_text(evidence.task)) else []),
        ("found by", str(row.get("proposer") or row.get("name") or "-")),
        ("law", str(row["law"])),
    ]
    if known := known_as_text(row):
        facts.append(("known as", known))
    items = "".join(f"<li><b>{escape(value)}</b><span>{escape(name)}</span></li>" for name, value in facts)
    return f'<ul class="facts">{items}</ul>'


def _certificates(row: Mapping[str, Any]) -> str:
    """What is proved of the law, as a list; "" on older leaderboards."""
    items = [f"<li>{escape(line)}</li>" for line in certificate_lines(row)]
    if not items:
        return ""
    return (
        '<h2>What is certain</h2><p class="soft">Up to a hundred times beyond the data, by interval arithmetic and '
        "exact rules of limits: ✓ proved, ✗ refuted, ? unknown. Limits are told with the other inputs in the middle "
        f'of the data.</p><ul class="certain">{"".join(items)}</ul>'
    )


def _parameters(evidence: Evidence) -> str:
    report, row = evidence.parameters, evidence.row
    errors: Mapping[str, Mapping[str, Any]] = row.get("standard_errors") or {}
    several = len(evidence.task.cells) > 1
    lines = []
    for index, cell in enumerate(evidence.task.cells):
        for place, name in enumerate(report.names):
            value = float(evidence.form.parameters[index, place])
            error = (errors.get(cell.label) or {}).get(name)
            known = not report.unidentified[index, place]
            low, high = report.lower[index, place], report.upper[index, place]
            told = f"{low:.5g} to {high:.5g}" if known and math.isfinite(low) else "the rows cannot tell"
            lines.append([
                *([escape(cell.label) if place == 0 else ""] if several else []),
                name_mathml(name), f"{value:.6g}", "-" if error is None or not math.isfinite(error) else f"{error:.2g}",
                escape(told), escape(evidence.units.get(name, "")),
            ])  # fmt: skip
    heads = [*(["cell"] if several else []), "parameter", "value", "± standard error", f"{LEVEL:.0%} interval", "unit"]
    table = _table(heads, lines, numbers={"value", "± standard error"}, whole=f"{LEVEL:.0%} interval")
    if len(evidence.task.cells) > _OPEN_CELLS:
        table = (
            f"<details><summary>{len(lines)} parameters of {len(evidence.task.cells)} cells</summary>{table}</details>"
        )
    notes = [
        '<p class="soft">Standard errors come from the curvature of the fit. Intervals are percentiles of refits under '
        "random weights of clusters of rows (the Bayesian bootstrap), or those of the curvature where these are "
        "wider.</p>"
    ]
    if unseen := report.never_told():
        names = ", ".join(map(name_mathml, unseen))
        notes.append(
            f'<p class="warn">Not identified: {names}. They can be moved together without changing the fit; read the '
            "law's predictions, not these numbers.</p>"
        )
    if pairs := report.together():
        shown = "; ".join(f"{name_mathml(a)} and {name_mathml(b)} ({r:+.3f})" for a, b, r in pairs[:12])
        notes.append(f"<p>Strongly correlated, so that one makes up for the other: {shown}.</p>")
    return f"<h2>Parameters</h2>{table}{''.join(notes)}"


def _extrapolation(evidence: Evidence, figures: Mapping[str, str]) -> str:
    found = [_figure(f"extrapolation_{axis}", figures, axis) for axis in evidence.task.scale_axes]
    if not any(found):
        return "<p>The task names no scale axis: what it asks for lies between its measurements, not beyond them.</p>"
    return "".join(found)


def _prose(text: str) -> str:
    """Text with its `names` set as such."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _coverage(evidence: Evidence) -> str:
    found = evidence.bands.coverage(LEVEL)
    if not found:
        return "<p>The training rows allow no folds, so nothing was measured: the band is that of the fit alone.</p>"
    rows = sum(count for _, count in found.values())
    inside = sum(part * count for part, count in found.values()) / rows
    lines = [[escape(name), f"{part:.0%}", str(count)] for name, (part, count) in found.items()]
    tied = len(evidence.bands.ensemble.forms) - 1
    along = bool(evidence.task.scale_axes)
    held_back = "each fold holding back one part of a scale axis" if along else "each fold holding back some settings"
    reach = f" Folds reach {evidence.bands.reach:.2g} ranges of a scale axis beyond their data." if along else ""
    return (
        f"<p>The band joins three doubts: the scatter of rows around the law, refits on resampled rows, and the spread "
        f"of {tied} other law{'s' if tied != 1 else ''} that validation could hardly tell from this one. It is then "
        "widened or narrowed by how far the laws missed on folds of the training rows, "
        f"{held_back}. <b>With the factor learnt from the other folds, {inside:.0%} of {rows} held-back rows lay "
        f"inside the {LEVEL:.0%} band.</b>{reach}</p>"
        + _table(["fold", "inside", "rows"], lines, numbers={"inside", "rows"})
    )


def _leaderboard(evidence: Evidence) -> str:
    lines, marked = [], []
    known = any(known_as_text(row) for row in evidence.rows)
    for place, row in enumerate(evidence.rows):
        if row["law"] == evidence.row["law"]:
            marked.append(place)
        lines.append([
            str(row.get("rank", "")), f"<code>{escape(str(row['law']))}</code>",
            escape(f"{row['origin']}: {row.get('name') or row.get('proposer') or ''}"), str(row.get("complexity", "")),
            _score(row.get("validation_r2")), _score(row.get("held_out_r2")),
            *([escape(known_as_text(row))] if known else []), escape(str(row["formula"])),
        ])  # fmt: skip
    heads = ["rank", "law", "origin", "complexity", "validation R2", "held-out R2"]
    heads += ["known as", "formula"] if known else ["formula"]
    return _table(heads, lines, numbers={"rank", *heads[3:6]}, formula=True, marked=marked)


def _search(evidence: Evidence) -> str:
    if not evidence.candidates:
        return "<p>The store of the run is not here, so the course of the search is not shown.</p>"
    failures = Counter(c.status for c in evidence.candidates if c.status != "ok")
    lines = [[escape(status), f"{count:,}"] for status, count in failures.most_common(12)]
    told = f"<p>{len(evidence.candidates):,} candidates, of which {sum(failures.values()):,} failed.</p>"
    told += _table(["why candidates failed", "how many"], lines, numbers={"how many"}) if lines else ""
    return told + _proposers(evidence) + _language_models(evidence)


def _proposers(evidence: Evidence) -> str:
    lines = [
        [
            escape(gain.proposer), f"{gain.candidates:,}", f"{gain.won:,}", f"{gain.r2_gained:.4f}", str(gain.on_front),
            f"{gain.share:.0%}" if gain.share else "-", f"{gain.seconds:.1f}",
        ]
        for gain in evidence.gains
    ]  # fmt: skip
    heads = ["proposer", "candidates", "elites won", "R2 gained", "laws on the front", "share at the end", "seconds"]
    return _table(heads, lines, numbers=set(heads[1:])) if lines else ""


def _language_models(evidence: Evidence) -> str:
    """Calls, faults and cost of each language model, and what it noted about the best laws."""
    lines, notes = [], []
    for proposer in dict.fromkeys(call.proposer for call in evidence.calls):
        own = [call for call in evidence.calls if call.proposer == proposer]
        dollars = [call.dollars for call in own if call.dollars is not None]
        lines.append([
            escape(proposer), "masked" if own[0].masked else "as they are", str(len(own)),
            str(sum(bool(call.fault) for call in own)), f"{sum(call.tokens_in + call.tokens_out for call in own):,}",
            f"{sum(call.seconds for call in own):.1f}",
            f"{math.fsum(dollars):.4f}" if len(dollars) == len(own) else "not known",
        ])  # fmt: skip
        notes += [f"<li>{escape(note)} ({escape(proposer)})</li>" for call in own for note in call.notes]
    if not lines:
        return ""
    heads = ["language model", "names", "calls", "faults", "tokens", "seconds", "USD"]
    said = f"<p>What they noted about the best laws:</p><ul>{''.join(notes)}</ul>" if notes else ""
    return _table(heads, lines, numbers=set(heads[2:])) + said


def _provenance(evidence: Evidence) -> str:
    task = evidence.task
    lines = [
        [escape(c.name), escape(c.unit), escape(c.scale), escape(c.description)] for c in (*task.inputs, *task.targets)
    ]
    counts = f"<p>{task.training_count} training rows; {task.held_out_count} are held out.</p>"
    if aside := set_aside_text(evidence.row.get("set_aside") or ()):
        counts += f'<p class="warn">{escape(aside.capitalize())}.</p>'
    texts = "".join(
        f"<details><summary>{escape(name)}</summary><pre>{escape(text)}</pre></details>"
        for name, text in evidence.sources.items()
    )
    missing = (
        "" if evidence.sources else '<p class="warn">No SOURCE.md or README.md tells where the data come from.</p>'
    )
    return counts + _table(["column", "unit", "scale", "meaning"], lines) + texts + missing


def _reproduce(evidence: Evidence) -> str:
    row, run = evidence.row, evidence.run
    where = run.folder if run is not None else evidence.task.name
    words = ["discover", "run", str(where)]
    for option in ("budget", "seed"):
        if row.get(option) not in (None, ""):
            words += [f"--{option}", str(row[option])]
    options = run.options if run is not None else {}
    if options.get("language_models"):  # what they said is in the store
        words = ["discover", "run", str(where), "--replay", run.id if run is not None else ""]
    elif options.get("proposers"):
        words += ["--proposers", ",".join(name for name in options["proposers"] if name != options.get("start_from"))]
        words += ["--start-from", str(options["start_from"])] if options.get("start_from") else []
    law = str(row["law"])
    commands = [
        shlex.join(words),
        shlex.join(["discover", "verify", law]),
        shlex.join(["discover", "report", str(where)]),
    ]
    seconds = not str(row.get("budget", "")).isdecimal()
    note = (
        "A budget in seconds ends where the machine's speed ends it; with a budget in candidates, the same command "
        "finds the same laws." if seconds else "The budget is in candidates: the same command finds the same laws."
    )  # fmt: skip
    facts = []
    if run is not None:
        versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
        facts = [
            ["run", f"{run.id}, started {run.started[:19]} (UTC)"],
            ["versions", versions],
            ["digest of what the search could see", run.digest],
            ["options", ", ".join(f"{name} {value}" for name, value in run.options.items())],
        ]
    elif row.get("run"):
        facts = [["run", str(row["run"])]]
    shown = _table(["", ""], [[escape(name), escape(str(value))] for name, value in facts]) if facts else ""
    return f"<pre>{escape(chr(10).join(commands))}</pre><p>{note}</p>{shown}"


def _figure(name: str, figures: Mapping[str, str], axis: str = "") -> str:
    if name not in figures:
        return ""
    caption = (_EXTRAPOLATION if axis else _CAPTIONS[name]).format(level=f"{LEVEL:.0%}", axis=axis)
    return f"<figure>{figures[name]}<figcaption>{escape(caption)}</figcaption></figure>"


def _table(
    heads: Sequence[str],
    lines: Sequence[Sequence[str]],
    numbers: set[str] | None = None,
    formula: bool = False,
    whole: str = "",
    marked: Sequence[int] = (),
) -> str:
    """A table of cells that are markup already; columns in `numbers` stand to the right, `whole` does not break."""
    right = [head in (numbers or set()) for head in heads]

    def cell(tag: str, text: str, place: int) -> str:
        is_formula = formula and tag == "td" and place == len(heads) - 1
        kind = "n" if right[place] else "f" if is_formula else "t" if whole and heads[place] == whole else ""
        return f'<{tag} class="{kind}">{text}</{tag}>' if kind else f"<{tag}>{text}</{tag}>"

    head = "".join(cell("th", escape(text), place) for place, text in enumerate(heads)) if any(heads) else ""
    body = "".join(
        f"<tr{' class=chosen' if number in marked else ''}>{''.join(cell('td', t, p) for p, t in enumerate(line))}</tr>"
        for number, line in enumerate(lines)
    )
    top = f"<thead><tr>{head}</tr></thead>" if head else ""
    return f'<div class="scroll"><table>{top}<tbody>{body}</tbody></table></div>'


def _score(value: Any) -> str:
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "-"
    return f"{value:.4f}" if abs(value) < 1e3 else f"{value:.2g}"
