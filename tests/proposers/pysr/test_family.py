"""Numbers become parameters, and what another parameter absorbs is dropped: nothing less, nothing more."""

from __future__ import annotations

import numpy as np
import pytest

from discover.fitting import fit
from discover.law import parse
from discover.law.compiler import evaluate
from discover.law.expression import Call, Expression, Number, rename, symbols, to_text, walk
from discover.law.parser import law_of
from discover.proposers.pysr.family import family_of
from discover.task.rows import Cell, Rows

INPUTS = {"x", "z"}


def tree_of(equation: str) -> Expression:
    """An equation without parameters, which the parser alone would refuse."""
    tree = parse(f"spare_ + ({equation})", ("x", "z")).expression
    assert isinstance(tree, Call)
    return tree.arguments[1] if len(tree.arguments) == 2 else Call("add", tree.arguments[1:])


def family(equation: str, cap: int = 9) -> str:
    found, _ = family_of(tree_of(equation), INPUTS, cap)
    names = [name for name in symbols(found) if name not in INPUTS]
    return to_text(rename(found, {name: f"q{i}" for i, name in enumerate(names)}))


@pytest.mark.parametrize(
    ("equation", "law"),
    [
        ("2*x**(-0.3) + 1.5", "q0 + q1*x**q2"),
        ("3*(2*x)**(-0.3)*4", "q0*x**q1"),
        ("1.5*(2*x**(-0.3) + 1)", "q0 + q1*x**q2"),
        ("exp(2 - 0.3*log(x/7))", "q0*x**q1"),
        ("log(3*x**2)", "q0 + q1*log(x)"),
        ("2/(3*x + 1)", "1/(q0 + q1*x)"),
        ("(2*x + 1)/(3*x + 4)", "(q0 + q1*x)/(q2 + x)"),
        ("x*x*2", "q0*x**2"),
        ("2*x + 3*x", "q0*x"),
        ("x*x**0.5*3", "q0*x**q1"),
        ("2*(x**(-0.5))**0.6", "q0*x**q1"),
        ("x - z", "x - z"),
        ("2*(x - 3*z)", "q0*x + q1*z"),
        ("exp(log(x) - log(z))", "x/z"),
        ("3**x", "exp(q0*x)"),
        ("1.2 + 3 + x*0.5", "q0 + q1*x"),
    ],
)
def test_an_equation_gives_the_family_that_it_belongs_to(equation: str, law: str) -> None:
    assert family(equation) == law


def test_exponents_next_to_a_half_are_fixed_only_where_parameters_run_out() -> None:
    equation = "1.2 + 3*x**(-0.501) + 2*z**(-0.31)"
    assert family(equation, 5) == "q0 + q1*x**q2 + q3*z**q4"
    assert family(equation, 4) == "q0 + q1*x**(-0.5) + q2*z**q3"
    assert family(equation, 3) == "q0 + q1*x**(-0.5) + q2*z**q3"  # still over: the caller drops it


EQUATIONS = [
    "1.3*(0.4*x)**(-0.7)*(1 + 0.2*z)**0.5 + 0.3",
    "exp(-0.5*log(x/2)*1.5 + 0.2) + 0.7*z**(-0.4)",
    "(x + 0.5)/(2*z + 0.3) - 0.1",
    "log(exp(-0.3*log(x) + 1) + 0.5)",
    "2**(-0.3*x)*(3*z)**0.2",
    "(1.5*x*x + 0.2*z)**(-0.5) * 3",
]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_the_family_holds_the_equation(equation: str) -> None:
    """Fitted to the equation's own values, the law reproduces them."""
    tree = tree_of(equation)
    rng = np.random.default_rng(0)
    x, z = rng.uniform(0.5, 4.0, (2, 60))
    target = evaluate(tree, {"x": x, "z": z})
    law = law_of(family_of(tree, INPUTS, 12)[0], ("x", "z"))
    rows = Rows(("x", "z"), (Cell("", "y"),), np.column_stack([x, z]), target, np.zeros(60, int), np.arange(60) + 2)
    result = fit(law, rows, starts=48, rng=np.random.default_rng(1))
    assert float(result.cost.sum()) < 1e-6 * 60 * float(np.var(target)), str(law)


def test_no_number_is_left_but_whole_powers() -> None:
    for equation in EQUATIONS:
        found, _ = family_of(tree_of(equation), INPUTS, 12)
        numbers = {n.value for n in walk(found) if isinstance(n, Number)}
        assert numbers <= {1.0, 2.0, -1.0}


@pytest.mark.parametrize("equation", ["2/(3*x)**0.25", "1/(2*x**0.25)", "(1/x)**0.25", "(x**0.5)**(-0.5)"])
def test_a_quotient_turns_the_sign_of_its_exponent(equation: str) -> None:
    _, exponents = family_of(tree_of(equation + " + 1.5"), INPUTS, 9)
    assert list(exponents.values()) == [-0.25]


def test_exponents_keep_their_values_and_nothing_else_does() -> None:
    found, exponents = family_of(tree_of("2*(3*x)**(-0.25) + exp(-0.5*log(z/4)) + 1.5"), INPUTS, 9)
    assert sorted(exponents.values()) == [-0.5, -0.25]
    assert len(symbols(found)) == 2 + 5
