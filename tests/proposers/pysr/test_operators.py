"""Formulas in PySR's notation: out as guesses, back as text for the parser."""

from __future__ import annotations

import numpy as np
import pytest

from discover.errors import LawSyntaxError
from discover.law import parse
from discover.law.compiler import evaluate
from discover.law.grammar import GRAMMAR
from discover.proposers.pysr.operators import WRITTEN_OUT, complexities_of, from_julia, operators_of, to_julia

ALL = ("add", "sub", "mul", "div", "pow", "exp", "log")


@pytest.mark.parametrize(
    ("julia", "python"),
    [
        ("(x1 ^ -0.31) * 2.5", "( x1 ** (-0.31) ) * 2.5"),
        ("-0.5 ^ x1", "(-0.5) ** x1"),
        ("x1 - 0.5", "x1 - 0.5"),
        ("x1 - -0.5", "x1 - (-0.5)"),
        ("max(x1, -2.0f-5)", "max ( x1 , (-2.0e-5) )"),
        ("safe_log(#2) + #1", "log ( p ) + x"),
    ],
)
def test_signs_powers_and_places_are_translated(julia: str, python: str) -> None:
    assert from_julia(julia, ("x", "p")) == python


@pytest.mark.parametrize(
    "text", ["x1; y", "`rm`", "x1 = 2", "@x", "x[1]", "'a'", "x1 ? 1 : 2", "#9", "#0", "x1 // 2" * 900]
)
def test_whatever_is_no_arithmetic_is_refused(text: str) -> None:
    with pytest.raises(LawSyntaxError):
        parse(f"s + {from_julia(text, ('x',))}", ("x1",))


@pytest.mark.parametrize("function", sorted(set(WRITTEN_OUT) | {"pow", "exp", "log", "div"}))
def test_what_is_written_out_has_the_same_values(function: str) -> None:
    arity = GRAMMAR[function].arity
    text = {"neg": "-x", "pow": "x**z", "div": "x/z"}.get(function, f"{function}(x)")
    law = parse(f"k + {text}", ("x", "z"))
    julia = to_julia(law.expression, ALL)
    assert julia is not None
    back = parse(from_julia(julia, ()), ("x", "z"))
    values = {"x": np.linspace(0.2, 3.0, 9), "z": np.linspace(0.5, 2.0, 9), "k": np.array(0.25)}
    assert arity in (1, 2)
    np.testing.assert_allclose(evaluate(back.expression, values), evaluate(law.expression, values), rtol=1e-12)


def test_a_guess_has_operations_of_two_arguments_only() -> None:
    law = parse("a + b*x*z - c", ("x", "z"))
    assert to_julia(law.expression, ALL) == "((a + ((b * x) * z)) - c)"


def test_a_function_that_is_not_searched_makes_no_guess() -> None:
    assert to_julia(parse("a*sin(x)", ("x",)).expression, ALL) is None
    assert to_julia(parse("a*x**b", ("x",)).expression, ("add", "mul", "exp")) is None


def test_complexities_are_those_of_the_grammar() -> None:
    assert complexities_of(ALL) == {"+": 1, "-": 1, "*": 1, "/": 1, "^": 1, "exp": 2, "log": 2}
    assert operators_of(("add", "pow", "exp")) == {"1": ["exp"], "2": ["+", "^"]}
