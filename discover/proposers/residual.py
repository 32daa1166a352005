"""Residual: a good law with the term that explains most of what it leaves over.

In: laws of the archive with their fitted parameters, the training rows. Out: such a law with one more term, all of its
parameters free: the joint refit is the assessment's, as for every law. What counts is what is left over at the top of
the scale axes after a fit of the rows below: of the terms that explain all rows most do harm there. A law that has no
parameter to spare first loses the part that is missed least.
"""

from __future__ import annotations

from collections import OrderedDict
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from discover.fitting import Cells, usable_rows
from discover.law.compiler import evaluate
from discover.law.complexity import complexity
from discover.law.expression import ONE, Call, Expression, add, mul, rename
from discover.proposers.evolutionary import Evolutionary, Recipes, values_of
from discover.proposers.pieces import Pieces
from discover.proposers.proposal import Proposal
from discover.proposers.screening import Cut, Path, Place, Screening, State
from discover.proposers.terms import Term, library

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

    from discover.archive import Archive, Candidate
    from discover.fitting import Recipe
    from discover.task import Task

_ROWS = 384  # looked at in all, evenly spaced within each cell
_TOP = 0.2  # of a cell's rows, the largest on a scale axis: what a law fitted on the others must predict
_AXES = 2  # scale axes that are cut
_INSIDE = 0.15  # what the fit of all rows counts beside the mean of the cuts
_OPTIONS = 12  # best terms kept of one law, asked for one after the other
_REMEMBERED = 1024  # laws: about as many as all archives hold
_COMPLEXITY_PRICE = 0.01  # of log squared residuals, for a unit of complexity
_LEAST_GAIN = 0.01  # of log squared residuals
_TAKES = 0.4  # the best option left is taken with this chance, else the next, and so on


@dataclass(frozen=True)
class Option:
    """A term for a law: where, in place of which part, and with which coefficient (cell,) to start from."""

    term: Term
    place: Place
    gone: Path | None
    coefficient: np.ndarray


class Residual(Evolutionary):
    """A term that explains what a good law leaves over."""

    name = "residual"

    def __init__(self, task: Task, recipes: Recipes) -> None:
        super().__init__(task, recipes)
        self._task = task
        self._usable = rows = usable_rows(task)
        most = max(_ROWS // max(len(rows.cells), 1), 4)
        self._mask = np.zeros(rows.n_rows, dtype=bool)
        for cell in range(len(rows.cells)):
            mine = np.flatnonzero(rows.cell == cell)
            self._mask[mine[np.linspace(0, len(mine) - 1, min(most, len(mine))).astype(int)]] = True
        self._terms: list[Term] = []
        self._columns = self._squares = np.zeros((0, 0, 0))
        self._threads: ThreadpoolController | None = None
        self._cells: dict[tuple[float, float, bool] | None, Cells] = {}
        self._options: OrderedDict[int, list[Option]] = OrderedDict()

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        for _ in range(4):
            parent = archive.parent(rng)
            if parent is None:
                return None
            options = self._options_of(parent)
            if options:
                chosen = options.pop(min(int(rng.geometric(_TAKES)) - 1, len(options) - 1))
                recipe = self.recipes.draw(rng, parent.recipe)
                return self.proposal(*self._with(parent, chosen), recipe, (parent.number,))
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
        cells = self._laid_out(parent.recipe)
        screening = Screening(law, parent.validation.parameters, parent.recipe, cells, self._cuts, self._spread)
        if not screening.usable:
            return []
        now = screening.value(screening.whole) + _COMPLEXITY_PRICE * law.complexity
        if not np.isfinite(now):
            return []
        room = self.cap - len(law.parameters)
        states = [(screening.whole, law.complexity)] if room > 0 else []
        if room < 2:
            shorter = [(screening.without(path), screening.slopes.nodes[path]) for path in screening.removable()]
            prices = [(s, law.complexity - complexity(n)) for s, n in shorter]
            values = [screening.value(s) + _COMPLEXITY_PRICE * p for s, p in prices]
            if values:
                states.append(prices[int(np.argmin(values))])
        ranked: list[tuple[float, Place, int, State]] = []
        for state, price in states:
            places, after = screening.values(state, self._columns, self._squares)
            gain = now - after - _COMPLEXITY_PRICE * (price + self._complexity)
            best = np.argsort(gain, axis=None, kind="stable")[::-1][: 4 * _OPTIONS]
            for place, term in zip(*np.unravel_index(best, gain.shape), strict=True):
                ranked.append((float(gain[place, term]), places[place], int(term), state))
        ranked.sort(key=lambda entry: -entry[0])
        found: list[Option] = []
        seen: set[tuple[object, ...]] = set()
        for value, place, index, state in ranked:
            if value <= _LEAST_GAIN or len(found) == _OPTIONS:
                break
            term = self._terms[index]
            kind = (place, term.expression, state.gone)
            if kind in seen:
                continue
            seen.add(kind)
            if state.columns.shape[-1] + 1 + len(term.trial) <= self.cap:
                coefficient = screening.coefficient(state, place, self._columns[..., index]) / self._sizes[index]
                found.append(Option(term, place, state.gone, coefficient))
        return found

    def _with(self, parent: Candidate, option: Option) -> tuple[Expression, Pieces]:
        """The parent's tree with the term, everything known of its parameters kept as a start for the fit."""
        law, place, term = parent.law, option.place, option.term
        pieces = Pieces(self.inputs, np.random.default_rng(0), dict(law.bounds), values_of(parent))
        names = {name: pieces.fresh(term.bounds.get(name)).name for name in term.trial}
        factor = pieces.fresh()
        pieces.known[factor.name] = option.coefficient
        pieces.known |= {names[name]: np.full(self._n_cells, value) for name, value in term.trial.items()}
        new = mul(factor, rename(term.expression, names))

        def visit(node: Expression, path: Path) -> Expression | None:
            if path == option.gone:
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
        return changed, pieces

    def _prepare(self) -> None:
        """The library's columns (cell, row, term), on first use."""
        if self._terms:
            return
        rows = self._usable
        cells = self._laid_out(None)
        self._n_cells = len(rows.cells)
        columns, sizes = [], []
        for term in library(self.inputs, rows):
            with np.errstate(all="ignore"):
                column = np.broadcast_to(evaluate(term.expression, cells.inputs | term.trial), cells.target.shape)
            if np.isfinite(column).all():
                self._terms.append(term)
                sizes.append(float(np.abs(column).max()) or 1.0)
                columns.append(column / sizes[-1])
        self._columns = np.stack(columns, axis=-1)
        self._squares, self._sizes = self._columns**2, sizes
        self._complexity = np.array([term.complexity + 3 for term in self._terms])  # with its factor and the sum
        self._spread = np.array([cells.target[c, : cells.count[c]].std() or 1.0 for c in range(self._n_cells)])
        self._cuts = self._made_cuts(cells)

    def _made_cuts(self, cells: Cells) -> list[Cut]:
        """The top of each of the first scale axes, told from the rows below it (the bottom from those above where the
        task asks for what is below), and all rows from themselves."""
        real = np.arange(cells.target.shape[1]) < cells.count[:, None]
        cuts = []
        for axis in self._task.asked_axes[:_AXES]:
            if axis not in cells.inputs:
                continue
            column = self._task.direction(axis) * cells.inputs[axis]
            outer = np.zeros(column.shape, dtype=bool)
            for c, count in enumerate(cells.count):
                own = column[c, :count]
                outer[c, :count] = own > np.quantile(own, 1.0 - _TOP)
                if not outer[c].any():
                    outer[c, :count] = own == own.max()
            inner = real & ~outer
            if inner.sum() > 2 * len(cells.count):
                cuts.append((inner, outer))
        found = [Cut(inner.astype(float), outer.astype(float), 1.0 / len(cuts)) for inner, outer in cuts]
        everything = real.astype(float)
        return [*found, Cut(everything, everything, _INSIDE if found else 1.0)]

    def _laid_out(self, recipe: Recipe | None) -> Cells:
        """The rows that are looked at, with a recipe's weights."""
        key = (recipe.weight, recipe.window, recipe.once) if recipe is not None else None
        if key not in self._cells:
            rows, weights = self._usable, None
            if recipe is not None and recipe.weighs:
                axes = self._task.scale_axes
                weights = recipe.row_weights(rows, axes, [self._task.is_log(axis) for axis in axes])
            self._cells[key] = Cells.from_rows(rows, rows.input_names, weights, self._mask)
        return self._cells[key]


__all__ = ["Residual"]
