"""Formulas written differently are one law, special cases are found as such, and look-alikes are told apart."""

from __future__ import annotations

import re

from discover.identity import APART, GENERAL, IDENTICAL, NEAR, SPECIAL, aligned, prove_equal, relation
from discover.identity.mapping import text_of
from discover.law import Law, parse

from .pairs import APART as LOOK_ALIKES
from .pairs import IDENTICAL as SAME
from .pairs import NESTED

ALLOWED_MISTAKES = 2  # in the three lists together
NAMES = ("x", "y", "N", "D")


def read(text: str) -> Law:
    used = [name for name in NAMES if re.search(rf"\b{name}\b", text)]
    return parse(text, used)


def test_ninety_pairs_are_told_with_two_mistakes_at_most():
    assert (len(SAME), len(NESTED), len(LOOK_ALIKES)) == (30, 30, 30)
    mistakes = []
    for first, second in SAME:
        found = relation(read(first), read(second))
        if found.kind != IDENTICAL:
            mistakes.append(f"{first} | {second}: {found}")
    for special, general, told in NESTED:
        found = relation(read(special), read(general))
        back = relation(read(general), read(special))
        if (found.kind, back.kind) != (SPECIAL, GENERAL) or (told and told not in found.frozen):
            mistakes.append(f"{special} | {general}: {found}, {back.kind}")
    for first, second in LOOK_ALIKES:
        found = relation(read(first), read(second))
        if found.kind not in (APART, NEAR):
            mistakes.append(f"{first} | {second}: {found}")
    assert len(mistakes) <= ALLOWED_MISTAKES, "\n".join(mistakes)


def test_hill_form_is_the_rectified_law_with_its_mapping_and_a_proof():
    hill, rectified = read("C + A/(1 + (D/D0)**a)"), read("B/(Dl + D**beta) + E")
    found = relation(hill, rectified)
    assert found.mapping is not None
    assert text_of(dict(found.mapping)) == "B = A*D0**a, Dl = D0**a, beta = a, E = C"
    assert prove_equal(hill, rectified, found.mapping)


def test_a_parameter_that_runs_away_is_a_limit_however_near_the_fit():
    found = relation(read("E + A*tanh(B*x)"), read("L + c*x"))
    assert (found.kind, found.by) == (GENERAL, "limit")
    assert found.frozen == ("A -> infinity", "B -> 0"), "with B = 0 it would be a constant"
    plain = relation(read("E + A*x + B*x**2"), read("L + c*x"))
    assert (plain.kind, plain.by, plain.frozen) == (GENERAL, "fit", ("B = 0",))


def test_wrong_mapping_is_not_proved():
    law, other = read("E + A/N**a"), read("F + B/N**b")
    found = relation(law, other)
    assert found.mapping is not None
    assert prove_equal(law, other, found.mapping)
    swapped = {**found.mapping, "F": found.mapping["B"], "B": found.mapping["F"]}
    assert not prove_equal(law, other, swapped)


def test_proof_that_does_not_come_is_given_up():
    law, other = read("E + A/N**a"), read("F + B/N**b")
    found = relation(law, other)
    assert found.mapping is not None
    assert not prove_equal(law, other, found.mapping, seconds=0.01)


def test_inputs_are_renamed_and_parameters_give_way():
    law = aligned(parse("E + A/N**D", ["N"]), {"N": "D"})
    assert law.inputs == ("D",)
    assert law.parameters == ("E", "A", "D_1")


def test_the_same_seed_gives_the_same_answer():
    first, second = (relation(read("a*exp(-k*x) + c"), read("a*(x + d)**b + c"), seed=3) for _ in range(2))
    assert first == second
