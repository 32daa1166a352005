"""Formulas as mathematics in characters."""

from __future__ import annotations

import pytest

from discover.law import parse
from discover.tui.typeset import typeset


def shown(formula: str, target: str = "", width: int = 0) -> str:
    return "\n".join(typeset(parse(formula, ["N", "D", "num_params"]), target, width))


@pytest.mark.parametrize(
    "formula, text",
    [
        ("E + a1*N", "E + a₁·N"),
        ("E - 2.5e-7*N", "E − 2.5×10⁻⁷·N"),
        ("alpha*log(num_params)", "α·ln(num_params)"),
        ("N**2 + (E + N)**2", "N² + (E + N)²"),
        ("(E + A)*(N + D)", "(E + A)·(N + D)"),
        ("E*(-N)", "E·(−N)"),
        ("A/N", " A\n───\n N"),
        ("E + A*N**-alpha", "       −α\nE + A·N"),
        ("exp(k*N)", " k·N\ne"),
        ("(A/N)**2", "     2\n⎛ A ⎞\n⎜───⎟\n⎝ N ⎠"),
    ],
)
def test_looks(formula: str, text: str):
    assert shown(formula) == text


def test_names_that_would_look_the_same_stay_as_they_are():
    assert shown("a1*N + a_1") == "a1·N + a_1"


def test_sum_is_broken_at_the_edge():
    rows = shown("E + A*log(num_params) + B*log(N)", "loss", 30).splitlines()
    assert rows == ["loss = E + A·ln(num_params)", "        + B·ln(N)"]


def test_wide_product_is_broken_between_factors():
    rows = shown("E + A*log(num_params)*log(N)*log(D)", "loss", 28).splitlines()
    assert max(map(len, rows)) <= 28
    assert "".join(rows).replace(" ", "") == "loss=E+A·ln(num_params)·ln(N)·ln(D)"


def test_wide_exponential_is_told_as_a_logarithm():
    assert shown("exp(k1 + A*num_params + B*N)", "loss", 24).startswith("ln loss = k₁")


def test_deep_tree_is_written_flat():
    formula = "A" + "/(1 + A" * 20 + ")" * 20
    assert len(shown(formula).splitlines()) == 1
