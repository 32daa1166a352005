"""What a fit minimises: a law and a loss, compiled once and evaluated over a batch with its linear part solved.

Variable projection (Golub and Pereyra 1973; Kaufman 1975): for given nonlinear parameters the linear ones have a
closed form, so the search runs over the nonlinear ones alone. Its Gauss-Newton matrix is the Schur complement of
the full one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from discover.fitting.cells import Cells
from discover.fitting.small_systems import solve_symmetric
from discover.fitting.transforms import Transforms
from discover.law.compiler import Bound, Tape, linear_parts, log_of
from discover.law.expression import Expression
from discover.law.law import Law

_BLOCK = 24_576  # numbers per temporary array: a handful of them stay in a core's cache


class Residuals:
    """A law as residuals: prediction - target, or log(prediction) - log(target).

    Args:
        law: The law.
        is_log: Compare logarithms.
        shared: Parameters with one value for all cells; they are searched, never solved in closed form.
        linear: Solve linear parameters in closed form; without it all parameters are searched.
    """

    def __init__(self, law: Law, is_log: bool = False, shared: Sequence[str] = (), linear: bool = True) -> None:
        self.law, self.is_log, self.shared = law, is_log, tuple(shared)
        whole: Expression = log_of(law.expression) if is_log else law.expression
        keep = law.parameters if not linear else shared
        names, basis, offset = linear_parts(whole, law.parameters, keep)
        order = [n for n in law.parameters if n in names]
        self.basis = tuple(basis[names.index(n)] for n in order)
        self.offset = offset
        self.linear = np.array([law.parameters.index(n) for n in order], dtype=int)
        self.nonlinear = np.array([i for i, n in enumerate(law.parameters) if n not in names], dtype=int)
        searched = [law.parameters[i] for i in self.nonlinear]
        self.is_shared = np.array([n in shared for n in searched], dtype=bool)
        self.tape = Tape([*self.basis, offset], law.inputs, searched)
        self.transforms = Transforms([law.parameter_bounds[i] for i in self.nonlinear])
        self.linear_bounds = [law.parameter_bounds[i] for i in self.linear]
        self.has_linear_bounds = any(np.isfinite(b).any() for b in self.linear_bounds)

    @staticmethod
    def of(law: Law, is_log: bool = False, shared: Sequence[str] = (), linear: bool = True) -> Residuals:
        """The residuals of a law, kept for a while: a validation fits one law object several times."""
        return _kept(_Same(law), is_log, tuple(shared), linear)

    def bind(self, cells: Cells) -> BoundResiduals:
        """The residuals over given rows; with `is_log` all targets that count must be positive."""
        target = np.log(np.maximum(cells.target, 1e-300)) if self.is_log else cells.target
        return BoundResiduals(self, self.tape.bind(cells.inputs), target, np.sqrt(cells.weight))


class _Same:
    """A law as a key: the very object, for to hash and compare whole trees costs as much as what is kept."""

    def __init__(self, law: Law) -> None:
        self.law = law

    def __hash__(self) -> int:
        return id(self.law)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.law is self.law


@lru_cache(maxsize=16)
def _kept(same: _Same, is_log: bool, shared: tuple[str, ...], linear: bool) -> Residuals:
    return Residuals(same.law, is_log, shared, linear)


@dataclass(frozen=True)
class Point:
    """Residuals at one set of parameters for each item of a batch.

    Attributes:
        linear: (batch, linear parameter), solved.
        cost: (batch,), infinite where a value is not finite.
        gram: (searched, searched, batch), the reduced Gauss-Newton matrix in free coordinates.
        gradient: (searched, batch).
        norms: (searched, batch), squared length of each column before reduction.
    """

    linear: np.ndarray
    cost: np.ndarray
    gram: np.ndarray
    gradient: np.ndarray
    norms: np.ndarray


@dataclass(frozen=True)
class BoundResiduals:
    """Residuals with their rows: `target` and `root_weight` (cell, row), already in the loss's terms."""

    residuals: Residuals
    bound: Bound
    target: np.ndarray
    root_weight: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Rows (cell,) up to the last that counts: what follows is padding."""
        counted = self.root_weight > 0
        return np.where(counted.any(1), counted.shape[1] - counted[:, ::-1].argmax(1), 0).astype(np.int64)

    def at(self, free: np.ndarray, cell: np.ndarray, derivatives: bool = True) -> Point:
        """Evaluates items (batch, searched) in free coordinates, each over the rows of its `cell` (batch,)."""
        rows = self.target.shape[1]
        step = max(_BLOCK // rows, 1)
        if len(free) <= step * 1.5:
            return self._block(free, cell, derivatives)
        parts = [self._block(free[i : i + step], cell[i : i + step], derivatives) for i in range(0, len(free), step)]
        return Point(
            np.concatenate([p.linear for p in parts]),
            np.concatenate([p.cost for p in parts]),
            np.concatenate([p.gram for p in parts], axis=-1),
            np.concatenate([p.gradient for p in parts], axis=-1),
            np.concatenate([p.norms for p in parts], axis=-1),
        )

    def _rows_of(self, cell: np.ndarray) -> tuple[Bound, np.ndarray, np.ndarray]:
        if len(self.target) == 1:
            return self.bound, self.target, self.root_weight
        return self.bound.take(cell), self.target[cell], self.root_weight[cell]

    def _block(self, free: np.ndarray, cell: np.ndarray, derivatives: bool) -> Point:
        r = self.residuals
        batch, n_linear, n_searched = len(free), len(r.linear), len(r.nonlinear)
        bound, target, root = self._rows_of(cell)
        shape = (batch, target.shape[1])
        parameters, slope = r.transforms.to_parameters(free)
        with np.errstate(all="ignore"):
            values = bound.forward(parameters)
            outputs = [values[slot] for slot in r.tape.outputs]
            basis = [np.broadcast_to(o * root, shape) for o in outputs[:-1]]
            wanted = np.broadcast_to((target - outputs[-1]) * root, shape)
            left, linear = self._solve_linear(basis, wanted, batch)
            residual = -wanted
            for phi, beta in zip(basis, linear, strict=True):
                residual = residual + phi * beta[:, None]
            cost = 0.5 * np.einsum("br,br->b", residual, residual)
            cost = np.where(np.isfinite(cost), cost, np.inf)
            if not derivatives:
                empty = np.zeros((n_searched, batch))
                return Point(linear.T, cost, np.zeros((n_searched, n_searched, batch)), empty, empty)
            seeds: dict[int, np.ndarray | float] = {r.tape.outputs[-1]: 1.0}
            for slot, beta in zip(r.tape.outputs[:-1], linear, strict=True):
                seeds[slot] = seeds.get(slot, 0.0) + beta[:, None]
            columns = [
                np.broadcast_to(g * root * slope[:, j, None], shape)
                for j, g in enumerate(bound.backward(values, seeds))
            ]
            gram = np.empty((n_searched, n_searched, batch))
            gradient = np.empty((n_searched, batch))
            cross = np.empty((n_linear, n_searched, batch))
            for j, column in enumerate(columns):
                gradient[j] = np.einsum("br,br->b", column, residual)
                for i in range(j + 1):
                    gram[i, j] = gram[j, i] = np.einsum("br,br->b", columns[i], column)
                for i, phi in enumerate(basis):
                    cross[i, j] = np.einsum("br,br->b", phi, column)
            norms = np.einsum("iib->ib", gram).copy()
            if n_linear and n_searched:
                free_linear = (np.einsum("iib->ib", left) > 0)[:, None, :]
                cross = np.where(free_linear, cross, 0.0)
                gram = gram - np.einsum("kib,kjb->ijb", cross, solve_symmetric(left, cross))
            finite = np.isfinite(gradient).all(0) & np.isfinite(gram).all((0, 1)) if n_searched else True
            cost = np.where(finite, cost, np.inf)
        return Point(linear.T, cost, gram, gradient, norms)

    def _solve_linear(self, basis: list[np.ndarray], wanted: np.ndarray, batch: int) -> tuple[np.ndarray, np.ndarray]:
        """Gram matrix of the basis (linear, linear, batch), held ones zeroed, and the solution (linear, batch)."""
        n = len(basis)
        left = np.empty((n, n, batch))
        right = np.empty((n, 1, batch))
        for j, phi in enumerate(basis):
            right[j, 0] = np.einsum("br,br->b", phi, wanted)
            for i in range(j + 1):
                left[i, j] = left[j, i] = np.einsum("br,br->b", basis[i], phi)
        if n == 0:
            return left, np.empty((0, batch))
        solution = solve_symmetric(left, right)
        # One round of refinement: normal equations alone lose the digits that a flat basis has in common.
        rest = wanted
        for phi, beta in zip(basis, solution[:, 0], strict=True):
            rest = rest - phi * beta[:, None]
        again = np.stack([np.einsum("br,br->b", phi, rest) for phi in basis])[:, None]
        solution = solution + np.nan_to_num(solve_symmetric(left, again))
        if not self.residuals.has_linear_bounds:
            return left, solution[:, 0]
        return self._hold_bounds(left, right[:, 0], solution[:, 0])

    def _hold_bounds(self, left: np.ndarray, right: np.ndarray, solution: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Holds the linear parameters that leave their bounds at them, the worst first, and solves for the others."""
        bounds = np.array(self.residuals.linear_bounds, dtype=float)
        lower, upper = bounds[:, :1], bounds[:, 1:]
        held = np.zeros(solution.shape, dtype=bool)
        size = np.sqrt(np.einsum("iib->ib", left))
        for _ in range(len(bounds)):
            excess = np.maximum(lower - solution, solution - upper) * size
            excess = np.where(held, 0.0, excess)
            worst = excess.argmax(0)
            out = np.take_along_axis(excess, worst[None], 0)[0] > 0
            if not out.any():
                break
            held[worst[out], np.flatnonzero(out)] = True
            fixed = np.where(held, np.clip(solution, lower, upper), 0.0)
            open_ = ~held
            masked = left * open_[:, None] * open_[None, :]
            reduced = (right - np.einsum("ijb,jb->ib", left, fixed)) * open_
            solution = np.where(held, fixed, solve_symmetric(masked, reduced[:, None])[:, 0])
        open_ = ~held
        return left * open_[:, None] * open_[None, :], np.clip(solution, lower, upper)
