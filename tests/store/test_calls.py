"""What laws cost: shares of the calls that they, and the laws they were made from, came of."""

from __future__ import annotations

from pathlib import Path

from discover.proposers.language_model import Answer, Call
from discover.store import Candidacy, Store, add_call, calls_of
from discover.store.calls import Cost, costs_of, with_costs


def call(number: int, keys: tuple[str, ...], tokens: int, dollars: float | None, refused: int = 0) -> Call:
    laws = [{"formula": f"f{key}", "key": key, "verdict": "to be tried", "reason": f"of {key}"} for key in keys]
    laws += [{"formula": "?", "key": "", "verdict": "refused: no law", "reason": ""}] * refused
    answer = Answer(200, b"reply", "", None, 2.0)
    return Call("llm:m", number, "laws", 0, 16, False, f"ask {number}", answer, tokens, 0, dollars, "", tuple(laws))


def candidate(number: int, key: str, proposer: str, *parents: int) -> Candidacy:
    return Candidacy(number, f"f{key}", "log", key, proposer, parents)


def filled(store: Store) -> str:
    """Laws 1 and 2 of one call, 3 of another; 4 comes of 1, 5 of 1 and 4 and 3; 6 of nothing that was paid for."""
    run = store.start_run(task="t", folder="f", digest="d", seed=0, budget="9", options={})
    store.add_candidates(run, [
        candidate(1, "a", "llm:m"), candidate(2, "b", "llm:m"), candidate(3, "c", "llm:m"),
        candidate(4, "d", "mutation", 1), candidate(5, "e", "crossover", 4, 1, 3), candidate(6, "a ", "families"),
    ])  # fmt: skip
    add_call(store, run, call(1, ("a", "b"), 1000, 0.5, refused=3))
    add_call(store, run, call(2, ("c",), 300, None))
    return run


def test_a_call_is_shared_by_the_laws_to_be_tried_and_each_ancestor_counts_once(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite", create=True) as store:
        costs = costs_of(store, filled(store))
    half = Cost(0.5, 500.0, 1.0, 0.25)
    assert [costs[f"f{key}", "log"] for key in "abd"] == [half] * 3
    assert costs["fc", "log"] == Cost(1.0, 300.0, 2.0, None)
    assert costs["fe", "log"] == Cost(1.5, 800.0, 3.0, None)  # its price is not known in full
    assert costs["fa ", "log"] == Cost()


def test_rows_of_discovered_laws_tell_cost_and_the_models_reason(tmp_path: Path) -> None:
    rows = [
        {"origin": "discovered", "formula": "fa", "recipe": "log", "proposer": "llm:m"},
        {"origin": "discovered", "formula": "fd", "recipe": "log", "proposer": "mutation"},
        {"origin": "human", "formula": "fa", "recipe": "log", "proposer": ""},
    ]
    with Store(tmp_path / "s.sqlite", create=True) as store:
        found = with_costs(store, filled(store), rows)
    assert [row.get("reason") for row in found] == ["of a", "", None]
    assert [row.get("cost", {}).get("tokens") for row in found] == [500.0, 500.0, None]


def test_calls_come_back_as_they_were_kept(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite", create=True) as store:
        first, second = calls_of(store, filled(store))
    assert (first.request, first.reply, first.laws[0]["key"], first.dollars) == ("ask 1", b"reply", "a", 0.5)
    assert (second.number, second.dollars, second.masked) == (2, None, False)
