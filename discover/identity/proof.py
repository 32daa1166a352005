"""A symbolic proof that two formulas are one, where SymPy gives it within a few seconds.

SymPy may not come back, so it works in a process of its own, which is ended when its time is up. Both formulas go
through the parser there, too: nothing is evaluated as code.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from discover.law import GRAMMAR, Expression, Law, Number, Symbol, parse, to_text
from discover.law.expression import rewrite

SECONDS = 15.0


def prove_equal(law: Law, other: Law, mapping: Mapping[str, Expression], seconds: float = SECONDS) -> bool:
    """Whether SymPy shows that `other` with its parameters put in terms of the law's is the law, all names positive.

    Args:
        mapping: Parameter of `other` -> formula of the law's parameters; False where one is missing.
        seconds: After which the proof is given up.
    """
    if set(mapping) != set(other.parameters):
        return False
    moved = rewrite(other.expression, lambda n: mapping.get(n.name) if isinstance(n, Symbol) else None)
    task = {"first": str(law), "second": to_text(moved), "inputs": list(law.inputs)}
    command = [sys.executable, "-m", "discover.identity.proof"]
    try:
        done = subprocess.run(command, input=json.dumps(task), capture_output=True, text=True, timeout=seconds)
    except (subprocess.TimeoutExpired, OSError):
        return False
    return done.returncode == 0 and done.stdout.strip() == "equal"


def _to_sympy(node: Expression, names: dict[str, Any]) -> Any:
    import sympy

    if isinstance(node, Number):
        return sympy.Rational(repr(node.value))
    if isinstance(node, Symbol):
        return names.setdefault(node.name, sympy.Symbol(node.name, positive=True))
    parts = [_to_sympy(argument, names) for argument in node.arguments]
    first = parts[0]
    if node.function == "add":
        return sympy.Add(*parts)
    if node.function == "mul":
        return sympy.Mul(*parts)
    if node.function == "sub":
        return first - parts[1]
    if node.function == "div":
        return first / parts[1]
    if node.function == "neg":
        return -first
    if node.function == "pow":
        return first ** parts[1]
    special = {
        "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
        "log10": lambda x: sympy.log(x) / sympy.log(10),
        "log2": lambda x: sympy.log(x) / sympy.log(2),
        "log1p": lambda x: sympy.log(1 + x),
        "expm1": lambda x: sympy.exp(x) - 1,
    }
    if node.function in special:
        return special[node.function](first)
    return getattr(sympy, GRAMMAR[node.function].sympy)(*parts)


def _equal(first: str, second: str, inputs: list[str]) -> bool:
    import sympy

    names: dict[str, Any] = {}
    one, two = (_to_sympy(parse(text, inputs, may_be_fixed=True).expression, names) for text in (first, second))
    numerator = sympy.numer(sympy.together(sympy.expand_power_base(one - two, force=True)))
    if sympy.powsimp(sympy.expand(sympy.expand_log(numerator, force=True))) == 0:
        return True
    return bool(sympy.simplify(one - two) == 0)


if __name__ == "__main__":
    asked = json.loads(sys.stdin.read())
    print("equal" if _equal(asked["first"], asked["second"], asked["inputs"]) else "unknown")
