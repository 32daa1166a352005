"""Every law on the committed leaderboards survives every export: its stored predictions come back to 1e-9."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from discover.cli import main
from discover.exporters.latex import symbol_names
from discover.exporters.sldbench import COLUMNS, TARGETS
from discover.law import parse
from discover.scoring.held_out import open_held_out
from discover.task import Rows, Task, columns_read, load_task

from .reading import json_value, latex_value, module_of, sympy_value

RESULTS = Path(__file__).resolve().parents[2] / "results"
CLOSE = 1e-9
IN_DOUBLE = {"rel": CLOSE, "abs": 0.0}
IN_SINGLE = {"rel": 1e-6, "abs": float(np.finfo(np.float32).tiny)}  # below it single precision has no digits
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


def by_cell(stored: Stored) -> Iterator[tuple[np.ndarray, list[np.ndarray], dict[str, str]]]:
    """The held-out rows of each cell: which they are, their inputs, and the arguments that tell the cell."""
    for cell in np.unique(stored.rows.cell):
        mine = np.flatnonzero(stored.rows.cell == cell)
        yield mine, [stored.rows.column(name)[mine] for name in stored.law.inputs], stored.chosen(int(mine[0]))


def in_single(stored: Stored, mine: np.ndarray) -> np.ndarray:
    """What the law gives for inputs that were rounded to single precision before."""
    inputs = {name: stored.rows.column(name)[mine].astype(np.float32).astype(float) for name in stored.law.inputs}
    own = list(stored.row["parameters"].values())[stored.rows.cell[mine[0]]]
    return np.broadcast_to(stored.law.predict(inputs, [own[name] for name in stored.law.parameters]), len(mine))


@pytest.mark.parametrize("double", [True, False], ids=["double", "single"])
def test_jax_module_gives_the_stored_predictions(stored: Stored, tmp_path: Path, double: bool):
    jax = pytest.importorskip("jax", reason="JAX is not installed (pip install '.[jax]')")
    module = module_of(stored.export("jax"), tmp_path)
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", double)
    try:
        for mine, inputs, chosen in by_cell(stored):
            found = module.predict(*map(jax.numpy.asarray, inputs), **chosen)
            due = stored.due[mine] if double else in_single(stored, mine)
            assert found.dtype == ("float64" if double else "float32")
            assert np.broadcast_to(found, len(mine)) == pytest.approx(due, **(IN_DOUBLE if double else IN_SINGLE))
    finally:
        jax.config.update("jax_enable_x64", before)


@pytest.mark.parametrize("double", [True, False], ids=["double", "single"])
def test_torch_module_gives_the_stored_predictions(stored: Stored, tmp_path: Path, double: bool):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (pip install '.[torch]')")
    law = module_of(stored.export("torch"), tmp_path).Law()
    dtype = torch.float64 if double else torch.float32
    for mine, inputs, chosen in by_cell(stored):
        found = law(*(torch.tensor(column, dtype=dtype) for column in inputs), **chosen).detach()
        due = stored.due[mine] if double else in_single(stored, mine)
        assert found.dtype == dtype or not inputs
        assert np.broadcast_to(found, len(mine)) == pytest.approx(due, **(IN_DOUBLE if double else IN_SINGLE))


def test_sldbench_module_gives_the_stored_predictions(stored: Stored, tmp_path: Path):
    """By both doors, with the columns, targets and groups as the benchmark names them."""
    module = module_of(stored.export("sldbench"), tmp_path)
    columns, read = COLUMNS[stored.task.name], columns_read(stored.task.folder)
    assert list(columns.values()) == module.COLUMNS
    for cell in np.unique(stored.rows.cell):
        mine, own = np.flatnonzero(stored.rows.cell == cell), stored.rows.cells[cell]
        table = {read[own.target][name]: stored.rows.column(name)[mine] for name in stored.rows.input_names}
        points = np.column_stack([table[name] for name in columns])
        target = TARGETS.get(stored.task.name, {}).get(own.target, own.target)
        told = [dict(zip(module.COLUMNS, point, strict=True)) for point in points.tolist()]
        found = [answer[target] for answer in module.law(told, own.group or "all_data")]
        assert found == pytest.approx(stored.due[mine], rel=CLOSE, abs=0.0)
        given = module.PARAMETERS[own.group]
        both = module.scaling_law_func(points, [given[name] for name in module.TARGETS])
        assert both.shape == ((len(mine), len(module.TARGETS)) if len(module.TARGETS) > 1 else (len(mine),))
        both = both.reshape(len(mine), -1)[:, module.TARGETS.index(target)]
        assert both == pytest.approx(stored.due[mine], rel=CLOSE, abs=0.0)
