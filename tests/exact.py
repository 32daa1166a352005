"""The grammar's functions in mpmath, to any number of digits: what values are measured against."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sqrt": mpmath.sqrt,
    "tanh": mpmath.tanh,
    "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "abs": abs,
    "min": min,
    "max": max,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "atan": mpmath.atan,
    "erf": mpmath.erf,
    "gamma": mpmath.gamma,
    "log10": mpmath.log10,
    "log2": lambda x: mpmath.log(x, 2),
    "log1p": mpmath.log1p,
    "expm1": mpmath.expm1,
}

OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda *terms: sum(terms[1:], terms[0]),
    "sub": lambda a, b: a - b,
    "mul": lambda *factors: mpmath.fprod(factors),
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "pow": lambda a, b: a**b,
}

EXACT = {**OPERATIONS, **FUNCTIONS}
