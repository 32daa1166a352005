"""Whether powers, exponentials and logarithms act on pure numbers, so that a law means the same in every unit.

`(N/N0)**a` does, whatever N is measured in; `A/N**a` does not: A then has a unit that depends on a. A part counts as a
pure number when every term of it has a parameter as factor or divisor beside the inputs (the parameter takes their
unit) or when its inputs are pure numbers themselves.
"""

from __future__ import annotations

from collections.abc import Callable

from discover.law.expression import Call, Expression, Number, Symbol, symbols, to_text, walk

_TRANSCENDENTAL = {
    "exp", "log", "log2", "log10", "log1p", "expm1", "tanh", "sigmoid", "sin", "cos", "atan", "erf", "gamma",
}  # fmt: skip


def powers_of_units(
    expression: Expression, inputs: tuple[str, ...], is_pure: Callable[[str], bool]
) -> tuple[Expression, ...]:
    """The parts of the law whose argument carries a unit where only a pure number has a meaning in every unit.

    Args:
        is_pure: Whether an input is a pure number, such as a share or a count.
    """
    carrying = {name for name in inputs if not is_pure(name)}
    found: list[Expression] = []
    for node in walk(expression):
        if not isinstance(node, Call):
            continue
        inner = node.arguments[0]
        if node.function == "pow":
            exponent = node.arguments[1]
            if isinstance(exponent, Number) and (2.0 * exponent.value).is_integer():
                continue  # a unit may be squared, or stand under a root
            if _carries(inner, carrying) or _carries(exponent, carrying):
                found.append(node)
        elif node.function in _TRANSCENDENTAL and _carries(inner, carrying):
            found.append(node)
    return tuple(dict.fromkeys(found))


def told(parts: tuple[Expression, ...], most: int = 3) -> str:
    """The parts as text, the first few."""
    texts = [to_text(part) for part in parts]
    return ", ".join(texts[:most]) + (", ..." if len(texts) > most else "")


def _carries(node: Expression, carrying: set[str]) -> bool:
    """Whether a part has a unit that no parameter of it takes away."""
    if isinstance(node, Symbol):
        return node.name in carrying
    if isinstance(node, Number) or not carrying & set(symbols(node)):
        return False
    if node.function in ("add", "sub", "min", "max", "abs", "neg"):
        return any(_carries(argument, carrying) for argument in node.arguments)
    if node.function in ("mul", "div"):
        if any(isinstance(factor, Symbol) and factor.name not in carrying for factor in _factors(node)):
            return False  # a bare parameter beside the inputs takes up their unit
        return any(_carries(argument, carrying) for argument in node.arguments)
    if node.function in ("pow", "sqrt"):
        return _carries(node.arguments[0], carrying)
    return False  # an exponential or logarithm gives a pure number; its argument is looked at on its own


def _factors(node: Expression) -> list[Expression]:
    if isinstance(node, Call) and node.function in ("mul", "div"):
        return [factor for argument in node.arguments for factor in _factors(argument)]
    return [node]
