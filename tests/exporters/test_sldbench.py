"""What SLDBench does with a submitted module: fit each group anew, then predict; or ask `law` with a group."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from discover.cli.stored_laws import fitted_law
from discover.exporters import EXPORTERS, FittedLaw
from discover.exporters.sldbench import COLUMNS, TARGETS
from discover.law import GRAMMAR, parse
from discover.task import Cell, columns_read, find_folder, load_task

from .reading import module_of
from .test_round_trips import CELLS, CLOSE, FORMULAS, INPUTS, TRAPS, expected, fitted

ROOT = Path(__file__).resolve().parents[2]
PLANTED = "E + A/N**alpha + B/D**beta"
SIZES = np.array([(size, data) for size in (1e7, 1e8, 1e9, 1e10) for data in (1e9, 1e10, 1e11, 1e12)])
VALUES = {"a": (1.7, 400.0, 0.34, 410.0, 0.28), "b": (2.1, 120.0, 0.29, 900.0, 0.31)}


def planted(groups: str = "ab", **more: object) -> FittedLaw:
    law = parse(PLANTED, ["N", "D"])
    named = [dict(zip(("E", "A", "alpha", "B", "beta"), VALUES[group], strict=True)) for group in groups]
    rows = np.array([[own[name] for name in law.parameters] for own in named])
    return FittedLaw(law, tuple(Cell(group, "loss") for group in groups), rows, provenance=more)


def losses(group: str) -> np.ndarray:
    floor, a, alpha, b, beta = VALUES[group]
    return floor + a / SIZES[:, 0] ** alpha + b / SIZES[:, 1] ** beta


@pytest.mark.parametrize("formula", [*FORMULAS.values(), *TRAPS])
def test_both_doors_predict_what_the_law_predicts(formula: str, tmp_path: Path):
    law = fitted(formula)
    module = module_of(EXPORTERS["sldbench"](law), tmp_path)
    points = np.stack([INPUTS[name] for name in module.COLUMNS], axis=1) if module.COLUMNS else np.empty((3, 0))
    found = module.scaling_law_func(points, module.PARAMETERS[""]["loss"])
    assert found == pytest.approx(expected(law), rel=CLOSE, abs=0.0)
    told = [dict(zip(module.COLUMNS, row, strict=True)) for row in points.tolist()]
    assert [answer["loss"] for answer in module.law(told, "all_data")] == pytest.approx(found.tolist(), rel=1e-15)


def test_every_function_of_the_grammar_was_tried():
    assert set(FORMULAS) == set(GRAMMAR)


def test_group_that_was_never_seen_is_fitted_anew(tmp_path: Path):
    """The evaluator hands over rows only: the second group's law is found from the first one's parameters."""
    module = module_of(EXPORTERS["sldbench"](planted("a")), tmp_path)
    params = module.fit_scaling_law(SIZES, losses("b"))
    assert params.shape == (5,)
    assert module.scaling_law_func(SIZES, params) == pytest.approx(losses("b"), rel=1e-5)
    beyond = np.array([[1e11, 1e13]])
    due = VALUES["b"][0] + VALUES["b"][1] / 1e11 ** VALUES["b"][2] + VALUES["b"][3] / 1e13 ** VALUES["b"][4]
    assert module.scaling_law_func(beyond, params) == pytest.approx(due, rel=1e-3)


def test_fit_is_the_one_that_the_recipe_asks_for(tmp_path: Path):
    """A single row far off moves a plain fit and not a robust one; small rows outside the window move nothing."""
    off = losses("a")
    off[3] *= 1.3
    plain, robust, log = (
        module_of(EXPORTERS["sldbench"](planted("a", recipe=recipe)), tmp_path)
        for recipe in ("squared", "huber", "log")
    )
    found = [module.scaling_law_func(SIZES, module.fit_scaling_law(SIZES, off)) for module in (plain, robust)]
    gap = [np.abs(values - losses("a"))[8:].max() for values in found]
    assert gap[1] < gap[0] / 2
    assert log.scaling_law_func(SIZES, log.fit_scaling_law(SIZES, losses("a"))) == pytest.approx(losses("a"), rel=1e-6)
    law = planted("a", recipe="squared window=0.5 shared=alpha,beta")
    windowed = FittedLaw(law.law, law.cells, law.parameters, provenance=law.provenance, scale_axes={"N": True})
    module = module_of(EXPORTERS["sldbench"](windowed), tmp_path)
    found = module.scaling_law_func(SIZES, module.fit_scaling_law(SIZES, off))
    assert found[8:] == pytest.approx(losses("a")[8:], rel=1e-6)


def test_bounds_of_the_law_hold_in_the_fit(tmp_path: Path):
    law = parse("E + A/N**alpha", ["N", "D"], bounds={"E": (1.9, 5.0)})
    start = {"E": 2.0, "A": 400.0, "alpha": 0.3}
    bounded = FittedLaw(law, (Cell("", "loss"),), np.array([[start[name] for name in law.parameters]]))
    module = module_of(EXPORTERS["sldbench"](bounded), tmp_path)
    params = module.fit_scaling_law(SIZES[:, :1], 1.7 + 400 / SIZES[:, 0] ** 0.34)
    assert params[law.parameters.index("E")] == pytest.approx(1.9, abs=1e-3)


def test_several_targets_are_fitted_and_told_together(tmp_path: Path):
    law = fitted("E + A/N**alpha", CELLS["groups and targets"])
    module = module_of(EXPORTERS["sldbench"](law), tmp_path)
    values = np.array([module.PARAMETERS["70M"][target] for target in module.TARGETS])
    sizes = np.linspace(0.3, 4.0, 12)
    both = module.scaling_law_func(sizes, values)
    assert both.shape == (12, 2)
    again = module.scaling_law_func(sizes, module.fit_scaling_law(sizes, both))
    assert again == pytest.approx(both, rel=1e-5)
    assert set(module.law([{"N": 1.0}], "1_B & co")[0]) == {"loss1", "loss2"}


def test_group_is_known_by_its_words(tmp_path: Path):
    cells = (Cell("gpt2, flan", "loss"), Cell("gpt2, wmt19", "loss"))
    module = module_of(EXPORTERS["sldbench"](fitted("a*N", cells)), tmp_path)
    due = module.law([{"N": 2.0}], "gpt2, wmt19")
    assert module.law([{"N": 2.0}], "('wmt19', 'gpt2')") == due
    with pytest.raises(ValueError, match="got 'bert', expected one of"):
        module.law([{"N": 2.0}], "bert")


@pytest.mark.parametrize("name", ["parallel_scaling", "moe_scaling"])
def test_fit_of_a_committed_law_arrives_where_ours_did(name: str, tmp_path: Path):
    """The chosen law with its own recipe, fitted anew to each group's training rows by SciPy."""
    rows = json.loads((ROOT / "results" / name / "leaderboard.json").read_text(encoding="utf-8"))
    task, chosen = load_task(name), next(row for row in rows if row["chosen"])
    law = fitted_law({**chosen, "task": name}, task)
    module = module_of(EXPORTERS["sldbench"](law), tmp_path)
    for number, cell in enumerate(law.cells):
        mine = task.training.cell == number
        points = np.column_stack([task.training.column(column)[mine] for column in COLUMNS[name]])
        found = module.scaling_law_func(points, module.fit_scaling_law(points, task.training.target[mine]))
        stored = module.scaling_law_func(points, module.PARAMETERS[cell.group][module.TARGETS[0]])
        # A robust loss has its threshold from a pilot fit of its own there; one group alone shares nothing.
        robust = "l1" in chosen["recipe"] or "huber" in chosen["recipe"]
        shared = "shared=" in chosen["recipe"]
        assert found == pytest.approx(stored, rel=2e-3 if shared else 5e-4 if robust else 1e-5)


def test_columns_of_the_benchmark_are_those_of_our_tasks():
    for task, columns in COLUMNS.items():
        read = columns_read(find_folder(task))
        assert {column for own in read.values() for column in own.values()} == set(columns)
        assert set(TARGETS.get(task, read)) == set(read)


def test_new_group_is_drawn_to_what_is_usual_as_the_known_ones_were(tmp_path: Path):
    """Three rows cannot fix five parameters; the prior that is stored with the law fills in for the rest."""
    law = planted("a")
    prior = {"a: loss": {name: [value, 10.0 / value] for name, value in law.values(0).items()}}
    shrunk = planted("a", recipe="squared shrink=1", prior=prior)
    few = [0, 6, 15]
    gap = []
    for told in (law, shrunk):
        module = module_of(EXPORTERS["sldbench"](told), tmp_path)
        found = module.fit_scaling_law(SIZES[few], losses("a")[few] * [1.01, 0.99, 1.01])
        gap.append(np.abs(module.scaling_law_func(SIZES, found) / losses("a") - 1.0).max())
    assert gap[1] < 0.03 < 0.1 < gap[0]


def test_law_that_does_not_shrink_has_no_prior(tmp_path: Path):
    assert module_of(EXPORTERS["sldbench"](planted()), tmp_path).PRIOR == []
