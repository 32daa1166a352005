"""The names that a model reads and writes: the task's own, or x1, x2, y in their place.

Masked, nothing tells which published study the rows come from: names, units, descriptions and groups are replaced on
the way out, and on the way in when a formula has been parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from discover.law.expression import rename, to_text
from discover.law.law import Law
from discover.law.parser import law_of, parse

if TYPE_CHECKING:
    from discover.task import Column, Task


class Names:
    """Both ways between the task's names and those of the conversation.

    Attributes:
        inputs: Task's name -> name shown, in the order of the rows.
        target: What is predicted, as shown.
    """

    def __init__(self, task: Task, masked: bool) -> None:
        own = task.training.input_names
        self.masked = masked
        self.inputs = {name: f"x{place}" if masked else name for place, name in enumerate(own, 1)}
        self.target = "y" if masked else " / ".join(column.name for column in task.targets)
        self._own = {shown: name for name, shown in self.inputs.items()}
        self._columns = {column.name: column for column in task.inputs}
        self._targets = task.targets
        self._labels = {cell.label: f"cell {n}" for n, cell in enumerate(task.cells, 1)} if masked else {}

    def describe(self, name: str) -> str:
        """What an input is, in words: its unit and description; nothing of it where names are masked."""
        return "" if self.masked or name not in self._columns else _words(self._columns[name])

    def describe_target(self) -> str:
        return "" if self.masked else "; ".join(_words(column) for column in self._targets)

    def told(self, text: str) -> str:
        """Words of ours about a law, with the names shown in the place of the task's."""
        return re.sub(r"[A-Za-z]\w*", lambda found: self.inputs.get(found[0], found[0]), text)

    def label(self, cell: str) -> str:
        """A cell as shown."""
        return self._labels.get(cell, cell)

    def show(self, law: Law) -> tuple[str, dict[str, str]]:
        """A law as text in the names shown, and its parameters' names there."""
        parameters = {p: _free(p, set(self.inputs.values())) for p in law.parameters}
        return to_text(rename(law.expression, {**self.inputs, **parameters})), parameters

    def read(self, text: str, bounds: Mapping[str, tuple[float, float]]) -> tuple[Law, dict[str, str]]:
        """The law that a text in the names shown spells, in the task's names; and what became of its parameters' names.

        Raises:
            LawSyntaxError: As `parse`, in the names shown.
        """
        known = list(self.inputs.values())
        law = parse(text, known, bounds={name: b for name, b in bounds.items() if name not in known})
        own: Sequence[str] = list(self.inputs)
        parameters = {p: _free(p, set(own)) for p in law.parameters}
        expression = rename(law.expression, {**self._own, **parameters})
        return law_of(expression, own, bounds={parameters[p]: b for p, b in law.bounds.items()}), parameters


def _words(column: Column) -> str:
    """Unit and description; a description with a number in it stays out, for it may say where the held-out rows are."""
    unit = f"in {column.unit}" if column.unit else "no unit"
    return unit if not column.description or re.search(r"\d", column.description) else f"{unit}; {column.description}"


def _free(name: str, taken: set[str]) -> str:
    """`name`, or the like of it that is not taken."""
    while name in taken:
        name += "_"
    return name
