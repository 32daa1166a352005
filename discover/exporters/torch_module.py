"""A stand-alone PyTorch module: `Law`, whose parameters can be trained further, and `predict` with those fitted.

The module computes in double precision, for single precision would lose what the fit found (see `jax_module`), and
gives back the precision of the tensors that came in.
"""

from __future__ import annotations

import re

from discover.exporters.fitted import FittedLaw
from discover.exporters.python_module import begin, parameter_lines, refusal_lines
from discover.law import GRAMMAR

_TAKEN = {"torch", "self", "Law", "PARAMETERS", "CELLS", "group", "target", "given", "value", "dtype", "ValueError",
          "list", "dict", "enumerate", "isinstance", "super", "predict", "_precision", "_gamma"}  # fmt: skip
_SPECIAL = {"erf": "torch.erf({0})", "gamma": "_gamma({0})"}
_NUMBER = re.compile(r"\d+\.?\d*(e[+-]?\d+)?")
_GAMMA = """
def _gamma(x):
    sign = torch.where((x > 0) | (torch.remainder(torch.floor(x), 2.0) == 0), 1.0, -1.0)
    return sign*torch.exp(torch.lgamma(x))

"""
_PRECISION = '''
def _precision(*given):
    """The precision of the floating tensors among the inputs; double where there are none."""
    known = [x.dtype for x in given if isinstance(x, torch.Tensor) and x.is_floating_point()]
    dtype = known[0] if known else torch.float64
    for other in known[1:]:
        dtype = torch.promote_types(dtype, other)
    return dtype

'''


def export(fitted: FittedLaw) -> str:
    """Source of the module; predictions equal those of the law to rounding, in double or in single precision."""
    law = fitted.law
    names, inputs, chosen, key, source, lines = begin(fitted, _TAKEN, _call)
    lines += ["Law() is a torch.nn.Module with the same call; its `table` holds the parameters, a row per entry of"]
    lines += ["PARAMETERS, in double precision: leave it so. Tensors come back in the precision that they had."]
    lines += ['"""', "", "import torch", "", *parameter_lines(fitted, bool(chosen))]
    lines += ["CELLS = {key: row for row, key in enumerate(PARAMETERS)}", "", *_PRECISION.splitlines(), ""]
    lines += [*_GAMMA.splitlines(), ""] if "_gamma(" in source else []
    lines += ["class Law(torch.nn.Module):", "    def __init__(self):", "        super().__init__()"]
    lines += ["        rows = [list(values.values()) for values in PARAMETERS.values()]"]
    lines += ["        self.table = torch.nn.Parameter(torch.tensor(rows, dtype=torch.float64))", ""]
    lines += [f"    def forward({', '.join(['self', *inputs, *chosen])}):"]
    lines += [f"    {line}" for line in refusal_lines(chosen, key)]
    lines += [f"        dtype = _precision({', '.join(inputs)})"]
    unpacked = ", ".join(names[name] for name in law.parameters) + ("," if len(law.parameters) == 1 else "")
    lines += [f"        {unpacked} = self.table[CELLS[{key}]].double()"] if law.parameters else []
    for name in inputs:
        lines.append(f"        {name} = torch.as_tensor({name}, dtype=torch.float64, device=self.table.device)")
    lines += [f"        value = {source}", "        return torch.as_tensor(value).to(dtype)", "", ""]
    lines += [f"def predict({', '.join([*inputs, *chosen])}):"]
    lines += [f"    return Law().requires_grad_(False)({', '.join([*inputs, *chosen])})", ""]
    return "\n".join(lines)


def _call(function: str, arguments: list[str]) -> str:
    """The call; an argument made of numbers alone becomes a tensor, as torch's functions take nothing else."""
    named = [re.search("[A-Za-z_]", _NUMBER.sub("", argument)) for argument in arguments]
    made = [
        argument if has_name else f"torch.tensor({argument}, dtype=torch.float64)"
        for argument, has_name in zip(arguments, named, strict=True)
    ]
    template = _SPECIAL.get(function) or GRAMMAR[function].python.replace("np.", "torch.")
    return template.format(*made)
