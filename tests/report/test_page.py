"""A report is one file that needs nothing else, whatever names and formulas it is about."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from discover.errors import DiscoverError
from discover.law import parse
from discover.report import Evidence, gather, html_of, write_figures
from discover.report.drawing import power_of_ten
from discover.report.mathml import to_mathml
from discover.report.page import _reproduce
from discover.store import StoredCall
from discover.store.store import Candidacy, Gain, Run
from discover.task import Cell, Task, load_task
from tests.cli.conftest import write_task
from tests.planted import FORMULA, fitted

HOSTILE = "<script>alert(1)</script>&\"'$\\frac{x}{0}$]]>"


def row_of(task: Task, formula: str, origin: str, chosen: bool = False, **more) -> dict:
    form = fitted(task, formula)
    cells = {
        cell.label: dict(zip(form.law.parameters, map(float, values), strict=True))
        for cell, values in zip(task.cells, form.parameters, strict=True)
    }
    return {
        "law": f"widgets-{abs(hash(formula)) % 16**8:08x}", "origin": origin, "name": origin, "formula": formula,
        "parameters": cells, "standard_errors": {}, "bounds": {}, "complexity": form.law.complexity, "recipe": "log",
        "validation_r2": 0.99 if chosen else 0.98, "held_out_r2": 0.97, "status": "ok", "chosen": chosen, "rank": 1,
        "proposer": "mutation", "seed": 0, "budget": "64", "run": "r1", **more,
    }  # fmt: skip


def candidates() -> list[Candidacy]:
    rng = np.random.default_rng(0)
    made = [
        Candidacy(number, FORMULA, "log", str(number), "families", complexity=int(rng.integers(5, 40)),
                  validation={"score": float(-4.0 * rng.random())})
        for number in range(1, 41)
    ]  # fmt: skip
    broken = Candidacy(41, FORMULA, "log", "41", HOSTILE, complexity=9, status=HOSTILE, validation={"score": None})
    return [*made, broken]


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    folder = write_task(tmp_path_factory.mktemp("tasks") / "widgets_scaling")
    (folder / "SOURCE.md").write_text(f"Measured by {HOSTILE}\n", encoding="utf-8")
    return load_task(folder)


@pytest.fixture(scope="module")
def evidence(task: Task) -> Evidence:
    """Of a task whose every text is hostile."""
    rows = [
        row_of(task, FORMULA, "discovered", chosen=True),
        row_of(task, "A*N**(-alpha)*D**(-beta)", "discovered", name=HOSTILE, proposer=HOSTILE),
        row_of(task, "E + A/N**alpha", "human", name=HOSTILE),
        row_of(task, "E", "baseline", held_out_r2=None, validation_r2=None),
    ]
    run = Run("r1", task.name, f"/tmp/{HOSTILE}", "d1", 0, "64", {"rule": HOSTILE}, "2026-01-01", {"python": HOSTILE})
    made = gather(task, rows, candidates=candidates(), run=run, units={"E": HOSTILE}, rng=np.random.default_rng(0))
    cells = (Cell(HOSTILE, "loss"), task.cells[1])
    named = replace(
        task, title=HOSTILE, summary=HOSTILE, training=replace(task.training, cells=cells),
        inputs=tuple(replace(column, description=HOSTILE, unit=HOSTILE) for column in task.inputs),
    )  # fmt: skip
    return replace(made, task=named)


@pytest.fixture(scope="module")
def written(evidence: Evidence) -> str:
    return html_of(evidence)


class Reader(HTMLParser):
    """Tags, and what they refer to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.references: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.references += [value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "data")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_the_page_runs_nothing_and_fetches_nothing(written: str):
    seen = Reader(written)
    assert not {"script", "iframe", "object", "embed", "link", "base", "form"} & set(seen.tags)
    assert not seen.handlers
    assert all(ref.startswith(("#", "data:image/png")) for ref in seen.references)
    assert "url(http" not in written
    assert "default-src 'none'" in written


def test_hostile_names_are_shown_as_text(written: str):
    assert "<script>" not in written
    assert written.count("&lt;script&gt;alert(1)") >= 8  # title, summary, units, names, statuses, SOURCE.md ...


def test_what_proposers_gave_and_language_models_noted_is_told(evidence: Evidence):
    def call(number: int, kind: str, dollars: float | None, notes: tuple[str, ...] = ()) -> StoredCall:
        return StoredCall(
            "llm:m", number, kind, 16, 32, True, "{}", b"", 200, "", None, 1.5, 900, 100, dollars,
            "" if notes else "time-out", (), notes,
        )  # fmt: skip

    gains = (Gain("llm:m", 7, 3, 0.25, 1, 2.5, 0.8125, 2000, None), Gain(HOSTILE, 1, 0, 0.0, 0, 0.1))
    calls = (call(1, "laws", 0.5), call(2, "concepts", None, (f"Falling powers {HOSTILE}",)))
    told = html_of(replace(evidence, gains=gains, calls=calls))
    assert re.search(r"llm:m</td>.*7</td>.*3</td>.*0\.8125</td>.*1</td>.*25%</td>.*2\.5</td>", told)
    assert re.search(r"llm:m</td><td>masked</td>.*2</td>.*1</td>.*2,000</td>.*3\.0</td>.*not known</td>", told)
    assert "<li>Falling powers &lt;script&gt;alert(1)" in told
    assert "<script>" not in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "--budget 64 --seed 0\n"),
        (
            {"proposers": ["families", "recipe"], "start_from": None},
            "--budget 64 --seed 0 --proposers families,recipe\n",
        ),
        (
            {"proposers": ["human", "families"], "start_from": "human"},
            "--budget 64 --seed 0 --proposers families --start-from human\n",
        ),
        ({"proposers": ["families"], "language_models": {"models": []}}, "widgets --replay r1\n"),
    ],
)
def test_the_command_that_repeats_a_run_names_its_proposers(evidence: Evidence, options: dict, told: str):
    """It was that of another search where proposers or language models had been named."""
    assert evidence.run is not None
    run = replace(evidence.run, options=options, folder="tasks/widgets")
    page = _reproduce(replace(evidence, run=run))
    assert told in page


def test_scores_near_one_are_told_apart_in_the_figure_of_laws(written: str):
    """On an axis from -1 to 1 all laws of a clean table stood at the same place."""
    assert ">0.9<" in written
    assert "-0.75" not in written


def test_every_part_is_there(written: str):
    for heading in ("Parameters", "Fit", "Extrapolation", "How far to trust the band", "Discovered and human laws",
                    "Search", "Where the data come from", "How to reproduce"):  # fmt: skip
        assert f"<h2>{heading}</h2>" in written
    assert written.count("<figure>") == 7  # fit, residuals, two axes, laws, front, progress
    assert "discover run" in written
    assert "--budget 64 --seed 0" in written
    assert re.search(r"\d+% of \d+ held-back rows lay inside the 90% band", written)


def test_a_task_without_scale_axes_is_told_nothing_of_them(evidence: Evidence, written: str):
    assert "holding back one part of a scale axis" in written
    page = html_of(replace(evidence, task=replace(evidence.task, scale_axes=(), summary="reads `own` & more")))
    assert "each fold holding back some settings" in page
    assert "ranges of a scale axis beyond" not in page
    assert "<p>reads <code>own</code> &amp; more</p>" in page


def test_rows_that_no_law_was_fitted_to_are_named_where_the_data_come_from(evidence: Evidence, written: str):
    assert "nothing smooth comes near" not in written
    assert ">set aside<" not in written
    page = html_of(replace(evidence, row={**evidence.row, "set_aside": [16, 20]}))
    assert ">set aside<" in page  # in the figure of the fit
    assert "Set aside, since nothing smooth comes near: lines 16, 20 of the table" in page


def test_ids_of_figures_do_not_collide(written: str):
    ids = re.findall(r'\bid="([^"]+)"', written)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'xlink:href="#([^"]+)"', written)) <= set(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", written)) <= set(ids)


def test_the_same_evidence_gives_the_same_bytes(evidence: Evidence, written: str):
    assert html_of(evidence) == written


def test_figures_are_written_as_svg_and_png(evidence: Evidence, tmp_path: Path):
    files = write_figures(evidence, tmp_path / "figures")
    assert len(files) == 14
    assert not [path for path in (tmp_path / "figures").iterdir() if path.name.startswith(".")]
    for path in files:
        content = path.read_bytes()
        if path.suffix == ".png":
            assert content[:8] == b"\x89PNG\r\n\x1a\n"
            width, height = struct.unpack(">II", content[16:24])
            assert min(width, height) > 300
        else:
            assert b"<script" not in content
            assert b"currentColor" not in content  # a file of its own has no page to take its colour from


def test_figures_that_cannot_be_written_are_one_line(evidence: Evidence, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DiscoverError, match="cannot be written"):
        write_figures(evidence, tmp_path / "file")


def test_a_leaderboard_without_discovered_laws_has_no_report(task: Task):
    with pytest.raises(DiscoverError, match="no discovered law"):
        gather(task, [row_of(task, "E + A/N**alpha", "human")], rng=np.random.default_rng(0))


def test_a_law_of_other_cells_is_refused(task: Task):
    row = row_of(task, FORMULA, "discovered", chosen=True)
    row["parameters"] = {"gone: loss": next(iter(row["parameters"].values()))}
    with pytest.raises(DiscoverError, match="the task has changed"):
        gather(task, [row], rng=np.random.default_rng(0))


def test_the_page_tells_what_laws_are_known_as_and_what_is_certain_of_the_chosen_one(evidence: Evidence):
    known = {"kind": "identical", "laws": ["chinchilla"], "text": f"identical to {HOSTILE}"}
    proved = {"text": f"falls with {HOSTILE}", "verdict": "proved", "cells": 2, "of": 2}
    some = {**proved, "text": "of one sign", "verdict": "refuted", "cells": 1}
    row = {**evidence.row, "known_as": known, "certificates": [proved, some]}
    text = html_of(replace(evidence, row=row, rows=(row, *evidence.rows[1:])))
    assert text.count("identical to &lt;script&gt;") == 2  # of the law, and in the table
    assert "✓ falls with &lt;script&gt;" in text
    assert "✗ of one sign (1 of 2 cells)" in text
    assert "<script>" not in text


def test_an_older_leaderboard_says_nothing_of_that(written: str):
    assert "known as" not in written
    assert "What is certain" not in written


def test_a_run_without_a_store_still_gives_a_page(task: Task):
    evidence = gather(task, [row_of(task, FORMULA, "discovered", chosen=True)], rng=np.random.default_rng(0))
    text = html_of(evidence)
    assert "The store of the run is not here" in text
    assert text.count("<figure>") == 5


@pytest.mark.parametrize(
    "formula, due",
    [
        ("a + b", ["<mi>a</mi>", "+</mo><mi>b</mi>"]),
        ("a*(b + c)", ['<mo fence="true">(</mo>']),
        ("a/N**alpha", ["<mfrac>", "<msup>", "<mi>α</mi>"]),
        ("(-a)**b", ['<mo fence="true">(</mo><mo>−</mo>']),
        ("a*1.5e-7", ["<mn>1.5</mn><mo>×</mo><msup><mn>10</mn><mn>−7</mn></msup>"]),
        ("alpha_N + num_params", ["<msub><mi>α</mi>", '<mi mathvariant="normal">num_params</mi>']),
        ("a - (b - c)", ["−</mo><mi>b</mi>", "+</mo><mi>c</mi>"]),
        ("a*exp(-N/b)", ["<msup><mi>e</mi>"]),
    ],
)
def test_formulas_become_mathml(formula: str, due: list[str]):
    text = to_mathml(parse(formula, ["N"]).expression, "loss")
    for part in due:
        assert part in text
    seen = Reader(text)
    assert text.count("</") + text.count("/>") == len(seen.tags)  # every tag is closed


def test_ticks_are_written_without_markup():
    assert [power_of_ten(v) for v in (1e9, 2e-7, 100.0, 0.0)] == ["10⁹", "2·10⁻⁷", "100", "0"]


def test_matplotlib_is_loaded_only_when_a_figure_is_drawn():
    code = "import sys, discover.report, discover.planning, discover.cli.report; print('matplotlib' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "False"


@pytest.fixture
def chromium() -> str:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if found is None:
        pytest.skip("no Chromium here to open the page in")
    return found


def test_a_browser_lays_the_page_out(chromium: str, written: str, tmp_path: Path):
    """Opened for real: the picture has a size, ink on it, and colours in its figures."""
    page, picture = tmp_path / "report.html", tmp_path / "report.png"
    page.write_text(written, encoding="utf-8")
    command = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
               "--window-size=1000,2600", f"--screenshot={picture}", page.as_uri()]  # fmt: skip
    subprocess.run(command, capture_output=True, timeout=120, check=True)
    from matplotlib.image import imread

    pixels = imread(picture)[..., :3]
    assert pixels.shape[:2] == (2600, 1000)
    assert (np.ptp(pixels, axis=2) > 0.15).mean() > 0.002  # coloured marks: the figures are drawn
    rows_with_ink = (pixels.min(axis=(1, 2)) < 0.5).mean()
    assert rows_with_ink > 0.4
