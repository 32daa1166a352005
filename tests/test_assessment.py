from __future__ import annotations

import numpy as np
import pytest

from discover.assessment import Job, assess, assess_law, is_lost_to_rounding
from discover.fitting import Recipe
from discover.law import parse
from discover.proposers import Proposal
from discover.scoring import RACE, Yardstick
from discover.task import load_task


@pytest.fixture(scope="module")
def yardstick() -> Yardstick:
    return Yardstick.of(load_task("parallel_scaling"))


def job(formula: str, yardstick: Yardstick, **bars: float) -> Job:
    law = parse(formula, yardstick.task.input_names)
    return Job(1, Proposal(law, Recipe(), "test"), 0, **bars)


def test_a_good_law_is_validated_on_every_fold(yardstick: Yardstick) -> None:
    candidate = assess(job("E + A*num_params**(-a)*parallel_size**(-b)", yardstick), yardstick)
    assert candidate.ok
    assert candidate.validation is not None
    assert candidate.validation.nmse.shape == (len(yardstick.folds),)
    assert candidate.validation.r2 > 0.99


@pytest.mark.parametrize(
    ("formula", "status"),
    [
        ("E + A*log(1 - num_params)", "not finite"),
        ("E + A*log(5e9 - num_params)", "not finite just beyond the data"),
        ("E + A*log(3e11 - num_params)", "not finite far beyond the data"),
    ],
)
def test_a_law_that_is_not_defined_where_it_is_needed_says_so(formula: str, status: str, yardstick: Yardstick) -> None:
    candidate = assess(job(formula, yardstick), yardstick)
    assert not candidate.ok
    assert candidate.status == status
    assert candidate.score == float("inf")


def test_a_poor_fit_is_not_validated(yardstick: Yardstick) -> None:
    candidate = assess(job("E", yardstick, fit_bar=float(np.log(0.01))), yardstick)
    assert candidate.status == "poor fit"
    assert candidate.score == float("inf")


def test_the_same_seed_and_number_give_the_same_bits(yardstick: Yardstick) -> None:
    one, other = (assess(job("E + A*(num_params + k)**(-a)", yardstick), yardstick) for _ in range(2))
    assert one.validation is not None
    assert other.validation is not None
    assert one.validation.parameters.tobytes() == other.validation.parameters.tobytes()
    assert one.score == other.score


def test_a_typed_law_goes_through_the_same_steps(yardstick: Yardstick) -> None:
    law = parse("E + A*num_params**(-a)*parallel_size**(-b)", yardstick.task.input_names)
    rng = np.random.default_rng(0)
    typed = assess_law(yardstick.task, law, Recipe(), rng, effort=RACE, yardstick=yardstick)
    assert typed.ok
    assert typed.validation is not None
    assert typed.validation.r2 > 0.99


def test_numbers_that_cancel_in_the_last_bit_are_told_apart(yardstick: Yardstick) -> None:
    law = parse("E + A*(1 - exp(-num_params/k))", yardstick.task.input_names)
    rows = yardstick.probes
    assert is_lost_to_rounding(law, np.array([[1.0, 4.9e11, 9.6e18]] * 2), rows)
    assert not is_lost_to_rounding(law, np.array([[1.0, 2.0, 1e9]] * 2), rows)
