"""Calls to language models: each request and reply by its hash, and what the laws that came of them cost.

In: calls as their proposer gives them. Out: the same calls, for a replay; costs by law. Only the end of a call is
written: one that was under way when the process died is not here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from discover.store.records import from_json, record, to_json

if TYPE_CHECKING:
    from discover.store.store import Store

TO_BE_TRIED = "to be tried"


@dataclass(frozen=True)
class StoredCall:
    """A call as stored; the fields are those of `discover.proposers.language_model.Call` and its answer."""

    proposer: str
    number: int
    kind: str
    asked: int
    answered: int
    masked: bool
    request: str
    reply: bytes
    status: int
    answer_fault: str
    retry_after_seconds: float | None
    seconds: float
    tokens_in: int
    tokens_out: int
    dollars: float | None
    fault: str
    laws: tuple[dict[str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """What a law cost: shares of the calls that it, and the laws it was made from, came of.

    Attributes:
        dollars: None where a price was not known.
    """

    calls: float = 0.0
    tokens: float = 0.0
    seconds: float = 0.0
    dollars: float | None = 0.0

    def __add__(self, other: Cost) -> Cost:
        known = self.dollars is not None and other.dollars is not None
        return Cost(
            self.calls + other.calls,
            self.tokens + other.tokens,
            self.seconds + other.seconds,
            self.dollars + other.dollars if known else None,  # type: ignore[operator]
        )


def add_call(store: Store, run: str, call: Any) -> None:
    """Keeps a call of `run`: its texts by hash, once each, and a row."""
    request, reply = call.request.encode(), bytes(call.answer.body)
    hashes = [hashlib.sha256(text).hexdigest() for text in (request, reply)]
    values = (
        run, call.proposer, call.number, call.kind, call.asked, call.answered, int(call.masked), *hashes,
        call.answer.status, call.answer.fault, call.answer.retry_after_seconds, call.answer.seconds, call.tokens_in,
        call.tokens_out, call.dollars, call.fault, to_json(call.laws), to_json(call.notes),
    )  # fmt: skip
    with store.writing() as db:
        texts = zip(hashes, (request, reply), strict=True)
        db.executemany("INSERT INTO language_model_texts VALUES (?,?) ON CONFLICT DO NOTHING", texts)
        db.execute(f"INSERT INTO language_model_calls VALUES ({','.join('?' * len(values))})", values)


def calls_of(store: Store, run: str) -> tuple[StoredCall, ...]:
    """The calls of `run`, by proposer and number."""
    with store.reading() as db:
        found = db.execute(
            """SELECT proposer, number, kind, asked, answered, masked, q.content, r.content, status, answer_fault,
                      retry_after_seconds, seconds, tokens_in, tokens_out, dollars, fault, laws, notes
               FROM language_model_calls AS c JOIN language_model_texts AS q ON q.hash = c.request
               JOIN language_model_texts AS r ON r.hash = c.reply WHERE run = ? ORDER BY proposer, number""",
            (run,),
        ).fetchall()
    return tuple(map(_stored, found))


def _stored(row: Sequence[Any]) -> StoredCall:
    values = dict(zip((field.name for field in fields(StoredCall)), row, strict=True))
    values |= {"masked": bool(values["masked"]), "request": values["request"].decode()}
    return StoredCall(**{**values, "laws": tuple(from_json(row[-2])), "notes": tuple(from_json(row[-1]))})


def costs_of(store: Store, run: str) -> dict[tuple[str, str], Cost]:
    """What each candidate of `run` cost, by (formula, recipe), its ancestors included; empty without any call.

    A call's cost is shared evenly among the laws that it gave to be tried.
    """
    calls = calls_of(store, run)
    if not calls:
        return {}
    own: dict[tuple[str, str], Cost] = {}
    for call in calls:
        tried = [law["key"] for law in call.laws if law["verdict"] == TO_BE_TRIED]
        for key in tried:
            n = len(tried)
            dollars = None if call.dollars is None else call.dollars / n
            tokens = call.tokens_in + call.tokens_out
            own[call.proposer, key] = Cost(1 / n, tokens / n, call.seconds / n, dollars)
    candidates = store.candidates(run)
    parents = {candidate.number: candidate.parents for candidate in candidates}
    spent = {c.number: own[c.proposer, c.key] for c in candidates if (c.proposer, c.key) in own}
    return {(c.formula, c.recipe): _lineage(c.number, parents, spent) for c in candidates}


def with_costs(store: Store, run: str, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Leaderboard rows with the `cost` of each discovered law, and the `reason` that a language model gave for its own;
    as they are where none was asked."""
    costs = costs_of(store, run)
    reasons = {
        (call.proposer, law["formula"]): law["reason"]
        for call in calls_of(store, run)
        for law in call.laws
        if law["verdict"] == TO_BE_TRIED
    }
    found = []
    for row in rows:
        cost = costs.get((row["formula"], row["recipe"])) if row["origin"] == "discovered" else None
        reason = reasons.get((row["proposer"], row["formula"]), "")
        found.append({**row, "cost": record(cost), "reason": reason} if cost else dict(row))
    return found


def _lineage(number: int, parents: Mapping[int, tuple[int, ...]], spent: Mapping[int, Cost]) -> Cost:
    """The sum over a candidate and all that it descends from, each counted once."""
    seen: set[int] = set()
    waiting = [number]
    while waiting:
        at = waiting.pop()
        if at not in seen:
            seen.add(at)
            waiting.extend(parents.get(at, ()))
    total = Cost()
    for at in sorted(seen & set(spent)):
        total += spent[at]
    return total
