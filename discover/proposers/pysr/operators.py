"""Formulas in PySR's notation: the grammar's functions by their names in Julia, there and back.

In: a tree, or a string from a hall of fame. Out: a string for `guesses`, or text for the project's parser. What PySR
wrote is foreign text: only the tokens listed here pass, and the parser decides what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from discover.errors import LawSyntaxError
from discover.law.expression import Call, Expression, Number, Symbol
from discover.law.grammar import GRAMMAR

# The operators that are no names in Julia; every other function of the grammar has the same name there.
SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "^"}
# What Julia does not know under this name, written out in what it knows.
WRITTEN_OUT: dict[str, Callable[[Expression], Expression]] = {
    "neg": lambda x: Call("mul", (Number(-1.0), x)),
    "sqrt": lambda x: Call("pow", (x, Number(0.5))),
    "sigmoid": lambda x: _over(1.0, Call("add", (Number(1.0), Call("exp", (_times(-1.0, x),))))),
    "tanh": lambda x: Call(
        "sub", (Number(1.0), _over(2.0, Call("add", (Number(1.0), Call("exp", (_times(2.0, x),))))))
    ),
    "log10": lambda x: _times(0.4342944819032518, Call("log", (x,))),
    "log2": lambda x: _times(1.4426950408889634, Call("log", (x,))),
    "log1p": lambda x: Call("log", (Call("add", (Number(1.0), x)),)),
    "expm1": lambda x: Call("sub", (Call("exp", (x,)), Number(1.0))),
}


def julia_name(function: str) -> str:
    """The name under which PySR knows a function of the grammar."""
    return SIGNS.get(function, function)


def operators_of(functions: tuple[str, ...]) -> dict[str, list[str]]:
    """Arity -> names, as PySR's `operators` (JSON has no whole numbers as keys: the worker turns them back)."""
    chosen: dict[str, list[str]] = {"1": [], "2": []}
    for function in functions:
        chosen["1" if GRAMMAR[function].arity == 1 else "2"].append(julia_name(function))
    return {arity: names for arity, names in chosen.items() if names}


def complexities_of(functions: tuple[str, ...]) -> dict[str, int]:
    """What each operator adds to the complexity that PySR counts: as much as in the project's own count."""
    return {julia_name(function): GRAMMAR[function].complexity for function in functions}


def to_julia(expression: Expression, functions: tuple[str, ...]) -> str | None:
    """A tree as a guess, every operation in brackets and of two arguments; None where it needs other functions.

    Symbols are written as they are: the caller names them as PySR knows them.
    """
    if isinstance(expression, Number):
        return repr(float(expression.value))
    if isinstance(expression, Symbol):
        return expression.name
    if expression.function not in functions and expression.function in WRITTEN_OUT:
        return to_julia(WRITTEN_OUT[expression.function](expression.arguments[0]), functions)
    if expression.function not in functions:
        return None
    parts = []
    for argument in expression.arguments:
        part = to_julia(argument, functions)
        if part is None:
            return None
        parts.append(part)
    sign = SIGNS.get(expression.function)
    if sign is None:
        return f"{expression.function}({', '.join(parts)})"
    text = parts[0]
    for part in parts[1:]:
        text = f"({text} {sign} {part})"
    return text


_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eEf][+-]?\d+)?)|(?P<name>[A-Za-z][A-Za-z0-9_]*)|#(?P<place>\d{1,3})"
    r"|(?P<sign>[-+*/^(),]))"
)
_LONGEST = 4_000  # characters
_NAMES = {"safe_log": "log", "safe_sqrt": "sqrt", "safe_log10": "log10", "safe_log2": "log2", "safe_log1p": "log1p"}


def from_julia(text: str, places: tuple[str, ...]) -> str:
    """A formula of a hall of fame in the notation of the project's parser.

    Args:
        text: Such as "((#1 ^ -0.31) * 2.5e-1) + x2".
        places: Names for #1, #2, ...

    Raises:
        LawSyntaxError: It holds anything but numbers, names, places and arithmetic.
    """
    if len(text) > _LONGEST:
        raise LawSyntaxError(f"equation of PySR: {len(text):,} characters, at most {_LONGEST:,} are read")
    words: list[str] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise LawSyntaxError(f"equation of PySR: {text[position : position + 20]!r} is not arithmetic")
        position = match.end()
        if number := match["number"]:
            number = number.replace("f", "e")
            # Julia writes a negative constant without brackets, also under a power.
            is_signed = words[-1:] == ["-"] and (len(words) == 1 or words[-2] in ("+", "-", "*", "/", "**", "(", ","))
            words[-1 if is_signed else len(words) :] = [f"(-{number})" if is_signed else number]
        elif name := match["name"]:
            words.append(_NAMES.get(name, name))
        elif place := match["place"]:
            if not 1 <= int(place) <= len(places):
                raise LawSyntaxError(f"equation of PySR: argument #{place}, there are {len(places)}")
            words.append(places[int(place) - 1])
        else:
            words.append("**" if match["sign"] == "^" else match["sign"])
    return " ".join(words)


def _times(factor: float, x: Expression) -> Expression:
    return Call("mul", (Number(factor), x))


def _over(number: float, x: Expression) -> Expression:
    return Call("div", (Number(number), x))
