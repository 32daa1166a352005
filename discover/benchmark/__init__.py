"""The benchmark: the same search over tasks, seeds and arms, and a page with the table of what came out.

In: tasks, seeds, arms (which proposers and language models take part), a budget. Out: `seeds.json` with one record for
each run, a section of `README.md`, and with several arms `arms.json`, where they are compared. Every run is a `discover
run` in a process and with a store of its own, so that what was interrupted goes on. Stays out: how a run searches and
what it opens; held-out scores are read from its leaderboard.
"""

from discover.benchmark.comparison import comparison, comparison_text
from discover.benchmark.figures import Asked, models_of, models_told, read_figures, refuse_other_arms, write_figures
from discover.benchmark.page import table, write_between, write_page
from discover.benchmark.running import Runs, arms_named, asks_models

__all__ = [
    "Asked",
    "Runs",
    "arms_named",
    "asks_models",
    "comparison",
    "comparison_text",
    "models_of",
    "models_told",
    "read_figures",
    "refuse_other_arms",
    "table",
    "write_between",
    "write_figures",
    "write_page",
]
