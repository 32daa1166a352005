"""Replies of any shape: what is taken out of them, and that nothing in them raises."""

from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discover.proposers.language_model.call import Answer
from discover.proposers.language_model.endpoint import redactor
from discover.proposers.language_model.names import Names
from discover.proposers.language_model.reply import MOST_LAWS, MOST_NOTES, content_of, items_of, notes_of
from discover.proposers.language_model.suggestion import Suggestion, suggestion_of
from discover.task import Task, load_task


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ('{"laws": [{"expression": "A*x"}, {"expression": "y = B*x^2"}]}', ["A*x", "B*x**2"]),
        ('[{"expression": "A*x"}]', ["A*x"]),
        ('{"expression": "A*x"}', ["A*x"]),
        ('{"laws": ["A*x", "B + x"]}', ["A*x", "B + x"]),
        ('```json\n{"laws": [{"expression": "A*x"}]}\n```', ["A*x"]),
        ('Here: {"laws": [{"expression": "A*x"}]} - enjoy {"mood": "good"}', ["A*x"]),
        ('{"laws": [{"expression": "A*x"}, {"expression": "B*', ["A*x"]),
        ("The laws are:\n1. `A*x + B`\n2) L(x) = C*x^k", ["A*x + B", "C*x**k"]),
        ("I cannot help with that.", []),
        ('{"laws": "none"}', []),
        ("null", []),
    ],
)
def test_laws_are_found_however_they_are_wrapped(text: str, formulas: list[str]) -> None:
    items, left_out = items_of(text)
    assert [item.formula for item in items] == formulas
    assert left_out == 0


def test_bounds_and_guesses_that_make_no_sense_are_left_out() -> None:
    parameters = [
        {"name": "a", "lower": 0, "upper": 1, "guess": 0.5},
        {"name": "b", "lower": 2, "upper": 1, "guess": 1.5},
        {"name": "c", "lower": None, "upper": 1, "guess": 7},
        {"name": "d; import os", "lower": 0, "upper": 1},
        {"name": "e", "lower": True, "guess": "3"},
        {"name": "f", "lower": -math.inf, "upper": 10**400, "guess": math.nan},
        "g",
    ]
    (item,), _ = items_of(json.dumps({"expression": "a*x", "parameters": parameters}))
    assert item.bounds == {"a": (0.0, 1.0), "c": (-math.inf, 1.0)}
    assert item.guess == {"a": 0.5}


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda t: json.dumps({"choices": t}).encode()))
def test_no_bytes_raise(body: bytes) -> None:
    content = content_of(Answer(200, body))
    assert content.fault or content.text


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["laws", "expression", "parameters", "name", "guess", "lower", "notes", "reason"]), inner
        )
    ),
    max_leaves=12,
)
TASK = load_task("moe_scaling")


@settings(max_examples=60, deadline=None)
@given(json_values | st.text(max_size=200))
def test_no_content_raises(value: object) -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    items, _ = items_of(text)
    assert len(items) <= MOST_LAWS
    assert len(notes_of(text)) <= MOST_NOTES
    names = Names(TASK, masked=False)
    for item in items:
        found = suggestion_of(item, TASK, names)
        assert isinstance(found, Suggestion) or found.isprintable()


@pytest.mark.parametrize(
    "text",
    ["{" * 400_000, '{"a":' * 100_000, "[" * 400_000, '{"expression": "' + "A" * 400_000, "x" * 400_000, "9" * 400_000],
)
def test_hostile_texts_are_read_in_little_time(text: str) -> None:
    began = time.process_time()
    items_of(text)
    notes_of(text)
    assert time.process_time() - began < 20.0


def suggested(task: Task, expression: str, **entries: object) -> Suggestion | str:
    (item,), _ = items_of(json.dumps({"expression": expression, **entries}))
    return suggestion_of(item, task, Names(task, False))


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("E + A*bananas(num_experts)", "unknown function 'bananas'"),
        ("A + B", "reads no input"),
        ("+".join(f"k{n}*num_experts**{n}" for n in range(2, 12)), "10 parameters, at most 6"),
        ("exp(exp(exp(exp(A*num_experts))))", "more than three deep"),
        ("num_experts + dense_params", "no parameter"),
        ("A*num_experts" + " + num_experts*dense_params" * 60, "too long"),
    ],
)
def test_refusals_say_what_is_wrong(task: Task, expression: str, told: str) -> None:
    found = suggested(task, expression)
    assert isinstance(found, str)
    assert told in found


def test_recipes_are_hints(task: Task) -> None:
    assert suggested(task, "A*num_experts", recipe="log weight=0.5").recipe.text == "log weight=0.5"  # type: ignore[union-attr]
    for hint in ("logg", "log weight=nan", "log weight=1e9", "log; rm -rf", {"loss": "log"}, 7):
        assert suggested(task, "A*num_experts", recipe=hint).recipe.text == "squared"  # type: ignore[union-attr]


def test_parameters_that_do_the_work_of_others_are_dropped_with_their_guesses(task: Task) -> None:
    parameters = [{"name": "A", "guess": 2.0}, {"name": "B", "guess": 3.0}, {"name": "k", "guess": 0.5}]
    found = suggested(task, "A*B*num_experts**k", parameters=parameters)
    assert isinstance(found, Suggestion)
    assert str(found.law) == "A*num_experts**k"
    assert found.guess == {"A": 2.0, "k": 0.5}


def test_keys_are_cut_out_in_every_spelling() -> None:
    key = "sk-aB3/dE+fG=hI9"
    redact = redactor([key, "short"])
    escaped = "".join(f"\\u{ord(c):04x}" for c in key)
    for spelled in (key, "sk-aB3%2FdE%2BfG%3DhI9", escaped, escaped.replace("\\", "\\\\\\"), key.replace("/", "\\/")):
        assert redact(f'{{"said": "{spelled}!"}}'.encode()) == b'{"said": "[key]!"}'
    assert redact(b"short") == b"short"
