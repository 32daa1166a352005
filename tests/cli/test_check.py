"""`discover check`: each thing that can be wrong with a table is found, with its lines, and only then."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.folders import task_text, write_folder

from .conftest import Command

Row = tuple[str, float, float, float]
SIZES, DATA = (1e7, 3e7, 1e8, 3e8, 1e9), (1e9, 4e9, 1.6e10, 6.4e10)


def runs(kinds: str = "a", sizes: tuple[float, ...] = SIZES, data: tuple[float, ...] = DATA) -> list[Row]:
    rng = np.random.default_rng(0)
    return [
        (kind, n, d, 1.7 + 400 / n**0.34 + 410 / d**0.28 + rng.normal(0, 0.003))
        for kind in kinds
        for n in sizes
        for d in data
    ]


@pytest.fixture
def findings(discover: Command, tmp_path: Path) -> Callable[..., list[dict]]:
    """What `check --json` finds in a table, and its exit code is what it should be."""

    def check(rows: list[Row], groups: bool = False) -> list[dict]:
        held_out = '{ column = "N", at_least = 1e9 }'
        task = task_text("checked", {"N": "parameters", "D": "tokens"}, held_out, groups=("kind",) if groups else ())
        lines = ["kind,N,D,loss", *(f"{kind},{n:.6g},{d:.6g},{loss:.5f}" for kind, n, d, loss in rows)]
        write_folder(tmp_path, task, lines)
        result = discover("check", tmp_path, "--json")
        found = json.loads(result.stdout)
        wrong = any(each["severity"] == "wrong" for each in found)
        assert result.exit_code == (1 if wrong else 0), result.output
        assert ("pointless" in result.stderr) == wrong
        return found

    return check


def of(found: list[dict], subject: str) -> dict:
    (one,) = [each for each in found if each["subject"] == subject]
    return one


def test_sound_table_has_notes_only(findings: Callable):
    found = findings(runs())
    assert [(each["severity"], each["subject"]) for each in found] == [("note", "extrapolation")]
    assert found[0]["values"]["factor"] == pytest.approx(1e9 / 3e8)
    assert found[0]["lines"] == [18, 19, 20, 21]


def test_constant_column_that_is_asked_for_elsewhere_is_wrong(findings: Callable):
    rows = [(kind, n, 1e9 if n < 1e9 else 2e9, loss) for kind, n, _, loss in runs(data=(1e9,) * 4)]
    one = of(findings(rows), "constant column")
    assert (one["severity"], one["columns"], one["lines"]) == ("wrong", ["D"], [18, 19, 20, 21])


def test_constant_column_is_a_doubt_where_it_stays_so(findings: Callable):
    one = of(findings(runs(data=(1e9,), sizes=(*SIZES, 2e7, 5e7, 2e8))), "constant column")
    assert (one["severity"], one["columns"]) == ("doubt", ["D"])


def test_duplicated_rows_are_told_with_their_lines(findings: Callable):
    rows = runs()
    found = findings([*rows, rows[3], rows[5]])
    one = of(found, "duplicated rows")
    assert one["lines"] == [22, 23]
    assert "lines 5, 7" in one["message"]
    assert not [each for each in found if each["subject"] == "repeated settings"]


def test_repeated_settings_are_a_note(findings: Callable):
    rows = runs()
    one = of(findings([*rows, (*rows[3][:3], rows[3][3] + 0.004)]), "repeated settings")
    assert (one["severity"], one["lines"]) == ("note", [5, 22])


def test_inputs_never_varied_apart_are_confounded(findings: Callable):
    rows = [("a", n, 20 * n, 1.7 + 400 / n**0.34) for n in np.geomspace(1e7, 2e9, 16)]
    one = of(findings(rows), "confounded inputs")
    assert (one["severity"], one["columns"]) == ("doubt", ["N", "D"])
    assert one["values"]["correlation"] == pytest.approx(1.0)
    off = [(kind, n, d * (30 if n >= 1e9 else 1), loss) for kind, n, d, loss in rows]
    one = of(findings(off), "confounded inputs")
    assert one["severity"] == "wrong", "predictions are asked for off the line"
    assert one["lines"] == [line for line, row in enumerate(off, start=2) if row[1] >= 1e9]


def test_inputs_hardly_varied_apart_hang_on_few_rows(findings: Callable):
    rng = np.random.default_rng(1)
    rows = [("a", n, 20 * n * rng.uniform(0.7, 1.4), 1.7 + 400 / n**0.34) for n in np.geomspace(1e7, 2e9, 24)]
    one = of(findings(rows), "confounded inputs")
    assert one["severity"] == "note"
    assert 0 < len(one["lines"]) <= 3


def test_two_levels_of_the_first_axis_are_too_few(findings: Callable):
    one = of(findings(runs(sizes=(1e7, 1e8, 1e9))), "too few levels")
    assert (one["severity"], one["columns"], one["values"]) == ("wrong", ["N"], {"levels": 2.0})
    one = of(findings(runs(data=(1e9, 4e9), sizes=(*SIZES, 2e7))), "too few levels")
    assert (one["severity"], one["columns"]) == ("note", ["D"])


def test_one_held_out_row_is_too_few(findings: Callable):
    """Every law had a held-out R2 of -1e12, for a single row has no spread."""
    one = of(findings(runs()[:17]), "few held-out rows")
    assert (one["severity"], one["lines"]) == ("doubt", [18])
    assert not [each for each in findings(runs()) if each["subject"] == "few held-out rows"]


def test_group_with_few_rows_is_named(findings: Callable):
    one = of(findings([*runs("a"), *runs("b", sizes=(1e7,))[:2]], groups=True), "too few rows")
    assert (one["severity"], one["lines"]) == ("doubt", [22, 23])
    assert "b: loss: 2 training rows" in one["message"]


def test_far_extrapolation_is_a_doubt(findings: Callable):
    found = findings([(kind, n * (100 if n >= 1e9 else 1), d, loss) for kind, n, d, loss in runs()])
    one = of(found, "extrapolation")
    assert (one["severity"], one["columns"]) == ("doubt", ["N"])
    assert "333 times beyond" in one["message"]
    assert "very far" in one["message"]


def test_held_out_rows_that_are_known_are_wrong(findings: Callable, tmp_path: Path, discover: Command):
    rows = runs()
    again = [(kind, n, d, loss + 3) for kind, n, d, loss in rows[:3]]
    findings([*rows, *again])
    text = (tmp_path / "task.toml").read_text()
    text = text.replace('column = "N", at_least = 1e9', 'column = "loss", at_least = 6.5')
    (tmp_path / "task.toml").write_text(text)
    found = json.loads(discover("check", tmp_path, "--json").stdout)
    assert of(found, "held-out rows already known")["severity"] == "wrong"


def test_outlier_is_found_by_its_line(findings: Callable):
    rows = runs()
    rows[6] = (*rows[6][:3], rows[6][3] * 1.25)
    one = of(findings(rows), "outlier")
    assert (one["severity"], one["lines"]) == ("doubt", [8])


def test_losses_far_above_all_others_come_with_their_exclusion(findings: Callable, discover: Command, tmp_path: Path):
    """One loss of 994 among losses of 3 hid another one, and nobody was told how to exclude them."""
    rows = runs()
    rows[6] = (*rows[6][:3], 994.5)
    one = of(findings(rows), "outlier")
    assert (one["severity"], one["lines"]) == ("doubt", [8])
    assert one["message"].endswith("excluded with [[drop]]: column = 'loss', above = 68")
    rows[2] = (*rows[2][:3], 25.0)
    hidden = [each for each in findings(rows) if each["subject"] == "outlier"]
    assert [each["lines"] for each in hidden] == [[8], [4]], "one of 25 that hides behind one of 994"
    assert hidden[0]["message"].endswith("above = 11")
    text = (tmp_path / "task.toml").read_text()
    (tmp_path / "task.toml").write_text(text + '[[drop]]\ncolumn = "loss"\nabove = 11\n')
    assert "outlier" not in discover("check", tmp_path).stdout


def test_outlier_among_the_held_out_rows_stays_closed(findings: Callable):
    """Whatever stands in the held-out targets, nothing of it is told."""
    rows = runs()
    before = findings(rows)
    rows[-1] = (*rows[-1][:3], 77.0)
    assert findings(rows) == before


def test_constant_target_is_wrong(findings: Callable):
    assert of(findings([(kind, n, d, 3.0) for kind, n, d, _ in runs()]), "constant target")["severity"] == "wrong"


def test_a_run_without_anything_that_varies_is_refused(findings: Callable, discover: Command, tmp_path: Path):
    findings([(kind, 1e8 if n < 1e9 else n, 1e9, loss) for kind, n, _, loss in runs()])
    for verb, *options in (("run", "--budget", 16, "--store", tmp_path / "r" / "runs.sqlite"), ("fit", "E + A/N")):
        result = discover(verb, tmp_path, *options)
        assert result.exit_code == 2, result.output
        assert "no input varies over its training rows; expected runs that differ" in result.stderr


def test_a_run_says_at_once_that_it_is_pointless(findings: Callable, discover: Command, tmp_path: Path):
    findings([(kind, n, d, 3.0) for kind, n, d, _ in runs()])
    result = discover("run", tmp_path, "--budget", 16, "--workers", 1, "--store", tmp_path / "r" / "runs.sqlite")
    told = f"discover: this run is pointless (constant target); see: discover check {tmp_path}"
    assert result.stderr.splitlines()[0] == told


def test_text_says_the_same_in_lines(discover: Command, findings: Callable, tmp_path: Path):
    findings(runs(sizes=(1e7, 1e8, 1e9)))
    result = discover("check", tmp_path)
    assert result.exit_code == 1
    assert "checked: 8 training rows, 4 held out" in result.stdout
    assert "wrong  too few levels: N has 2 levels" in result.stdout


@pytest.mark.parametrize("name", ["vocab_scaling", "domain_mixture_scaling", "parallel_scaling", "moe_scaling"])
def test_embedded_tasks_are_fit_for_a_run(discover: Command, name: str):
    assert discover("check", name).exit_code == 0


def test_task_that_does_not_exist_is_a_mistake(discover: Command):
    assert discover("check", "nosuch").exit_code == 2
