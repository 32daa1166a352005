"""`from discover import ...`: the verbs as functions, and an import that costs nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import discover
from discover.errors import DiscoverError, UnknownInputError
from tests.cli.conftest import ROOT, environment, invoke, write_task

PLANTED = "E + A/N**alpha + B/D**beta"


@pytest.fixture(scope="module")
def widgets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_task(tmp_path_factory.mktemp("tasks") / "widgets_scaling")


@pytest.fixture(scope="module")
def fitted(widgets: Path) -> object:
    return discover.fit(widgets, PLANTED)


def test_names_are_imported_when_asked_for():
    """Nothing heavy comes with `import discover`, and every name of __all__ is there."""
    code = "import sys, discover; print([m for m in ('numpy', 'sklearn', 'pandas', 'sympy') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), cwd=ROOT)
    assert shown.stdout.strip() == "[]", shown.stderr
    assert all(getattr(discover, name) for name in discover.__all__)
    assert set(discover.__all__) <= set(dir(discover))
    with pytest.raises(AttributeError, match="has no attribute 'lode_task'"):
        discover.lode_task  # noqa: B018


def test_fit_gives_what_the_command_gives(widgets: Path, fitted: object):
    row = json.loads(invoke("fit", widgets, PLANTED, "--json").stdout)
    assert [fitted.values(number) for number in range(2)] == list(row["parameters"].values())
    assert fitted.provenance["validation_r2"] == row["validation_r2"]
    assert fitted.provenance["status"] == "ok"


def test_law_predicts_frames_mappings_and_groups(fitted: object):
    frame = pd.DataFrame({"N": [1e8, 1e10], "D": [1e9, 1e12], "note": ["x", "y"]}, index=["small", "large"])
    due = 1.7 + 400 / frame["N"] ** 0.34 + 410 / frame["D"] ** 0.28
    found = fitted.predict(frame, group="a")
    assert list(found.index) == ["small", "large"]
    assert found.to_numpy() == pytest.approx(due.to_numpy(), rel=0.01)
    both = fitted.predict(frame, group=["a", "b"])
    assert both["small"] == found["small"]
    assert both["large"] == pytest.approx(due["large"] + 0.4, rel=0.01)
    assert float(fitted.predict({"N": 1e8, "D": 1e9}, group="a")) == found["small"]
    with pytest.raises(UnknownInputError, match="group: none given, expected one of 'a', 'b'"):
        fitted.predict(frame)
    with pytest.raises(UnknownInputError, match="law reads 'D'"):
        fitted.predict({"N": 1e8}, group="a")


def test_discover_finds_a_law_and_leaves_no_trace(widgets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    seen = []
    task = discover.load_task(widgets)
    found = discover.discover(task, budget=24, seed=1, each=lambda generation: seen.append(generation.n_candidates))
    assert (found.candidates, seen[-1]) == (24, 24)
    assert found.law in found.front or found.law in found.ranked
    assert found.law.provenance["validation_r2"] > 0.99
    sizes = [law.law.complexity for law in found.front]
    assert sizes == sorted(set(sizes))
    assert "$$" in found._repr_html_()
    assert list(tmp_path.iterdir()) == []
    again = discover.discover(widgets, budget="24", seed=1)
    assert (str(again.law), again.law.parameters.tolist()) == (str(found.law), found.law.parameters.tolist())


def test_mistakes_are_the_same_as_on_the_command_line(widgets: Path):
    for call, told in (
        (lambda: discover.load_task("vocab_scalin"), "did you mean 'vocab_scaling'"),
        (lambda: discover.fit(widgets, "E + foo(N)"), "unknown function 'foo'"),
        (lambda: discover.fit(widgets, "E + A/N", loss="cubic"), "loss: 'cubic'"),
        (lambda: discover.discover(widgets, budget="soon"), "budget: 'soon'"),
    ):
        with pytest.raises(DiscoverError) as refusal:
            call()
        assert told in str(refusal.value)


def test_law_is_exported_from_python(fitted: object):
    from discover.exporters import EXPORTERS

    for form in EXPORTERS:
        assert "alpha" in EXPORTERS[form](fitted)
    assert str(fitted).startswith("loss = ")


def test_page_on_python_works_as_written():
    """Its blocks in order, in one namespace, with small budgets."""
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(re.sub(r"budget=\d+", "budget=6", block), names)
    assert names["found"].front
    assert 1.8 < names["model"].predict(names["runs"]).min() < 2.7


def test_hostile_names_are_escaped_in_a_notebook():
    from discover.exporters import FittedLaw
    from discover.law import parse
    from discover.task import Cell

    cells = (Cell("<script>alert(1)</script>", "loss"), Cell("b", "loss"))
    shown = FittedLaw(parse("a*N", ["N"]), cells, np.ones((2, 1)), {"N": "<b>"})._repr_html_()
    assert "<script" not in shown
    assert "<b>" not in shown
