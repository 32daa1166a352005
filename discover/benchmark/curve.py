"""What a run had spent each time that its validation score rose: the cost curve of a benchmark's record.

In: the batches, candidates and calls that a store has of a run. Out: columns of plain numbers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from discover.benchmark.figures import CURVE
from discover.store import Batch, Candidacy, StoredCall


def curve(
    batches: Sequence[Batch], candidates: Sequence[Candidacy], calls: Sequence[StoredCall]
) -> dict[str, list[Any]]:
    """One entry for each batch whose candidates raised the best validation R2, and one for the end of the search.

    Args:
        batches, candidates, calls: Of one run, in order.

    Returns:
        Columns of equal length: `candidates` tried, `seconds` of search (of the clock), `tokens` and `dollars` of the
        calls that had been answered (`dollars` is null from the first call of unknown price on), and `validation_r2`,
        the best so far among the laws that could be fitted. A call whose answer nobody waited for counts at the end.
    """
    columns: dict[str, list[Any]] = {name: [] for name in CURVE}
    best, at = -math.inf, 0
    for place, batch in enumerate(batches):
        before, is_last = best, place == len(batches) - 1
        while at < len(candidates) and candidates[at].number <= batch.candidates:
            r2 = candidates[at].validation.get("r2", -math.inf) if candidates[at].status == "ok" else -math.inf
            best = max(best, r2) if math.isfinite(r2) else best
            at += 1
        if best == -math.inf or not (best > before or is_last):
            continue
        paid = [call for call in calls if is_last or 0 <= call.answered <= batch.candidates]
        columns["candidates"].append(batch.candidates)
        columns["seconds"].append(round(batch.elapsed_seconds, 2))
        columns["tokens"].append(sum(call.tokens_in + call.tokens_out for call in paid))
        columns["dollars"].append(dollars_of(paid))
        columns["validation_r2"].append(best)
    return columns


def spent(calls: Sequence[StoredCall]) -> dict[str, Any]:
    """Calls and how many of them brought nothing, tokens in and out, seconds that they took, dollars."""
    return {
        "calls": len(calls),
        "failed": sum(bool(call.fault) for call in calls),
        "tokens": sum(call.tokens_in + call.tokens_out for call in calls),
        "seconds": round(sum(call.seconds for call in calls), 1),
        "dollars": dollars_of(calls),
    }


def dollars_of(calls: Sequence[StoredCall]) -> float | None:
    """None where the price of one of them is not known."""
    known = [call.dollars for call in calls if call.dollars is not None]
    return round(math.fsum(known), 9) if len(known) == len(calls) else None
