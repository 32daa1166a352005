"""What a row of a leaderboard keeps about its law beside scores, in words: plain text, for every page that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MARKS = {"proved": "✓", "refuted": "✗", "unknown": "?"}


def known_as_text(row: Mapping[str, Any]) -> str:
    """In full: "special case of nd_coupled (g = 1)"; "" where nothing is known, as on older leaderboards."""
    return str((row.get("known_as") or {}).get("text") or "")


def certificate_lines(row: Mapping[str, Any]) -> list[str]:
    """One line for each certificate: "✓ falls with N", "✗ rises or falls with D (2 of 42 cells)"."""
    return [
        f"{MARKS.get(str(own.get('verdict')), '?')} {own['text']}{_cells(own)}" for own in row.get("certificates") or ()
    ]


def _cells(certificate: Mapping[str, Any]) -> str:
    """Of how many cells it is true, where these are not all."""
    true_of, looked_at, unseen = certificate.get("cells"), certificate.get("of"), certificate.get("unseen") or 0
    told = f"{true_of} of {looked_at} cells" + (f"; no time for {unseen} more" if unseen else "")
    return f" ({told})" if unseen or true_of != looked_at else ""
