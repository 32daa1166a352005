from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from discover.errors import DiscoverError
from discover.evolution import Budget, Search, workers_for
from discover.task import Task, load_task


def archive_of(task: Task, seed: int = 0, candidates: int = 40, workers: int = 1) -> list[tuple[object, ...]]:
    """What a run found: every elite with its formula, recipe, scores and parameters to the last bit."""
    with workers_for(task, workers) as executor:
        search = Search(task, Budget(candidates=candidates), seed, executor)
        for _ in search.generations():
            pass
        finalists = search.finalists()
    found = [*search.archive.elites, *finalists]
    return [(c.number, c.key, c.score, c.validation.parameters.tobytes()) for c in found if c.validation]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder of parallel_scaling with its table, to be changed."""
    original = load_task("parallel_scaling").folder
    shutil.copytree(original, tmp_path / "tasks" / "parallel_scaling")
    shutil.copytree(original.parents[1] / "datasets" / "parallel", tmp_path / "datasets" / "parallel")
    return tmp_path / "tasks" / "parallel_scaling"


def test_an_archive_does_not_change_when_the_held_out_rows_are_noise(copied: Path) -> None:
    before = archive_of(load_task(copied))
    points = copied.parents[1] / "datasets" / "parallel" / "points.csv"
    rng = np.random.default_rng(0)
    lines = points.read_text().splitlines()
    header = lines[0].split(",")
    place, value = header.index("parallel_size"), header.index("loss")
    changed = 0
    for index, line in enumerate(lines[1:], 1):
        cells = line.split(",")
        if cells[place] == "8":
            cells[value] = f"{rng.uniform(0.1, 9.0):.4f}"
            lines[index] = ",".join(cells)
            changed += 1
    points.write_text("\n".join(lines) + "\n")
    assert changed == 12
    assert archive_of(load_task(copied)) == before


def test_a_seed_fixes_the_archive_whatever_the_number_of_workers() -> None:
    task = load_task("parallel_scaling")
    alone = archive_of(task, candidates=48)
    assert archive_of(task, candidates=48, workers=2) == alone
    assert archive_of(task, seed=1, candidates=48) != alone


def test_a_budget_in_candidates_is_kept_exactly() -> None:
    search = Search(load_task("parallel_scaling"), Budget(candidates=21), 0)
    generations = list(search.generations())
    assert generations[-1].n_candidates == 21
    assert [c.number for g in generations for c in g.candidates] == list(range(1, 22))


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("120s", Budget(seconds=120)),
        ("2m", Budget(seconds=120)),
        ("1.5h", Budget(seconds=5400)),
        ("2000", Budget(candidates=2000)),
    ],
)
def test_budgets_are_seconds_or_candidates(text: str, budget: Budget) -> None:
    assert Budget.parse(text) == budget


@pytest.mark.parametrize("text", ["", "fast", "-5", "0", "12.5", "1e3", "10 days", "nan"])
def test_other_budgets_are_refused_with_what_is_due(text: str) -> None:
    with pytest.raises(DiscoverError, match="expected seconds"):
        Budget.parse(text)
