"""Prompts: plain-text templates filled with what the training rows and the archive show.

In: a task's training rows, the archive's best laws, what became of earlier suggestions. Out: messages. The templates
stand in `templates/`; to try another wording, change them there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.fitting import LOSSES
from discover.law.grammar import GRAMMAR, OPERATORS
from discover.proposers.language_model.description import (
    asked_line,
    input_lines,
    residual_lines,
    rows_line,
    target_line,
)

if TYPE_CHECKING:
    from discover.archive import Archive, Candidate
    from discover.proposers.language_model.names import Names
    from discover.task import Task

LAWS_ASKED = 6
_ELITES = 3
_UNUSUAL = ("gamma", "erf", "atan", "sin", "cos", "log10", "log2", "log1p", "expm1")  # allowed, but not suggested

Messages = list[dict[str, str]]

LAWS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "laws": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "expression": {"type": "string"},
                    "parameters": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "name": {"type": "string"},
                                "lower": {"type": ["number", "null"]},
                                "upper": {"type": ["number", "null"]},
                                "guess": {"type": ["number", "null"]},
                            },
                            "required": ["name", "lower", "upper", "guess"],
                            "additionalProperties": False,
                        },
                    },
                    "recipe": {"type": "string"},
                    "reason": {"type": "string"},
                },
                "required": ["expression", "parameters", "recipe", "reason"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["laws"],
    "additionalProperties": False,
}
NOTES_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"notes": {"type": "array", "items": {"type": "string"}}},
    "required": ["notes"],
    "additionalProperties": False,
}


def laws_prompt(
    task: Task,
    names: Names,
    archive: Archive,
    number: int,
    feedback: Sequence[str],
    notes: Sequence[str],
    brief: bool = False,
) -> Messages:
    """A request for laws; `number` varies which of the good laws are shown.

    Args:
        brief: Only names and formulas, for models that lose the thread in more.
        feedback: What became of this model's earlier suggestions, a line each, in the names shown.
        notes: What the best laws have in common, in the model's own words.
    """
    inputs = list(names.inputs.values())
    shown = diverse_elites(archive, number)
    losses = [loss for loss in LOSSES if (task.training.target > 0).all() or not loss.startswith("log")]
    several = len(task.cells) > 1
    weighted = ' followed by " weight=0.5", which lets large scales count more,' if task.scale_axes else ""
    filled = _template("laws_brief" if brief else "laws").substitute(
        target=names.target,
        inputs=", ".join(inputs),
        rows=rows_line(task, names),
        target_line=target_line(task, names),
        input_lines=input_lines(task, names),
        asked=asked_line(task, names),
        per_cell=", for each cell anew" if several else "",
        functions=", ".join(f for f in GRAMMAR if f not in OPERATORS and f not in _UNUSUAL),
        cap=task.parameter_cap,
        recipes=f'- a recipe for the fit is one of {", ".join(losses)},{weighted} or ""',
        formulas="\n".join(names.show(elite.law)[0] for elite in shown) or "none",
        elites=_elites_text("The best laws so far:", shown, task, names),
        residuals=_residuals_text(shown, task, names),
        feedback=_list_text("What became of your earlier laws:", feedback),
        notes=_list_text("What you noted about the best laws:", notes),
        number=LAWS_ASKED,
        first=inputs[0],
        recipe=losses[min(1, len(losses) - 1)] if losses[1:2] == ["log"] else losses[0],
    )
    return _messages(filled)


def concepts_prompt(task: Task, names: Names, archive: Archive, number: int) -> Messages:
    """A request to put in words what the best laws have in common."""
    best = diverse_elites(archive, number, most=5)
    worst = [e for e in archive.elites[::-1] if e not in best][:3]
    filled = _template("concepts").substitute(
        target=names.target,
        inputs=", ".join(names.inputs.values()),
        rows=rows_line(task, names),
        target_line=target_line(task, names),
        input_lines=input_lines(task, names),
        best="\n".join(_elite_line(e, task, names) for e in best),
        worst="\n".join(_elite_line(e, task, names) for e in worst) or "none yet",
    )
    return _messages(filled)


def diverse_elites(archive: Archive, number: int, most: int = _ELITES) -> list[Candidate]:
    """The best law, then good ones of other structures, others from call to call."""
    if not archive.elites:
        return []
    chosen, seen = [archive.elites[0]], {archive.elites[0].structure}
    others = []
    for elite in archive.elites[1:]:
        if elite.structure not in seen:
            seen.add(elite.structure)
            others.append(elite)
    others = others[: 2 * most] or list(archive.elites[1:most])
    turn = (number - 1) % len(others) if others else 0
    return chosen + (others[turn:] + others[:turn])[: most - 1]


def response_format(rung: str, name: str, schema: dict[str, Any]) -> dict[str, Any] | None:
    """The field of the request that asks for JSON; None on the last rung, where the prompt alone does."""
    if rung == "json_schema":
        return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}
    return {"type": "json_object"} if rung == "json_object" else None


def _elites_text(title: str, elites: Sequence[Candidate], task: Task, names: Names) -> str:
    if not elites:
        return "No law has been tried yet."
    return "\n".join([title, *(_elite_line(elite, task, names) for elite in elites)])


def _elite_line(elite: Candidate, task: Task, names: Names) -> str:
    """A law with its scores and what was fitted."""
    judged = elite.validation
    assert judged is not None
    text, own = names.show(elite.law)
    scores = f"R2 at larger scales {judged.r2:.4f}, at the fit {1 - judged.in_sample:.4f}"
    told = f"  {text}  [recipe {elite.recipe.text}; {scores}"
    if judged.far:
        told += f"; but {names.told(judged.far)}"
    fitted = []
    for index, name in enumerate(elite.law.parameters):
        values = judged.parameters[:, index]
        low, middle, high = (f"{v:.3g}" for v in np.quantile(values, [0.0, 0.5, 1.0], method="nearest"))
        fitted.append(f"{own[name]} = {middle}" + (f" ({low} to {high})" if len(values) > 1 else ""))
    return f"{told}; {', '.join(fitted[:10])}]"


def _residuals_text(elites: Sequence[Candidate], task: Task, names: Names) -> str:
    if not elites or not (lines := residual_lines(elites[0], task, names)):
        return ""
    return f"Where the first of them is off (mean of prediction - target, in units of its RMS):\n{lines}\n"


def _list_text(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines), ""]) if lines else ""


def _messages(text: str) -> Messages:
    tidy = "\n".join(line.rstrip() for line in text.strip().splitlines())
    while "\n\n\n" in tidy:
        tidy = tidy.replace("\n\n\n", "\n\n")
    system = " ".join(_template("system").template.split())
    return [{"role": "system", "content": system}, {"role": "user", "content": tidy}]


@cache
def _template(name: str) -> Template:
    folder = resources.files(__package__).joinpath("templates")
    return Template(folder.joinpath(f"{name}.txt").read_text(encoding="utf-8"))
