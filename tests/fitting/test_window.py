"""A law whose recipe has a window says which runs it was fitted to."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from discover.api import fit
from discover.cli import main
from discover.cli.stored_laws import fitted_law
from discover.exporters import EXPORTERS
from discover.fitting import Recipe
from discover.law import parse
from discover.scoring import Yardstick
from discover.task import Rows, Task, load_task
from discover.tui import leaderboard_markdown
from tests.folders import task_text, write_folder

SIZES = [100.0 * 2**i for i in range(10)]


@pytest.fixture
def task(tmp_path: Path) -> Task:
    """Ten sizes, the largest held out; the smallest three are off the line of the others."""
    losses = [2 + 30 * size**-0.5 + (1.0 if size < 700 else 0.0) for size in SIZES]
    lines = ["N,loss", *(f"{size:g},{loss:.8f}" for size, loss in zip(SIZES, losses, strict=True))]
    text = task_text("kinked", {"N": "parameters"}, '{ column = "N", equals = 51200 }')
    return load_task(write_folder(tmp_path / "kinked", text, lines))


def test_the_least_run_that_is_named_is_the_least_that_decides_the_fit(task: Task) -> None:
    recipe = Recipe(window=0.3)
    told = recipe.window_text(task)
    assert told == "fitted to 6 of 9 rows, those with N from 800 up; it says nothing of smaller ones"
    law, yardstick = parse("E + A*N**(-alpha)", ["N"]), Yardstick.of(task)

    def fitted(rows: Rows) -> np.ndarray:
        own = replace(yardstick, rows=rows)
        return own.fit(law, recipe, np.random.default_rng(0), starts=16).parameters[0]

    as_measured = fitted(task.training)
    for size, decides in ((400.0, False), (800.0, True)):
        moved = task.training.target + 0.1 * (task.training.column("N") == size)
        changed = fitted(replace(task.training, target=moved))
        assert np.allclose(changed, as_measured, rtol=1e-6) != decides


def test_nothing_is_told_of_a_recipe_without_a_window(task: Task) -> None:
    assert Recipe("log", weight=1.0, once=True).window_text(task) == ""


def test_several_axes_are_told_as_their_geometric_mean_and_cells_by_their_ends() -> None:
    task = load_task("parallel_scaling")
    told = Recipe(window=0.3).window_text(task)
    match = re.fullmatch(
        r"fitted to (\d+) of 36 rows, those with \(parallel_size \* num_params\)\*\*\(1/2\) from (\S+) up \(by cell\); "
        r"it says nothing of smaller ones",
        told,
    )
    assert match, told
    scale = np.sqrt(task.training.column("parallel_size") * task.training.column("num_params"))
    assert int(match[1]) == (scale >= float(match[2]) * 0.999).sum()


def test_every_export_of_a_law_with_a_window_tells_of_it(task: Task) -> None:
    """The row is as older leaderboards keep it, without the words."""
    row = {
        "law": "kinked-0123abcd", "task": "kinked", "formula": "E + A*N**(-alpha)", "recipe": "squared window=0.3",
        "parameters": {"loss": {"E": 2.0, "A": 30.0, "alpha": 0.5}},
    }  # fmt: skip
    law = fitted_law(row, task)
    for form, export in EXPORTERS.items():
        assert "6 of 9 rows, those with N from 800 up; it says nothing of smaller ones" in export(law), form
    assert "says nothing of smaller ones" in law._repr_html_()
    whole = fitted_law({**row, "recipe": "squared"}, task)
    assert not any("says nothing" in export(whole) for export in EXPORTERS.values())


def test_pages_that_show_a_law_with_a_window_tell_of_it(task: Task) -> None:
    chosen = fit(task, "E + A*N**(-alpha)", loss="squared window=0.3")
    due = chosen.provenance["window"]
    assert due == Recipe(window=0.3).window_text(task)
    row = {"law": "kinked-0123abcd", "origin": "user", "formula": str(chosen.law), "recipe": "squared window=0.3"}
    assert f"Recipe `squared window=0.3`: {due}." in leaderboard_markdown(task, [{**row, "window": due}])
    result = CliRunner().invoke(main, ["fit", str(task.folder), str(chosen.law), "--loss", "squared window=0.3"])
    assert f"window: {due}" in " ".join(result.stdout.split())
