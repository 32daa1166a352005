"""`Call`: one request to a language model, what came back and what it cost; all that a replay needs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LAWS, CONCEPTS = "laws", "concepts"
TIME_OUT = "time-out"
NO_CONNECTION = "no connection"
DROPPED = "connection dropped"
TOO_LARGE = "reply too large"
ODD_ENCODING = "compressed reply"
NOT_AWAITED = "not waited for"


@dataclass(frozen=True)
class Answer:
    """What one HTTP request gave; a failure is a value, and no secret is left in it.

    Attributes:
        status: HTTP status; 0 where none came.
        body: As it came, at most `endpoint.MOST_BYTES`.
        fault: Why there is no usable body: "" for none.
        retry_after_seconds: What the server asked for; None where it did not.
        seconds: From sending to the last byte.
    """

    status: int = 0
    body: bytes = b""
    fault: str = ""
    retry_after_seconds: float | None = None
    seconds: float = 0.0

    @property
    def is_refusal(self) -> bool:
        """Whether the server said no, or sent us elsewhere."""
        return self.status != 0 and not 200 <= self.status < 300

    @property
    def is_billed(self) -> bool:
        """Whether the server may have charged for it: a refusal (4xx, 5xx) is free, silence is not."""
        return not (self.is_refusal or self.fault.startswith(NO_CONNECTION))


@dataclass(frozen=True)
class Call:
    """One request with its answer.

    Attributes:
        proposer: Such as "llm:gpt-5-mini".
        number: Counted from 1 for each proposer.
        kind: What was asked for: "laws" or "concepts".
        asked, answered: How many candidates the archive had when the request was made, and when the answer was read;
            `answered` is -1 where the run ended first.
        request: The request as JSON text, by which a replay is checked.
        tokens_in, tokens_out: As reported, or the most that it can have been.
        dollars: None where the price is not known.
        fault: What was wrong with the answer or its content: "" for nothing.
        laws: What became of each law in the reply: formula, key, verdict, reason.
        notes: What a reply about concepts said.
    """

    proposer: str
    number: int
    kind: str
    asked: int
    answered: int
    masked: bool
    request: str
    answer: Answer
    tokens_in: int
    tokens_out: int
    dollars: float | None
    fault: str = ""
    laws: tuple[Mapping[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def request_text(request: Mapping[str, Any]) -> str:
    """A request as the one JSON text that it is hashed and stored by."""
    return json.dumps(request, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def text_hash(text: str | bytes) -> str:
    """The name under which a request or reply is stored."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()
