"""Every edit of a law does what its name says, and stays a law."""

from __future__ import annotations

import numpy as np
import pytest

from discover.law import parse
from discover.law.expression import symbols, to_text
from discover.proposers.mutation import _EDITS
from discover.proposers.pieces import Input, Pieces
from discover.proposers.proposal import tidy_law

INPUTS = [Input("N", True), Input("D", True)]


def edited(edit: str, formula: str, tries: int = 40) -> set[str]:
    """What an edit makes of a formula, parameters named by what they do."""
    law = parse(formula, ["N", "D"])
    found = set()
    for seed in range(tries):
        pieces = Pieces(INPUTS, np.random.default_rng(seed), dict(law.bounds))
        changed = _EDITS[edit][1](law.expression, pieces)
        if changed is not None and {"N", "D"} & set(symbols(changed)):
            found.add(str(tidy_law(changed, ("N", "D"), pieces.bounds)[0]))
            parse(to_text(changed), ["N", "D"])
    return found


@pytest.mark.parametrize(
    ("edit", "formula", "one_of"),
    [
        ("insert term", "E + A*N**(-a)", "E + A*N**(-alpha) + B*D**(-beta)"),
        ("remove term", "E + A*N**(-a) + B*D**(-b)", "E + A*N**(-alpha)"),
        ("tie exponents", "A*N**a + B*D**b", "A*N**alpha + B*D**alpha"),
        ("untie", "A*N**a + B*D**a", "A*N**alpha + B*D**beta"),
        ("freeze exponent", "E + A*N**a", "E + A*N**0.5"),
        ("free exponent", "E + A*N**0.5", "E + A*N**alpha"),
        ("swap input", "E + A*N**a", "E + A*D**alpha"),
        ("saturate", "E + A*N**(-a)", "E + A*(1 - exp(-(N/k1)))"),
        ("saturate", "E + A*N**(-a)", "E + A*(1/(k1 + N**alpha))"),
        ("saturate", "E + A*(1 - exp(-(N/k)))", "E + A*N**(-alpha)"),
        ("transform", "E + A*N**a", "(k1 + A*N**alpha)**(-1)"),
        ("transform", "E + A*exp(B*N**a)", "B*N**alpha"),
        ("transform", "(E + A*N**a)**(-1)", "E + A*N**alpha"),
        ("wrap", "E + A*N**a", "exp(k1 + A*N**alpha)"),
        ("point", "E + A*N**0.5", "E + A*N"),
        ("point", "E + A*N**(-1)", "E + A*N**(-0.5)"),
        ("point", "E + A*min(N, B*D)", "E + A*max(N, B*D)"),
        ("drift", "E + A*N**a", "E + A*N**(alpha + beta*log(D))"),
        ("offset", "A*N**a", "E + A*N**alpha"),
    ],
)
def test_an_edit_makes_what_its_name_says(edit: str, formula: str, one_of: str) -> None:
    found = edited(edit, formula, 400 if edit == "insert term" else 60)
    assert one_of in found or one_of.replace("B*N**alpha", "A*N**alpha") in found, sorted(found)[:20]
