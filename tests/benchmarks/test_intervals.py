from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.intervals import SMALL, can_be_small, of_parameters, outcome, page, searched, small
from benchmarks.planted_laws import planted_laws
from discover.fitting import Recipe
from discover.intervals import Bands, FittedForm, bands_of
from discover.law import parse
from tests.planted import FORMULA, chinchilla, fitted

LAWS = {law.name: law for law in planted_laws(0)}


@pytest.fixture(scope="module")
def bands() -> Bands:
    task, _ = chinchilla(0)
    return bands_of(task, fitted(task, FORMULA), rng=np.random.default_rng(0), draws=10, calibrate=False)


def test_a_small_table_has_twenty_rows_that_reach_as_far_and_the_same_measurements_beyond():
    whole = LAWS["chinchilla"]
    cut = small(whole, np.random.default_rng(0))
    assert can_be_small(whole)
    assert not can_be_small(LAWS["hstu"])
    assert cut.training.n_rows == SMALL < whole.training.n_rows
    assert np.array_equal(cut.training.inputs.max(0), whole.training.inputs.max(0))
    assert np.array_equal(cut.target[cut.held_out], whole.target[whole.held_out])


def test_rows_outside_cost_twenty_times_how_far_they_are_outside(bands: Bands):
    _, beyond = chinchilla(0)
    band = bands.predict(beyond)
    width = band.upper - band.lower
    measured = np.concatenate([band.centre[:1], (band.upper + 0.5 * width)[1:]])
    found = outcome(bands, replace(beyond, target=measured), width)
    assert (found["rows"], found["inside"], found["raw"]) == (5, 1, 1)
    assert found["width"] == pytest.approx(1.0)
    assert found["score"] == pytest.approx((1.0 + 4 * 11.0) / 5)


def test_what_a_search_found_is_read_back_where_the_budget_is_the_same(tmp_path: Path):
    task, _ = chinchilla(0)
    kept = tmp_path / "one.json"
    forms = [
        {
            "formula": "E + A*N**(-alpha)", "bounds": {"alpha": [0.0, 3.0]}, "recipe": "log", "score": -3.0,
            "name": "7", "names": ["E", "A", "alpha"], "parameters": [[1.7, 400.0, 0.34]],
        },
        {
            "formula": "a*N", "bounds": {}, "recipe": "squared", "score": -1.0, "name": "8",
            "names": ["a"], "parameters": [[2.0]],
        },
    ]  # fmt: skip
    kept.write_text(json.dumps({"budget": "9", "forms": forms}), encoding="utf-8")
    main, others = searched(task, "9", kept)
    law = parse("E + A*N**(-alpha)", task.input_names, bounds={"alpha": (0.0, 3.0)})
    assert isinstance(main, FittedForm)
    assert (main.law.key, main.recipe, main.score) == (law.key, Recipe("log"), -3.0)
    assert dict(zip(main.law.parameters, main.parameters[0], strict=True)) == {"E": 1.7, "A": 400.0, "alpha": 0.34}
    assert [form.name for form in others] == ["8"]


def test_what_a_search_finds_is_kept_as_it_is_read_back(tmp_path: Path):
    task, _ = chinchilla(0)
    kept = tmp_path / "folder" / "one.json"
    first, others = searched(task, "6", kept)
    again, others_again = searched(task, "6", kept)
    assert [f.law.key for f in (first, *others)] == [f.law.key for f in (again, *others_again)]
    values = {name: first.parameters[:, k] for k, name in enumerate(first.law.parameters)}
    assert all(np.array_equal(values[n], again.parameters[:, k]) for k, n in enumerate(again.law.parameters))


def test_the_page_tells_shares_of_rows_and_means_over_laws():
    task = {"task": "t", "fold": "f", "rows": 10, "inside": 9, "raw": 8, "score": 1.0, "raw_score": 2.0, "width": 1.0}
    law = {"law": "l", "training": 20, "rows": 4, "inside": 2, "raw": 1, "chance": 0.5, "width": 2.0, "score": 4.0,
           "found": "a*N"}  # fmt: skip
    told = page([task], [law], [], "5")
    assert "| t | 1 | 10 | 90 % | 80 % | 1 | 2 | f: 9/10 |" in told
    assert "| mean over laws (width, score: geometric) | | | 50 % | 25 % | 50 % | 2.00 | 4.00 | |" in told
    assert "small tables" not in told


def test_the_intervals_of_parameters_are_held_against_the_true_ones():
    found = of_parameters(LAWS["hstu"], "log window=0.5")
    assert found is not None
    assert found["told"] + found["unidentified"] == 4 * 2
    assert found["told"] >= found["inside"] >= found["curvature"] >= 5
    assert of_parameters(LAWS["u_shape_hard"], "log") is None
    told = page([], [], [], "5", [found, {**found, "law": "other", "inside": 0}])
    assert "| `log window=0.5` | 2 | 16 |" in told
    assert "other: 0/8" in told
