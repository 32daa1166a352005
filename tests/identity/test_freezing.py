"""What is left of a law when a parameter is set is found by its key, without a fit."""

from __future__ import annotations

import pytest

from discover.identity.freezing import frozen_keys
from discover.identity.relation import free_key
from discover.law import parse

CHINCHILLA = "E + A/N**a + B/D**b"


@pytest.mark.parametrize(
    ("general", "special", "told"),
    [
        (CHINCHILLA, "F + k/N**c", ("B = 0",)),
        (CHINCHILLA, "k/N**c", ("E = 0", "B = 0")),
        (CHINCHILLA, "E + A/N + B/D**b", ("a = 1",)),
        ("E + (A/N**a + B/D**b)**g", CHINCHILLA, ("g = 1",)),
        ("E + A*N**a*D**b", "E + A*N**a", ("b = 0",)),
    ],
)
def test_special_case_is_found_with_what_is_set(general: str, special: str, told: tuple[str, ...]):
    assert frozen_keys(parse(general, ["N", "D"]))[free_key(parse(special, ["N", "D"]))] == told


def test_values_outside_the_bounds_are_not_set():
    key = free_key(parse("E + A/N**a", ["N"]))
    bounded = parse(CHINCHILLA, ["N", "D"], bounds={"B": (1.0, 5.0), "b": (0.1, 2.0)})
    assert key in frozen_keys(parse(CHINCHILLA, ["N", "D"]))
    assert key not in frozen_keys(bounded)


def test_one_at_a_time_finds_no_pairs():
    key = free_key(parse("k/N**c", ["N"]))
    assert key in frozen_keys(parse(CHINCHILLA, ["N", "D"]))
    assert key not in frozen_keys(parse(CHINCHILLA, ["N", "D"]), 1)


def test_long_laws_are_left_alone():
    law = parse(" + ".join(f"a{i}*x**b{i}" for i in range(8)), ["x"])
    assert frozen_keys(law) == {}
