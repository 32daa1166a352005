"""Where runs are kept: an append-only SQLite file, and the leaderboards written beside it.

In: what a run was asked, its candidates as they are assessed, leaderboard rows, openings of held-out rows.
Out: the same records, exactly (floats as their shortest repr). Stays out: what to search, how to rank.
"""

from discover.store.calls import Cost, StoredCall, add_call, calls_of, with_costs
from discover.store.identity import law_id, short_name, task_digest, versions
from discover.store.leaderboards import read_leaderboard, write_bytes, write_file, write_leaderboard
from discover.store.lookup import find_law, latest_leaderboard
from discover.store.records import from_json, record, to_json
from discover.store.resuming import resumable
from discover.store.store import Batch, Candidacy, Chosen, Gain, Opening, Run, Store

__all__ = [
    "Batch",
    "Candidacy",
    "Chosen",
    "Cost",
    "Gain",
    "Opening",
    "Run",
    "Store",
    "StoredCall",
    "add_call",
    "calls_of",
    "find_law",
    "from_json",
    "latest_leaderboard",
    "law_id",
    "read_leaderboard",
    "record",
    "resumable",
    "short_name",
    "task_digest",
    "to_json",
    "versions",
    "with_costs",
    "write_bytes",
    "write_file",
    "write_leaderboard",
]
