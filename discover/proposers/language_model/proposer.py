"""`LanguageModel`: a proposer that asks a language model in the background, and can be replayed.

The search never waits for a model, except in a run whose budget is a number of candidates: there the answer to a
request is awaited at the next batch, so that the same answers give the same archive. Everything that depends on the
clock (when an answer came, when a server may be asked again) is written into each `Call` as the number of candidates
at that moment; a replay follows these numbers and reads no clock and no network.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.errors import DiscoverError
from discover.proposers.language_model import prompt
from discover.proposers.language_model.call import CONCEPTS, LAWS, NOT_AWAITED, Answer, Call, request_text
from discover.proposers.language_model.endpoint import Endpoint, Pending
from discover.proposers.language_model.ledger import Ledger, Spending
from discover.proposers.language_model.names import Names
from discover.proposers.language_model.profiles import RUNGS, Model
from discover.proposers.language_model.reply import ERROR, NO_LAWS, content_of, items_of, notes_of, words
from discover.proposers.language_model.suggestion import Suggestion, suggestion_of
from discover.proposers.proposal import Proposal
from discover.proposers.proposer import Proposer

if TYPE_CHECKING:
    from discover.archive import Archive, Candidate
    from discover.task import Task

_FEW = 4  # laws waiting to be tried: with fewer, more are asked for
_CONCEPTS_EVERY, _CONCEPTS_FIRST = 5, 4  # calls; the first time when there is something to say
_LEAST_ELITES = 8  # for concepts
_MOST_FAULTS = 6  # in a row, then the model is left alone
_PAUSE_CANDIDATES = 16  # after a reply without a new law, doubled each time
_REMEMBERED = 12  # outcomes told back
_REFUSES_FORMAT = (400, 404, 405, 415, 422, 501)  # what servers answer to a response_format that they do not know
_REFUSES_US = (401, 402, 403)


class LanguageModel(Proposer):
    """A language model that suggests laws.

    Args:
        task: Its training rows are all that a prompt tells of.
        model: Which model, how it is served.
        endpoint: Where requests go; None where only recorded calls are followed.
        ledger: The run's account, shared by its models.
        limit_seconds: For one call.
        masked: Whether names and units are replaced.
        waits: Whether an answer is awaited at the next batch (a budget in candidates).
        keep: Told each call once it is over.
        say: Told what a user should see, a line each.
        recorded: Calls to follow, by number, before any is made; their answers are taken as they were.
        live_from: How many candidates the archive has when the first new call may be made: a run that goes on has asked
            for later ones without its answer.
        until: How many candidates the archive has when laws are asked for the last time, where that is known: nobody
            would read the answer to a call made then.
        interrupted: Not empty once the user has asked for the end: then nothing is awaited any more.
    """

    def __init__(
        self,
        task: Task,
        model: Model,
        endpoint: Endpoint | None,
        ledger: Ledger,
        *,
        limit_seconds: float = 120.0,
        masked: bool = False,
        waits: bool = False,
        keep: Callable[[Call], None] = lambda call: None,
        say: Callable[[str], None] = lambda line: None,
        recorded: Sequence[Call] = (),
        live_from: int = 0,
        until: float = math.inf,
        interrupted: Sequence[object] = (),
    ) -> None:
        self.name = model.proposer
        self.model, self.ledger = model, ledger
        self.faults: Counter[str] = Counter()
        self.notes: tuple[str, ...] = ()
        self.calls = self.tried = self.won = self.refused = self.known = 0
        self.spent = Spending()
        self._task, self._endpoint, self._limit = task, endpoint, limit_seconds
        self._names, self._masked, self._waits = Names(task, masked), masked, waits
        self._keep, self._say, self._interrupted = keep, say, interrupted
        self._recorded = deque(recorded)
        self._queue: deque[Suggestion] = deque()
        self._open: dict[str, Suggestion] = {}
        self._outcomes: deque[str] = deque(maxlen=_REMEMBERED)
        self._written: set[str] = set()  # keys of all laws that this model wrote
        self._under_way: _Request | None = None
        self._rung = RUNGS.index(model.reply_format)
        self._moment = -1
        self._faults_in_row = self._barren = 0
        self._not_before_candidate, self._not_before_second = live_from, 0.0
        self._until = until
        self._given_up = False

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        """The next law of the last reply that the archive does not know; None where none waits."""
        if archive.count != self._moment:  # once for each batch
            self._moment = archive.count
            self._read_answer(archive)
            self._make_request(archive)
        while self._queue:
            suggestion = self._queue.popleft()
            if archive.knows(suggestion.key):
                self._remember(suggestion.shown, "known already")
                self.known += 1
                continue
            self._open[suggestion.key] = suggestion
            self.tried += 1
            guess = {name: np.full(len(self._task.cells), value) for name, value in suggestion.guess.items()}
            return Proposal(suggestion.law, suggestion.recipe, self.name, guess=guess)
        return None

    def tell(self, candidates: Sequence[Candidate], archive: Archive) -> None:
        """What became of its laws, to be told back with the next request."""
        best = archive.best()
        bar = f"the best has {best.validation.r2:.4f}" if best is not None and best.validation else ""
        for candidate in candidates:
            if (suggestion := self._open.pop(candidate.key, None)) is None:
                continue
            if any(candidate is elite for elite in archive.elites):
                self.won += 1
            judged = candidate.validation
            if not candidate.ok or judged is None:
                self._remember(suggestion.shown, candidate.status)
            else:
                self._remember(suggestion.shown, f"R2 at larger scales {judged.r2:.4f} ({bar})")

    def close(self) -> None:
        """Leaves a call that is under way alone; it is counted as the most that it can have cost."""
        if (request := self._under_way) is not None:
            self._under_way = None
            if request.pending is not None:
                answer = Answer(fault=NOT_AWAITED, seconds=request.pending.seconds)
                self._settle(request, -1, answer, NOT_AWAITED)
            elif request.call is not None and request.call.answered < 0:
                self._settle(request, -1, request.call.answer, NOT_AWAITED)
        if self._endpoint is not None:
            self._endpoint.close()

    @property
    def summary(self) -> str:
        """A line: calls, faults, laws, cost."""
        faults = ", ".join(f"{number} {fault}" for fault, number in self.faults.items())
        money = f", {self.spent.dollars:.4f} USD" if self.model.price is not None else ""
        return (
            f"{self.name}: {_count(self.calls, 'call')}{f' ({faults})' if faults else ''}, {self.tried} of its laws "
            f"tried, {self.won} kept, {self.known} known already, {self.refused} refused; "
            f"{self.spent.tokens:,} tokens{money}"
        )

    # requests

    def _make_request(self, archive: Archive) -> None:
        if self._under_way is not None:
            return
        while self._recorded and self._recorded[0].asked < self._moment and self._endpoint is not None:
            self._take_over(self._recorded.popleft())
        if self._recorded:
            if self._recorded[0].asked <= self._moment:
                self._follow(archive)
            return
        rests = not self._not_before_candidate <= self._moment < self._until or len(self._queue) >= _FEW
        if self._endpoint is None or self._given_up or rests or time.monotonic() < self._not_before_second:
            return
        hindrance = ""
        for kind, body, reserved in self._bodies(archive):
            hindrance = self.ledger.reserve(reserved.tokens, reserved.dollars)
            if not hindrance:
                self.calls += 1
                pending = Pending(self._endpoint.send, body, self._limit)
                self._under_way = _Request(kind, self._moment, body, reserved, pending)
                return
        if not self.ledger.reserved.calls:
            self._give_up(f"{hindrance} leaves no room for another call")

    def _bodies(self, archive: Archive) -> list[tuple[str, dict[str, Any], Spending]]:
        """What may be sent now, with the most that it can cost: the reply shorter and shorter, for a limit's sake."""
        number = self.calls + 1
        is_concepts = number % _CONCEPTS_EVERY == _CONCEPTS_FIRST and len(archive.elites) >= _LEAST_ELITES
        if is_concepts and not self.model.brief:
            kind, schema = CONCEPTS, prompt.NOTES_SCHEMA
            messages = prompt.concepts_prompt(self._task, self._names, archive, number)
        else:
            kind, schema = LAWS, prompt.LAWS_SCHEMA
            outcomes = tuple(self._outcomes)
            brief = self.model.brief
            messages = prompt.laws_prompt(self._task, self._names, archive, number, outcomes, self.notes, brief)
        bodies = []
        for part in (1, 2, 4):
            reply_tokens = self.model.reply_tokens // part
            body: dict[str, Any] = {
                **self.model.extra,
                "model": self.model.name,
                "messages": messages,
                self.model.token_limit: reply_tokens,
            }
            form = prompt.response_format(RUNGS[self._rung], kind, schema)
            body |= {"response_format": form} if form else {}
            # A token is at least one byte, so the length of the whole request bounds the tokens that go in.
            tokens_in = len(request_text(body))
            price = self.model.price
            dollars = price.of(tokens_in, reply_tokens) if price else 0.0
            bodies.append((kind, body, Spending(1, tokens_in + reply_tokens, dollars)))
        return bodies

    def _follow(self, archive: Archive) -> None:
        """Makes the request that was recorded, without sending it."""
        call = self._recorded.popleft()
        for kind, body, reserved in self._bodies(archive):
            if request_text(body) == call.request and call.asked == self._moment:
                self.calls += 1
                self._under_way = _Request(kind, self._moment, body, reserved, None, call)
                return
        raise DiscoverError(
            f"replay: call {call.number} of {self.name} would ask something else than was recorded: the task, the "
            "options, or the versions of discover and NumPy differ from those of the run"
        )

    def _take_over(self, call: Call) -> None:
        """Counts a recorded call of batches that were taken from the store as they are, without asking us."""
        self.calls += 1
        self.notes = call.notes or self.notes
        spent = Spending(1, call.tokens_in + call.tokens_out, call.dollars or 0.0)
        self.ledger.settle(Spending(), spent)
        self.spent += spent
        self._written |= {law["key"] for law in call.laws if law["key"]}

    # answers

    def _read_answer(self, archive: Archive) -> None:
        request = self._under_way
        if request is None:
            return
        if request.call is not None:
            goes_on = self._endpoint is not None or bool(self._recorded)
            if request.call.answered < 0 and goes_on and self._moment > request.asked:
                self._under_way = None  # the run ended before the answer, and then went on
                self._settle(request, -1, request.call.answer, NOT_AWAITED)
            answer = request.call.answer if request.call.answered == self._moment else None
        else:
            assert request.pending is not None
            answer = request.pending.answer()
            while answer is None and self._waits and not self._interrupted:
                answer = request.pending.answer(0.2)
        if answer is None:
            return
        self._under_way = None
        content = content_of(answer)
        laws: list[dict[str, str]] = []
        fault = content.fault
        found: tuple[str, ...] = ()
        if not fault and request.kind == CONCEPTS:
            found = notes_of(content.text)
            self.notes = found or self.notes
        elif not fault:
            fault, laws = self._take(content.text, archive)
        counted = (content.tokens_in, content.tokens_out)
        self._settle(request, self._moment, answer, fault, counted, laws, found)
        self._after(answer, fault, content.detail)

    def _take(self, text: str, archive: Archive) -> tuple[str, list[dict[str, str]]]:
        """Queues the laws of a reply; says what became of each."""
        items, left_out = items_of(text)
        told: list[dict[str, str]] = []
        new = 0
        for item in items:
            suggestion = suggestion_of(item, self._task, self._names)
            if isinstance(suggestion, str):
                self.refused += 1
                formula = words(item.formula, 120)
                self._remember(formula, f"refused: {suggestion}")
                told.append({"formula": formula, "key": "", "verdict": f"refused: {suggestion}", "reason": item.reason})
                continue
            is_known = suggestion.key in self._written or archive.knows(suggestion.key)
            self._written.add(suggestion.key)
            verdict = "known already" if is_known else "to be tried"
            if is_known:
                self.known += 1
                self._remember(suggestion.shown, verdict)
            else:
                new += 1
                self._queue.append(suggestion)
            formula = str(suggestion.law)
            told.append({"formula": formula, "key": suggestion.key, "verdict": verdict, "reason": suggestion.reason})
        if left_out:
            self.refused += left_out
            self._remember(f"{left_out} more laws", f"not read: a reply may have {len(items)}")
        self._barren = 0 if new else self._barren + 1
        if self._barren:
            pause = _PAUSE_CANDIDATES * 2 ** min(self._barren, 6)
            self._not_before_candidate = max(self._not_before_candidate, self._moment + pause)
        return ("" if items else NO_LAWS), told

    def _settle(
        self,
        request: _Request,
        answered: int,
        answer: Answer,
        fault: str,
        counted: tuple[int | None, int | None] = (None, None),
        laws: Sequence[dict[str, str]] = (),
        notes: tuple[str, ...] = (),
    ) -> None:
        """Enters what a call cost, and gives it away to be kept."""
        price = self.model.price
        tokens_in, tokens_out = 0, 0
        if answer.is_billed:
            most_in = len(request_text(request.body))
            tokens_in = most_in if counted[0] is None else counted[0]
            tokens_out = request.reserved.tokens - most_in if counted[1] is None else counted[1]
        dollars = price.of(tokens_in, tokens_out) if price else None
        call = Call(
            self.name, self.calls, request.kind, request.asked, answered, self._masked, request_text(request.body),
            answer, tokens_in, tokens_out, dollars, fault, tuple(laws), notes,
        )  # fmt: skip
        reserved = request.reserved
        if request.call is not None:  # what it cost then, though prices may have changed
            kept = request.call
            call = replace(call, tokens_in=kept.tokens_in, tokens_out=kept.tokens_out, dollars=kept.dollars)
            reserved = Spending()
        spent = Spending(1, call.tokens_in + call.tokens_out, call.dollars or 0.0)
        self.ledger.settle(reserved, spent)
        self.spent += spent
        if spent.tokens > request.reserved.tokens:
            allowed = f"{request.reserved.tokens:,} were allowed"
            self._say(f"{self.name}: its server counts {spent.tokens:,} tokens, {allowed}; they are entered as it says")
        if fault:
            self.faults[fault] += 1
        self._keep(call)

    def _after(self, answer: Answer, fault: str, detail: str) -> None:
        """What follows from an answer: the next rung, a pause, or the end of the conversation."""
        if not fault:
            self._faults_in_row = 0
            return
        told = f"{self.name}: {fault}" + (f" ({detail})" if detail else "")
        if self.faults[fault] == 1:
            self._say(f"{told}; the search goes on")
        if answer.status in _REFUSES_FORMAT and self._rung < len(RUNGS) - 1:
            self._rung += 1
            return
        self._faults_in_row += 1
        if answer.status in _REFUSES_US or answer.status in _REFUSES_FORMAT:
            self._give_up(told)
        elif self._faults_in_row >= _MOST_FAULTS:
            self._give_up(f"{_MOST_FAULTS} faults in a row, the last one {fault}")
        elif answer.fault or answer.is_refusal or fault == ERROR:
            pause = 2.0 ** (self._faults_in_row - 1)  # seconds; at most 16, for then it is given up
            asked_for = answer.retry_after_seconds
            self._not_before_second = time.monotonic() + (pause if asked_for is None else asked_for)

    def _give_up(self, why: str) -> None:
        if not self._given_up:
            self._given_up = True
            self._say(f"{self.name}: not asked any more: {why}")

    def _remember(self, formula: str, outcome: str) -> None:
        self._outcomes.append(f"{formula} - {outcome}")


class _Request:
    """A call under way: live with `pending`, or recorded with `call`."""

    def __init__(
        self,
        kind: str,
        asked: int,
        body: dict[str, Any],
        reserved: Spending,
        pending: Pending | None,
        call: Call | None = None,
    ) -> None:
        self.kind, self.asked, self.body, self.reserved = kind, asked, body, reserved
        self.pending, self.call = pending, call


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
