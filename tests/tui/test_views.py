"""What is shown: the words of progress, and tables that hold everything they are given."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from discover.store import Gain
from discover.tui import (
    PlainLines,
    checks_table,
    console,
    law_view,
    leaderboard_markdown,
    leaderboard_view,
    proposers_table,
)
from discover.tui.live import progress_text
from discover.tui.tables import summary_line
from discover.tui.words import duration, measured, number

ROW: dict[str, Any] = {
    "rank": 1, "law": "t-00000001", "origin": "discovered", "proposer": "mutation", "formula": "E + A|N",
    "complexity": 3, "parameters": {"loss": {"E": 1.5, "A": -2e-9}}, "chosen": True, "status": "ok",
    "standard_errors": {"loss": {"E": 0.01, "A": None}}, "recipe": "log", "validation_r2": 0.98765,
    "held_out_r2": None, "held_out_r2_per_group": {"": 0.9}, "budget": "9", "seed": 0, "run": "r",
}  # fmt: skip


def text_of(renderable: Any, width: int = 160) -> str:
    made = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    made.print(renderable)
    return made.file.getvalue()  # type: ignore[attr-defined]


def generation(**changes: Any) -> SimpleNamespace:
    best = SimpleNamespace(law="E + A/N", validation=SimpleNamespace(r2=0.98127))
    return SimpleNamespace(**{"elapsed_seconds": 31.2, "n_candidates": 1240, "best": best, **changes})


@pytest.mark.parametrize(
    "value, text",
    [(0.98765, "0.9877"), (None, "-"), (float("nan"), "-"), (-1e12, "-1e+12"), (float("inf"), "inf"), ("x", "-")],
)
def test_number(value: Any, text: str):
    assert number(value) == text


def test_tokens_and_dollars_of_proposers_are_shown_where_there_are_any():
    plain = Gain("mutation", 20, 5, 0.5, 1, 2.0, 0.25)
    asked = Gain("llm:m", 7, 3, 0.5, 1, 0.5, 0.0123, 29_969, None)
    priced = Gain("llm:n", 7, 3, 0.5, 1, 0.5, 0.0, 1_000, 0.125)
    assert "tokens" not in text_of(proposers_table([plain]))
    of_unknown_price = text_of(proposers_table([plain, asked]))
    assert ("USD" in of_unknown_price, "29,969" in of_unknown_price) == (False, True)
    of_all = text_of(proposers_table([plain, asked, priced])).splitlines()
    assert [line.split()[-2:] for line in of_all if "%" in line] == [["-", "-"], ["29,969", "?"], ["1,000", "0.1250"]]
    assert "llm:m  " in text_of(proposers_table([asked]), width=60)  # its name is whole


def test_measured_tells_an_unknown_error_apart():
    assert measured(1.5, 0.0123) == "1.5 ± 0.012"
    assert measured(1.5, float("nan")) == measured(1.5, None) == "1.5"
    assert measured(None) == "-"


@pytest.mark.parametrize("seconds, text", [(-3, "0 s"), (59.6, "60 s"), (119, "119 s"), (125, "2 min 05 s")])
def test_duration(seconds: float, text: str):
    assert duration(seconds) == text


def test_progress_counts_as_the_budget_does():
    seconds, candidates = (
        SimpleNamespace(seconds=120.0, candidates=None),
        SimpleNamespace(seconds=None, candidates=2000),
    )
    assert progress_text(seconds, generation(), 31.0) == "1,240 candidates, 89 s left"
    assert progress_text(seconds, None, 1.0) == "0 candidates, 119 s left"
    assert progress_text(candidates, generation(), 62.0) == "1,240 of 2,000 candidates, about 38 s left"
    assert progress_text(candidates, None, 1.0) == "0 of 2,000 candidates"


def test_summary_names_the_best_law():
    assert summary_line(generation()) == "31 s, 1,240 candidates, best validation R2 0.9813: E + A/N"
    assert summary_line(generation(best=None)) == "31 s, 1,240 candidates, none valid yet"


def test_plain_lines_are_few_and_the_last_is_not_lost():
    made = Console(file=io.StringIO(), width=200)
    with PlainLines(made) as lines:
        for number_so_far in (10, 20, 30):
            lines.show(generation(n_candidates=number_so_far))
        lines.say("final round")
    said = made.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.split(",")[1].strip() for line in said[:2]] == ["10 candidates", "30 candidates"]
    assert said[2:] == ["final round"]


@pytest.mark.parametrize("width", [64, 80, 160])
def test_leaderboard_shows_marks_and_missing_scores(width: int):
    shown = text_of(leaderboard_view("t", [ROW], width), width)
    for part in ("1*", "t-00000001", "0.9877", "E + A|N", "mutation"):
        assert part in shown


KNOWN: dict[str, Any] = {
    "known_as": {"kind": "special case", "laws": ["nd_coupled", "other"], "text": "special case of nd_coupled (g = 1)"},
    "certificates": [
        {"about": "monotone", "input": "N", "text": "falls with N", "verdict": "proved", "cells": 1, "of": 1},
        {"about": "sign", "input": "", "text": "of one sign", "verdict": "refuted", "cells": 2, "of": 9},
        {"about": "limit", "input": "N", "text": "has a limit", "verdict": "unknown", "cells": 1, "of": 1},
    ],
}


@pytest.mark.parametrize("width", [80, 160])
def test_leaderboard_shows_what_laws_are_known_as(width: int):
    lines = text_of(leaderboard_view("t", [{**ROW, **KNOWN}, ROW], width), width).splitlines()
    assert "known as" in next(line for line in lines if " size " in line)
    assert "⊂ nd_coupled" in next(line for line in lines if line.split()[:1] == ["1*"])
    assert "1 proved ✓, 1 refuted ✗, 1 unknown ?" in " ".join(" ".join(lines).split())
    assert max(map(len, lines)) <= width


def test_long_names_of_laws_are_cut_in_a_table_of_80_columns_and_whole_below_it():
    row = {**ROW, **KNOWN, "law": "data_constrained-5878494d"}
    row["known_as"] = {"kind": "identical", "laws": ["a_law_with_a_very_long_name"],
                       "text": "identical to a_law_with_a_very_long_name"}  # fmt: skip
    shown = text_of(leaderboard_view("t", [row], 80), 80)
    table, _, below = shown.partition("known as: =")
    assert "= a_law" in table
    assert "very_long_name" not in table
    assert "…" in table.splitlines()[-2], "what was cut is shown to be cut"
    assert "data_constrained-5878494d" in table
    assert "identical to a_law_with_a_very_long_name" in " ".join(below.split())


@pytest.mark.parametrize("width", [64, 80, 160])
def test_older_leaderboards_have_no_column_for_it(width: int):
    shown = text_of(leaderboard_view("t", [ROW], width), width)
    assert "known as" not in shown
    assert "proved" not in shown
    assert "known as" not in leaderboard_markdown(
        SimpleNamespace(title="T", summary="", name="t", training_count=3, held_out_count=1), [ROW]
    )


def test_law_view_lists_certificates():
    shown = text_of(law_view({**ROW, **KNOWN}, None, {}))
    for part in ("known as: special case of nd_coupled (g = 1)", "✓ falls with N", "✗ of one sign (2 of 9 cells)"):
        assert part in shown


def test_cells_for_which_there_was_no_time_are_told():
    own = {**KNOWN["certificates"][0], "cells": 2, "of": 2, "unseen": 40}
    assert "✓ falls with N (2 of 2 cells; no time for 40 more)" in text_of(
        law_view({**ROW, "certificates": [own]}, None, {})
    )


def test_markdown_tells_what_laws_are_known_as_and_what_is_certain():
    task = SimpleNamespace(title="T", summary="", name="t", training_count=3, held_out_count=1)
    text = leaderboard_markdown(task, [{**ROW, **KNOWN}])
    head, rule, row = (line for line in text.splitlines() if line.startswith("|") and line.count("|") > 5)
    assert head.count("|") == rule.count("|") == row.replace("\\|", "").count("|") == 9
    assert "| ⊂ nd_coupled |" in row
    assert "Known as: special case of nd_coupled (g = 1)." in text
    assert "- ✗ of one sign (2 of 9 cells)" in text


def test_square_brackets_are_text(capsys: pytest.CaptureFixture[str]):
    console().print(leaderboard_view("t", [{**ROW, "formula": "a*[bold]N[/bold]"}], 160))
    assert "a*[bold]N[/bold]" in capsys.readouterr().out


def test_law_view_gives_units_errors_and_provenance():
    shown = text_of(law_view({**ROW, "citation": "Somebody 2024"}, None, {"E": "nats", "A": "nats parameters"}))
    for part in ("1.5 ± 0.01", "-2e-09", "nats parameters", "Somebody 2024", "recipe: log", "seed, budget: 0, 9"):
        assert part in shown


def test_checks_tell_what_differs():
    checks = [
        SimpleNamespace(name="nmse", stored=0.1, found=0.2, matches=False),
        SimpleNamespace(name="id", stored="a", found="a", matches=True),
    ]
    lines = text_of(checks_table(checks)).splitlines()
    assert next(line for line in lines if "nmse" in line).split() == ["nmse", "0.100000000", "0.200000000", "DIFFERS"]
    assert next(line for line in lines if " id" in line).split()[-1] == "matches"


def test_markdown_keeps_its_columns():
    task = SimpleNamespace(title="T", summary="a\nb", name="t", training_count=3, held_out_count=1)
    text = leaderboard_markdown(task, [ROW])
    row = next(line for line in text.splitlines() if line.startswith("| 1* |"))
    assert row.replace("\\|", "").count("|") == 8
    assert "| loss | 1.5 ± 0.01 | -2e-09 |" in text
    assert "budget 9, seed 0, run r" in text


@pytest.mark.parametrize("width", [64, 160])
def test_the_chosen_form_by_the_plain_recipe_stands_below_the_table_and_is_no_row(width: int):
    task = SimpleNamespace(title="T", summary="", name="t", training_count=3, held_out_count=1)
    plain = {"recipe": "squared", "validation_r2": 0.71236, "held_out_r2": 0.5, "status": "step limit"}
    row = {**ROW, "plain_recipe": plain}
    for text in (text_of(leaderboard_view("t", [row], width), width), leaderboard_markdown(task, [row])):
        told = " ".join(text.split())
        assert "by its recipe, log; 0.7124, 0.5000 for the same form by the plain recipe, squared (step limit)" in told
        assert told.count("1*") == 1
    assert "0.7124" in text_of(law_view(row, None, {}))


def test_a_law_that_was_fitted_plainly_says_so():
    plain = {"recipe": "log", "validation_r2": 0.9, "held_out_r2": 0.5, "status": "ok"}
    assert "its recipe is the plain one" in text_of(leaderboard_view("t", [{**ROW, "plain_recipe": plain}], 200), 200)


def test_live_screen_fits_a_terminal_of_80_by_24():
    """Rich asks for the first view while the screen is being made: it once did not know its console by then."""
    from discover.tui import LiveScreen

    made = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
    law = SimpleNamespace(complexity=5, recipe=SimpleNamespace(text="log"), law="E + A/N" * 20, score=-1.0,
                          validation=SimpleNamespace(r2=0.98))  # fmt: skip
    failures = {f"reason {n}": n for n in range(40)}
    shown = generation(front=[law] * 30, shares={"mutation": 0.7, "families": 0.3}, failures=failures)
    screen = LiveScreen(made, "widgets", SimpleNamespace(seconds=None, candidates=2480))
    screen.show(shown)
    text = text_of(screen._view(), 80)
    assert len(text.splitlines()) < 24
    assert "━" * 30 + "─" * 30 in text
    assert "proposers: mutation 70%, families 30%" in text
    assert "failed: 39 reason 39" in text
