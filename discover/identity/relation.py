"""How one law's family lies to another's: identical, nested, near, or apart.

In: two laws over the same inputs. Out: a `Relation`. Canonical keys decide what they can; then each family is fitted to
random members of the other, at points in and far beyond an imagined data range. A family of more dimensions is never
held by one of fewer, and of two with the same number one holds the other only if they are the same: so one direction is
tried, and the second where the fit of the first did not get through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np

from discover.identity.containment import contain, glance, unbounded
from discover.identity.mapping import formulas, frozen
from discover.identity.members import RANGES, Points, dimension, draw_members, probe_points
from discover.law import Expression, Law, Number, Symbol, law_of
from discover.law.expression import rename, rewrite, symbols

IDENTICAL, SPECIAL, GENERAL, NEAR, APART = "identical", "special case", "generalisation", "near", "apart"
_MEMBERS = 4
NOISE = 0.01  # of a member's spread: where nothing is known of a task's noise
_HOPELESS = 0.003  # a quick fit of one member that is farther off ends a comparison that is screened
_LIMIT = 1e-5  # a fit this near whose parameters run away is a limit of the family, which no member reaches


@dataclass(frozen=True)
class Relation:
    """What a law is to another.

    Attributes:
        kind: IDENTICAL, SPECIAL (the law is a special case of the other), GENERAL (the other is one of the law),
            NEAR (other functions, but within the noise inside the data range), or APART.
        by: "canonical form", "fit", "limit" (of ever larger or smaller parameters), or "" where nothing was found.
        mapping: Parameter of the other -> the formula of the law's parameters that it is; those that were found.
        frozen: Which parameters of the more general law are frozen at what: "g = 1".
        within_bounds: Whether the other law's bounds are kept.
        misfit: Of the better direction's fit, as a share of the spread: the median member's worst point; zero where
            keys decide.
        inside: The same for points inside the data range.
    """

    kind: str
    by: str = ""
    mapping: Mapping[str, Expression] | None = None
    frozen: tuple[str, ...] = ()
    within_bounds: bool = True
    misfit: float = 0.0
    inside: float = 0.0


def free_key(law: Law) -> str:
    """The key of a law's form, whatever its parameters' bounds."""
    return unbounded(law).key


def aligned(law: Law, inputs: Mapping[str, str]) -> Law:
    """The law with inputs renamed; a parameter that has a new input's name gives way."""
    taken = {*inputs.values(), *law.parameters}
    clash = {}
    for name in law.parameters:
        if name in inputs.values():
            new = next(f"{name}_{i}" for i in range(1, 1000) if f"{name}_{i}" not in taken)
            clash[name] = new
            taken.add(new)
    expression = rename(rename(law.expression, clash), inputs)
    bounds = {clash.get(name, name): bound for name, bound in law.bounds.items()}
    names = [inputs.get(name, name) for name in law.inputs]
    order = [clash.get(name, name) for name in law.parameters]
    return law_of(expression, names, bounds=bounds, parameters=order, may_be_fixed=True)


def relation(
    law: Law,
    other: Law,
    *,
    roles: Mapping[str, str] | None = None,
    seed: int = 0,
    starts: int = 8,
    screen: bool = False,
    noise: float = NOISE,
) -> Relation:
    """What `law` is to `other`.

    Args:
        law, other: Over inputs of the same names; one may read fewer of them (`aligned` renames).
        roles: Input -> role in published laws: shares are probed between zero and one, all else around one.
        seed: Fixes members, points and starts.
        starts: Of the quick fits; three times as many where a fit comes near.
        screen: Whether a single quick fit may end the comparison.
        noise: Share of a member's spread below which two laws cannot be told apart inside the data range.
    """
    if free_key(law) == free_key(other):
        return Relation(IDENTICAL, "canonical form", _by_key(law, other), within_bounds=True)
    names = tuple(sorted({*law.inputs, *other.inputs}))
    told = tuple(sorted((name, role) for name, role in (roles or {}).items() if name in names))
    for choice in range(RANGES):
        mine, theirs = _sampled(law, names, told, choice, seed), _sampled(other, names, told, choice, seed)
        if mine is not None and theirs is not None:
            return _compared(law, other, mine, theirs, starts, screen, noise, np.random.default_rng([seed, choice, 2]))
    return Relation(APART, misfit=float("nan"), inside=float("nan"))


@dataclass(frozen=True, eq=False)
class _Sample:
    """Random members (member, parameter) of a law's family at points, and how many numbers it takes to tell one."""

    points: Points
    members: np.ndarray
    dimension: int


@lru_cache(maxsize=1024)  # a law is compared with many others, and a published law with many found ones
def _sampled(
    law: Law, names: tuple[str, ...], roles: tuple[tuple[str, str], ...], choice: int, seed: int
) -> _Sample | None:
    points = probe_points(names, dict(roles), choice, np.random.default_rng([seed, choice, 0]))
    members = draw_members(law, points, _MEMBERS, np.random.default_rng([seed, choice, 1]))
    return None if members is None else _Sample(points, members, dimension(law, points, members))


def _compared(
    law: Law,
    other: Law,
    mine: _Sample,
    theirs: _Sample,
    starts: int,
    screen: bool,
    noise: float,
    rng: np.random.Generator,
) -> Relation:
    points, same_size = mine.points, mine.dimension == theirs.dimension
    forward, back = Relation(APART, misfit=float("inf"), inside=float("inf")), None
    if mine.dimension <= theirs.dimension and set(law.inputs) <= set(other.inputs):
        forward = _held(law, other, points, mine.members, starts, screen, rng, same_size)
        if forward.kind != APART:
            return forward
    if theirs.dimension <= mine.dimension and set(other.inputs) <= set(law.inputs):
        back = _held(other, law, points, theirs.members, starts, screen, rng, same_size)
        if back.kind == IDENTICAL:
            mapping = _inverse(law, other, points, mine.members, starts, rng)
            return replace(back, mapping=mapping, within_bounds=True)
        if back.kind == SPECIAL:
            return replace(back, kind=GENERAL, within_bounds=True)
    best = min([forward, *([back] if back else [])], key=lambda r: r.inside)
    return replace(best, kind=NEAR, by="fit") if best.inside <= noise else best


def _held(
    law: Law,
    holder: Law,
    points: Points,
    members: np.ndarray,
    starts: int,
    screen: bool,
    rng: np.random.Generator,
    same_size: bool,
) -> Relation:
    if screen:
        off, inside = glance(holder, law, members[:1], points, starts=starts, enough=_HOPELESS, rng=rng)
        if off > _HOPELESS:
            return Relation(APART, misfit=off, inside=inside)
    found = contain(holder, law, members, points, starts=starts, rng=rng)
    off, inside = found.typical, float(np.median(found.inside))
    if not found.exact:
        told = tuple(frozen(holder.parameters, found.parameters))
        if not same_size and off < _LIMIT and any("->" in each for each in told):
            return Relation(SPECIAL, "limit", None, told, found.within_bounds, off, inside)
        return Relation(APART, misfit=off, inside=inside)
    good = found.misfit <= 1e-7
    mapping = formulas(law.parameters, members[good], holder.parameters, found.parameters[good])
    if same_size:
        return Relation(IDENTICAL, "fit", mapping or None, (), found.within_bounds, off, inside)
    told = tuple(frozen(holder.parameters, found.parameters[good]))
    if not told:
        told = _frozen_by_trial(law, holder, points, members, found.parameters[good], starts, rng)
    # A parameter so large that the next digit no longer shows is a limit, however near the fit.
    by = "limit" if any("-> infinity" in each for each in told) else "fit"
    return Relation(SPECIAL, by, None, told, found.within_bounds, off, inside)


def _frozen_by_trial(
    law: Law,
    holder: Law,
    points: Points,
    members: np.ndarray,
    fitted: np.ndarray,
    starts: int,
    rng: np.random.Generator,
) -> tuple[str, ...]:
    """What is frozen where members are met in several ways: a value seen in one is set for all, and fitted again."""
    for row in fitted:
        for told in frozen(holder.parameters, row[None]):
            name, sign, number = told.partition(" = ")
            if not sign or not _is_number(number) or name in number:
                continue
            value = Number(float(number))
            expression = rewrite(holder.expression, partial(_set, name, value))
            bounds = {own: pair for own, pair in holder.bounds.items() if own in symbols(expression)}
            tried = law_of(expression, holder.inputs, bounds=bounds, may_be_fixed=True)
            if not set(law.inputs) <= set(tried.inputs):
                continue
            if contain(tried, law, members, points, starts=starts, rng=rng).exact:
                return (told,)
    return ()


def _set(name: str, value: Number, node: Expression) -> Expression | None:
    return value if node == Symbol(name) else None


def _is_number(text: str) -> bool:
    return text.lstrip("-").replace(".", "", 1).isdecimal()


def _inverse(
    law: Law, other: Law, points: Points, own: np.ndarray, starts: int, rng: np.random.Generator
) -> Mapping[str, Expression] | None:
    """The mapping where only the other direction was fitted: parameters of the other by those of the law."""
    found = contain(other, law, own, points, starts=3 * starts, rng=rng)
    good = found.misfit <= 1e-7
    if good.sum() < 2:
        return None
    return formulas(law.parameters, own[good], other.parameters, found.parameters[good]) or None


def _by_key(law: Law, other: Law) -> Mapping[str, Expression] | None:
    """Parameters that have the same place in one formula are the same; only told where nothing but names differ."""
    pairs = dict(zip(symbols(other.expression), symbols(law.expression), strict=False))
    if rename(other.expression, pairs) != law.expression:
        return None
    return {name: Symbol(pairs[name]) for name in other.parameters}
