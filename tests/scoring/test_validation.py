from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from discover.errors import FitError
from discover.fitting import Recipe, predict_cells
from discover.law import parse
from discover.scoring import RACE, SURVIVOR, Validation, Yardstick, validate
from discover.scoring.metrics import pooled_errors
from discover.scoring.validation import _far_problem
from discover.task import Cell, Column, Rows, load_task
from tests.folders import task_text, write_folder


def judged(task: str, formula: str, bounds: dict[str, tuple[float, float]] | None = None) -> Validation:
    loaded = load_task(f"{task}_scaling")
    law = parse(formula, loaded.input_names, bounds=bounds)
    with np.errstate(all="ignore"):
        return validate(law, Recipe(), Yardstick.of(loaded), RACE, np.random.default_rng(0))


def test_a_law_that_falls_as_the_source_says_has_nothing_against_it() -> None:
    assert judged("moe", "E + A*dense_params**(-a)*num_experts**(-b)").far == ""


def test_a_law_that_rises_where_the_source_says_it_falls_is_told_so() -> None:
    """A parabola in log(experts) fits the falling side of a curve and turns up beyond it."""
    found = judged("moe", "E + B*log(dense_params) + A*(log(num_experts) - 4)**2", {"A": (0.01, 1.0)})
    assert found.far == "against what is known beyond the data (num_experts: falls)"


def test_a_law_that_leaves_all_measured_values_or_their_sign_is_told_so() -> None:
    assert judged("vocab", "E + A*num_characters").far == "leaves all measured values far behind"
    assert judged("moe", "E + A*dense_params").far == "changes sign beyond the data"


def test_a_power_of_the_scale_does_not_leave_a_target_that_goes_as_one(tmp_path: Path) -> None:
    """Four decades of target: four times the scale is beyond all ranges in its unit and a step among the others by
    ratios. Where all values lie within a tenth of each other the same slope does leave them."""
    d = np.geomspace(1e8, 1e12, 12)
    judged_far = []
    for target in (3e-9 * d**1.1, 1.0 + 0.2 * d / d.max()):
        lines = [f"{x!r},{y!r}" for x, y in zip(d.tolist(), target.tolist(), strict=True)]
        folder = write_folder(
            tmp_path / str(len(judged_far)),
            task_text("planted_scaling", {"D": "tokens"}, '{ column = "D", at_least = 5e11 }', cap=3),
            ["D,loss", *lines],
        )
        task = load_task(folder)
        law = parse("E + A*D**alpha", task.input_names, bounds={"alpha": (1.0, 1.2)})
        judged_far.append(validate(law, Recipe(), Yardstick.of(task), RACE, np.random.default_rng(0)).far)
    assert judged_far == ["", "leaves all measured values far behind"]


def test_a_small_table_is_fitted_from_more_starts() -> None:
    assert RACE.on(10_000) == RACE.on(400) == RACE
    assert (RACE.on(250).starts, RACE.on(250).steps) == (2 * RACE.starts, 2 * RACE.steps)
    assert (RACE.on(10).starts, RACE.on(10).fold_starts) == (3 * RACE.starts, 3 * RACE.fold_starts)


def test_a_share_that_was_never_zero_in_a_cell_is_tried_at_zero() -> None:
    """The law is fine wherever it was fitted, and infinite at a share of zero, which the next mixture may have."""
    task = load_task("domain_mixture_scaling")
    law = parse("E + A*(own + 1e-9)**(-a)", task.input_names, bounds={"a": (0.5, 2.0)})
    measured = task.training.select(task.training.column("own") > 0)
    found = validate(law, Recipe(), Yardstick.of(task, measured), RACE, np.random.default_rng(0))
    assert found.far == "leaves all measured values far behind"


@pytest.mark.parametrize(("exponent", "told"), [(-0.3, ""), (1.0, "leaves all measured values far behind")])
def test_a_range_is_that_of_one_target(tmp_path: Path, exponent: float, told: str) -> None:
    """A loss of two to four beside steps by the thousand: of both ranges together, a loss of sixty is nothing."""
    size = np.geomspace(1e7, 1e9, 8)
    text = task_text("planted_scaling", {"N": "parameters"}, '{ column = "N", at_least = 9e8 }')
    text = text.replace("[split]", '[[targets]]\nname = "steps"\nunit = "steps"\nscale = "log"\n\n[split]')
    lines = [f"{n!r},{2.0 + 300.0 * n**-0.3!r},{1e-4 * n!r}" for n in size.tolist()]
    task = load_task(write_folder(tmp_path / "planted", text, ["N,loss,steps", *lines]))
    law = parse("E + A*N**a", task.input_names)
    falls = 300.0 if exponent < 0 else 3e-8
    values = np.array([[2.0, falls, exponent], [0.0, 1e-4, 1.0]])
    yardstick = Yardstick.of(task)
    assert _far_problem(yardstick, law, values, predict_cells(law, values, yardstick.probes)) == told


def test_the_score_is_the_weighted_mean_of_log_nmse() -> None:
    found = judged("parallel", "E + A*num_params**(-a)")
    weights = np.array([fold.weight for fold in Yardstick.of(load_task("parallel_scaling")).folds])
    assert found.score == pytest.approx(float(weights @ np.log(found.nmse + 1e-7) / weights.sum()))
    assert found.r2 == pytest.approx(1 - np.exp(found.score))


def test_the_luck_of_a_fold_is_what_the_fit_to_all_rows_leaves_there_and_less_where_it_holds_many_settings() -> None:
    law, yardstick = parse("E + A*num_params**(-a)", ["num_params"]), Yardstick.of(load_task("parallel_scaling"))
    found = validate(law, Recipe(), yardstick, RACE, np.random.default_rng(0))
    sizes = [held.n_rows for held in yardstick.held_back]
    assert (min(sizes), max(sizes)) == (4, 12)
    for held, luck in zip(yardstick.held_back, found.luck, strict=True):
        gap = predict_cells(law, found.parameters, held) - held.target
        assert luck == pytest.approx(np.mean(gap**2) / held.target.var() * 4 / held.n_rows)
    noise = np.linspace(0.001, 0.1, len(sizes))
    assert found.sober_score(noise) == pytest.approx(float(found.weights @ np.log(found.nmse + noise + 1e-7)))
    assert found.sober_score(0.0) == found.score


def test_a_fit_is_judged_by_what_folds_hold_back_and_on_a_small_table_by_all_settings() -> None:
    law, task = parse("E + A*num_params**(-a)", ["num_params"]), load_task("parallel_scaling")
    yardstick = Yardstick.of(task)
    found = validate(law, Recipe(), yardstick, RACE, np.random.default_rng(0))
    left = []
    for held in yardstick.held_back:
        gap = predict_cells(law, found.parameters, held) - held.target
        left.append(np.mean(gap**2) / held.target.var())
    assert found.n_settings == 36
    assert found.inside == pytest.approx(float(found.weights @ np.log(np.array(left) + 1e-6)))
    few = replace(task, training=task.training.select(np.arange(36) % 6 > 0))
    small = validate(law, Recipe(), Yardstick.of(few), RACE, np.random.default_rng(0))
    assert small.n_settings == 30
    assert small.inside == pytest.approx(np.log(small.in_sample + 1e-6))


def test_what_equal_inputs_scatter_by_is_added_to_what_a_fit_leaves() -> None:
    law, task = parse("E + A*num_params**(-a)", ["num_params"]), load_task("parallel_scaling")
    assert not Yardstick.of(task).scatter.any()
    twice = task.training.select(np.repeat(np.arange(36), 2))
    twice = replace(twice, target=twice.target + np.tile([-0.03, 0.03], 36))
    yardstick = Yardstick.of(replace(task, training=twice))
    # Each setting's two values have a variance of 0.0018, its mean half of it.
    variances = [held.target.var() for held in (*yardstick.held_back, yardstick.settings)]
    assert yardstick.scatter == pytest.approx(0.0009 / np.array(variances))
    found = validate(law, Recipe(), yardstick, RACE, np.random.default_rng(0))
    left = found.luck * np.array([held.n_rows for held in yardstick.held_back]) / 4
    assert found.inside == pytest.approx(float(found.weights @ np.log(left + yardstick.scatter[:-1] + 1e-6)))
    few = replace(task, training=twice.select(np.arange(72) % 12 > 1))
    small = validate(law, Recipe(), yardstick := Yardstick.of(few), RACE, np.random.default_rng(0))
    assert small.inside == pytest.approx(np.log(small.in_sample + yardstick.scatter[-1] + 1e-6))


def test_a_setting_measured_often_scatters_less_and_a_few_repeats_do_not_tell() -> None:
    task = load_task("parallel_scaling")
    again = np.concatenate([np.arange(36), np.repeat([0, 1], 8)])
    rows = task.training.select(again)
    rows = replace(rows, target=rows.target + np.concatenate([np.zeros(36), np.tile([-0.03, 0.03], 8)]))
    yardstick = Yardstick.of(replace(task, training=rows))
    variance = 16 * 0.0009 / 16
    expected = (34 * variance + 2 * variance / 9) / 36 / yardstick.settings.target.var()
    assert yardstick.scatter[-1] == pytest.approx(expected)
    few = replace(task, training=rows.select(np.arange(52) < 36 + 7))
    assert not Yardstick.of(few).scatter.any()


def test_a_law_that_serves_large_scales_alone_is_not_blamed_for_the_small_runs_that_its_recipe_drops() -> None:
    task = load_task("parallel_scaling")
    size = task.training.column("num_params")
    strange = replace(task, training=replace(task.training, target=task.training.target + (size == size.min())))
    law, yardstick = parse("A*num_params**(-a)", ["num_params"]), Yardstick.of(strange)
    plain, large = (
        validate(law, Recipe(window=window), yardstick, RACE, np.random.default_rng(0)) for window in (0.0, 0.3)
    )
    assert large.in_sample > plain.in_sample
    assert large.inside < plain.inside - 1.0


@pytest.mark.parametrize("name", ["moe_scaling", "domain_mixture_scaling"])
def test_each_fold_is_judged_on_its_own_settings_by_its_own_fit(name: str) -> None:
    yardstick = Yardstick.of(load_task(name))
    rows, by_fold, folds = yardstick.asked
    for index, (held, (part, missed)) in enumerate(zip(yardstick.held_back, folds, strict=True)):
        assert (rows.inputs[part] == held.inputs).all()
        assert (by_fold.cell[part] == held.cell + index * len(held.cells)).all()
        wrong = held.target + np.linspace(0.0, 1.0, held.n_rows)
        assert missed(wrong) == pooled_errors(held, wrong)[0]


def test_a_setting_that_was_measured_often_counts_once() -> None:
    """Rows of equal inputs scatter by what is no input; the score is taken against their mean, each setting once."""
    task = load_task("moe_scaling")
    yardstick = Yardstick.of(task)
    assert task.training.n_rows == 193
    assert yardstick.settings.n_rows == 50
    place = (yardstick.settings.inputs == task.training.inputs[0]).all(1)
    same = (task.training.inputs == task.training.inputs[0]).all(1)
    assert yardstick.settings.target[place] == pytest.approx(task.training.target[same].mean())
    weights = yardstick.weights(Recipe(once=True))
    assert weights is not None
    assert weights.sum() == pytest.approx(50.0)
    assert Recipe.from_text(Recipe("log", once=True).text) == Recipe("log", once=True)


def test_cells_of_one_fold_share_a_parameter_and_extrapolate_the_better_for_it() -> None:
    """Few noisy rows in each of eight cells; the exponent is the same in all, and so says the score."""
    rng = np.random.default_rng(5)
    x, cell = np.tile(np.geomspace(1.0, 256.0, 7), 8), np.repeat(np.arange(8), 7)
    target = rng.uniform(1.0, 2.0, 8)[cell] + rng.uniform(2.0, 5.0, 8)[cell] * x**-0.4 + 0.02 * rng.standard_normal(56)
    cells = tuple(Cell(f"g{i}", "loss") for i in range(8))
    rows = Rows(("x",), cells, x[:, None], target, cell, np.arange(56) + 2)
    x_column = Column("x", "1", "log", "", None, None)
    task = replace(load_task("moe_scaling"), scale_axes=("x",), limits=(), inputs=(x_column,))
    yardstick, law = Yardstick.of(task, rows), parse("E + A*x**(-a)", ["x"])
    apart, together = (
        validate(law, Recipe(shared=shared), yardstick, RACE, np.random.default_rng(0)) for shared in ((), ("a",))
    )
    assert together.score < apart.score - 0.3
    assert np.ptp(together.parameters[:, law.parameters.index("a")]) == 0.0


def test_a_law_without_a_value_one_step_beyond_a_setting_is_told_so() -> None:
    """A power of ninety overflows beyond the largest batch size measured, where no step along a scale axis leads."""
    task = load_task("lr_bsz_scaling")
    law = parse("E + A*n_params**(-a) + B*batch_size**b*d_tokens**(-c)", task.input_names)
    values = np.array([[1.0, 400.0, 0.34, 1.0, 92.0, 30.0]])
    assert list(law.parameters) == ["E", "A", "a", "B", "b", "c"]
    yardstick = Yardstick.of(task)
    with np.errstate(all="ignore"):
        assert np.isfinite(predict_cells(law, values, yardstick.probes)).all()
        found = _far_problem(yardstick, law, values, predict_cells(law, values, yardstick.probes))
    assert found == "not finite at the edge of an input's range"


def test_a_law_need_have_no_value_where_there_are_more_distinct_tokens_than_tokens() -> None:
    """The published law of repeated data has none, and was lost to the table of known laws on its own task."""
    task = load_task("data_constrained_scaling")
    neighbours = Yardstick.of(task).neighbours
    tokens, unique = neighbours.column("tokens"), neighbours.column("unique_tokens")
    assert (unique <= tokens).all()
    assert unique.min() == task.training.column("unique_tokens").min() / 2.0, "and a step below as before"
    apart = replace(task, inputs=tuple(replace(c, unit=c.name) for c in task.inputs))
    found = Yardstick.of(apart).neighbours
    assert found.column("unique_tokens").max() == 2.0 * task.training.column("unique_tokens").max()


def test_shares_are_not_asked_for_beyond_their_range() -> None:
    neighbours = Yardstick.of(load_task("domain_mixture_scaling")).neighbours
    assert neighbours.inputs.min() >= 0.0
    assert neighbours.inputs.max() <= 1.0


def test_rows_that_differ_in_the_order_of_their_inputs_alone_are_refused() -> None:
    """Shares of a mixture and the same shares changed about count as one setting: nothing can be held back."""
    task = load_task("parallel_scaling")
    rows = Rows(
        ("num_params", "parallel_size"), task.training.cells, np.array([[1.0, 2.0], [2.0, 1.0]]), np.ones(2),
        np.zeros(2, dtype=int), np.array([2, 3]),
    )  # fmt: skip
    with pytest.raises(FitError, match="all 2 training rows have the same inputs but for their order"):
        Yardstick.of(replace(task, training=rows, scale_axes=()))


def test_where_the_small_is_asked_for_laws_are_looked_at_below_the_data(tmp_path: Path) -> None:
    """Finite, and near what was measured, where the task asks: (x - 5)**.5 has no value at half the least size, 9."""
    x = np.geomspace(9.0, 9e3, 12)
    lines = [f"{own!r},{(own - 5) ** 0.5!r}" for own in [6.0, *x.tolist(), 2e4]]
    judged_far = {}
    for name, split in (("below", "at_most = 6"), ("above", "at_least = 2e4")):
        text = task_text("planted_scaling", {"x": "examples"}, f'{{ column = "x", {split} }}', cap=3)
        if name == "below":
            text += '\n[[drop]]\ncolumn = "x"\nequals = 2e4\n'
        task = load_task(write_folder(tmp_path / name, text, ["x,loss", *lines]))
        law = parse("(A*x - k)**0.5", task.input_names)
        with np.errstate(all="ignore"):
            found = validate(law, Recipe(), Yardstick.of(task), SURVIVOR, np.random.default_rng(0))
        judged_far[name] = found.far
    assert judged_far == {"below": "not finite just beyond the data", "above": ""}
