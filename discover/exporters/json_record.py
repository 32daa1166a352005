"""A JSON record: formula, tree, inputs with units, parameters of each cell, provenance."""

from __future__ import annotations

import json
import math
from typing import Any

from discover.exporters.fitted import FittedLaw
from discover.law import Expression, Number, Symbol

FORMAT = "discover-law/1"

# Of a leaderboard row, what the record says elsewhere or can be computed from it.
_ELSEWHERE = {"law", "formula", "parameters", "standard_errors", "bounds", "complexity", "predictions"}


def export(fitted: FittedLaw) -> str:
    """The record as text; numbers are the shortest that read back exactly."""
    law = fitted.law
    errors = fitted.provenance.get("standard_errors") or {}
    content = {
        "format": FORMAT,
        "law": fitted.provenance.get("law"),
        "formula": str(law),
        "expression": "",
        "inputs": [{"name": name, "unit": fitted.units.get(name, "")} for name in law.inputs],
        "parameters": list(law.parameters),
        "bounds": {name: [_finite(end) for end in ends] for name, ends in law.bounds.items()},
        "complexity": law.complexity,
        "cells": [
            {
                "group": cell.group,
                "target": cell.target,
                "unit": fitted.units.get(cell.target, ""),
                "parameters": fitted.values(number),
                "standard_errors": errors.get(cell.label),
            }
            for number, cell in enumerate(fitted.cells)
        ],
        "provenance": {key: value for key, value in fitted.provenance.items() if key not in _ELSEWHERE},
    }
    text = json.dumps(_clean(content), indent=2, ensure_ascii=False, allow_nan=False)
    tree = json.dumps(to_list(law.expression))  # on one line: indented, it would fill the page
    return text.replace('"expression": ""', f'"expression": {tree}', 1) + "\n"


def to_list(node: Expression) -> Any:
    """The tree as ["add", "E", ["div", "A", ...]]: numbers, names, and calls starting with their function."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Symbol):
        return node.name
    return [node.function, *(to_list(argument) for argument in node.arguments)]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _clean(value: Any) -> Any:
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list | tuple) else value
