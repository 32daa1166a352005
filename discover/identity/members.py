"""Members of a law's family: the law with random parameters, and the points at which families are compared.

Whether two formulas spell one family does not depend on units, so that inputs are drawn around one: some points inside
what would be measured, as many far beyond. A member is drawn where every parameter matters.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from discover.law import Law
from discover.law.compiler import Tape, evaluate

_INSIDE, _BEYOND = 40, 40  # points
_RANK = 1e-9  # singular values below this share of the largest count as zero
_RANGES = ((0.5, 8.0, 0.03, 200.0), (2.0, 12.0, 1.05, 300.0), (0.8, 4.0, 0.2, 20.0))  # inside, beyond
_SHARES = ("share", "own_share", "score", "success", "sparsity", "error", "activation_ratio")
_DRAWS = 60


@dataclass(frozen=True)
class Points:
    """Inputs by name (point,) and whether each point is inside the range of imagined data."""

    inputs: Mapping[str, np.ndarray]
    inside: np.ndarray


def probe_points(names: Sequence[str], roles: Mapping[str, str], choice: int, rng: np.random.Generator) -> Points:
    """Points for inputs of given roles; `choice` counts up through ranges that suit more and more delicate laws."""
    low, high, least, most = _RANGES[choice]
    inside = np.arange(_INSIDE + _BEYOND) < _INSIDE
    inputs = {}
    for name in names:
        if roles.get(name, "") in _SHARES:
            edges = np.where(inside, 0.2, 0.02), np.where(inside, 0.8, 0.98)
            inputs[name] = rng.uniform(*edges)
        else:
            edges = np.where(inside, math.log(low), math.log(least)), np.where(inside, math.log(high), math.log(most))
            inputs[name] = np.exp(rng.uniform(*edges))
    return Points(inputs, inside)


RANGES = len(_RANGES)


def draw_members(law: Law, points: Points, count: int, rng: np.random.Generator) -> np.ndarray | None:
    """Parameters (member, parameter) of `count` members that are finite at all points and that every parameter shapes.

    Parameters without bounds are drawn positive first. None where too few such members are found.
    """
    if not law.parameters:
        values = _values(law, points, np.zeros((1, 0)))
        return np.zeros((count, 0)) if np.isfinite(values).all() else None
    n = _DRAWS * count
    drawn = np.stack([_draw(bound, n, rng) for bound in law.parameter_bounds], axis=1)
    drawn[n // 2 :] *= np.where(_free(law) & (rng.random((n - n // 2, len(law.parameters))) < 0.5), -1.0, 1.0)
    values = _values(law, points, drawn)
    with np.errstate(all="ignore"):
        size, spread = np.abs(values).max(axis=1), np.ptp(values, axis=1)
        typical = np.median(np.abs(values), axis=1)
        sound = np.isfinite(values).all(axis=1) & (size < 1e9) & (spread > 1e-3 * size)
        calm = sound & (size < 1e4 * typical)
    for kept in (calm, sound):
        tried = np.flatnonzero(kept)[: 8 * count]
        chosen = tried[_all_matter(law, points, drawn[tried])] if len(tried) else tried
        if len(chosen) >= count:
            return np.asarray(drawn[chosen[:count]])
    rest = np.flatnonzero(calm)
    return np.asarray(drawn[rest[:count]]) if len(rest) >= count else None


def _free(law: Law) -> np.ndarray:
    return np.array([math.isinf(low) and math.isinf(high) for low, high in law.parameter_bounds])


def _draw(bound: tuple[float, float], n: int, rng: np.random.Generator) -> np.ndarray:
    low, high = bound
    if math.isfinite(low) and math.isfinite(high):
        return np.asarray(rng.uniform(low + 0.15 * (high - low), high - 0.15 * (high - low), n))
    size = np.exp(rng.uniform(math.log(0.3), math.log(2.5), n))
    if math.isfinite(low):
        return np.asarray(low + size)
    if math.isfinite(high):
        return np.asarray(high - size)
    return np.asarray(size)


def values_of(law: Law, inputs: Mapping[str, np.ndarray], parameters: np.ndarray) -> np.ndarray:
    """Values (member, point) for parameters (member, parameter)."""
    names = {name: np.asarray(inputs[name])[None, :] for name in law.inputs}
    names.update({name: parameters[:, [j]] for j, name in enumerate(law.parameters)})
    size = len(next(iter(inputs.values())))
    return np.array(np.broadcast_to(evaluate(law.expression, names), (len(parameters), size)), dtype=float)


def _values(law: Law, points: Points, parameters: np.ndarray) -> np.ndarray:
    return values_of(law, points.inputs, parameters)


def jacobians(law: Law, points: Points, parameters: np.ndarray) -> np.ndarray:
    """Derivatives (member, point, parameter) at parameters (member, parameter)."""
    tape = Tape([law.expression], law.inputs, law.parameters)
    bound = tape.bind({name: np.asarray(points.inputs[name])[None, :] for name in law.inputs})
    with np.errstate(all="ignore"):
        values = bound.forward(parameters)
        columns = bound.backward(values, {tape.outputs[0]: 1.0})
    shape = (len(parameters), len(points.inside))
    return np.stack([np.broadcast_to(np.asarray(column, dtype=float), shape) for column in columns], axis=-1)


def _all_matter(law: Law, points: Points, parameters: np.ndarray) -> np.ndarray:
    """Whether every parameter shapes a member, for parameters (member, parameter)."""
    slopes = jacobians(law, points, parameters)
    spread = np.ptp(_values(law, points, parameters), axis=1)
    with np.errstate(all="ignore"):
        effect = np.abs(slopes).max(axis=1) * np.maximum(np.abs(parameters), 0.1)
    return np.asarray(np.isfinite(slopes).all(axis=(1, 2)) & (effect > 1e-3 * spread[:, None]).all(axis=1))


def dimension(law: Law, points: Points, members: np.ndarray) -> int:
    """How many numbers it takes to tell a member: parameters less those that others make up for."""
    best = 0
    for slopes in jacobians(law, points, members) if law.parameters else ():
        if not np.isfinite(slopes).all():
            continue
        lengths = np.linalg.norm(slopes, axis=0)
        sizes = np.linalg.svd(slopes / np.where(lengths > 0, lengths, 1.0), compute_uv=False)
        best = max(best, int((sizes > _RANK * sizes[0]).sum()) if sizes[0] > 0 else 0)
    return best
