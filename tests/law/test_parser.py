"""The one door for text: what it reads, what it refuses, and that each refusal names the offending part."""

from __future__ import annotations

import time
import warnings

import numpy as np
import pytest

from discover.errors import LawSyntaxError
from discover.law import parse

INPUTS = ("N", "D")


@pytest.mark.parametrize(
    "text, parameters",
    [
        ("E + A/N**alpha + B/D**beta", ("E", "A", "alpha", "B", "beta")),
        ("N*S**I/O + Q*C", ("S", "I", "O", "Q", "C")),
        ("beta*N**zeta + gamma", ("beta", "zeta", "gamma")),
        ("gamma*gamma(D) + lambda_", ("gamma", "lambda_")),
        ("pi*N + e", ("pi", "e")),
        ("E1*N + E_2", ("E1", "E_2")),
        ("L0\n  + a * N ** -b", ("L0", "a", "b")),
    ],
)
def test_every_name_that_is_no_input_is_a_parameter(text: str, parameters: tuple[str, ...]) -> None:
    law = parse(text, INPUTS)
    assert law.parameters == parameters
    assert set(law.inputs) <= set(INPUTS)


def test_only_inputs_that_are_read_are_kept_in_the_order_given() -> None:
    assert parse("a*D", INPUTS).inputs == ("D",)
    assert parse("a*D*N", INPUTS).inputs == ("N", "D")


def test_an_input_may_carry_the_name_of_a_function() -> None:
    law = parse("a*log + exp(b)", ["log"])
    assert law.inputs == ("log",)
    assert law.parameters == ("a", "b")


def test_parameters_can_be_given_in_an_order() -> None:
    assert parse("E + A*N", INPUTS, parameters=("A", "E")).parameters == ("A", "E")


def test_a_name_outside_the_given_parameters_is_refused_with_a_close_match() -> None:
    with pytest.raises(LawSyntaxError, match=r"alhpa.*alpha"):
        parse("A*N**alhpa", INPUTS, parameters=("A", "alpha"))


def test_bounds_are_kept_and_free_parameters_are_unbounded() -> None:
    law = parse("E + A*N", INPUTS, bounds={"E": (0, 5)})
    assert law.bounds == {"E": (0.0, 5.0), "A": (-np.inf, np.inf)}


@pytest.mark.parametrize("bound", [(1.0, 1.0), (2.0, 1.0), (float("nan"), 1.0), (0.0, float("nan"))])
def test_empty_bounds_are_refused_by_the_name_of_the_parameter(bound: tuple[float, float]) -> None:
    with pytest.raises(LawSyntaxError, match=r"bounds of E"):
        parse("E + A*N", INPUTS, bounds={"E": bound})


@pytest.mark.parametrize(
    "text, same",
    [
        ("a*ln(N)", "a*log(N)"),
        ("a*arctan(N)", "a*atan(N)"),
        ("a*logistic(N)", "a*sigmoid(N)"),
        ("a*min(N, D, b)", "a*min(min(N, D), b)"),
        ("a*(2*3)*N", "a*6*N"),
        ("+a*N", "a*N"),
        ("a*N**2**3", "a*N**8"),
    ],
)
def test_other_spellings_are_the_same_law(text: str, same: str) -> None:
    assert parse(text, INPUTS).expression == parse(same, INPUTS).expression


def test_precedence_is_python_s() -> None:
    def value(text: str) -> float:
        return float(parse(text, INPUTS).predict({"N": 3.0}, [2.0]))

    assert value("-N**a") == -9.0
    assert value("a**-N") == 0.125
    assert value("a**N**2") == 512.0
    assert value("a - N - 1") == -2.0
    assert value("12/a/N") == 2.0
    assert value("12/a*N") == 18.0
    assert value("2*-a*N") == -12.0


# What is typed, and what the refusal has to name.
REFUSED = {
    "": "empty",
    "   \n": "empty",
    "a*N^2": "'^'",
    "a.__class__": "a.__class__",
    "().__class__.__bases__[0]": "__bases__",
    "a.real*N": "a.real",
    "__import__('os').getpid()": "__import__",
    "exp.__globals__": "exp.__globals__",
    "__a*N": "__a",
    "a__b*N": "a__b",
    "_a*N": "_a",
    "x" * 65 + "*N": "x" * 65,
    "lambda N: N": "lambda",
    "lambda*N": "lambda",
    "a if N else b": "a if N else b",
    "[a for a in N]": "a for a in N",
    "{a}": "{a}",
    "(a, N)": "(a, N)",
    "a[0]*N": "a[0]",
    "f'{a}'": "f'{a}'",
    "'a'*N": "'a'",
    "b'a'*N": "b'a'",
    "(a := N)": "a := N",
    "a = N": "a = N",
    "a*N; b": ";",
    "import os": "import",
    "a < N": "a < N",
    "a and N": "a and N",
    "not N": "not N",
    "~N": "~N",
    "a % N": "a % N",
    "a // N": "a // N",
    "a @ N": "a @ N",
    "a << N": "a << N",
    "a | N": "a | N",
    "1j*N": "1j",
    "True*N": "True",
    "None": "None",
    "...": "...",
    "print(N)": "print",
    "expp(N)*a": "expp",
    "add(a, N)": "add",
    "a(N)": "a",
    "2(N)": "2",
    "exp(N=a)": "N=a",
    "exp(*a)": "*a",
    "exp(**a)": "**a",
    "exp(a, N)": "exp(a, N)",
    "exp()*a": "exp()",
    "min(a)": "min(a)",
    "a*exp": "exp",
    "exp(log)*a": "log",
    "9**9**9": "9 ** 9 ** 9",
    "a*9**9**9*N": "9 ** 9 ** 9",
    "log(0)*a": "log(0)",
    "a*N*log(-1)": "log(-1)",
    "a*(-8)**(1/3)": "(-8) ** (1 / 3)",
    "a*N*0**-1": "0 ** (-1)",
    "1e400*N*a": "is larger than",
    "1" * 400 + "*a*N": "1" * 50,
    "\u0430*N": "\u0430",  # Cyrillic a
    "a*N \u2212 b": "\u2212",  # minus sign
    "\u03b1*N": "\u03b1",  # Greek alpha
    "a\u00b7N": "\u00b7",  # middle dot
    "\uff41*N": "\uff41",  # full-width a, which Python would read as a
    "a*N\x00": "\\x00",
    "a*N)": ")",
    "(a*N": "(",
    "a***N": "a***N",
    "$a": "$",
    "N": "no parameter",
    "2*N": "no parameter",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:30]))
def test_a_refusal_names_the_offending_part_in_one_line(text: str) -> None:
    with pytest.raises(LawSyntaxError) as refusal:
        parse(text, INPUTS)
    message = str(refusal.value)
    assert REFUSED[text] in message
    assert "\n" not in message
    assert len(message) < 400


def test_an_unknown_function_is_offered_a_close_match() -> None:
    with pytest.raises(LawSyntaxError, match=r"did you mean 'tanh'"):
        parse("a*tahn(N)", INPUTS)


def test_text_after_a_comment_sign_is_never_dropped_in_silence() -> None:
    """Lines are joined before they are read, so that a comment once swallowed the rest of the formula."""
    with pytest.raises(LawSyntaxError, match="#"):
        parse("a*N  # the first term\n + b*D", INPUTS)


@pytest.mark.parametrize("value", [None, 3, b"a*N", ["a*N"]])
def test_what_is_not_text_is_refused(value: object) -> None:
    with pytest.raises(LawSyntaxError, match=type(value).__name__):
        parse(value, INPUTS)  # type: ignore[arg-type]


BOMBS = {
    "10,000 characters": "a*N + " * 1_666 + "b*ND",
    "a name of 10,000 characters": "x" * 10_000,
    "brackets": "(" * 3_000 + "a" + ")" * 900,
    "calls": "exp(" * 150 + "a*N" + ")" * 150,
    "minus signs": "-" * 3_990 + "a",
    "minus signs apart": "- " * 1_900 + "a",
    "powers": "a" + "**N" * 1_000,
    "quotients": "a" + "/N" * 1_900,
    "differences": "a" + "-N" * 1_900,
    "a wide sum": "a" + "+N" * 1_900,
    "a wide product": "a" + "*N" * 1_900,
    "a wide call": "min(" + "a," * 1_900 + "N)",
    "attributes": "a" + ".a" * 1_900,
    "comparisons": "a" + "<N" * 1_900,
    "a long integer": "1" * 3_990 + "*a",
    "a long hexadecimal integer": "0x" + "f" * 3_990 + "*a",
    "a tower of powers": "9**" * 1_300 + "9",
    "a tower in a call": "exp(9**9**9**9)*a*N",
    "factors of a large number": "9e99*" * 700 + "a",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(name: str) -> None:
    started = time.perf_counter()
    with pytest.raises(LawSyntaxError) as refusal:
        parse(BOMBS[name], INPUTS)
    assert time.perf_counter() - started < 10.0
    assert len(str(refusal.value)) < 400


def test_a_formula_too_long_is_told_its_length_and_its_beginning() -> None:
    with pytest.raises(LawSyntaxError, match=r"10,000 characters.*'a\*N \+ a\*N"):
        parse(BOMBS["10,000 characters"], INPUTS)


@pytest.mark.parametrize("text", ["1or N", "0x1for N", "1if a else N", "a*N*'\\d'", "1(N)", "a is 1"])
def test_reading_warns_of_nothing(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(LawSyntaxError):
            parse(text, INPUTS)


def test_brackets_that_change_nothing_are_not_deep() -> None:
    assert str(parse("(" * 150 + "a*N" + ")" * 150, INPUTS)) == "a*N"


def test_a_long_sum_is_not_deep() -> None:
    law = parse(" + ".join(f"a{i}*N**{i}" for i in range(40)), INPUTS)
    assert len(law.parameters) == 40


def test_more_parameters_than_can_be_fitted_are_refused() -> None:
    with pytest.raises(LawSyntaxError, match="70 parameters"):
        parse(" + ".join(f"a{i}" for i in range(70)), INPUTS)
