"""TOML read strictly: keys and types are known beforehand, and every refusal says which file and where."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from discover.errors import TaskError, did_you_mean, shown
from discover.task.files import MEGABYTE, read_text

LARGEST_TOML = 1 * MEGABYTE
MOST_DOTS = 100  # in a line: the standard parser needs quadratic time in the parts of a dotted key
KINDS = {  # each type: how a message names it, what to write
    str: ("text", '"..."'),
    bool: ("true or false", "true"),
    int: ("a whole number", "1"),
    float: ("a number", "1.0"),
    list: ("a list", "[...]"),
    dict: ("a table", "{...}"),
}
_MISSING: Any = object()


class Section:
    """One table of a TOML file: a key that is not among `keys` is refused, with close matches."""

    def __init__(self, path: Path, text: str, where: str, table: Any, keys: Sequence[str] | None) -> None:
        self.path, self.where, self.table, self._text = path, where, table, text
        if not isinstance(table, dict):
            raise TaskError(f"{path}, {where}: {_came(table)}, expected a table")
        for key in table:
            if keys is not None and key not in keys:
                raise self.error(f"key {shown(key)} is not known" + did_you_mean(key, keys), key)

    def error(self, message: str, key: str | None = None) -> TaskError:
        line = _line_of(self._text, key) if key else None
        place = [str(self.path), f"line {line}" if line else "", self.where]
        return TaskError(f"{', '.join(filter(None, place))}: {message}")

    def value(self, key: str, kind: type, default: Any = _MISSING) -> Any:
        """The value of `key`; TaskError when it is missing without a default, or not of `kind`."""
        value = self.table.get(key, default)
        if value is _MISSING:
            raise self.error(f"key {key!r} is missing; add {key} = {KINDS[kind][1]}")
        if value is default:
            return value
        if kind is float and type(value) in (int, float):
            try:
                value = float(value)
            except OverflowError:
                value = math.inf
            if math.isnan(value):
                raise self.error(f"{key} is nan, expected a number", key)
            return value
        if type(value) is not kind:
            raise self.error(f"{key}: {_came(value)}, expected {KINDS[kind][0]}", key)
        return value

    def text(self, key: str, default: Any = _MISSING) -> str:
        text = self.value(key, str, default)
        if default is _MISSING and not text.strip():
            raise self.error(f"{key} is empty, expected text", key)
        return text.strip()

    def choice(self, key: str, choices: Sequence[str], default: Any = _MISSING) -> str:
        value = self.value(key, str, default)
        if value not in choices:
            raise self.error(f"{key} is {shown(value)}, expected {' or '.join(map(repr, choices))}", key)
        return value

    def texts(self, key: str, default: Any = _MISSING) -> tuple[str, ...]:
        values = self.value(key, list, default)
        if not all(isinstance(value, str) for value in values):
            raise self.error(f'{key}: expected a list of texts, such as {key} = ["name"]', key)
        if repeated := [value for index, value in enumerate(values) if value in values[:index]]:
            raise self.error(f"{key}: {shown(repeated[0])} stands there twice", key)
        return tuple(values)

    def section(self, key: str, keys: Sequence[str] | None, default: Any = _MISSING) -> Section:
        return Section(self.path, self._text, self._inside(f"[{key}]"), self.value(key, dict, default), keys)

    def sections(self, key: str, keys: Sequence[str], default: Any = _MISSING) -> list[Section]:
        tables = self.value(key, list, default)
        return [
            Section(self.path, self._text, self._inside(f"[[{key}]] {number}"), table, keys)
            for number, table in enumerate(tables, start=1)
        ]

    def _inside(self, where: str) -> str:
        return f"{self.where} {where}".strip()


def read_document(path: Path, keys: Sequence[str]) -> Section:
    """The TOML file at `path` with the tables `keys`; TaskError names file and line when it is no TOML."""
    text = read_text(path, LARGEST_TOML, TaskError)
    for number, line in enumerate(text.splitlines(), start=1):
        if (dots := line.count(".")) > MOST_DOTS:
            raise TaskError(f"{path}, line {number}: got {dots} dots, expected at most {MOST_DOTS}; break the line")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise TaskError(f"{path}: not TOML: {problem}") from None
    except (RecursionError, ValueError) as problem:  # nested too deep; a whole number of thousands of digits
        raise TaskError(f"{path}: not TOML that can be read ({type(problem).__name__}: {problem})") from None
    return Section(path, text, "", table, keys)


def _came(value: Any) -> str:
    kind = KINDS.get(type(value), (type(value).__name__,))[0]
    return f"got {kind} ({shown(str(value))})" if isinstance(value, str | int | float) else f"got {kind}"


def _line_of(text: str, key: str) -> int | None:
    """Line on which `key` is set, if it is set on exactly one line of the file."""
    name = rf"[\"']?{re.escape(key)}[\"']?\s*"
    pattern = re.compile(rf"^\s*\[+\s*(?:[\w.]+\.)?{name}\]+|(?:^|[\s,{{.]){name}=")
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if pattern.search(line)]
    return lines[0] if len(lines) == 1 else None
