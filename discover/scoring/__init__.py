"""Scoring: how good a law is on rows that it was not fitted on.

In: laws, training rows, folds. Out: scores and validations. `held_out` alone reads the held-out rows, and only the
leaderboard imports it. Stays out: choosing.
"""

from discover.scoring.folds import Fold, cut, folds_of
from discover.scoring.metrics import Score, score
from discover.scoring.validation import FINAL, RACE, SURVIVOR, Effort, Validation, Yardstick, validate

__all__ = [
    "FINAL",
    "RACE",
    "SURVIVOR",
    "Effort",
    "Fold",
    "Score",
    "Validation",
    "Yardstick",
    "cut",
    "folds_of",
    "score",
    "validate",
]
