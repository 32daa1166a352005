"""`discover show` names the parameters that the rows cannot tell."""

from __future__ import annotations

import numpy as np

from discover.cli.show import doubtful_parameters
from tests.planted import FORMULA, chinchilla, fitted


def row_of(formula: str) -> dict[str, object]:
    """A row of a leaderboard with a law fitted to the planted table."""
    form = fitted(chinchilla(0)[0], formula)
    values = dict(zip(form.law.parameters, form.parameters[0].tolist(), strict=True))
    return {"law": "planted-1", "formula": str(form.law), "recipe": "log", "parameters": {"loss": values}}


def test_parameters_whose_product_alone_is_seen_are_named():
    task, _ = chinchilla(0)
    lines = doubtful_parameters(row_of("E + A*k1/N**alpha + B/D**beta"), task)
    assert lines[0].startswith("not identified: A, k1;")


def test_the_trade_off_of_size_and_exponent_is_named_and_nothing_else_is_in_doubt():
    task, _ = chinchilla(0)
    (line,) = doubtful_parameters(row_of(FORMULA), task)
    assert line.startswith("strongly correlated: ")
    assert "A and alpha (+0.9" in line


def test_a_law_of_a_table_that_has_changed_is_shown_without_such_a_line():
    task, _ = chinchilla(0)
    assert doubtful_parameters({**row_of(FORMULA), "parameters": {"gone": {"E": np.nan}}}, task) == []
