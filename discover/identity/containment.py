"""Whether one law's family holds members of another: each member is a cell of one batched fit."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from discover.fitting import Cells, Recipe, fit_cells
from discover.identity.members import Points, values_of
from discover.law import Law, law_of

EXACT = 1e-7  # of a member's spread: a fit this near at every point is taken for the member itself


@dataclass(frozen=True)
class Containment:
    """How well one law's members are fitted by another law.

    Attributes:
        misfit: (member,) largest difference at any point, as a share of the member's spread.
        inside: (member,) the same at the points inside the data range.
        parameters: (member, parameter) of the fitting law.
        within_bounds: Whether the fit kept to the fitting law's bounds.
    """

    misfit: np.ndarray
    inside: np.ndarray
    parameters: np.ndarray
    within_bounds: bool

    @property
    def exact(self) -> bool:
        """Whether the members are held: all, or all but one in four, which a fit from random starts may miss."""
        held = int((self.misfit <= EXACT).sum())
        return held >= max(len(self.misfit) - 1, 3) if len(self.misfit) >= 4 else held == len(self.misfit)

    @property
    def typical(self) -> float:
        return float(np.median(self.misfit))


def contain(
    holder: Law, law: Law, members: np.ndarray, points: Points, *, starts: int, rng: np.random.Generator
) -> Containment:
    """Fits `holder` to members of `law`, within its bounds, and where that fails, without them.

    Args:
        holder: Reads inputs of the points.
        members: (member, parameter) of `law`.
        starts: Random starts for each member; twice as many are tried where a fit comes near.
    """
    target = values_of(law, points.inputs, members)
    spread = np.maximum(np.ptp(target, axis=1), 1e-12 * np.abs(target).max(axis=1))
    best: Containment | None = None
    for own in _versions(holder):
        found = _fitted(own, holder, target, spread, points, starts, rng, None)
        if not found.exact and found.typical < 0.1:
            again = _fitted(own, holder, target, spread, points, 2 * starts, rng, found)
            found = again if again.typical < found.typical or again.exact else found
        if best is None or found.exact or found.typical < best.typical:
            best = found
        if best.exact:
            break
    assert best is not None
    return best


def glance(
    holder: Law, law: Law, member: np.ndarray, points: Points, *, starts: int, enough: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Misfit of a short fit of `holder` to one member (1, parameter) of `law`: at any point, and inside the data range.

    Args:
        enough: A misfit below which no other version of the holder is tried.
    """
    target = values_of(law, points.inputs, member)
    spread = np.maximum(np.ptp(target, axis=1), 1e-12 * np.abs(target).max(axis=1))
    best = (math.inf, math.inf)
    for own in _versions(holder):
        found = _fitted(own, holder, target, spread, points, starts, rng, None, thorough=False)
        best = min(best, (found.typical, float(found.inside[0])))
        if best[0] <= enough:
            break
    return best


def unbounded(law: Law) -> Law:
    """The law without bounds on its parameters."""
    return law_of(law.expression, law.inputs, parameters=law.parameters, may_be_fixed=True)


def _versions(law: Law) -> list[Law]:
    free = all(math.isinf(low) and math.isinf(high) for low, high in law.parameter_bounds)
    return [law] if free else [law, unbounded(law)]


def _fitted(
    own: Law,
    holder: Law,
    target: np.ndarray,
    spread: np.ndarray,
    points: Points,
    starts: int,
    rng: np.random.Generator,
    before: Containment | None,
    thorough: bool = True,
) -> Containment:
    scale = spread[:, None]
    if not own.parameters:
        values = values_of(own, points.inputs, np.zeros((len(target), 0)))
        parameters = np.zeros((len(target), 0))
    else:
        tables = {name: np.broadcast_to(points.inputs[name], target.shape).copy() for name in own.inputs}
        cells = Cells(tables, target, np.ones(target.shape), np.full(len(target), target.shape[1]))
        initial = None if before is None else before.parameters[None]
        work = {"polish": True, "steps": 120, "tolerance": 1e-28} if thorough else {"steps": 60, "tolerance": 1e-9}
        with np.errstate(all="ignore"):
            parameters, _, _ = fit_cells(own, cells, Recipe(), starts=starts, rng=rng, initial=initial, **work)  # type: ignore[arg-type]
        values = values_of(own, points.inputs, np.asarray(parameters))
    with np.errstate(all="ignore"):
        off = np.nan_to_num(np.abs(values - target) / scale, nan=np.inf)
    inside = off[:, points.inside].max(axis=1)
    return Containment(off.max(axis=1), inside, np.asarray(parameters), own is holder)
