"""A law as a notebook shows it: the formula typeset, and its parameters ± standard error for each cell."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from discover.exporters.latex import symbol_names, to_latex, upright

if TYPE_CHECKING:
    from discover.exporters.fitted import FittedLaw

_MOST_CELLS = 24


def to_html(fitted: FittedLaw) -> str:
    """HTML without scripts or links; the formula is between dollars, which notebooks typeset."""
    law = fitted.law
    names = symbol_names((*law.inputs, *law.parameters))
    formula = f"$${upright(fitted.target)} = {to_latex(law.expression, names)}$$"
    parts = [f"<div>{escape(formula)}</div>", "<table><thead><tr>"]
    chosen = [word for word, needed in (("group", fitted.by_group), ("target", fitted.by_target)) if needed]
    parts += [f"<th>{word}</th>" for word in chosen]
    parts += [f"<th>{escape(f'${names[name]}$')}</th>" for name in law.parameters]
    parts.append("</tr></thead><tbody>")
    errors: Mapping[str, Mapping[str, float]] = fitted.provenance.get("standard_errors") or {}
    for number, cell in enumerate(fitted.cells[:_MOST_CELLS]):
        own = errors.get(cell.label) or {}
        cells = [getattr(cell, word) for word in chosen]
        cells += [_measured(value, own.get(name)) for name, value in fitted.values(number).items()]
        parts.append("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in cells) + "</tr>")
    parts.append("</tbody></table>")
    if len(fitted.cells) > _MOST_CELLS:
        parts.append(f"<div>and {len(fitted.cells) - _MOST_CELLS} more</div>")
    inputs = [name + (f" ({fitted.units[name]})" if fitted.units.get(name) else "") for name in law.inputs]
    r2 = fitted.provenance.get("validation_r2")
    told = [f"inputs: {', '.join(inputs)}"] if inputs else []
    told += [f"validation R2 {r2:.4f}"] if isinstance(r2, float) and math.isfinite(r2) else []
    told += [f"recipe {fitted.provenance['recipe']}"] if fitted.provenance.get("recipe") else []
    told += [str(fitted.provenance["window"])] if fitted.provenance.get("window") else []
    return "".join([*parts, f"<div>{escape('; '.join(told))}</div>"])


def _measured(value: float, error: float | None) -> str:
    if error is None or not math.isfinite(error):
        return f"{value:.6g}"
    return f"{value:.6g} ± {error:.2g}"
