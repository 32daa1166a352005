"""A stand-alone Python module: NumPy only, `predict(inputs..., group, target)` with the parameters in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from discover.exporters.fitted import FittedLaw, free_names
from discover.exporters.infix import to_source
from discover.law import GRAMMAR

_TAKEN = {"np", "math", "float", "PARAMETERS", "group", "target", "cell", "ValueError", "list"}


def export(fitted: FittedLaw) -> str:
    """Source of the module; predictions equal those of the law to rounding."""
    law = fitted.law
    names, inputs, chosen, key, source, lines = begin(fitted, _TAKEN, _call)
    lines += ['"""', ""]
    lines += ["import math", ""] if "math." in source else []
    lines += ["import numpy as np", "", *parameter_lines(fitted, bool(chosen)), "", ""]
    lines += [f"def predict({', '.join([*inputs, *chosen])}):", *refusal_lines(chosen, key)]
    unpacked = ", ".join(names[name] for name in law.parameters) + ("," if len(law.parameters) == 1 else "")
    lines.append(f"    {unpacked} = np.array(list(PARAMETERS[{key}].values()), dtype=float)")
    lines += [f"    {name} = np.asarray({name}, dtype=float)" for name in inputs]
    lines += ['    with np.errstate(all="ignore"):', f"        return {source}", ""]
    return "\n".join(lines)


class Beginning(NamedTuple):
    """What modules in every dialect of Python share.

    Attributes:
        names: What each input and parameter is called in the source; `inputs` are the former in order.
        chosen, key: As `key_source` gives them.
        source: The law's value as an expression.
        lines: The module's docstring, not yet closed.
    """

    names: dict[str, str]
    inputs: list[str]
    chosen: list[str]
    key: str
    source: str
    lines: list[str]


def begin(fitted: FittedLaw, taken: set[str], call: Callable[[str, list[str]], str]) -> Beginning:
    """The beginning of a module that uses the names `taken`; `call` writes the call of a function."""
    law = fitted.law
    names = free_names((*law.inputs, *law.parameters), taken)
    inputs = [names[name] for name in law.inputs]
    chosen, key = key_source(fitted)
    lines = ['"""', *fitted.heading(), "", predict_usage(fitted, [*inputs, *chosen])]
    return Beginning(names, inputs, chosen, key, to_source(law.expression, names, call), lines)


def key_source(fitted: FittedLaw) -> tuple[list[str], str]:
    """The arguments that tell the cell, and the source of its key in PARAMETERS."""
    chosen = [word for word, needed in (("group", fitted.by_group), ("target", fitted.by_target)) if needed]
    return chosen, {0: "''", 1: chosen[0] if chosen else "", 2: "(group, target)"}[len(chosen)]


def parameter_lines(fitted: FittedLaw, keyed: bool) -> list[str]:
    """PARAMETERS: for each cell, parameter -> value with all its digits."""
    lines = [
        f"    {fitted.key(cell) if keyed else ''!r}: {fitted.values(number)!r},"
        for number, cell in enumerate(fitted.cells)
    ]
    return ["PARAMETERS = {", *lines, "}"]


def refusal_lines(chosen: list[str], key: str) -> list[str]:
    """What a function says to a group or target that it does not know."""
    if not chosen:
        return []
    due = "one of {list(PARAMETERS)}"
    told = f'raise ValueError(f"{" and ".join(chosen)}: got {{{key}!r}}, expected {due}")'
    return [f"    if {key} not in PARAMETERS:", f"        {told}"]


def predict_usage(fitted: FittedLaw, arguments: list[str]) -> str:
    """How `predict` is called, in a sentence."""
    chosen, _ = key_source(fitted)
    told = f"predict({', '.join(arguments)}) takes numbers or arrays in the units above"
    return f"{told}; {' and '.join(chosen)} as in PARAMETERS." if chosen else f"{told}."


def _call(function: str, arguments: list[str]) -> str:
    return GRAMMAR[function].python.format(*arguments)
