"""The lines of the table: laws of a leaderboard and candidates of a run in one form, sorted and filtered."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from discover.store.remarks import known_as_text

if TYPE_CHECKING:
    from discover.store.watch import Found

CANDIDATE = "candidate"  # the origin of a law that no leaderboard has ranked


@dataclass(frozen=True)
class Entry:
    """A law in the table.

    Attributes:
        id: The law's id, or #NUMBER for a candidate of a run.
        rank: On its leaderboard; None for a candidate.
        n_parameters: Per cell; None where it is not known.
        by: The proposer, or what people call the law.
        record: The leaderboard row; empty for a candidate.
        parameters: (cell, parameter) of a candidate.
    """

    id: str
    origin: str
    formula: str
    recipe: str
    size: int | None
    n_parameters: int | None
    validation_r2: float | None
    held_out_r2: float | None
    by: str
    run: str
    rank: int | None = None
    chosen: bool = False
    parents: tuple[int, ...] = ()
    record: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    parameters: Any = field(default=None, compare=False, repr=False)

    @property
    def short_id(self) -> str:
        """The id without its task."""
        return self.id.rpartition("-")[2]


def ranked(row: Mapping[str, Any]) -> Entry:
    """A leaderboard row."""
    cells = row.get("parameters") or {}
    return Entry(
        id=str(row["law"]),
        origin=str(row.get("origin") or ""),
        formula=str(row["formula"]),
        recipe=str(row.get("recipe") or ""),
        size=row.get("complexity"),
        n_parameters=len(next(iter(cells.values()))) if cells else None,
        validation_r2=_number(row.get("validation_r2")),
        held_out_r2=_number(row.get("held_out_r2")),
        by=str(row.get("proposer") or row.get("name") or ""),
        run=str(row.get("run") or ""),
        rank=row.get("rank"),
        chosen=bool(row.get("chosen")),
        parents=tuple(row.get("parents") or ()),
        record=row,
    )


def candidate(found: Found, run: str) -> Entry:
    """A candidate of a run, as long as no leaderboard has ranked it."""
    return Entry(
        id=f"#{found.number}",
        origin=CANDIDATE,
        formula=found.formula,
        recipe=found.recipe,
        size=found.complexity,
        n_parameters=None if found.parameters is None else int(found.parameters.shape[-1]),
        validation_r2=found.validation_r2,
        held_out_r2=None,
        by=found.proposer,
        run=run,
        parents=found.parents,
        parameters=found.parameters,
    )


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


# Heading -> what it sorts by, and whether the largest comes first.
SORTS: dict[str, tuple[Callable[[Entry], Any], bool]] = {
    "#": (lambda e: e.rank, False),
    "law": (lambda e: e.id, False),
    "origin": (lambda e: e.origin, False),
    "valid.": (lambda e: e.validation_r2, True),
    "held out": (lambda e: e.held_out_r2, True),
    "size": (lambda e: e.size, False),
    "par.": (lambda e: e.n_parameters, False),
    "recipe": (lambda e: e.recipe, False),
    "formula": (lambda e: e.formula, False),
}


def ordered(entries: Sequence[Entry], by: str, turned: bool = False) -> list[Entry]:
    """By the column of that heading, those without a value last; candidates by validation R2 where they tie."""
    key, largest_first = SORTS[by]
    known = [entry for entry in entries if key(entry) is not None]
    unknown = [entry for entry in entries if key(entry) is None]
    known.sort(key=key, reverse=largest_first != turned)
    unknown.sort(key=lambda e: -(e.validation_r2 if e.validation_r2 is not None else -math.inf))
    return known + unknown


_COMPARED = {
    "valid": lambda e: e.validation_r2,
    "heldout": lambda e: e.held_out_r2,
    "size": lambda e: e.size,
    "par": lambda e: e.n_parameters,
    "rank": lambda e: e.rank,
}
_CONDITION = re.compile(rf"({'|'.join(_COMPARED)})(<=|>=|<|>|=)(-?\d{{1,12}}(?:\.\d{{1,12}})?)")


def matches(entry: Entry, wanted: str) -> bool:
    """Whether every word of `wanted` is met: a part of the law's texts, or a condition such as size<20, valid>0.9."""
    known = known_as_text(entry.record or {})
    texts = " ".join((entry.id, entry.origin, entry.formula, entry.recipe, entry.by, known)).lower()
    for word in wanted.lower().split():
        condition = _CONDITION.fullmatch(word)
        if condition is None:
            if word not in texts:
                return False
            continue
        value, limit = _COMPARED[condition[1]](entry), float(condition[3])
        if value is None or not _holds(value, condition[2], limit):
            return False
    return True


def _holds(value: float, sign: str, limit: float) -> bool:
    if sign.startswith("<"):
        return value < limit or (sign == "<=" and value == limit)
    if sign.startswith(">"):
        return value > limit or (sign == ">=" and value == limit)
    return value == limit
