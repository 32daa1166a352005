"""The training rows as PySR sees them, and its formulas back in the task's own inputs.

In: training rows. Out: plain numbers of order one (inputs divided by their geometric mean, or the logarithm of that;
targets divided by their spread, or their logarithm), and the way back for formulas, both ways. With
several cells (groups, targets) one formula serves all: it may use `SLOTS` parameters that each cell has its own of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.fitting import usable_rows
from discover.law.expression import Call, Expression, Number, Symbol, rewrite, symbols

if TYPE_CHECKING:
    from discover.law import Law
    from discover.task import Rows, Task

SLOTS = 4  # parameters per cell; the other numbers of a formula are shared by all cells
MOST_ROWS = 3_000  # what a search is given at most; taken evenly over the rows
CELL = "cell"  # PySR's column that tells the cells apart, counted from 1 as Julia does


@dataclass(frozen=True)
class View:
    """Which coordinates a search works in: `inputs` "scaled" or "log", `target` "scaled" or "log"."""

    inputs: str
    target: str


VIEWS = (View("scaled", "scaled"), View("log", "log"), View("scaled", "log"), View("log", "scaled"))


class Coordinates:
    """One view of one task's training rows.

    Attributes:
        view: What was done to the numbers; a column that is not positive stays linear in any view.
        columns: PySR's names of the inputs, x1, x2, ...
        slots: Names of the parameters that each cell has its own of; empty where there is one cell.
    """

    def __init__(self, task: Task, view: View) -> None:
        rows = usable_rows(task)
        self.view = view
        self.names = rows.input_names
        self.columns = tuple(f"x{i + 1}" for i in range(len(self.names)))
        self.n_cells = len(rows.cells)
        self.slots = tuple(f"p{i + 1}" for i in range(min(SLOTS, task.parameter_cap))) if self.n_cells > 1 else ()
        self.places = (*self.columns, *self.slots)
        self._log = np.array([view.inputs == "log" and _is_positive(rows.inputs[:, i]) for i in range(len(self.names))])
        self._scale = np.array([_scale(rows.inputs[:, i]) for i in range(len(self.names))])
        self._unit = float(np.std(rows.target)) or 1.0
        self._log_target = view.target == "log" and _is_positive(rows.target)
        self._rows = rows

    @property
    def functions(self) -> tuple[str, ...]:
        """Functions of the grammar to search with: a power of an input in logarithms is an exponential."""
        if not self._log.any():
            return ("add", "sub", "mul", "div", "pow", "exp", "log")
        return ("add", "sub", "mul", "div", "exp", "log") if self._log_target else ("add", "sub", "mul", "div", "exp")

    @property
    def is_distinct(self) -> bool:
        """Whether the view changes anything that a plainer view does not: logarithms need positive numbers."""
        return bool(self._log.any() or self.view.inputs != "log") and (self._log_target or self.view.target != "log")

    def table(self) -> dict[str, Any]:
        """What the worker is sent: `X` (row, column), `y` (row,), `weights` (row,), `columns`; with several cells the
        last column of `X` is the cell."""
        rows = thinned(self._rows)
        scaled = rows.inputs / self._scale
        with np.errstate(all="ignore"):
            x = np.where(self._log, np.log(np.where(self._log, scaled, 1.0)), scaled)
        y = np.log(rows.target) if self._log_target else rows.target / self._unit
        weight = np.ones(rows.n_rows)
        for cell in range(self.n_cells):  # every cell counts by its own spread
            at = rows.cell == cell
            weight[at] = 1.0 / (float(np.var(y[at])) or 1.0) if at.any() else 1.0
        columns = list(self.columns)
        if self.slots:
            x = np.column_stack([x, rows.cell + 1.0])
            columns.append(CELL)
        weight /= weight.mean()
        return {"X": x.tolist(), "y": y.tolist(), "weights": weight.tolist(), "columns": columns}

    def template(self) -> dict[str, Any] | None:
        """Arguments of PySR's TemplateExpressionSpec; None where a plain formula will do."""
        if not self.slots:
            return None
        own = [f"{slot}[{CELL}]" for slot in self.slots]
        return {
            "combine": f"f({', '.join([*self.columns, *own])})",
            "expressions": ["f"],
            "variable_names": [*self.columns, CELL],
            "parameters": dict.fromkeys(self.slots, self.n_cells),
        }

    def in_task_units(self, expression: Expression) -> Expression:
        """PySR's formula over the task's inputs, for its target; slots stay as they are named."""

        def back(node: Expression) -> Expression | None:
            if not isinstance(node, Symbol) or node.name not in self.columns:
                return None
            index = self.columns.index(node.name)
            ratio = Call("div", (Symbol(self.names[index]), Number(float(self._scale[index]))))
            return Call("log", (ratio,)) if self._log[index] else ratio

        found = rewrite(expression, back)
        return Call("exp", (found,)) if self._log_target else Call("mul", (Number(self._unit), found))

    def guess(self, law: Law, parameters: np.ndarray) -> tuple[Expression, dict[str, list[float]]] | None:
        """A fitted law as PySR would write it.

        Args:
            parameters: (cell, parameter), in the task's units.

        Returns:
            The formula over columns and slots, and the values (cell,) of every slot; None where it cannot be written:
            a parameter is not finite, or more differ between cells than there are slots.
        """
        parameters = np.asarray(parameters, dtype=float)
        if parameters.shape != (self.n_cells, len(law.parameters)) or not np.isfinite(parameters).all():
            return None
        spread = np.ptp(parameters, axis=0) / (np.abs(parameters).max(axis=0) + 1e-300)
        own = np.argsort(-spread)[: len(self.slots)]
        slots = {law.parameters[j]: slot for j, slot in zip(own, self.slots, strict=False) if spread[j] > 1e-6}
        values = {slot: [0.0] * self.n_cells for slot in self.slots}
        values |= {slot: parameters[:, law.parameters.index(name)].tolist() for name, slot in slots.items()}
        shared = {name: float(np.median(parameters[:, j])) for j, name in enumerate(law.parameters)}

        def there(node: Expression) -> Expression | None:
            if not isinstance(node, Symbol):
                return None
            if node.name in slots:
                return Symbol(slots[node.name])
            if node.name in shared:
                return Number(shared[node.name])
            index = self.names.index(node.name)
            scale, column = Number(float(self._scale[index])), Symbol(self.columns[index])
            return Call("mul", (scale, Call("exp", (column,)) if self._log[index] else column))

        found = rewrite(_logs_split(law.expression, self._log_names()), lambda n: _log_input(n, self) or there(n))
        if self._log_target:
            found = found.arguments[0] if _is_call(found, "exp") else Call("log", (found,))  # type: ignore[union-attr]
        else:
            found = Call("mul", (Number(1.0 / self._unit), found))
        return (found, values) if set(symbols(found)) & set(self.columns) else None

    def _log_names(self) -> set[str]:
        return {name for name, is_log in zip(self.names, self._log, strict=True) if is_log}


def thinned(rows: Rows) -> Rows:
    """At most MOST_ROWS rows, taken evenly."""
    if rows.n_rows <= MOST_ROWS:
        return rows
    return rows.select(np.linspace(0, rows.n_rows - 1, MOST_ROWS).astype(int))


def _is_positive(values: np.ndarray) -> bool:
    return bool((values > 0).all())


def _scale(values: np.ndarray) -> float:
    """The geometric mean of a positive column; of another the largest magnitude."""
    if _is_positive(values):
        return float(np.exp(np.mean(np.log(values))))
    return float(np.abs(values).max()) or 1.0


def _is_call(node: Expression, *functions: str) -> bool:
    return isinstance(node, Call) and node.function in functions


def _log_input(node: Expression, coordinates: Coordinates) -> Expression | None:
    """log(N), and a power of N, in coordinates where N is exp(x): x + c and exp(a*(x + c)), not log(exp(x))."""
    if not isinstance(node, Call) or not isinstance(node.arguments[0], Symbol):
        return None
    name = node.arguments[0].name
    if node.function != "log" or name not in coordinates._log_names():
        return None
    index = coordinates.names.index(name)
    offset = Number(float(np.log(coordinates._scale[index])))
    return Call("add", (Symbol(coordinates.columns[index]), offset))


def _logs_split(node: Expression, names: set[str]) -> Expression:
    """The tree with powers of the named inputs written as exp(exponent * log(input))."""

    def change(found: Expression) -> Expression | None:
        if _is_call(found, "pow") and isinstance(found, Call):
            base, exponent = found.arguments
            if isinstance(base, Symbol) and base.name in names:
                return Call("exp", (Call("mul", (_logs_split(exponent, names), Call("log", (base,)))),))
        return None

    return rewrite(node, change)


__all__ = ["SLOTS", "VIEWS", "Coordinates", "View", "thinned"]
