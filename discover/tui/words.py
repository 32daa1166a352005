"""Numbers and times as people read them."""

from __future__ import annotations

import math
from typing import Any


def number(value: Any, digits: int = 4) -> str:
    """Fixed digits for scores; "-" where there is none."""
    if value is None or not isinstance(value, int | float) or math.isnan(value):
        return "-"
    if abs(value) >= 1e4:
        return f"{value:.2g}"
    return f"{value:.{digits}f}"


def measured(value: Any, error: Any = None) -> str:
    """A parameter with its standard error: six digits, "± ?" where the rows cannot tell."""
    if value is None:
        return "-"
    if error is None or not math.isfinite(error):
        return f"{value:.6g}"
    return f"{value:.6g} ± {error:.2g}"


def duration(seconds: float) -> str:
    seconds = max(round(seconds), 0)
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min {seconds % 60:02d} s"


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def cost(spent: Any) -> str:
    """What a law cost in calls to language models: "0.0012 USD", or tokens where the price is nothing or not known."""
    if not spent:
        return "-"
    if spent.get("dollars"):
        return f"{spent['dollars']:.4f} USD"
    return f"{spent['tokens']:,.0f} tokens" if spent.get("tokens") else "0"


def bar(share: float, width: int) -> str:
    """`━━━━────`"""
    full = round(min(max(share, 0.0), 1.0) * width)
    return "━" * full + "─" * (width - full)
