"""Reads exports back as a foreign program would, without the code that wrote them."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import mpmath

from tests.exact import EXACT

DIGITS = 40  # of the reference arithmetic


def module_of(source: str, folder: Path) -> ModuleType:
    """The exported text, written to a file and imported.

    Each text has a file of its own: of two as long as each other, written to one path within a second, Python takes the
    second for the first, which it has compiled.
    """
    path = folder / f"exported_{hashlib.blake2b(source.encode(), digest_size=8).hexdigest()}.py"
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("exported", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def json_value(text: str, cell: int, inputs: Mapping[str, float]) -> float:
    """The prediction by a JSON record, from its tree."""
    record = json.loads(text)
    values = {**inputs, **record["cells"][cell]["parameters"]}
    with mpmath.workdps(DIGITS):
        return float(_apply(record["expression"], values))


def _apply(node: Any, values: Mapping[str, float]) -> Any:
    if isinstance(node, list):
        return EXACT[node[0]](*(_apply(argument, values) for argument in node[1:]))
    return mpmath.mpf(values[node] if isinstance(node, str) else node)


def latex_value(text: str, symbols: Mapping[str, str], cell: int, inputs: Mapping[str, float]) -> float:
    """The prediction by a LaTeX export: the display's right side, with the numbers of the table's row `cell`.

    `symbols` maps an input to how it is typeset.
    """
    formula = re.search(r"\\\[(.*?)\\\]", text, re.DOTALL)
    table = re.search(r"\\begin\{tabular\}\{(l*)r*\}\n(.*)\\end\{tabular\}", text, re.DOTALL)
    assert formula is not None
    assert table is not None
    words = len(table[1])
    header, *rows = [line.removesuffix(r" \hline").removesuffix(r" \\") for line in table[2].splitlines()]
    names = [name.strip("$") for name in header.split(" & ")[words:]]
    numbers = [number.strip("$") for number in rows[cell].split(" & ")[words:]]
    with mpmath.workdps(DIGITS):
        values = {symbols[name]: mpmath.mpf(value) for name, value in inputs.items()}
        # A float's shortest digits stand for the float, not for their own decimal value.
        values |= {n: mpmath.mpf(_number(v)) for n, v in zip(names, numbers, strict=True)}
        return float(_Reader(formula[1].partition(" = ")[2], values).whole())


def _number(text: str) -> float:
    digits, _, exponent = text.partition(r" \times 10^{")
    return float(f"{digits}e{exponent.rstrip('}') or 0}")


class _Reader:
    """Evaluates math-mode text by recursive descent: sum, product, power, atom."""

    NUMBER = re.compile(r"(\d+\.?\d*)( \\times 10\^\{(-?\d+)\})?")
    NAME = re.compile(
        r"(\\mathrm\{(?:[^{}\\]|\\[_&%$#])*\}|\\mathit\{e\}|\\[A-Za-z]+|[A-Za-z])(_\{(?:\w|\\mathrm\{\w+\})+\})?"
    )
    CALLS: ClassVar = {
        r"\ln\left(": "log",
        r"\tanh\left(": "tanh",
        r"\sigma\left(": "sigmoid",
        r"\min\left(": "min",
        r"\max\left(": "max",
        r"\sin\left(": "sin",
        r"\cos\left(": "cos",
        r"\arctan\left(": "atan",
        r"\operatorname{erf}\left(": "erf",
        r"\Gamma\left(": "gamma",
        r"\log_{10}\left(": "log10",
        r"\log_2\left(": "log2",
    }

    def __init__(self, text: str, values: Mapping[str, Any]) -> None:
        self.text, self.at, self.values = text.strip(), 0, values

    def whole(self) -> Any:
        value = self.sum()
        assert self.at == len(self.text), f"left over: {self.text[self.at :]!r}"
        return value

    def take(self, word: str) -> bool:
        while self.text.startswith(" ", self.at):
            self.at += 1
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return True
        return False

    def due(self, word: str) -> None:
        assert self.take(word), f"expected {word!r} at {self.text[self.at :]!r}"

    def sum(self) -> Any:
        value = self.product()
        while True:
            if self.take("+"):
                value = value + self.product()
            elif self.take("-"):
                value = value - self.product()
            else:
                return value

    def product(self) -> Any:
        if self.take("-"):
            return -self.product()
        value = self.power()
        while self.take(r"\, ") or self.take(r"\cdot "):
            value = value * self.power()
        return value

    def power(self) -> Any:
        value = self.atom()
        if self.take("^{"):
            exponent = self.sum()
            self.due("}")
            value = value**exponent
            assert not self.text.startswith("^", self.at), "double superscript"
        return value

    def atom(self) -> Any:
        for opening, name in self.CALLS.items():
            if self.take(opening):
                arguments = [self.sum()]
                while self.take(","):
                    arguments.append(self.sum())
                self.due(r"\right)")
                return EXACT[name](*arguments)
        if self.take(r"\left("):
            return self.closed(r"\right)")
        if self.take(r"\left|"):
            return abs(self.closed(r"\right|"))
        if self.take(r"\sqrt{"):
            return mpmath.sqrt(self.closed("}"))
        if self.take(r"\frac{"):
            above = self.closed("}")
            self.due("{")
            return above / self.closed("}")
        if self.take("e^{"):
            return mpmath.exp(self.closed("}"))
        if number := self.NUMBER.match(self.text, self.at):
            self.at = number.end()
            return mpmath.mpf(float(f"{number[1]}e{number[3] or 0}"))
        name = self.NAME.match(self.text, self.at)
        assert name is not None, f"nothing readable at {self.text[self.at :]!r}"
        self.at = name.end()
        return self.values[name[0]]

    def closed(self, closing: str) -> Any:
        value = self.sum()
        self.due(closing)
        return value


def sympy_value(expression: Any, parameters: Mapping[str, float], inputs: Mapping[str, float]) -> float:
    """A SymPy expression as a function with many digits.

    `subs` with the parameters alone folds numbers to 15 digits: A*(1 - exp(-x/k)) with a large A lost half of its
    digits that way.
    """
    import sympy

    values = {sympy.Symbol(name): value for name, value in {**parameters, **inputs}.items()}
    # A symbol called gamma would hide the function of that name.
    unnamed = {symbol: sympy.Dummy() for symbol in values}
    function = sympy.lambdify(list(unnamed.values()), expression.xreplace(unnamed), "mpmath")
    with mpmath.workdps(DIGITS):
        return float(function(*map(mpmath.mpf, values.values())))
