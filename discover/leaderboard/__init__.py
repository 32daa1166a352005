"""Leaderboards: the only room that opens the held-out rows, once per run, after the choice.

In: a task and ranked finalists. Out: rows that anyone can verify. Stays out: everything that chooses.
"""

from discover.leaderboard.attribution import WAYS, Way, attribute
from discover.leaderboard.baselines import baselines
from discover.leaderboard.board import PlainRecipe, Row, build
from discover.leaderboard.remarks import KnownAs, remarks
from discover.leaderboard.verification import Check, verify

__all__ = [
    "WAYS",
    "Check",
    "KnownAs",
    "PlainRecipe",
    "Row",
    "Way",
    "attribute",
    "baselines",
    "build",
    "remarks",
    "verify",
]
