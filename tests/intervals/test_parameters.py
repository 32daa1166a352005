"""What the rows cannot tell is named."""

from __future__ import annotations

import numpy as np

from discover.fitting import Recipe, fit
from discover.intervals import FittedForm, bands_of, near_tied, parameter_report, seen_by_rows
from discover.law import parse
from discover.task import Cell, Rows
from tests.planted import FORMULA, TRUTH, chinchilla, fitted, rows_of, task_of


def report_of(formula: str, draws: int = 60):
    task, _ = chinchilla(0)
    form = fitted(task, formula)
    return form, parameter_report(
        bands_of(task, form, rng=np.random.default_rng(0), draws=draws, calibrate=False).ensemble
    )


def test_parameters_that_only_their_product_is_seen_of_are_named():
    _, report = report_of("E + A*k1/N**alpha + B/D**beta", draws=5)
    assert set(report.never_told()) == {"A", "k1"}
    unseen = [report.names.index(name) for name in ("A", "k1")]
    assert np.isinf(report.upper[0, unseen]).all()
    assert np.isfinite(np.delete(report.upper[0], unseen)).all()


def test_intervals_hold_the_truth_and_the_trade_off_of_size_and_exponent_is_named():
    form, report = report_of(FORMULA)
    assert report.never_told() == ()
    assert {"A", "alpha"} in [{a, b} for a, b, _ in report.together()]
    for name in ("alpha", "beta"):
        place = report.names.index(name)
        assert report.lower[0, place] < form.parameters[0, place] < report.upper[0, place]
        width = report.upper[0, place] - report.lower[0, place]
        assert abs(form.parameters[0, place] - TRUTH[name]) < 1.5 * width


def test_laws_far_behind_and_spellings_of_the_main_law_are_no_ties():
    def form(formula: str, score: float) -> FittedForm:
        law = parse(formula, ["N"])
        return FittedForm(law, Recipe(), np.ones((1, len(law.parameters))), score, formula)

    main = form("E + A*N**(-alpha)", -4.0)
    tied = near_tied(
        main, [form("c + b*N**(-a)", -4.0), form("a*N**b", -3.9), form("a + b*N", -2.0), form("a*N", np.inf)]
    )
    assert [f.name for f, _ in tied] == [main.name, "a*N**b"]
    assert sum(weight for _, weight in tied) == 1.0
    assert tied[0][1] > tied[1][1] > 0.3


def test_few_held_back_settings_tell_laws_apart_less_well():
    def form(formula: str, score: float) -> FittedForm:
        law = parse(formula, ["N"])
        return FittedForm(law, Recipe(), np.ones((1, len(law.parameters))), score, formula)

    main, other = form("E + A*N**(-alpha)", -4.0), form("a + b*N", -3.0)
    assert len(near_tied(main, [other], held_back=40)) == 1
    (_, best), (_, next_best) = near_tied(main, [other], held_back=3)
    assert next_best / best == np.exp(-1.5)  # three settings: exp(-3/2 * gap)


def test_intervals_of_a_linear_law_are_students_where_nothing_is_drawn():
    rng = np.random.default_rng(0)
    sizes = np.geomspace(1e6, 1e8, 6)
    target = 3.0 - 0.1 * np.log(sizes) + 0.02 * rng.standard_normal(6)
    task = task_of(rows_of(sizes[:, None], target, ("N",)), ("N",))
    report = seen_by_rows(task, fitted(task, "a + b*log(N)", recipe="squared"))
    x = np.column_stack([np.ones(6), np.log(sizes)])
    solution, squares, *_ = np.linalg.lstsq(x, target, rcond=None)
    due = 2.13185 * np.sqrt(np.diag(np.linalg.inv(x.T @ x)) * squares[0] / 4)  # t of four degrees of freedom
    assert np.allclose(report.lower[0], solution - due, rtol=1e-3)
    assert np.allclose(report.upper[0], solution + due, rtol=1e-3)


def test_rows_that_the_recipe_leaves_out_tell_nothing_of_parameters():
    """They used to count like the others: of intervals called 90 %, a window of one half left 48 %."""
    rng = np.random.default_rng(0)
    sizes = np.geomspace(1e6, 1e8, 12)
    target = 3.0 - 0.1 * np.log(sizes) + 0.02 * rng.standard_normal(12)
    whole = task_of(rows_of(sizes[:, None], target, ("N",)), ("N",))
    half = task_of(rows_of(sizes[6:, None], target[6:], ("N",)), ("N",))
    weights = Recipe.from_text("squared window=0.5").row_weights(whole.training, ["N"], [True])
    law = parse("a + b*log(N)", ["N"])
    found = fit(law, whole.training, recipe=Recipe("squared", window=0.5), starts=8, rng=rng, weights=weights)
    windowed = seen_by_rows(whole, FittedForm(law, found.recipe, found.parameters, -4.0, "windowed"))
    alone = seen_by_rows(half, fitted(half, "a + b*log(N)", recipe="squared"))
    assert np.allclose(windowed.lower, alone.lower, rtol=1e-4)
    assert np.allclose(windowed.upper, alone.upper, rtol=1e-4)


def test_cells_that_share_a_parameter_speak_of_it_together():
    """Two groups, one of them with two rows: alone it cannot tell three parameters, with a shared exponent it can."""
    sizes = np.concatenate([np.geomspace(1e6, 1e9, 12), [1e7, 1e9]])
    cell = np.array([0] * 12 + [1] * 2)
    target = 2.0 + 300.0 * sizes**-0.4 * (1.0 + 1e-3 * np.random.default_rng(0).standard_normal(14))
    rows = Rows(("N",), (Cell("a", "loss"), Cell("b", "loss")), sizes[:, None], target, cell, np.arange(14) + 2)
    told = {}
    for recipe in ("log", "log shared=alpha"):
        task = task_of(rows, ("N",))
        bands = bands_of(task, fitted(task, "E + A*N**(-alpha)", recipe=recipe), rng=np.random.default_rng(0), draws=8,
                         calibrate=False)  # fmt: skip
        told[recipe] = parameter_report(bands.ensemble).unidentified
    assert told["log"][1].all()
    assert not told["log shared=alpha"].any()
