"""The ONE table of what a law may contain.

The parser, the compiler, complexity, the printers and the exporters all read these rows; a function that is
not here does not exist. `partials` gives the derivative of a call with respect to each of its arguments.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = Any  # a float array of any shape, or a float: what NumPy broadcasts


@dataclass(frozen=True)
class Function:
    """One row of the grammar.

    Attributes:
        arity: Number of arguments; None for two or more ("add", "mul").
        numpy: Values from argument arrays.
        partials: (value, *arguments) -> one array for each argument.
        sympy: Name of the SymPy callable; "" where the exporter builds it from an operator.
        python: Source with NumPy as `np`, arguments as {0}, {1}.
        latex: Template with arguments as {0}, {1}.
        complexity: What a call adds to a law's complexity.
        domain: In words, where it is defined; "" for everywhere.
    """

    name: str
    arity: int | None
    numpy: Callable[..., Array]
    partials: Callable[..., tuple[Array, ...]] = field(repr=False)
    sympy: str = ""
    python: str = ""
    latex: str = ""
    complexity: int = 2
    domain: str = ""


def real_power(base: Array, exponent: Array) -> Array:
    """base**exponent over the reals: NaN for a negative base with a fractional exponent."""
    return np.power(base, exponent)


def _power_partials(value: Array, base: Array, exponent: Array) -> tuple[Array, Array]:
    with np.errstate(all="ignore"):
        to_base = exponent * np.power(base, exponent - 1.0)
        to_exponent = value * np.log(np.where(np.asarray(base) > 0, base, 1.0))
    return to_base, to_exponent


def _sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))  # keeps all digits where it is small, unlike a half of 1 + tanh


def _erf(x: Array) -> Array:
    from scipy.special import erf

    return erf(x)


def _gamma(x: Array) -> Array:
    from scipy.special import gamma

    return gamma(x)


def _gamma_partials(value: Array, x: Array) -> tuple[Array]:
    from scipy.special import digamma

    return (value * digamma(x),)


_ROWS = (
    Function("add", None, np.add, lambda v, a, b: (1.0, 1.0), complexity=1),
    Function("sub", 2, np.subtract, lambda v, a, b: (1.0, -1.0), complexity=1),
    Function("mul", None, np.multiply, lambda v, a, b: (b, a), complexity=1),
    Function("div", 2, np.divide, lambda v, a, b: (1.0 / b, -v / b), complexity=1, domain="divisor != 0"),
    Function("neg", 1, np.negative, lambda v, a: (-1.0,), complexity=0),
    Function("pow", 2, real_power, _power_partials, complexity=1, domain="base > 0, or a whole exponent"),
    Function("exp", 1, np.exp, lambda v, x: (v,), "exp", "np.exp({0})", r"e^{{{0}}}"),
    Function("log", 1, np.log, lambda v, x: (1.0 / x,), "log", "np.log({0})", r"\ln\left({0}\right)", domain="x > 0"),
    Function("sqrt", 1, np.sqrt, lambda v, x: (0.5 / v,), "sqrt", "np.sqrt({0})", r"\sqrt{{{0}}}", 1, "x >= 0"),
    Function("tanh", 1, np.tanh, lambda v, x: (1.0 - v * v,), "tanh", "np.tanh({0})", r"\tanh\left({0}\right)"),
    Function(
        "sigmoid",
        1,
        _sigmoid,
        lambda v, x: (v * (1.0 - v),),
        "",
        "(1.0 / (1.0 + np.exp(-({0}))))",
        r"\sigma\left({0}\right)",
    ),
    Function("abs", 1, np.abs, lambda v, x: (np.sign(x),), "Abs", "np.abs({0})", r"\left|{0}\right|"),
    Function(
        "min",
        2,
        np.minimum,
        lambda v, a, b: (np.where(a <= b, 1.0, 0.0), np.where(a <= b, 0.0, 1.0)),
        "Min",
        "np.minimum({0}, {1})",
        r"\min\left({0}, {1}\right)",
    ),
    Function(
        "max",
        2,
        np.maximum,
        lambda v, a, b: (np.where(a >= b, 1.0, 0.0), np.where(a >= b, 0.0, 1.0)),
        "Max",
        "np.maximum({0}, {1})",
        r"\max\left({0}, {1}\right)",
    ),
    Function("sin", 1, np.sin, lambda v, x: (np.cos(x),), "sin", "np.sin({0})", r"\sin\left({0}\right)", 3),
    Function("cos", 1, np.cos, lambda v, x: (-np.sin(x),), "cos", "np.cos({0})", r"\cos\left({0}\right)", 3),
    Function(
        "atan",
        1,
        np.arctan,
        lambda v, x: (1.0 / (1.0 + x * x),),
        "atan",
        "np.arctan({0})",
        r"\arctan\left({0}\right)",
        3,
    ),
    Function(
        "erf",
        1,
        _erf,
        lambda v, x: (2.0 / math.sqrt(math.pi) * np.exp(-x * x),),
        "erf",
        "np.vectorize(math.erf, otypes=[float])({0})",
        r"\operatorname{{erf}}\left({0}\right)",
        3,
    ),
    Function(
        "gamma",
        1,
        _gamma,
        _gamma_partials,
        "gamma",
        "np.vectorize(math.gamma, otypes=[float])({0})",
        r"\Gamma\left({0}\right)",
        3,
        "x not in 0, -1, -2, ...",
    ),
    Function(
        "log10",
        1,
        np.log10,
        lambda v, x: (1.0 / (math.log(10.0) * x),),
        "",
        "np.log10({0})",
        r"\log_{{10}}\left({0}\right)",
        domain="x > 0",
    ),
    Function(
        "log2",
        1,
        np.log2,
        lambda v, x: (1.0 / (math.log(2.0) * x),),
        "",
        "np.log2({0})",
        r"\log_2\left({0}\right)",
        domain="x > 0",
    ),
    Function(
        "log1p",
        1,
        np.log1p,
        lambda v, x: (1.0 / (1.0 + x),),
        "",
        "np.log1p({0})",
        r"\ln\left(1 + {0}\right)",
        domain="x > -1",
    ),
    Function("expm1", 1, np.expm1, lambda v, x: (v + 1.0,), "", "np.expm1({0})", r"\left(e^{{{0}}} - 1\right)"),
)

GRAMMAR: dict[str, Function] = {row.name: row for row in _ROWS}

# What people type instead, and what they mean.
ALIASES = {"ln": "log", "Abs": "abs", "Min": "min", "Max": "max", "arctan": "atan", "logistic": "sigmoid"}

OPERATORS = ("add", "sub", "mul", "div", "neg", "pow")
