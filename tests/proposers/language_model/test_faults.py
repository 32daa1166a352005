"""What a server may do wrong, over real HTTP, with the real client: the search goes on, and the fault is counted."""

from __future__ import annotations

import base64
import itertools
import os
import threading
import time

import pytest

from discover.proposers.language_model.call import Answer
from discover.proposers.language_model.endpoint import MOST_BYTES, OpenAIEndpoint, Pending, redactor
from discover.proposers.language_model.reply import MOST_LAWS

from .conftest import KEY, PATIENCE_SECONDS, Start
from .scripted_server import SLOW_SECONDS, Script, Server

SHORT_SECONDS = 0.4  # what a call may take that will not be answered in time

# Act -> the fault that is counted, and how many laws of the reply pass the parser.
FAULTS = {
    "time_out": ("time-out", 0),
    "trickle": ("time-out", 0),
    "too_many": ("status 429", 0),
    "server_error": ("status 500", 0),
    "endless_error": ("status 500", 0),
    "dropped": ("connection dropped", 0),
    "dropped_midway": ("connection dropped", 0),
    "truncated_body": ("not JSON", 0),
    "truncated_laws": ("", 2),
    "five_megabytes": ("reply too large", 0),
    "thousands_of_laws": ("", MOST_LAWS),
    "bomb": ("compressed reply", 0),
    "deeply_nested": ("no laws in the reply", 0),
    "injection": ("", 0),
    "not_utf8": ("not UTF-8", 0),
    "lone_surrogates": ("", 0),
    "empty_body": ("empty reply", 0),
    "empty_content": ("empty reply", 0),
    "no_choices": ("empty reply", 0),
    "wrong_types": ("", 1),
    "redirects": ("status 307", 0),
    "refuses_key": ("status 401", 0),
    "web_page": ("not JSON", 0),
    "absurd_usage": ("", 2),
    "plain_text": ("", 3),
    "fenced": ("", 3),
    "echoes_key": ("", 1),
    "charges_more": ("", 2),
    "error_inside": ("error in the reply", 0),
    "used_up": ("empty reply", 0),
    "declines": ("empty reply", 0),
    "thinks_aloud": ("", 3),
    "writes_latex": ("", 3),
}


@pytest.mark.parametrize("act", FAULTS)
def test_fault_is_counted_and_nothing_else_happens(act: str, talk: Start) -> None:
    fault, laws = FAULTS[act]
    limit = SHORT_SECONDS if act in ("time_out", "trickle") else PATIENCE_SECONDS
    conversation = talk([act], limit_seconds=limit)
    began = time.monotonic()
    conversation.batches(2)
    assert time.monotonic() - began < SLOW_SECONDS / 2
    model, call = conversation.model, conversation.calls[0]
    assert dict(model.faults) == ({fault: 1} if fault else {})
    assert call.fault == fault
    assert model.tried + model.known == laws
    assert model.tried == len(conversation.asked_for)
    assert len(call.answer.body) <= MOST_BYTES
    if fault:
        assert any(fault in line and "the search goes on" in line for line in conversation.said)
    told = repr((conversation.calls, conversation.said, model.summary))
    assert KEY not in told
    assert all(text.isprintable() for law in call.laws for text in law.values())


def test_a_good_reply_after_a_fault_is_used(talk: Start) -> None:
    conversation = talk(["truncated_body", "good"]).batches(3)
    assert conversation.model.faults == {"not JSON": 1}
    assert conversation.model.tried == 3


def test_a_server_whose_reply_holds_an_error_is_left_alone_for_a_moment(talk: Start) -> None:
    assert len(talk(["error_inside", "good"]).batches(4).server.script.requests) == 1


def test_retry_after_is_respected(talk: Start) -> None:
    conversation = talk(["too_many", "good"]).batches(4)
    assert len(conversation.server.script.requests) == 1
    time.sleep(0.35)
    conversation.batches(2)
    first, second = conversation.server.script.times[:2]  # the next request may be on its way already
    assert second - first >= 0.3
    assert conversation.model.tried == 3


def test_silence_is_paid_for_and_a_refusal_is_not(talk: Start) -> None:
    silent, refused = talk(["time_out"], limit_seconds=SHORT_SECONDS).batches(2), talk(["server_error"]).batches(2)
    assert silent.model.spent.tokens > 4000
    assert silent.model.spent.dollars > 0.04
    assert refused.model.spent.tokens == 0
    assert refused.model.spent.calls == 1


@pytest.mark.parametrize(
    ("act", "told"),
    [
        ("error_inside", "error in the reply (Upstream is overloaded.)"),
        ("used_up", "reply_tokens in a profile allows more"),
        ("declines", "empty reply (I cannot help with that.)"),
    ],
)
def test_why_there_is_no_answer_is_shown(act: str, told: str, talk: Start) -> None:
    assert told in talk([act]).batches(2).said[0]


def test_keys_are_cut_out_of_base64_whatever_stands_before_them() -> None:
    """Only those were found that begin a group of three bytes, as a key after "Bearer " does not."""
    redact = redactor([KEY])
    for before in (b"", b"Bearer ", b"key: ", b"user:12"):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            told = redact(b"x " + encode(before + KEY.encode() + b"!") + b" y")
            assert b"[key]" in told
            assert len(told) < len(before) * 2 + 20


def test_after_six_faults_in_a_row_the_model_is_left_alone(talk: Start) -> None:
    conversation = talk(["empty_content"]).batches(20)
    assert conversation.model.calls == 6
    assert conversation.said[-1].endswith("6 faults in a row, the last one empty reply")


def test_refused_key_ends_the_conversation_at_once(talk: Start) -> None:
    conversation = talk(["refuses_key"]).batches(5)
    assert conversation.model.calls == 1
    assert "Incorrect API key provided: [key]." in conversation.said[-1]


def test_redirects_are_not_followed(talk: Start) -> None:
    conversation = talk(["redirects"]).batches(2)
    assert len(conversation.server.script.requests) == 1


def test_ladder_goes_down_to_plain_text(talk: Start) -> None:
    conversation = talk(["refuses_format"]).batches(5)
    formats = [r.get("response_format", {}).get("type") for r in conversation.server.script.requests]
    assert formats[:3] == ["json_schema", "json_object", None]
    assert conversation.model.tried + conversation.model.known == 3


def test_a_model_that_repeats_itself_is_asked_less_and_less(talk: Start) -> None:
    conversation = talk(["same_again"]).batches(40)
    assert conversation.model.tried == 1
    assert conversation.model.known >= 2
    asked = [call.asked for call in conversation.calls]
    gaps = [after - before for before, after in itertools.pairwise(asked)]
    assert gaps[-1] >= 4 * gaps[0]
    assert "known already" in conversation.server.script.requests[-1]["messages"][-1]["content"]


def test_injected_text_is_refused_by_the_parser_and_told_back_in_one_line(talk: Start) -> None:
    conversation = talk(["injection", "good"]).batches(5)
    assert conversation.model.refused == 8
    assert not os.path.exists("/tmp/owned")
    (user,) = [m["content"] for m in conversation.server.script.requests[1]["messages"] if m["role"] == "user"]
    assert user.count("refused:") == 8
    assert user.replace("\n", "").isprintable()


def test_a_call_ends_at_its_limit_though_bytes_keep_coming() -> None:
    """Else its thread and its connection would outlive it, for as long as the server likes."""
    with Server(Script(["trickle"])) as server:
        endpoint = OpenAIEndpoint(server.url, KEY, SHORT_SECONDS)
        began = time.monotonic()
        answer = endpoint.send({"model": "m", "messages": [{"role": "user", "content": "?"}]})
        endpoint.close()
    assert answer.fault == "time-out"
    assert SHORT_SECONDS <= time.monotonic() - began < SLOW_SECONDS / 2


def test_an_endpoint_that_does_not_end_its_call_is_left_alone() -> None:
    """A server that trickles its headers keeps the client busy beyond any limit of its own."""
    stuck = threading.Event()
    pending = Pending(lambda request: Answer(200) if stuck.wait(30.0) else Answer(), {}, 0.1)
    assert pending.answer() is None
    while (answer := pending.answer(wait_seconds=5.0)) is None:
        assert pending.seconds < 5.0
    assert (answer.fault, answer.is_billed) == ("time-out", True)
    stuck.set()


def test_search_never_waits_where_it_need_not(talk: Start) -> None:
    conversation = talk(["time_out"], waits=False)
    began = time.monotonic()
    conversation.batches(20)
    assert time.monotonic() - began < SLOW_SECONDS / 2


def test_a_call_that_nobody_waited_for_is_counted_when_it_ends(talk: Start) -> None:
    conversation = talk(["time_out"], waits=False, limit_seconds=SHORT_SECONDS).batches(1)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not conversation.model.faults:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        conversation.batches(1)
    assert conversation.model.faults == {"time-out": 1}


def test_ctrl_c_ends_the_waiting(talk: Start) -> None:
    pressed: list[int] = []
    conversation = talk(["time_out"], interrupted=pressed).batches(1)
    threading.Timer(0.2, pressed.append, [1]).start()
    began = time.monotonic()
    conversation.batches(1)
    assert 0.1 < time.monotonic() - began < SLOW_SECONDS / 2
    assert not conversation.calls


def test_closing_leaves_a_call_under_way_and_counts_it(talk: Start) -> None:
    conversation = talk(["time_out"], waits=False).batches(1)
    began = time.monotonic()
    conversation.model.close()
    assert time.monotonic() - began < SLOW_SECONDS / 2
    (call,) = conversation.calls
    assert (call.fault, call.answered) == ("not waited for", -1)
    assert conversation.model.spent.tokens > 4000
    assert conversation.model.ledger.reserved.calls == 0
