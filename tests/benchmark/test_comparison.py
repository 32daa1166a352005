"""Arms with the same budget side by side: what they reached, what they spent, and when they had reached it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from discover.benchmark import Asked, comparison, comparison_text, read_figures, refuse_other_arms, write_page
from discover.benchmark.curve import curve, spent
from discover.errors import DiscoverError
from discover.store import Batch, Candidacy, StoredCall

LIMITS = {"calls": 50, "tokens": None, "dollars": 0.5}
MODELS = {"models": ["openai/gpt-5-mini"], "masked": False, "limits": LIMITS}


def batch(number: int, seconds: float, candidates: int) -> Batch:
    return Batch(number, seconds, candidates, {}, {}, ())


def candidate(number: int, r2: float, status: str = "ok") -> Candidacy:
    return Candidacy(number, "E", "log", "k", "families", validation={"r2": r2}, status=status)


def call(answered: int, tokens: int, dollars: float | None, fault: str = "") -> StoredCall:
    return StoredCall(
        "llm:m", 1, "laws", 0, answered, False, "", b"", 200, "", None, 2.0, tokens, 10, dollars, fault, (), ()
    )


def line(*points: tuple[int, float, int, float | None, float]) -> dict[str, list[Any]]:
    names = ("candidates", "seconds", "tokens", "dollars", "validation_r2")
    return {name: list(column) for name, column in zip(names, zip(*points, strict=True), strict=True)}


def figure(arm: str, seed: int, held_out: float, task: str = "moe", **changes: Any) -> dict[str, Any]:
    return {
        "task": task, "seed": seed, "arm": arm, "budget": "64", "seconds": 10.0, "candidates": 64, "formula": "E",
        "recipe": "log", "validation_r2": 0.9, "held_out_r2": held_out, "proposers": ["families"], **changes,
    }  # fmt: skip


PAID = {"calls": 4, "failed": 1, "tokens": 4000, "seconds": 8.0, "dollars": 0.04}
FIGURES = [
    figure("none", 0, 0.5, curve=line((16, 2.0, 0, 0.0, 0.6), (64, 10.0, 0, 0.0, 0.8))),
    figure("none", 1, 0.6, curve=line((16, 2.0, 0, 0.0, 0.4), (64, 10.0, 0, 0.0, 0.6))),
    figure("llm", 0, 0.7, spent=PAID, language_models=MODELS, seconds=20.0,
           curve=line((16, 2.0, 0, 0.0, 0.6), (32, 8.0, 1000, 0.01, 0.8), (64, 20.0, 4000, 0.04, 0.9))),
    figure("llm", 1, -7.0, spent=PAID | {"dollars": 0.02}, language_models=MODELS, seconds=20.0,
           curve=line((16, 2.0, 0, 0.0, 0.4), (64, 20.0, 2000, 0.02, 0.9))),
]  # fmt: skip


def test_curve_tells_what_was_spent_when_the_best_validation_score_rose():
    batches = [batch(1, 1.0, 2), batch(2, 2.0, 4), batch(3, 3.0, 6), batch(4, 4.0, 8)]
    candidates = [candidate(n, r2) for n, r2 in enumerate((0.1, 0.5, 0.4, 0.5, 0.2, 0.7, 0.6, 0.1), 1)]
    calls = [call(3, 90, 0.25), call(6, 190, 0.5), call(-1, 90, 0.25)]
    assert curve(batches, candidates, calls) == {
        "candidates": [2, 6, 8],  # the second batch brought nothing better, the last one is the end
        "seconds": [1.0, 3.0, 4.0],
        "tokens": [0, 300, 400],  # what nobody waited for is paid at the end
        "dollars": [0.0, 0.75, 1.0],
        "validation_r2": [0.5, 0.7, 0.7],
    }


def test_curve_counts_laws_that_could_be_fitted_only():
    candidates = [candidate(1, 0.9, "poor fit"), candidate(2, float("nan")), candidate(3, float("-inf"))]
    assert curve([batch(1, 1.0, 3)], candidates, [])["validation_r2"] == []
    assert curve([batch(1, 1.0, 4)], [*candidates, candidate(4, 0.2)], [])["validation_r2"] == [0.2]


def test_money_is_unknown_from_the_first_call_of_unknown_price_on():
    batches, candidates = [batch(1, 1.0, 1), batch(2, 2.0, 2)], [candidate(1, 0.1), candidate(2, 0.2)]
    assert curve(batches, candidates, [call(2, 90, None)])["dollars"] == [0.0, None]
    told = spent([call(2, 90, None, "time-out"), call(4, 40, 0.5)])
    assert told == {"calls": 2, "failed": 1, "tokens": 150, "seconds": 4.0, "dollars": None}


def test_arms_are_compared_by_task_with_what_a_run_spent():
    found = comparison(FIGURES)
    none, llm = found["rows"]
    assert (none["task"], none["arm"], none["runs"], none["calls"], none["dollars"]) == ("moe", "none", 2, 0, 0.0)
    assert none["held_out_r2"] == pytest.approx({"mean": 0.55, "sd": 0.0707107}, abs=1e-6)
    assert llm["held_out_r2"]["mean"] == pytest.approx(-0.15)  # -7 counts as -1
    spending = [llm[name] for name in ("seconds", "candidates", "calls", "failed", "tokens", "dollars")]
    assert spending == pytest.approx([20, 64, 4, 1, 4000, 0.03])
    (gain,) = found["gains"]
    assert (gain["arm"], gain["pairs"]) == ("llm", 2)
    assert (gain["mean"], gain["standard_error"]) == pytest.approx((-0.7, 0.9))  # of 0.2 and -1.6
    assert found["baseline"] == "none"
    assert found["arms"]["llm"] == {"proposers": ["families"], "language_models": MODELS}


def test_scores_are_shown_against_candidates_seconds_and_money():
    curves = comparison(FIGURES)["curves"]
    assert list(curves) == ["candidates", "seconds", "dollars"]
    reached = {unit: {row["arm"]: row["validation_r2"] for row in rows} for unit, rows in curves.items()}
    assert {unit: rows[0]["of"] for unit, rows in curves.items()} == {"candidates": 64, "seconds": 10, "dollars": 0.02}
    # At 8, 16, 32 and 64 candidates: nothing had been tried at 8.
    assert reached["candidates"]["none"] == pytest.approx([None, 0.5, 0.5, 0.7])
    assert reached["candidates"]["llm"] == pytest.approx([None, 0.5, 0.6, 0.9])
    assert reached["seconds"]["llm"] == pytest.approx([None, 0.5, 0.5, 0.6])
    # What costs nothing has reached its end for nothing; at 0.02 dollars one run was not at its end.
    assert reached["dollars"]["none"] == pytest.approx([0.7] * 4)
    assert reached["dollars"]["llm"] == pytest.approx([0.5, 0.5, 0.6, 0.85])


def test_where_a_price_is_not_known_scores_are_shown_against_tokens():
    unpriced = [
        {**f, "curve": {**f["curve"], "dollars": [None if tokens else 0.0 for tokens in f["curve"]["tokens"]]}}
        for f in FIGURES
    ]
    curves = comparison(unpriced)["curves"]
    assert list(curves) == ["candidates", "seconds", "tokens"]
    assert curves["tokens"][0]["of"] == 2000


def test_only_tasks_and_seeds_that_every_arm_has_are_compared():
    found = comparison([*FIGURES, figure("none", 2, 0.1), figure("llm", 0, 0.9, task="sft")])
    assert found == comparison(FIGURES)
    assert comparison(FIGURES[:2]) == {}, "one arm"
    assert comparison([FIGURES[0], FIGURES[3]]) == {}, "no seed in common"
    assert comparison_text(FIGURES[:2]) == ""


def test_all_tasks_have_a_row_with_the_spread_of_their_mean_from_seed_to_seed():
    others = [{**f, "task": "sft", "held_out_r2": 0.9} for f in FIGURES]
    rows = {(row["task"], row["arm"]): row for row in comparison([*FIGURES, *others])["rows"]}
    row = rows["all tasks", "none"]
    assert row["runs"] == 4
    assert row["held_out_r2"] == pytest.approx({"mean": 0.725, "sd": 0.0353553}, abs=1e-6)  # of 0.70 and 0.75
    curves = comparison([*FIGURES, *others])["curves"]["candidates"]
    assert curves[-1] == {**curves[1], "task": "all tasks", "of": None}


def test_page_shows_the_comparison_beside_the_table(tmp_path: Path):
    write_page(tmp_path / "README.md", FIGURES)
    text = (tmp_path / "README.md").read_text()
    assert comparison_text(FIGURES) in text
    assert "| moe | llm | 2 | -0.1500 | 1.2021 | 0.9000 | 0.0000 | 20 | 64 | 4.0 | 1.0 | 4,000 | 0.0300 |" in text
    assert "- `llm`: -0.7000 ± 0.9000 (2 pairs)" in text
    assert "- `llm`: families; and openai/gpt-5-mini, at most 50 calls, 0.5 USD a run" in text
    assert "| moe | 0.0200 | llm | 0.5000 | 0.5000 | 0.6000 | 0.8500 |" in text


def test_records_without_spending_are_compared_as_having_spent_nothing():
    old = [figure("auto", 0, 0.5), figure("none", 0, 0.25)]
    found = comparison(old)
    assert [row["tokens"] for row in found["rows"]] == [0, 0]
    assert found["curves"] == {}


def test_one_name_of_an_arm_stands_for_one_set_of_models_and_proposers(tmp_path: Path):
    model = {"profile": "openai", "name": "gpt-5-mini"}
    kept = {"models": [model], "masked": False, "limits": LIMITS}
    same = Asked("moe_scaling", "moe_scaling", 0, "llm", "families", "64", ("--llm=gpt-5-mini",), kept)
    path = tmp_path / "seeds.json"
    refuse_other_arms(path, FIGURES, [same])
    for changed in ({**kept, "masked": True}, {**kept, "limits": LIMITS | {"calls": 5}}, {}):
        other = Asked("moe_scaling", "moe_scaling", 0, "llm", "families", "64", (), changed)
        with pytest.raises(DiscoverError, match=r"arm llm were made with openai/gpt-5-mini, at most 50 calls, 0.5 USD"):
            refuse_other_arms(path, FIGURES, [other])
    with pytest.raises(DiscoverError, match="arm none were made with families, asked is families,mutation"):
        refuse_other_arms(path, FIGURES, [Asked("moe_scaling", "", 0, "none", "families,mutation", "64")])
    refuse_other_arms(path, [figure("auto", 0, 0.5)], [Asked("moe_scaling", "", 0, "auto", "auto", "64")])


@pytest.mark.parametrize(
    "changes",
    [
        {"curve": [1]}, {"curve": line((1, 1.0, 0, 0.0, 0.5)) | {"seconds": []}},
        {"curve": line((1, 1.0, 0, 0.0, 0.5)) | {"seconds": ["1"]}},
        {"spent": {"calls": 1}}, {"spent": PAID | {"dollars": "1"}}, {"proposers": "families"},
        {"language_models": {"models": "m"}}, {"language_models": MODELS | {"limits": {}}},
    ],
)  # fmt: skip
def test_records_of_another_form_are_refused(tmp_path: Path, changes: dict[str, Any]):
    (tmp_path / "seeds.json").write_text(json.dumps([{**FIGURES[2], **changes}]))
    with pytest.raises(DiscoverError, match="expected runs"):
        read_figures(tmp_path / "seeds.json", "64")
    (tmp_path / "seeds.json").write_text(json.dumps(FIGURES))
    assert read_figures(tmp_path / "seeds.json", "64") == FIGURES
