from __future__ import annotations

import numpy as np
import pytest

from benchmarks.planted import (
    Judge,
    deviations,
    is_same_form,
    key_of,
    reason,
    refits,
    relative_deviation,
    reproduces,
    searched,
)
from benchmarks.planted_laws import FORMS, SPELLINGS, Planted, planted_laws
from discover.assessment import assess_law
from discover.fitting import Recipe, fit
from discover.law import Law, parse
from discover.scoring import SURVIVOR
from discover.task import load_task

LAWS = {law.name: law for law in planted_laws(0)}


def fitted(law: Law, planted: Planted) -> np.ndarray:
    return fit(law, planted.training, recipe=Recipe("log"), starts=24, rng=np.random.default_rng(0)).parameters[0]


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_gives_the_same_functions_with_as_many_parameters(name: str) -> None:
    planted = LAWS[name]
    inputs = np.concatenate([planted.training.inputs, *planted.beyond.values()])
    for law in planted.spellings:
        assert len(law.parameters) == len(planted.parameters)
        assert reproduces(law, planted, planted.values(inputs), inputs), str(law)


def test_the_key_of_a_form_does_not_depend_on_bounds_or_names() -> None:
    bounded = parse("F + P/N**a + Q/D**b", ["N", "D"], bounds={"P": (0.0, np.inf)})
    assert key_of(bounded) == key_of(LAWS["chinchilla"].law)


def test_a_spelling_nobody_listed_is_the_same_form() -> None:
    planted = LAWS["chinchilla"]
    law = parse("E + exp(a - alpha*log(N)) + exp(b - beta*log(D))", ["N", "D"])
    assert is_same_form(law, fitted(law, planted), planted)


@pytest.mark.parametrize(
    "formula",
    [
        "A/N**alpha + B/D**beta",
        "E + A/N**alpha + k*B/D**0.3",  # as many parameters, a special case
        "E + A/N**alpha + B/D**beta + C/D",  # a richer one
        "E + A/N**alpha + B*log(k + D)",
    ],
)
def test_special_cases_richer_laws_and_others_are_not_the_same_form(formula: str) -> None:
    planted = LAWS["chinchilla"]
    law = parse(formula, ["N", "D"])
    assert not is_same_form(law, fitted(law, planted), planted)


def test_deviation_of_the_truth_is_zero_and_of_another_law_is_not() -> None:
    planted = LAWS["nmt"]
    exact = deviations(planted.law, planted.parameters, planted)
    assert set(exact) == {"Ne", "Nd", "jointly"}
    assert max(exact.values()) == 0.0
    law = parse("E + A*log(Ne) + B*log(Nd)", planted.input_names)
    assert max(deviations(law, fitted(law, planted), planted).values()) > 0.1


def test_deviation_of_a_law_that_is_not_finite_is_infinite() -> None:
    assert relative_deviation(np.array([1.0, np.nan]), np.ones(2)) == np.inf


def test_refits_scatter_more_where_there_is_more_noise() -> None:
    form_noise = {name: np.mean(refits(LAWS[name])["jointly"]) for name in ("chinchilla", "nd_coupled")}
    assert LAWS["chinchilla"].noise > 5 * LAWS["nd_coupled"].noise
    assert form_noise["chinchilla"] > 2 * form_noise["nd_coupled"] > 0


def test_the_tolerance_is_never_below_the_noise() -> None:
    judge = Judge(LAWS["weight_decay"])
    assert all(limit >= judge.planted.noise for limit in judge.tolerance.values())
    assert all(judge.tolerance[d] >= judge.strict[d] for d in judge.strict)


def test_the_true_form_fitted_passes_and_one_that_misses_a_term_fails(tmp_path) -> None:
    from benchmarks.planted_laws import write_task

    planted = LAWS["repeated_tokens"]
    task = load_task(write_task(planted, tmp_path))
    judge = Judge(planted)
    rng = np.random.default_rng(0)
    found = judge(assess_law(task, planted.law, Recipe("log"), rng, effort=SURVIVOR), 0.0)
    assert found["same_form"]
    assert found["near"]
    lacking = parse("E + B*U**(-beta)", ["U", "epochs"])
    missing = judge(assess_law(task, lacking, Recipe("log"), rng, effort=SURVIVOR), 0.0)
    assert not missing["true"]
    assert missing["times_tolerance"] > 10


def test_a_search_reports_what_it_chose_and_where_the_truth_stood() -> None:
    number = [form.name for form in FORMS].index("steplaw_lr")
    found = searched(number, planted_seed=0, budget="32", seed=0)
    assert found["name"] == "steplaw_lr"
    assert found["candidates"] == 32
    assert found["chosen"]["formula"]
    assert found["first"] <= found["among_finalists"]
    assert found["first"] == (reason(found) == "")
    assert set(found["chosen"]["deviation"]) == {"N", "D", "jointly"}
