"""Rows of a leaderboard and published coefficients become laws and arrays, in the order of the task."""

from __future__ import annotations

import numpy as np
import pytest

from discover.law import parse
from discover.leaderboard.stored import law_of, printed, values_of
from discover.task import HumanLaw, Task, load_task
from tests.cli.conftest import write_task

FORMULA = "E + A/N**alpha"
A, B = {"alpha": 0.3, "A": 4.0, "E": 1.0}, {"alpha": 0.5, "A": 6.0, "E": 2.0}


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return load_task(write_task(tmp_path_factory.mktemp("tasks") / "widgets_scaling"))


def human(published: dict[str, dict[str, float]]) -> HumanLaw:
    return HumanLaw("somebody's", FORMULA, {}, "Somebody 2020", published, "")


def test_parameters_come_in_the_order_of_the_row_and_cells_in_that_of_the_task(task: Task):
    row = {"formula": FORMULA, "parameters": {"b: loss": B, "a: loss": A}, "bounds": {"E": (0, float("inf"))}}
    law = law_of(task, row)
    assert law.parameters == ("alpha", "A", "E")
    assert law.bounds["E"] == (0.0, float("inf"))
    assert np.array_equal(values_of(task, law, row["parameters"]), [[0.3, 4.0, 1.0], [0.5, 6.0, 2.0]])


def test_coefficients_that_a_source_prints_for_some_cells_only_are_none(task: Task):
    law = parse(FORMULA, task.input_names)
    both = printed(task, human({"a: loss": A, "b: loss": B}), law)
    assert both is not None
    assert np.array_equal(both, [[1.0, 4.0, 0.3], [2.0, 6.0, 0.5]])
    assert printed(task, human({"a: loss": A}), law) is None
    assert printed(task, human({}), law) is None
