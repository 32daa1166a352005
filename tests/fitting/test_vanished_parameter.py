"""A parameter beside a zero factor stands in the formula and in no step of the compiled law."""

from __future__ import annotations

import numpy as np

from discover.fitting import Cells, Recipe, fit_cells
from discover.law import parse


def test_parameter_that_a_zero_takes_away_is_left_alone():
    """The compiled kernel wrote the value of such a parameter outside its arrays, and the process died later."""
    law = parse("a + b*x**k + 0*x**c", ["x"])
    x = np.linspace(1.0, 4.0, 12)[None, :]
    cells = Cells({"x": x}, 1.0 + 2.0 * x**0.5, np.ones_like(x), np.array([12]))
    parameters, cost, _ = fit_cells(law, cells, Recipe(), starts=8, rng=np.random.default_rng(0), polish=True)
    assert cost[0] < 1e-12
    assert np.isclose(parameters[0, law.parameters.index("k")], 0.5, atol=1e-4)
