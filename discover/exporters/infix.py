"""A law's tree as Python source: operators with the fewest brackets, functions by the caller's templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from discover.law import Call, Expression, Number, Symbol

# How tightly an operator binds; a call or a name binds tightest.
ADD, MUL, NEG, POW, ATOM = 1, 2, 3, 4, 5
BINDING = {"add": ADD, "sub": ADD, "mul": MUL, "div": MUL, "neg": NEG, "pow": POW}


def to_source(
    node: Expression,
    names: Mapping[str, str],
    call: Callable[[str, list[str]], str],
    exponent: Callable[[float], str] = repr,
) -> str:
    """Source text of `node`.

    Args:
        names: What each symbol is called in the source.
        call: Function name and argument sources -> source of the call, which needs no brackets around it.
        exponent: How a number is written where it is an exponent.
    """

    def text(node: Expression, around: int) -> str:
        if isinstance(node, Number):
            return f"({node.value!r})" if node.value < 0 else repr(node.value)
        if isinstance(node, Symbol):
            return names[node.name]
        binding = BINDING.get(node.function)
        if binding is None:
            return call(node.function, [text(argument, 0) for argument in node.arguments])
        written = operation(node, binding)
        return f"({written})" if binding < around else written

    def operation(node: Call, binding: int) -> str:
        first, *rest = node.arguments
        if node.function == "neg":
            return f"-{text(first, POW)}"
        if node.function == "pow":
            power = rest[0]
            written = f"({exponent(power.value)})" if isinstance(power, Number) else text(power, ATOM)
            return f"{text(first, ATOM)}**{written}"
        if node.function == "add":
            return text(first, ADD) + "".join(term(argument) for argument in rest)
        sign = {"sub": " - ", "mul": "*", "div": "/"}[node.function]
        # The right operand keeps its brackets at equal binding: the order of rounding stays that of the tree.
        return sign.join([text(first, binding), *(text(argument, binding + 1) for argument in rest)])

    def term(node: Expression) -> str:
        if isinstance(node, Call) and node.function == "neg":
            return f" - {text(node.arguments[0], MUL)}"
        return f" + {text(node, MUL)}"

    return text(node, 0)
