"""A fitted law as something to use elsewhere, one format a file, exact to the last bit of its parameters.

In: a `FittedLaw` (law, parameters for each cell, units, provenance). Out: text, or a SymPy object.
Stays out: fitting, and reading formulas: exports are built node by node from the law's tree, not its text.
"""

from collections.abc import Callable

from discover.exporters import jax_module, json_record, latex, python_module, sldbench, sympy_expression, torch_module
from discover.exporters.fitted import FittedLaw
from discover.exporters.sympy_expression import to_sympy

EXPORTERS: dict[str, Callable[[FittedLaw], str]] = {
    "sympy": sympy_expression.export,
    "latex": latex.export,
    "python": python_module.export,
    "jax": jax_module.export,
    "torch": torch_module.export,
    "sldbench": sldbench.export,
    "json": json_record.export,
}

__all__ = ["EXPORTERS", "FittedLaw", "to_sympy"]
