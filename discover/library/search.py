"""Finding laws by text, by what they read and by what they predict."""

from __future__ import annotations

from collections.abc import Sequence

from discover.errors import DiscoverError, did_you_mean, shown
from discover.library.entry import Entry, NotFound
from discover.library.reading import entries, not_found
from discover.library.roles import ROLES, is_a

# What people type for a role.
SYMBOLS = {
    "N": "parameters",
    "D": "tokens",
    "U": "unique_tokens",
    "C": "compute",
    "V": "vocabulary",
    "E": "experts",
    "P": "parallel_streams",
    "B": "batch_size",
    "S": "steps",
    "L": "loss",
    "lr": "learning_rate",
    "r": "share",
    "k": "inference_samples",
}


def find(text: str = "", inputs: Sequence[str] = (), target: str = "") -> tuple[Entry, ...]:
    """Laws with every word of `text` in what is told of them, that read all of `inputs` and predict `target`.

    Args:
        inputs: Roles or their symbols, such as N, D or learning_rate; a law with further inputs is found, too.
        target: A role, or words that describe the target.

    Raises:
        DiscoverError: An input that is no role; offers close matches.
    """
    wanted = [_role(name) for name in inputs]
    return tuple(e for e in entries() if _tells(e, text) and _reads(e, wanted) and _predicts(e, target))


def find_without_formula(text: str) -> tuple[NotFound, ...]:
    """Laws without a formula whose description has every word of `text`."""
    return tuple(
        each
        for each in not_found()
        if _has(f"{each.id} {each.title} {each.source} {each.known} {each.fitted_on} {each.material}", text)
    )


def _role(name: str) -> str:
    role = SYMBOLS.get(name, name)
    if role not in ROLES:
        raise DiscoverError(f"inputs: {shown(name)} is no role{did_you_mean(name, [*ROLES, *SYMBOLS])}")
    return role


def _has(told: str, text: str) -> bool:
    lower = told.lower()
    return all(word in lower for word in text.lower().split())


def _tells(entry: Entry, text: str) -> bool:
    meanings = " ".join(f"{q.role} {q.meaning}" for q in (*entry.inputs, entry.target))
    told = (entry.id, entry.title, entry.topic, entry.form.formula, entry.source, entry.fitted_on, entry.note, meanings)
    return _has(" ".join(map(str, told)), text)


def _reads(entry: Entry, wanted: Sequence[str]) -> bool:
    forms = [entry.form] if entry.measured is None else [entry.form, entry.measured]
    return any(all(any(is_a(q.role, role) for q in form.inputs) for role in wanted) for form in forms)


def _predicts(entry: Entry, target: str) -> bool:
    role = SYMBOLS.get(target, target)
    if role in ROLES:
        return is_a(entry.target.role, role)
    return _has(f"{entry.target.role} {entry.target.meaning}", target)
