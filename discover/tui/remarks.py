"""In words: what a law of a leaderboard is to the published laws, and what is certain about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Record = Mapping[str, Any]

_SIGNS = {"identical": "=", "special case": "⊂", "generalisation": "⊃", "near": "≈"}
_MARKS = {"proved": "✓", "refuted": "✗", "unknown": "?"}
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


def known_as_text(row: Record) -> str:
    """In full: "special case of nd_coupled (g = 1)"; "" where nothing is known, as on older leaderboards."""
    return str((row.get("known_as") or {}).get("text") or "")


def certificate_lines(row: Record) -> list[str]:
    """One line for each certificate: "✓ falls with N", "✗ rises or falls with D (2 of 42 cells)"."""
    lines = []
    for own in row.get("certificates") or ():
        lines.append(f"{_MARKS.get(own.get('verdict'), '?')} {own['text']}{_cells(own)}")
    return lines


def _cells(certificate: Record) -> str:
    """Of how many cells it is true, where these are not all."""
    true_of, looked_at, unseen = certificate.get("cells"), certificate.get("of"), certificate.get("unseen") or 0
    told = f"{true_of} of {looked_at} cells" + (f"; no time for {unseen} more" if unseen else "")
    return f" ({told})" if unseen or true_of != looked_at else ""


def certificates_note(row: Record) -> str:
    """How many certificates a law has: "statements beyond the data: 6 proved ✓, 2 refuted ✗"; "" for none."""
    marks = [line[0] for line in certificate_lines(row)]
    counts = [f"{marks.count(mark)} {verdict} {mark}" for verdict, mark in _MARKS.items() if mark in marks]
    return "statements beyond the data: " + ", ".join(counts) if counts else ""
