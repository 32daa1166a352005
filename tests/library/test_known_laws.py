"""The library against a task: what is planted is found, and the best enter a leaderboard."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from discover.errors import DiscoverError, TaskError
from discover.known_laws import Known, best_human_laws, columns_of, known_laws, target_role
from discover.law import parse
from discover.leaderboard import build, verify
from discover.task import Task, load_task


@pytest.fixture(scope="module")
def task(gadgets: Path) -> Task:
    return load_task(gadgets)


@pytest.fixture(scope="module")
def known(task: Task) -> tuple[Known, ...]:
    return known_laws(task)


def test_planted_law_is_among_the_first(known: tuple[Known, ...]):
    place = [each.match.entry.id for each in known].index("chinchilla")
    best = known[place]
    assert place < 3, "only generalisations of it may be as good"
    assert best.candidate.validation is not None
    assert best.candidate.validation.r2 > 0.999
    values = dict(zip(best.candidate.law.parameters, best.candidate.validation.parameters[0], strict=True))
    assert values["alpha"] == pytest.approx(0.34, abs=0.01)
    assert "journey_avg_params" in best.same, "the same law by another name is fitted once"


def test_ranking_is_by_validation_and_each_law_comes_once(known: tuple[Known, ...]):
    usable = [each.candidate.score for each in known if each.candidate.ok]
    assert usable == sorted(usable)
    assert len({each.candidate.key for each in known}) == len(known)
    assert [each.effort for each in known[:3]] == ["final"] * 3


def test_same_seed_gives_the_same_ranking(task: Task, known: tuple[Known, ...]):
    again = known_laws(task, seed=0)
    told = [(each.match.entry.id, each.candidate.score, each.effort) for each in known]
    assert [(each.match.entry.id, each.candidate.score, each.effort) for each in again] == told


def test_watch_is_told_of_every_law(task: Task):
    told: list[tuple[str, int, int]] = []
    found = known_laws(task, finalists=1, watch=lambda stage, done, total: told.append((stage, done, total)))
    (total,) = {total for stage, _, total in told if stage == "race"}
    assert [done for stage, done, _ in told if stage == "race"] == list(range(1, total + 1))
    assert told[-1] == ("final", 1, 1)
    assert sum(each.effort == "final" for each in found) == 1


def test_roles_are_declared_guessed_or_asked_for(task: Task):
    roles = columns_of(task, {"size": "width"})
    assert (roles["size"].role, roles["size"].reason) == ("width", "as asked for")
    assert roles["seen"].reason == "task.toml says so"
    assert columns_of(task)["size"].role == "parameters"
    assert target_role(task) == "loss"


@pytest.mark.parametrize(
    "asked, told",
    [({"sise": "width"}, "no such input; did you mean 'size'"), ({"size": "widht"}, "no role; did you mean 'width'")],
)
def test_role_that_there_is_not_is_refused(task: Task, asked: dict[str, str], told: str):
    with pytest.raises(DiscoverError, match=told):
        columns_of(task, asked)


def test_declared_role_is_checked(gadgets: Path, tmp_path: Path):
    text = (gadgets / "task.toml").read_text(encoding="utf-8")
    line = text[: text.index('role = "tokens"')].count("\n") + 1
    (tmp_path / "task.toml").write_text(text.replace('role = "tokens"', 'role = "tokns"'), encoding="utf-8")
    (tmp_path / "points.csv").write_bytes((gadgets / "points.csv").read_bytes())
    with pytest.raises(TaskError, match=rf"line {line}.*role is 'tokns', which is no role of a column; did you mean"):
        load_task(tmp_path)


def test_best_laws_enter_a_leaderboard_as_human_laws_refitted(task: Task, known: tuple[Known, ...]):
    library = best_human_laws(task, known, most=2)
    assert len(library) == 2
    assert "chinchilla" in {law.name for law in library}
    openings: list[str] = []
    rows = build(task, (), rng=np.random.default_rng(0), opening=openings.append, library=library)
    human = {row.name: row for row in rows if row.origin == "human"}
    assert set(human) == {f"{law.name}, refitted" for law in library}
    row = human["chinchilla, refitted"]
    assert "arXiv 2203.15556" in row.citation
    assert all(check.matches for check in verify(task, asdict(row)))
    assert len(openings) == 1


def test_law_with_more_parameters_than_the_task_allows_does_not_enter(task: Task, known: tuple[Known, ...]):
    library = best_human_laws(replace(task, parameter_cap=4), known)
    assert library
    assert all(len(parse(law.formula, task.input_names).parameters) <= 4 for law in library)


def test_law_of_repeated_data_explains_repeated_data_best():
    task = load_task("data_constrained_scaling")
    first = known_laws(task, finalists=1)[0]
    assert first.match.entry.id == "data_constrained"
    assert first.candidate.status == "ok"


def test_law_that_the_task_names_does_not_enter_twice():
    task = load_task("parallel_scaling")
    known = known_laws(task, finalists=0)
    assert known[0].match.entry.id == "parscale"
    names = {law.name for law in best_human_laws(task, known)}
    assert names
    assert not names & {"parscale", "parscale_diversity"}
