"""Every law of the library parses, compiles, gives its check values, keeps its bounds and has the right derivatives."""

from __future__ import annotations

import math

import numpy as np
import pytest

from discover.errors import UnknownLawError
from discover.law import Law
from discover.law.compiler import Tape
from discover.library import COEFFICIENT_TRUST, ROLES, TRUST, Entry, entries, entry, not_found

ALL = pytest.mark.parametrize("law", entries(), ids=lambda each: each.id)


def jacobian(law: Law, at: dict[str, float], parameters: np.ndarray) -> np.ndarray:
    """(parameter,) by the tape that fits use."""
    tape = Tape([law.expression], law.inputs, law.parameters)
    bound = tape.bind({name: np.full((1, 1), at[name]) for name in law.inputs})
    with np.errstate(all="ignore"):
        values = bound.forward(parameters[None])
        gradient = bound.backward(values, {tape.outputs[0]: 1.0})
    return np.array([float(np.broadcast_to(g, (1, 1))[0, 0]) for g in gradient])


def differences(law: Law, at: dict[str, float], parameters: np.ndarray) -> np.ndarray:
    """(parameter,) by central differences of fourth order."""
    found = np.zeros(len(parameters))
    for place, value in enumerate(parameters):
        step = 1e-4 * (abs(value) or 1.0)

        def moved(times: float, place: int = place, step: float = step) -> float:
            other = parameters.copy()
            other[place] += times * step
            return float(law.predict(at, other))

        found[place] = (8 * (moved(1) - moved(-1)) - (moved(2) - moved(-2))) / (12 * step)
    return found


def own_point(form: Law, law: Entry) -> dict[str, float]:
    """Somewhere to evaluate a law that is written in what is measured."""
    usual = {"N": 1e9, "D": 2e10, "U": 5e9, "X": 32.0}
    return {name: law.at.get(name, usual[name]) for name in form.inputs}


def test_all_laws_of_the_catalogue_are_there():
    assert (len(entries()), len(not_found())) == (167, 18)
    ids = [each.id for each in entries()] + [each.id for each in not_found()]
    assert len(set(ids)) == len(ids)


def test_each_says_what_it_is():
    for law in entries():
        assert law.trust in TRUST, law.id
        assert law.source.authors, law.id
        assert 2015 <= law.source.year <= 2026, law.id
        assert len(law.source.arxiv) == 10, law.id
        assert law.coefficients, f"{law.id}: each has a set to evaluate"
        assert all(own.trust in COEFFICIENT_TRUST for own in law.coefficients), law.id
        assert all(role in ROLES for role in (*law.roles.values(), law.target.role)), law.id
        assert set(law.law.inputs) == set(law.roles), f"{law.id}: each input is read"
        assert set(law.form.bounds) <= set(law.law.parameters), f"{law.id}: each bound belongs to a parameter"


def test_each_has_a_key_and_a_complexity():
    assert all(law.law.key and law.law.complexity > 0 for law in entries())


@ALL
def test_its_check_values_are_reproduced(law: Entry):
    for own in law.coefficients:
        value = float(law.value(own))
        assert value == pytest.approx(own.gives, rel=6e-5, abs=0), own.name
        if own.printed is not None:
            assert value == pytest.approx(own.printed, abs=5e-4), f"{own.name}: as the source prints it"


def test_coefficients_are_those_of_the_formula_and_within_bounds():
    for law in entries():
        for own in law.coefficients:
            assert set(own.values) == set(law.law.parameters), f"{law.id}: {own.name}"
            assert set(own.from_source) <= set(own.values), f"{law.id}: {own.name}"
            for name, (low, high) in law.law.bounds.items():
                assert low <= own.values[name] <= high, f"{law.id}: {own.name}: {name}"


def test_each_falls_and_rises_as_it_says():
    for law in entries():
        for own in law.coefficients:
            for quantity in law.inputs:
                middle = law.at[quantity.name]
                step = 1e-4 * (abs(middle) or 1.0)
                below, above = (float(law.value(own, {**law.at, quantity.name: middle + s * step})) for s in (-1, 1))
                if quantity.effect:
                    rises = quantity.effect == "rises"
                    assert (above > below) == rises, f"{law.id}: {own.name}: {quantity.name}"


@ALL
def test_its_jacobian_is_that_of_finite_differences(law: Entry):
    for own in law.coefficients:
        parameters = np.array([own.values[name] for name in law.law.parameters])
        by_tape, by_differences = (f(law.law, law.at, parameters) for f in (jacobian, differences))
        scale = abs(own.gives) / np.maximum(np.abs(parameters), 1e-12)
        assert np.all(np.isfinite(by_tape))
        assert np.all(np.abs(by_tape - by_differences) <= 1e-5 * np.abs(by_differences) + 1e-9 * scale), own.name


@pytest.mark.parametrize("name", [each.id for each in entries() if each.measured is not None])
def test_its_form_in_what_is_measured_evaluates(name: str):
    law = entry(name)
    assert law.measured is not None
    form, own = law.measured.law, law.coefficients[0]
    values = {"Xstart": 2.0732, "Xmax": 290.4521, **own.values}
    parameters = np.array([values[p] for p in form.parameters])
    at = own_point(form, law)
    assert math.isfinite(float(form.predict(at, parameters)))
    by_tape, by_differences = (f(form, at, parameters) for f in (jacobian, differences))
    assert by_tape == pytest.approx(by_differences, rel=1e-4, abs=1e-9)


def test_routed_law_in_experts_is_the_published_one_in_saturated_experts():
    law, saturation = entry("clark_moe"), entry("clark_saturation")
    assert law.measured is not None
    for own, constants in zip(law.coefficients, saturation.coefficients, strict=True):
        experts = float(saturation.value(constants))
        published = float(law.value(own, {"log10N": 8.0, "log10Ehat": math.log10(experts)}))
        values = {**own.values, **constants.values}
        form = law.measured.law
        measured = form.predict({"N": 1e8, "X": saturation.at["X"]}, [values[p] for p in form.parameters])
        assert float(measured) == pytest.approx(published, rel=1e-12)


def test_law_of_repeated_data_is_the_published_one_in_repetitions():
    law = entry("data_constrained")
    assert law.measured is not None
    (own,) = law.coefficients
    value, form = own.values, law.measured.law
    unique, size, tokens = 2.5e10, 6.3e9, 2.4e11
    g = (value["alpha"] * value["A"] / (value["beta"] * value["B"])) ** (1 / (value["alpha"] + value["beta"]))
    best = min(size, (unique * g) ** (value["beta"] / value["alpha"]) * g)
    published = law.value(own, {"Un": best, "Rn": size / best - 1, "U": unique, "Rd": tokens / unique - 1})
    measured = form.predict({"N": size, "D": tokens, "U": unique}, [value[p] for p in form.parameters])
    assert float(measured) == pytest.approx(float(published), rel=1e-12)


@pytest.mark.parametrize("epochs, factors", [(1, 0), (2, 1), (4, 3), (16, 15), (40, 15)])
def test_product_over_epochs_is_exact_at_whole_epochs(epochs: int, factors: int):
    law = entry("filtering_utility_repeat")
    (own,) = law.coefficients
    v = own.values
    due = v["a"] * 1e7 ** v["b"]
    for j in range(1, factors + 1):
        due *= ((j + 1) / j) ** (v["b"] * 0.5 ** (j / v["tau"]))
    assert float(law.value(own, {"n1": 1e7, "k": epochs})) == pytest.approx(due + v["d"], rel=1e-12)


@pytest.mark.parametrize("tokens, due", [(5e8, 5e8), (1e9, 1e9), (4e9, 1e9 * (1 + (1 - math.exp(-0.3)) / 0.1))])
def test_saturation_starts_where_data_are_repeated(tokens: float, due: float):
    law = entry("atlas_saturation")
    assert float(law.value(law.coefficients[0], {"D": tokens, "U": 1e9})) == pytest.approx(due, rel=1e-12)


def test_unknown_law_is_answered_with_close_matches():
    with pytest.raises(UnknownLawError, match="did you mean 'chinchilla'"):
        entry("chincilla")


def test_law_without_a_formula_is_answered_with_what_is_known():
    with pytest.raises(UnknownLawError, match=r"its formula was not found .*2509\.25996.*known:"):
        entry("cast_sparse")
