"""A stand-alone Python module: NumPy only, `predict(inputs..., group, target)` with the parameters in it."""

from __future__ import annotations

from discover.exporters.fitted import FittedLaw, free_names
from discover.exporters.infix import to_source
from discover.law import GRAMMAR

_TAKEN = {"np", "math", "float", "PARAMETERS", "group", "target", "cell", "ValueError", "list"}


def export(fitted: FittedLaw) -> str:
    """Source of the module; predictions equal those of the law to rounding."""
    law = fitted.law
    names = free_names((*law.inputs, *law.parameters), _TAKEN)
    inputs = [names[name] for name in law.inputs]
    source = to_source(law.expression, names, _call)
    chosen = [word for word, needed in (("group", fitted.by_group), ("target", fitted.by_target)) if needed]
    key = {0: "''", 1: chosen[0] if chosen else "", 2: "(group, target)"}[len(chosen)]
    lines = ['"""', *fitted.heading(), "", f"{_usage(fitted, inputs, chosen)}", '"""', ""]
    lines += ["import math", ""] if "math." in source else []
    lines += ["import numpy as np", "", "PARAMETERS = {"]
    for number, cell in enumerate(fitted.cells):
        lines.append(f"    {fitted.key(cell) if chosen else ''!r}: {fitted.values(number)!r},")
    lines += ["}", "", "", f"def predict({', '.join([*inputs, *chosen])}):"]
    lines += [f"    if {key} not in PARAMETERS:"] if chosen else []
    if chosen:
        due = "one of {list(PARAMETERS)}"
        lines.append(f'        raise ValueError(f"{" and ".join(chosen)}: got {{{key}!r}}, expected {due}")')
    unpacked = ", ".join(names[name] for name in law.parameters) + ("," if len(law.parameters) == 1 else "")
    lines.append(f"    {unpacked} = np.array(list(PARAMETERS[{key}].values()), dtype=float)")
    lines += [f"    {name} = np.asarray({name}, dtype=float)" for name in inputs]
    lines += ['    with np.errstate(all="ignore"):', f"        return {source}", ""]
    return "\n".join(lines)


def _usage(fitted: FittedLaw, inputs: list[str], chosen: list[str]) -> str:
    told = f"predict({', '.join([*inputs, *chosen])}) takes numbers or arrays in the units above"
    return f"{told}; {' and '.join(chosen)} as in PARAMETERS." if chosen else f"{told}."


def _call(function: str, arguments: list[str]) -> str:
    return GRAMMAR[function].python.format(*arguments)
