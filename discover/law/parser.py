"""Text into laws: the only door through which a formula enters, whoever wrote it.

In: a string and the task's input names. Out: a `Law`, or `LawSyntaxError` naming the offending part.
Stays out: fitting and scoring. Never `eval` or `sympify`: proposals are untrusted text. Size is bounded and
constants are folded here, so that nothing downstream meets `9**9**9`.
"""

from __future__ import annotations

import ast
import difflib
import keyword
import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

from discover.errors import LawSyntaxError
from discover.law.expression import Call, Expression, Number, Symbol, add, mul, symbols
from discover.law.grammar import ALIASES, GRAMMAR, OPERATORS
from discover.law.law import Law

LONGEST_TEXT = 4_000  # characters; the longest of some 170 published laws has 210
DEEPEST = 40
MOST_NODES = 500
MOST_PARAMETERS = 64
LARGEST_NUMBER = 1e300

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_OPERATORS: dict[type, str] = {ast.Sub: "sub", ast.Div: "div", ast.Pow: "pow", ast.Add: "add", ast.Mult: "mul"}


def parse(
    text: str,
    inputs: Sequence[str],
    *,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    parameters: Sequence[str] | None = None,
    may_be_fixed: bool = False,
) -> Law:
    """The law that `text` spells; every symbol that is not an input is a parameter.

    Args:
        text: A formula in Python's notation, such as "E + A/N**alpha".
        inputs: Names that a law may read; those that it does read become its inputs, in this order.
        bounds: (lower, upper) of parameters; unbounded where left out.
        parameters: The order of the parameters; the order of appearance where left out.
        may_be_fixed: Whether a law without a parameter is one, too: there is nothing to fit, only to know.

    Raises:
        LawSyntaxError: Anything but arithmetic and the grammar's functions, a formula that is too long, too deep
            or without an input or parameter, a constant that is not finite. Names the offending part.
    """
    return law_of(_expression(text, inputs), inputs, bounds=bounds, parameters=parameters, may_be_fixed=may_be_fixed)


def parse_expression(text: str, names: Sequence[str]) -> Expression:
    """An expression over `names` alone, such as a cost of 6*N*D; the same whitelist and bounds as `parse`.

    Raises:
        LawSyntaxError: As `parse`, and for a name that is not in `names`.
    """
    expression = _expression(text, names)
    unknown = [name for name in symbols(expression) if name not in names]
    if unknown:
        hint = _close(unknown[0], names)
        raise LawSyntaxError(f"formula: unknown name {unknown[0]!r}{hint}; known: {', '.join(names)}")
    return expression


def _expression(text: str, inputs: Sequence[str]) -> Expression:
    if not isinstance(text, str):
        raise LawSyntaxError(f"formula: got {type(text).__name__}, expected text")
    text = text.strip()
    if not text:
        raise LawSyntaxError("formula: it is empty; write one such as E + A/N**alpha")
    if len(text) > LONGEST_TEXT:
        raise LawSyntaxError(
            f"formula: {len(text):,} characters, at most {LONGEST_TEXT:,} are read; it starts with {text[:40]!r}"
        )
    for position, character in enumerate(text):
        if not (" " <= character <= "~" or character in "\t\n\r"):
            raise LawSyntaxError(
                f"formula: character {character!r} at position {position + 1}; names are plain ASCII, such as alpha"
            )
    if "#" in text:
        raise LawSyntaxError(f"formula: '#' at position {text.index('#') + 1}; a formula has no comments")
    if "^" in text:
        raise LawSyntaxError(f"formula: '^' at position {text.index('^') + 1}; write ** for powers")
    try:
        tree = ast.parse(" ".join(text.split()), mode="eval").body
    except SyntaxError as error:
        raise LawSyntaxError(_syntax_message(text, error)) from None
    except (RecursionError, MemoryError, ValueError):
        raise LawSyntaxError("formula: nested too deeply to read; at most 40 levels are read") from None
    return _Reader(frozenset(inputs)).read(tree, 0)


def law_of(
    expression: Expression,
    inputs: Sequence[str],
    *,
    bounds: Mapping[str, tuple[float, float]] | None = None,
    parameters: Sequence[str] | None = None,
    may_be_fixed: bool = False,
) -> Law:
    """The law that a tree stands for; the same checks of names and bounds as `parse`."""
    names = symbols(expression)
    read = tuple(name for name in inputs if name in names)
    found = [name for name in names if name not in read]
    if parameters is not None:
        missing = [name for name in found if name not in parameters]
        if missing:
            raise LawSyntaxError(f"formula: unknown name {missing[0]!r}{_close(missing[0], [*inputs, *parameters])}")
        found = [name for name in parameters if name in found]
    if not found and not may_be_fixed:
        raise LawSyntaxError("formula: it has no parameter to fit; inputs are " + ", ".join(inputs))
    if len(found) > MOST_PARAMETERS:
        raise LawSyntaxError(f"formula: {len(found)} parameters, at most {MOST_PARAMETERS} are fitted")
    given = dict(bounds or {})
    for name, (lower, upper) in given.items():
        if math.isnan(lower) or math.isnan(upper) or not lower < upper:
            raise LawSyntaxError(f"bounds of {name}: ({lower}, {upper}); expected lower < upper")
    both = {name: tuple(map(float, given.get(name, (-math.inf, math.inf)))) for name in found}
    return Law(expression, read, tuple(found), tuple((both[n][0], both[n][1]) for n in found))


def is_name(text: str) -> bool:
    """Whether a formula can hold `text` as the name of an input or a parameter."""
    return bool(_NAME.match(text)) and len(text) <= 64 and "__" not in text


class _Reader:
    """Walks Python's syntax tree by a whitelist and counts as it goes."""

    def __init__(self, inputs: frozenset[str]) -> None:
        self.inputs = inputs
        self.nodes = 0

    def read(self, node: ast.AST, depth: int) -> Expression:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise LawSyntaxError(f"formula: more than {MOST_NODES} operations and names")
        if depth > DEEPEST and not isinstance(node, ast.Constant | ast.Name):
            raise LawSyntaxError(f"formula: nested deeper than {DEEPEST} levels at {_source(node)}")
        if isinstance(node, ast.Constant):
            return self._number(node)
        if isinstance(node, ast.Name):
            return self._symbol(node)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            operand = self.read(node.operand, depth + 1)
            return operand if isinstance(node.op, ast.UAdd) else _folded("neg", (operand,), node)
        if isinstance(node, ast.BinOp):
            name = _OPERATORS.get(type(node.op))
            if name is None:
                raise LawSyntaxError(
                    f"formula: operator in {_source(node)} is not read; allowed are + - * / ** and brackets"
                )
            return self._operation(name, node, depth)
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        raise LawSyntaxError(
            f"formula: {_source(node)} ({type(node).__name__}) is not arithmetic; allowed are numbers, names, "
            "+ - * / **, brackets and functions such as exp(x)"
        )

    def _operation(self, name: str, node: ast.BinOp, depth: int) -> Expression:
        # A long sum leans left: a loop keeps "a + b + c + ..." from counting as depth.
        if name in ("add", "mul"):
            operands: list[ast.expr] = []
            left: ast.expr = node
            while isinstance(left, ast.BinOp) and type(left.op) is type(node.op):
                operands.append(left.right)
                left = left.left
            operands.append(left)
            read = [self.read(operand, depth + 1) for operand in reversed(operands)]
            joined = add(*read) if name == "add" else mul(*read)
            if isinstance(joined, Call) and joined.function == name:
                return _folded(name, joined.arguments, node)
            return joined
        return _folded(name, (self.read(node.left, depth + 1), self.read(node.right, depth + 1)), node)

    def _number(self, node: ast.Constant) -> Number:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise LawSyntaxError(f"formula: {_source(node)} is not a real number")
        if abs(value) > LARGEST_NUMBER:
            raise LawSyntaxError(f"formula: number {_source(node)} is larger than {LARGEST_NUMBER:g}")
        return Number(float(value))

    def _symbol(self, node: ast.Name) -> Symbol:
        name = node.id
        if not is_name(name):
            raise LawSyntaxError(
                f"formula: name {name[:70]!r}; expected a letter, then at most 63 letters, digits or single underscores"
            )
        if (name in GRAMMAR or name in ALIASES) and name not in self.inputs and name != "gamma":
            raise LawSyntaxError(f"formula: function {name!r} without brackets; write {name}(...)")
        return Symbol(name)

    def _call(self, node: ast.Call, depth: int) -> Expression:
        if not isinstance(node.func, ast.Name):
            raise LawSyntaxError(f"formula: {_source(node.func)} cannot be called; functions are {_functions()}")
        name = ALIASES.get(node.func.id, node.func.id)
        if name in OPERATORS or name not in GRAMMAR:
            hint = _close(node.func.id, [f for f in GRAMMAR if f not in OPERATORS])
            raise LawSyntaxError(f"formula: unknown function {node.func.id!r}{hint}; functions are {_functions()}")
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise LawSyntaxError(f"formula: {_source(node)}: arguments are given one after the other, without names")
        arguments = tuple(self.read(argument, depth + 1) for argument in node.args)
        if name in ("min", "max") and len(arguments) > 2:
            result = arguments[0]
            for argument in arguments[1:]:
                result = _folded(name, (result, argument), node)
            return result
        due = GRAMMAR[name].arity
        if len(arguments) != due:
            raise LawSyntaxError(f"formula: {_source(node)}: {len(arguments)} arguments, {name} takes {due}")
        return _folded(name, arguments, node)


def _folded(name: str, arguments: tuple[Expression, ...], node: ast.AST) -> Expression:
    """The call, or its value where all arguments are numbers."""
    if not all(isinstance(argument, Number) for argument in arguments):
        return Call(name, arguments)
    values = [argument.value for argument in arguments if isinstance(argument, Number)]
    with np.errstate(all="ignore"):
        value = values[0] if len(values) > 1 else float(GRAMMAR[name].numpy(np.float64(values[0])))
        for other in values[1:]:
            value = float(GRAMMAR[name].numpy(np.float64(value), np.float64(other)))
    if not math.isfinite(value) or abs(value) > LARGEST_NUMBER:
        raise LawSyntaxError(f"formula: the constant {_source(node)} is {value}; constants must be finite")
    return Number(value + 0.0)  # minus zero is zero


def _source(node: ast.AST) -> str:
    try:
        text = ast.unparse(node)
    except (RecursionError, ValueError):
        text = type(node).__name__
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _functions() -> str:
    return ", ".join(name for name in GRAMMAR if name not in OPERATORS)


def _close(name: str, known: Sequence[str]) -> str:
    match = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {match[0]!r}?" if match else ""


def _syntax_message(text: str, error: SyntaxError) -> str:
    for word in re.findall(r"[A-Za-z_]\w*", text):
        if keyword.iskeyword(word):
            return f"formula: {word!r} is a word of Python; write {word}_ for a parameter of that name"
    position = max((error.offset or 1) - 1, 0)
    near = " ".join(text.split())[max(position - 10, 0) : position + 10]
    reason = error.msg.split(". Perhaps")[0]
    return f"formula: {reason} near {near!r} (position {position + 1})"
