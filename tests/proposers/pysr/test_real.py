"""The real PySR, where `discover doctor` says that it is ready: `pytest -m julia`; Julia compiles for some minutes."""

from __future__ import annotations

import numpy as np
import pytest

from discover.archive import Archive
from discover.assessment import Job, assess
from discover.evolution import Budget, Search
from discover.proposers.evolutionary import Recipes
from discover.proposers.pysr import PySR, readiness
from discover.scoring import Yardstick
from discover.task import load_task

READY = readiness()

pytestmark = [
    pytest.mark.julia,
    pytest.mark.slow,
    pytest.mark.skipif(not READY.is_ready, reason=f"PySR is not ready: {READY.reason}; mend with: {READY.mend}"),
]


@pytest.mark.parametrize("name", ["vocab", "parallel"])  # a plain formula; a template with parameters for each group
def test_what_it_finds_fits(name: str) -> None:
    task = load_task(f"{name}_scaling")
    archive, yardstick = Archive(spread=float(task.training.target.std())), Yardstick.of(task)
    proposer = PySR(task, Recipes(task), reproducible=True, alone=True)
    rng = np.random.default_rng(0)
    try:
        for number in range(1, 13):
            proposal = proposer.ask(archive, rng)
            assert proposal is not None, proposer.faults
            archive.add([assess(Job(number, proposal, 0), yardstick)])
    finally:
        proposer.close()
    assert not proposer.faults
    best = archive.best()
    assert best is not None
    assert best.validation is not None
    assert best.validation.in_sample < 0.1


def test_guesses_from_the_archive_are_read() -> None:
    """One that PySR cannot read is counted as a fault, and the search goes on without."""
    task = load_task("parallel_scaling")
    search = Search(task, Budget(candidates=112), seed=1, proposers=("families", "recipe", "pysr"))
    found = [c for generation in search.generations() for c in generation.candidates if c.proposer == "pysr"]
    assert any(c.ok for c in found)
    assert not [reason for reason in search.populations.failures if reason.startswith("pysr: ")]
