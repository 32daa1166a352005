"""The page of form × recipe: its columns, its differences, and what it says where a figure is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import forms
from discover.errors import DiscoverError
from discover.leaderboard import WAYS, Way


def way(name: str, r2: float, status: str = "ok") -> Way:
    published = name == WAYS[0]
    recipe = "" if published else "squared"
    return Way(name, "a law", "E + A|N", recipe, None if published else r2 - 0.1, r2, max(r2, -1.0), status)


def row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {name} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


SIX = [way(name, r2) for name, r2 in zip(WAYS, (0.1, 0.5, 0.55, 0.6, 0.7, 0.95), strict=True)]


def test_gain_is_split_into_form_and_recipe():
    text = forms.page({"moe": SIX, "sft": SIX[1:]})
    assert row(text, "held-out R2") == ["moe", "sft", "mean"]
    assert row(text, "gain of the discovered law over the human form, plain") == ["+0.4500", "+0.4500", "+0.450"]
    assert row(text, "of it form (both by the plain recipe)")[0] == "+0.2000"
    assert row(text, "of it recipe (on the discovered form)")[0] == "+0.2500"
    assert row(text, "the same recipe on the human form gains")[0] == "+0.0500"


def test_a_law_without_published_coefficients_has_no_figure_and_no_mean():
    assert row(forms.page({"moe": SIX, "sft": SIX[1:]}), WAYS[0]) == ["0.1000", "-", "-"]


def test_a_fit_that_did_not_converge_is_marked_and_named():
    text = forms.page({"moe": [*SIX[:3], way(WAYS[3], -7.0, "step limit in 1 of 2 cells"), *SIX[4:]]})
    held_out = next(line for line in text.splitlines() if line.startswith(f"| {WAYS[3]} |"))
    assert "-1.0000*" in held_out
    assert f"- moe, {WAYS[3]}: step limit in 1 of 2 cells" in text


def test_a_leaderboard_without_a_chosen_law_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "results" / "moe_scaling"
    folder.mkdir(parents=True)
    (folder / "leaderboard.json").write_text(json.dumps([{"law": "moe-1", "formula": "E", "chosen": False}]))
    monkeypatch.setattr(forms, "ROOT", tmp_path)
    with pytest.raises(DiscoverError, match="moe_scaling: no leaderboard with a chosen law"):
        forms.ways_of("moe_scaling", None, 0)


def test_the_page_of_the_benchmark_holds_the_table_between_markers_of_its_own():
    text = (forms.ROOT / "results" / "benchmark" / "README.md").read_text(encoding="utf-8")
    own = text.partition(forms.BEGIN)[2].partition(forms.END)[0]
    assert all(f"| {name} |" in own for name in WAYS)
    assert "`python -m benchmarks.forms`" in own
