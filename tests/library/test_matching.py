"""Laws written in a table's columns."""

from __future__ import annotations

import numpy as np
import pytest

from discover.errors import DiscoverError
from discover.law import parse
from discover.library import Assigned, Match, entries, entry, find, find_without_formula, matches
from discover.library.widening import widened


def columns(**roles: str) -> dict[str, Assigned]:
    return {name: Assigned(role, "as the test says") for name, role in roles.items()}


def only(name: str, **roles: str) -> Match:
    (found,) = matches(columns(**roles), [entry(name)])
    return found


def test_law_is_written_in_the_columns_of_its_roles():
    found = only("chinchilla", data="tokens", size="parameters", lr="learning_rate")
    assert str(found.law) == "E + A/size**alpha + B/data**beta"
    assert found.law.inputs == ("data", "size")
    assert found.law.bounds["alpha"] == (0.0, 1.5)
    assert (found.stands_for, found.reasons) == ({"N": "size", "D": "data"}, ())


def test_law_whose_inputs_are_missing_does_not_match():
    assert matches(columns(size="parameters"), [entry("chinchilla")]) == ()
    assert matches(columns(size="", data="tokens"), [entry("chinchilla")]) == ()


def test_column_of_no_known_role_meets_no_input():
    assert matches(columns(n="other", d="other", x="")) == ()


def test_no_column_is_taken_twice():
    assert matches(columns(data="tokens"), [entry("atlas_saturation")]) == ()
    found = only("atlas_saturation", own="unique_tokens", seen="tokens")
    assert found.stands_for == {"D": "seen", "U": "own"}


def test_a_column_of_another_kind_stands_in_with_a_reason():
    found = only("chinchilla", size="active_parameters", text="characters")
    assert found.reasons == (
        "size (active_parameters) stands for N (parameters)",
        "text (characters) stands for D (tokens)",
    )


def test_the_nearest_role_is_taken():
    assert only("kaplan_d", unique="unique_tokens", seen="tokens").stands_for == {"D": "seen"}
    assert only("kaplan_nd", seen="tokens", unique="unique_tokens", n="parameters").stands_for["D"] == "unique"


def test_compute_is_made_of_size_and_tokens():
    found = only("kaplan_cmin", n="parameters", d="tokens")
    assert str(found.law) == "(Cc/(6*n*d))**alpha_C"
    assert "C = 6*n*d" in found.reasons[0]


def test_compute_is_made_of_its_logarithm():
    assert str(only("deepseek_lr", x="log_compute").law) == "c*(10**x)**a"


def test_law_of_any_scale_comes_once_for_each_scale():
    found = matches(columns(n="parameters", d="tokens", lr="learning_rate"), [entry("bahri_variance_limited")])
    assert [str(each.law) for each in found] == ["L_inf + c/n", "L_inf + c/d"]


def test_parameter_gives_way_to_a_column_of_its_name():
    found = only("chinchilla", E="parameters", A="tokens")
    assert found.law.inputs == ("E", "A")
    assert len(found.law.parameters) == 5
    there, plain = found.law, entry("chinchilla")
    values = plain.coefficients[0].values
    parameters = [values[name.removesuffix("_1")] for name in there.parameters]
    value = float(there.predict({"E": 1e9, "A": 2e10}, parameters))
    assert value == pytest.approx(plain.coefficients[0].gives, rel=6e-5)


def test_mixture_law_takes_as_many_shares_as_there_are():
    shares = {"own": "own_share", **{f"other{i}": "share" for i in range(1, 5)}}
    found = only("mixing_law", **shares)
    assert str(found.law) == "c + k*exp(t1*own + t2*other1 + t3*other2 + t4*other3 + t5*other4)"
    assert len(only("regmix_linear", a="share", b="share").law.parameters) == 3
    assert matches(columns(a="share"), [entry("mixing_law")]) == ()


def test_mixture_law_keeps_its_bounds_when_widened():
    law = widened(entry("shukor_additive").law, ("h1", "h2"), 4)
    assert law is not None
    assert law.inputs == ("N", "D", "h1", "h2", "h3", "h4")
    assert law.bounds["g4"] == law.bounds["C3"] == (0.0, np.inf)


def test_sum_whose_terms_differ_in_more_than_a_number_is_not_widened():
    assert widened(parse("a*r1 + b*r2", ["r1", "r2"]), ("r1", "r2"), 3) is None
    assert widened(parse("a1*r1 + a2*r2**2", ["r1", "r2"]), ("r1", "r2"), 3) is None


def test_every_law_matches_columns_of_its_own_roles():
    for law in entries():
        form = law.measured or law.form
        if not law.law.parameters or "other" in {q.role for q in form.inputs}:
            continue
        own = columns(**{f"column_{q.name}": q.role for q in form.inputs})
        assert [m.entry.id for m in matches(own, [law])] == [law.id]


def test_laws_are_found_by_text_inputs_and_target():
    assert "chinchilla" in {law.id for law in find("hoffmann compute-optimal")}
    both = find(inputs=["N", "D"], target="loss")
    assert {"chinchilla", "kaplan_nd", "joint_moe"} - {law.id for law in both} == {"kaplan_nd"}, "D is trained on"
    assert all(law.target.role in ("loss", "teacher_loss") for law in both)
    assert {law.id for law in find(inputs=["experts"])} == {"clark_moe", "clark_saturation", "joint_moe"}
    assert find("no such law anywhere") == ()
    assert [each.id for each in find_without_formula("MassiveDS")] == ["massive_ds"]


def test_unknown_input_is_answered_with_close_matches():
    with pytest.raises(DiscoverError, match="'experst' is no role; did you mean 'experts'"):
        find(inputs=["experst"])
