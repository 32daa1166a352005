"""Every law on the committed leaderboards survives every export: its stored predictions come back to 1e-9."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from discover.cli import main
from discover.exporters.latex import symbol_names
from discover.law import parse
from discover.scoring.held_out import open_held_out
from discover.task import Rows, Task, load_task

from .reading import json_value, latex_value, module_of, sympy_value

RESULTS = Path(__file__).resolve().parents[2] / "results"
CLOSE = 1e-9
MOST_ROWS = 12  # of a law, for the formats that are evaluated row by row

LAWS: list[dict[str, Any]] = [
    {**row, "task": path.parent.name}
    for path in sorted(RESULTS.glob("*/leaderboard.json"))
    for row in json.loads(path.read_text(encoding="utf-8"))
]

pytestmark = pytest.mark.skipif(not LAWS, reason="no leaderboard is committed yet")


@functools.cache
def opened(name: str) -> tuple[Task, Rows]:
    task = load_task(name)
    return task, open_held_out(task)


class Stored:
    """A row of a leaderboard beside what each export gives for the same held-out rows."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row
        self.task, self.rows = opened(row["task"])
        names = list(next(iter(row["parameters"].values())))
        self.law = parse(row["formula"], self.task.input_names, parameters=names)
        self.due = np.array(row["predictions"])
        self.picked = np.unique(np.linspace(0, self.rows.n_rows - 1, MOST_ROWS).astype(int))

    def export(self, form: str, results: Path = RESULTS) -> str:
        result = CliRunner().invoke(
            main, ["export", self.row["law"], "--format", form, "--store", str(results / "none.sqlite")]
        )
        assert result.exit_code == 0, result.output
        return result.stdout

    def inputs(self, row: int) -> dict[str, float]:
        return {name: float(self.rows.column(name)[row]) for name in self.law.inputs}

    def chosen(self, row: int) -> dict[str, str]:
        """The keyword arguments that tell the cell of a row."""
        cells, own = self.rows.cells, self.rows.cells[self.rows.cell[row]]
        by = {"group": own.group} if own.group else {}
        return by | ({"target": own.target} if len({cell.target for cell in cells}) > 1 else {})


@pytest.fixture(params=LAWS, ids=lambda row: f"{row['law']}-{row['rank']}")
def stored(request: pytest.FixtureRequest) -> Stored:
    return Stored(request.param)


def test_python_module_gives_the_stored_predictions(stored: Stored, tmp_path: Path):
    module = module_of(stored.export("python"), tmp_path)
    found = [module.predict(*stored.inputs(row).values(), **stored.chosen(row)) for row in range(stored.rows.n_rows)]
    assert np.array(found, dtype=float) == pytest.approx(stored.due, rel=CLOSE, abs=0.0)


def test_sympy_expression_gives_the_stored_predictions(stored: Stored, tmp_path: Path):
    module = module_of(stored.export("sympy"), tmp_path)
    for row in stored.picked:
        parameters = module.parameters
        if len(stored.rows.cells) > 1:
            key = tuple(stored.chosen(row).values())
            parameters = parameters[key if len(key) > 1 else key[0]]
        values = {symbol.name: value for symbol, value in parameters.items()}
        found = sympy_value(module.law, values, stored.inputs(row))
        assert found == pytest.approx(stored.due[row], rel=CLOSE, abs=0.0)


def test_latex_gives_the_stored_predictions(stored: Stored):
    text, typeset = stored.export("latex"), symbol_names((*stored.law.inputs, *stored.law.parameters))
    for row in stored.picked:
        found = latex_value(text, typeset, int(stored.rows.cell[row]), stored.inputs(row))
        assert found == pytest.approx(stored.due[row], rel=CLOSE, abs=0.0)


def test_json_record_gives_the_stored_predictions(stored: Stored):
    text = stored.export("json")
    for row in stored.picked:
        found = json_value(text, int(stored.rows.cell[row]), stored.inputs(row))
        assert found == pytest.approx(stored.due[row], rel=CLOSE, abs=0.0)
