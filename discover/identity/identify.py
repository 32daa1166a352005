"""A law among the published ones: which it is, which it contains or is part of, which it cannot be told from.

In: a law, and what its inputs stand for. Out: findings, the closest first, and one label. Laws over the same quantities
are compared first; laws of the same form over other quantities are told apart from these.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

import numpy as np

from discover.identity.nearness import Nearness, nearness
from discover.identity.relation import APART, GENERAL, IDENTICAL, NEAR, SPECIAL, Relation, aligned, free_key, relation
from discover.law import Law
from discover.library import Assigned, Entry, entries, matches
from discover.task import Rows

_ORDER = {IDENTICAL: 0, SPECIAL: 1, GENERAL: 2, NEAR: 3, APART: 4}
_MOST_SWAPPED = 3  # inputs: more are taken in their order alone where their roles are not known
_MOST_NEAR = 10  # laws that are fitted to a task to see whether they can be told apart
_SIMPLE = 12  # a law of less complexity is part of too many to be worth naming when a law generalises it


@dataclass(frozen=True)
class Finding:
    """A published law and what the law in question is to it.

    Attributes:
        entries: Ids of the library that spell this form.
        law: The published law over the inputs of the law in question.
        same_quantities: Whether the roles of the inputs are the same, too.
        nearness: Where the task's rows told whether the two can be told apart.
    """

    entries: tuple[str, ...]
    law: Law
    relation: Relation
    same_quantities: bool
    nearness: Nearness | None = None

    @property
    def kind(self) -> str:
        return self.relation.kind

    @property
    def label(self) -> str:
        """Such as "identical to rectified_sft" or "special case of nd_coupled (g = 1)"."""
        name = self.entries[0] + ("" if self.same_quantities else " (form only)")
        aside = f" ({', '.join(self.relation.frozen)})" if self.relation.frozen else ""
        verbs = {IDENTICAL: "identical to", SPECIAL: "special case of", GENERAL: "generalises", NEAR: "near"}
        return f"{verbs.get(self.kind, 'apart from')} {name}{aside if self.kind in (SPECIAL, GENERAL) else ''}"


@dataclass(frozen=True)
class _Candidate:
    ids: tuple[str, ...]
    law: Law
    same_quantities: bool


def identify(
    law: Law,
    roles: Mapping[str, str] | None = None,
    *,
    rows: Rows | None = None,
    parameters: np.ndarray | None = None,
    leave_out: Sequence[str] = (),
    seed: int = 0,
) -> tuple[Finding, ...]:
    """Published laws that a law is, is part of, holds, or cannot be told from; empty for a new form.

    Args:
        law: The law in question.
        roles: Input -> role; without them only the form is compared.
        rows, parameters: The training rows of a task and (cell, parameter) of the law on them: then laws are sought
            that say the same inside the data range.
        leave_out: Ids of entries not to look at, such as the law itself.
        seed: Fixes everything random.
    """
    roles = roles or {}
    candidates = _candidates(law, roles, frozenset(leave_out))
    key = free_key(law)
    by_key = [each for each in candidates if free_key(each.law) == key]
    if by_key:
        found = [_finding(law, each, roles, seed) for each in by_key]
        return tuple(sorted(found, key=_rank))
    found = []
    apart: list[Finding] = []
    for each in candidates:
        finding = _finding(law, each, roles, seed)
        (apart if finding.kind in (APART, NEAR) else found).append(finding)
    if rows is not None and parameters is not None and not any(f.kind == IDENTICAL for f in found):
        found += _near(law, parameters, rows, apart, seed)
    exact = [each for each in found if each.kind == IDENTICAL]
    kept = exact or [f for f in found if f.kind != GENERAL or f.law.complexity >= _SIMPLE or _most(f, law)]
    return tuple(sorted(kept, key=_rank))


def _most(finding: Finding, law: Law) -> bool:
    """Whether a law that is generalised has all but one or two of the law's parameters."""
    return len(law.parameters) - len(finding.law.parameters) <= 2


def _rank(finding: Finding) -> tuple[bool, int, int, float]:
    frozen = len(finding.relation.frozen)
    return (not finding.same_quantities, _ORDER[finding.kind], frozen, -float(finding.law.complexity))


def _finding(law: Law, each: _Candidate, roles: Mapping[str, str], seed: int) -> Finding:
    found = relation(law, each.law, roles=roles, seed=seed, screen=True)
    return Finding(each.ids, each.law, found, each.same_quantities)


def _near(law: Law, parameters: np.ndarray, rows: Rows, apart: Sequence[Finding], seed: int) -> list[Finding]:
    near = []
    able = [each for each in apart if each.same_quantities and np.isfinite(each.relation.inside)]
    for each in sorted(able, key=lambda f: f.relation.inside)[:_MOST_NEAR]:
        told = nearness(law, parameters, each.law, rows, np.random.default_rng(seed))
        if told is not None and told.close:
            kind = Relation(NEAR, "fit", misfit=each.relation.misfit, inside=each.relation.inside)
            near.append(Finding(each.entries, each.law, kind, True, told))
    return near


def _candidates(law: Law, roles: Mapping[str, str], leave_out: frozenset[str]) -> list[_Candidate]:
    """Published forms over the law's inputs, each once, those over the same quantities first."""
    made: dict[str, _Candidate] = {}

    def offer(own: Law, ids: tuple[str, ...], same: bool) -> None:
        if not own.parameters or set(own.inputs) != set(law.inputs):
            return
        key = free_key(own)
        if key not in made:
            made[key] = _Candidate(ids, own, same)
        elif same and made[key].same_quantities:
            made[key] = _Candidate(tuple(dict.fromkeys((*made[key].ids, *ids))), made[key].law, True)

    columns = {name: Assigned(roles[name], "") for name in law.inputs if roles.get(name)}
    if len(columns) == len(law.inputs):
        for match in matches(columns):
            if match.entry.id not in leave_out:
                offer(match.law, (match.entry.id,), True)
    for form, ids in _forms():
        kept = tuple(each for each in ids if each not in leave_out)
        if not kept or len(form.inputs) != len(law.inputs):
            continue
        swaps = permutations(law.inputs) if len(law.inputs) <= _MOST_SWAPPED else [law.inputs]
        for names in swaps:
            offer(aligned(form, dict(zip(form.inputs, names, strict=True))), kept, False)
    return list(made.values())


@lru_cache(maxsize=1)
def _forms() -> tuple[tuple[Law, tuple[str, ...]], ...]:
    """Every form of the library with the ids that spell it, whatever the inputs are called."""
    made: dict[str, tuple[Law, list[str]]] = {}
    for entry in entries():
        for law in _laws(entry):
            if not law.parameters:
                continue
            plain = aligned(law, {name: f"input_{i}" for i, name in enumerate(law.inputs)})
            own = made.setdefault(free_key(plain), (plain, []))
            if entry.id not in own[1]:
                own[1].append(entry.id)
    return tuple((law, tuple(ids)) for law, ids in made.values())


def _laws(entry: Entry) -> list[Law]:
    return [entry.form.law, *([entry.measured.law] if entry.measured is not None else [])]


_labels: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}


def label_of(law: Law, roles: Mapping[str, str] | None = None, *, quick: bool = True) -> str:
    """One short label for a leaderboard: "identical to chinchilla", "special case of nd_coupled (g = 1)", "new form".

    Args:
        roles: Input -> role; with them, only laws over the same quantities count.
        quick: Decide by canonical keys alone, in milliseconds: then the answer is "identical to ..." or "".
    """
    roles = dict(roles or {})
    if quick:
        key = free_key(law)
        for each in _candidates(law, roles, frozenset()):
            if (each.same_quantities or not roles) and free_key(each.law) == key:
                return f"identical to {each.ids[0]}"
        return ""
    mark = (law.key, tuple(sorted(roles.items())))
    if mark not in _labels:
        found = [each for each in identify(law, roles) if each.same_quantities or not roles]
        _labels[mark] = found[0].label if found else "new form"
    return _labels[mark]
