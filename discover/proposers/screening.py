"""By how much a law would fit better with one term more, or worse with one less, to first order and without a fit.

In: a law with its fitted parameters, rows laid out by cell, the columns of a library of terms. Out: for every place of
the tree and every term, the log-likelihood that the term would win there once all parameters are fitted again. The
residual is projected on the term's column times the law's slope at the place, less what the law's own parameters can
already do: the score test. Stays out: what is proposed of it.

Source: Rao 1948 (score test); Chen, Billings and Luo 1989 (choosing terms by orthogonal projection).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from discover.fitting import Cells, Recipe
from discover.law.expression import Call, Expression, Symbol, walk
from discover.law.grammar import GRAMMAR
from discover.law.law import Law

_PLACES = 10  # of one law at which terms are tried
_ROBUST = 1.345  # robust standard deviations beyond which a residual counts linearly (Huber 1981)
_COLLINEAR = 1e-6  # of a column's squared length: what is free of the law's own parameters must be more
_LEAST_LEFT = 1e-3  # of the cost, after a term: a projection that leaves less has run out of rows

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


class Screening:
    """A fitted law over rows, ready to be asked what it lacks.

    Args:
        parameters: (cell, parameter).
        cells: The rows, weights of the recipe included.
    """

    def __init__(self, law: Law, parameters: np.ndarray, recipe: Recipe, cells: Cells) -> None:
        self.law, self.shape = law, cells.target.shape
        given = {name: cells.inputs[name] for name in law.inputs}
        given |= {name: parameters[:, j, None] for j, name in enumerate(law.parameters)}
        with np.errstate(all="ignore"):
            self.slopes = Slopes.of(law.expression, given, self.shape)
            value = self.slopes.values[()]
            root = np.sqrt(cells.weight)
            # A log loss compares logarithms: slopes are those of log(law).
            scale = 1.0 / value if recipe.is_log else 1.0
            left = np.log(cells.target / value) if recipe.is_log else cells.target - value
            left = np.where(cells.weight > 0, left, 0.0)
            if recipe.robust:
                middle = np.median(np.abs(left[cells.weight > 0])) / 0.6745 + 1e-300
                root = root * np.sqrt(np.minimum(1.0, _ROBUST * middle / (np.abs(left) + 1e-300)))
            self._unit = np.where(cells.weight > 0, root * scale, 0.0)
            self.left = left * root
            self.rows = np.maximum((cells.weight > 0).sum(axis=1), 1)
            self.columns = np.zeros((*self.shape, len(law.parameters)))
            for path, node in self.slopes.nodes.items():
                if isinstance(node, Symbol) and node.name in law.parameters:
                    self.columns[..., law.parameters.index(node.name)] += self.slopes.slopes[path] * self._unit
        self.usable = bool(np.isfinite(self.left).all() and np.isfinite(self.columns).all())

    def without(self, gone: Path) -> tuple[np.ndarray, np.ndarray, float]:
        """What is left over (cell, row) once the node at `gone` is taken out of its sum or product and the other
        parameters are fitted again, the columns (cell, row, parameter) of those, and the log-likelihood lost."""
        node, parent = self.slopes.nodes[gone], self.slopes.nodes[gone[:-1]]
        value = self.slopes.values[gone]
        assert isinstance(parent, Call)
        change = -value if parent.function == "add" else 1.0 - value
        missing = self.left - self.slopes.slopes[gone] * change * self._unit
        inside = {n.name for n in walk(node) if isinstance(n, Symbol)}
        outside = {
            n.name for path, n in self.slopes.nodes.items() if isinstance(n, Symbol) and path[: len(gone)] != gone
        }
        kept = [j for j, name in enumerate(self.law.parameters) if name in outside or name not in inside]
        columns = self.columns[..., kept]
        again = missing - _projected(_basis(columns), missing[..., None])[..., 0]
        before, after = np.sum(self.left**2, axis=1), np.sum(again**2, axis=1)
        return again, columns, float(0.5 * self.rows @ np.log((after + 1e-300) / (before + 1e-300)))

    def gains(
        self,
        terms: np.ndarray,
        squares: np.ndarray,
        left: np.ndarray | None = None,
        columns: np.ndarray | None = None,
        outside: Path | None = None,
    ) -> tuple[list[Place], np.ndarray]:
        """The places, and what every term would win there.

        Args:
            terms, squares: (cell, row, term), the library's columns and their squares.
            left, columns: What `without` gave, for a law that lost the node at `outside`.

        Returns:
            Places, and log-likelihoods (place, term) over all cells, before any price for parameters; zero where a term
            can do no more than the law's own parameters.
        """
        left = self.left if left is None else left
        basis = _basis(self.columns if columns is None else columns)
        left = left - _projected(basis, left[..., None])[..., 0]
        before = np.sum(left**2, axis=1)[:, None]
        places = self._places(outside)
        gains = np.zeros((len(places), terms.shape[-1]))
        for index, place in enumerate(places):
            slope = self.slopes.slopes[place.path] * self._unit
            if place.is_factor:
                slope = slope * self.slopes.values[place.path]
            # Of a column slope * term all that is asked is its length, its part within the basis and its product with
            # what is left over: three matrix products with the library, which itself stays as it is.
            with np.errstate(all="ignore"):
                length = (slope**2)[:, None, :] @ squares
                within = (basis * slope[..., None]).swapaxes(1, 2) @ terms
                free = length[:, 0] - np.einsum("cpt,cpt->ct", within, within)
                along = ((slope * left)[:, None, :] @ terms)[:, 0]
                fraction = np.where(free > _COLLINEAR * length[:, 0], along**2 / free / before, 0.0)
                gain = -0.5 * self.rows @ np.log(np.maximum(1.0 - fraction, _LEAST_LEFT))
            gains[index] = np.where(np.isfinite(gain), gain, 0.0)
        return places, gains

    def removable(self) -> list[Path]:
        """Terms of sums and factors of products that hold a parameter and leave a law behind."""
        nodes = self.slopes.nodes
        return [
            path
            for path, node in nodes.items()
            if path
            and isinstance(parent := nodes[path[:-1]], Call)
            and parent.function in ("add", "mul")
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


def _basis(columns: np.ndarray) -> np.ndarray:
    """Orthonormal columns (cell, row, parameter) of what the parameters can do; those that can do nothing are zero."""
    length = np.sqrt(np.einsum("crp,crp->cp", columns, columns))
    scaled = columns / np.where(length > 0, length, 1.0)[:, None, :]
    q, r = np.linalg.qr(scaled)
    diagonal = np.abs(np.einsum("cpp->cp", r))
    return q * (diagonal > 1e-9)[:, None, :]


def _projected(basis: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(cell, row, column) columns as far as the basis can make them."""
    return basis @ (basis.swapaxes(1, 2) @ columns)


__all__ = ["Path", "Place", "Screening"]
