"""Prompts: what they tell, and that nothing held out can be in them."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discover.archive import Archive, Candidate
from discover.assessment import Job, assess
from discover.proposers import portfolio_of
from discover.proposers.language_model.description import asked_line
from discover.proposers.language_model.names import Names
from discover.proposers.language_model.prompt import concepts_prompt, laws_prompt
from discover.scoring import Yardstick
from discover.task import Task, load_task

from .conftest import Start

TASKS = ["parallel", "vocab", "sft", "domain_mixture", "moe", "data_constrained", "lr_bsz", "u_shape"]
# What is asked for in each task: the place of the held-out rows.
ASKED = {
    "parallel": ["8", "P = 8"],
    "vocab": ["96256", "9.626e+04"],
    "sft": ["819200", "8.192e+05"],
}


def every_prompt(task: Task, count: int = 6) -> str:
    """All that a model may be told of a task after a few candidates, names shown and masked."""
    archive, yardstick = Archive(spread=float(task.training.target.std())), Yardstick.of(task)
    rng = np.random.default_rng(3)
    for number, proposal in enumerate(portfolio_of(task, ("families",)).ask(count, archive, rng), 1):
        archive.add([assess(Job(number, proposal, 0), yardstick)])
    told = []
    for masked in (False, True):
        names = Names(task, masked)
        for number in range(1, 4):
            told.append(laws_prompt(task, names, archive, number, ["A*x - poor fit"], ["a note"]))
            told.append(concepts_prompt(task, names, archive, number))
    return json.dumps(told)


def test_prompts_do_not_change_when_the_held_out_rows_are_noise(tmp_path: Path) -> None:
    original = load_task("parallel_scaling").folder
    shutil.copytree(original, tmp_path / "tasks" / "parallel_scaling")
    shutil.copytree(original.parents[1] / "datasets" / "parallel", tmp_path / "datasets" / "parallel")
    folder = tmp_path / "tasks" / "parallel_scaling"
    before = every_prompt(load_task(folder))
    points = tmp_path / "datasets" / "parallel" / "points.csv"
    rng = np.random.default_rng(0)
    lines = points.read_text().splitlines()
    header = lines[0].split(",")
    place, value = header.index("parallel_size"), header.index("loss")
    for index, line in enumerate(lines[1:], 1):
        cells = line.split(",")
        if cells[place] == "8":
            cells[value] = f"{rng.uniform(0.1, 9.0):.4f}"
            lines[index] = ",".join(cells)
    points.write_text("\n".join(lines) + "\n")
    assert every_prompt(load_task(folder)) == before


@pytest.mark.parametrize("name", TASKS)
def test_no_prompt_says_where_the_held_out_rows_are(name: str) -> None:
    task = load_task(f"{name}_scaling")
    names = Names(task, masked=False)
    archive = Archive(spread=1.0)
    told = laws_prompt(task, names, archive, 1, [], [])[1]["content"]
    words = re.findall(r"[^\s,;]+", told)
    assert not set(ASKED.get(name, [])) & set(words)
    for prose in (
        task.title,
        task.summary,
        *(limit.source for limit in task.limits),
        *(h.formula for h in task.human_laws),
    ):
        assert " ".join(prose.split()) not in " ".join(told.split())


def test_prompt_shows_units_levels_trends_elites_residuals_outcomes_and_notes(task: Task, archive: Archive) -> None:
    told = laws_prompt(task, Names(task, False), archive, 1, ["E + A*x - known already"], ["powers fall"])[1]["content"]
    for part in (
        "input num_experts: ",
        "levels: ",
        "the target falls with it in",
        "at most 6 parameters",
        str(archive.elites[0].law),
        "by dense_params: ",
        "E + A*x - known already",
        "powers fall",
        '{"laws": [',
    ):
        assert part in told
    assert len(told) < 12_000


def test_elites_shown_differ_from_each_other_and_from_call_to_call(task: Task, archive: Archive) -> None:
    names = Names(task, False)
    first, second = (laws_prompt(task, names, archive, number, [], [])[1]["content"] for number in (1, 2))
    assert first != second
    assert first.count("R2 at larger scales") == 3


def test_masked_prompts_have_no_name_unit_description_or_group() -> None:
    for name in ("parallel", "moe", "domain_mixture"):
        task = load_task(f"{name}_scaling")
        told = laws_prompt(task, Names(task, True), Archive(spread=1.0), 1, [], [])[1]["content"]
        described = "\n".join(line for line in told.splitlines() if line.startswith(("Find", "target", "input")))
        for column in (*task.inputs, *task.targets):
            assert not re.search(rf"\b{column.name}\b", told)
            for secret in (column.description, column.unit):
                assert not secret or secret == "1" or secret not in described
        assert not any(group in told for group in task.groups)
        assert "input x1: " in told


def test_masked_prompts_do_not_name_the_input_of_a_limit_that_a_law_breaks(task: Task, archive: Archive) -> None:
    """What is wrong with a law beyond the data was told in the task's own names."""
    best = archive.elites[0]
    assert best.validation is not None
    broken = replace(best.validation, far="against what is known beyond the data (num_experts: falls)")
    archive.elites[0] = replace(best, validation=broken)
    for make in (laws_prompt, concepts_prompt):
        more = ([], []) if make is laws_prompt else ()
        plain, masked = (make(task, Names(task, m), archive, 1, *more)[1]["content"] for m in (False, True))  # type: ignore
        assert "but against what is known beyond the data (num_experts: falls)" in plain
        assert "but against what is known beyond the data (x1: falls)" in masked
        assert "num_experts" not in masked


def test_a_description_with_a_number_stays_out() -> None:
    """It may say where the held-out rows are."""
    task = load_task("parallel_scaling")
    first, second = task.inputs
    told = replace(task, inputs=(replace(first, description="of models up to 3B"), second))
    content = laws_prompt(told, Names(told, False), Archive(spread=1.0), 1, [], [])[1]["content"]
    assert "3B" not in content
    assert second.description in content


def test_masked_laws_are_read_back_in_the_tasks_names(talk: Start) -> None:
    conversation = talk(["good"], masked=True).batches(3)
    assert "num_experts" not in json.dumps(conversation.server.script.requests)
    (proposal, *_) = conversation.asked_for
    assert set(proposal.law.inputs) == {"num_experts", "dense_params"}
    assert conversation.calls[0].masked


def test_bounds_guess_and_recipe_of_a_reply_reach_its_proposal(talk: Start, task: Task) -> None:
    found = next(p for p in talk(["good"]).batches(2).asked_for if "alpha" in p.law.parameters)
    assert found.law.bounds["alpha"] == (0.0, 3.0)
    assert found.guess["alpha"].tolist() == [0.3] * len(task.cells)
    assert found.recipe.text == "log"


def test_a_parameter_named_like_an_input_changes_its_name() -> None:
    task = load_task("moe_scaling")
    law, renamed = Names(task, masked=True).read("E + dense_params*x1", {"dense_params": (0.0, 1.0)})
    assert str(law) == "E + dense_params_*num_experts"
    assert law.bounds["dense_params_"] == (0.0, 1.0)
    assert renamed["dense_params"] == "dense_params_"


def test_poor_fits_and_duplicates_are_told_back(talk: Start, task: Task) -> None:
    conversation = talk(["good", "good"]).batches(2)
    yardstick = Yardstick.of(task)
    done = [assess(Job(n, p, 0), yardstick) for n, p in enumerate(conversation.asked_for, 100)]
    entered = conversation.archive.add(done)
    conversation.model.tell(done, conversation.archive)
    assert conversation.model.won == len(entered)
    conversation.batches(2)
    # The last call that was answered: of one that is under way the server may have heard, or not yet.
    told = json.loads(conversation.calls[-1].request)["messages"][-1]["content"]
    assert re.search(r"- R2 at larger scales -?\d+\.\d{4} \(the best has|- poor fit|- not finite", told)


def test_why_a_law_could_not_be_fitted_is_told_back(talk: Start, task: Task) -> None:
    conversation = talk(["good"]).batches(3)
    first, second = conversation.asked_for[:2]
    failed = [
        Candidate(number, proposal.law, proposal.recipe, proposal.proposer, (), why, None)
        for number, (proposal, why) in enumerate([(first, "poor fit"), (second, "not finite")], 100)
    ]
    conversation.model.tell(failed, conversation.archive)
    conversation.batches(3)  # notes are asked for in between
    told = "\n".join(request["messages"][-1]["content"] for request in conversation.server.script.requests)
    assert f"{first.law} - poor fit" in told
    assert f"{second.law} - not finite" in told
    assert conversation.model.won == 0


def test_notes_about_the_best_laws_enter_later_prompts(talk: Start) -> None:
    conversation = talk(["good"]).batches(12)
    kinds = [call.kind for call in conversation.calls]
    assert kinds[3] == "concepts"
    assert conversation.calls[3].notes[0] == "The best laws add a floor to falling powers."
    assert "The best laws add a floor" in json.loads(conversation.calls[4].request)["messages"][-1]["content"]


@pytest.mark.parametrize(
    "told, due",
    [
        ({}, "beyond the largest values of {vocab_size}"),
        ({"held_out_sides": {"num_characters": "below"}}, "below the smallest values of {num_characters}"),
        (
            {"held_out_sides": {"vocab_size": "between", "num_characters": "above"}},
            "beyond the largest values of {num_characters} and between the measured values of {vocab_size}",
        ),
        ({"held_out_sides": {}, "held_out_among": True}, "among the rows measured"),
        ({"held_out_sides": {}}, "beyond the largest values of {vocab_size}, {non_vocab_params}, {num_characters}"),
    ],
)
def test_a_model_is_told_on_which_side_a_law_is_needed(told: dict[str, Any], due: str) -> None:
    task = replace(load_task("vocab_scaling"), **told)
    names = Names(task, masked=False)
    assert asked_line(task, names).splitlines()[0] == f"The law is needed {due.format(**names.inputs)}."
