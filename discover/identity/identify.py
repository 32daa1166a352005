"""A law among the published ones: which it is, which it contains or is part of, which it cannot be told from.

In: a law, and what its inputs stand for. Out: findings, the closest first, and one label. Laws over the same quantities
are compared first; laws of the same form over other quantities are told apart from these. Laws that read fewer inputs,
or more, can only be part of the law or hold it: they are compared where the roles of inputs are known.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations

import numpy as np

from discover.identity.freezing import frozen_keys
from discover.identity.nearness import Nearness, nearness
from discover.identity.relation import APART, GENERAL, IDENTICAL, NEAR, SPECIAL, Relation, aligned, free_key, relation
from discover.law import Law
from discover.library import Assigned, Entry, Match, entries, matches
from discover.task import Rows

_ORDER = {IDENTICAL: 0, SPECIAL: 1, GENERAL: 2, NEAR: 3, APART: 4}
_MOST_SWAPPED = 3  # inputs: more are taken in their order alone where their roles are not known
_MOST_NEAR = 10  # laws that are fitted to a task to see whether they can be told apart
_MOST_NEAR_BRIEFLY = 3
_SECONDS_FOR_OTHERS = 0.5  # of processor time, in a short look, to fit laws that read other inputs
_MOST_ADDED = 2  # inputs that a published law may read beyond those of the law
_SIMPLE = 12  # a law of less complexity is part of too many to be worth naming when a law generalises it


SAME, FEWER, MORE = "the same", "fewer", "more"


@dataclass(frozen=True)
class Finding:
    """A published law and what the law in question is to it.

    Attributes:
        entries: Ids of the library that spell this form.
        law: The published law over the inputs of the law in question.
        same_quantities: Whether the roles of the inputs are the same, too.
        nearness: Where the task's rows told whether the two can be told apart.
        reads: "the same" inputs as the law in question, "fewer", or "more".
    """

    entries: tuple[str, ...]
    law: Law
    relation: Relation
    same_quantities: bool
    nearness: Nearness | None = None
    reads: str = SAME

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
    reads: str = SAME
    fitting: bool = False  # whether it was published for the same kind of target


def identify(
    law: Law,
    roles: Mapping[str, str] | None = None,
    *,
    rows: Rows | None = None,
    parameters: np.ndarray | None = None,
    leave_out: Sequence[str] = (),
    target: str = "",
    seed: int = 0,
) -> tuple[Finding, ...]:
    """Published laws that a law is, is part of, holds, or cannot be told from; empty for a new form.

    Args:
        law: The law in question.
        roles: Input -> role; without them only the form is compared.
        rows, parameters: The training rows of a task and (cell, parameter) of the law on them: then laws are sought
            that say the same inside the data range.
        leave_out: Ids of entries not to look at, such as the law itself.
        target: Role of what the law predicts; laws that predict the same come first among equals.
        seed: Fixes everything random.
    """
    roles = roles or {}
    candidates = _candidates(law, roles, frozenset(leave_out), target)
    key = free_key(law)
    by_key = [each for each in candidates if free_key(each.law) == key]
    if by_key:
        return tuple(sorted((_finding(law, each, roles, seed) for each in by_key), key=_rank))
    found: list[Finding] = []
    apart: list[Finding] = []
    for each in candidates:
        finding = _finding(law, each, roles, seed)
        (apart if finding.kind in (APART, NEAR) else found).append(finding)
    if rows is not None and parameters is not None and not any(f.kind == IDENTICAL for f in found):
        found += _near(law, parameters, rows, apart, seed)
    exact = [each for each in found if each.kind == IDENTICAL]
    if exact:
        return tuple(sorted(exact, key=_rank))
    found += _fitted_to_others(law, roles, frozenset(leave_out), target, seed)
    return tuple(sorted(_worth_naming(law, found), key=_rank))


UNDECIDED = "undecided"  # within the time that was allowed


def known_as(
    law: Law,
    roles: Mapping[str, str],
    *,
    rows: Rows | None = None,
    parameters: np.ndarray | None = None,
    target: str = "",
    seconds: float = 2.0,
    seed: int = 0,
) -> Finding | str | None:
    """The closest published law over the same quantities, with little work; None for a form that none of them has.

    As `identify`, but briefly: no laws over other quantities, and laws that read other inputs by canonical form, then
    by fits, as far as half a second goes.

    Args:
        roles, rows, parameters, target, seed: As `identify` takes them.
        seconds: Of this thread's processor time, after which the answer is UNDECIDED. The rest of the machine does
            not count, so that an answer does not depend on what else is going on.
    """
    over = time.thread_time() + seconds
    candidates = [each for each in _candidates(law, roles, frozenset(), target, forms=False) if each.same_quantities]
    key = free_key(law)
    same = next((each for each in candidates if free_key(each.law) == key), None)
    if same is not None:
        # The same family may have been published for this kind of target in other words.
        others = [each for each in candidates if each.fitting and len(each.law.parameters) == len(law.parameters)]
        for each in () if same.fitting else others:
            if time.thread_time() < over and (finding := _finding(law, each, roles, seed)).kind == IDENTICAL:
                return finding
        return _finding(law, same, roles, seed)
    found: list[Finding] = []
    apart: list[Finding] = []
    size = len(law.parameters)
    for each in sorted(candidates, key=lambda each: (abs(len(each.law.parameters) - size), not each.fitting)):
        if time.thread_time() > over:
            return UNDECIDED
        finding = _finding(law, each, roles, seed)
        if finding.kind == IDENTICAL:
            return finding
        (apart if finding.kind in (APART, NEAR) else found).append(finding)
    found = _brief(law, found)
    if not found and rows is not None and parameters is not None:
        found = _near(law, parameters, rows, apart, seed, _MOST_NEAR_BRIEFLY)
    if not found:
        found = _brief(law, _frozen_by_form(law, roles, target, over))
    if time.thread_time() > over:
        return UNDECIDED
    if not found:
        over = min(over, time.thread_time() + _SECONDS_FOR_OTHERS)
        found = _brief(law, _fitted_to_others(law, roles, frozenset(), target, seed, over))
    return min(found, key=_rank, default=None)


def _brief(law: Law, found: Sequence[Finding]) -> list[Finding]:
    """What is worth telling in two words."""
    return [f for f in _worth_naming(law, found) if f.kind != GENERAL or _plain(f)]


def _plain(finding: Finding) -> bool:
    """Whether a law is generalised by little: not by way of a limit, nor by three parameters or more."""
    return finding.relation.by != "limit" and len(finding.relation.frozen) <= 2


def _worth_naming(law: Law, found: Sequence[Finding]) -> list[Finding]:
    return [f for f in found if f.kind != GENERAL or _says_something(law, f.law)]


def _says_something(law: Law, part: Law) -> bool:
    """Whether it is worth telling that the law generalises `part`: a long one, or all but a parameter or two of it."""
    return part.complexity >= _SIMPLE or len(law.parameters) - len(part.parameters) <= 2


def _rank(finding: Finding) -> tuple[bool, bool, bool, int, float, int]:
    """The closest first: the shortest law that holds this one, or the longest that it holds; last what limits make."""
    other_inputs = finding.reads != SAME and finding.kind != IDENTICAL
    limit, frozen, long = finding.relation.by == "limit", len(finding.relation.frozen), float(finding.law.complexity)
    pair = (long, frozen) if finding.kind == SPECIAL else (float(frozen), -int(long))
    return (not finding.same_quantities, limit, other_inputs, _ORDER[finding.kind], *pair)


def _finding(law: Law, each: _Candidate, roles: Mapping[str, str], seed: int) -> Finding:
    found = relation(law, each.law, roles=roles, seed=seed, screen=True)
    return Finding(each.ids, each.law, found, each.same_quantities, reads=each.reads)


def _near(
    law: Law, parameters: np.ndarray, rows: Rows, apart: Sequence[Finding], seed: int, most: int = _MOST_NEAR
) -> list[Finding]:
    near = []
    able = [each for each in apart if each.same_quantities and np.isfinite(each.relation.inside)]
    for each in sorted(able, key=lambda f: f.relation.inside)[:most]:
        told = nearness(law, parameters, each.law, rows, np.random.default_rng(seed))
        if told is not None and told.close:
            kind = Relation(NEAR, "fit", misfit=each.relation.misfit, inside=each.relation.inside)
            near.append(Finding(each.entries, each.law, kind, True, told))
    return near


def _candidates(
    law: Law, roles: Mapping[str, str], leave_out: frozenset[str], target: str = "", forms: bool = True
) -> list[_Candidate]:
    """Published forms over the law's inputs, each once, those over the same quantities first.

    Args:
        forms: Whether forms over other quantities are wanted, too.
    """
    made: dict[str, _Candidate] = {}

    def offer(own: Law, ids: tuple[str, ...], same: bool, fitting: bool = False) -> None:
        if not own.parameters or set(own.inputs) != set(law.inputs):
            return
        key = free_key(own)
        if key not in made:
            made[key] = _Candidate(ids, own, same, fitting=fitting)
        elif same and made[key].same_quantities:
            made[key] = replace(made[key], ids=tuple(dict.fromkeys((*made[key].ids, *ids))))

    for match in _matched(law, roles, target):
        if match.entry.id not in leave_out:
            offer(match.law, (match.entry.id,), True, match.entry.target.role == target)
    for form, ids in _forms() if forms else ():
        kept = tuple(each for each in ids if each not in leave_out)
        if not kept or len(form.inputs) != len(law.inputs):
            continue
        swaps = permutations(law.inputs) if len(law.inputs) <= _MOST_SWAPPED else [law.inputs]
        for names in swaps:
            offer(aligned(form, dict(zip(form.inputs, names, strict=True))), kept, False)
    return list(made.values())


def _matched(law: Law, roles: Mapping[str, str], target: str) -> list[Match]:
    """Published laws in the law's inputs, or some of them: nearest in what they read, then in what they predict."""
    if not law.inputs or not all(roles.get(name) for name in law.inputs):
        return []
    return _preferred(_matches(tuple((name, roles[name]) for name in law.inputs)), target)


def _preferred(found: Sequence[Match], target: str) -> list[Match]:
    return sorted(found, key=lambda m: (len(m.reasons), m.entry.target.role != target, m.entry.source.year))


@lru_cache(maxsize=64)
def _matches(columns: tuple[tuple[str, str], ...]) -> tuple[Match, ...]:
    return matches({name: Assigned(role, "") for name, role in columns})


def _over_other_inputs(law: Law, roles: Mapping[str, str], leave_out: frozenset[str], target: str) -> list[_Candidate]:
    """Published laws that read all of the law's inputs and more, or some of them; each form once.

    Of those that read fewer, the ones that are worth telling that the law generalises them, the longest first.
    """
    made: dict[str, _Candidate] = {}
    fewer = [match for match in _matched(law, roles, target) if set(match.law.inputs) < set(law.inputs)]
    fewer = [match for match in fewer if _says_something(law, match.law)]
    offers = [(match, MORE) for match in _preferred(_wider(law, roles), target)]
    offers += [(match, FEWER) for match in sorted(fewer, key=lambda match: -match.law.complexity)]
    for match, reads in offers:
        if match.entry.id in leave_out:
            continue
        key = free_key(match.law)
        own = made.setdefault(key, _Candidate((), match.law, True, reads))
        made[key] = replace(own, ids=tuple(dict.fromkeys((*own.ids, match.entry.id))))
    return list(made.values())


def _wider(law: Law, roles: Mapping[str, str]) -> tuple[Match, ...]:
    """Published laws that read the law's inputs and one or two more: other inputs of the task where it has such."""
    if not law.inputs or not all(roles.get(name) for name in law.inputs):
        return ()
    own = tuple((name, roles[name]) for name in law.inputs)
    return _wider_matches(own, tuple((name, role) for name, role in roles.items() if role and name not in law.inputs))


@lru_cache(maxsize=64)
def _wider_matches(own: tuple[tuple[str, str], ...], others: tuple[tuple[str, str], ...]) -> tuple[Match, ...]:
    found = []
    for entry in entries():
        if not len(own) < len(entry.law.inputs) <= len(own) + _MOST_ADDED:
            continue
        columns = {name: Assigned(role, "") for name, role in (*own, *others)}
        known = {role for _, role in (*own, *others)}
        for quantity in entry.inputs:  # what the task does not have goes by the name that the source gives it
            if quantity.role not in known and quantity.name not in columns:
                columns[quantity.name] = Assigned(quantity.role, "")
        names = {name for name, _ in own}
        found += [match for match in matches(columns, [entry]) if names < set(match.law.inputs)]
    return tuple(found)


def _frozen_by_form(law: Law, roles: Mapping[str, str], target: str, over: float) -> list[Finding]:
    """What canonical form alone tells of published laws that read fewer inputs, or more; until the time is over."""
    found = []
    own, key = frozen_keys(law), free_key(law)
    for each in _over_other_inputs(law, roles, frozenset(), target):
        if time.thread_time() > over:
            break
        kind, told = GENERAL, own.get(free_key(each.law)) if each.reads == FEWER else None
        if each.reads == MORE:
            kind, told = SPECIAL, frozen_keys(each.law, 1).get(key)
        if told:
            made = Relation(kind, "canonical form", frozen=told)
            found.append(Finding(each.ids, each.law, made, True, reads=each.reads))
    return found


def _fitted_to_others(
    law: Law, roles: Mapping[str, str], leave_out: frozenset[str], target: str, seed: int, over: float = math.inf
) -> list[Finding]:
    """What fits tell of published laws that read fewer inputs, or more; until the time is over."""
    found = []
    for each in _over_other_inputs(law, roles, leave_out, target):
        if time.thread_time() > over:
            break
        finding = _finding(law, each, roles, seed)
        if finding.kind not in (APART, NEAR):
            found.append(finding)
    return found


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
