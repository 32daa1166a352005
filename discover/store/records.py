"""Values as JSON and back, exactly: a float becomes its shortest repr, which reads back as the same bits."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def record(value: Any) -> Any:
    """Plain dicts, lists, text and numbers of `value`: dataclasses by field, arrays as lists."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: record(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): record(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [record(item) for item in value]
    if hasattr(value, "tolist"):  # NumPy's arrays and scalars, without importing NumPy
        return record(value.tolist())
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a record: {value!r:.80}")


def to_json(value: Any, *, strict: bool = False, indent: int | None = None) -> str:
    """`value` as JSON text; with `strict`, NaN and infinities become null, for other readers."""
    plain = record(value)
    return json.dumps(_finite(plain) if strict else plain, allow_nan=not strict, indent=indent)


def from_json(text: str) -> Any:
    return json.loads(text)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
