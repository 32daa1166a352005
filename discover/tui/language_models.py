"""What language models did in a run, as Markdown: calls, faults, cost, and what they noted."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from typing import Any


def language_models_markdown(calls: Sequence[Any]) -> str:
    """A section for the page of a leaderboard; "" for a run without a language model."""
    if not calls:
        return ""
    lines = ["", "## Language models", ""]
    lines += [
        "| model | names | calls | faults | laws to be tried | refused or known | tokens in, out | seconds | USD |",
        "|---|---|--:|---|--:|--:|--:|--:|--:|",
    ]
    for proposer in dict.fromkeys(call.proposer for call in calls):
        own = [call for call in calls if call.proposer == proposer]
        faults = Counter(call.fault for call in own if call.fault)
        verdicts = Counter(law["verdict"] == "to be tried" for call in own for law in call.laws)
        known = all(call.dollars is not None for call in own)
        cells = [
            f"`{proposer}`",
            "masked" if own[0].masked else "as they are",
            str(len(own)),
            ", ".join(f"{number} {fault}" for fault, number in faults.items()) or "none",
            str(verdicts[True]),
            str(verdicts[False]),
            f"{sum(call.tokens_in for call in own):,}, {sum(call.tokens_out for call in own):,}",
            f"{sum(call.seconds for call in own):.1f}",
            f"{sum(call.dollars for call in own):.4f}" if known else "not known",
        ]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    for call in calls:
        if call.notes:
            lines += ["", f"What `{call.proposer}` noted about the best laws after {call.answered} candidates:", ""]
            lines += [f"- {html.escape(note, quote=False)}" for note in call.notes]
    return "\n".join([*lines, ""])
