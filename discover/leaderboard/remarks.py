"""What a leaderboard says of its laws beside scores: which published law each is, and what is certain about it.

In: rows of a leaderboard and their task. Out: a record for each row. The work is bounded, so that a run pays a few
seconds for it; `discover identify` and `discover certify` take their time and tell more. No scores are read, and no
held-out rows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.certificates import Certificate, Statement, certify, domain_of, summary
from discover.identity import UNDECIDED, Finding, known_as
from discover.law import Law
from discover.leaderboard.stored import law_of, values_of
from discover.library import assigned, entries

if TYPE_CHECKING:
    from discover.task import Task

NEW, UNKNOWN = "new", "unknown"
_SECONDS_EACH, _SECONDS = 2.0, 7.0  # of processor time to identify a law, and all of them
_CERTIFY_SECONDS = 2.0  # of them for the certificates of the chosen law; the others share the rest
_BOXES = 20_000  # that may be looked at for the certificates of one law
_FEWEST_BOXES, _MOST_BOXES = 200, 1_500  # for one statement


@dataclass(frozen=True)
class KnownAs:
    """What a law is to the published laws.

    Attributes:
        kind: "identical", "special case", "generalisation", "near", "new", or "unknown" where the time did not do.
        laws: Ids of the library that spell this published form, the best known first; empty for "new" and "unknown".
        text: Such as "identical to chinchilla", "special case of nd_coupled (g = 1)", "new form".
    """

    kind: str
    laws: tuple[str, ...]
    text: str


def remarks(task: Task, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """`known_as` and `certificates` for each row.

    Args:
        rows: With `origin`, `name`, `citation`, `formula` and `parameters` (cell label -> name -> value), as a
            leaderboard keeps them. The chosen law is looked at first, baselines last.

    Returns:
        For each row, `known_as` (KnownAs, or None where there is nothing to say) and `certificates`. A row whose cells
        are not those of the task has none of both.
    """
    roles = {column.name: assigned(column.name, column.unit, column.role).role for column in task.inputs}
    column = task.targets[0]
    target = assigned(column.name, column.unit, column.role).role
    made: list[dict[str, Any]] = [{"known_as": None, "certificates": ()} for _ in rows]
    known: dict[str, KnownAs | None] = {}
    left, left_to_certify = _SECONDS, _SECONDS
    turns = sorted(range(len(rows)), key=lambda place: _turn(rows[place]))
    for to_go, place in zip(range(len(rows), 0, -1), turns, strict=True):
        row = rows[place]
        found = _fitted(task, row)
        if found is None:
            continue
        law, parameters = found
        began = time.thread_time()
        # Laws of one form share an answer, unless one was published by name.
        mark = f"{row['origin']} {_published_name(row)} {law.key}"
        if mark not in known:
            known[mark] = _known_as(task, row, law, parameters, roles, target, min(left, _SECONDS_EACH))
        made[place]["known_as"] = known[mark]
        middle = time.thread_time()
        share = _CERTIFY_SECONDS if row.get("chosen") else left_to_certify / to_go  # some for every law
        made[place]["certificates"] = _certificates(task, law, parameters, share)
        left -= middle - began
        left_to_certify -= time.thread_time() - middle
    return made


def _turn(row: Mapping[str, Any]) -> tuple[bool, bool, bool]:
    """Who comes first, should the time not do for all."""
    return not row.get("chosen"), row["origin"] == "baseline", row["origin"] != "discovered"


def _fitted(task: Task, row: Mapping[str, Any]) -> tuple[Law, np.ndarray] | None:
    """The law of a row with its parameters (cell, parameter), in the order of the task's cells."""
    cells: Mapping[str, Mapping[str, float]] = row.get("parameters") or {}
    if set(cells) != {cell.label for cell in task.cells}:
        return None
    law = law_of(task, row)
    return law, values_of(task, law, cells)


def _published_name(row: Mapping[str, Any]) -> str:
    """The id of the library that a human law goes by and whose source it cites, "" for none."""
    name, citation = str(row.get("name") or "").partition(",")[0], str(row.get("citation") or "")
    known = any(entry.id == name and entry.source.arxiv in citation for entry in entries())
    return name if row["origin"] == "human" and known else ""


def _known_as(
    task: Task,
    row: Mapping[str, Any],
    law: Law,
    parameters: np.ndarray,
    roles: Mapping[str, str],
    target: str,
    seconds: float,
) -> KnownAs | None:
    if name := _published_name(row):
        return KnownAs("identical", (name,), f"identical to {name}")
    if not law.inputs:
        return None
    rows = task.training if np.isfinite(parameters).all() else None
    is_baseline = row["origin"] == "baseline"  # of these, the canonical form says enough
    allowed = 0.0 if is_baseline else seconds
    found = known_as(law, roles, rows=rows, parameters=parameters, target=target, seconds=allowed)
    if isinstance(found, Finding):
        return KnownAs(found.kind, found.entries, found.label)
    if found == UNDECIDED:
        return None if is_baseline else KnownAs(UNKNOWN, (), "not told from published laws in the time allowed")
    # What people published, and baselines, are not new for being absent from the library.
    return KnownAs(NEW, (), "new form") if row["origin"] == "discovered" else None


def _certificates(task: Task, law: Law, parameters: np.ndarray, seconds: float) -> tuple[Certificate, ...]:
    """Of one cell at least, and of as many more as there is time for."""
    over = time.thread_time() + seconds
    statements = len(parameters) * (2 + 2 * len(law.inputs))
    boxes = int(np.clip(_BOXES // statements, _FEWEST_BOXES, _MOST_BOXES))
    looked_at: list[tuple[Statement, ...]] = []
    for place, own in enumerate(parameters):
        if looked_at and time.thread_time() > over:
            break
        looked_at.append(certify(law, list(own), domain_of(task, place), boxes))
    return summary(looked_at, len(parameters))
