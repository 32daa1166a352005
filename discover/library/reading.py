"""The TOML files of this folder into entries, read once, when they are first asked for.

Keys are known beforehand and every refusal names the entry: a law that somebody adds is told what it lacks.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from discover.errors import LibraryError, UnknownLawError, did_you_mean, shown
from discover.law.parser import LONGEST_TEXT
from discover.library.entry import COEFFICIENT_TRUST, TRUST, Coefficients, Entry, Form, NotFound, Quantity, Source
from discover.library.roles import ROLES

FOLDER = Path(__file__).parent
LARGEST_FILE = 1_000_000  # bytes
MOST_ENTRIES = 2_000

_TEXTS = {"fitted_on", "runs", "material", "note"}
_ENTRY = {"id", "title", "formula", "target", "source", "trust", "at", "inputs", "coefficients"}
_OPTIONAL = {"bounds", "measured", *_TEXTS}


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """Every law of the library that has a formula, by topic.

    Raises:
        LibraryError: A file of the library does not say what it should; names file, entry and key.
    """
    return read_folder(FOLDER)[0]


@lru_cache(maxsize=1)
def not_found() -> tuple[NotFound, ...]:
    """Laws that are named in publications but whose formula was not found."""
    return read_folder(FOLDER)[1]


def entry(name: str) -> Entry:
    """The law with this id.

    Raises:
        UnknownLawError: There is none; offers close matches, or says what is known of a law without a formula.
    """
    for each in entries():
        if each.id == name:
            return each
    for missing in not_found():
        if missing.id == name:
            raise UnknownLawError(f"{name}: its formula was not found ({missing.source}); known: {missing.known}")
    known = did_you_mean(name, [each.id for each in entries()])
    raise UnknownLawError(f"library law {shown(name)}: no such id{known or '; list them with: discover laws'}")


def read_folder(folder: Path) -> tuple[tuple[Entry, ...], tuple[NotFound, ...]]:
    """Entries, and laws without a formula, of all TOML files in a folder."""
    found: list[Entry] = []
    missing: list[NotFound] = []
    for path in sorted(folder.glob("*.toml")):
        table = _document(path)
        found += [_entry(_Table(path, "laws", number, each)) for number, each in enumerate(table.get("laws", []), 1)]
        missing += [
            _missing(_Table(path, "not_found", number, each))
            for number, each in enumerate(table.get("not_found", []), 1)
        ]
    names = [each.id for each in found] + [each.id for each in missing]
    if len(names) > MOST_ENTRIES:
        raise LibraryError(f"{folder}: {len(names)} laws, at most {MOST_ENTRIES} are read")
    for name in names:
        if names.count(name) > 1:
            raise LibraryError(f"{folder}: two laws have the id {name!r}; rename one")
    return tuple(found), tuple(missing)


def _document(path: Path) -> dict[str, Any]:
    raw = path.read_bytes()
    if len(raw) > LARGEST_FILE:
        raise LibraryError(f"{path}: {len(raw)} bytes, at most {LARGEST_FILE} are read")
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise LibraryError(f"{path}: not TOML: {problem}") from None
    for key, value in table.items():
        if key not in ("laws", "not_found") or not isinstance(value, list):
            raise LibraryError(f"{path}: {shown(key)}; expected [[laws]] or [[not_found]]")
    return table


class _Table:
    """One table of a file, read strictly."""

    def __init__(self, path: Path, kind: str, number: int, table: Any, where: str = "") -> None:
        name = table.get("id") if isinstance(table, dict) else None
        self.where = where or f"{path}, [[{kind}]] {number} ({name})"
        self.topic = path.stem
        if not isinstance(table, dict):
            raise self.error(f"got {type(table).__name__}, expected a table")
        self.table = table

    def error(self, message: str) -> LibraryError:
        return LibraryError(f"{self.where}: {message}")

    def keys(self, due: set[str], optional: set[str]) -> None:
        for key in self.table:
            if key not in due | optional:
                raise self.error(f"key {shown(key)} is not known{did_you_mean(key, due | optional)}")
        for key in sorted(due - set(self.table)):
            raise self.error(f"key {key!r} is missing")

    def text(self, key: str, among: Mapping[str, Any] | None = None) -> str:
        value = self.table.get(key, "")
        if not isinstance(value, str) or len(value) > LONGEST_TEXT:
            raise self.error(f"{key}: expected text of at most {LONGEST_TEXT} characters")
        if among is not None and value not in among:
            raise self.error(f"{key}: {shown(value)} is not known{did_you_mean(value, among)}")
        return value

    def number(self, key: str) -> float:
        return self._number(key, self.table[key])

    def _number(self, key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
            raise self.error(f"{key}: got {shown(str(value))}, expected a number")
        return float(value)

    def numbers(self, key: str, names: Sequence[str]) -> dict[str, float]:
        values = self.inner(key).table
        if set(values) != set(names):
            raise self.error(f"{key}: got {', '.join(values) or 'none'}; expected {', '.join(names) or 'none'}")
        return {name: self._number(f"{key}.{name}", values[name]) for name in names}

    def inner(self, key: str) -> _Table:
        return _Table(Path(self.topic), "", 0, self.table.get(key, {}), f"{self.where}, {key}")

    def several(self, key: str) -> list[_Table]:
        value = self.table[key]
        if not isinstance(value, list):
            raise self.error(f"{key}: expected [[laws.{key}]]")
        return [_Table(Path(self.topic), "", 0, each, f"{self.where}, {key}") for each in value]


def _entry(table: _Table) -> Entry:
    table.keys(_ENTRY, _OPTIONAL)
    form = _form(table)
    table_of_target = table.inner("target")
    measured = table.inner("measured") if "measured" in table.table else None
    if measured is not None:
        measured.keys({"formula", "inputs"}, {"bounds"})
    return Entry(
        id=table.text("id"),
        title=table.text("title"),
        topic=table.topic,
        form=form,
        measured=None if measured is None else _form(measured),
        target=_quantity("", table_of_target),
        source=_source(table.inner("source")),
        trust=table.text("trust", TRUST),
        at=table.numbers("at", [quantity.name for quantity in form.inputs]),
        coefficients=tuple(_coefficients(each) for each in table.several("coefficients")),
        **{key: table.text(key) for key in _TEXTS},
    )


def _form(table: _Table) -> Form:
    inputs = table.inner("inputs")
    bounds = {}
    for name, pair in table.inner("bounds").table.items():
        if not isinstance(pair, list) or len(pair) != 2:
            raise table.error(f"bounds of {name}: expected [lower, upper]")
        bounds[name] = (table._number(name, pair[0]), table._number(name, pair[1]))
    return Form(table.text("formula"), tuple(_quantity(name, inputs.inner(name)) for name in inputs.table), bounds)


def _quantity(name: str, table: _Table) -> Quantity:
    table.keys({"role", "unit", "meaning"}, {"effect"})
    effect = table.text("effect", {"": "", "falls": "", "rises": ""})
    return Quantity(name, table.text("role", ROLES), table.text("unit"), table.text("meaning"), effect)


def _source(table: _Table) -> Source:
    table.keys({"authors", "year", "arxiv"}, {"title"})
    return Source(table.text("authors"), int(table.number("year")), table.text("title"), table.text("arxiv"))


def _coefficients(table: _Table) -> Coefficients:
    table.keys({"name", "trust", "gives"}, {"values", "printed", "from_source"})
    values = table.inner("values")
    return Coefficients(
        name=table.text("name"),
        trust=table.text("trust", COEFFICIENT_TRUST),
        values=table.numbers("values", list(values.table)),
        gives=table.number("gives"),
        printed=table.number("printed") if "printed" in table.table else None,
        from_source=tuple(map(str, table.table.get("from_source", ()))),
    )


def _missing(table: _Table) -> NotFound:
    table.keys({"id", "title", "source", "known"}, {"fitted_on", "material"})
    source = _source(table.inner("source"))
    texts = (table.text(key) for key in ("known", "fitted_on", "material"))
    return NotFound(table.text("id"), table.text("title"), source, *texts)
