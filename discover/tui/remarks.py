"""In short: what a law of a leaderboard is to the published laws, and what is certain about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discover.store.remarks import MARKS, certificate_lines

Record = Mapping[str, Any]

_SIGNS = {"identical": "=", "special case": "⊂", "generalisation": "⊃", "near": "≈"}
CERTAIN = "certain up to a hundred times beyond the data (✓ proved, ✗ refuted, ? unknown)"
LEGEND = (
    "known as: = the same form as a published law, ⊂ a special case of it, ⊃ more general, "
    "≈ the rows cannot tell them apart, new: none of these, ?: undecided"
)


def known_as_sign(row: Record) -> str:
    """A word or two for a column: "= chinchilla", "⊂ nd_coupled", "new"; "" where nothing is known, "?" undecided."""
    known = row.get("known_as") or {}
    laws = known.get("laws") or ()
    if laws:
        return f"{_SIGNS.get(str(known.get('kind')), '')} {laws[0]}".strip()
    return {"new": "new", "unknown": "?"}.get(str(known.get("kind")), "")


def certificates_note(row: Record) -> str:
    """How many certificates a law has: "statements beyond the data: 6 proved ✓, 2 refuted ✗"; "" for none."""
    marks = [line[0] for line in certificate_lines(row)]
    counts = [f"{marks.count(mark)} {verdict} {mark}" for verdict, mark in MARKS.items() if mark in marks]
    return "statements beyond the data: " + ", ".join(counts) if counts else ""
