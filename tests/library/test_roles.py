"""What a column stands for: declared, or guessed from name and unit with the reason."""

from __future__ import annotations

import pytest

from discover.library import ROLES, assigned, is_a
from discover.task import list_tasks, load_task

GUESSES = [
    ("params", "", "parameters", "its name says 'params'"),
    ("non_embedding_param_size", "", "parameters", "'param'"),
    ("activeParams", "", "active_parameters", "'active params'"),
    ("train_tokens", "", "tokens", "'tokens'"),
    ("unique_tokens", "tokens", "unique_tokens", "'unique tokens'"),
    ("vocab_size", "tokens", "vocabulary", "'vocab'"),
    ("non_vocab_parameters", "", "non_vocabulary_parameters", "'non vocab'"),
    ("D", "tokens", "tokens", "its unit is 'tokens'"),
    ("N", "million parameters", "parameters", "its unit is 'million parameters'"),
    ("lr", "1", "learning_rate", "'lr'"),
    ("log_flops", "log10(FLOP)", "log_compute", "'log flops'"),
    ("C", "PF-days", "compute", "its unit is 'PF-days'"),
    ("val_loss", "nats", "loss", "'loss'"),
    ("mystery", "1", "", "declare one"),
    ("x" * 10_000, "y" * 10_000, "", "declare one"),
]


@pytest.mark.parametrize("name, unit, role, why", GUESSES, ids=[g[0][:20] for g in GUESSES])
def test_role_is_guessed_with_a_reason(name: str, unit: str, role: str, why: str):
    found = assigned(name, unit)
    assert found.role == role
    assert why in found.reason


def test_declared_role_wins():
    assert assigned("params", "tokens", "experts").role == "experts"


def test_broader_roles_are_roles():
    assert all(not broader or broader in ROLES for _, broader in ROLES.values())
    assert is_a("characters", "data")
    assert is_a("characters", "scale")
    assert not is_a("data", "tokens")
    assert not is_a("", "data")


@pytest.mark.parametrize("name", [name for name in list_tasks() if name.endswith("_scaling")])
def test_columns_of_the_tasks_that_come_with_it_have_roles(name: str):
    task = load_task(name)
    assert all(column.role in ROLES for column in (*task.inputs, *task.targets))


def test_guesses_agree_with_most_of_what_the_tasks_declare():
    columns = [c for name in list_tasks() if name.endswith("_scaling") for c in load_task(name).inputs]
    agree = sum(assigned(c.name, c.unit).role == c.role for c in columns)
    assert agree >= 0.8 * len(columns)
