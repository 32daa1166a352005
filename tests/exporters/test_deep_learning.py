"""JAX and PyTorch modules: every function of the grammar, gradients, and what they do in single precision."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from discover.exporters import EXPORTERS, FittedLaw

from .reading import module_of
from .test_round_trips import CELLS, CLOSE, FORMULAS, INPUTS, TRAPS, expected, fitted

JAX, TORCH = "JAX is not installed (pip install '.[jax]')", "PyTorch is not installed (pip install '.[torch]')"
# Arguments without any name: torch's functions take tensors, not numbers.
NUMBERS = ["min(a*N, 0.5) + exp(0.25)*b", "max(2.0, a*N)**b", "a*gamma(0.5*N - 2) + log(3)*b*D", "abs(1e-05)*a*N"]
ALL = [*FORMULAS.values(), *TRAPS, *NUMBERS]


def in_jax(law: FittedLaw, folder: Path) -> tuple[Any, ModuleType]:
    jax = pytest.importorskip("jax", reason=JAX)
    return jax, module_of(EXPORTERS["jax"](law), folder)


def in_torch(law: FittedLaw, folder: Path) -> tuple[Any, ModuleType]:
    torch = pytest.importorskip("torch", reason=TORCH)
    return torch, module_of(EXPORTERS["torch"](law), folder)


@pytest.mark.parametrize("formula", ALL)
def test_jax_module_predicts_what_the_law_predicts(formula: str, tmp_path: Path):
    law = fitted(formula)
    jax, module = in_jax(law, tmp_path)
    inputs = [INPUTS[name] for name in law.law.inputs]
    with jax.enable_x64(True):
        assert np.broadcast_to(module.predict(*inputs), 3) == pytest.approx(expected(law), rel=CLOSE, abs=0.0)


@pytest.mark.parametrize("formula", ALL)
def test_torch_module_predicts_what_the_law_predicts(formula: str, tmp_path: Path):
    law = fitted(formula)
    torch, module = in_torch(law, tmp_path)
    inputs = [torch.tensor(INPUTS[name]) for name in law.law.inputs]
    assert np.broadcast_to(module.predict(*inputs), 3) == pytest.approx(expected(law), rel=CLOSE, abs=0.0)


CANCELLING = "E + A*log(N)**2 - B*log(N)*log(D) + C*log(D)**2"  # in single precision throughout, 1e-5 is lost


def large(formula: str) -> tuple[FittedLaw, np.ndarray, np.ndarray]:
    law = fitted(formula)
    awkward = FittedLaw(law.law, law.cells, np.array([[3.0, 0.1, 0.2, 0.1001]]))
    inputs = {"N": np.array([1e9, 7e9, 3e10], dtype=np.float32), "D": np.array([1.1e9, 2e11, 9e12], dtype=np.float32)}
    names = ("N", "D")
    due = awkward.law.predict({n: inputs[n].astype(float) for n in names}, awkward.parameters[0])
    return awkward, np.stack([inputs[name] for name in awkward.law.inputs]), due


def test_single_precision_comes_back_to_1e_6_from_jax(tmp_path: Path):
    law, inputs, due = large(CANCELLING)
    jax, module = in_jax(law, tmp_path)
    plain = module.predict(*inputs)
    assert plain.dtype == np.float32
    assert np.asarray(plain) == pytest.approx(due, rel=1e-6)
    assert np.asarray(jax.jit(module.predict)(*inputs)) == pytest.approx(due, rel=1e-6)


def test_single_precision_comes_back_to_1e_6_from_torch(tmp_path: Path):
    law, inputs, due = large(CANCELLING)
    torch, module = in_torch(law, tmp_path)
    found = module.Law()(*map(torch.tensor, inputs)).detach()
    assert found.dtype == torch.float32
    assert found.numpy() == pytest.approx(due, rel=1e-6)


def slope(law: FittedLaw, at: float) -> float:
    step = 1e-5
    low, high = (law.law.predict({"N": at + way}, law.parameters[0]) for way in (-step, step))
    return float((high - low) / (2 * step))


def test_jax_module_can_be_differentiated_and_mapped(tmp_path: Path):
    law = fitted("E + A/N**alpha")
    jax, module = in_jax(law, tmp_path)
    slopes = jax.jit(jax.vmap(jax.grad(module.predict)))(jax.numpy.array([0.5, 2.0]))
    assert np.asarray(slopes) == pytest.approx([slope(law, 0.5), slope(law, 2.0)], rel=1e-5)
    own = jax.grad(lambda values: module.predict(2.0, parameters=values))(module.PARAMETERS[""])
    assert float(own["E"]) == pytest.approx(1.0, rel=1e-6)


def test_torch_module_can_be_trained(tmp_path: Path):
    law = fitted("E + A/N**alpha")
    torch, module = in_torch(law, tmp_path)
    made = module.Law()
    sizes = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    made(sizes).sum().backward()
    assert sizes.grad.numpy() == pytest.approx([slope(law, 0.5), slope(law, 2.0)], rel=1e-6)
    assert float(made.table.grad[0, list(module.PARAMETERS[""]).index("E")]) == pytest.approx(2.0)
    again = module.Law()
    again.load_state_dict(made.state_dict())
    assert torch.equal(again(sizes), made(sizes))


@pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)
@pytest.mark.parametrize("form", ["jax", "torch"])
def test_each_cell_has_its_own_parameters(cells: tuple[Any, ...], form: str, tmp_path: Path):
    law = fitted("E + A/N**alpha", cells)
    _, module = (in_jax if form == "jax" else in_torch)(law, tmp_path)
    for number, cell in enumerate(cells):
        chosen = {"group": cell.group} if law.by_group else {}
        chosen |= {"target": cell.target} if law.by_target else {}
        due = law.law.predict({"N": 0.31}, law.parameters[number])
        assert float(module.predict(0.31, **chosen)) == pytest.approx(float(due), rel=1e-6)
    with pytest.raises(ValueError, match=r"got .*plie.*, expected one of"):
        module.predict(0.31, **dict.fromkeys(chosen, "plie"))
