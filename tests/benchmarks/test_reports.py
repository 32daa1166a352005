"""Cuts, engines, ablation and speed: what goes into their reports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import ablation, engines, rows
from benchmarks.cuts import cut_top
from discover.fitting import Recipe, fit
from discover.law import parse
from discover.task import load_task


def test_a_cut_takes_the_largest_level_of_every_cell_and_touches_no_held_out_row() -> None:
    task = load_task("sft_scaling")
    left, cut, name = cut_top(task)
    assert name == "sft_examples top 1"
    assert left.training.n_rows + cut.n_rows == task.training.n_rows
    for cell in range(len(task.cells)):
        assert left.training.column("sft_examples")[left.training.cell == cell].max() < min(
            cut.column("sft_examples")[cut.cell == cell]
        )


def test_a_task_without_scale_axes_is_cut_across() -> None:
    task = load_task("domain_mixture_scaling")
    left, cut, _ = cut_top(task)
    assert 0.1 < cut.n_rows / task.training.n_rows < 0.35
    assert left.training.n_rows + cut.n_rows == task.training.n_rows


def test_inputs_on_a_log_scale_are_divided_by_the_geometric_mean_of_the_fitted_rows() -> None:
    task = load_task("parallel_scaling")
    left, cut, _ = cut_top(task)
    fitted, asked = engines.scaled(task, left.training.inputs, cut.inputs)
    assert np.log(fitted).mean(axis=0) == pytest.approx(np.zeros(2))
    unit = left.training.inputs[0] / fitted[0]
    assert asked * unit == pytest.approx(cut.inputs)


def test_an_engine_without_groups_is_given_each_cell_and_its_share_of_the_time() -> None:
    task = load_task("parallel_scaling")
    left, cut, _ = cut_top(task)
    shares = []

    def mean(x: np.ndarray, y: np.ndarray, asked: np.ndarray, seconds: float, seed: int) -> tuple[np.ndarray, str]:
        shares.append(seconds)
        return np.full(len(asked), y.mean()), "mean"

    found = engines.each_cell(mean)(left, cut, 12.0, 0)
    assert shares == [12.0 / len(task.cells)] * len(task.cells)
    for cell in range(len(task.cells)):
        own = left.training.target[left.training.cell == cell].mean()
        assert found.values[cut.cell == cell] == pytest.approx(own)


def test_pysr_is_left_out_where_there_is_no_julia(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines.shutil, "which", lambda name: None)
    monkeypatch.setattr(engines, "find_spec", lambda name: object())
    assert engines.absent("pysr") == "no julia on the path"
    assert engines.absent("discover") == ""


def test_a_failed_engine_stands_in_the_table_with_its_reason() -> None:
    failed = {"engine": "pyoperon", "task": "moe", "seconds_asked": 1.0, "seed": 0, "r2": None, "r2_clipped": -1.0}
    text = engines.table([{**failed, "failure": "its process died"}], {"pysr": "no julia on the path"}, "command")
    assert "| pyoperon | -1.0000 | -1.000 |" in text
    assert "its process died" in text
    assert "left out: no julia on the path" in text


def test_an_arm_whose_proposers_are_missing_is_left_out() -> None:
    arms = {"a": ("families",), "b": ("families", "nobody"), "c": ("families", "mutation")}
    kept, missing = ablation.available(arms)
    assert kept == {"a": ("families",), "c": ("families", "mutation")}
    assert set(missing) == {"nobody"}


def run(arm: str, task: str, seed: int, r2: float) -> ablation.Finished:
    best = np.minimum.accumulate(np.log([0.5, 0.2, 0.3, 0.1]))
    return ablation.Finished(arm, task, seed, best, np.arange(1.0, 5.0), r2, r2, "A*x")


def test_a_gain_within_two_standard_errors_is_not_called_one() -> None:
    first, second, *_ = ablation.ARMS
    tasks = ["moe", "vocab", "sft"]
    same = [run(first, t, 0, 0.5) for t in tasks] + [
        run(second, t, 0, 0.5 + g) for t, g in zip(tasks, (0.1, -0.1, 0.05), strict=True)
    ]
    assert "did not help" in ablation.verdict(ablation.gains(same, [first, second], "chosen_r2"))
    better = [run(first, t, 0, 0.5) for t in tasks] + [
        run(second, t, 0, 0.6 + g) for t, g in zip(tasks, (0.01, 0.0, 0.02), strict=True)
    ]
    assert "helped" in ablation.verdict(ablation.gains(better, [first, second], "chosen_r2"))


def test_the_ablation_report_shows_the_best_so_far_at_each_mark() -> None:
    arms = list(ablation.ARMS)[:2]
    text = ablation.report([run(arm, "moe", seed, 0.5) for arm in arms for seed in (0, 1)], {}, 4, "command")
    assert f"| {arms[0]} | 0.900 | 4.0 |" in text


def test_a_stored_run_gives_the_same_curve_back(tmp_path: Path) -> None:
    store = tmp_path / "ablation.sqlite"
    ablation.run("families only", ("families",), "parallel", 0, 16, store)
    (found,) = ablation.finished(store, 16)
    assert (found.arm, found.task, found.seed) == ("families only", "parallel", 0)
    assert len(found.best) == len(found.seconds) == 16
    assert (np.diff(found.best) <= 0).all()
    assert -1.0 <= found.chosen_r2 <= 1.0
    assert ablation.finished(store, 17) == []


def test_the_speed_section_replaces_itself_and_leaves_the_rest() -> None:
    before = "# Speed\n\n## First\n\nkept\n"
    once = rows.with_section(before, f"{rows.HEADING}\n\nold\n") + "\n## Last\n\nkept too\n"
    twice = rows.with_section(once, f"{rows.HEADING}\n\nnew\n")
    assert "old" not in twice
    assert twice.count(rows.HEADING) == 1
    assert twice.startswith(before.rstrip("\n"))
    assert twice.endswith("\n## Last\n\nkept too\n")


def test_the_grid_of_the_speed_table_has_about_the_rows_asked_for_and_one_per_cent_of_noise() -> None:
    table = rows.grid(1_000)
    assert abs(table.n_rows - 1_000) < 50
    law = parse("E + A*N**(-a) + B*D**(-b)", ("N", "D"))
    found = fit(law, table, recipe=Recipe("log"), starts=8, rng=np.random.default_rng(0))
    assert np.std(np.log(table.target / found.predict(table))) == pytest.approx(0.01, rel=0.1)


def test_every_law_of_the_speed_table_parses() -> None:
    assert len({parse(formula, ("N", "D")).key for formula in rows.FORMULAS}) == len(rows.FORMULAS) == 12
