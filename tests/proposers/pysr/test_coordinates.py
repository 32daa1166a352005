"""What PySR is shown, and that a law says the same there as here."""

from __future__ import annotations

import numpy as np
import pytest

from discover.archive import Candidate
from discover.assessment import Job, assess
from discover.fitting import Recipe
from discover.law import parse
from discover.law.compiler import evaluate
from discover.proposers import Proposal
from discover.proposers.pysr.coordinates import MOST_ROWS, VIEWS, Coordinates, View, thinned
from discover.proposers.pysr.operators import from_julia, to_julia
from discover.proposers.pysr.proposer import guesses_of
from discover.scoring import Yardstick
from discover.task import Task, load_task
from discover.task.rows import Cell, Rows

FORMULAS = {
    "vocab": "E + A*non_vocab_params**(-alpha) + B*exp(-beta*log(num_characters))/vocab_size**k",
    "parallel": "A*num_params**(-alpha) + E",
    "domain_mixture": "E + A*exp(-k*own) + B*other1",
}


def fitted(name: str) -> tuple[Task, Candidate]:
    task = load_task(f"{name}_scaling")
    law = parse(FORMULAS[name], task.input_names)
    return task, assess(Job(1, Proposal(law, Recipe(), "user"), 0), Yardstick.of(task))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: f"{view.inputs}-{view.target}")
@pytest.mark.parametrize("name", ["vocab", "parallel", "domain_mixture"])
def test_numbers_are_finite_and_of_order_one(name: str, view: View) -> None:
    coordinates = Coordinates(load_task(f"{name}_scaling"), view)
    table = coordinates.table()
    for column in ("X", "y", "weights"):
        numbers = np.array(table[column])
        assert np.isfinite(numbers).all()
        assert np.abs(numbers).max() < 1e3
    assert len(table["columns"]) == np.array(table["X"]).shape[1]
    assert np.mean(table["weights"]) == pytest.approx(1.0)


def test_cells_are_counted_from_one_and_have_slots_of_their_own() -> None:
    coordinates = Coordinates(load_task("domain_mixture_scaling"), VIEWS[0])
    cells = np.array(coordinates.table()["X"])[:, -1]
    assert sorted(set(cells)) == list(range(1, 21))
    template = coordinates.template()
    assert template is not None
    assert template["combine"] == "f(x1, x2, x3, x4, x5, p1[cell], p2[cell], p3[cell], p4[cell])"
    assert template["parameters"] == {"p1": 20, "p2": 20, "p3": 20, "p4": 20}
    assert template["variable_names"] == ["x1", "x2", "x3", "x4", "x5", "cell"]


@pytest.mark.parametrize("view", VIEWS)
def test_every_cell_counts_by_its_own_spread(view: View) -> None:
    table = Coordinates(load_task("domain_mixture_scaling"), view).table()
    cell, y, weights = np.array(table["X"])[:, -1], np.array(table["y"]), np.array(table["weights"])
    spreads = [weights[cell == c] * np.var(y[cell == c]) for c in np.unique(cell)]
    np.testing.assert_allclose(np.concatenate(spreads), spreads[0][0], rtol=1e-9)


def test_one_cell_needs_no_template() -> None:
    assert Coordinates(load_task("vocab_scaling"), VIEWS[0]).template() is None


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: f"{view.inputs}-{view.target}")
def test_a_guess_says_there_what_its_law_says_here(view: View) -> None:
    task, candidate = fitted("vocab")
    coordinates = Coordinates(task, view)
    assert candidate.validation is not None
    made = coordinates.guess(candidate.law, candidate.validation.parameters)
    assert made is not None
    table = coordinates.table()
    columns = dict(zip(coordinates.columns, np.array(table["X"]).T, strict=True))
    there = evaluate(made[0], columns)
    rows = task.training
    here = candidate.law.predict({n: rows.column(n) for n in candidate.law.inputs}, candidate.validation.parameters[0])
    # vocab's target is not positive: it stays linear in any view
    np.testing.assert_allclose(there * float(np.std(rows.target)), here, rtol=1e-9)


@pytest.mark.parametrize("view", VIEWS[:2], ids=lambda view: f"{view.inputs}-{view.target}")
def test_a_guess_for_several_cells_gives_each_its_own_numbers(view: View) -> None:
    task, candidate = fitted("parallel")
    coordinates = Coordinates(task, view)
    (guess, *_) = guesses_of([candidate], coordinates, 40)
    assert set(guess) == {"f", *coordinates.slots}
    assert all(len(guess[slot]) == len(task.cells) for slot in coordinates.slots)
    text = from_julia(guess["f"], coordinates.places)
    X = np.array(coordinates.table()["X"])
    values = dict(zip(coordinates.columns, X[:, :-1].T, strict=True))
    cell = X[:, -1].astype(int) - 1
    values |= {slot: np.array(guess[slot])[cell] for slot in coordinates.slots}
    there = evaluate(parse(text, coordinates.columns).expression, values)
    rows, law = task.training, candidate.law
    assert candidate.validation is not None
    own = candidate.validation.parameters[rows.cell]
    here = evaluate(
        law.expression,
        {**{n: rows.column(n) for n in law.inputs}, **{p: own[:, j] for j, p in enumerate(law.parameters)}},
    )
    expected = np.log(here) if view.target == "log" else here / float(np.std(rows.target))
    np.testing.assert_allclose(there, expected, rtol=1e-6)


def test_a_law_without_finite_numbers_makes_no_guess() -> None:
    task, candidate = fitted("vocab")
    assert candidate.validation is not None
    broken = np.full_like(candidate.validation.parameters, np.nan)
    assert Coordinates(task, VIEWS[0]).guess(candidate.law, broken) is None


def test_logarithms_of_inputs_turn_powers_into_products() -> None:
    task, candidate = fitted("vocab")
    coordinates = Coordinates(task, VIEWS[1])
    assert candidate.validation is not None
    made = coordinates.guess(candidate.law, candidate.validation.parameters)
    assert made is not None
    text = to_julia(made[0], coordinates.functions)
    assert text is not None
    assert "^" not in text
    assert "log" not in text


def test_long_tables_are_thinned_evenly() -> None:
    n = 4 * MOST_ROWS
    rows = Rows(("x",), (Cell("", "y"),), np.arange(n)[:, None] + 1.0, np.ones(n), np.zeros(n, int), np.arange(n) + 2)
    kept = thinned(rows)
    assert kept.n_rows == MOST_ROWS
    assert kept.inputs[0, 0] == 1.0
    assert kept.inputs[-1, 0] == n
