"""Formulas full of numbers become laws: the same values, fewer numbers."""

from __future__ import annotations

import numpy as np
import pytest

from discover.law import parse
from discover.law.compiler import evaluate
from discover.law.expression import Expression, add
from discover.proposers.constants import NotALawError, folded, with_parameters
from discover.proposers.pieces import Input, Pieces

X, Z = np.array([0.3, 1.0, 4.0, 9.0]), np.array([2.0, 0.5, 1.5, 7.0])


def tree(text: str) -> Expression:
    """A formula without parameters, read by the parser for laws."""
    law = parse(f"screened + ({text})", ["x", "z"])
    return add(*law.expression.arguments[1:])  # type: ignore[union-attr]


FORMULAS = [
    ("(2*x)**(-0.5)", "0.7071067811865476*x**(-0.5)", 1),
    ("3*(2*x + 4*z)**0.3", "3.6934338*(x + 2*z)**0.3", 3),
    ("2/(0.5*x)", "4*x**(-1)", 1),
    ("2*x + 3*x - z*4", "5*x - 4*z", 2),
    ("(0.2*x - 5)*(2*z)", "0.4*(x - 25)*z", 2),
    ("(x**0.3)**2*x", "x**1.6", 1),
    ("((-2)*x + 7)**2", "4*(x - 3.5)**2", 2),
    ("(3*x)**(2*z)", "(3*x)**(2*z)", 2),
    ("x**1.001/z**0.9999", "x*z**(-1)", 0),
]


@pytest.mark.parametrize(("formula", "same_as", "parameters"), FORMULAS)
def test_a_formula_keeps_its_values_with_as_few_parameters_as_say_the_same(
    formula: str, same_as: str, parameters: int
) -> None:
    values = {"x": X, "z": Z}
    simple = folded(tree(formula))
    np.testing.assert_allclose(evaluate(simple, values), evaluate(tree(same_as), values), rtol=2e-3)
    pieces = Pieces([Input("x", True), Input("z", True)], np.random.default_rng(0))
    named = with_parameters(simple, pieces, 1)
    assert len(pieces.known) == parameters
    known = {name: float(value[0]) for name, value in pieces.known.items()}
    np.testing.assert_allclose(evaluate(named, values | known), evaluate(simple, values), rtol=1e-12)


@pytest.mark.parametrize("formula", ["(1e200*x)**2", "1/(2*x - 2*x)", "(0.5*x - 0.5*x - 3)**0.5"])
def test_formulas_without_a_finite_form_are_refused(formula: str) -> None:
    with pytest.raises(NotALawError):
        folded(tree(formula))
