"""What is seen: functions that build tables, lines and the live screen of a run.

In: records of the store, tasks, generations of a search. Out: Rich renderables, or text. Stays out: every
decision; what is chosen, ranked or stopped is decided before. Rich is imported where it is used.
"""

from discover.tui.console import console
from discover.tui.curve import curve
from discover.tui.known import known_view, laws_view, library_law_view
from discover.tui.language_models import language_models_markdown
from discover.tui.live import JsonLines, LiveScreen, PlainLines
from discover.tui.markdown import leaderboard_markdown
from discover.tui.tables import (
    checks_table,
    fit_view,
    law_view,
    leaderboard_view,
    proposers_table,
    run_view,
    runs_table,
    tasks_table,
)

__all__ = [
    "JsonLines",
    "LiveScreen",
    "PlainLines",
    "checks_table",
    "console",
    "curve",
    "fit_view",
    "known_view",
    "language_models_markdown",
    "law_view",
    "laws_view",
    "leaderboard_markdown",
    "leaderboard_view",
    "library_law_view",
    "proposers_table",
    "run_view",
    "runs_table",
    "tasks_table",
]
