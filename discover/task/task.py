"""What a task is made of, once its folder was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from discover.task.rows import Cell, Rows
from discover.task.sides import BELOW, BETWEEN


@dataclass(frozen=True)
class Column:
    """A quantity that laws read or predict.

    `minimum` to `maximum` is what its unit allows, not what was measured. `role` says what it stands for in published
    laws, a key of `discover.library.ROLES`; "" where task.toml does not say.
    """

    name: str
    unit: str
    scale: str  # "log": positive, compared by ratios; "linear"
    description: str
    minimum: float | None
    maximum: float | None
    role: str = ""


@dataclass(frozen=True)
class Limit:
    """How targets must behave as `input` grows, all else equal, according to `source`."""

    input: str
    behaviour: str  # "falls" | "rises"
    targets: tuple[str, ...]
    source: str


@dataclass(frozen=True)
class HumanLaw:
    """A law that people published for these measurements, as text in the task's own units.

    `bounds` maps a parameter to (lower, upper). `published` maps a cell's label to the printed coefficients
    and is empty where none are known for these rows.
    """

    name: str
    formula: str
    bounds: Mapping[str, tuple[float, float]]
    citation: str
    published: Mapping[str, Mapping[str, float]]
    note: str


@dataclass(frozen=True, eq=False)
class Task:
    """One question: which law predicts `targets` from `inputs` beyond the training rows?

    Of the held-out rows it carries their number (`held_out_count`, CSV lines) and nothing else; on which side of the
    training rows predictions are asked for (`held_out_sides`, `held_out_among`) is told by task.toml.
    """

    name: str
    title: str
    summary: str
    folder: Path
    inputs: tuple[Column, ...]
    targets: tuple[Column, ...]
    group_columns: tuple[str, ...]
    scale_axes: tuple[str, ...]  # inputs in the order of extrapolation
    parameter_cap: int  # per cell
    higher_is_better: bool
    limits: tuple[Limit, ...]
    human_laws: tuple[HumanLaw, ...]
    training: Rows
    training_count: int  # CSV lines; with several targets each gives several rows
    held_out_count: int
    keep_outliers: bool = False  # whether rows far off every smooth surface count like any others
    held_out_together: tuple[str, ...] = ()  # columns of the split's conditions, where all of these must hold
    held_out_sides: Mapping[str, str] = field(default_factory=dict)  # input -> "above", "below", "between" the measured
    held_out_among: bool = False  # whether all is asked for among the training rows, on no side of them

    @property
    def input_names(self) -> tuple[str, ...]:
        return self.training.input_names

    @property
    def cells(self) -> tuple[Cell, ...]:
        return self.training.cells

    @property
    def asked_axes(self) -> tuple[str, ...]:
        """The scale axes; where the first is asked for as it was measured, or there is none, those come before it of
        which something else is asked for, or else other inputs of which something is asked for above or below what was
        measured."""
        names = {column.name for column in self.inputs}
        axes, sides = self.scale_axes, {name: side for name, side in self.held_out_sides.items() if name in names}
        if axes and axes[0] in sides:
            return axes
        first = [axis for axis in axes if axis in sides]
        first = first or [name for name, side in sides.items() if side != BETWEEN and name not in axes]
        return (*first, *(axis for axis in axes if axis not in first))

    def direction(self, name: str) -> float:
        """-1 for an input of which the task asks for what lies below the measured values, else 1."""
        return -1.0 if self.held_out_sides.get(name) == BELOW else 1.0

    def is_log(self, name: str) -> bool:
        """Whether values of an input are compared by ratios."""
        return next((column.scale for column in self.inputs if column.name == name), "log") == "log"

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups in order; empty when the task has none."""
        return tuple(dict.fromkeys(cell.group for cell in self.cells if cell.group))
