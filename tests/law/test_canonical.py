"""The key of a law: equal for laws that a fit cannot tell apart, different for those that it can."""

from __future__ import annotations

import itertools
import time

import pytest

from discover.law import parse

INPUTS = ("N", "D")
INFINITE = float("inf")

SAME = [
    ("E + A/N**alpha", "a*N**-b + c"),
    ("E + A/N**alpha + B/D**beta", "B/D**beta + E + A/N**alpha"),
    ("E + A/N**alpha", "E - A*N**alpha"),  # the fit finds the signs
    ("A*(2*N)*3", "6*A*N"),
    ("2*A*N", "A*N"),
    ("A*N + 3", "A*N + 5 - 2"),
    ("E + 3 + A*N", "E + A*N"),
    ("A*sqrt(N)", "A*N**0.5"),
    ("A*log10(N)", "A*log(N)"),
    ("A*log2(N)", "A*log(N)"),
    ("A*log1p(N)", "A*log(1 + N)"),
    ("A*(N**b)**2", "A*N**b"),
    ("A*N/D", "A/D*N"),
    ("A/(N*D)", "A/N/D"),
    ("-(A - N*b)", "b*N - A"),
    ("A*max(N, D)", "A*max(D, N)"),
    ("A*N*N", "A*N**2"),
    ("A*N + b*D - b*D", "A*N"),
    ("A*N**1 + 0*D", "A*N"),
    ("gamma*N + beta", "S*N + I"),
]


@pytest.mark.parametrize("first, second", SAME)
def test_equal_up_to_names_order_and_constants(first: str, second: str) -> None:
    assert parse(first, INPUTS).key == parse(second, INPUTS).key


# No two of these are one law: none becomes another by a change of its parameters.
DIFFERENT = [
    "a*N",
    "a*D",
    "a*N + b",
    "a*N + b*D",
    "a*N + a*D",
    "a*N*D",
    "a*N**2",
    "a*N**b",
    "a*N**b + c",
    "a*N**b + c*D**b",
    "a*N**b + c*D**d",
    "a*N**b*D**b",
    "a*N**b*D**c",
    "a*(N*D)**b + c",
    "a*exp(b*N)",
    "a*exp(b*N) + c",
    "a*exp(N)",
    "a*log(N)",
    "a*log(N) + b",
    "a*log(N + b)",
    "a*log(1 + N)",
    "(N + a)**b",
    "(N + 1)**b",
    "c*(N + a)**b",
    "c*(N + D)**b",
    "c*(N + a*D)**b",
    "a**N",
    "N**a",
    "N**a + D**a",
    "N**a + D**b",
    "a*min(N, b)",
    "a*max(N, b)",
    "a*min(N, D)",
    "a*abs(N - b)",
    "a*tanh(b*N)",
    "a*sigmoid(b*N)",
    "a*sin(b*N)",
    "a*cos(b*N)",
    "a/(b + N)",
    "a/(b + N**2)",
    "a/(b + N**c)",
    "a + b/N + c/N**2",
    "a + b/N",
    "a + N/b + N",
    "a*sqrt(N) + b",
    "a*gamma(N)",
    "a*erf(b*N)",
    "2*a*N + a",
    "a*N + a",
    "3*a*N + a",
]


def test_different_laws_have_different_keys() -> None:
    keys = {text: parse(text, INPUTS).key for text in DIFFERENT}
    for first, second in itertools.combinations(DIFFERENT, 2):
        assert keys[first] != keys[second], (first, second)


@pytest.mark.parametrize(
    "first, second",
    [
        ("a*abs(N - b)", "a*(N - b)"),
        ("a*sqrt((N - b)**2)", "a*(N - b)"),
        ("a*((N - b)**2)**c", "a*(N - b)**c"),
    ],
)
def test_the_root_of_a_square_is_not_what_was_squared(first: str, second: str) -> None:
    """Powers of powers were multiplied out although the base may be negative."""
    assert parse(first, INPUTS).key != parse(second, INPUTS).key


def test_bounds_are_part_of_the_law() -> None:
    free = parse("A*N", INPUTS)
    bounded = parse("A*N", INPUTS, bounds={"A": (0.0, INFINITE)})
    assert free.key != bounded.key


def test_a_factor_is_absorbed_only_within_bounds() -> None:
    positive = {"A": (0.0, INFINITE)}
    assert parse("2*A*N", INPUTS, bounds=positive).key == parse("A*N", INPUTS, bounds=positive).key
    assert parse("-A*N", INPUTS, bounds=positive).key != parse("A*N", INPUTS, bounds=positive).key
    narrow = {"A": (1.0, 2.0)}
    assert parse("2*A*N", INPUTS, bounds=narrow).key != parse("A*N", INPUTS, bounds=narrow).key


def test_which_parameter_carries_the_bound_matters() -> None:
    one = parse("A*N**b", INPUTS, bounds={"A": (0.0, INFINITE)})
    other = parse("A*N**b", INPUTS, bounds={"b": (0.0, INFINITE)})
    assert one.key != other.key


@pytest.mark.parametrize(
    "text",
    [
        " + ".join(f"a{i}*N**b{i}" for i in range(20)),
        " + ".join(f"exp(a{i}*N)" for i in range(60)),
        "*".join(f"(N + a{i})" for i in range(60)),
        " + ".join(f"{i + 2}*a*N**b{i}*D**{i}" for i in range(30)),
        "exp(" * 38 + "a*N" + ")" * 38,
    ],
    ids=["powers", "exponentials", "products", "shared", "deep"],
)
def test_the_key_of_the_largest_laws_takes_little_time(text: str) -> None:
    law = parse(text, INPUTS)
    started = time.perf_counter()
    assert law.key
    assert time.perf_counter() - started < 10.0
