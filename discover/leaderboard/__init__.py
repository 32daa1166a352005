"""Leaderboards: the only room that opens the held-out rows, once per run, after the choice.

In: a task and ranked finalists. Out: rows that anyone can verify. Stays out: everything that chooses.
"""

from discover.leaderboard.baselines import baselines
from discover.leaderboard.board import Row, build
from discover.leaderboard.verification import Check, verify

__all__ = ["Check", "Row", "baselines", "build", "verify"]
