"""What every proposer promises, whichever it is: a new one is added to `PROPOSERS` and must keep all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from discover.archive import Archive, Candidate
from discover.assessment import Job, assess
from discover.law import parse
from discover.proposers import Portfolio, Proposal, Proposer, portfolio_of
from discover.scoring import Yardstick
from discover.task import Task, load_task

PROPOSERS = ["families", "mutation", "crossover", "recipe", "sharing", "residual", "pysr"]
TASKS = ["vocab", "parallel", "domain_mixture"]  # one cell; two groups; four groups of five targets
ASKED = 40


def own(portfolio: Portfolio, name: str) -> Proposer:
    return next(proposer for proposer in portfolio.proposers if proposer.name == name)


def made(task: Task, name: str) -> Proposer:
    return own(portfolio_of(task, tuple(dict.fromkeys((name, "recipe"))), reproducible=True), name)


_FILLED: dict[str, tuple[Task, list[Candidate]]] = {}


def filled(name: str) -> tuple[Task, Archive]:
    """A task, and an archive with a dozen laws in it."""
    if name not in _FILLED:
        task = load_task(f"{name}_scaling")
        archive, yardstick, found = Archive(spread=1.0), Yardstick.of(task), []
        families = own(portfolio_of(task, ("families",)), "families")
        rng = np.random.default_rng(3)
        while len(found) < 8:
            if (proposal := families.ask(archive, rng)) is not None:
                archive.reserve(proposal.key)
                found.append(assess(Job(len(found) + 1, proposal, 0), yardstick))
        _FILLED[name] = task, found
    task, found = _FILLED[name]
    archive = Archive(spread=float(task.training.target.std()))
    archive.add(found)
    assert archive.elites
    return task, archive


def asked(proposer: Proposer, archive: Archive, seed: int = 1) -> list[Proposal]:
    rng, proposals = np.random.default_rng(seed), []
    for _ in range(ASKED):
        if (proposal := proposer.ask(archive, rng)) is not None:
            archive.reserve(proposal.key)
            proposals.append(proposal)
    return proposals


@pytest.fixture(params=PROPOSERS)
def name(request: pytest.FixtureRequest, ready: dict[str, str]) -> str:
    return str(request.param)


@pytest.fixture(params=TASKS)
def proposer(request: pytest.FixtureRequest, name: str) -> Iterator[tuple[Proposer, Task, Archive]]:
    task, archive = filled(request.param)
    if name == "sharing" and len(task.cells) == 1:
        pytest.skip("one cell has nobody to share with")
    proposer = made(task, name)
    yield proposer, task, archive
    proposer.close()


def test_laws_are_within_the_cap_and_read_back_from_their_text(proposer: tuple[Proposer, Task, Archive]) -> None:
    source, task, archive = proposer
    proposals = asked(source, archive)
    assert proposals
    for proposal in proposals:
        law = proposal.law
        assert proposal.proposer == source.name
        assert 1 <= len(law.parameters) <= task.parameter_cap
        assert law.inputs
        assert set(law.inputs) <= set(task.input_names)
        assert parse(str(law), task.input_names, bounds=law.bounds).key == law.key
        assert set(proposal.parents) <= {candidate.number for candidate in archive.elites}


def test_the_same_seed_gives_the_same_proposals(name: str) -> None:
    told = []
    for _ in range(2):
        task, archive = filled("parallel")
        proposer = made(task, name)
        told.append([(str(p.law), p.recipe, p.parents) for p in asked(proposer, archive)])
        proposer.close()
    assert told[0] == told[1]


def test_an_empty_archive_is_no_error(name: str) -> None:
    proposer = made(load_task("parallel_scaling"), name)
    asked(proposer, Archive(spread=1.0))
    proposer.close()


def test_whatever_became_of_its_laws_may_be_told(name: str) -> None:
    task, archive = filled("parallel")
    proposer = made(task, name)
    elites = [replace(candidate, proposer=name) for candidate in archive.elites]
    failed = [replace(candidate, status="not finite", validation=None) for candidate in elites]
    proposer.tell([*elites, *failed], archive)
    proposer.tell([], archive)
    assert isinstance(proposer.waits(), bool)
    proposer.close()


def test_a_closed_proposer_closes_again_and_waits_for_nothing(name: str) -> None:
    task, archive = filled("parallel")
    proposer = made(task, name)
    proposer.ask(archive, np.random.default_rng(0))
    proposer.close()
    proposer.close()
    proposer.ask(archive, np.random.default_rng(0))


def test_the_training_rows_stay_as_they_are(name: str) -> None:
    task, archive = filled("parallel")
    before = task.training.inputs.copy(), task.training.target.copy()
    proposer = made(task, name)
    asked(proposer, archive)
    proposer.close()
    assert np.array_equal(task.training.inputs, before[0])
    assert np.array_equal(task.training.target, before[1])
