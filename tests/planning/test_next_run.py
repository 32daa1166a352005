"""The run to make next is the one that tells most about what is asked."""

from __future__ import annotations

import numpy as np
import pytest

from discover.errors import DiscoverError
from discover.intervals import bands_of
from discover.law import parse_expression
from discover.planning import next_runs
from tests.planted import FORMULA, chinchilla, fitted, rows_of, task_of


@pytest.fixture(scope="module")
def ensemble():
    task, _ = chinchilla(0)
    forms = [fitted(task, FORMULA), fitted(task, "E + A*N**(-alpha)*D**(-beta)", -3.9)]
    return bands_of(task, forms[0], forms[1:], rng=np.random.default_rng(0), draws=20, calibrate=False).ensemble


def asked(ensemble, budget: float, **settings):
    cost = parse_expression("6*N*D", ["N", "D"])
    return next_runs(ensemble, cost, budget, rng=np.random.default_rng(0), **settings)


def test_no_run_is_dearer_than_the_budget_and_the_best_bargain_comes_first(ensemble):
    ranked, most_telling = asked(ensemble, 1e20)
    assert all(run.cost <= 1e20 for run in (*ranked, most_telling))
    bargains = [run.shrinks / run.cost for run in ranked]
    assert bargains == sorted(bargains, reverse=True)
    assert all(run.shrinks >= 0.25 * most_telling.shrinks for run in ranked)
    assert 0.0 < most_telling.shrinks <= 1.0
    assert most_telling.width == pytest.approx((1.0 - most_telling.shrinks) ** 0.5)


def test_more_budget_never_tells_less(ensemble):
    told = [asked(ensemble, budget)[1].shrinks for budget in (1e18, 1e19, 1e21)]
    assert told == sorted(told)


def test_a_slope_is_told_best_by_the_largest_run():
    """A line through noisy points, asked far above them: the answer is known from the design of experiments."""
    sizes = np.geomspace(1e6, 1e8, 9)[:, None]
    target = 5.0 - 0.2 * np.log(sizes[:, 0]) + 0.02 * np.random.default_rng(0).standard_normal(9)
    task = task_of(rows_of(sizes, target, ("N",)), ("N",))
    form = fitted(task, "a + b*log(N)", recipe="squared")
    ensemble = bands_of(task, form, rng=np.random.default_rng(0), draws=20, calibrate=False).ensemble
    _, most_telling = next_runs(ensemble, parse_expression("N", ["N"]), 1e12, rng=np.random.default_rng(0))
    assert most_telling.inputs["N"] == pytest.approx(4e8)
    assert most_telling.is_beyond


def test_a_budget_that_pays_nothing_is_refused(ensemble):
    with pytest.raises(DiscoverError, match="the cheapest run considered costs"):
        asked(ensemble, 1.0)


def test_the_same_seed_gives_the_same_runs(ensemble):
    assert asked(ensemble, 1e20)[0] == asked(ensemble, 1e20)[0]
