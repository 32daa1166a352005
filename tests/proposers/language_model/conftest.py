"""A small archive, a scripted server, and a language model that talks to it over real HTTP."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from discover.archive import Archive
from discover.assessment import Job, assess
from discover.proposers import Proposal, portfolio_of
from discover.proposers.language_model import Call, LanguageModel, Ledger, Limits, Model, Price, endpoint_of
from discover.proposers.language_model.names import Names
from discover.scoring import Yardstick
from discover.task import Task, load_task

from .scripted_server import Script, Server

KEY = "sk-planted-0123456789abcdef/ABC+xyz"
RNG = np.random.default_rng(0)
PATIENCE_SECONDS = 20.0  # for a reply, on a machine that has other work


@pytest.fixture(autouse=True)
def _only_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture(scope="session")
def task() -> Task:
    return load_task("moe_scaling")


@pytest.fixture(scope="session")
def yardstick(task: Task) -> Yardstick:
    return Yardstick.of(task)


@pytest.fixture(scope="session")
def _filled(task: Task, yardstick: Yardstick) -> Archive:
    archive = Archive(spread=float(task.training.target.std()))
    rng = np.random.default_rng(3)
    for number, proposal in enumerate(portfolio_of(task, ("families",)).ask(16, archive, rng), 1):
        archive.add([assess(Job(number, proposal, 0), yardstick)])
    assert len(archive.elites) >= 8
    return archive


@pytest.fixture
def archive(_filled: Archive) -> Archive:
    """Sixteen candidates of `families`; its own copy for each test."""
    return copy.deepcopy(_filled)


def model_at(url: str, **changes: Any) -> Model:
    values: dict[str, Any] = {
        "name": "scripted",
        "profile": "other",
        "base_url": url,
        "key_env": "OPENAI_API_KEY",
        "needs_key": False,
        "token_limit": "max_tokens",
        "reply_format": "json_schema",
        "reply_tokens": 4000,
        "price": Price(1.0, 10.0),
    }
    return Model(**{**values, **changes})


@dataclass
class Talk:
    """A language model with its server, its calls and what it said."""

    model: LanguageModel
    server: Server
    archive: Archive
    calls: list[Call] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    asked_for: list[Proposal] = field(default_factory=list)

    def batches(self, count: int) -> Talk:
        """Asks as a search does that assesses nothing: the archive counts on, the answer is awaited."""
        for _ in range(count):
            while proposal := self.model.ask(self.archive, RNG):
                self.archive.reserve(f"{proposal.law.key} | {proposal.recipe.text}")
                self.asked_for.append(proposal)
            self.archive.count += 16
        return self


Start = Callable[..., Talk]


@pytest.fixture
def talk(task: Task, archive: Archive) -> Iterator[Start]:
    """Starts a conversation with a server that plays the acts."""
    started: list[Talk] = []

    def start(
        acts: Sequence[Any],
        limits: Limits | None = None,
        waits: bool = True,
        masked: bool = False,
        limit_seconds: float = PATIENCE_SECONDS,
        interrupted: Sequence[object] = (),
        **changes: Any,
    ) -> Talk:
        server = Server(Script(acts)).__enter__()
        calls: list[Call] = []
        said: list[str] = []
        model = model_at(server.url, **changes)
        inputs = list(Names(task, masked).inputs.values())
        language_model = LanguageModel(
            task,
            model,
            endpoint_of(model, limit_seconds, inputs, 6),
            Ledger(limits),
            limit_seconds=limit_seconds,
            masked=masked,
            waits=waits,
            keep=calls.append,
            say=said.append,
            interrupted=interrupted,
        )
        started.append(Talk(language_model, server, archive, calls, said))
        return started[-1]

    yield start
    for each in started:
        each.model.close()
        each.server.__exit__()
