"""One HTTP request through the `openai` client: bounded in time and bytes, and never an exception.

In: a request (the JSON body of a chat completion). Out: an `Answer`. The client's own retries are off, for each request
is counted; redirects are not followed, for the key would go along. The reply is read here, piece by piece, errors
included: the client itself would read an endless one to its end.
"""

from __future__ import annotations

import base64
import contextlib
import re
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from discover.proposers.language_model.call import (
    DROPPED,
    NO_CONNECTION,
    ODD_ENCODING,
    TIME_OUT,
    TOO_LARGE,
    Answer,
)

MOST_BYTES = 512_000  # of a reply; the laws that are asked for take about 4,000
_SHORTEST_SECRET = 8  # shorter keys are placeholders such as "EMPTY", and common words
_ESCAPED = re.compile(rb"\\+u00([0-9a-fA-F]{2})")
_GRACE_SECONDS = 0.5  # for the endpoint to report its own time-out, before it is left alone


class Endpoint(Protocol):
    """Where requests go."""

    def send(self, request: Mapping[str, Any]) -> Answer: ...

    def close(self) -> None: ...


class OpenAIEndpoint:
    """A server that speaks OpenAI's chat completions.

    Args:
        base_url: Such as "http://127.0.0.1:8000/v1".
        key: Sent to the server, and cut out of whatever it says.
        limit_seconds: For one request, from its start to the last byte of the reply.
        secrets: What else must never be kept.
    """

    def __init__(self, base_url: str, key: str, limit_seconds: float, secrets: Iterable[str] = ()) -> None:
        self._base_url, self._key, self._limit = base_url, key, limit_seconds
        self._redact = redactor([key, *secrets])
        self._heard = threading.local()
        self._client = self._connected()

    def send(self, request: Mapping[str, Any]) -> Answer:
        """The answer to one request; may be called from several threads."""
        began = time.monotonic()
        self._heard.reply = reply = _Reply(began + self._limit)
        fault = ""
        try:
            with self._client.chat.completions.with_streaming_response.create(**_arguments(request)):
                pass
        except Exception as error:
            fault = reply.fault or _fault_of(error)
        seconds = time.monotonic() - began
        if reply.is_whole:  # then whatever the client made of it does not matter
            return Answer(reply.status, self._redact(reply.body), "", reply.retry_after_seconds, seconds)
        return Answer(reply.status, b"", fault or DROPPED, reply.retry_after_seconds, seconds)

    def _connected(self) -> Any:
        import openai  # 1 s, before the clock of any request runs

        http = openai.DefaultHttpxClient(
            event_hooks={"response": [lambda response: self._heard.reply.read(response)]},
            follow_redirects=False,
            timeout=self._limit,
        )
        return openai.OpenAI(
            api_key=self._key or "none",
            base_url=self._base_url,
            timeout=self._limit,
            max_retries=0,
            http_client=http,
            default_headers={"Accept-Encoding": "identity"},
        )

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._client.close()


class _Reply:
    """What is heard of one reply, read within its bounds before the client sees it."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.status, self.body, self.fault = 0, b"", ""
        self.retry_after_seconds: float | None = None
        self.is_whole = False

    def read(self, response: Any) -> None:
        self.status = int(response.status_code)
        self.retry_after_seconds = _seconds(response.headers.get("retry-after"))
        if response.headers.get("content-encoding", "identity").strip().lower() != "identity":
            self._refuse(ODD_ENCODING)  # none was asked for: a small one may unpack to gigabytes
        parts: list[bytes] = []
        size = 0
        for part in response.iter_raw():
            size += len(part)
            parts.append(part)
            if size > MOST_BYTES:
                self._refuse(TOO_LARGE)
            if time.monotonic() > self.deadline:
                self._refuse(TIME_OUT)
        self.body, self.is_whole = b"".join(parts), True

    def _refuse(self, fault: str) -> None:
        self.fault = fault
        raise ValueError(fault)


class Pending:
    """A request under way in a thread of its own, which nobody has to wait for.

    When the time limit has passed the answer is a time-out, whatever the thread still does: it is a daemon, and ends
    with its own limits or with the process.
    """

    def __init__(self, send: Callable[[Mapping[str, Any]], Answer], request: Mapping[str, Any], limit: float) -> None:
        self._answer: Answer | None = None
        self._done = threading.Event()
        self._began, self._limit = time.monotonic(), limit + _GRACE_SECONDS

        def work() -> None:
            try:
                self._answer = send(request)
            except Exception as error:  # an endpoint that breaks its promise
                self._answer = Answer(fault=f"{NO_CONNECTION} ({type(error).__name__})")
            self._done.set()

        threading.Thread(target=work, daemon=True, name="language model").start()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def answer(self, wait_seconds: float = 0.0) -> Answer | None:
        """The answer; None while there is none after `wait_seconds`."""
        left = self._limit - self.seconds
        if self._done.wait(max(min(wait_seconds, left), 0.0)):
            return self._answer
        return Answer(fault=TIME_OUT, seconds=self.seconds) if self.seconds >= self._limit else None


def redactor(secrets: Iterable[str]) -> Callable[[bytes], bytes]:
    """A function that cuts secrets out of bytes, also where they are escaped, quoted for a URL or in base64."""
    forms: set[bytes] = set()
    for secret in secrets:
        raw = secret.encode()
        if len(raw) >= _SHORTEST_SECRET:
            forms |= {raw, urllib.parse.quote(secret, safe="").encode()}
            for before in range(3):  # base64 spells the same bytes in three ways, by what stands before them
                coded = base64.b64encode(bytes(before) + raw)[(0, 2, 3)[before] : (before + len(raw)) * 4 // 3]
                forms |= {coded, coded.translate(bytes.maketrans(b"+/", b"-_"))}
    if not forms:
        return lambda body: body
    pattern = re.compile(b"|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))

    def redact(body: bytes) -> bytes:
        # A server may spell the key with escapes of JSON, at any depth; then the whole body is taken without them.
        plain = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), body).replace(b"\\/", b"/")
        return pattern.sub(b"[key]", plain if pattern.search(plain) else body)

    return redact


def _fault_of(error: Exception) -> str:
    """What failed, by the names that every HTTP client gives its errors; their texts may hold anything."""
    names = f"{type(error).__name__} {type(error.__cause__).__name__}"
    if "Timeout" in names:
        return TIME_OUT
    return NO_CONNECTION if "ConnectError" in names or "UnicodeE" in names else DROPPED


def _arguments(request: Mapping[str, Any]) -> dict[str, Any]:
    """The request as arguments of the client: what every version of it knows by name, and the rest beside it."""
    named = {name: request[name] for name in ("model", "messages") if name in request}
    return {**named, "extra_body": {name: value for name, value in request.items() if name not in named}}


def _seconds(text: str | None) -> float | None:
    """Retry-After as seconds, from a number or a date."""
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return seconds if 0.0 <= seconds < 1e9 else None
