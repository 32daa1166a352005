"""A leaderboard says which published law each of its laws is, and what is certain about it; within bounds of work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from discover.leaderboard import remarks
from discover.store.records import record, to_json
from discover.task import Task, load_task
from tests.cli.conftest import write_task

VALUES = {
    "E + A/N**alpha + B/D**beta": {"E": 1.7, "A": 400.0, "alpha": 0.34, "B": 410.0, "beta": 0.28},
    "(A/N**alpha + B/D**beta)**g": {"A": 40.0, "alpha": 0.1, "B": 10.0, "beta": 0.08, "g": 1.2},
    "E + A*sin(N/D)*log(N)": {"E": 1.7, "A": 0.1},
    "E": {"E": 2.0},
}
FOUND, SPECIAL, NEW, CONSTANT = VALUES


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return load_task(write_task(tmp_path_factory.mktemp("tasks") / "widgets_scaling"))


def row(formula: str, origin: str = "discovered", **more: Any) -> dict[str, Any]:
    cells = dict.fromkeys(("a: loss", "b: loss"), VALUES[formula])
    return {"law": "w-1", "origin": origin, "name": "x", "formula": formula, "parameters": cells, **more}


def told(task: Task, *rows: dict[str, Any]) -> list[str | None]:
    return [own["known_as"] and own["known_as"].text for own in remarks(task, rows)]


def test_each_law_is_named_by_the_published_one_it_is_or_part_of(task: Task):
    first, second, third, fourth = told(task, row(FOUND), row(SPECIAL), row(NEW), row(CONSTANT, "baseline"))
    assert first == "identical to chinchilla"
    assert second is not None
    assert second == "special case of nd_coupled (E = 0)"
    assert third == "new form"
    assert fourth is None


def test_published_laws_go_by_their_id_and_others_are_not_called_new(task: Task):
    library = row(NEW, "human", name="chinchilla, refitted", citation="Hoffmann et al. 2022, arXiv 2203.15556")
    other, baseline = row(NEW, "human", name="of somebody, as published"), row(NEW, "baseline")
    assert told(task, library, other, baseline) == ["identical to chinchilla", None, None]
    namesake = row(NEW, "human", name="chinchilla, refitted", citation="ours")
    assert told(task, namesake) == [None], "somebody's own law may have any name"


def test_of_baselines_the_canonical_form_alone_is_looked_at(task: Task):
    assert told(task, row(FOUND, "baseline"), row(SPECIAL, "baseline")) == ["identical to chinchilla", None]


def test_certificates_count_the_cells(task: Task):
    (own,) = remarks(task, [row(FOUND)])
    found = {each.text: (each.verdict, each.cells, each.of) for each in own["certificates"]}
    assert found["falls with N"] == found["positive"] == ("proved", 2, 2)


def test_remarks_are_plain_json_and_the_same_again(task: Task):
    rows = [row(FOUND), row(SPECIAL)]
    once, again = (to_json(record(remarks(task, rows)), strict=True) for _ in range(2))
    assert once == again
    assert '"kind": "identical"' in once


def test_a_row_of_another_table_has_no_remarks(task: Task):
    strange = {**row(FOUND), "parameters": {"another": VALUES[FOUND]}}
    assert remarks(task, [strange]) == [{"known_as": None, "certificates": ()}]


def test_when_the_time_is_over_laws_are_left_undecided(task: Task, monkeypatch: pytest.MonkeyPatch):
    import sys

    module = sys.modules["discover.leaderboard.remarks"]
    monkeypatch.setattr(module, "_SECONDS", 0.0)
    (own,) = remarks(task, [row(SPECIAL)])
    assert own["known_as"].kind == "unknown"
    assert {(each.of, each.unseen) for each in own["certificates"]} == {(1, 1)}, "one of two cells"
    assert told(task, row(FOUND)) == ["identical to chinchilla"], "a canonical form takes no time"


def test_with_little_time_every_law_has_certificates_of_some_cells(task: Task, monkeypatch: pytest.MonkeyPatch):
    """Of forty-two cells, those of the first few laws once took all the time, and other laws had none at all."""
    import sys

    module = sys.modules["discover.leaderboard.remarks"]
    clock = iter(0.1 * step for step in range(10_000))  # a look at the clock takes a tenth of a second
    monkeypatch.setattr(module.time, "thread_time", lambda: next(clock))
    monkeypatch.setattr(module, "known_as", lambda *_, **__: None)
    monkeypatch.setattr(module, "_SECONDS", 0.3)
    many = [{**row(FOUND), "law": f"w-{place}"} for place in range(4)]
    found = [own["certificates"] for own in remarks(task, many)]
    assert all(found)
    assert {(each.of, each.unseen) for own in found for each in own} == {(1, 1)}


def test_the_chosen_law_comes_first(task: Task, monkeypatch: pytest.MonkeyPatch):
    """Where the time does not do for all, it does for the one that matters."""
    import sys

    asked = []
    module = sys.modules["discover.leaderboard.remarks"]
    monkeypatch.setattr(module, "_known_as", lambda task, row, *rest: asked.append(row["formula"]))
    remarks(task, [row(NEW), row(SPECIAL, chosen=True), row(FOUND)])
    assert asked == [SPECIAL, NEW, FOUND]


def test_no_remark_reads_held_out_rows(tmp_path: Path):
    folder = write_task(tmp_path / "widgets_scaling")
    loaded = load_task(folder)
    (folder / "points.csv").unlink()  # what is held out can no longer be read
    assert told(loaded, row(FOUND)) == ["identical to chinchilla"]
