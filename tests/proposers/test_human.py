"""A search starts from the human laws when it is asked to, and never else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discover.archive import Archive
from discover.errors import DiscoverError
from discover.evolution import Budget, Search
from discover.law import parse
from discover.proposers import DEFAULT, portfolio_of, proposers_named
from discover.task import load_task

TASK = load_task("parallel_scaling")


def keys() -> list[str]:
    return [parse(human.formula, TASK.input_names, bounds=human.bounds).key for human in TASK.human_laws]


def test_first_batch_begins_with_the_forms_of_the_human_laws():
    search = Search(TASK, Budget(candidates=12), proposers=("human", *DEFAULT))
    (generation,) = search.generations()
    opening = generation.candidates[: len(keys())]
    assert [c.law.key for c in opening] == keys()
    assert {c.proposer for c in opening} == {"human"}
    assert "human" not in [c.proposer for c in generation.candidates[len(keys()) :]]
    assert "human" not in generation.shares


def test_every_archive_begins_with_the_human_laws():
    portfolio, rng = portfolio_of(TASK, ("human", *DEFAULT)), np.random.default_rng(0)
    for _ in range(2):
        asked = portfolio.ask(16, Archive(spread=1.0), rng)
        assert [p.law.key for p in asked[: len(keys())]] == keys()


def test_no_proposal_of_a_search_is_human_unless_asked():
    asked = portfolio_of(TASK).ask(16, Archive(spread=1.0), np.random.default_rng(0))
    assert "human" not in {proposal.proposer for proposal in asked}


def test_human_law_beyond_the_cap_is_left_out():
    task = replace(TASK, parameter_cap=1)
    asked = portfolio_of(task, ("human", "families")).ask(4, Archive(spread=1.0), np.random.default_rng(0))
    assert "human" not in {proposal.proposer for proposal in asked}


def test_proposers_are_named_once_each():
    assert proposers_named("auto") == DEFAULT
    assert proposers_named("mutation, families,mutation") == ("mutation", "families")


@pytest.mark.parametrize(
    ("text", "told"),
    [("mutaton", "did you mean 'mutation'"), ("", "'' is none"), ("families,human", "'human' is none")],
)
def test_other_names_are_refused_with_close_matches(text: str, told: str):
    with pytest.raises(DiscoverError, match=told):
        proposers_named(text)
