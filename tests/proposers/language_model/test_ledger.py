"""Limits: never passed, whatever is under way at the same time."""

from __future__ import annotations

import threading
import time

import pytest

from discover.archive import Archive
from discover.proposers.language_model import LanguageModel, Ledger, Limits, endpoint_of
from discover.proposers.language_model.ledger import Spending
from discover.task import Task

from .conftest import RNG, Start, Talk, model_at
from .scripted_server import Script, Server


def test_what_calls_under_way_may_cost_counts_as_spent() -> None:
    ledger = Ledger(Limits(calls=50, tokens=30_000, dollars=0.1))
    assert [ledger.reserve(4_000, 0.02) for _ in range(7)] == [""] * 5 + ["--max-cost 0.1"] * 2
    for _ in range(5):  # all of them cost the most
        ledger.settle(Spending(1, 4_000, 0.02), Spending(1, 4_000, 0.02))
    assert not ledger.limits.passed_by(ledger.spent)
    assert ledger.reserved == Spending()


class Slow(Limits):
    """Limits at which other threads come by: whoever looked before them has not written yet."""

    def passed_by(self, spending: Spending) -> str:
        time.sleep(0.005)
        return super().passed_by(spending)


def test_calls_of_several_threads_cannot_pass_a_limit_together() -> None:
    ledger, told = Ledger(Slow(calls=5)), []
    threads = [threading.Thread(target=lambda: told.append(ledger.reserve(10, 0.0))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [""] * 5 + ["--max-calls 5"] * 3
    assert ledger.reserved == Spending(5, 50, 0.0)


@pytest.mark.parametrize(
    ("limits", "option"),
    [
        (Limits(calls=2), "--max-calls 2"),
        (Limits(tokens=20_000), "--max-tokens 20000"),
        (Limits(dollars=0.07), "--max-cost 0.07"),
        (Limits(calls=0), "--max-calls 0"),
    ],
)
def test_conversation_ends_before_a_limit_is_passed(talk: Start, limits: Limits, option: str) -> None:
    conversation = talk(["inventive"], limits).batches(40)
    spent = conversation.model.ledger.spent
    assert not limits.passed_by(spent)
    assert len(conversation.server.script.requests) == spent.calls < 40
    assert f"{option} leaves no room for another call" in conversation.said[-1]


def test_replies_get_shorter_where_a_limit_is_near(talk: Start) -> None:
    conversation = talk(["good"], Limits(tokens=6_500)).batches(3)
    assert conversation.server.script.requests[0]["max_tokens"] < 4_000
    assert conversation.model.ledger.spent.tokens <= 6_500


def test_models_share_one_account(task: Task, archive: Archive) -> None:
    ledger, said = Ledger(Limits(calls=5)), []
    with Server(Script(["good"])) as server:
        talks = []
        for name in ("first", "second", "third"):
            model = model_at(server.url, name=name)
            endpoint = endpoint_of(model, 20.0, [], 6)
            talks.append(
                Talk(LanguageModel(task, model, endpoint, ledger, waits=True, say=said.append), server, archive)
            )
        for _ in range(6):
            for each in talks:
                while proposal := each.model.ask(archive, RNG):
                    archive.reserve(f"{proposal.law.key} | {proposal.recipe.text}")
            archive.count += 16
        for each in talks:
            each.model.close()
        assert len(server.script.requests) == ledger.spent.calls == 5
    assert sum(each.model.calls for each in talks) == 5
    assert len({request["model"] for request in server.script.requests}) == 3


def test_calls_of_batches_that_were_recalled_are_counted(task: Task, archive: Archive) -> None:
    with Server(Script(["good"])) as server:
        model, calls = model_at(server.url), []
        first = LanguageModel(task, model, endpoint_of(model, 20.0, [], 6), Ledger(), waits=True, keep=calls.append)
        Talk(first, server, archive).batches(2)
        ledger = Ledger(Limits(calls=3))
        again = LanguageModel(
            task, model, endpoint_of(model, 20.0, [], 6), ledger, waits=True, recorded=calls, live_from=archive.count
        )
        Talk(again, server, archive).batches(6)
        again.close()
        first.close()
    assert ledger.spent.calls == 3
    assert again.calls == 3


def test_reported_tokens_are_believed_within_reason(talk: Start) -> None:
    conversation = talk(["absurd_usage"]).batches(2)
    (call,) = conversation.calls[:1]
    assert call.tokens_in > 500  # -5 is no count: the most that it can have been
    assert call.tokens_out == 4000


def test_a_server_that_charges_more_than_it_was_allowed_is_told_of_and_not_asked_again(talk: Start) -> None:
    conversation = talk(["charges_more"], Limits(tokens=20_000)).batches(10)
    assert len(conversation.server.script.requests) == 1
    assert conversation.model.spent.tokens == 90_700
    assert any("its server counts 90,700 tokens" in line for line in conversation.said)
    assert "--max-tokens 20000 leaves no room" in conversation.said[-1]
