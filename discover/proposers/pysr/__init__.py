"""PySR: symbolic regression by evolution, run in a process of its own because it brings Julia.

In: the training rows, the archive's best laws. Out: laws. Nothing here imports the package pysr, for the import alone
starts Julia, or downloads it; `worker.py` does, as a script.
"""

from __future__ import annotations

from discover.proposers.pysr.julia import readiness, require
from discover.proposers.pysr.proposer import PySR

__all__ = ["PySR", "readiness", "require"]
