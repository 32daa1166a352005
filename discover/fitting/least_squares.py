"""`fit`: the parameters of a law that minimise its cost, every cell and every start in one batch.

Random starts are screened by their cost alone, the best are refined on a sample of the rows, the finalists on all
rows, in a long fit only the best of these to the end, and the winner of each cell is polished with an orthogonal
factorisation. Robust losses reweight the rows around a squared fit (Holland and Welsch 1977).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from discover.errors import FitError, UnknownInputError
from discover.fitting.cells import Cells
from discover.fitting.fit import CONVERGED, Fit
from discover.fitting.levenberg_marquardt import minimise
from discover.fitting.recipe import Recipe
from discover.fitting.residuals import BoundResiduals, Residuals
from discover.fitting.shrinkage import Prior, first_pool, next_pool, with_prior
from discover.fitting.starts import draw_starts
from discover.fitting.transforms import Transforms
from discover.fitting.uncertainty import near_bounds, spread
from discover.law.law import Law
from discover.law.parser import law_of, parse

if TYPE_CHECKING:
    from discover.task import Rows

_SAMPLE = 128  # rows on which starts are refined before the finalists see all
_SPRINT, _LONG_RUN = 50, 2  # steps after which a long fit goes on from a quarter of the starts, two at least
_EASIER_STEPS, _EASIER_TOLERANCE = 60, 1e-8  # of a fit that only says where to start
_SCREENED = 4  # random draws for each start that is refined
_ROBUST = 1.345  # robust standard deviations: 95 % efficient under normal noise (Huber 1981)
_STEPS = 400  # of a fit that nothing hurries
_ROUNDS = 12  # reweightings
_TOLERANCE = 1e-12  # relative gain in cost
_LEARNINGS = 3  # rounds in which cells learn from their neighbours; the later ones change little
_SHRINK_STEPS = 30
_IDLE = 1e-8  # relative gain: steps that win less than this, several in a row, have arrived in cost


def fit(
    law: Law,
    rows: Rows,
    *,
    recipe: Recipe | None = None,
    starts: int = 24,
    rng: np.random.Generator,
    initial: np.ndarray | None = None,
    shared: Sequence[str] = (),
    weights: np.ndarray | None = None,
    prior: Prior | None = None,
) -> Fit:
    """Parameters of `law` that minimise the cost on `rows`, one set per cell.

    Args:
        law: A law whose inputs are all columns of `rows`.
        rows: Inputs (row, input) in the task's units, target (row,), cell (row,).
        recipe: The loss; a plain square where left out.
        starts: Initial guesses per cell, refined as one batch; 0 with `initial` uses that alone.
        rng: Source of the starts.
        initial: (start, cell, parameter) guesses to try beside the random ones; NaN for a parameter that is to be
            drawn to suit the others.
        shared: Parameters with one value for all cells, beside those of the recipe.
        weights: (row,) of the squared residuals; ones where left out.
        prior: What is known of each cell's parameters; learned from the neighbours where it is left out and the recipe
            shrinks.

    Returns:
        Fit. A cell that did not converge keeps its best parameters and says so in `status`; nothing is raised.

    Raises:
        UnknownInputError: `law` reads a column that `rows` does not have; names both.
        FitError: A log loss with a target that is not positive; an argument of the wrong shape.
    """
    recipe = recipe or Recipe()
    shared = tuple({*shared, *recipe.shared})
    missing = [name for name in law.inputs if name not in rows.input_names]
    if missing:
        raise UnknownInputError(f"law reads {missing[0]!r}; the rows have {', '.join(rows.input_names)}")
    unknown = [name for name in shared if name not in law.parameters]
    if unknown:
        raise FitError(f"shared: {unknown[0]!r} is no parameter; the law has {', '.join(law.parameters)}")
    if recipe.is_log and not (rows.target > 0).all():
        worst = int(np.argmin(rows.target))
        raise FitError(
            f"loss {recipe.loss!r}: the target is {rows.target[worst]:g} in line {rows.line[worst]}; "
            "a log loss needs positive targets, use squared, huber or soft_l1"
        )
    shape = (len(rows.cells), len(law.parameters))
    if initial is not None and (initial.ndim != 3 or initial.shape[1:] != shape):
        raise FitError(f"initial: shape {initial.shape}, expected (start, {shape[0]}, {shape[1]})")
    if initial is None and starts < 1:
        raise FitError(f"starts: {starts}, expected at least 1, or initial guesses")
    if weights is not None and (weights.shape != rows.target.shape or not (weights >= 0).all()):
        raise FitError(f"weights: shape {weights.shape}, expected {rows.target.shape}, none of them negative")
    cells = Cells.from_rows(rows, law.inputs, weights)
    parameters, cost, converged, prior = _with_neighbours(
        law,
        cells,
        recipe,
        starts=starts,
        rng=rng,
        initial=initial,
        shared=shared,
        polish=True,
        steps=_STEPS,
        prior=prior,
    )
    return _described(law, recipe, rows, cells, parameters, cost, converged, tuple(shared), prior)


def fit_cells(
    law: Law,
    cells: Cells,
    recipe: Recipe,
    *,
    starts: int,
    rng: np.random.Generator,
    initial: np.ndarray | None = None,
    shared: Sequence[str] = (),
    polish: bool = False,
    steps: int = 40,
    tolerance: float = _TOLERANCE,
    together: int | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Parameters (cell, parameter), cost (cell,) and whether each cell converged (cell,).

    As `fit`, on cells already laid out; every `together` of them, side by side, have the shared parameters in common
    (all of them where left out); `polish` adds the orthogonal refinement of the winners; `steps` and
    `tolerance` (relative gain in cost) bound the work. Where the recipe shrinks, cells of one pool learn from each
    other; `cost` is that of their own rows all the same.
    """
    parameters, cost, converged, _ = _with_neighbours(
        law,
        cells,
        recipe,
        starts=starts,
        rng=rng,
        initial=initial,
        shared=shared,
        polish=polish,
        steps=steps,
        tolerance=tolerance,
        together=together,
    )
    return parameters, cost, converged


def _with_neighbours(
    law: Law,
    cells: Cells,
    recipe: Recipe,
    *,
    starts: int,
    rng: np.random.Generator,
    initial: np.ndarray | None,
    shared: Sequence[str],
    polish: bool,
    steps: int,
    tolerance: float = _TOLERANCE,
    together: int | None = None,
    prior: Prior | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Prior | None]:
    """As `fit_cells`, and the prior under which each cell was fitted; None where each was fitted by itself."""
    shared = tuple(sorted({*shared, *recipe.shared}))
    if prior is not None:
        parameters, _, converged = _alone(
            *with_prior(law, cells, replace(recipe, shared=shared), prior),
            shared, starts, rng, initial, polish, steps, tolerance, together,
        )  # fmt: skip
        cost = _own_cost(law, cells, recipe, parameters)
        return parameters, cost, converged & np.isfinite(cost), prior
    parameters, cost, converged = _alone(
        law, cells, recipe, shared, starts, rng, initial, polish, steps, tolerance, together
    )
    if not recipe.shrink:
        return parameters, cost, converged, None
    recipe = replace(recipe, shared=shared)
    pool = first_pool(law, cells, recipe, parameters, cost)
    if pool is None:
        return parameters, cost, converged, None
    for last in (*(False,) * (_LEARNINGS - 1), True):
        # From where the cell stands and from where its neighbours do: alone, it may have gone astray.
        own = np.where(np.isfinite(parameters), parameters, pool.centre)
        guesses = np.stack([own, np.where(np.isfinite(pool.spread), pool.centre, own)])
        prior = pool.prior(recipe.shrink)
        parameters, _, converged = _alone(
            *with_prior(law, cells, recipe, prior),
            shared, 0, rng, guesses, polish and last, max(steps, _SHRINK_STEPS), tolerance, together,
        )  # fmt: skip
        if not last:
            pool = next_pool(law, cells, recipe, parameters, pool)
    cost = _own_cost(law, cells, recipe, parameters)
    return parameters, cost, converged & np.isfinite(cost), prior


def _alone(
    law: Law,
    cells: Cells,
    recipe: Recipe,
    shared: Sequence[str],
    starts: int,
    rng: np.random.Generator,
    initial: np.ndarray | None,
    polish: bool,
    steps: int,
    tolerance: float,
    together: int | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `fit_cells`, where no cell learns from another."""
    residuals = Residuals.of(law, recipe.is_log, shared)
    n_cells = len(cells.target)
    each = (together or n_cells) if shared else 1
    if starts and shared:
        loose = max(tolerance, 1e-6)
        apart = _cell_by_cell(law, cells, recipe, shared, each, starts, rng, initial, steps, loose)[None]
        initial = apart if initial is None else np.concatenate([initial, apart])
        starts = 0
    elif starts:
        easier = _easier_fit(law, cells, recipe, residuals, starts, rng, steps, tolerance)
        if easier is not None:
            initial = easier[None] if initial is None else np.concatenate([initial, easier[None]])
            starts = (starts + 1) // 2
    free = _starts(residuals, cells, recipe, starts, rng, initial, each)  # (start, cell, searched)
    bound = residuals.bind(cells)
    all_cells = np.arange(n_cells)
    sampled = cells.target.shape[1] > 1.5 * _SAMPLE and len(free) > 3
    first = residuals.bind(cells.take_rows(_sample(cells))) if sampled else bound
    if len(free) > 1:
        kept = min(max(starts, 1) + (0 if initial is None else len(initial)), len(free))
        free = _best(first, free, kept, each)
    if sampled:
        free = _advanced(first, free, each, steps=max(steps // 2, 10), tolerance=max(tolerance, 1e-6))
        free = _best(bound, free, max(4, len(free) // 5), each)
    # A start that is far behind by then hardly ever comes in first, and long laws take hundreds of steps each.
    if len(free) > _LONG_RUN and steps > 2 * _SPRINT:
        free = _advanced(bound, free, each, steps=_SPRINT, tolerance=tolerance)
        free = _best(bound, free, max(_LONG_RUN, len(free) // 4), each)
    flat, cell = _flattened(free, each)
    solution = minimise(bound, flat, cell, cells_each=each, steps=steps, tolerance=tolerance)
    item_cost = solution.cell_cost if each == 1 else np.repeat(solution.cost, each)
    item_converged = np.repeat(solution.converged, each)
    shape = free.shape[:2]
    costs = _unflattened(item_cost, shape) if each == 1 else item_cost.reshape(shape)
    best = np.where(np.isfinite(costs), costs, np.inf).argmin(0)  # (cell,)
    pick = (all_cells * shape[0] + best) if each == 1 else (best * n_cells + all_cells)
    parameters = _joined(residuals, solution.free[pick], solution.linear[pick])
    cost, converged = solution.cell_cost[pick].copy(), item_converged[pick].copy()
    converged &= np.isfinite(cost)
    root = bound.root_weight
    if recipe.robust:
        parameters, cost, converged, root = _reweighted(
            residuals,
            bound,
            cells,
            recipe,
            solution.free[pick],
            parameters,
            converged,
            each,
            rounds=_ROUNDS if polish else _ROUNDS // 3,
        )
    if polish and not shared:
        parameters, polished, settled = _polish(law, recipe, cells, bound.target, root, parameters)
        if not recipe.robust:
            cost = polished
        converged = (converged | settled) & np.isfinite(cost)
    return parameters, cost, converged


def prepare() -> None:
    """Compiles the kernel where Numba is installed and has not yet: seconds, once per installation."""
    law = parse("a + b*x**c", ["x"])
    cells = Cells(
        {"x": np.array([[1.0, 2.0, 4.0, 8.0]])}, np.array([[1.0, 2.0, 3.0, 4.5]]), np.ones((1, 4)), np.array([4])
    )
    fit_cells(law, cells, Recipe(), starts=2, rng=np.random.default_rng(0))


def _cell_by_cell(
    law: Law,
    cells: Cells,
    recipe: Recipe,
    shared: Sequence[str],
    each: int,
    starts: int,
    rng: np.random.Generator,
    initial: np.ndarray | None,
    steps: int,
    tolerance: float,
) -> np.ndarray:
    """Parameters (cell, parameter) from which to search for shared ones.

    One random start would have to suit all cells at once. So each cell finds its own way first; then, with the medians
    of the shared parameters held, its other parameters again.
    """
    plain = Recipe("log" if recipe.is_log else "squared")
    options = {"starts": starts, "rng": rng, "steps": steps, "tolerance": tolerance}
    found, _, _ = fit_cells(law, cells, plain, initial=initial, **options)  # type: ignore[arg-type]
    place = [law.parameters.index(name) for name in shared]
    found[:, place] = _middle(found[:, place], each)
    own = [j for j in range(len(law.parameters)) if j not in place]
    if own:
        held = law_of(law.expression, (*law.inputs, *shared), bounds=law.bounds)
        columns = {n: np.broadcast_to(found[:, [j]], cells.target.shape) for n, j in zip(shared, place, strict=True)}
        fixed = Cells({**cells.inputs, **columns}, cells.target, cells.weight, cells.count)
        order = [held.parameters.index(law.parameters[j]) for j in own]
        start = np.empty((1, len(found), len(own)))
        start[0][:, order] = found[:, own]
        again, _, _ = fit_cells(held, fixed, plain, initial=start, **options)  # type: ignore[arg-type]
        found[:, own] = again[:, order]
    return found


def _middle(values: np.ndarray, each: int) -> np.ndarray:
    """The median (cell, ...) over every `each` cells that belong together, of what is finite; one where nothing is."""
    grouped = values.reshape(-1, each, *values.shape[1:])
    lines = np.moveaxis(grouped, 1, -1)
    middle = _medians(lines, np.isfinite(lines), 1.0)[:, None]
    return np.broadcast_to(middle, grouped.shape).reshape(values.shape)


def _medians(lines: np.ndarray, counted: np.ndarray, otherwise: float) -> np.ndarray:
    """The median (...,) of what is counted of each line (..., value); `otherwise` where nothing is."""
    ordered = np.sort(np.where(counted, lines, np.inf), axis=-1)
    number = counted.sum(-1)[..., None]
    ends = [np.take_along_axis(ordered, np.maximum(place, 0), -1)[..., 0] for place in ((number - 1) // 2, number // 2)]
    return np.where(number[..., 0] > 0, 0.5 * (ends[0] + ends[1]), otherwise)


def _easier_fit(
    law: Law,
    cells: Cells,
    recipe: Recipe,
    residuals: Residuals,
    starts: int,
    rng: np.random.Generator,
    steps: int,
    tolerance: float,
) -> np.ndarray | None:
    """Parameters (cell, parameter) from the neighbouring loss, where that one leaves fewer parameters to search.

    A product of powers is linear in logarithms, a sum of powers is linear without them: the fit of the one, with rows
    weighted so that both losses agree near the data, is a good start for the other.
    """
    if not (cells.target > 0).all() or not len(residuals.nonlinear):
        return None
    other = Residuals.of(law, not recipe.is_log)
    if len(other.nonlinear) >= len(residuals.nonlinear):
        return None
    relative = cells.weight * (cells.target**2 if not recipe.is_log else cells.target**-2.0)
    peak = relative.max(axis=1, keepdims=True)
    leaned = Cells(cells.inputs, cells.target, relative / np.where(peak > 0, peak, 1.0), cells.count)
    loss = "squared" if recipe.is_log else "log"
    found, cost, _ = fit_cells(
        law,
        leaned,
        Recipe(loss),
        starts=(starts + 1) // 2,
        rng=rng,
        steps=min(steps, _EASIER_STEPS),
        tolerance=max(tolerance, _EASIER_TOLERANCE),
    )
    return found if np.isfinite(cost).all() else None


def _starts(
    residuals: Residuals,
    cells: Cells,
    recipe: Recipe,
    starts: int,
    rng: np.random.Generator,
    initial: np.ndarray | None,
    each: int = 1,
) -> np.ndarray:
    """Starting points (start, cell, searched) in free coordinates; `each` cells have shared parameters in common."""
    n_cells = len(cells.target)
    found: list[np.ndarray] = []
    names = [residuals.law.parameters[i] for i in residuals.nonlinear]

    def draw(number: int, known: dict[str, np.ndarray]) -> None:
        # A cell's draws look at random rows of its own; each cell has its own share of the stream.
        row = (rng.random((number, n_cells)) * np.maximum(cells.count, 1)).astype(int)
        seen = {name: column[np.arange(n_cells), row] for name, column in cells.inputs.items()}
        want = np.abs(cells.target[np.arange(n_cells), row]) + 1e-12
        if recipe.is_log:
            want = np.abs(np.log(want)) + 0.1
        wants = [*([None] * len(residuals.basis)), want]
        expressions = [*residuals.basis, residuals.offset]
        drawn = draw_starts(expressions, names, residuals.law.bounds, seen, wants, (number, n_cells), rng, known)
        if residuals.is_shared.any():
            first = np.arange(n_cells) // each * each
            drawn[:, :, residuals.is_shared] = drawn[:, first][:, :, residuals.is_shared]
        flat = drawn.reshape(number * n_cells, len(names))
        found.append(residuals.transforms.to_free(flat).reshape(drawn.shape))

    if initial is not None:
        given = initial[:, :, residuals.nonlinear]
        if residuals.is_shared.any():
            for guess in given:
                guess[:, residuals.is_shared] = _middle(guess[:, residuals.is_shared], each)
        for guess in given:
            values = {name: guess[:, j] for j, name in enumerate(names) if np.isfinite(guess[:, j]).all()}
            if len(values) < len(names):
                draw(_SCREENED, {name: np.tile(value, (_SCREENED, 1)) for name, value in values.items()})
            else:
                found.append(residuals.transforms.to_free(guess)[None])
    if starts:
        draw(starts * _SCREENED if names else 1, {})
    return np.concatenate(found)


def _flattened(free: np.ndarray, each: int) -> tuple[np.ndarray, np.ndarray]:
    """(start, cell, searched) as items: cell by cell, or start by start where cells belong together."""
    n_starts, n_cells = free.shape[:2]
    if each > 1:
        return free.reshape(n_starts * n_cells, free.shape[2]), np.tile(np.arange(n_cells), n_starts)
    return np.swapaxes(free, 0, 1).reshape(n_starts * n_cells, free.shape[2]), np.repeat(np.arange(n_cells), n_starts)


def _unflattened(items: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Items laid out cell by cell back to (start, cell, ...)."""
    return np.swapaxes(items.reshape(shape[1], shape[0], *items.shape[1:]), 0, 1)


def _advanced(bound: BoundResiduals, free: np.ndarray, each: int, *, steps: int, tolerance: float) -> np.ndarray:
    """The starts after some steps."""
    flat, cell = _flattened(free, each)
    moved = minimise(bound, flat, cell, cells_each=each, steps=steps, tolerance=tolerance).free
    return moved.reshape(free.shape) if each > 1 else _unflattened(moved, free.shape)


def _best(bound: BoundResiduals, free: np.ndarray, kept: int, each: int) -> np.ndarray:
    """The `kept` starts of lowest cost, for each cell its own, or the same for all where cells belong together."""
    if kept >= len(free):
        return free
    flat, cell = _flattened(free, each)
    cost = minimise(bound, flat, cell, cells_each=each, steps=0).cell_cost
    cost = cost.reshape(free.shape[:2]) if each > 1 else _unflattened(cost, free.shape[:2])
    if each > 1:
        return free[np.argsort(cost.sum(1), kind="stable")[:kept]]
    order = np.argsort(cost, axis=0, kind="stable")[:kept]
    return np.take_along_axis(free, order[:, :, None], 0)


def _sample(cells: Cells) -> np.ndarray:
    """Row indices (cell, sample) evenly spaced in the order of the target, so that both ends are there."""
    order = np.argsort(np.where(cells.weight > 0, cells.target, np.inf), axis=1, kind="stable")
    real = np.maximum((cells.weight > 0).sum(1), 1)
    place = np.round(np.linspace(0.0, 1.0, _SAMPLE)[None] * (real[:, None] - 1)).astype(int)
    return np.take_along_axis(order, place, 1)


def _joined(residuals: Residuals, free: np.ndarray, linear: np.ndarray) -> np.ndarray:
    parameters = np.empty((len(free), len(residuals.law.parameters)))
    parameters[:, residuals.nonlinear] = residuals.transforms.to_parameters(free)[0]
    parameters[:, residuals.linear] = linear
    return parameters


def _values(bound: BoundResiduals, free: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """Unweighted residuals (cell, row) of one item per cell."""
    r = bound.residuals
    with np.errstate(all="ignore"):
        values = bound.bound.forward(r.transforms.to_parameters(free)[0])
        outputs = [values[slot] for slot in r.tape.outputs]
        residual = outputs[-1] - bound.target
        for j, phi in enumerate(outputs[:-1]):
            residual = residual + phi * linear[:, j, None]
    return np.broadcast_to(residual, bound.target.shape)


def _reweighted(
    residuals: Residuals,
    bound: BoundResiduals,
    cells: Cells,
    recipe: Recipe,
    free: np.ndarray,
    parameters: np.ndarray,
    converged: np.ndarray,
    each: int,
    rounds: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Iteratively reweighted fit from a squared one; the threshold stays where the pilot put it."""
    linear = parameters[:, residuals.linear]
    residual = _values(bound, free, linear)
    limit = _threshold(residual, cells.weight, bound.target)
    cost, root = np.full(len(residual), np.inf), bound.root_weight
    for _ in range(rounds):
        ratio = np.abs(residual) / limit
        down = 1.0 / np.maximum(ratio, 1.0) if recipe.robust == "huber" else 1.0 / np.sqrt(1.0 + ratio**2)
        root = bound.root_weight * np.sqrt(np.nan_to_num(down))
        around = BoundResiduals(residuals, bound.bound, bound.target, root)
        solution = minimise(around, free, np.arange(len(free)), cells_each=each, steps=8, tolerance=1e-9)
        free, linear = solution.free, solution.linear
        residual = _values(bound, free, linear)
        new = robust_cost(residual, limit, cells.weight, recipe.robust)
        settled = np.abs(new - cost) <= 1e-9 * np.abs(new)
        cost = new
        if settled.all():
            break
    finite = np.isfinite(cost)
    return _joined(residuals, free, linear), np.where(finite, cost, np.inf), converged & finite, root


def _threshold(residual: np.ndarray, weight: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Residuals (cell, 1) from which on a robust loss counts linearly: 1.345 robust standard deviations."""
    middle = _medians(np.abs(residual), weight > 0, np.inf)
    level = np.where(np.isfinite(middle), 1.4826 * middle, 1.0)
    return (_ROBUST * np.maximum(level, 1e-9 * (1.0 + np.abs(target).max(1))))[:, None]


def _own_cost(law: Law, cells: Cells, recipe: Recipe, parameters: np.ndarray) -> np.ndarray:
    """Cost (cell,) of given parameters on the cells' rows and nothing else; infinite where it is not finite."""
    bound = Residuals.of(law, recipe.is_log, linear=False).bind(cells)
    free = bound.residuals.transforms.to_free(parameters)
    residual = _values(bound, free, np.empty((len(free), 0)))
    if recipe.robust:
        limit = _threshold(residual, cells.weight, bound.target)
        cost = robust_cost(residual, limit, cells.weight, recipe.robust)
    else:
        cost = 0.5 * (cells.weight * residual**2).sum(1)
    return np.where(np.isfinite(cost), cost, np.inf)


def robust_cost(residual: np.ndarray, limit: np.ndarray, weight: np.ndarray, kind: str) -> np.ndarray:
    """Huber or soft-L1 cost (cell,) of residuals (cell, row); quadratic within `limit`, linear beyond."""
    ratio = np.abs(residual) / limit
    if kind == "huber":
        rho = np.where(ratio <= 1.0, 0.5 * ratio**2, ratio - 0.5)
    else:
        rho = np.sqrt(1.0 + ratio**2) - 1.0
    return (weight * rho * limit**2).sum(1)


def _polish(
    law: Law, recipe: Recipe, cells: Cells, target: np.ndarray, root: np.ndarray, parameters: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gauss-Newton steps with an orthogonal factorisation, halved until the cost falls, one cell at a time.

    Normal equations square the condition number; this wins back the digits they lose.
    """
    whole = Residuals.of(law, recipe.is_log, linear=False)
    transforms = Transforms(law.parameter_bounds)
    result, costs = parameters.copy(), np.empty(len(parameters))
    settled = np.zeros(len(parameters), dtype=bool)
    bounds = np.array(law.parameter_bounds)
    for i in range(len(parameters)):
        one = cells.take_cells(np.array([i]))
        bound = whole.tape.bind(one.inputs)

        def at(theta: np.ndarray, b: object = bound, i: int = i) -> tuple[np.ndarray, np.ndarray]:
            return _residual_and_jacobian(whole, b, theta, target[i], root[i])  # type: ignore[arg-type]

        held = near_bounds(parameters[i : i + 1], bounds)[0]
        theta = parameters[i]
        with np.errstate(all="ignore"):
            residual, jacobian = at(theta)
            cost, idle = 0.5 * float(residual @ residual), 0
            for _ in range(30):
                if not np.isfinite(cost) or not np.isfinite(jacobian).all():
                    break
                length = np.linalg.norm(jacobian, axis=0)
                length = np.where((length > 0) & ~held, length, np.inf)
                step = -np.linalg.lstsq(jacobian / length, residual, rcond=1e-15)[0] / length
                free = transforms.to_free(theta[None])
                slope = transforms.to_parameters(free)[1][0]
                moved = False
                for halving in range(6):
                    if transforms.bounded.any():
                        tried = transforms.to_parameters(free + 0.5**halving * step / slope)[0][0]
                        tried = np.where(transforms.bounded, tried, theta + 0.5**halving * step)
                        tried = np.where(held, theta, tried)
                    else:
                        tried = theta + 0.5**halving * step
                    new_residual, new_jacobian = at(tried)
                    new_cost = 0.5 * float(new_residual @ new_residual)
                    if new_cost <= cost * (1.0 + 1e-13):
                        moved = True
                        break
                if not moved:
                    break
                relative = float((np.abs(tried - theta) / (np.abs(theta) + 1e-300))[~held].max(initial=0.0))
                idle = idle + 1 if cost - new_cost <= _IDLE * cost else 0
                theta, residual, jacobian, cost = tried, new_residual, new_jacobian, new_cost
                if relative < 1e-10:
                    settled[i] = True
                    break
            settled[i] |= idle >= 5
        result[i], costs[i] = theta, cost if np.isfinite(cost) else np.inf
    return result, costs, settled


def _residual_and_jacobian(
    whole: Residuals, bound: object, theta: np.ndarray, target: np.ndarray, root: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weighted residual (row,) and Jacobian (row, parameter) of one cell."""
    from discover.law.compiler import Bound

    assert isinstance(bound, Bound)
    values = bound.forward(theta[None])
    out = whole.tape.outputs[-1]
    residual = (np.broadcast_to(values[out], (1, len(target)))[0] - target) * root
    gradient = bound.backward(values, {out: 1.0})
    columns = [np.broadcast_to(g * root, (1, len(target)))[0] for g in gradient]
    return residual, np.stack(columns, axis=1)


def _described(
    law: Law,
    recipe: Recipe,
    rows: Rows,
    cells: Cells,
    parameters: np.ndarray,
    cost: np.ndarray,
    converged: np.ndarray,
    shared: tuple[str, ...],
    prior: Prior | None,
) -> Fit:
    """The Fit with what the rows, and what is known from the neighbours, say about each parameter."""
    told, rows_told, loss = law, cells, recipe
    if prior is not None:
        told, rows_told, loss = with_prior(law, cells, replace(recipe, shared=shared), prior)
    whole = Residuals.of(told, loss.is_log, linear=False)
    target = np.log(rows_told.target) if loss.is_log else rows_told.target
    n = len(parameters)
    condition, errors = np.empty(n), np.empty(parameters.shape)
    status: list[str] = []
    own = len(law.parameters) - len(shared)
    with np.errstate(all="ignore"):
        for i in range(n):
            bound = whole.tape.bind(rows_told.take_cells(np.array([i])).inputs)
            root = np.sqrt(rows_told.weight[i])
            residual, jacobian = _residual_and_jacobian(whole, bound, parameters[i], target[i], root)
            used = int((root > 0).sum())
            weight = None if prior is not None else rows_told.weight[i][root > 0]
            condition[i], errors[i] = spread(jacobian[root > 0], 0.5 * float(residual @ residual), weight)
            if not np.isfinite(cost[i]) or not np.isfinite(residual).all():
                status.append("not finite")
            elif used < max(own, 1) or cells.count[i] == 0:
                status.append("too few rows")
            else:
                status.append(CONVERGED if converged[i] else "step limit")
    at_bounds = near_bounds(parameters, np.array(law.parameter_bounds))
    return Fit(law, recipe, rows.cells, parameters, cost, tuple(status), condition, at_bounds, errors, shared, prior)
