"""The interactive leaderboard, driven by keys as a person would, on a store made here."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("textual")

from textual.widgets import Input

from discover.errors import DiscoverError, StoreError
from discover.leaderboard import Check
from discover.store import Batch, Candidacy, Store
from discover.store.watch import Watch
from discover.tui import checks_table
from discover.tui.app.application import Actions, LeaderboardApp
from tests.cli.conftest import write_task

SNAPSHOTS = Path(__file__).resolve().parents[1] / "snapshots"
CELLS = ("a: loss", "b: loss")
FORMULA = "E + A/N**alpha"


def candidacy(number: int, formula: str = FORMULA, status: str = "ok", parents: tuple[int, ...] = ()) -> Candidacy:
    validation = {"r2": 0.9 + number * 1e-6, "parameters": np.array([[1.7, 400.0, 0.34], [2.1, 400.0, 0.34]])}
    return Candidacy(
        number, formula, "log", f"k{number}", "mutation", parents, 7, validation if status == "ok" else {}, status
    )


def row(rank: int, origin: str, held_out: float, **changes: Any) -> dict[str, Any]:
    values = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    return {
        "rank": rank, "law": f"widgets-{rank:08x}", "origin": origin, "name": "planted", "formula": FORMULA,
        "parameters": dict.fromkeys(CELLS, values),
        "standard_errors": {label: {"E": 0.01, "A": 12.0, "alpha": 0.002} for label in CELLS},
        "complexity": 7 + rank, "recipe": "log", "validation_r2": held_out - 0.01, "held_out_r2": held_out,
        "held_out_r2_per_group": {"a": held_out, "b": held_out}, "status": "ok", "chosen": rank == 2,
        "proposer": "crossover" if origin == "discovered" else "", "parents": [3, 2] if rank == 2 else [], **changes,
    }  # fmt: skip


ROWS = (row(1, "discovered", 0.99), row(2, "discovered", 0.98), row(3, "human", 0.95), row(4, "baseline", 0.2))


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One finished run of a small task, and nothing else in sight."""
    monkeypatch.setattr("discover.tui.app.source.COMMITTED", tmp_path / "none")
    monkeypatch.setattr("discover.tui.app.source.list_tasks", lambda: ("others_scaling", "widgets_scaling"))
    folder = write_task(tmp_path / "widgets_scaling")
    path = tmp_path / "results" / "runs.sqlite"
    with Store(path, create=True) as opened:
        run = opened.start_run(
            task="widgets_scaling", folder=folder, digest="d", seed=1, budget="48", options={"proposers": ["mutation"]}
        )
        opened.add_candidates(run, [candidacy(1), candidacy(2, parents=(1,)), candidacy(3, parents=(2, 1))])
        opened.add_candidates(run, [candidacy(4, status="not finite"), candidacy(5, status="not finite")])
        opened.add_batch(run, Batch(1, 2.5, 5, {"mutation": 0.75, "families": 0.25}, {"mutation": 3}, (1, 3)))
        opened.add_rows(run, "widgets_scaling", ROWS)
        opened.end_run(run, "complete")
    return path


def lines(app: LeaderboardApp) -> list[str]:
    """What the terminal shows."""
    return [strip.text.rstrip() for strip in app.screen._compositor.render_strips()]


def screens(
    store: Path,
    *keys: str,
    size: tuple[int, int] = (80, 24),
    actions: Actions | None = None,
    between: Callable[[], None] | None = None,
    until: str = "",
) -> list[str]:
    """The screen after each of `keys`, as text.

    Args:
        keys: "look" looks at the store at once, "=text" fills in the filter.
        between: Called before the last key.
        until: What is waited for, some seconds at most, after the last key.
    """

    async def main() -> list[str]:
        app = LeaderboardApp(store, actions or Actions(), "widgets")
        shown = []
        async with app.run_test(size=size, notifications=True) as pilot:
            await pilot.pause()
            await pilot.pause()
            shown.append("\n".join(lines(app)))
            for key in keys:
                if between is not None and key == keys[-1]:
                    between()
                if key == "look":
                    app._look()
                elif key.startswith("="):
                    app.query_one("#filter", Input).value = key[1:]
                else:
                    await pilot.press(key)
                await app.workers.wait_for_complete()
                await pilot.pause()
                await pilot.pause()
                shown.append("\n".join(lines(app)))
            for _ in range(100):
                if until in shown[-1]:
                    break
                await pilot.pause(0.05)
                shown[-1] = "\n".join(lines(app))
        return shown

    return asyncio.run(main())


def laws(screen: str) -> list[str]:
    """The ids in the table, from top to bottom."""
    return [word for line in screen.splitlines()[1:9] for word in line.split() if word.startswith("0000000")]


def test_law_pane_tells_what_a_law_is_known_as_and_what_is_certain(store: Path):
    known = {
        "known_as": {"kind": "special case", "laws": ["chinchilla"], "text": "special case of chinchilla (B = 0)"},
        "certificates": [
            {"about": "monotone", "input": "N", "text": "falls with N", "verdict": "proved", "cells": 1, "of": 2}
        ],
    }
    with Store(store, create=True) as opened:
        run = opened.start_run(task="widgets_scaling", folder=store, digest="d", seed=2, budget="48", options={})
        opened.add_rows(run, "widgets_scaling", [row(1, "discovered", 0.99, chosen=True, **known)])
        opened.end_run(run, "complete")
    (shown,) = screens(store, size=(100, 60))
    assert "known as: special case of chinchilla (B = 0)" in shown
    assert "✓ falls with N (1 of 2 cells)" in shown
    _, _, filtered = screens(store, "slash", "=chinchilla", size=(100, 60))
    assert "1 of 1 laws" in filtered


def test_laws_of_the_task_stand_in_the_order_of_their_ranks(store: Path):
    (shown,) = screens(store)
    assert laws(shown) == [f"{rank:08x}" for rank in (1, 2, 3, 4)]
    assert "widgets_scaling: 4 of 4 laws" in shown
    assert "others" in shown


@pytest.mark.parametrize("tab, name", [("1", "law"), ("2", "plot"), ("3", "lineage"), ("5", "run")])
def test_screen_of_80_by_24_is_as_it_was_looked_at(store: Path, tab: str, name: str):
    """Written anew with DISCOVER_SNAPSHOTS=write; then look at it."""
    shown = screens(store, tab)[-1]
    with sqlite3.connect(store) as db:
        ((run, started),) = db.execute("SELECT id, started FROM runs")
    shown = shown.replace(run, "RUN").replace(started[:16].replace("T", " "), "THEN")
    body = "\n".join(line.rstrip("▁▂▃▄▅▆▇█ ") for line in shown.splitlines()[:-1])  # scroll bars and footer: Textual's
    path = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("DISCOVER_SNAPSHOTS") == "write":
        path.write_text(body + "\n", encoding="utf-8")
    assert body + "\n" == path.read_text(encoding="utf-8")


def test_chosen_law_is_shown_first_with_its_errors(store: Path):
    (shown,) = screens(store, size=(100, 40))
    assert "widgets-00000002  discovered: crossover (chosen)" in shown
    assert "1.7 ± 0.01" in shown
    assert "loss = E + ───" in shown


def test_plot_stands_beside_the_law_on_a_wide_screen(store: Path):
    (shown,) = screens(store, size=(140, 40))
    assert "a: loss against N (log); ┊ the training rows end" in shown


def test_axis_and_cell_of_the_plot_change_by_keys(store: Path):
    *_, axis, cell = screens(store, "x", "g", size=(140, 40))
    assert "a: loss against D (log)" in axis
    assert "b: loss against D (log)" in cell


def test_sorting_and_turning(store: Path):
    *_, by_law, by_origin, turned = screens(store, "s", "s", "S")
    assert laws(by_law) == [f"{rank:08x}" for rank in (1, 2, 3, 4)]
    assert laws(by_origin)[0] == "00000004"
    assert laws(turned)[0] == "00000003"


def test_filter_by_word_and_by_number(store: Path):
    _, opened, word, numbers, mixed, ended = screens(
        store, "slash", "=human", "=heldout>0.96 par<=3", "=discovered size=9", "escape"
    )
    assert "size<20 valid>0.9" in opened
    assert laws(word) == ["00000003"]
    assert laws(numbers) == ["00000001", "00000002"]
    assert laws(mixed) == ["00000002"]
    assert len(laws(ended)) == 4


def test_two_laws_are_compared(store: Path):
    shown = screens(store, "c", "down", "c", size=(100, 50))[-1]
    assert "00000002" in shown
    assert "training rows" in shown
    assert "predictions apart at" in shown


def test_every_candidate_is_listed_on_demand(store: Path):
    shown = screens(store, "a")[-1]
    assert "#3" in shown
    assert "3 of 3 laws  candidates of the newest run" in shown  # the failed ones are no laws
    assert "E" in screens(store, "a", "1", size=(100, 50))[-1]


def test_a_run_is_followed_while_it_goes(store: Path):
    def go_on() -> None:
        with Store(store) as opened:
            run = opened.start_run(
                task="widgets_scaling", folder=Path("x"), digest="d", seed=2, budget="10s", options={"proposers": []}
            )
            opened.add_candidates(run, [candidacy(1), candidacy(2, "E + A/D**alpha")])
            opened.add_batch(run, Batch(1, 5.0, 2, {"mutation": 1.0}, {}, (2,)))

    before, after = screens(store, "5", "look", between=go_on)[1:]
    assert "complete" in before
    assert "2 candidates in 5 s" in after
    assert "50%" in after
    assert "5 of 5 laws" in after  # the leaderboard, and the front of the new run


def test_a_store_that_comes_later_is_found(tmp_path: Path, store: Path):
    later = tmp_path / "later.sqlite"
    first, second = screens(later, "look", between=lambda: later.write_bytes(store.read_bytes()))
    assert "no law yet" in first
    assert len(laws(second)) == 4


def test_nothing_is_written_to_the_store(store: Path):
    before = store.read_bytes()
    screens(store, "2", "3", "a", "c")
    assert store.read_bytes() == before


def test_actions_get_the_chosen_row_and_what_they_say_is_shown(store: Path):
    asked: list[tuple[str, str]] = []

    def export(record: Mapping[str, Any], form: str) -> str:
        asked.append((record["law"], form))
        return "written: somewhere.py"

    def report(task: str) -> str:
        raise DiscoverError(f"no report of {task} today")

    actions = Actions(("sympy", "json"), export, lambda record: ("a table of checks", True), report)
    said = "written: somewhere.py"
    shown = screens(store, "e", "down", "enter", actions=actions, until=said)
    assert "export widgets-00000002 as" in shown[1]
    assert asked == [("widgets-00000002", "json")]
    assert said in shown[-1]
    said = "no report of widgets_scaling today"
    assert said in screens(store, "r", actions=actions, until=said)[-1]
    said = "a table of checks"
    assert said in screens(store, "v", actions=actions, until=said)[-1]


def test_what_verify_and_help_tell_is_read_in_full_at_80_columns(store: Path):
    """A table was cut to the width of the line below it, and the help at the edge of its box."""
    checks = [Check("refit moves predictions by (spreads)", 0.0, 0.0, True), Check("id", "w-1", "w-1", True)]
    verified = Actions(("json",), verify=lambda record: (checks_table(checks), True))
    told = screens(store, "v", actions=verified, until="matches")[-1]
    assert "refit moves predictions by" in told
    assert told.count("matches") == 2
    told = screens(store, "question_mark", until="Escape closes this")[-1]
    for words in ("Tab goes between them", "the newest run", "or the leaderboard again", "has no rank yet."):
        assert words in told


def test_a_candidate_is_not_exported(store: Path):
    shown = screens(store, "a", "e", actions=Actions(("json",), lambda record, form: "written"), until="is on no")[-1]
    assert "is on no leaderboard yet" in shown


def test_a_file_of_another_kind_is_refused(tmp_path: Path):
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE t (x)")
    with pytest.raises(StoreError, match="no store of discover"):
        LeaderboardApp(path, Actions())


def test_of_ten_thousand_candidates_few_are_read_to_open_their_store(store: Path, monkeypatch: pytest.MonkeyPatch):
    read = [0]

    def counted(watch: Watch, query: str, *values: object) -> list[tuple[Any, ...]]:
        rows = look(watch, query, *values)
        read[0] += len(rows)
        return rows

    look = Watch._all
    monkeypatch.setattr(Watch, "_all", counted)
    screens(store)
    small = read.pop()
    with Store(store) as opened:
        run = opened.start_run(
            task="widgets_scaling", folder=Path("x"), digest="d", seed=2, budget="1h", options={"proposers": []}
        )
        opened.add_candidates(run, (candidacy(number, f"E + A/N**{number}") for number in range(1, 10_001)))
        opened.add_batch(run, Batch(1, 5.0, 10_000, {"mutation": 1.0}, {}, (2, 5)))
    read.append(0)
    (shown,) = screens(store)
    assert "6 of 6 laws" in shown
    assert 0 < read[0] < small + 50
