"""Whole runs with a language model: what they keep, what they show, and their replay without a network."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import random
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import Result

from discover.archive import Archive, Candidate
from discover.errors import DiscoverError
from discover.evolution import NOTHING, Budget, Past, Search
from discover.proposers.language_model import Call, LanguageModel, Ledger, endpoint_of
from discover.store import Candidacy, Store, calls_of
from discover.task import Task, load_task
from tests.cli.conftest import invoke, write_task

from .conftest import KEY, Start, Talk, model_at
from .scripted_server import Script, Server

ACTS = ("good", "echoes_key", "injection", "truncated_laws", "good")
BUDGET = "112"
PLAIN = ("families", "mutation")  # the quickest


@dataclass
class Finished:
    store: Path
    task: Path
    result: Result
    run: str


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    """A run with two models; its server is gone afterwards."""
    folder = tmp_path_factory.mktemp("llm")
    task = write_task(folder / "widgets_scaling")
    store = folder / "results" / "runs.sqlite"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NO_PROXY", "127.0.0.1")
        patch.setenv("OPENAI_API_KEY", KEY)
        with Server(Script(ACTS)) as server:
            result = invoke(
                "run", task, "--budget", BUDGET, "--seed", 2, "--workers", 1, "--store", store,
                "--proposers", "families,mutation", "--llm", "first",
                "--llm", "second", "--llm-base-url", server.url, "--max-calls", 6,
            )  # fmt: skip
            assert server.script.keys
            assert set(server.script.keys) == {KEY}
    assert result.exit_code == 0, result.output
    with Store(store) as opened:
        yield Finished(store, task, result, opened.runs()[0].id)


def candidates_of(store: Path, run: str) -> list[tuple[object, ...]]:
    with Store(store) as opened:
        found = opened.candidates(run)
    return [(c.number, c.formula, c.recipe, c.proposer, c.parents, repr(c.validation), c.status) for c in found]


def test_run_says_that_models_join_and_what_they_did(finished: Finished) -> None:
    told = finished.result.stderr
    assert "llm:first joins the search, at http://127.0.0.1:" in told
    assert "at most 6 calls" in told
    assert "llm:second: " in told
    proposers = {row[3] for row in candidates_of(finished.store, finished.run)}
    assert {"llm:first", "llm:second"} <= proposers


def test_no_call_is_made_whose_answer_nobody_could_read(finished: Finished) -> None:
    """The last batch of a number of candidates was asked for with a call that was paid for and not waited for."""
    with Store(finished.store) as store:
        calls = calls_of(store, finished.run)
    assert calls
    assert all(0 <= call.asked < call.answered for call in calls)
    assert max(call.asked for call in calls) < int(BUDGET) - 32


def test_each_request_and_reply_is_kept_by_hash(finished: Finished) -> None:
    with Store(finished.store) as store:
        calls = calls_of(store, finished.run)
        with store.reading() as db:
            texts = dict(db.execute("SELECT hash, content FROM language_model_texts"))
    assert {call.proposer for call in calls} == {"llm:first", "llm:second"}
    assert len(calls) <= 6
    assert all(hashlib.sha256(content).hexdigest() == name for name, content in texts.items())
    assert json.loads(calls[0].request)["messages"][0]["role"] == "system"
    verdicts = {law["verdict"].split(":")[0] for call in calls for law in call.laws}
    assert "to be tried" in verdicts


def test_key_is_nowhere(finished: Finished) -> None:
    for path in finished.store.parent.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert KEY.encode() not in content, path
            assert KEY[3:].encode() not in content, path
    assert KEY not in finished.result.output
    assert KEY not in finished.result.stderr
    told = invoke("run", finished.task, "--llm", "x", "--llm-base-url", "http://u:p@h", "--store", finished.store)
    assert KEY not in told.output


def test_leaderboard_shows_what_each_law_cost(finished: Finished) -> None:
    folder = finished.store.parent / "widgets_scaling"
    rows = json.loads((folder / "leaderboard.json").read_text())
    costs = [row["cost"] for row in rows if row["origin"] == "discovered"]
    assert all(set(cost) == {"calls", "tokens", "seconds", "dollars"} for cost in costs)
    with Store(finished.store) as store:
        spent = sum(call.tokens_in + call.tokens_out for call in calls_of(store, finished.run))
    assert 0 <= max(cost["tokens"] for cost in costs) <= spent
    for row in rows:
        if row["origin"] == "discovered" and row["proposer"].startswith("llm:"):
            assert row["cost"]["calls"] > 0
    page = (folder / "leaderboard.md").read_text()
    assert "| cost |" in page
    assert "## Language models" in page
    assert "| `llm:first` | as they are |" in page


def test_replay_repeats_a_run_byte_for_byte_without_a_network(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setattr("socket.socket.connect", lambda *a: pytest.fail("a replay reached for the network"))
    page = finished.store.parent / "widgets_scaling" / "leaderboard.json"
    before = page.read_text()
    result = invoke("run", finished.task, "--replay", finished.run, "--workers", 1, "--store", finished.store)
    assert result.exit_code == 0, result.output
    assert f"stored replies of run {finished.run}" in result.stderr
    assert "PySR is absent" not in result.stderr  # who proposes is known
    with Store(finished.store) as store:
        again = store.runs()[0].id
        assert again != finished.run
        assert calls_of(store, again) == calls_of(store, finished.run)
    assert candidates_of(finished.store, again) == candidates_of(finished.store, finished.run)
    assert page.read_text().replace(again, finished.run) == before


def test_replay_refuses_what_it_cannot_repeat(finished: Finished, tmp_path: Path) -> None:
    unknown = invoke("run", finished.task, "--replay", "20200101-000000-abcd", "--store", finished.store)
    assert (unknown.exit_code, "no such run" in unknown.stderr) == (2, True)
    other = write_task(tmp_path / "widgets_scaling")
    points = other / "points.csv"
    points.write_text(points.read_text().replace("a,10000000,1000000000,", "a,10000000,1000000000,1"))
    changed = invoke("run", other, "--replay", finished.run, "--store", finished.store)
    assert (changed.exit_code, "other rows" in changed.stderr) == (2, True)
    both = invoke("run", finished.task, "--replay", finished.run, "--llm", "x", "--llm-base-url", "http://h/v1")
    assert (both.exit_code, "--llm cannot be given with --replay" in both.stderr) == (2, True)


def test_a_request_that_differs_in_a_byte_ends_a_replay(talk: Start, archive: Archive) -> None:
    before = copy.deepcopy(archive)
    conversation = talk(["good"]).batches(3)
    (call, *_) = conversation.calls

    def replay(recorded: Call) -> Talk:
        follows = LanguageModel(load_task("moe_scaling"), conversation.model.model, None, Ledger(), recorded=[recorded])
        return Talk(follows, conversation.server, copy.deepcopy(before)).batches(3)

    assert replay(call).model.tried == 3
    with pytest.raises(DiscoverError, match="call 1 of llm:scripted would ask something else"):
        replay(replace(call, request=call.request.replace("R2", "r2", 1)))


def test_a_call_that_was_left_alone_counts_where_the_run_goes_on_and_in_its_replay(
    talk: Start, archive: Archive
) -> None:
    """A run killed in its final round has such a call; its cost was forgotten, and a replay stopped following there."""
    before = copy.deepcopy(archive)
    conversation, others = talk(["time_out"], waits=False).batches(1), talk(["good"])
    conversation.model.close()
    (left,) = conversation.calls
    assert (left.answered, left.tokens_out) == (-1, 4000)

    def goes_on(url: str, recorded: list[Call]) -> tuple[Talk, list[Call]]:
        endpoint = endpoint_of(model_at(url), 20.0, [], 6) if url else None
        calls: list[Call] = []
        model = LanguageModel(
            conversation.model._task, conversation.model.model, endpoint, Ledger(), waits=True, recorded=recorded,
            keep=calls.append,
        )  # fmt: skip
        found = Talk(model, conversation.server, copy.deepcopy(before)).batches(3)
        model.close()
        return found, calls

    resumed, calls = goes_on(others.server.url, [left])
    assert [call.answered < 0 for call in calls[:2]] == [True, False]
    assert resumed.model.spent.tokens == sum(call.tokens_in + call.tokens_out for call in calls)
    assert resumed.model.ledger.spent == resumed.model.spent
    replayed, again = goes_on("", calls)
    assert again == calls
    assert [str(p.law) for p in replayed.asked_for] == [str(p.law) for p in resumed.asked_for] != []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--llm", "gpt-5-mini"), "OPENAI_API_KEY is not set"),
        (("--llm", "olama/x"), "did you mean 'ollama'"),
        (("--llm", "m", "--llm-base-url", "http://127.0.0.1:9/v1", "--max-cost", "1"), "the price of m is not known"),
        (("--llm", "ollama/m", "--llm", "vllm/m"), "m is there twice"),
        (("--llm", "ollama/m") * 5, "5 models; at most 4 share a run"),
        (("--llm", "ollama/m", "--llm-profiles", "/nowhere.toml"), "no file of profiles"),
    ],
)
def test_mistakes_are_told_before_a_run_begins(
    options: tuple[str, ...], told: str, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    result = invoke("run", finished.task, *options, "--store", tmp_path / "s.sqlite")
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert not (tmp_path / "s.sqlite").exists()


def searched(
    task: Task, url: str, calls: list[Call], stop_after: int = 10**9, past: Past = NOTHING, late: int = 0
) -> dict[int, Candidacy]:
    """The candidates of a search of 96 with a model, by number; left as if killed after `stop_after` of them.

    With `late` nothing is awaited, and the first answer comes when so many candidates were tried.
    """
    kept = dict(past.kept)
    recorded, stored = list(calls), {call.number for call in calls}
    model = model_at(url or "http://nowhere")
    endpoint = endpoint_of(model, 20.0, [], 6) if url else None
    may_answer = threading.Event()
    if late and endpoint is not None:
        send = endpoint.send
        endpoint.send = lambda request: may_answer.wait(20.0) and send(request)  # type: ignore
    thinks = LanguageModel(
        task, model, endpoint, Ledger(), waits=not late, recorded=recorded,
        keep=lambda call: None if call.number in stored else calls.append(call),
        live_from=max(-(-len(kept) // 16) - 2, 0) * 16,
    )  # fmt: skip

    class Killed(BaseException):
        """Not to be caught by anything."""

    def keep(candidate: Candidate) -> None:
        if len(kept) == stop_after:
            thinks.close = lambda: None  # type: ignore[method-assign]  # what is killed writes nothing any more
            raise Killed
        kept[candidate.number] = Candidacy.of(candidate)
        if candidate.number == late:
            may_answer.set()
            time.sleep(0.5)  # for the answer to arrive before the next batch is asked for

    with contextlib.suppress(Killed):
        search = Search(task, Budget(candidates=96), 0, None, PLAIN, keep=keep, past=past, joining=[thinks])
        for _ in search.generations():
            pass
    return kept


def found(candidates: Mapping[int, Candidacy]) -> list[tuple[object, ...]]:
    return [(c.number, c.formula, c.recipe, c.proposer, repr(c.validation), c.status) for c in candidates.values()]


@pytest.mark.parametrize("before", [1, -1])
def test_a_killed_run_goes_on_with_its_recorded_calls(finished: Finished, before: int) -> None:
    task = load_task(finished.task)
    with Server(Script(["thoughtful"])) as server:
        whole: list[Call] = []
        expected = found(searched(task, server.url, whole))
        stop_after = whole[before].asked - 6  # that call is yet to be made
        calls: list[Call] = []
        kept = searched(task, server.url, calls, stop_after)
        assert len(kept) == stop_after
        made = len(server.script.requests)
        resumed = searched(task, server.url, calls, past=Past(kept))
        assert len(server.script.requests) > made
    assert found(resumed) == expected
    assert any(row[3] == "llm:scripted" for row in expected)
    assert [(c.number, c.asked, c.request) for c in calls] == [(c.number, c.asked, c.request) for c in whole]


def test_requests_of_a_search_do_not_change_when_the_held_out_rows_are_noise(
    finished: Finished, tmp_path: Path
) -> None:
    """Prices of the held-out sizes, their amounts of data, and how many they are: nothing of it is in any request."""
    other = write_task(tmp_path / "widgets_scaling")
    points, rng = other / "points.csv", random.Random(0)
    lines = points.read_text().splitlines()
    kept = [line for line in lines if line.split(",")[1] != "1000000000"]
    assert len(kept) < len(lines)
    noise = [
        f"{rng.choice('ab')},{rng.uniform(1e9, 9e9):.0f},{rng.uniform(1e6, 1e12):.0f},{rng.random()}" for _ in "12345"
    ]
    points.write_text("\n".join([*kept, *noise]) + "\n")
    told = []
    for folder in (finished.task, other):
        calls: list[Call] = []
        with Server(Script(["thoughtful"])) as server:
            candidates = found(searched(load_task(folder), server.url, calls))
        told.append(([call.request for call in calls], candidates))
    assert len(told[0][0]) >= 3
    assert told[0] == told[1]


def test_answers_that_came_when_they_came_are_replayed_at_the_same_candidates(finished: Finished) -> None:
    """A run with a budget in seconds does not wait, so the clock decides which batch an answer reaches."""
    task = load_task(finished.task)
    calls: list[Call] = []
    with Server(Script(["thoughtful"])) as server:
        expected = found(searched(task, server.url, calls, late=40))
    assert calls[0].answered - calls[0].asked > 16
    assert calls[0].laws
    assert found(searched(task, "", calls, late=40)) == expected


def test_a_server_that_is_not_there_does_not_stop_a_search(finished: Finished) -> None:
    task, said = load_task(finished.task), []
    model = model_at("http://127.0.0.1:9/v1")
    nobody = LanguageModel(task, model, endpoint_of(model, 20.0, [], 6), Ledger(), waits=True, say=said.append)
    for _ in Search(task, Budget(candidates=64), 0, None, PLAIN, joining=[nobody]).generations():
        pass
    assert said[0] == "llm:scripted: no connection; the search goes on"
    assert nobody.faults["no connection"] >= 1
    assert nobody.spent.tokens == 0
