"""Rules over CSV lines, as task.toml states them: which are dropped, which are held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from discover.errors import shown
from discover.task.document import Section
from discover.task.table import Table

OPERATORS = ("equals", "not_equals", "at_least", "above", "at_most", "below")
CONDITION_KEYS = ("column", *OPERATORS, "tolerance")


@dataclass(frozen=True)
class Condition:
    """A column compared with a number or a text; `tolerance` is relative, for (not_)equals with a number."""

    column: str
    operator: str
    value: float | str
    tolerance: float = 0.0

    @property
    def is_text(self) -> bool:
        return isinstance(self.value, str)

    def holds(self, table: Table, wanted_by: str, among: np.ndarray) -> np.ndarray:
        """Whether it holds (row,) on each line of `table`; False on lines that are not `among` (row,) those asked for,
        whose cells need be no numbers."""
        if isinstance(self.value, str):
            equal = np.array([cell == self.value for cell in table.text(self.column, wanted_by)])
            return among & (equal if self.operator == "equals" else ~equal)
        held, places = np.zeros(len(among), dtype=bool), np.flatnonzero(among)
        held[places] = self._compared(table.numbers(self.column, wanted_by, places), self.value)
        return held

    def _compared(self, cells: np.ndarray, value: float) -> np.ndarray:
        match self.operator:
            case "equals":
                return np.abs(cells - value) <= self.tolerance * abs(value)
            case "not_equals":
                return np.abs(cells - value) > self.tolerance * abs(value)
            case _:
                low, high = self.interval
                return (cells >= low) & (cells <= high)

    @property
    def interval(self) -> tuple[float, float]:
        """From where to where it holds, ends included; everywhere for a text and for what is not one interval."""
        if isinstance(self.value, str):
            return -np.inf, np.inf
        match self.operator:
            case "equals":
                return self.value - self.tolerance * abs(self.value), self.value + self.tolerance * abs(self.value)
            case "at_least":
                return self.value, np.inf
            case "above":
                return float(np.nextafter(self.value, np.inf)), np.inf
            case "at_most":
                return -np.inf, self.value
            case "below":
                return -np.inf, float(np.nextafter(self.value, -np.inf))
            case _:
                return -np.inf, np.inf

    def __str__(self) -> str:
        within = f" within {self.tolerance:g}" if self.tolerance else ""
        return f"{self.column} {self.operator.replace('_', ' ')} {self.value}{within}"


@dataclass(frozen=True)
class Rule:
    """Conditions of which one ("any_of") or each ("all_of") must hold."""

    combination: str
    conditions: tuple[Condition, ...]

    def holds(self, table: Table, wanted_by: str, among: np.ndarray) -> np.ndarray:
        """Whether it holds (row,) on each line of `table`; False on lines that are not `among` (row,)."""
        each = [condition.holds(table, wanted_by, among) for condition in self.conditions]
        each = each or [np.zeros(len(table.line), dtype=bool)]
        return np.any(each, axis=0) if self.combination == "any_of" else np.all(each, axis=0)

    @property
    def together(self) -> tuple[str, ...]:
        """Columns that conditions of an "all_of" name, where there are several of these; else none."""
        names = tuple(dict.fromkeys(condition.column for condition in self.conditions))
        return names if self.combination == "all_of" and len(names) > 1 else ()

    def intervals(self, column: str) -> list[tuple[float, float]]:
        """From where to where the values of a column lie that it holds for, as far as its conditions name the column:
        one for each of "any_of", one in all for "all_of"; none where they do not."""
        named = [condition.interval for condition in self.conditions if condition.column == column]
        if self.combination == "any_of" or not named:
            return named
        return [(max(low for low, _ in named), min(high for _, high in named))]

    @property
    def is_text(self) -> bool:
        return all(condition.is_text for condition in self.conditions)

    def __str__(self) -> str:
        return (" or " if self.combination == "any_of" else " and ").join(map(str, self.conditions))


def read_condition(section: Section) -> Condition:
    """A condition such as { column = "loss", above = 4 }."""
    operators = [key for key in OPERATORS if key in section.table]
    if len(operators) != 1:
        came = " and ".join(operators) or "none"
        raise section.error(f"got {came}, expected exactly one of {', '.join(OPERATORS)}")
    operator = operators[0]
    textual = isinstance(section.table[operator], str)
    if textual and operator not in ("equals", "not_equals"):
        came = shown(section.table[operator])
        raise section.error(f"{operator} is {came}, expected a number; texts are compared by equals", operator)
    value = section.value(operator, str if textual else float)
    tolerance = section.value("tolerance", float, 0.0)
    if tolerance and (textual or operator not in ("equals", "not_equals")):
        raise section.error("tolerance belongs to equals or not_equals with a number", "tolerance")
    if not 0 <= tolerance < 1:
        raise section.error(f"tolerance is {tolerance:g}, expected a fraction from 0 to 1", "tolerance")
    return Condition(section.text("column"), operator, value, tolerance)


def read_drop(section: Section) -> Rule:
    """The rule of a [[drop]]: one condition, or `all_of` with several."""
    section.text("reason", default="")  # for readers of the file
    if "all_of" not in section.table:
        return Rule("any_of", (read_condition(section),))
    if alone := [key for key in CONDITION_KEYS if key in section.table]:
        raise section.error(f"got {alone[0]} beside all_of, expected one or the other", alone[0])
    return read_rule(section)


def read_rule(section: Section) -> Rule:
    """The rule of [split]: `any_of` or `all_of` with at least one condition."""
    combinations = [key for key in ("any_of", "all_of") if key in section.table]
    if len(combinations) != 1:
        came = " and ".join(combinations) or "none"
        raise section.error(f"got {came}, expected either any_of = [...] or all_of = [...]")
    combination = combinations[0]
    conditions = tuple(read_condition(each) for each in section.sections(combination, CONDITION_KEYS))
    if not conditions:
        raise section.error(f"{combination} is empty, expected at least one condition", combination)
    return Rule(combination, conditions)
