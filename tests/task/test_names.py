"""What headings say, and the names that formulas get."""

from __future__ import annotations

import pytest

from discover.law import parse
from discover.task.names import formula_name, meaning


@pytest.mark.parametrize(
    "heading, what, unit",
    [
        ("Params (non-embedding)", "a model size", "parameters"),
        ("Loss (final)", "a loss", "nats/token"),
        ("Tokens (B)", "an amount of data", "billions of tokens"),
        ("audio hours", "an amount of data", "hours"),
        ("Training data (hours)", "an amount of data", "hours"),
        ("train hours", "a time or a cost", "1"),
        ("MMLU", "a score", "1"),
        ("bits per byte", "a loss in bits", "bits/byte"),
        ("loss_std", "the spread of a loss", "nats/token"),
        ("Unnamed: 0", "a record of the run", "1"),
        ("gpus", "the machine", "1"),
    ],
)
def test_heading_says_what_and_in_which_unit(heading: str, what: str, unit: str) -> None:
    assert (meaning(heading).what, meaning(heading).unit) == (what, unit)


def test_a_loss_comes_before_its_spread() -> None:
    assert meaning("loss").order < meaning("loss_std").order


@pytest.mark.parametrize(
    "heading, name",
    [("λ", "lambda_"), ("α_reg", "alpha_reg"), ("Δ loss", "Delta_loss"), ("perte (é)", "perte_e"), ("损失", "column")],
)
def test_letters_of_other_alphabets_are_spelled(heading: str, name: str) -> None:
    assert formula_name(heading, set()) == name


@pytest.mark.parametrize(
    "heading", ["model__params", "clf__C", "__x__", "p" * 300, "a" * 55 + "__", "lambda", "1e9", "🚀"]
)
def test_every_name_can_stand_in_a_formula(heading: str) -> None:
    """A column called model__params gave a task of which every law was refused, after the search."""
    taken: set[str] = set()
    for _ in range(12):
        name = formula_name(heading, taken)
        taken.add(name)
        assert parse(f"E0*{name}", (name,)).inputs == (name,)
    assert len(taken) == 12
