"""The residual proposer finds the term that a law lacks; its first-order figures are exact where a law is linear."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest

from discover.archive import Archive, Candidate
from discover.assessment import Job, assess, assess_law
from discover.fitting import Cells, Recipe
from discover.law import parse
from discover.law.compiler import evaluate
from discover.proposers.evolutionary import Recipes
from discover.proposers.residual import Residual
from discover.proposers.screening import Cut, Screening, Slopes
from discover.scoring import RACE, Yardstick
from discover.task import Cell, Rows, Task, load_task


def planted(formula: str, **parameters: float) -> Task:
    """The rows of vocab_scaling with a target that a known law made, noise 0.1 %."""
    task = load_task("vocab_scaling")
    rows = task.training
    values = {name: rows.column(name) for name in rows.input_names} | {n: np.float64(v) for n, v in parameters.items()}
    target = evaluate(parse(formula, rows.input_names).expression, values)
    noise = 1.0 + 0.001 * np.random.default_rng(0).standard_normal(rows.n_rows)
    return replace(task, training=replace(rows, target=target * noise))


def archive_with(task: Task, formula: str, recipe: Recipe | None = None) -> tuple[Archive, Candidate, Yardstick]:
    yardstick = Yardstick.of(task)
    law = parse(formula, task.input_names)
    rng = np.random.default_rng(0)
    candidate = assess_law(task, law, recipe or Recipe(), rng, RACE, 1, "families", yardstick)
    candidate = replace(candidate, status="ok")
    archive = Archive(spread=float(task.training.target.std()))
    assert archive.add([candidate])
    return archive, candidate, yardstick


@pytest.mark.parametrize("recipe", [Recipe(), Recipe("log"), Recipe("huber", weight=0.5)])
def test_the_term_that_was_taken_out_is_found_again(recipe: Recipe) -> None:
    task = planted("1.5 + A*non_vocab_params**(-0.3) + B*num_characters**(-0.4)", A=60.0, B=3000.0)
    archive, parent, yardstick = archive_with(task, "E + A*non_vocab_params**(-alpha)", recipe)
    residual = Residual(task, Recipes(task))
    rng = np.random.default_rng(0)
    found = [p for _ in range(6) if (p := residual.ask(archive, rng))]
    assert found
    assert all(p.parents == (1,) and len(p.law.parameters) <= task.parameter_cap for p in found)
    best = min(
        (assess(Job(n, replace(p, recipe=recipe), 0), yardstick) for n, p in enumerate(found, 2)),
        key=lambda c: c.validation.in_sample if c.validation else np.inf,
    )
    assert parent.validation is not None
    assert best.validation is not None
    assert best.validation.in_sample < 0.01 * parent.validation.in_sample


def test_a_law_at_the_cap_gives_up_a_part_for_the_new_one() -> None:
    task = replace(
        planted("1.5 + A*non_vocab_params**(-0.3) + B*num_characters**(-0.4)", A=60.0, B=3000.0), parameter_cap=5
    )
    formula = "E + A*non_vocab_params**(-alpha) + B*vocab_size**(-beta)"
    archive, parent, yardstick = archive_with(task, formula)
    residual = Residual(task, Recipes(task))
    rng = np.random.default_rng(0)
    found = [p for _ in range(6) if (p := residual.ask(archive, rng))]
    assert found
    assert all(len(p.law.parameters) <= 5 for p in found)
    scores = [assess(Job(n, replace(p, recipe=Recipe()), 0), yardstick) for n, p in enumerate(found, 2)]
    assert parent.validation is not None
    assert min(c.validation.in_sample for c in scores if c.validation) < 0.1 * parent.validation.in_sample


@pytest.mark.parametrize("side", ["above", "below"])
def test_terms_are_judged_by_what_they_predict_on_the_side_that_the_task_asks_for(side: str) -> None:
    task = replace(load_task("vocab_scaling"), held_out_sides={"non_vocab_params": side})
    residual = Residual(task, Recipes(task))
    cells = residual._laid_out(None)
    predicted = residual._made_cuts(cells)[0].outer > 0
    size = cells.inputs["non_vocab_params"]
    inside, outside = size[~predicted], size[predicted]
    assert (outside.min() > inside.max()) if side == "above" else (outside.max() < inside.min())


def test_the_same_source_of_chance_gives_the_same_proposals() -> None:
    task = planted("1.5 + A*non_vocab_params**(-0.3) + B*num_characters**(-0.4)", A=60.0, B=3000.0)
    archive, _, _ = archive_with(task, "E + A*non_vocab_params**(-alpha)")

    def texts() -> list[str]:
        residual, rng = Residual(task, Recipes(task)), np.random.default_rng(7)
        return [f"{p.law} {p.recipe.text}" for _ in range(5) if (p := residual.ask(archive, rng))]

    assert texts() == texts()


def test_a_start_carries_what_the_parent_knew_and_a_first_guess_of_the_new_coefficient() -> None:
    task = planted("1.5 + A*non_vocab_params**(-0.3) + B*num_characters**(-0.4)", A=60.0, B=3000.0)
    archive, _, _ = archive_with(task, "E + A*non_vocab_params**(-alpha)")
    proposal = Residual(task, Recipes(task)).ask(archive, np.random.default_rng(0))
    assert proposal is not None
    assert set(proposal.guess) == set(proposal.law.parameters)
    assert all(np.isfinite(values).all() for values in proposal.guess.values())


@pytest.fixture
def table() -> Rows:
    rows = load_task("vocab_scaling").training
    return rows.select(np.arange(0, rows.n_rows, 7))


def test_slopes_agree_with_differences(table: Rows) -> None:
    law = parse("E + A*log(vocab_size)*non_vocab_params**(-alpha) - B/(k + num_characters/1e9)", table.input_names)
    given = {name: table.column(name)[None] for name in table.input_names}
    values = {"E": 1.0, "A": 2.0, "alpha": 0.1, "B": 0.5, "k": 2.0}
    arrays = {name: np.full((1, 1), value) for name, value in values.items()}
    slopes = Slopes.of(law.expression, given | arrays, (1, table.n_rows))
    for name, value in values.items():
        step = 1e-6 * value
        up, down = (evaluate(law.expression, given | arrays | {name: value + s}) for s in (step, -step))
        own = sum(slopes.slopes[p] for p, n in slopes.nodes.items() if getattr(n, "name", "") == name)
        np.testing.assert_allclose(own, (up - down) / (2 * step), rtol=1e-5)


def test_figures_are_those_of_a_refit_where_the_law_is_linear(table: Rows) -> None:
    """A law that is linear in its parameters is its own first order: least squares on the inner rows says the same."""
    law = parse("E + A*log(vocab_size)", table.input_names)
    cells = Cells.from_rows(table, table.input_names)
    x, z = np.log(cells.inputs["vocab_size"]), np.log(cells.inputs["num_characters"])
    inner = (z < np.quantile(z, 0.7)) & (cells.weight > 0)
    outer = ~inner & (cells.weight > 0)
    cut = Cut(inner.astype(float), outer.astype(float), 1.0)
    n = len(table.cells)
    parameters = np.tile([5.0, -0.1], (n, 1))
    screening = Screening(law, parameters, Recipe(), cells, [cut], np.ones(n))
    places, values = screening.values(screening.whole, z[..., None], z[..., None] ** 2)
    left = 0.0
    for c in range(n):
        columns = np.column_stack([np.ones_like(x[c]), x[c], z[c]])
        solved = np.linalg.lstsq(columns[inner[c]], cells.target[c][inner[c]], rcond=None)[0]
        left += float(np.sum((columns[outer[c]] @ solved - cells.target[c][outer[c]]) ** 2))
    top = next(i for i, place in enumerate(places) if place.path == () and not place.is_factor)
    assert values[top, 0] == pytest.approx(np.log(left / outer.sum() + 1e-6), abs=1e-3)


def test_a_factor_without_which_a_law_is_no_number_is_no_choice_and_no_warning() -> None:
    """exp(x) and exp(-x) at 709: one alone, in units of a hundredth, is more than a double holds."""
    x, one_cell = np.linspace(700.0, 709.0, 12), np.zeros(12, dtype=int)
    rows = Rows(("x",), (Cell("", "y"),), x[:, None], 1.0 + 0.01 * (x > 705), one_cell, np.arange(12) + 2)
    law = parse("A*exp(b*x)*exp(c*x)", rows.input_names)
    cells = Cells.from_rows(rows, rows.input_names)
    ones = np.ones(cells.target.shape)
    parameters = np.array([[{"A": 1.0, "b": 1.0, "c": -1.0}[name] for name in law.parameters]])
    screening = Screening(law, parameters, Recipe(), cells, [Cut(ones, ones, 1.0)], np.array([0.01]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = [screening.value(screening.without(path)) for path in screening.removable()]
    assert values
    assert np.isinf(max(values))
