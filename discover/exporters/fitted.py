"""`FittedLaw`: a law with its parameters for each cell, and what an export says about where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from discover.errors import UnknownInputError, did_you_mean
from discover.law import Law
from discover.task import Cell


@dataclass(frozen=True)
class FittedLaw:
    """What is exported.

    Attributes:
        law: The formula.
        cells: (group, target) of each row of `parameters`.
        parameters: (cell, parameter), in the task's own units.
        units: Unit of each input and target, by name.
        provenance: law id, task, run, seed, scores ...: anything a record can hold.
        reads: For each target, the column of the table that each input of the task reads, in the task's order;
            empty where every input is the column of its own name.
        scale_axes: Inputs along which the task extrapolates, and whether they are compared by ratios.
    """

    law: Law
    cells: tuple[Cell, ...]
    parameters: np.ndarray
    units: Mapping[str, str] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    reads: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    scale_axes: Mapping[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        due = (len(self.cells), len(self.law.parameters))
        if np.shape(self.parameters) != due:
            came = np.shape(self.parameters)
            raise ValueError(f"parameters: shape {came}, expected {due}, a row per cell")

    @property
    def by_group(self) -> bool:
        """Whether a prediction needs to be told a group."""
        return len({cell.group for cell in self.cells}) > 1 or self.cells[0].group != ""

    @property
    def by_target(self) -> bool:
        """Whether a prediction needs to be told a target."""
        return len({cell.target for cell in self.cells}) > 1

    def key(self, cell: Cell) -> str | tuple[str, str]:
        """What tells `cell` from the others: its group, its target, or both."""
        if self.by_group and self.by_target:
            return cell.group, cell.target
        return cell.target if self.by_target else cell.group

    @property
    def target(self) -> str:
        """The target's name; `target` where one form serves several."""
        return "target" if self.by_target else self.cells[0].target

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets in order."""
        return tuple(dict.fromkeys(cell.target for cell in self.cells))

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups in order; one empty name where the task has none."""
        return tuple(dict.fromkeys(cell.group for cell in self.cells))

    def column(self, target: str, name: str) -> str:
        """The column of the table that the input `name` reads for `target`."""
        return self.reads.get(target, {}).get(name, name)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that the task's inputs read, in order; those of the law where no more is known."""
        read = [column for target in self.targets for column in self.reads.get(target, {}).values()]
        return tuple(dict.fromkeys(read)) or self.law.inputs

    def values(self, cell: int) -> dict[str, float]:
        """Parameters of one cell by name."""
        return dict(zip(self.law.parameters, map(float, self.parameters[cell]), strict=True))

    def predict(self, inputs: Any, group: Any = None, target: str | None = None) -> Any:
        """Values of the law.

        Args:
            inputs: A pandas DataFrame or a mapping with a number or an array (row,) for each of the law's inputs.
            group: The group of all rows, or of each (row,); left out where there is one.
            target: The target; left out where there is one.

        Returns:
            (row,) in the target's unit, as a pandas Series where a DataFrame came in.

        Raises:
            UnknownInputError: An input, a group or a target that is missing or not known.
        """
        missing = [name for name in self.law.inputs if name not in inputs]
        if missing:
            known = ", ".join(map(str, inputs)) or "no inputs"
            raise UnknownInputError(f"law reads {missing[0]!r}; given are {known}")
        columns = {name: np.asarray(inputs[name], dtype=float) for name in self.law.inputs}
        shapes = [np.shape(np.asarray(inputs[name])) for name in inputs]
        shape = np.broadcast_shapes(*shapes, np.shape(group) if group is not None else ())
        cell = np.broadcast_to(self._cell_of(group, target), shape)
        values = {name: np.broadcast_to(column, shape) for name, column in columns.items()}
        found = np.full(shape, np.nan)
        for number in np.unique(cell).tolist():
            mine = cell == number
            own = {name: column[mine] for name, column in values.items()}
            found[mine] = self.law.predict(own, self.parameters[number])
        if hasattr(inputs, "index") and hasattr(inputs, "columns"):
            import pandas as pd

            return pd.Series(found, index=inputs.index, name=target or self.target)
        return found

    def _cell_of(self, group: Any, target: str | None) -> np.ndarray:
        """Index into `cells` of one group and target, or of each group (row,)."""
        if group is None and len(self.groups) > 1:
            raise UnknownInputError(f"group: none given, expected one of {', '.join(map(repr, self.groups[:12]))}")
        if target is None and self.by_target:
            raise UnknownInputError(f"target: none given, expected one of {', '.join(map(repr, self.targets))}")
        chosen = self.cells[0].target if target is None else target
        place = {cell.group: number for number, cell in enumerate(self.cells) if cell.target == chosen}
        if not place:
            raise UnknownInputError(f"target: got {target!r}{did_you_mean(str(target), self.targets)}")
        names = np.asarray(self.groups[0] if group is None else group, dtype=object)
        for name in names.ravel().tolist():
            if str(name) not in place:
                raise UnknownInputError(f"group: got {str(name)!r}{did_you_mean(str(name), place)}")
        return np.array([place[str(name)] for name in names.ravel().tolist()], dtype=int).reshape(names.shape)

    def __str__(self) -> str:
        return f"{self.target} = {self.law}"

    def _repr_html_(self) -> str:
        from discover.exporters.html import to_html

        return to_html(self)

    def heading(self) -> list[str]:
        """Lines that say what this is and where it comes from."""
        told = self.provenance
        lines = [f"{told.get('law', 'law')}: {self.target} = {self.law}"]
        known = (word for word in ("task", "run", "seed", "recipe") if told.get(word) not in (None, ""))
        origin = [f"{word} {told[word]}" for word in known]
        if origin:
            lines.append(f"Exported by discover from {', '.join(origin)}.")
        if window := str(told.get("window") or ""):
            lines.append(f"{window[:1].upper()}{window[1:]}.")
        if told.get("citation"):
            lines.append(f"Source: {told['citation']}.")
        with_units = [name + (f" ({self.units[name]})" if self.units.get(name) else "") for name in self.law.inputs]
        if with_units:
            lines.append(f"Inputs: {', '.join(with_units)}.")
        return [line.replace('"""', "'''").replace("\\", "/") for line in lines]


def free_names(names: tuple[str, ...], taken: set[str]) -> dict[str, str]:
    """Each name as it is, or with underscores appended where it is taken; no two become the same."""
    used = set(taken)
    given: dict[str, str] = {}
    for name in names:
        fresh = name
        while fresh in used or (fresh != name and fresh in names):
            fresh += "_"
        used.add(fresh)
        given[name] = fresh
    return given
