"""`discover laws` and `discover fit TASK --library` as a user types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result

from discover.library import entries
from discover.tui import curve
from discover.tui.known import law_curve

Command = Callable[..., Result]

MISTAKES = [
    ("laws show chincilla", "did you mean 'chinchilla'"),
    ("laws show", "expected one id"),
    ("laws show chinchilla farseer", "expected one id"),
    ("laws show massive_ds", "its formula was not found"),
    ("laws --inputs N,tokkens", "'tokkens' is no role; did you mean 'tokens'"),
    ("fit {task}", "give either a FORMULA or --library"),
    ("fit {task} a+b/size --library", "give either a FORMULA or --library"),
    ("fit {task} a+b/size --role size=width", "--role belongs to --library"),
    ("fit {task} --library --role size", "expected COLUMN=ROLE"),
    ("fit {task} --library --role size=withd", "did you mean 'width'"),
    ("fit {task} --library --role size=other --role seen=other", "no published law reads its columns"),
]


@pytest.mark.parametrize("line, told", MISTAKES, ids=[line for line, _ in MISTAKES])
def test_mistake_is_told_in_one_line(discover: Command, gadgets: Path, line: str, told: str):
    result = discover(*(word.format(task=gadgets) for word in line.split()))
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.startswith("discover: ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_laws_are_listed(discover: Command):
    result = discover("laws", "mixture", "of", "experts")
    assert result.exit_code == 0
    first = {line.split()[0] for line in result.stdout.splitlines() if line.strip()}
    assert {"joint_moe", "krajewski_granularity"} <= first
    assert "chinchilla" not in result.stdout


def test_law_without_a_formula_is_listed_with_what_is_known(discover: Command):
    result = discover("laws", "kinyarwanda")
    assert "formula not found" in result.stdout
    assert "A table only" in result.stdout


def test_nothing_found_is_said(discover: Command):
    result = discover("laws", "zzz")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no law matches" in result.stderr


def test_laws_for_programs(discover: Command):
    listed = json.loads(discover("laws", "--json").stdout)
    assert len(listed) == 185
    assert sum(law["formula"] is None for law in listed) == 18
    found = json.loads(discover("laws", "--inputs", "N,D", "--target", "loss", "--json").stdout)
    assert "chinchilla" in {law["id"] for law in found}
    shown = json.loads(discover("laws", "show", "chinchilla", "--json").stdout)
    assert shown["coefficients"][2]["values"]["B"] == 2085.43
    assert shown["bounds"] == {"E": [0, None], "A": [0, None], "alpha": [0, 1.5], "B": [0, None], "beta": [0, 1.5]}
    assert shown["arxiv"] == "2203.15556"


def test_law_is_shown_with_formula_citation_coefficients_example_and_curve(discover: Command):
    told = discover("laws", "show", "chinchilla").stdout
    for due in ("loss = E + A/N**alpha + B/D**beta", "arXiv 2203.15556", "2085.43", "N = 1e+09, D = 2e+10: 2.58"):
        assert due in told
    drawn = [line.partition("|")[2] for line in told.splitlines() if " |" in line]
    assert len(drawn) == 12
    assert drawn[0].lstrip().startswith("'"), "the loss is highest where N is smallest"
    assert drawn[0].index("'") < drawn[6].rindex(".") < len(drawn[-1])


def test_every_law_can_be_shown_and_drawn(discover: Command):
    drawn = {law.id: law_curve(law, 40) for law in entries()}
    assert [name for name, lines in drawn.items() if len(lines) != 14] == []
    for name in ("noise_scale", "farseer", "kinetics_cost", "clark_moe"):
        assert discover("laws", "show", name).exit_code == 0


def test_curve_goes_through_its_ends():
    lines = curve(lambda x: 1 / x, 1.0, 100.0, log=True, width=30, height=6, label="x")
    assert lines[0].split("|")[0].strip() == "1"
    assert lines[0].split("|")[1][0] == "'"
    assert lines[5].split("|")[1][-1] == "."
    assert len(lines[0].split("|")[1]) < len(lines[5].split("|")[1]) == 30
    assert lines[-1].split() == ["1", "x", "(log)", "100"]
    assert curve(lambda x: np.full_like(x, np.nan), 1.0, 2.0, log=False) == ()


def test_library_is_fitted_and_ranked(discover: Command, gadgets: Path):
    result = discover("fit", gadgets, "--library", "--workers", "1", "--json")
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    assert [row["rank"] for row in rows] == list(range(1, len(rows) + 1))
    row = next(row for row in rows if row["law"] == "chinchilla")
    assert row["formula"] == "E + A/size**alpha + B/seen**beta"
    assert (row["stands_for"], row["held_out_r2"]) == ({"N": "size", "D": "seen"}, None)
    assert row["parameters"]["loss"]["E"] == pytest.approx(1.7, abs=0.05)
    assert "race:" in result.stderr


def test_table_of_the_library_tells_roles_and_laws(discover: Command, gadgets: Path):
    result = discover("fit", gadgets, "--library", "--workers", "1", "--role", "size=parameters")
    assert result.exit_code == 0
    assert "size: parameters (as asked for)" in result.stdout
    assert "seen: tokens (task.toml says so)" in result.stdout
    assert "chinchilla" in result.stdout
    assert "more with --json" in result.stdout
