"""Each row of the grammar against 50-digit arithmetic, far out as well as near zero."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from discover.law import GRAMMAR
from tests.exact import EXACT

POSITIVE = ("log", "sqrt", "log10", "log2", "pow")
ARGUMENTS = (1e-12, 3e-5, 0.2, 0.7, 1.4, 3.0, 12.5, 36.0, 250.0)
SLOPE_LOST = 1e-12  # derivatives are computed from the value: 1 - v*v keeps only the digits that v has


def arguments(name: str) -> list[tuple[float, ...]]:
    signed = [*ARGUMENTS, *(-x for x in ARGUMENTS)]
    if name == "gamma":
        return [(x,) for x in (0.1, 0.9, 1.7, 6.5, 30.0, -0.5, -2.3)]
    if name == "log1p":
        return [(x,) for x in signed if x > -1]
    if GRAMMAR[name].arity == 1:
        return [(x,) for x in (ARGUMENTS if name in POSITIVE else signed)]
    firsts = [x for x in (ARGUMENTS if name in POSITIVE else signed) if 1e-6 < abs(x) < 100]
    return [(a, b) for a in firsts for b in signed if 1e-6 < abs(b) < 100 and a != b]


def test_every_row_is_tried() -> None:
    assert set(EXACT) == set(GRAMMAR)


@pytest.mark.parametrize("name", GRAMMAR)
def test_values_have_all_their_digits(name: str) -> None:
    with mpmath.workdps(50):
        for given in arguments(name):
            exact = EXACT[name](*map(mpmath.mpf, given))
            got = float(GRAMMAR[name].numpy(*map(np.float64, given)))
            if abs(exact) < 1e300:
                assert got == pytest.approx(float(exact), rel=2e-14, abs=0.0), given


@pytest.mark.parametrize("name", GRAMMAR)
def test_partials_are_the_derivatives(name: str) -> None:
    row = GRAMMAR[name]
    with mpmath.workdps(60), np.errstate(all="ignore"):
        step = mpmath.mpf(10) ** -20
        for given in arguments(name):
            numbers = list(map(np.float64, given))
            got = row.partials(row.numpy(*numbers), *numbers)
            assert len(got) == len(given)
            for place, slope in enumerate(got):
                up, down = ([mpmath.mpf(x) for x in given] for _ in range(2))
                up[place] += step
                down[place] -= step
                exact = (EXACT[name](*up) - EXACT[name](*down)) / (2 * step)
                if abs(exact) < 1e300:
                    due = pytest.approx(float(exact), rel=1e-12, abs=SLOPE_LOST)
                    assert float(slope) == due, (given, place)


@pytest.mark.parametrize("name", GRAMMAR)
def test_arrays_give_what_numbers_give(name: str) -> None:
    columns = np.array(arguments(name)).T
    with np.errstate(all="ignore"):
        together = GRAMMAR[name].numpy(*columns)
        apart = [float(GRAMMAR[name].numpy(*map(np.float64, given))) for given in arguments(name)]
    assert np.allclose(together, apart, rtol=1e-15, atol=0.0, equal_nan=True)
