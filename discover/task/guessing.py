"""What a table of training runs is about: its target, inputs, groups and scale axes, and which rows to hold out.

In: a `Foreign` table, and what the user has said already. Out: a `Guess`, every column with the reason for its role.
Stays out: writing anything. Names say more than values, values decide what names leave open; nothing here looks at how
well any law would do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from discover.errors import TableError, did_you_mean, shown
from discover.task.foreign import Foreign
from discover.task.names import (
    CONSEQUENCE,
    LABEL,
    MEASURE,
    RECORD,
    SCALE,
    SETTING,
    UNKNOWN,
    Meaning,
    meaning,
)
from discover.task.sides import Places, left_open

MISSING = ("", "nan", "na", "n/a", "none", "null", "-", "inf", "+inf", "-inf", "infinity", "?", "missing")
_MOST_INPUTS = 6
_WIDE = 8.0  # the factor that a column without a telling name spans, to be a scale
_MOST_GROUPS = 60
_LEAST_ROWS = 8  # in all, for a search to mean anything
_LEAST_OF_GROUP = 6  # rows, for parameters of its own
_KEPT_OF_GROUP = 4  # training rows that every group keeps
_HELD, _MOST_HELD = (0.04, 0.12), 0.4  # least part of the rows to hold out, along a scale and else; and the most
_LEAST_PARAMETERS = 1e5  # from which on a "size" is one of a language model
_MOST_WORDS = 20  # texts in a column of numbers, each of which becomes a rule
_TEXTS = 0.25  # most part of a column's cells that may be words such as "diverged"
_SPLIT_WORDS = {"split", "part", "subset", "partition"}
_HELD_WORDS = {"test", "eval", "held_out", "heldout", "held out", "holdout", "validation", "val"}


@dataclass(frozen=True)
class Judged:
    """A column and what becomes of it.

    Attributes:
        role: "target", "input", "group" or "left out".
        why: In words.
        scale: "log" or "linear"; "" for a group or a column left out.
        from_zero: An input on a linear scale whose least value is zero, as of shots or a penalty.
        span: Its values in words.
    """

    name: str
    role: str
    why: str
    unit: str = ""
    scale: str = ""
    span: str = ""
    share: bool = False
    from_zero: bool = False


@dataclass(frozen=True)
class Dropped:
    """Rows that task.toml excludes: where every one of `conditions` (column, operator, value) holds.

    A column equals a text, or is at most a number.
    """

    conditions: tuple[tuple[str, str, str | float], ...]
    reason: str
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Guess:
    """A task as it would be written.

    Attributes:
        held_out: (column, operator, value) of the rule.
        held_lines: CSV lines that the rule holds out.
        sides, among: Where these lie, as far as the rule does not say and a search would not suppose.
        rows: CSV rows that stay after `drops`.
    """

    columns: tuple[Judged, ...]
    targets: tuple[str, ...]
    inputs: tuple[str, ...]
    groups: tuple[str, ...]
    scale_axes: tuple[str, ...]
    drops: tuple[Dropped, ...]
    held_out: tuple[str, str, str | float]
    held_reason: str
    held_lines: tuple[int, ...]
    sides: dict[str, str]
    among: bool
    rows: int
    parameter_cap: int
    higher_is_better: bool

    def column(self, name: str) -> Judged:
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, eq=False)
class _Column:
    """A column with its values (row,), NaN where the cell is no finite number."""

    name: str
    cells: list[str]
    values: np.ndarray
    meaning: Meaning

    @property
    def missing(self) -> np.ndarray:
        return ~np.isfinite(self.values)

    @property
    def is_number(self) -> bool:
        filled = [cell for cell in self.cells if cell.lower() not in MISSING]
        known = int((~self.missing).sum())
        words = {cell for cell, gone in zip(self.cells, self.missing, strict=True) if gone}
        return known > 0 and len(words) <= _MOST_WORDS and len(filled) - known <= _TEXTS * max(len(filled), 1)

    @property
    def distinct(self) -> np.ndarray:
        return np.unique(self.values[~self.missing])


def guess(
    table: Foreign,
    targets: Sequence[str] = (),
    groups: Sequence[str] | None = None,
    held_from: tuple[str, float] | None = None,
    inputs: Sequence[str] = (),
) -> Guess:
    """The task that `table` most likely holds.

    Args:
        table: The CSV.
        targets: Columns to predict, where the user named them.
        groups: Columns whose values get parameters of their own, where the user named them; () for none.
        held_from: A column and the least value held out, where the user named them.
        inputs: Columns that a law may read, where the user named them.

    Raises:
        TableError: No column can be the target or an input, a named column is missing, or too few rows are left.
    """
    columns = _sized({name: _measured(table, name, cells) for name, cells in table.columns.items()})
    judged: dict[str, Judged] = {}
    chosen = _targets(table, columns, [_known(table, name, "--target") for name in targets], judged)
    usable = np.all([~columns[name].missing for name in chosen], axis=0)
    if usable.sum() < _LEAST_ROWS:
        raise TableError(
            f"{table.path}: got {int(usable.sum())} rows with a number in {' and '.join(chosen)}, "
            f"expected at least {_LEAST_ROWS}; a law cannot be told from fewer"
        )
    named = None if groups is None else tuple(_known(table, name, "--groups") for name in groups)
    split = _own_split(columns, usable)
    if split:
        judged[split[0]] = Judged(split[0], "left out", "says itself which rows are for testing; the split follows it")
    if inputs:
        reads = _named_inputs(table, columns, [_known(table, name, "--inputs") for name in inputs], usable, judged)
    else:
        reads = _inputs(table, columns, named or (), usable, judged)
    drops, kept = _drops(table, columns, (*chosen, *reads), judged)
    picked, kept, more = _groups(table, columns, named, kept, judged)
    drops = (*drops, *more)
    reads = tuple(name for name in reads if name not in picked)
    judged |= _scaled(columns, reads, chosen, kept, judged)
    axes = _scale_axes(columns, reads, kept, judged)
    rule, reason, held = _split(table, columns, reads, axes, picked, kept, split, held_from, judged)
    axes = (*[a for a in axes if a == rule[0]], *[a for a in axes if a != rule[0]])
    sides: dict[str, str] = {}
    among = False
    if rule[1] == "equals":  # marks do not say where they stand
        logs = {name: judged[name].scale == "log" for name in reads}
        places = _places(columns, reads, picked)
        sides, among = left_open(logs, axes, {}, places.select(kept & ~held), places.select(held))
    sizes = list(Counter(_labels(columns, picked, kept & ~held)).values())
    rows_allow = min(min(sizes) - 2, int(np.median(sizes)) // 2)  # two rows to spare in the smallest group
    cap = int(np.clip(1 + 3 * len(reads), 2, max(rows_allow, 2)))
    order = [*chosen, *reads, *picked]
    ordered = [judged[name] for name in (*order, *(n for n in columns if n not in order))]
    return Guess(
        columns=tuple(ordered),
        targets=chosen,
        inputs=reads,
        groups=picked,
        scale_axes=axes,
        drops=drops,
        held_out=rule,
        held_reason=reason,
        held_lines=tuple(table.line[held].tolist()),
        sides=sides,
        among=among,
        rows=int(kept.sum()),
        parameter_cap=cap,
        higher_is_better=columns[chosen[0]].meaning.rises,
    )


def _measured(table: Foreign, name: str, cells: list[str]) -> _Column:
    values = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        if cell.lower() not in MISSING:
            try:
                values[row] = float(cell)
            except ValueError:
                continue
    values[~np.isfinite(values)] = np.nan
    return _Column(name, cells, values, meaning(table.headings[name]))


def _sized(columns: dict[str, _Column]) -> dict[str, _Column]:
    """The columns, where "size" or "model" with values such as 70M is a model size if no other column is one."""
    if any(column.meaning.what == "a model size" for column in columns.values()):
        return columns
    found = dict(columns)
    for name, column in columns.items():
        called = column.meaning.what == "a size" or name.lower() in ("model", "models")
        if called and column.is_number and column.distinct[0] >= _LEAST_PARAMETERS:
            found[name] = replace(column, meaning=meaning("params"))
            break
    return found


def _known(table: Foreign, name: str, option: str) -> str:
    """The column that a user means, by its name in the copy or its heading."""
    name = name.strip()
    for known, heading in table.headings.items():
        if name in (known, heading):
            return known
    hint = did_you_mean(name, [*table.headings.values(), *table.headings])
    raise TableError(f"{table.path}, line 1: {option} names {shown(name)}, which is no column of it{hint}")


def _targets(
    table: Foreign, columns: dict[str, _Column], named: list[str], judged: dict[str, Judged]
) -> tuple[str, ...]:
    for name in named:
        if not columns[name].is_number:
            came = next((cell for cell in columns[name].cells if cell.lower() not in MISSING), "nothing")
            raise TableError(f"{table.path}: target {name!r} holds {shown(came, 30)}, expected numbers")
        judged[name] = Judged(name, "target", "you named it")
    if named:
        return tuple(dict.fromkeys(named))
    able = [column for column in columns.values() if column.is_number and len(column.distinct) > 1]
    measures = sorted((c for c in able if c.meaning.kind == MEASURE), key=lambda c: c.meaning.order)
    if measures:
        best = measures[0]
        series = [c.name for c in measures if _stem(c.name) and _stem(c.name) == _stem(best.name)]
        if len(series) > 1 and len(series) <= 12:
            in_order = [name for name in columns if name in series]
            for name in in_order:
                judged[name] = Judged(name, "target", f"one of {len(series)} alike; the name says {best.meaning.what}")
            return tuple(in_order)
        judged[best.name] = Judged(best.name, "target", f"the name says {best.meaning.what}")
        return (best.name,)
    rest = [column for column in able if column.meaning.kind == UNKNOWN]
    if dead := [column for column in columns.values() if column.meaning.kind == MEASURE]:
        why = "is the same in every row" if dead[0].is_number else "holds no numbers"
        raise TableError(f"{table.path}: {dead[0].name} {why}; name another column to predict with --target")
    if not rest:
        raise TableError(
            f"{table.path}: no column looks like a loss, an error or a score; name the one to predict with --target"
        )
    judged[rest[-1].name] = Judged(rest[-1].name, "target", "the last column of numbers that no name explains")
    return (rest[-1].name,)


def _stem(name: str) -> str:
    bare = name.rstrip("0123456789")
    return bare if bare != name else ""


def _own_split(columns: dict[str, _Column], usable: np.ndarray) -> tuple[str, str] | None:
    """The column and value by which the table itself marks rows for testing."""
    for column in columns.values():
        if column.name.lower() in _SPLIT_WORDS:
            found = {cell for cell, use in zip(column.cells, usable, strict=True) if use}
            marks = [cell for cell in found if cell.lower() in _HELD_WORDS]
            if len(marks) == 1 and 2 <= len(found) <= 4:
                return column.name, marks[0]
    return None


def _named_inputs(
    table: Foreign, columns: dict[str, _Column], named: list[str], usable: np.ndarray, judged: dict[str, Judged]
) -> tuple[str, ...]:
    for name in named:
        column = columns[name]
        if name in judged and judged[name].role == "target":
            raise TableError(f"{table.path}: {name!r} is the target, and among --inputs too; name another --target")
        if not column.is_number or len(np.unique(column.values[usable & ~column.missing])) < 2:
            came = next((cell for cell in column.cells if cell.lower() not in MISSING), "nothing")
            raise TableError(f"{table.path}: input {name!r} holds {shown(came, 30)}, expected numbers that vary")
        judged[name] = Judged(name, "input", "you named it", unit=column.meaning.unit)
    for column in columns.values():
        if column.is_number and column.name not in judged:
            judged[column.name] = Judged(column.name, "left out", "not among --inputs")
    return tuple(dict.fromkeys(named))


def _inputs(
    table: Foreign,
    columns: dict[str, _Column],
    groups: tuple[str, ...],
    usable: np.ndarray,
    judged: dict[str, Judged],
) -> tuple[str, ...]:
    found: list[_Column] = []
    measures = [columns[name] for name, each in judged.items() if each.role == "target"]
    for column in columns.values():
        if column.name in judged or column.name in groups:
            continue
        if why := _no_input(column, usable, measures):
            judged[column.name] = Judged(column.name, "left out", why)
        elif column.is_number:
            found.append(column)
    if not found:  # a table of hours and a score
        found = [c for c in columns.values() if c.meaning.kind == CONSEQUENCE and c.name not in groups and c.is_number
                 and judged[c.name].role == "left out"]  # fmt: skip
    rank = {SCALE: 0, SETTING: 1, UNKNOWN: 2, LABEL: 3}
    found.sort(key=lambda c: (rank.get(c.meaning.kind, 4), c.meaning.order))
    kept: list[_Column] = []
    for column in found:
        rows = usable & ~column.missing
        if len(np.unique(column.values[rows])) < 2:
            judged[column.name] = Judged(column.name, "left out", "never varies")
        elif twin := _follows(column, kept, rows):
            judged[column.name] = Judged(column.name, "left out", twin)
        elif len(kept) == _MOST_INPUTS:
            judged[column.name] = Judged(column.name, "left out", f"{_MOST_INPUTS} inputs are enough for a first run")
        else:
            kept.append(column)
    shares = _shares(kept, usable)
    for column in kept:
        told = column.meaning.what if column.meaning.kind != UNKNOWN else ""
        why = "one of the shares that sum to 1" if column.name in shares else f"the name says {told}" if told else (
            "a number that varies")  # fmt: skip
        unit = "share" if column.name in shares else column.meaning.unit
        judged[column.name] = Judged(column.name, "input", why, unit=unit, share=column.name in shares)
    if not kept:
        raise TableError(
            f"{table.path}: no column can be an input; expected at least one number that varies, such as a model size"
        )
    order = list(columns)
    return tuple(sorted((column.name for column in kept), key=order.index))


def _no_input(column: _Column, usable: np.ndarray, targets: list[_Column]) -> str:
    """Why a column cannot be an input, in words: "" where it can, or is text that may be a group."""
    kind, cells = column.meaning.kind, [cell for cell, use in zip(column.cells, usable, strict=True) if use]
    filled = [cell for cell in cells if cell.lower() not in MISSING]
    if not filled:
        return "empty"
    if kind == MEASURE:
        why = f"measured like the target: the name says {column.meaning.what}"
        if column.is_number and (column.meaning, 1) == (targets[0].meaning, len(targets)):
            why += f"; both are predicted with --target {targets[0].name},{column.name}"
        return why
    if kind in (RECORD, CONSEQUENCE):
        return f"the name says {column.meaning.what}"
    if len(set(filled)) == 1:
        return f"never varies: always {shown(filled[0], 24)}"
    if not column.is_number:
        return ""
    if (~column.missing[usable]).mean() < 0.5:
        return f"empty in {int(column.missing[usable].sum())} of {int(usable.sum())} rows"
    values = column.values[usable & ~column.missing]
    whole = bool((values == np.round(values)).all())
    if kind == UNKNOWN and whole and len(values) > 4 and set(np.diff(values).tolist()) == {1.0}:
        return "counts the rows"
    return ""


def _follows(column: _Column, kept: list[_Column], rows: np.ndarray) -> str:
    """Whether the others tell the column exactly, as 6*N*D tells the compute: in words, "" where they do not."""
    for other in kept:
        both = rows & ~other.missing
        pairs = np.unique(np.stack([column.values[both], other.values[both]]), axis=1)
        one_to_one = pairs.shape[1] == len(np.unique(pairs[0])) == len(np.unique(pairs[1]))
        if one_to_one and pairs.shape[1] > 2:
            return f"moves with {other.name}: never varied apart from it"
    logs = [c for c in (column, *kept) if (c.values[rows & ~c.missing] > 0).all()]
    if column.meaning.kind != SCALE or column not in logs or len(logs) < 3:
        return ""
    rows = rows & np.all([~c.missing for c in logs], axis=0)
    settings = np.unique(np.log(np.stack([c.values[rows] for c in logs], axis=1)), axis=0)
    if len(settings) < len(logs) + 4:
        return ""
    x = np.column_stack([np.ones(len(settings)), settings[:, 1:]])
    weights, *_ = np.linalg.lstsq(x, settings[:, 0], rcond=None)
    if np.abs(x @ weights - settings[:, 0]).max() < 1e-3:
        told = [c.name for c, weight in zip(logs[1:], weights[1:], strict=True) if abs(weight) > 1e-3]
        return f"follows from {' and '.join(told)}"
    return ""


def _shares(kept: list[_Column], usable: np.ndarray) -> set[str]:
    """Columns between 0 and 1 that sum to 1 in every row."""
    full = [c for c in kept if not c.missing[usable].any()]
    able = [c for c in full if c.values[usable].min() >= 0 and c.values[usable].max() <= 1]
    if len(able) < 2:
        return set()
    total = np.sum([c.values[usable] for c in able], axis=0)
    return {c.name for c in able} if np.abs(total - 1).max() < 2e-3 else set()


def _drops(
    table: Foreign, columns: dict[str, _Column], used: Sequence[str], judged: dict[str, Judged]
) -> tuple[tuple[Dropped, ...], np.ndarray]:
    """Rules for the rows in which a used column holds no number, or zero where only ratios make sense."""
    found: list[Dropped] = []
    kept = np.ones(len(table.line), dtype=bool)
    for name in used:
        column = columns[name]
        for word in dict.fromkeys(np.array(column.cells, dtype=object)[column.missing].tolist()):
            rows = np.array([cell == word for cell in column.cells])
            reason = "not measured" if word.lower() in MISSING else f"{name} is no number"
            found.append(Dropped(((name, "equals", word),), reason, tuple(table.line[rows].tolist())))
            kept &= ~rows
        low = (column.values <= 0) & ~column.missing
        is_scale = judged[name].role == "input" and column.meaning.kind == SCALE
        if is_scale and low.any() and low.mean() <= 0.1 and (column.values[~low & ~column.missing] > 0).any():
            reason = f"{column.meaning.what} of nothing: no power law reaches zero"
            found.append(Dropped(((name, "at_most", 0.0),), reason, tuple(table.line[low].tolist())))
            kept &= ~low
    if kept.sum() < _LEAST_ROWS:
        raise TableError(
            f"{table.path}: got {int(kept.sum())} rows with a number in each of {', '.join(used)}, "
            f"expected at least {_LEAST_ROWS}"
        )
    return tuple(found), kept


def _groups(
    table: Foreign,
    columns: dict[str, _Column],
    named: tuple[str, ...] | None,
    kept: np.ndarray,
    judged: dict[str, Judged],
) -> tuple[tuple[str, ...], np.ndarray, tuple[Dropped, ...]]:
    """The group columns, the rows that stay, and rules for the rows of groups too small for parameters of their own."""
    picked: list[str] = []
    drops: list[Dropped] = []
    for column in columns.values():
        if column.name in judged and named is None:
            continue
        if named is not None and column.name not in named:
            judged.setdefault(column.name, Judged(column.name, "left out", "text, and not among --groups"))
            continue
        empty = kept & np.array([cell.lower() in MISSING for cell in column.cells])
        small, why = _small_groups(columns, [*picked, column.name], column, kept & ~empty)
        too_many = empty.sum() > 0.1 * kept.sum()
        if named is None and (why or too_many):
            judged[column.name] = Judged(column.name, "left out", why or f"text, empty in {int(empty.sum())} rows")
            continue
        nameless = dict.fromkeys(np.array(column.cells, dtype=object)[empty].tolist())
        for label, reason in (
            *(({column.name: word}, "no group") for word in nameless),
            *((dict(zip((*picked, column.name), words, strict=True)),
               f"{shown(', '.join(words), 40)} has fewer than {_LEAST_OF_GROUP} rows") for words in small),
        ):  # fmt: skip
            alike = [[cell == word for cell in columns[name].cells] for name, word in label.items()]
            rows = kept & np.all(alike, axis=0)
            conditions = tuple((name, "equals", word) for name, word in label.items())
            drops.append(Dropped(conditions, reason, tuple(table.line[rows].tolist())))
            kept = kept & ~rows
        if not kept.any():
            raise TableError(
                f"{table.path}: no value of {column.name} has {_LEAST_OF_GROUP} rows, expected groups that a law can "
                "be fitted to; name other --groups, or none: --groups ''"
            )
        names = list(dict.fromkeys(np.array(column.cells, dtype=object)[kept].tolist()))
        fewest = min(Counter(_labels(columns, (*picked, column.name), kept)).values())
        why = "you named it" if named is not None else f"{len(names)} values, at least {fewest} rows for each"
        judged[column.name] = Judged(column.name, "group", why, span=", ".join(shown(n, 20)[1:-1] for n in names[:4]))
        picked.append(column.name)
    return tuple(picked), kept, tuple(drops)


def _small_groups(
    columns: dict[str, _Column], picked: list[str], column: _Column, rows: np.ndarray
) -> tuple[list[tuple[str, ...]], str]:
    """Groups by `picked` (the last of them `column`) with too few rows, and why it had better not be a group column."""
    own = Counter(_labels(columns, [column.name], rows))
    if len(own) < 2:
        return [], f"never varies: always {shown(next((name for (name,) in own), ''), 24)}"
    counts = Counter(_labels(columns, picked, rows))
    small = [label for label, count in counts.items() if count < _LEAST_OF_GROUP]
    if len(own) == int(rows.sum()):
        return small, "text, another in every row"
    lost = sum(counts[label] for label in small)
    if len(small) == len(counts) or lost > 0.2 * rows.sum():
        beside = f" beside {' and '.join(picked[:-1])}" if len(picked) > 1 else ""
        return small, f"text of {len(own)} values, most{beside} with fewer than {_LEAST_OF_GROUP} rows"
    if len(counts) > _MOST_GROUPS:
        return small, f"text of {len(own)} values: {len(counts)} groups would be too many"
    return small, ""


def _labels(columns: dict[str, _Column], groups: Sequence[str], rows: np.ndarray) -> list[tuple[str, ...]]:
    """The group of each of `rows` (mask)."""
    places = np.flatnonzero(rows)
    return [tuple(columns[name].cells[row] for name in groups) for row in places.tolist()]


def _scaled(
    columns: dict[str, _Column],
    inputs: Sequence[str],
    targets: Sequence[str],
    kept: np.ndarray,
    judged: dict[str, Judged],
) -> dict[str, Judged]:
    """Inputs and targets with the scale that their values call for, their unit and range."""
    found = {}
    for name in (*targets, *inputs):
        values, meaning = columns[name].values[kept], columns[name].meaning
        positive = bool(values.min() > 0) and not judged[name].share
        wide = name in targets or meaning.kind == SCALE or meaning.what == "a learning rate" or _reach(values) >= 3
        number = len(np.unique(values))
        span = f"{number} values from {values.min():.3g} to {values.max():.3g}"
        unit = judged[name].unit or meaning.unit
        if meaning.rises and values.max() > 1.5:
            unit = "%" if values.max() <= 100 and unit == "1" else unit
        scale = "log" if positive and wide else "linear"
        from_zero = name in inputs and scale == "linear" and float(values.min()) == 0.0
        found[name] = replace(judged[name], scale=scale, span=span, unit=unit, from_zero=from_zero)
    return found


def _scale_axes(
    columns: dict[str, _Column], inputs: tuple[str, ...], kept: np.ndarray, judged: dict[str, Judged]
) -> tuple[str, ...]:
    """Inputs to extrapolate along, by their names; where no name says so, those that span a factor of eight."""
    able = [name for name in inputs if len(np.unique(columns[name].values[kept])) >= 3]
    by_name = [name for name in able if columns[name].meaning.kind == SCALE]
    known = (SCALE, SETTING)
    unnamed = [name for name in able if columns[name].meaning.kind not in known and judged[name].scale == "log"]
    wide = [name for name in unnamed if _reach(columns[name].values[kept]) >= _WIDE]
    return tuple(sorted(by_name or wide, key=lambda n: (columns[n].meaning.order, -_reach(columns[n].values[kept]))))


def _reach(values: np.ndarray) -> float:
    with np.errstate(over="ignore"):
        return float(values.max() / values.min()) if values.min() > 0 else 0.0


def _split(
    table: Foreign,
    columns: dict[str, _Column],
    inputs: tuple[str, ...],
    axes: tuple[str, ...],
    groups: tuple[str, ...],
    kept: np.ndarray,
    own: tuple[str, str] | None,
    held_from: tuple[str, float] | None,
    judged: dict[str, Judged],
) -> tuple[tuple[str, str, str | float], str, np.ndarray]:
    """The rule that holds rows out, why in words, and which rows (mask)."""
    if held_from is not None:
        name, least = _known(table, held_from[0], "held out"), held_from[1]
        held = kept & (np.nan_to_num(columns[name].values, nan=-np.inf) >= least)
        if why := _unusable(columns, groups, kept, held):
            raise TableError(f"{table.path}: held out where {name} is at least {least:g}: {why}; choose another value")
        return (name, "at_least", least), f"{name} of at least {least:g}, as you said", held
    if own is not None:
        held = kept & np.array([cell == own[1] for cell in columns[own[0]].cells])
        if not _unusable(columns, groups, kept, held):
            return (own[0], "equals", own[1]), f"the rows that the table marks as {own[1]}", held
    ordered = [*axes, *sorted((n for n in inputs if n not in axes), key=lambda n: -len(columns[n].distinct))]
    fallback = None
    for name in ordered:
        values = np.nan_to_num(columns[name].values, nan=-np.inf)
        for least in _thresholds(values[kept]):
            held = kept & (values >= least)
            part = held.sum() / kept.sum()
            if part > _MOST_HELD or _unusable(columns, groups, kept, held):
                break
            what = f"the largest {name}" + ("" if name in axes else "; no column is a scale to extrapolate along")
            fallback = fallback or ((name, "at_least", least), what, held)
            if part >= _HELD[name not in axes] and held.sum() >= 3:
                return (name, "at_least", least), what, held
    if fallback is None:
        raise TableError(
            f"{table.path}: of no input can the largest values be held out so that {_KEPT_OF_GROUP} rows of each "
            "group are left for training; add rows or name fewer --groups"
        )
    return fallback


def _places(columns: dict[str, _Column], reads: tuple[str, ...], groups: tuple[str, ...]) -> Places:
    """Where all rows of the table lie, each group a cell."""
    inputs = np.column_stack([columns[name].values for name in reads])
    labels = _labels(columns, groups, np.ones(len(inputs), dtype=bool))
    numbers = {label: number for number, label in enumerate(dict.fromkeys(labels))}
    return Places(inputs, np.array([numbers[label] for label in labels]))


def _thresholds(values: np.ndarray) -> list[float]:
    """Values from which rows may be held out, the largest first: every level, or quantiles of a continuum."""
    found = np.unique(values)[1:]
    if len(found) > 40:
        found = np.unique(np.quantile(values, np.linspace(1.0 - _MOST_HELD, 0.98, 20), method="higher"))
    return [float(value) for value in found[::-1]]


def _unusable(columns: dict[str, _Column], groups: tuple[str, ...], kept: np.ndarray, held: np.ndarray) -> str:
    """Why a split is none: "" where it can be used."""
    if not held.any():
        return "no row is that large"
    training = Counter(_labels(columns, groups, kept & ~held))
    for label in dict.fromkeys(_labels(columns, groups, kept)):
        if training[label] < _KEPT_OF_GROUP:
            of_group = f" of {', '.join(label)}" if any(label) else ""
            return f"{training[label]} training rows{of_group} would be left, expected at least {_KEPT_OF_GROUP}"
    return ""
