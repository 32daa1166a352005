"""The tree a formula is made of: numbers, symbols and calls of the grammar's functions.

Everything downstream (key, complexity, compiler, exporters) walks this tree; nothing in it can run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Symbol:
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """`function` is a key of GRAMMAR; "add" and "mul" take two or more arguments."""

    function: str
    arguments: tuple[Expression, ...]


Expression = Number | Symbol | Call

ZERO, ONE = Number(0.0), Number(1.0)


def walk(node: Expression) -> Iterator[Expression]:
    """Every node of the tree, a parent before its arguments."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, Call):
            stack.extend(reversed(node.arguments))


def symbols(node: Expression) -> tuple[str, ...]:
    """The names in the tree, in order of appearance."""
    return tuple(dict.fromkeys(n.name for n in walk(node) if isinstance(n, Symbol)))


def rewrite(node: Expression, change: Callable[[Expression], Expression | None]) -> Expression:
    """The tree with `change` applied from the root; where it gives None, its arguments are visited instead."""
    changed = change(node)
    if changed is not None:
        return changed
    if isinstance(node, Call):
        return Call(node.function, tuple(rewrite(argument, change) for argument in node.arguments))
    return node


def rename(node: Expression, names: Mapping[str, str]) -> Expression:
    """The tree with symbols renamed; names not in the mapping stay."""
    return rewrite(node, lambda n: Symbol(names.get(n.name, n.name)) if isinstance(n, Symbol) else None)


def add(*terms: Expression) -> Expression:
    """The sum, flattened; zeros are dropped."""
    flat: list[Expression] = []
    for term in terms:
        if isinstance(term, Call) and term.function == "add":
            flat.extend(term.arguments)
        elif term != ZERO:
            flat.append(term)
    if not flat:
        return ZERO
    return flat[0] if len(flat) == 1 else Call("add", tuple(flat))


def mul(*factors: Expression) -> Expression:
    """The product, flattened; ones are dropped and a zero factor makes it zero."""
    flat: list[Expression] = []
    for factor in factors:
        if isinstance(factor, Call) and factor.function == "mul":
            flat.extend(factor.arguments)
        elif factor != ONE:
            flat.append(factor)
    if ZERO in flat:
        return ZERO
    if not flat:
        return ONE
    return flat[0] if len(flat) == 1 else Call("mul", tuple(flat))


def neg(node: Expression) -> Expression:
    return Number(-node.value) if isinstance(node, Number) else Call("neg", (node,))


def power(base: Expression, exponent: Expression) -> Expression:
    return base if exponent == ONE else Call("pow", (base, exponent))


# How tightly an operator binds, for printing with the fewest brackets that read back as the same tree.
_BINDING = {"add": 1, "sub": 1, "mul": 2, "div": 2, "neg": 3, "pow": 4}


def to_text(node: Expression) -> str:
    """The formula as text that `parse` reads back."""
    return _text(node, 0)


def _text(node: Expression, around: int) -> str:
    if isinstance(node, Number):
        text = repr(node.value)
        text = text[:-2] if text.endswith(".0") else text
        return f"({text})" if text.startswith("-") and around > 1 else text  # of minus zero, too
    if isinstance(node, Symbol):
        return node.name
    binding = _BINDING.get(node.function)
    if binding is None:
        return f"{node.function}({', '.join(_text(a, 0) for a in node.arguments)})"
    first, *rest = node.arguments
    if node.function == "add":
        text = _text(first, binding)
        for term in rest:
            if isinstance(term, Call) and term.function == "neg":
                text += " - " + _text(term.arguments[0], binding + 1)
            elif isinstance(term, Number) and term.value < 0:
                text += " - " + _text(Number(-term.value), binding)
            else:
                text += " + " + _text(term, binding + (_BINDING.get(getattr(term, "function", ""), 9) == 1))
    elif node.function == "mul":
        text = "*".join(
            [_text(first, binding)]
            + [_text(f, binding + (_BINDING.get(getattr(f, "function", ""), 9) == 2)) for f in rest]
        )
    elif node.function == "sub":
        text = f"{_text(first, binding)} - {_text(rest[0], binding + 1)}"
    elif node.function == "div":
        text = f"{_text(first, binding)}/{_text(rest[0], binding + 1)}"
    elif node.function == "neg":
        text = f"-{_text(first, binding)}"
    else:
        text = f"{_text(first, binding + 1)}**{_text(rest[0], binding)}"
    return f"({text})" if binding < around else text
