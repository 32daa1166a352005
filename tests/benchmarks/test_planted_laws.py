from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.planted_laws import FORMS, NOISE, REACH, SPELLINGS, Planted, plant, planted_laws, write_task
from discover.task import load_task, read_rows

LAWS = planted_laws(0)


def named(name: str) -> Planted:
    return next(law for law in LAWS if law.name == name)


def test_there_are_forty_laws_of_one_to_four_inputs_and_two_to_seven_parameters() -> None:
    assert len(LAWS) == len({law.name for law in LAWS}) == 40
    assert {len(law.form.axes) for law in LAWS} == {1, 2, 3, 4}
    assert {len(law.parameters) for law in LAWS} == {2, 3, 4, 5, 6, 7}
    assert all(set(law.law.inputs) == set(law.input_names) for law in LAWS)


def test_every_form_names_its_paper() -> None:
    assert all(re.fullmatch(r"\d{4}\.\d{5}", form.source) for form in FORMS)
    assert set(SPELLINGS) <= {form.name for form in FORMS}


def test_the_same_seed_gives_the_same_bits_and_another_gives_other_laws() -> None:
    again, other = planted_laws(0), planted_laws(1)
    for first, second, third in zip(LAWS, again, other, strict=True):
        assert first.target.tobytes() == second.target.tobytes()
        assert first.inputs.tobytes() == second.inputs.tobytes()
        assert not np.array_equal(first.parameters, third.parameters)


def test_a_seed_moves_every_parameter_by_at_most_five_per_cent() -> None:
    for law in LAWS:
        near = [law.form.parameters[name] for name in law.law.parameters]
        assert np.all(np.abs(law.parameters / near - 1.0) <= 0.05)


def test_noise_runs_from_a_thousandth_to_two_hundredths_and_is_what_is_asked_for() -> None:
    levels = sorted(law.noise for law in LAWS)
    assert levels[0] == pytest.approx(NOISE[0])
    assert levels[-1] == pytest.approx(NOISE[1])
    draws = np.concatenate(
        [((law.target - law.clean) / (law.noise * np.abs(law.clean)))[~law.outliers] for law in LAWS]
    )
    assert len(draws) > 2_000
    assert np.std(draws) == pytest.approx(1.0, abs=0.05)
    assert abs(np.mean(draws)) < 0.1


def test_ten_tables_have_outliers_that_are_far_off_and_only_in_training() -> None:
    assert sum(law.outliers.any() for law in LAWS) == 10
    for law in LAWS:
        off = (law.target - law.clean)[law.outliers] / (law.noise * np.abs(law.clean[law.outliers]))
        assert np.all((off >= 8.0) & (off <= 20.0))
        assert not (law.outliers & law.held_out).any()


def test_grids_have_gaps_and_keep_every_level() -> None:
    missing = []
    for law in LAWS:
        whole = int(np.prod([axis.levels for axis in law.form.axes]))
        missing.append(1.0 - law.training.n_rows / whole)
        if len(law.form.axes) > 1:
            for index, axis in enumerate(law.form.axes):
                assert len(np.unique(law.training.inputs[:, index])) == axis.levels
    assert sum(part > 0.05 for part in missing) >= 25
    assert max(missing) < 0.4


def test_gaps_take_the_corner_that_is_large_on_two_axes_first() -> None:
    form = named("chinchilla").form
    law = plant(form, 0.01, 0.2, False, np.random.default_rng(0))
    top = (law.training.inputs == law.training.inputs.max(axis=0)).all(axis=1)
    assert not top.any()


def test_however_much_is_missing_every_level_is_measured_somewhere() -> None:
    form = named("parscale").form
    for seed in range(20):
        law = plant(form, 0.01, 0.7, False, np.random.default_rng(seed))
        assert law.training.n_rows < 10
        for index, axis in enumerate(form.axes):
            assert len(np.unique(law.training.inputs[:, index])) == axis.levels


def test_held_out_rows_lie_beyond_the_largest_training_level_of_the_first_axis() -> None:
    for law in LAWS:
        first = law.inputs[:, 0]
        assert first[law.held_out].min() > first[~law.held_out].max()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_a_task_folder_holds_the_planted_rows(law: Planted, tmp_path: Path) -> None:
    folder = write_task(law, tmp_path)
    task = load_task(folder)
    assert np.array_equal(task.training.inputs, law.training.inputs)
    assert np.array_equal(task.training.target, law.training.target)
    assert task.held_out_count == law.held_out.sum()
    assert task.input_names == law.input_names
    assert task.human_laws == ()  # the truth is nothing that a search could be shown


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)
def test_the_law_is_finite_and_keeps_its_sign_ten_times_beyond(law: Planted) -> None:
    for direction, inputs in law.beyond.items():
        values = law.values(inputs)
        assert np.isfinite(values).all()
        assert (np.sign(values) == np.sign(law.clean[0])).all()
        for index, axis in enumerate(law.form.axes):
            if direction == axis.name:
                far = axis.high * REACH if axis.scale == "log" else 2 * axis.high - axis.low
                assert inputs[:, index] == pytest.approx(far)


def test_measuring_again_changes_the_noise_and_nothing_else() -> None:
    law = named("rl_post_training")
    rows = law.measured_again(np.random.default_rng(5))
    assert np.array_equal(rows.inputs, law.training.inputs)
    assert not np.array_equal(rows.target, law.training.target)
    clean = law.clean[~law.held_out]
    ordinary = ~law.outliers[~law.held_out]
    assert np.abs(rows.target / clean - 1.0)[ordinary].max() < 5 * law.noise


def test_the_two_parts_of_a_written_task_are_the_whole_table(tmp_path: Path) -> None:
    law = named("kaplan_n")
    folder = write_task(law, tmp_path)
    assert read_rows(folder, "training").n_rows + law.held_out.sum() == len(law.target)
