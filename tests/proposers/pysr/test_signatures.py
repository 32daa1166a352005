"""The stand-in and the settings speak the API of the installed PySR: its source is read, never imported."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from discover.proposers.pysr.coordinates import VIEWS, Coordinates
from discover.proposers.pysr.julia import OLDEST_PYSR, _numbers, package_version
from discover.proposers.pysr.settings import settings_of
from discover.task import load_task

STAND_IN = Path(__file__).parent / "stand_in" / "pysr" / "__init__.py"

pytestmark = pytest.mark.skipif(
    _numbers(package_version("pysr") or "0") < OLDEST_PYSR, reason="needs the source of PySR 2.7"
)


def source(module: str) -> ast.Module:
    found = find_spec("pysr")  # finds the folder; imports nothing
    assert found is not None
    assert found.origin is not None
    return ast.parse((Path(found.origin).parent / f"{module}.py").read_text(encoding="utf-8"))


def class_of(tree: ast.Module, name: str) -> ast.ClassDef:
    return next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name)


def method(found: ast.ClassDef, name: str) -> ast.arguments:
    return next(node.args for node in found.body if isinstance(node, ast.FunctionDef) and node.name == name)


def shape(arguments: ast.arguments) -> tuple[list[str], dict[str, str]]:
    """Names in order, and the defaults of those that are given by name."""
    named = {
        argument.arg: ast.unparse(default) if default is not None else ""
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    }
    return [argument.arg for argument in arguments.args], named


def fields(found: ast.ClassDef) -> list[str]:
    return [
        node.target.id
        for node in found.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not node.target.id.startswith("_")
    ]


@pytest.mark.parametrize("name", ["__init__", "fit"])
def test_the_stand_in_takes_what_the_real_one_takes(name: str) -> None:
    real = shape(method(class_of(source("sr"), "PySRRegressor"), name))
    ours = shape(method(class_of(ast.parse(STAND_IN.read_text(encoding="utf-8")), "PySRRegressor"), name))
    assert ours == real


def test_the_template_has_the_fields_of_the_real_one() -> None:
    real = fields(class_of(source("expression_specs"), "TemplateExpressionSpec"))
    assert fields(class_of(ast.parse(STAND_IN.read_text(encoding="utf-8")), "TemplateExpressionSpec")) == real
    template = Coordinates(load_task("parallel_scaling"), VIEWS[0]).template()
    assert template is not None
    assert list(template) == ["combine", "expressions", "variable_names", "parameters"]
    assert set(template) == set(real)


@pytest.mark.parametrize("reproducible", [True, False])
@pytest.mark.parametrize("name", ["vocab", "parallel"])
def test_every_setting_is_one_of_the_real_names(name: str, reproducible: bool) -> None:
    _, known = shape(method(class_of(source("sr"), "PySRRegressor"), "__init__"))
    for view in VIEWS:
        coordinates = Coordinates(load_task(f"{name}_scaling"), view)
        told = settings_of(coordinates, 6, 1, reproducible=reproducible, threads=2)
        assert set(told) | {"guesses", "expression_spec", "output_directory", "run_id"} <= set(known)
        assert ("timeout_in_seconds" in told) != reproducible
        assert (told["deterministic"], told["parallelism"] == "serial") == (reproducible, reproducible)


def test_the_stand_ins_file_is_named_and_headed_as_the_real_one() -> None:
    text = ast.unparse(source("sr"))
    assert "hall_of_fame.csv" in text
    assert "'Complexity': 'complexity', 'Loss': 'loss', 'Equation': 'equation'" in text
