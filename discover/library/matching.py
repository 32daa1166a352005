"""Which laws of the library can be written in given columns, and how.

In: columns with roles. Out: laws over those columns, each with the reason for every input. Published units and
coefficients are left behind: parameters are to be fitted anew. Stays out: measurements, fitting, choosing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from discover.law import Call, Expression, Law, Number, Symbol, law_of, symbols, to_text
from discover.law.expression import mul, rename, rewrite
from discover.library.entry import Entry, Form, Quantity
from discover.library.reading import entries
from discover.library.roles import ROLES, Assigned, is_a
from discover.library.widening import widened

_EXACT_ONLY = ("own_share", "share", "performance")
_TOKENS = ("tokens", "characters")


@dataclass(frozen=True)
class Match:
    """A law of the library over given columns.

    Attributes:
        law: Reads columns; its parameters are free within the entry's bounds.
        stands_for: Input of the entry -> what was put in its place, such as "num_params" or "6*params*tokens".
        reasons: One for each input that is not met by a column of its very role.
    """

    entry: Entry
    law: Law
    stands_for: Mapping[str, str]
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class _Offer:
    """What could stand for an input: an expression over columns, how far off its role is, and why it will do."""

    expression: Expression
    distance: int
    column: str  # taken by it; "" for a conversion, which takes none
    reason: str


def matches(columns: Mapping[str, Assigned], among: Sequence[Entry] | None = None) -> tuple[Match, ...]:
    """The laws whose inputs the columns have, by the order of the library.

    A law that reads any measure of scale comes once for each column that is one. Of several columns that would do, the
    one nearest in role is taken, then the first.

    Args:
        columns: Column -> role; columns without a role meet no input.
        among: Entries to look at; all where left out.
    """
    found: list[Match] = []
    for each in entries() if among is None else among:
        for form in (each.measured, each.form) if each.measured is not None else (each.form,):
            own = _matches(each, form, columns)
            found += own
            if own:
                break
    return tuple(found)


def _matches(entry: Entry, form: Form, columns: Mapping[str, Assigned]) -> list[Match]:
    law = form.law
    if not law.parameters:
        return []
    shares = tuple(q.name for q in form.inputs if q.role == "share")
    own = [name for name, assigned in columns.items() if is_a(assigned.role, "share")]
    quantities = [q for q in form.inputs if q.role != "share"]
    offers: dict[str, list[_Offer]] = {q.name: _offers(q, columns) for q in quantities}
    if shares:
        if len(own) < 2:
            return []
        wide = widened(law, shares, len(own))
        if wide is None:
            return []
        law, stem = wide, shares[0].rstrip("0123456789")
        offers |= {f"{stem}{place}": [_Offer(Symbol(name), 0, name, "")] for place, name in enumerate(own, 1)}
    if not all(offers.values()):
        return []
    if len(form.inputs) == 1 and form.inputs[0].role == "scale":
        chosen = [{form.inputs[0].name: offer} for offer in offers[form.inputs[0].name]]
    else:
        best = _assignment(list(offers), offers, frozenset())
        chosen = [best[1]] if best is not None else []
    return [_match(entry, law, taken, columns) for taken in chosen]


def _offers(quantity: Quantity, columns: Mapping[str, Assigned]) -> list[_Offer]:
    """What could stand for an input, in the order of the columns."""
    found = []
    for name, assigned in columns.items():
        distance = _distance(quantity.role, assigned.role)
        if distance is not None:
            reason = "" if distance == 0 else f"{name} ({assigned.role}) stands for {quantity.name} ({quantity.role})"
            found.append(_Offer(Symbol(name), distance, name, reason))
    converted = _converted(quantity, columns)
    return found + (converted if not found or quantity.role == "scale" else [])


def _distance(wanted: str, given: str) -> int | None:
    """How far a column's role is from an input's: 0 the same, 1 a kind of the other, 2 kinds of the same; None for
    what cannot stand for it."""
    if not given or "other" in (given, wanted):
        return None
    if given == wanted:
        return 0
    if wanted in _EXACT_ONLY:
        return None
    if is_a(given, wanted):
        return 1
    if given != "scale" and is_a(wanted, given):
        return 1
    common = ROLES[wanted][1]
    return 2 if common not in ("", "scale", "performance") and is_a(given, common) else None


def _converted(quantity: Quantity, columns: Mapping[str, Assigned]) -> list[_Offer]:
    """What follows from other columns: compute from its logarithm or as 6 N D, tokens for each parameter."""

    def first(*kinds: str) -> str | None:
        return next((n for kind in kinds for n, a in columns.items() if is_a(a.role, kind)), None)

    logarithm = next((n for n, a in columns.items() if a.role == "log_compute"), None)
    compute, size, tokens = first("compute"), first("parameters"), first(*_TOKENS)
    if quantity.role in ("compute", "scale") and logarithm is not None:
        return [_Offer(Call("pow", (Number(10.0), Symbol(logarithm))), 3, "", f"{quantity.name} = 10**{logarithm}")]
    if quantity.role == "log_compute" and compute is not None:
        return [_Offer(Call("log10", (Symbol(compute),)), 3, "", f"{quantity.name} = log10({compute})")]
    if quantity.role == "compute" and compute is None and size is not None and tokens is not None:
        product = mul(Number(6.0), Symbol(size), Symbol(tokens))
        return [_Offer(product, 3, "", f"{quantity.name} = 6*{size}*{tokens} (Kaplan et al. 2020)")]
    if quantity.role == "tokens_per_parameter" and size is not None and tokens is not None:
        ratio = Call("div", (Symbol(tokens), Symbol(size)))
        return [_Offer(ratio, 3, "", f"{quantity.name} = {tokens}/{size}")]
    return []


def _assignment(
    names: Sequence[str], offers: Mapping[str, Sequence[_Offer]], taken: frozenset[str]
) -> tuple[int, dict[str, _Offer]] | None:
    """One offer for each name, no column twice, the sum of distances least."""
    if not names:
        return 0, {}
    best: tuple[int, dict[str, _Offer]] | None = None
    for offer in offers[names[0]]:
        if offer.column in taken:
            continue
        rest = _assignment(names[1:], offers, taken | {offer.column} if offer.column else taken)
        if rest is not None and (best is None or rest[0] + offer.distance < best[0]):
            best = rest[0] + offer.distance, {names[0]: offer, **rest[1]}
    return best


def _match(entry: Entry, law: Law, taken: Mapping[str, _Offer], columns: Mapping[str, Assigned]) -> Match:
    # A parameter may be called what a column is called: it gives way.
    used = {*columns, *law.parameters}
    clash = {name: _free(name, used) for name in law.parameters if name in columns}
    marked = rename(law.expression, clash)
    expression = rewrite(
        marked,
        lambda node: taken[node.name].expression if isinstance(node, Symbol) and node.name in taken else None,
    )
    bounds = {clash.get(name, name): pair for name, pair in law.bounds.items()}
    made = law_of(expression, [name for name in columns if name in symbols(expression)], bounds=bounds)
    stands_for = {name: to_text(offer.expression) for name, offer in taken.items()}
    reasons = tuple(offer.reason for offer in taken.values() if offer.reason)
    return Match(entry, made, stands_for, reasons)


def _free(name: str, used: set[str]) -> str:
    """A name like this one that nothing else has; it is used from now on."""
    new = next(f"{name}_{place}" for place in range(1, len(used) + 2) if f"{name}_{place}" not in used)
    used.add(new)
    return new
