"""The verbs that report and plan, on the small task's finished run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Command


def test_report_is_written_whole_with_its_figures(discover: Command, finished: Path, widgets: Path, tmp_path: Path):
    page, figures = tmp_path / "page.html", tmp_path / "figures"
    result = discover("report", widgets, "--store", finished, "--output", page, "--figures", figures)
    assert result.exit_code == 0, result.output
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.endswith("</html>\n")
    assert "search_progress" in text
    assert {"extrapolation_N.svg", "extrapolation_D.png", "pareto_front.png"} <= {p.name for p in figures.iterdir()}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_plan_spends_the_budget_and_gives_intervals(discover: Command, finished: Path):
    result = discover("plan", "widgets/1", "--cell", "a", "--budget", "1e19", "--json", "--store", finished)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    size, tokens = told["inputs"]["N"], told["inputs"]["D"]
    assert told["cost"] == pytest.approx(1e19, rel=1e-6)
    assert 6 * size["value"] * tokens["value"] == pytest.approx(1e19, rel=1e-6)
    assert size["exponent"] + tokens["exponent"] == pytest.approx(1.0, abs=1e-6)
    assert told["target"]["lower"] < told["target"]["value"] < told["target"]["upper"]
    shown = discover("plan", "widgets/1", "--cell", "a", "--budget", "1e19", "--store", finished)
    assert "grows as budget^" in shown.stdout


def test_optimum_keeps_what_is_given(discover: Command, finished: Path):
    line = ["optimum", "widgets/1", "--cell", "b", "--over", "D", "--at", "N=1e8", "--json", "--store", finished]
    told = json.loads(discover(*line).stdout)
    assert told["inputs"]["N"] == {"value": 1e8, "given": True}
    assert told["cost"] is None
    assert any("the optimum may lie beyond" in note for note in told["notes"])  # more data never hurts here


def test_next_ranks_runs_that_can_be_paid(discover: Command, finished: Path, widgets: Path):
    line = ["next", widgets, "--cost", "6*N*D", "--budget", "1e20", "--most", "3", "--store", finished]
    told = json.loads(discover(*line, "--json").stdout)
    assert 1 <= len(told["runs"]) <= 3
    assert all(run["cost"] <= 1e20 for run in told["runs"])
    assert "interval shrinks to" in discover(*line).stdout


@pytest.mark.parametrize(
    "line, message",
    [
        ("report {task} --store {none}", "no leaderboard yet"),
        ("report {task} --store {store} --run nosuch", "no leaderboard of run nosuch"),
        ("report nosuch --store {store}", "no such folder or name"),
        ("report {task} --store {store} --output {task}/points.csv/x.html", "cannot be written"),
        ("plan widgets/1 --store {store}", "Missing option '--budget'"),
        ("plan widgets/1 --budget 1e20 --store {store}", "has 2 cells; choose one with --cell"),
        ("plan widgets/1 --cell c --budget 1e20 --store {store}", "cell 'c'"),
        ("plan widgets/1 --cell a --budget soon --store {store}", "'soon' is not a valid float"),
        ("plan widgets/1 --cell a --budget 1e-3 --store {store}", "the cheapest run"),
        ("plan widgets/1 --cell a --budget 1e20 --cost os.system('x') --store {store}", "formula:"),
        ("plan widgets/1 --cell a --budget 1e20 --cost N*M --store {store}", "unknown name 'M'"),
        ("plan nosuch-1 --budget 1e20 --store {store}", "not on any leaderboard"),
        ("optimum widgets/1 --cell a --over lr --store {store}", "input 'lr'"),
        ("optimum widgets/1 --cell a --over N --at D=many --store {store}", "expected NAME=NUMBER"),
        ("next {task} --budget 1 --cost N --store {store}", "the cheapest run considered costs"),
        ("next {task} --budget 1e20 --at M=3 --store {store}", "input 'M'"),
        ("next {task} --budget 1e20 --cost 1/0 --store {store}", "formula:"),
    ],
)
def test_a_mistake_is_one_line_and_code_2(
    discover: Command, finished: Path, widgets: Path, tmp_path: Path, line: str, message: str
):
    result = discover(*line.format(task=widgets, store=finished, none=tmp_path / "none.sqlite").split())
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("discover: ")
