"""Laws are found by id, its start, or rank on a leaderboard; a mistake is answered with what is near."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from discover.errors import StoreError, UnknownLawError
from discover.store import (
    Store,
    find_law,
    latest_leaderboard,
    law_id,
    lookup,
    read_leaderboard,
    write_leaderboard,
)
from discover.store.leaderboards import write_file


def row(law: str, rank: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "law": law,
        "origin": "human",
        "formula": "a*N",
        "rank": rank,
        "task": law.split("-")[0] + "_scaling",
        **more,
    }


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with two runs of vocab, and a leaderboard of moe on file beside it."""
    monkeypatch.setattr(lookup, "COMMITTED", tmp_path / "none")
    path = tmp_path / "runs.sqlite"
    asked = {
        "task": "vocab_scaling",
        "folder": tmp_path,
        "digest": "d",
        "seed": 0,
        "budget": "9",
        "options": {},
    }
    with Store(path, create=True) as opened:
        old, new = (opened.start_run(**asked) for _ in range(2))
        opened.add_rows(old, "vocab_scaling", [row("vocab-3f2a91c0", seed=1), row("vocab-aa000000", 2)])
        opened.add_rows(new, "vocab_scaling", [row("vocab-3f2b0000", seed=2), row("vocab-bb111111", 2, chosen=True)])
    write_leaderboard(
        tmp_path / "moe_scaling", [row("moe-c0ffee00", run="r9"), row("moe-3f2a0000", 2, run="r9")], "# moe\n"
    )
    return path


@pytest.mark.parametrize(
    "typed, law",
    [
        ("vocab-3f2a91c0", "vocab-3f2a91c0"),
        ("vocab-3f2a", "vocab-3f2a91c0"),
        ("VOCAB-3F2B", "vocab-3f2b0000"),
        ("c0ff", "moe-c0ffee00"),
        ("vocab/1", "vocab-3f2b0000"),
        ("vocab_scaling/2", "vocab-bb111111"),
        ("moe/2", "moe-3f2a0000"),
        ("vocab/chosen", "vocab-bb111111"),
    ],
)
def test_law_is_found_by(store: Path, typed: str, law: str):
    assert find_law(typed, store)["law"] == law


@pytest.mark.parametrize(
    "typed, told",
    [
        ("vocab-3f2", r"2 laws start so \(vocab-3f2a91c0, vocab-3f2b0000\); type more"),
        ("3f2a", "2 laws start so"),
        ("vocab-3f3a91c0", "did you mean vocab-3f2a91c0"),
        ("zzz", "ids stand on: discover leaderboard TASK"),
        ("", "ids stand on|laws start so"),
        ("vocab/3", "has ranks 1 to 2"),
        ("vocap/1", "did you mean vocab"),
        ("moe/chosen", "has ranks 1 to 2 and no chosen law"),
        ("%_", "not on any leaderboard"),
    ],
)
def test_unknown_law_is_answered_with_what_is_near(store: Path, typed: str, told: str):
    with pytest.raises(UnknownLawError, match=told):
        find_law(typed, store)


def test_newest_leaderboard_is_shown_and_an_older_one_by_its_run(store: Path):
    newest = latest_leaderboard("vocab_scaling", store)
    assert [r["law"] for r in newest] == ["vocab-3f2b0000", "vocab-bb111111"]
    with Store(store) as opened:
        old = opened.runs()[-1].id
    assert latest_leaderboard("vocab_scaling", store, run=old)[0]["law"] == "vocab-3f2a91c0"
    assert latest_leaderboard("moe_scaling", store)[0]["law"] == "moe-c0ffee00"
    assert latest_leaderboard("sft_scaling", store) == ()


def test_without_any_leaderboard_a_run_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lookup, "COMMITTED", tmp_path / "none")
    with pytest.raises(UnknownLawError, match="discover run TASK"):
        find_law("vocab-1", tmp_path / "runs.sqlite")


def test_damaged_leaderboard_on_file_does_not_hide_the_others(store: Path):
    (store.parent / "moe_scaling" / "leaderboard.json").write_text('[{"law": 1,', encoding="utf-8")
    assert find_law("vocab/1", store)["law"] == "vocab-3f2b0000"
    with pytest.raises(StoreError, match="no leaderboard can be read"):
        latest_leaderboard("moe_scaling", store)


@pytest.mark.parametrize("text", ["{}", "[1]", '[{"law": "x"}]', "\xff"])
def test_file_that_is_no_leaderboard_is_refused(tmp_path: Path, text: str):
    path = tmp_path / "leaderboard.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(StoreError, match=r"leaderboard\.json"):
        read_leaderboard(path)


def test_leaderboard_files_are_replaced_whole(tmp_path: Path):
    write_leaderboard(tmp_path / "t", [row("t-1"), row("t-2", held_out_r2=float("nan"))], "old")
    with pytest.raises(TypeError):
        write_leaderboard(tmp_path / "t", [row("t-3", what=object())], "new")
    assert (tmp_path / "t" / "leaderboard.md").read_text() == "old"
    read = json.loads((tmp_path / "t" / "leaderboard.json").read_text())
    assert [r["law"] for r in read] == ["t-1", "t-2"]
    assert read[1]["held_out_r2"] is None
    assert sorted(p.name for p in (tmp_path / "t").iterdir()) == ["leaderboard.json", "leaderboard.md"]


def test_devices_pipes_and_links_are_written_to_and_not_replaced(tmp_path: Path):
    """With `export --output /dev/full` the device was gone afterwards, and a file in its place."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_file(tmp_path / "pipe", "law")
    assert (os.read(reader, 9), (tmp_path / "pipe").is_fifo()) == (b"law", True)
    os.close(reader)
    (tmp_path / "there").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "there")
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there").read_text() == "new"


def test_law_id_tells_what_a_law_is():
    same = law_id("vocab_scaling", "a*N", "log", {"loss": {"a": 0.1}})
    assert same == law_id("vocab_scaling", "a*N", "log", {"loss": {"a": 0.1}})
    assert same.startswith("vocab-")
    others = [
        ("vocab_scaling", "a/N", "log", 0.1),
        ("vocab_scaling", "a*N", "squared", 0.1),
        ("vocab_scaling", "a*N", "log", 0.2),
    ]
    assert same not in {law_id(task, formula, recipe, {"loss": {"a": a}}) for task, formula, recipe, a in others}
