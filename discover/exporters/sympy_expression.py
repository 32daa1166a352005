"""A SymPy expression: as an object built node by node, and as Python source that builds the same one.

All names become plain symbols, none is special (`E`, `I`, `gamma` are what the law says they are). Numbers
are floats, so that nothing folds into integers without end; only a whole exponent stays an integer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discover.exporters.fitted import FittedLaw, free_names
from discover.exporters.infix import to_source
from discover.law import GRAMMAR, Call, Expression, Number, Symbol

# SymPy keeps these apart from its main functions; as log(1 + x) and exp(x) - 1 they would lose digits.
_IN_CFUNCTIONS = ("log1p", "expm1")
_LOGARITHMS = {"log10": 10, "log2": 2}
_LARGEST_EXPONENT = 100


def to_sympy(node: Expression) -> Any:
    """`node` as a SymPy expression over plain symbols."""
    import sympy

    if isinstance(node, Number):
        return sympy.Float(node.value)
    if isinstance(node, Symbol):
        return sympy.Symbol(node.name)
    if node.function == "pow" and isinstance(node.arguments[1], Number):
        return sympy.Pow(to_sympy(node.arguments[0]), _exponent(node.arguments[1].value))
    return _build(node, [to_sympy(argument) for argument in node.arguments])


def _build(node: Call, arguments: list[Any]) -> Any:
    import sympy

    first, second = arguments[0], arguments[-1]
    if node.function == "add":
        return sympy.Add(*arguments)
    if node.function == "mul":
        return sympy.Mul(*arguments)
    if node.function == "sub":
        return sympy.Add(first, sympy.Mul(-1, second))
    if node.function == "div":
        return sympy.Mul(first, sympy.Pow(second, -1))
    if node.function == "neg":
        return sympy.Mul(-1, first)
    if node.function == "pow":
        return sympy.Pow(first, second)
    if node.function == "sigmoid":
        return sympy.Pow(sympy.Add(1, sympy.exp(sympy.Mul(-1, first))), -1)
    if node.function in _LOGARITHMS:
        return sympy.Mul(sympy.log(first), sympy.Pow(sympy.log(_LOGARITHMS[node.function]), -1))
    if node.function in _IN_CFUNCTIONS:
        from sympy.codegen import cfunctions

        return getattr(cfunctions, node.function)(*arguments)
    return getattr(sympy, GRAMMAR[node.function].sympy)(*arguments)


def _exponent(value: float) -> int | float:
    return int(value) if value.is_integer() and abs(value) <= _LARGEST_EXPONENT else value


def export(fitted: FittedLaw) -> str:
    """Source that defines `law` (an expression) and `parameters` (for each cell, symbol -> value)."""
    law = fitted.law
    everything = (*law.inputs, *law.parameters)
    names = free_names(everything, {"sympy", "law", "parameters"})
    source = to_source(law.expression, names, _call, lambda value: repr(_exponent(value)))
    lines = ['"""', *fitted.heading(), "", *_usage(fitted, names), '"""', "", "import sympy"]
    lines += ["import sympy.codegen.cfunctions"] if "cfunctions." in source else []
    lines += ["", *(f'{names[name]} = sympy.Symbol("{name}")' for name in everything)]
    lines += ["", f"law = {source}", ""]
    values = [fitted.values(number) for number in range(len(fitted.cells))]
    sets = ["{" + ", ".join(f"{names[name]}: {v!r}" for name, v in one.items()) + "}" for one in values]
    if len(sets) == 1:
        lines.append(f"parameters = {sets[0]}")
    else:
        lines += ["parameters = {"]
        lines += [f"    {fitted.key(cell)!r}: {one}," for cell, one in zip(fitted.cells, sets, strict=True)]
        lines += ["}"]
    return "\n".join([*lines, ""])


def _usage(fitted: FittedLaw, names: Mapping[str, str]) -> list[str]:
    cell = "" if len(fitted.cells) == 1 else f"[{fitted.key(fitted.cells[0])!r}]"
    inputs = [names[name] for name in fitted.law.inputs]
    told = [
        f"A function: f = sympy.lambdify([{', '.join([*inputs, f'*parameters{cell}'])}], law)",
        f"A value: f({', '.join([*['1.0'] * len(inputs), f'*parameters{cell}.values()'])})",
        "(law.subs(parameters) shows the formula with its numbers, but SymPy then folds them and drops digits.)",
    ]
    return [line.replace('"""', "'''").replace("\\", "/") for line in told]


def _call(function: str, arguments: list[str]) -> str:
    if function == "sigmoid":
        return f"(1/(1 + sympy.exp(-({arguments[0]}))))"
    if function in _LOGARITHMS:
        return f"(sympy.log({arguments[0]})/sympy.log({_LOGARITHMS[function]}))"
    name = f"codegen.cfunctions.{function}" if function in _IN_CFUNCTIONS else GRAMMAR[function].sympy
    return f"sympy.{name}({', '.join(arguments)})"
