"""By how much a law would extrapolate better with one term more, to first order and without a fit.

In: a law with its fitted parameters, rows laid out by cell, folds of these rows, the columns of a library of terms.
Out: for every place of the tree and every term, what validation would be once all parameters are fitted again. Around
its parameters a law is linear in them: its columns are their slopes, a term's column is the term times the slope at its
place, and fitting on the inner rows of a fold and predicting its outer ones are a few matrix products for all terms at
once. Stays out: what is proposed of it.

Source: score test, Rao 1948; choosing terms by projection, Chen, Billings and Luo 1989.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from discover.fitting import Cells, Recipe
from discover.law.expression import Call, Expression, Symbol, walk
from discover.law.grammar import GRAMMAR
from discover.law.law import Law

_PLACES = 10  # of one law at which terms are tried
_ROBUST = 1.345  # robust standard deviations beyond which a residual counts linearly (Huber 1981)
_COLLINEAR = 1e-6  # of a column's squared length: what is free of the law's own parameters must be more
_RIDGE = 1e-6  # of a column's squared length: keeps parameters that a fold cannot tell near what they are
_LEAST_LEFT = 1e-6  # of the target's spread, squared: what is left over is not told apart below it

Path = tuple[int, ...]  # the arguments to follow from the root


@dataclass(frozen=True)
class Slopes:
    """A law's values and slopes at every node of its tree, over rows (cell, row).

    Attributes:
        nodes, values, slopes: By path; a slope is the derivative of the whole law with respect to that node.
    """

    nodes: dict[Path, Expression]
    values: dict[Path, np.ndarray]
    slopes: dict[Path, np.ndarray]

    @classmethod
    def of(cls, expression: Expression, given: Mapping[str, np.ndarray], shape: tuple[int, int]) -> Slopes:
        nodes: dict[Path, Expression] = {}
        values: dict[Path, np.ndarray] = {}

        def forward(node: Expression, path: Path) -> np.ndarray:
            nodes[path] = node
            if isinstance(node, Call):
                arguments = [forward(a, (*path, i)) for i, a in enumerate(node.arguments)]
                function = GRAMMAR[node.function].numpy
                value = function(*arguments[:2])
                for argument in arguments[2:]:
                    value = function(value, argument)
            else:
                value = given[node.name] if isinstance(node, Symbol) else np.float64(node.value)
            values[path] = np.broadcast_to(value, shape)
            return values[path]

        forward(expression, ())
        slopes: dict[Path, np.ndarray] = {(): np.ones(shape)}
        for path, node in nodes.items():  # a parent stands before its arguments
            if not isinstance(node, Call):
                continue
            arguments = [values[(*path, i)] for i in range(len(node.arguments))]
            for i, partial in enumerate(_partials(node.function, values[path], arguments)):
                slopes[(*path, i)] = slopes[path] * partial
        return cls(nodes, values, slopes)


def _partials(function: str, value: np.ndarray, arguments: list[np.ndarray]) -> list[np.ndarray]:
    if function == "add":
        return [np.ones_like(value)] * len(arguments)
    if function == "mul":
        return [np.prod([b for j, b in enumerate(arguments) if j != i], axis=0) for i in range(len(arguments))]
    return [np.broadcast_to(p, value.shape) for p in GRAMMAR[function].partials(value, *arguments)]


@dataclass(frozen=True)
class Place:
    """Where a term may stand: added to the node at `path`, or that node multiplied by (1 + term)."""

    path: Path
    is_factor: bool


@dataclass(frozen=True, eq=False)
class Cut:
    """Rows (cell, row) to fit on and rows to predict, as ones and zeros, and what the prediction counts."""

    inner: np.ndarray
    outer: np.ndarray
    weight: float


@dataclass(frozen=True, eq=False)
class State:
    """What a law leaves over (cell, row) and what its parameters can do about it (cell, row, parameter); `gone` is the
    part that was taken out of it."""

    left: np.ndarray
    columns: np.ndarray
    gone: Path | None = None


@dataclass(frozen=True)
class _Fold:
    """A cut with the law fitted again on its inner rows, to first order.

    Attributes:
        inner, outer: (cell, row, parameter), the columns where they are fitted and where they predict.
        solver: (cell, parameter, row), from a residual to the change of the parameters.
        left_inner, left_outer: (cell, row), what is left over after that.
        gram: (cell, parameter, parameter), of the outer columns.
    """

    cut: Cut
    inner: np.ndarray
    outer: np.ndarray
    solver: np.ndarray
    left_inner: np.ndarray
    left_outer: np.ndarray
    gram: np.ndarray


class Screening:
    """A fitted law over rows, ready to be asked what it lacks.

    Args:
        parameters: (cell, parameter).
        cells: The rows, weights of the recipe included.
        cuts: What validation is made of; their weights add up to what the values below mean.
        spread: (cell,) the standard deviation of the target that residuals are compared with.
    """

    def __init__(
        self, law: Law, parameters: np.ndarray, recipe: Recipe, cells: Cells, cuts: Sequence[Cut], spread: np.ndarray
    ) -> None:
        self.law, self.shape, self.cuts = law, cells.target.shape, tuple(cuts)
        given = {name: cells.inputs[name] for name in law.inputs}
        given |= {name: parameters[:, j, None] for j, name in enumerate(law.parameters)}
        with np.errstate(all="ignore"):
            self.slopes = Slopes.of(law.expression, given, self.shape)
            value = self.slopes.values[()]
            counts = cells.weight > 0
            # A log loss compares logarithms: slopes are those of log(law).
            unit = np.sqrt(cells.weight) / (value if recipe.is_log else spread[:, None])
            self._unit = np.where(counts, unit, 0.0)
            left = np.log(cells.target / value) * value if recipe.is_log else cells.target - value
            self.left = np.where(counts, left, 0.0) * self._unit
            if recipe.robust:
                size = np.abs(self.left)
                middle = np.median(size[counts]) / 0.6745 + 1e-300
                less = np.sqrt(np.minimum(1.0, _ROBUST * middle / (size + 1e-300)))
                self.left, self._unit = self.left * less, self._unit * less
            columns = np.zeros((*self.shape, len(law.parameters)))
            for path, node in self.slopes.nodes.items():
                if isinstance(node, Symbol) and node.name in law.parameters:
                    columns[..., law.parameters.index(node.name)] += self.slopes.slopes[path] * self._unit
        self.usable = bool(np.isfinite(self.left).all() and np.isfinite(columns).all())
        self.whole = State(self.left, columns)
        ones = np.ones(self.shape)
        self._uncut = Cut(ones, ones, 1.0)
        self._kept: dict[tuple[State, Cut], _Fold] = {}

    def without(self, gone: Path) -> State:
        """The law once the node at `gone` is taken out of its sum or product."""
        node, parent = self.slopes.nodes[gone], self.slopes.nodes[gone[:-1]]
        value = self.slopes.values[gone]
        assert isinstance(parent, Call)
        change = -value if parent.function == "add" else 1.0 - value
        with np.errstate(over="ignore", invalid="ignore"):  # the other factors alone may be too large for a number
            missing = self.left - self.slopes.slopes[gone] * change * self._unit
        inside = {n.name for n in walk(node) if isinstance(n, Symbol)}
        outside = {
            n.name for path, n in self.slopes.nodes.items() if isinstance(n, Symbol) and path[: len(gone)] != gone
        }
        kept = [j for j, name in enumerate(self.law.parameters) if name in outside or name not in inside]
        return State(missing, self.whole.columns[..., kept], gone)

    def value(self, state: State) -> float:
        """What validation is like without any new term: a weighted sum of log squared residuals, lower is better;
        infinite for a law that is out of all bounds where a fold is asked for."""
        with np.errstate(over="ignore", invalid="ignore"):
            value = float(sum(f.cut.weight * _log_mean(np.sum(f.left_outer**2), f.cut) for f in self._folds(state)))
        return value if np.isfinite(value) else np.inf

    def values(self, state: State, terms: np.ndarray, squares: np.ndarray) -> tuple[list[Place], np.ndarray]:
        """The places, and what validation would be like with every term there.

        Args:
            terms, squares: (cell, row, term), the library's columns and their squares.

        Returns:
            Places, and values (place, term) to compare with `value`.
        """
        folds = self._folds(state)
        places = self._places(state.gone)
        values = np.zeros((len(places), terms.shape[-1]))
        for index, place in enumerate(places):
            slope = self._slope(place)
            for fold in folds:
                inner, outer = slope * fold.cut.inner, slope * fold.cut.outer
                # Of a term's columns only lengths and products with what is already there are asked for: products of
                # matrices with the library, which itself is never copied.
                with np.errstate(all="ignore"):
                    change = (fold.solver * inner[:, None]) @ terms
                    within = (fold.inner * inner[..., None]).swapaxes(1, 2) @ terms
                    beyond = (fold.outer * outer[..., None]).swapaxes(1, 2) @ terms
                    along, leading = _products(fold.left_inner * inner, fold.left_outer * outer, terms)
                    length, reach = _products(inner**2, outer**2, squares)
                    free = length - np.einsum("cpt,cpt->ct", within, change)
                    factor = np.where(free > _COLLINEAR * length, along / free, 0.0)
                    pull = np.einsum("crp,cr->cp", fold.outer, fold.left_outer)
                    leading = leading - np.einsum("cp,cpt->ct", pull, change)
                    reach = reach - 2.0 * np.einsum("cpt,cpt->ct", beyond, change)
                    reach = reach + np.einsum("cpt,cpt->ct", change, fold.gram @ change)
                    after = np.sum(fold.left_outer**2) + np.sum(factor * (factor * reach - 2.0 * leading), axis=0)
                    values[index] += fold.cut.weight * _log_mean(np.maximum(after, 0.0), fold.cut)
        return places, np.where(np.isfinite(values), values, np.inf)

    def coefficient(self, state: State, place: Place, term: np.ndarray) -> np.ndarray:
        """The coefficient (cell,) that a term (cell, row) would get at a place on all rows, to first order."""
        fold = self._fold(state, self._uncut)
        column = self._slope(place) * term
        column = column - np.einsum("crp,cp->cr", fold.inner, np.einsum("cpr,cr->cp", fold.solver, column))
        return np.sum(column * fold.left_inner, axis=1) / (np.sum(column**2, axis=1) + 1e-300)

    def _slope(self, place: Place) -> np.ndarray:
        slope = self.slopes.slopes[place.path] * self._unit
        return slope * self.slopes.values[place.path] if place.is_factor else slope

    def _folds(self, state: State) -> list[_Fold]:
        return [self._fold(state, cut) for cut in self.cuts]

    def _fold(self, state: State, cut: Cut) -> _Fold:
        if (state, cut) not in self._kept:
            self._kept[state, cut] = self._refitted(state, cut)
        return self._kept[state, cut]

    def _refitted(self, state: State, cut: Cut) -> _Fold:
        length = np.sqrt(np.einsum("crp,crp->cp", state.columns, state.columns))
        columns = state.columns / np.where(length > 0, length, 1.0)[:, None, :]
        inner, outer = columns * cut.inner[..., None], columns * cut.outer[..., None]
        gram = inner.swapaxes(1, 2) @ inner + _RIDGE * np.eye(columns.shape[-1])
        solver = np.linalg.solve(gram, inner.swapaxes(1, 2))
        change = np.einsum("cpr,cr->cp", solver, state.left)
        again = state.left - np.einsum("crp,cp->cr", columns, change)
        return _Fold(cut, inner, outer, solver, again * cut.inner, again * cut.outer, outer.swapaxes(1, 2) @ outer)

    def removable(self) -> list[Path]:
        """Terms of sums and factors of products that hold a parameter; the bare coefficient of a product stays, as it
        carries the unit."""
        nodes = self.slopes.nodes
        return [
            path
            for path, node in nodes.items()
            if path
            and isinstance(parent := nodes[path[:-1]], Call)
            and parent.function in ("add", "mul")
            and (parent.function == "add" or isinstance(node, Call))
            and any(isinstance(n, Symbol) and n.name in self.law.parameters for n in walk(node))
        ]

    def _places(self, outside: Path | None) -> list[Place]:
        """Where a term may stand: on top, as a factor of all, in every inner sum, beside every exponent and factor."""
        nodes = self.slopes.nodes
        found = [Place((), False), Place((), True)]
        for path, node in nodes.items():
            if not path or (outside is not None and path[: len(outside)] == outside):
                continue
            parent = nodes[path[:-1]]
            assert isinstance(parent, Call)
            is_sum = isinstance(node, Call) and node.function == "add"
            is_inside = parent.function == "exp"
            is_number = isinstance(node, Symbol) and node.name in self.law.parameters and parent.function != "add"
            if is_sum or is_inside or is_number:
                found.append(Place(path, False))
        return found[:_PLACES]


def _products(first: np.ndarray, second: np.ndarray, terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two rows of weights (cell, row) times the library: (cell, term) each."""
    both = np.stack([first, second], axis=1) @ terms
    return both[:, 0], both[:, 1]


def _log_mean(total: Any, cut: Cut) -> Any:
    return np.log(total / max(float(cut.outer.sum()), 1.0) + _LEAST_LEFT)


__all__ = ["Cut", "Path", "Place", "Screening", "State"]
