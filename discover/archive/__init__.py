"""The archive: what a search keeps.

In: candidates. Out: parents, elites, the Pareto front. Stays out: where formulas come from, held-out rows.
"""

from discover.archive.archive import Archive
from discover.archive.candidate import OK, Candidate

__all__ = ["OK", "Archive", "Candidate"]
