"""The archive: what a search keeps, and how one law is chosen in the end.

In: candidates. Out: parents, elites, the Pareto front, the choice. Stays out: where formulas come from, held-out rows.
"""

from discover.archive.archive import Archive, pareto_front
from discover.archive.candidate import OK, Candidate
from discover.archive.populations import Populations
from discover.archive.selection import RULE, Choice, choose

__all__ = ["OK", "RULE", "Archive", "Candidate", "Choice", "Populations", "choose", "pareto_front"]
