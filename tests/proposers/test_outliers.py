"""A measurement that is set aside is shown to no proposer that looks at measurements."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from discover.assessment import assess_law
from discover.fitting import Recipe, usable_rows
from discover.law import parse
from discover.proposers.evolutionary import Recipes
from discover.proposers.language_model.description import residual_lines
from discover.proposers.language_model.names import Names
from discover.proposers.operon import Operon
from discover.proposers.pysr.coordinates import VIEWS, Coordinates
from discover.proposers.residual import Residual
from discover.task import Task, load_task

PLACE, TIMES = 33, 50.0


@pytest.fixture(scope="module")
def spoiled() -> Task:
    """parallel_scaling with one loss fifty times too large."""
    task = load_task("parallel_scaling")
    target = task.training.target.copy()
    target[PLACE] *= TIMES
    return replace(task, training=replace(task.training, target=target))


def test_the_row_is_none_of_the_usable_ones_unless_the_task_keeps_it(spoiled: Task) -> None:
    lines = set(spoiled.training.line.tolist())
    assert lines - set(usable_rows(spoiled).line.tolist()) == {spoiled.training.line[PLACE]}
    assert usable_rows(replace(spoiled, keep_outliers=True)).n_rows == spoiled.training.n_rows


def test_residual_does_not_see_it(spoiled: Task) -> None:
    cells = Residual(spoiled, Recipes(spoiled))._laid_out(None)
    assert cells.count.sum() == spoiled.training.n_rows - 1
    assert cells.target.max() < 0.5 * spoiled.training.target.max()


def test_operon_does_not_see_it(spoiled: Task) -> None:
    proposer = Operon(spoiled, Recipes(spoiled), (sys.executable, "-c", ""))
    proposer._seed = 0
    shown = np.concatenate([proposer._job(number)["target"] for number in (1, 3)])
    assert shown.max() < 0.5 * spoiled.training.target.max()
    proposer.close()


@pytest.mark.parametrize("view", VIEWS)
def test_pysr_does_not_see_it(spoiled: Task, view: object) -> None:
    coordinates = Coordinates(spoiled, view)  # type: ignore[arg-type]
    assert len(coordinates.table()["y"]) == spoiled.training.n_rows - 1


def test_a_prompt_does_not_tell_of_it(spoiled: Task) -> None:
    law = parse("E + A*(num_params*(k*log(parallel_size) + 1))**(-a)", spoiled.input_names)
    candidate = assess_law(spoiled, law, Recipe(), np.random.default_rng(0))
    names = Names(spoiled, False)
    clean = replace(spoiled, training=usable_rows(spoiled))
    assert residual_lines(candidate, spoiled, names) == residual_lines(candidate, clean, names) != ""
