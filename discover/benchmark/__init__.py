"""The benchmark: the same search over tasks, seeds and arms, and a page with the table of what came out.

In: tasks, seeds, arms (which proposers take part), a budget. Out: `seeds.json` with one record for each run, and a
section of `README.md`. Every run is a `discover run` in a process and with a store of its own, so that what was
interrupted goes on. Stays out: how a run searches and what it opens; held-out scores are read from its leaderboard.
"""

from discover.benchmark.figures import Asked, read_figures, write_figures
from discover.benchmark.page import table, write_between, write_page
from discover.benchmark.running import Runs, arms_named

__all__ = ["Asked", "Runs", "arms_named", "read_figures", "table", "write_between", "write_figures", "write_page"]
