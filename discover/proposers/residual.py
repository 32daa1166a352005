"""Residual: a good law with the term that explains most of what it leaves over.

In: laws of the archive with their fitted parameters, the training rows. Out: such a law with one more term, all of its
parameters free: the joint refit is the assessment's, as for every law. A law that has no parameter to spare first loses
the part that its fit misses least.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discover.fitting import Cells
from discover.law.compiler import evaluate
from discover.law.expression import ONE, Call, Expression, add, mul, rename, symbols
from discover.proposers.evolutionary import Evolutionary, Recipes
from discover.proposers.pieces import Pieces
from discover.proposers.proposal import Proposal
from discover.proposers.screening import Path, Place, Screening
from discover.proposers.terms import Term, library

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

    from discover.archive import Archive, Candidate
    from discover.fitting import Recipe
    from discover.law.law import Law
    from discover.task import Task

_ROWS = 512  # looked at in all, evenly spaced within each cell
_OPTIONS = 12  # best terms kept of one law, asked for one after the other
_REMEMBERED = 64  # laws
_COMPLEXITY_PRICE = 0.3  # log-likelihood that one unit of complexity must be worth
_TAKES = 0.4  # the best option left is taken with this chance, else the next, and so on


@dataclass(frozen=True)
class Option:
    """A law's tree with one more term, and what that is expected to win in log-likelihood, its price paid."""

    expression: Expression
    bounds: dict[str, tuple[float, float]]
    value: float


class Residual(Evolutionary):
    """A term that explains what a good law leaves over."""

    name = "residual"

    def __init__(self, task: Task, recipes: Recipes) -> None:
        super().__init__(task, recipes)
        self._task = task
        rows = task.training
        most = max(_ROWS // max(len(rows.cells), 1), 4)
        self._mask = np.zeros(rows.n_rows, dtype=bool)
        for cell in range(len(rows.cells)):
            mine = np.flatnonzero(rows.cell == cell)
            self._mask[mine[np.linspace(0, len(mine) - 1, min(most, len(mine))).astype(int)]] = True
        self._terms: list[Term] = []
        self._columns = self._squares = np.zeros((0, 0, 0))
        self._threads: ThreadpoolController | None = None
        self._cells: dict[Recipe, Cells] = {}
        self._options: OrderedDict[int, list[Option]] = OrderedDict()

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        for _ in range(4):
            parent = archive.parent(rng)
            if parent is None:
                return None
            options = self._options_of(parent)
            if options:
                chosen = options.pop(min(int(rng.geometric(_TAKES)) - 1, len(options) - 1))
                law = self.law(chosen.expression, chosen.bounds)
                if law is None:
                    continue
                return Proposal(law, self.recipes.draw(rng, parent.recipe), self.name, (parent.number,))
        return None

    def _options_of(self, parent: Candidate) -> list[Option]:
        """What is left to ask for of a law, best first; found once."""
        if parent.number not in self._options:
            with self._one_thread():
                self._options[parent.number] = self._found(parent)
            if len(self._options) > _REMEMBERED:
                self._options.popitem(last=False)
        self._options.move_to_end(parent.number)
        return self._options[parent.number]

    def _one_thread(self) -> AbstractContextManager[object]:
        """Linear algebra on one thread: more of them, while workers use every core, cost 20 times the work."""
        from threadpoolctl import ThreadpoolController

        self._threads = self._threads or ThreadpoolController()
        return self._threads.limit(limits=1, user_api="blas")

    def _found(self, parent: Candidate) -> list[Option]:
        assert parent.validation is not None
        self._prepare()
        law = parent.law
        screening = Screening(law, parent.validation.parameters, parent.recipe, self._laid_out(parent.recipe))
        if not screening.usable:
            return []
        ranked: list[tuple[float, Place, int, Path | None]] = []

        def rank(places: list[Place], gains: np.ndarray, gone: Path | None, worth: float) -> None:
            value = gains - self._prices - worth
            best = np.argsort(value, axis=None)[::-1][: 4 * _OPTIONS]
            for place, term in zip(*np.unravel_index(best, value.shape), strict=True):
                ranked.append((float(value[place, term]), places[place], int(term), gone))

        room = self.cap - len(law.parameters)
        if room > 0:
            rank(*screening.gains(self._columns, self._squares), None, 0.0)
        if room < 2 and (removable := screening.removable()):
            worth, gone = min((self._worth(screening, path), path) for path in removable)
            left, columns, _ = screening.without(gone)
            rank(*screening.gains(self._columns, self._squares, left, columns, gone), gone, worth)
        ranked.sort(key=lambda entry: -entry[0])
        found: list[Option] = []
        seen: set[tuple[object, ...]] = set()
        for value, place, index, without in ranked:
            if value <= 0.0 or len(found) == _OPTIONS:
                break
            term = self._terms[index]
            kind = (place, term.expression, without)
            if kind in seen:
                continue
            seen.add(kind)
            option = self._option(law, place, term, without, value)
            if len(set(symbols(option.expression)) - set(self.input_names)) <= self.cap:
                found.append(option)
        return found

    def _worth(self, screening: Screening, path: Path) -> float:
        """Log-likelihood that a law loses without a part, less the price of the parameters that go with it."""
        _, columns, lost = screening.without(path)
        gone = screening.columns.shape[-1] - columns.shape[-1]
        return lost - 0.5 * gone * self._n_cells * self._log_rows

    def _option(self, law: Law, place: Place, term: Term, without: Path | None, value: float) -> Option:
        pieces = Pieces(self.inputs, np.random.default_rng(0), dict(law.bounds))
        names = {name: pieces.fresh(term.bounds.get(name)).name for name in term.trial}
        new = mul(pieces.fresh(), rename(term.expression, names))

        def visit(node: Expression, path: Path) -> Expression | None:
            if path == without:
                return None
            result = node
            if isinstance(node, Call):
                kept = [v for i, a in enumerate(node.arguments) if (v := visit(a, (*path, i))) is not None]
                if node.function == "add":
                    result = add(*kept)
                elif node.function == "mul":
                    result = mul(*kept)
                else:
                    result = Call(node.function, tuple(kept))
            if path == place.path:
                return mul(result, add(ONE, new)) if place.is_factor else add(result, new)
            return result

        changed = visit(law.expression, ())
        assert changed is not None
        return Option(changed, pieces.bounds, value)

    def _prepare(self) -> None:
        """The library's columns (cell, row, term), on first use."""
        if self._terms:
            return
        rows = self._task.training
        cells = self._laid_out(None)
        self._log_rows = math.log(max(rows.n_rows / len(rows.cells), 2.0))
        self._n_cells = len(rows.cells)
        columns = []
        for term in library(self.inputs, rows):
            with np.errstate(all="ignore"):
                column = np.broadcast_to(evaluate(term.expression, cells.inputs | term.trial), cells.target.shape)
            if np.isfinite(column).all():
                self._terms.append(term)
                columns.append(column / (np.abs(column).max() or 1.0))
        self._columns = np.stack(columns, axis=-1)
        self._squares = self._columns**2
        # Half a logarithm of the rows for every parameter in every cell (Schwarz 1978), and something for complexity.
        added = np.array([1 + len(term.trial) for term in self._terms])
        sizes = np.array([term.complexity for term in self._terms])
        self._prices = 0.5 * added * self._n_cells * self._log_rows + _COMPLEXITY_PRICE * sizes

    def _laid_out(self, recipe: Recipe | None) -> Cells:
        if recipe not in self._cells:
            rows, weights = self._task.training, None
            if recipe is not None and recipe.weighs:
                scales = {column.name: column.scale for column in self._task.inputs}
                logs = [scales.get(axis, "log") == "log" for axis in self._task.scale_axes]
                weights = recipe.row_weights(rows, self._task.scale_axes, logs)
            self._cells[recipe] = Cells.from_rows(rows, rows.input_names, weights, self._mask)  # type: ignore[index]
        return self._cells[recipe]  # type: ignore[index]


__all__ = ["Residual"]
