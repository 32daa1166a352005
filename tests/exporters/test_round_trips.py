"""Every format gives back the law's own predictions to 1e-9."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from discover.exporters import EXPORTERS, FittedLaw, to_sympy
from discover.exporters.latex import symbol_names
from discover.law import GRAMMAR, parse
from discover.task import Cell

from .reading import json_value, latex_value, module_of, sympy_value

CLOSE = 1e-9

# One formula for each function of the grammar, as it is, inside a power and inside a product.
FORMULAS = {
    "add": "a + b + N",
    "sub": "a - (b - N) - (D - a)",
    "mul": "a*b*N*(a + D)",
    "div": "a/(b/N)/D",
    "neg": "-a**2*-N + (-b)",
    "pow": "(a*N)**b**D",
    "exp": "exp(-a*N)**b*exp(D)",
    "log": "log(a*N)**2*log(D + b)",
    "sqrt": "sqrt(a*N)*sqrt(D)**b",
    "tanh": "tanh(a*N)**2*b",
    "sigmoid": "sigmoid(a - N)**b*D",
    "abs": "abs(a - 9*N)**b",
    "min": "min(a*N, b)**2 + min(N, D)",
    "max": "max(a*N, b)**2 + max(N, D)",
    "sin": "b*sin(a*N)**2",
    "cos": "b*cos(a*N)**2",
    "atan": "b*atan(a*N)**2",
    "erf": "b*erf(a*N)**2",
    "gamma": "gamma(a*N)**2*gamma",
    "log10": "b*log10(a*N + 2)**2",
    "log2": "b*log2(a*N + 2)**2",
    "log1p": "b*log1p(1e-13*a*N)**2",
    "expm1": "b*expm1(1e-13*a*N)**2",
}
# Shapes that printers get wrong, and names that mean something elsewhere.
TRAPS = [
    "a - (b + N)", "a*(b/N)", "a/(b*N)", "(a**b)**N", "a**(b**N)", "(-a)**2 + N", "-(a + N)", "2**(-N)*b",
    "a + -1.5*N", "a*-2.5e-07*N", "(1.5e-07*N)**b", "a*2*3.25*N", "N**-0.28 + 1e+17*a/N", "a**2.0*N**101.0",
    "exp(-a)**-b*N**(1/3)", "a", "E + A/N**alpha + B/D**beta", "I*S*O + Q*C**gamma + lambda_*N",
    "e**N*exp(e*N) + Gamma*gamma(N)", "sigma*sigmoid(sigma*N)", "np*math + float*group + target*cell*N",
    "A1*N + A_1*D + A_1_*N*D", "law*sympy + parameters*predict_N2*N + alpha_own", "num_params*N + PARAMETERS",
]  # fmt: skip

INPUTS = {"N": np.array([0.31, 1.7, 2.9]), "D": np.array([0.83, 2.2, 1.1])}


def fitted(formula: str, cells: tuple[Cell, ...] = (Cell("", "loss"),)) -> FittedLaw:
    law = parse(formula, ["N", "D"])
    rng = np.random.default_rng(len(formula))
    return FittedLaw(law, cells, rng.uniform(0.4, 1.6, (len(cells), len(law.parameters))))


def expected(of: FittedLaw, cell: int = 0) -> np.ndarray:
    values = np.broadcast_to(of.law.predict(INPUTS, of.parameters[cell]), 3)
    assert np.isfinite(values).all(), "the example itself must be defined"
    return values


@pytest.fixture(params=[*FORMULAS.values(), *TRAPS])
def example(request: pytest.FixtureRequest) -> FittedLaw:
    return fitted(request.param)


def test_every_function_of_the_grammar_has_an_example():
    assert set(FORMULAS) == set(GRAMMAR)


def test_python_module_predicts_what_the_law_predicts(example: FittedLaw, tmp_path: Path):
    module = module_of(EXPORTERS["python"](example), tmp_path)
    inputs = [INPUTS[name] for name in example.law.inputs]
    assert np.broadcast_to(module.predict(*inputs), 3) == pytest.approx(expected(example), rel=CLOSE, abs=0.0)


def test_sympy_object_has_the_laws_values(example: FittedLaw):
    expression = to_sympy(example.law.expression)
    assert {s.name for s in expression.free_symbols} <= {*example.law.inputs, *example.law.parameters}
    for row, due in enumerate(expected(example)):
        point = {name: INPUTS[name][row] for name in example.law.inputs}
        assert sympy_value(expression, example.values(0), point) == pytest.approx(due, rel=CLOSE, abs=0.0)


def test_sympy_source_says_how_a_value_comes_out(tmp_path: Path):
    law = fitted("gamma + A*(1 - exp(-N/k))*log10(A)", CELLS["groups"])
    source = EXPORTERS["sympy"](law)
    function, value = re.findall(r"^A (?:function|value): (.*)$", source, re.MULTILINE)
    module = module_of(f"{source}\n{function}\nvalue = {value}\n", tmp_path)
    assert float(module.value) == pytest.approx(law.law.predict({"N": 1.0}, law.parameters[0]), rel=CLOSE, abs=0.0)


def test_sympy_source_builds_the_same_expression(example: FittedLaw, tmp_path: Path):
    module = module_of(EXPORTERS["sympy"](example), tmp_path)
    assert module.law == to_sympy(example.law.expression)
    assert {symbol.name: value for symbol, value in module.parameters.items()} == example.values(0)


def test_latex_reads_back_to_the_laws_values(example: FittedLaw):
    text = EXPORTERS["latex"](example)
    typeset = symbol_names((*example.law.inputs, *example.law.parameters))
    for row, due in enumerate(expected(example)):
        point = {name: INPUTS[name][row] for name in example.law.inputs}
        assert latex_value(text, typeset, 0, point) == pytest.approx(due, rel=CLOSE, abs=0.0)


def test_json_record_reads_back_to_the_laws_values(example: FittedLaw):
    text = EXPORTERS["json"](example)
    for row, due in enumerate(expected(example)):
        point = {name: INPUTS[name][row] for name in example.law.inputs}
        assert json_value(text, 0, point) == pytest.approx(due, rel=CLOSE, abs=0.0)
    assert str(parse(json.loads(text)["formula"], ["N", "D"])) == str(example.law)


CELLS = {
    "groups": (Cell("pile", "loss"), Cell('st"ack\\', "loss")),
    "targets": (Cell("", "loss1"), Cell("", "loss_2")),
    "groups and targets": tuple(Cell(group, target) for group in ("70M", "1_B & co") for target in ("loss1", "loss2")),
}


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
def test_each_cell_is_exported_with_its_own_parameters(cells: tuple[Cell, ...], tmp_path: Path):
    law = fitted("E + A/N**alpha", cells)
    python = module_of(EXPORTERS["python"](law), tmp_path)
    sympy = module_of(EXPORTERS["sympy"](law), tmp_path)
    latex, typeset = EXPORTERS["latex"](law), symbol_names(("N", "E", "A", "alpha"))
    for number, cell in enumerate(cells):
        due = law.law.predict(INPUTS, law.parameters[number])
        chosen = {"group": cell.group} if law.by_group else {}
        chosen |= {"target": cell.target} if law.by_target else {}
        assert python.predict(INPUTS["N"], **chosen) == pytest.approx(due, rel=CLOSE, abs=0.0)
        assert {s.name: v for s, v in sympy.parameters[law.key(cell)].items()} == law.values(number)
        assert latex_value(latex, typeset, number, {"N": 0.31}) == pytest.approx(due[0], rel=CLOSE, abs=0.0)
        record = json.loads(EXPORTERS["json"](law))["cells"][number]
        assert (record["group"], record["target"]) == (cell.group, cell.target)
        assert json_value(EXPORTERS["json"](law), number, {"N": 0.31}) == pytest.approx(due[0], rel=CLOSE, abs=0.0)


def test_python_module_names_the_groups_it_knows(tmp_path: Path):
    module = module_of(EXPORTERS["python"](fitted("A*N", CELLS["groups"])), tmp_path)
    with pytest.raises(ValueError, match=r"group: got 'plie', expected one of .*pile"):
        module.predict(1.0, "plie")


def test_python_module_needs_numpy_only(tmp_path: Path):
    lines = EXPORTERS["python"](fitted(FORMULAS["erf"])).splitlines()
    imports = [line for line in lines if line.startswith(("import", "from"))]
    assert imports == ["import math", "import numpy as np"]


def test_parameters_keep_every_bit(tmp_path: Path):
    law = fitted("a*N + b")
    awkward = FittedLaw(law.law, law.cells, np.array([[0.1 + 0.2, 2.2250738585072014e-308]]))
    module = module_of(EXPORTERS["python"](awkward), tmp_path)
    assert tuple(module.PARAMETERS[""].values()) == tuple(awkward.parameters[0])
    record = json.loads(EXPORTERS["json"](awkward))
    assert tuple(record["cells"][0]["parameters"].values()) == tuple(awkward.parameters[0])


def test_whole_powers_of_numbers_do_not_fold_without_end():
    """SymPy distributes an integer power over a product: 3**(10**14) never came back."""
    assert to_sympy(parse("(3*N)**100000000000000*a", ["N"]).expression) is not None
    assert to_sympy(parse("((((3*N)**99)**99)**99)**99*a", ["N"]).expression) is not None


def test_parameters_of_the_wrong_shape_are_refused():
    law = parse("a*N + b", ["N"])
    with pytest.raises(ValueError, match=r"shape \(1, 3\), expected \(1, 2\)"):
        FittedLaw(law, (Cell("", "loss"),), np.ones((1, 3)))


def test_headings_cannot_break_out_of_the_docstring(tmp_path: Path):
    law = fitted("a*N")
    units = {"N": 'x"""\nraise SystemExit'}
    hostile = FittedLaw(law.law, law.cells, law.parameters, units, {"task": '"""\\'})
    for form in ("python", "sympy"):
        module_of(EXPORTERS[form](hostile), tmp_path)
