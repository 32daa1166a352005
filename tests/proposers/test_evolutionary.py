"""What every proposer promises: laws within the cap, over the task's inputs, that read back from their text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from discover.archive import Archive
from discover.assessment import Job, assess
from discover.errors import DiscoverError
from discover.law import parse
from discover.proposers import DEFAULT, portfolio_of
from discover.proposers.evolutionary import Recipes
from discover.proposers.proposal import tidy_law
from discover.scoring import Yardstick
from discover.task import load_task

TASKS = ["parallel", "vocab", "sft", "domain_mixture", "moe", "data_constrained", "lr_bsz", "u_shape"]


def filled_archive(name: str, count: int = 12) -> tuple[object, Archive]:
    task = load_task(f"{name}_scaling")
    archive, yardstick = Archive(spread=float(task.training.target.std())), Yardstick.of(task)
    rng = np.random.default_rng(3)
    for number, proposal in enumerate(portfolio_of(task, ("families",)).ask(count, archive, rng), 1):
        archive.add([assess(Job(number, proposal, 0), yardstick)])
    return task, archive


@pytest.mark.parametrize("name", TASKS)
def test_families_stay_within_the_cap_and_read_back(name: str) -> None:
    task = load_task(f"{name}_scaling")
    archive = Archive(spread=1.0)
    proposals = portfolio_of(task, ("families",)).ask(150, archive, np.random.default_rng(0))
    assert len(proposals) == 150
    for proposal in proposals:
        law = proposal.law
        assert 1 <= len(law.parameters) <= task.parameter_cap
        assert set(law.inputs) <= set(task.input_names)
        assert parse(str(law), task.input_names, bounds=law.bounds).key == law.key
    assert len({(p.law.key, p.recipe) for p in proposals}) == 150


def test_a_curve_between_a_floor_and_a_ceiling_is_asked_for_at_the_start() -> None:
    task = load_task("moe_scaling")
    asked = portfolio_of(task, ("families",)).ask(40, Archive(spread=1.0), np.random.default_rng(0))
    linear = "b + c*log(num_experts) + d*log(dense_params)"
    for inner in (linear, f"{linear} + e*log(num_experts)*log(dense_params)"):
        key = parse(f"E + A*sigmoid({inner})", task.input_names).key
        assert key in {proposal.law.key for proposal in asked}


def test_every_archive_begins_with_the_plainest_laws() -> None:
    task = load_task("moe_scaling")
    portfolio, rng = portfolio_of(task, ("families",)), np.random.default_rng(0)
    first, second = ([p.law.key for p in portfolio.ask(12, Archive(spread=1.0), rng)] for _ in range(2))
    assert first == second
    assert len(set(first)) == 12


def test_sharing_is_for_tasks_of_several_cells_and_names_parameters_of_the_law() -> None:
    task, archive = filled_archive("parallel")
    assert "sharing" not in portfolio_of(load_task("vocab_scaling")).shares()
    (own,) = (p for p in portfolio_of(task).proposers if p.name == "sharing")  # type: ignore[arg-type]
    rng = np.random.default_rng(2)
    found = [p for _ in range(40) if (p := own.ask(archive, rng)) is not None]
    assert found
    for proposal in found:
        assert set(proposal.recipe.shared) <= set(proposal.law.parameters)
        assert 0 < len(proposal.recipe.shared) < len(proposal.law.parameters)


@pytest.mark.parametrize("proposer", [p for p in DEFAULT if p != "families"])
def test_descendants_stay_within_the_cap_and_name_their_parents(proposer: str) -> None:
    task, archive = filled_archive("parallel" if proposer == "sharing" else "vocab")  # one cell has nothing to share
    names = (proposer, "recipe") if proposer != "recipe" else ("recipe",)
    portfolio = portfolio_of(task, names)  # type: ignore[arg-type]
    own = next(p for p in portfolio.proposers if p.name == proposer)
    rng = np.random.default_rng(1)
    found = [p for _ in range(200) if (p := own.ask(archive, rng)) is not None]
    assert len(found) > 40
    numbers = {c.number for c in archive.elites}
    for proposal in found:
        assert len(proposal.law.parameters) <= 7
        assert proposal.parents
        assert set(proposal.parents) <= numbers
        assert parse(str(proposal.law), task.input_names, bounds=proposal.law.bounds).key == proposal.law.key  # type: ignore[attr-defined]


def test_shares_follow_what_was_gained_and_keep_a_floor() -> None:
    task, archive = filled_archive("vocab")
    portfolio = portfolio_of(task)  # type: ignore[arg-type]
    won = [c for c in archive.elites if c.proposer == "families"]
    for _ in range(30):
        portfolio.tell(won, won, archive)
    shares = portfolio.shares()
    assert sum(shares.values()) == pytest.approx(1.0)
    assert max(shares, key=shares.get) == "families"  # type: ignore[arg-type]
    assert min(shares.values()) >= 0.07


@pytest.mark.parametrize(
    ("formula", "left"),
    [
        ("E + A*B*x**(-a)", "E + A*x**(-alpha)"),
        ("E + F + A*x**(-a) + 1", "E + A*x**(-alpha)"),
        ("A*log(k)*x", "A*x"),
        ("E + k*exp(c*d)*x", "E + A*x"),
        ("A*x**a + B*z**a", "A*x**alpha + B*z**alpha"),
    ],
)
def test_parameters_that_do_the_work_of_others_are_dropped(formula: str, left: str) -> None:
    law = parse(formula, ["x", "z"], bounds={"k": (0.0, float("inf"))} if "log(k)" in formula else None)
    tidy, _ = tidy_law(law.expression, ("x", "z"), law.bounds)
    assert str(tidy) == left
    assert all(bound == (-float("inf"), float("inf")) for bound in tidy.parameter_bounds)


@pytest.mark.parametrize(("name", "once"), [("moe", True), ("vocab", False)])
def test_a_setting_that_was_measured_often_counts_once_in_every_fit(name: str, once: bool) -> None:
    task, archive = filled_archive(name)
    proposals = portfolio_of(task).ask(60, archive, np.random.default_rng(4))  # type: ignore[arg-type]
    assert {proposal.recipe.once for proposal in proposals} == {once}


@pytest.mark.parametrize(
    ("name", "offered"), [("sft", True), ("domain_mixture", True), ("parallel", False), ("moe", False)]
)
def test_cells_may_learn_from_each_other_where_there_are_three_of_a_target(name: str, offered: bool) -> None:
    named = portfolio_of(load_task(f"{name}_scaling"), ("families", "shrinking"))
    assert [proposer.name for proposer in named.proposers] == ["families", *(["shrinking"] if offered else [])]


def test_shrinking_changes_how_much_cells_learn_and_nothing_else() -> None:
    task, archive = filled_archive("sft")
    (own,) = (p for p in portfolio_of(task, ("families", "shrinking")).proposers if p.name == "shrinking")
    rng = np.random.default_rng(0)
    asked = [own.ask(archive, rng) for _ in range(40)]
    parents = {candidate.number: candidate for candidate in archive.elites}
    assert {proposal.recipe.shrink for proposal in asked if proposal} == {0.3, 1.0}
    for proposal in filter(None, asked):
        parent = parents[proposal.parents[0]]
        assert proposal.law.key == parent.law.key
        assert replace(proposal.recipe, shrink=0.0) == parent.recipe


def test_no_search_shrinks_unasked() -> None:
    assert "shrinking" not in portfolio_of(load_task("sft_scaling")).shares()


@pytest.mark.parametrize("name", ["sharing", "shrinking"])
def test_a_search_of_which_nobody_can_propose_anything_is_refused(name: str) -> None:
    with pytest.raises(DiscoverError, match=f"proposers: {name} can do nothing with 1 set of parameters"):
        portfolio_of(load_task("vocab_scaling"), (name,))


def test_rows_are_weighted_and_left_out_only_where_there_are_settings_enough_to_tell() -> None:
    task = load_task("parallel_scaling")
    assert task.training.n_rows == 36
    for rows, expected in ((36, True), (31, False)):
        part = replace(task, training=task.training.select(np.arange(36) < rows))
        rng, recipes = np.random.default_rng(0), Recipes(part)
        drawn = [recipes.draw(rng, recipes.plain) for _ in range(400)]
        assert any(recipe.weight for recipe in drawn) == expected
        assert any(recipe.window for recipe in drawn) == expected
        assert len({recipe.loss for recipe in drawn}) > 3
