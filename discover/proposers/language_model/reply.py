"""What a reply says, however it is wrapped: text out of the body, laws or notes out of the text.

In: bytes from a server, which may be anything. Out: content, usage, plain records; never an exception. Everything is
bounded: the bytes before they come here, then the length of the text, the number of laws, and each string.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import Any

from discover.proposers.language_model.call import Answer

MOST_CONTENT = 500_000  # characters of a reply that are looked at
MOST_LAWS = 12
MOST_NOTES = 5
_LONGEST_FORMULA = 600
_LONGEST_WORDS = 240
_MOST_TRIES = 200  # places of a text at which JSON is looked for
_MOST_TOKENS = 10**9
_BEGINS = re.compile(r'\{\s*"')  # of an object; formulas in LaTeX have many a brace

EMPTY, NOT_JSON, NOT_TEXT, NO_LAWS = "empty reply", "not JSON", "not UTF-8", "no laws in the reply"
ERROR = "error in the reply"


@dataclass(frozen=True)
class Content:
    """The text of a reply.

    Attributes:
        tokens_in, tokens_out: As the server counts; None where it does not say.
        fault: Why there is no text: "" where there is.
        detail: What the server says of its refusal, or why a message is empty, in a line.
    """

    text: str = ""
    tokens_in: int | None = None
    tokens_out: int | None = None
    fault: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Item:
    """One law of a reply, not parsed yet."""

    formula: str
    bounds: dict[str, tuple[float, float]]
    guess: dict[str, float]
    recipe: str = ""
    reason: str = ""


def content_of(answer: Answer) -> Content:
    """The text that an answer holds."""
    if answer.is_refusal:
        text = answer.body.decode("utf-8", "replace")
        return Content(fault=f"status {answer.status}", detail=_refusal(_read(text), text))
    if answer.fault:
        return Content(fault=answer.fault)
    try:
        text = answer.body.decode("utf-8")
    except UnicodeDecodeError:
        return Content(fault=NOT_TEXT)
    document = _read(text)
    if not text.strip():
        return Content(fault=EMPTY)
    if not isinstance(document, dict):
        return Content(fault=NOT_JSON)
    usage = document.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    counts = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if document.get("error") and not document.get("choices"):  # some say so with a status of 200
        return Content("", counts[0], counts[1], ERROR, _refusal(document, ""))
    choice = _first(document.get("choices"))
    message = choice.get("message")
    said = message.get("content") if isinstance(message, dict) else None
    if isinstance(said, list):  # parts, as some servers send them
        said = "".join(str(part.get("text", "")) for part in said if isinstance(part, dict))
    if not isinstance(said, str) or not said.strip():
        why = "its length was used up before; reply_tokens in a profile allows more"
        detail = why if choice.get("finish_reason") == "length" else ""
        if isinstance(message, dict) and message.get("refusal"):
            detail = words(message["refusal"], 160)
        return Content("", counts[0], counts[1], EMPTY, detail)
    said = said.rpartition("</think>")[2] or said  # what comes before is no answer
    return Content(said[:MOST_CONTENT], counts[0], counts[1])


def items_of(text: str) -> tuple[list[Item], int]:
    """The laws that a text gives, and how many more it had than are read.

    The ladder: a JSON document; JSON objects anywhere in the text, so that a reply cut short keeps its whole laws;
    lines that look like formulas.
    """
    found = _laws_in(_read(text))
    if not found:
        found = [o for o in _objects_in(text) if "expression" in o]
    items = [item for entry in found[:MOST_LAWS] if (item := _item(entry))]
    if not items and not found:
        lines = _formulas_in(text)
        return [Item(line, {}, {}) for line in lines[:MOST_LAWS]], max(len(lines) - MOST_LAWS, 0)
    return items, max(len(found) - MOST_LAWS, 0)


def notes_of(text: str) -> tuple[str, ...]:
    """The notes that a text gives: a JSON document with "notes", else its lines."""
    document = _read(text)
    if document is None:
        document = next((o for o in _objects_in(text) if "notes" in o), None)
    given = document.get("notes") if isinstance(document, dict) else document
    if not isinstance(given, list):
        given = [line for line in text.splitlines() if "=" not in line] if document is None else []
    said = [words(note).lstrip("-*0123456789. ") for note in given[:50] if isinstance(note, str)]
    return tuple(dict.fromkeys(note for note in said if len(note) > 8))[:MOST_NOTES]


def words(text: Any, longest: int = _LONGEST_WORDS) -> str:
    """Foreign prose as one line of printable ASCII, cut; nothing that moves a cursor or hides in the store."""
    if not isinstance(text, str):
        return ""
    plain = " ".join(re.sub(r"[^ -~]+", " ", text[: 4 * longest]).split())
    return plain if len(plain) <= longest else plain[: longest - 3] + "..."


def _read(text: str) -> Any:
    """The JSON document that a text is, fences of Markdown aside; None where it is none."""
    bare = text.strip()
    if fenced := re.match(r"```[a-z]*\s(.*?)(?:```|\Z)", bare, re.DOTALL):
        bare = fenced[1].strip()
    try:
        return json.loads(bare)
    except (ValueError, RecursionError):
        return None


def _objects_in(text: str) -> list[dict[str, Any]]:
    """JSON objects anywhere in a text, the innermost first where an outer one is cut short."""
    decoder = json.JSONDecoder()
    found: list[dict[str, Any]] = []
    place = 0
    for _ in range(_MOST_TRIES):
        begins = _BEGINS.search(text, place)
        if begins is None:
            break
        try:
            value, place = decoder.raw_decode(text, begins.start())
        except (ValueError, RecursionError):
            place = begins.start() + 1
            continue
        found.extend(_laws_in(value) or [value])
    return found


def _laws_in(document: Any) -> list[dict[str, Any]]:
    """The entries of "laws", or of a list, or a single law."""
    if isinstance(document, dict):
        if "expression" in document:
            return [document]
        document = document.get("laws")
    if not isinstance(document, list):
        return []
    entries = [{"expression": entry} if isinstance(entry, str) else entry for entry in document]
    return [entry for entry in entries if isinstance(entry, dict) and "expression" in entry]


def _formulas_in(text: str) -> list[str]:
    """Lines of plain text that may be formulas; the parser has the last word."""
    found = []
    for line in text.splitlines()[:200]:
        bare = re.sub(r"^[\s\-*>\d.)`]+", "", line[:_LONGEST_FORMULA]).strip(" `$;,")
        if re.search(r"[*/+^]", bare) and not re.search(r"[?!:;\"]", bare):
            found.append(_formula(bare))
    return found


def _item(entry: dict[str, Any]) -> Item | None:
    expression = entry.get("expression")
    if not isinstance(expression, str):
        return None
    bounds: dict[str, tuple[float, float]] = {}
    guess: dict[str, float] = {}
    given = entry.get("parameters")
    for parameter in given[:64] if isinstance(given, list) else []:
        name = parameter.get("name") if isinstance(parameter, dict) else None
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,63}", name):
            continue
        lower, upper = _number(parameter.get("lower")), _number(parameter.get("upper"))
        low = -math.inf if lower is None else lower
        high = math.inf if upper is None else upper
        if low < high and (lower, upper) != (None, None):
            bounds[name] = (low, high)
        start = _number(parameter.get("guess"))
        if start is not None and low < start < high:
            guess[name] = start
    return Item(_formula(expression), bounds, guess, words(entry.get("recipe"), 60), words(entry.get("reason")))


def _formula(text: str) -> str:
    """A formula as the parser reads it: without the left side, ** for ^; too long ones are left for it to refuse."""
    bare = text.strip()
    if bare.count("=") == 1:
        bare = bare.partition("=")[2]
    return " ".join(bare.replace("^", "**").split())


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e200 else None


def _count(value: Any) -> int | None:
    number = _number(value)
    return int(min(number, _MOST_TOKENS)) if number is not None and number >= 0 else None


def _first(choices: Any) -> dict[str, Any]:
    return choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}


def _refusal(document: Any, text: str) -> str:
    """What a server says of its refusal, in a line."""
    error = document.get("error", document.get("detail")) if isinstance(document, dict) else None
    said = error.get("message") if isinstance(error, dict) else error
    return words(said if isinstance(said, str) else text, 160)
