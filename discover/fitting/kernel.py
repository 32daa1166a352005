"""The batch of small fits, compiled: the same steps as `levenberg_marquardt` without Python between them.

Numba compiles this file once, for every law: a law enters as the list of steps of its tape, not as code. It is used
where Numba is installed (`pip install discover-scaling-laws[fast]`); everywhere else the NumPy version runs, which is
the reference that the tests compare with. Every problem stops by itself, so that the laggards of a batch cost nothing.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_JIT = {"cache": True, "nogil": True, "error_model": "numpy"}
# Sums may be taken in any order, so that they use the whole width of the machine; NaN and infinity keep their meaning.
_SUMS = {**_JIT, "fastmath": {"reassoc", "contract"}}

# Step kinds of the tape, in the order of their codes; laws with rarer functions take the NumPy path, since each kind
# costs a second of compilation.
KINDS = (
    "add", "sub", "mul", "div", "neg", "pow", "exp", "log", "sqrt", "tanh", "sigmoid", "abs", "min", "max",
    "guarded log", "power", "square", "reciprocal",
)  # fmt: skip
(
    ADD, SUB, MUL, DIV, NEG, POW, EXP, LOG, SQRT, TANH, SIGMOID, ABS, MIN, MAX,
    GUARDED_LOG, POWER, SQUARE, RECIPROCAL,
) = range(len(KINDS))  # fmt: skip
FREE, RISING, FALLING, BOTH = range(4)

_LOWEST_LOG = -690.0
_DEPENDENT = 1e-14
# log 2 in two parts, the first exact times any exponent; to add the third rounds to a whole number, which then stands
# in the lowest bits.
_LOG2_HIGH, _LOG2_LOW, _TO_WHOLE = 6.93147180369123816490e-01, 1.90821492927058770002e-10, 1.5 * 2.0**52


@njit(**_JIT)
def _exp(x):  # type: ignore[no-untyped-def]
    """exp(x) without a branch, so that rows are taken several at a time: within a unit in the last place; 0 below -708,
    infinity from 709 on.

    Source: reduction to |r| <= log(2)/2 and a power of two (Cody and Waite 1980), then the Taylor series, whose next
    term is under 5e-18.
    """
    shifted = x * 1.4426950408889634 + _TO_WHOLE
    whole = shifted - _TO_WHOLE
    r = (x - whole * _LOG2_HIGH) - whole * _LOG2_LOW
    tail = 1 / 362880 + r * (1 / 3628800 + r * (1 / 39916800 + r * (1 / 479001600 + r * (1 / 6227020800))))
    tail = 1 / 24 + r * (1 / 120 + r * (1 / 720 + r * (1 / 5040 + r * (1 / 40320 + r * tail))))
    series = 1.0 + (r + r * r * (0.5 + r * (1 / 6 + r * tail)))
    value = series * np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)
    value = 0.0 if x < -708.0 else value
    return np.inf if x > 709.0 else value


@njit(**_JIT)
def _log(x):  # type: ignore[no-untyped-def]
    """log(x) without a branch, as `_exp`; NaN below 0, -inf at 0.

    Source: x = 2**k (1 + f), s = f/(2 + f), log(1 + f) = 2 atanh(s) (Cody and Waite 1980) as a series in s**2, whose
    next term is under 1e-17 of the sum for 1 + f between 1/sqrt(2) and sqrt(2).
    """
    tiny = x < 2.2250738585072014e-308
    bits = np.float64(x * 2.0**54 if tiny else x).view(np.int64)
    exponent = (bits - 0x3FE6A09E667F3BCD) >> 52
    f = np.int64(bits - (exponent << 52)).view(np.float64) - 1.0
    whole = np.int64(exponent + 0x4338000000000000).view(np.float64) - _TO_WHOLE
    whole -= 54.0 if tiny else 0.0
    s = f / (2.0 + f)
    z = s * s
    tail = 2 / 13 + z * (2 / 15 + z * (2 / 17 + z * (2 / 19 + z * (2 / 21))))
    tail = z * (2 / 3 + z * (2 / 5 + z * (2 / 7 + z * (2 / 9 + z * (2 / 11 + z * tail)))))
    half = 0.5 * f * f
    value = whole * _LOG2_HIGH - ((half - (s * (half + tail) + whole * _LOG2_LOW)) - f)
    value = value if x < np.inf else x  # infinity and NaN
    return np.nan if x < 0.0 else (-np.inf if x == 0.0 else value)


@njit(**_JIT)
def _forward(ops, work, rows):  # type: ignore[no-untyped-def]
    """Fills the slots (slot, row) of `work` that steps compute."""
    for s in range(ops.shape[0]):
        kind, a, b, o = ops[s, 0], ops[s, 1], ops[s, 2], ops[s, 3]
        if kind == ADD:
            for r in range(rows):
                work[o, r] = work[a, r] + work[b, r]
        elif kind == SUB:
            for r in range(rows):
                work[o, r] = work[a, r] - work[b, r]
        elif kind == MUL:
            for r in range(rows):
                work[o, r] = work[a, r] * work[b, r]
        elif kind == DIV:
            for r in range(rows):
                work[o, r] = work[a, r] / work[b, r]
        elif kind == NEG:
            for r in range(rows):
                work[o, r] = -work[a, r]
        elif kind == POWER:
            for r in range(rows):
                work[o, r] = _exp(work[a, r] * work[b, r])
        elif kind == GUARDED_LOG:
            for r in range(rows):
                value = _log(work[a, r])
                work[o, r] = _LOWEST_LOG if value < _LOWEST_LOG else value
        elif kind == EXP:
            for r in range(rows):
                work[o, r] = _exp(work[a, r])
        elif kind == LOG:
            for r in range(rows):
                work[o, r] = _log(work[a, r])
        elif kind == SQUARE:
            for r in range(rows):
                work[o, r] = work[a, r] * work[a, r]
        elif kind == RECIPROCAL:
            for r in range(rows):
                work[o, r] = 1.0 / work[a, r]
        elif kind == SQRT:
            for r in range(rows):
                work[o, r] = math.sqrt(work[a, r])
        elif kind == POW:
            for r in range(rows):
                work[o, r] = work[a, r] ** work[b, r]
        elif kind == TANH:
            for r in range(rows):
                work[o, r] = math.tanh(work[a, r])
        elif kind == SIGMOID:
            for r in range(rows):
                work[o, r] = 1.0 / (1.0 + _exp(-work[a, r]))
        elif kind == ABS:
            for r in range(rows):
                work[o, r] = abs(work[a, r])
        elif kind == MIN:
            for r in range(rows):
                x, y = work[a, r], work[b, r]
                work[o, r] = x if x <= y or x != x else y
        elif kind == MAX:
            for r in range(rows):
                x, y = work[a, r], work[b, r]
                work[o, r] = x if x >= y or x != x else y


@njit(**_JIT)
def _backward(ops, live, work, adjoint, rows):  # type: ignore[no-untyped-def]
    """Spreads adjoints (slot, row) from the outputs to the parameters; `live` (step, 2): which arguments lead there."""
    for s in range(ops.shape[0] - 1, -1, -1):
        kind, a, b, o = ops[s, 0], ops[s, 1], ops[s, 2], ops[s, 3]
        first, second = live[s, 0], live[s, 1]
        if kind == ADD:
            if first:
                for r in range(rows):
                    adjoint[a, r] += adjoint[o, r]
            if second:
                for r in range(rows):
                    adjoint[b, r] += adjoint[o, r]
        elif kind == SUB:
            if first:
                for r in range(rows):
                    adjoint[a, r] += adjoint[o, r]
            if second:
                for r in range(rows):
                    adjoint[b, r] -= adjoint[o, r]
        elif kind == MUL:
            if first:
                for r in range(rows):
                    adjoint[a, r] += adjoint[o, r] * work[b, r]
            if second:
                for r in range(rows):
                    adjoint[b, r] += adjoint[o, r] * work[a, r]
        elif kind == DIV:
            if first:
                for r in range(rows):
                    adjoint[a, r] += adjoint[o, r] / work[b, r]
            if second:
                for r in range(rows):
                    adjoint[b, r] -= adjoint[o, r] * work[o, r] / work[b, r]
        elif kind == NEG:
            for r in range(rows):
                adjoint[a, r] -= adjoint[o, r]
        elif kind == POWER:
            if first:
                for r in range(rows):
                    adjoint[a, r] += adjoint[o, r] * work[o, r] * work[b, r]
            if second:
                for r in range(rows):
                    adjoint[b, r] += adjoint[o, r] * work[o, r] * work[a, r]
        elif kind == GUARDED_LOG or kind == LOG:
            for r in range(rows):
                adjoint[a, r] += adjoint[o, r] / work[a, r]
        elif kind == EXP:
            for r in range(rows):
                adjoint[a, r] += adjoint[o, r] * work[o, r]
        elif kind == SQUARE:
            for r in range(rows):
                adjoint[a, r] += adjoint[o, r] * 2.0 * work[a, r]
        elif kind == RECIPROCAL:
            for r in range(rows):
                adjoint[a, r] -= adjoint[o, r] * work[o, r] * work[o, r]
        elif kind == SQRT:
            for r in range(rows):
                adjoint[a, r] += adjoint[o, r] * 0.5 / work[o, r]
        elif kind == POW:
            if first:
                for r in range(rows):
                    adjoint[a, r] += adjoint[o, r] * work[b, r] * work[a, r] ** (work[b, r] - 1.0)
            if second:
                for r in range(rows):
                    if work[a, r] > 0.0:
                        adjoint[b, r] += adjoint[o, r] * work[o, r] * math.log(work[a, r])
        elif kind == TANH:
            for r in range(rows):
                adjoint[a, r] += adjoint[o, r] * (1.0 - work[o, r] * work[o, r])
        elif kind == SIGMOID:
            for r in range(rows):
                adjoint[a, r] += adjoint[o, r] * work[o, r] * (1.0 - work[o, r])
        elif kind == ABS:
            for r in range(rows):
                adjoint[a, r] += adjoint[o, r] if work[a, r] > 0.0 else -adjoint[o, r]
        elif kind == MIN or kind == MAX:
            for r in range(rows):
                takes_x = work[a, r] <= work[b, r] if kind == MIN else work[a, r] >= work[b, r]
                if takes_x and first:
                    adjoint[a, r] += adjoint[o, r]
                if not takes_x and second:
                    adjoint[b, r] += adjoint[o, r]


@njit(**_JIT)
def _solve(matrix, right):  # type: ignore[no-untyped-def]
    """Solves in place a positive semidefinite system (n, n) for columns (n, m); dependent unknowns become zero."""
    n, m = right.shape
    inverse = np.empty(n)
    for j in range(n):
        pivot = matrix[j, j]
        for k in range(j):
            if inverse[k] > 0.0:
                pivot -= matrix[j, k] * matrix[j, k] / inverse[k]
        alive = pivot > _DEPENDENT * matrix[j, j]
        inverse[j] = 1.0 / pivot if alive else 0.0
        for i in range(j + 1, n):
            entry = matrix[j, i]
            for k in range(j):
                if inverse[k] > 0.0:
                    entry -= matrix[i, k] * matrix[j, k] / inverse[k]
            matrix[i, j] = entry * inverse[j]
    for c in range(m):
        for j in range(n):
            for k in range(j):
                right[j, c] -= matrix[j, k] * right[k, c]
        for j in range(n):
            right[j, c] *= inverse[j]
        for j in range(n - 1, -1, -1):
            for i in range(j + 1, n):
                right[j, c] -= matrix[i, j] * right[i, c]
            if inverse[j] == 0.0:
                right[j, c] = 0.0


@njit(**_SUMS)
def _linear(basis, wanted, rows, lower, upper, left, beta, held):  # type: ignore[no-untyped-def]
    """Solves the linear parameters; leaves the Gram matrix in `left`, those held at a bound in `held`."""
    n = basis.shape[0]
    matrix, right, pull = np.empty((n, n)), np.zeros((n, 1)), np.empty(n)
    for j in range(n):
        held[j] = False
        total = 0.0
        for r in range(rows):
            total += basis[j, r] * wanted[r]
        right[j, 0] = total
        pull[j] = total
        for i in range(j + 1):
            total = 0.0
            for r in range(rows):
                total += basis[i, r] * basis[j, r]
            left[i, j] = total
            left[j, i] = total
    for i in range(n):
        for j in range(n):
            matrix[i, j] = left[i, j]
    _solve(matrix, right)
    for j in range(n):
        beta[j] = right[j, 0]
    # One round of refinement: normal equations alone lose the digits that a flat basis has in common.
    for j in range(n):
        right[j, 0] = 0.0
    for r in range(rows):
        rest = wanted[r]
        for j in range(n):
            rest -= beta[j] * basis[j, r]
        for j in range(n):
            right[j, 0] += basis[j, r] * rest
    for i in range(n):
        for j in range(n):
            matrix[i, j] = left[i, j]
    _solve(matrix, right)
    for j in range(n):
        if math.isfinite(right[j, 0]):
            beta[j] += right[j, 0]
    for _ in range(n):
        worst, most = -1, 0.0
        for j in range(n):
            if not held[j]:
                excess = max(lower[j] - beta[j], beta[j] - upper[j]) * math.sqrt(left[j, j])
                if excess > most:
                    worst, most = j, excess
        if worst < 0:
            break
        held[worst] = True
        beta[worst] = lower[worst] if beta[worst] < lower[worst] else upper[worst]
        for j in range(n):
            right[j, 0] = 0.0
            if not held[j]:
                right[j, 0] = pull[j]
                for i in range(n):
                    if held[i]:
                        right[j, 0] -= left[j, i] * beta[i]
            for i in range(n):
                matrix[i, j] = 0.0 if held[i] or held[j] else left[i, j]
        _solve(matrix, right)
        for j in range(n):
            if not held[j]:
                beta[j] = right[j, 0]
    for j in range(n):
        beta[j] = min(max(beta[j], lower[j]), upper[j])


# Inlined, for to hand over some thirty arrays takes as long as a few rows do.
@njit(inline="always", **_SUMS)
def _evaluate(  # type: ignore[no-untyped-def]
    ops, live, is_live, work, adjoint, parameter_slots, basis_slots, offset_slot, target, root, c, rows,
    codes, lower, upper, linear_lower, linear_upper, free, derivatives, bar, beta, gram, gradient, norms,
    basis, wanted, columns, left, held,
):  # fmt: skip
    """Cost at one point of one item; fills the solved parameters and, where derivatives are wanted and the cost is
    below `bar`, the reduced Gauss-Newton system."""
    n, m = free.shape[0], basis_slots.shape[0]
    slope = np.ones(n)
    for j in range(n):
        value = free[j]
        if codes[j] == RISING or codes[j] == FALLING:
            distance = math.exp(min(max(value, -600.0), 600.0))
            if codes[j] == RISING:
                value, slope[j] = lower[j] + distance, distance
            else:
                value, slope[j] = upper[j] - distance, -distance
        elif codes[j] == BOTH:
            part = 0.5 * (1.0 + math.tanh(0.5 * min(max(value, -80.0), 80.0)))
            width = upper[j] - lower[j]
            value, slope[j] = lower[j] + width * part, width * part * (1.0 - part)
        slot = parameter_slots[j]
        for r in range(rows):
            work[slot, r] = value
    _forward(ops, work, rows)
    for j in range(m):
        slot = basis_slots[j]
        for r in range(rows):
            basis[j, r] = work[slot, r] * root[c, r]
    for r in range(rows):
        wanted[r] = (target[c, r] - work[offset_slot, r]) * root[c, r]
    if m:
        _linear(basis, wanted, rows, linear_lower, linear_upper, left, beta, held)
    cost = 0.0
    for r in range(rows):
        value = -wanted[r]
        for j in range(m):
            value += beta[j] * basis[j, r]
        wanted[r] = value
        cost += value * value
    cost *= 0.5
    if not math.isfinite(cost):
        return np.inf
    if not derivatives or cost >= bar:
        return cost
    for s in range(is_live.shape[0]):
        if is_live[s]:
            seed = 1.0 if s == offset_slot else 0.0
            for j in range(m):
                if basis_slots[j] == s:
                    seed += beta[j]
            for r in range(rows):
                adjoint[s, r] = seed
    _backward(ops, live, work, adjoint, rows)
    for j in range(n):
        slot = parameter_slots[j]
        total = 0.0
        for r in range(rows):
            value = adjoint[slot, r] * root[c, r] * slope[j]
            columns[j, r] = value
            total += value * wanted[r]
        gradient[j] = total
        for i in range(j + 1):
            total = 0.0
            for r in range(rows):
                total += columns[i, r] * columns[j, r]
            gram[i, j] = total
            gram[j, i] = total
        norms[j] = gram[j, j]
    if m and n:
        cross, solved, matrix = np.zeros((m, n)), np.zeros((m, n)), np.empty((m, m))
        for i in range(m):
            for j in range(n):
                total = 0.0
                if not held[i]:
                    for r in range(rows):
                        total += basis[i, r] * columns[j, r]
                cross[i, j] = total
                solved[i, j] = total
            for j in range(m):
                matrix[i, j] = 0.0 if held[i] or held[j] else left[i, j]
        _solve(matrix, solved)
        for i in range(n):
            for j in range(n):
                for k in range(m):
                    gram[i, j] -= cross[k, i] * solved[k, j]
    for i in range(n):
        if not math.isfinite(gradient[i]):
            return np.inf
        for j in range(n):
            if not math.isfinite(gram[i, j]):
                return np.inf
    return cost


@njit(**_JIT)
def _step(gram, gradient, norms, damping, own, common, scratch, solved, step):  # type: ignore[no-untyped-def]
    """The damped Gauss-Newton step (cell, searched) of one problem.

    Each cell's own parameters are eliminated, the common ones solved for, and the own ones found by going back.
    """
    cells = gradient.shape[0]
    p, q = own.shape[0], common.shape[0]
    total, pull = np.zeros((q, q)), np.zeros((q, 1))
    for k in range(cells):
        for i in range(p):
            a = own[i]
            for j in range(p):
                scratch[i, j] = gram[k, a, own[j]]
            scratch[i, i] += damping * (max(gram[k, a, a], 1e-10 * norms[k, a]) + 1e-290)
            for j in range(q):
                solved[k, i, j] = gram[k, a, common[j]]
            solved[k, i, q] = -gradient[k, a]
        _solve(scratch, solved[k])
        for i in range(q):
            a = common[i]
            pull[i, 0] -= gradient[k, a]
            for j in range(p):
                pull[i, 0] -= gram[k, own[j], a] * solved[k, j, q]
            for j in range(q):
                total[i, j] += gram[k, a, common[j]]
                for r in range(p):
                    total[i, j] -= gram[k, own[r], a] * solved[k, r, j]
            total[i, i] += damping * (max(gram[k, a, a], 1e-10 * norms[k, a]) + 1e-290)
    _solve(total, pull)
    for k in range(cells):
        for j in range(q):
            step[k, common[j]] = pull[j, 0]
        for i in range(p):
            value = solved[k, i, q]
            for j in range(q):
                value -= solved[k, i, j] * pull[j, 0]
            step[k, own[i]] = value


@njit(**_JIT)
def _is_flat(gradient, norms, costs, own, common, limit):  # type: ignore[no-untyped-def]
    """Whether the residuals stand upright on every column: of each cell for its own, of all cells for common ones."""
    cells = gradient.shape[0]
    for i in own:
        for k in range(cells):
            if not abs(gradient[k, i]) <= limit * math.sqrt(norms[k, i] * 2.0 * costs[k]) + 1e-290:
                return False
    for i in common:
        slope, length, cost = 0.0, 0.0, 0.0
        for k in range(cells):
            slope += gradient[k, i]
            length += norms[k, i]
            cost += costs[k]
        if not abs(slope) <= limit * math.sqrt(length * 2.0 * cost) + 1e-290:
            return False
    return True


@njit(**_SUMS)
def minimise_items(  # type: ignore[no-untyped-def]
    ops, live, is_live, table_slots, tables, constant_slots, constants, parameter_slots, basis_slots, offset_slot,
    target, root, counts, codes, lower, upper, linear_lower, linear_upper,
    free, cell, each, own, common, steps, tolerance, small_gradient, nothing, longest_step,
    beta_out, cost_out, converged,
):  # fmt: skip
    """Runs every problem in place until it converges or `steps` are done.

    A problem is `each` items (item, searched) of `free`, side by side, with the columns `common` alike in all of them
    and the columns `own` free in each; mostly one item with columns of its own. With `steps` 0 only the costs and
    linear parameters at `free` are computed. Tables are (table, cell or 1, row), target and root weight (cell or item,
    row), counts the rows of each that are not padding.
    """
    n, m, slots = free.shape[1], basis_slots.shape[0], is_live.shape[0]
    width = target.shape[1]
    work, adjoint = np.empty((slots, width)), np.empty((slots, width))
    basis, wanted, columns = np.empty((m, width)), np.empty(width), np.empty((n, width))
    beta, new_beta = np.empty((each, m)), np.empty((each, m))
    gram, new_gram = np.zeros((each, n, n)), np.zeros((each, n, n))
    gradient, new_gradient = np.zeros((each, n)), np.zeros((each, n))
    norms, new_norms = np.zeros((each, n)), np.zeros((each, n))
    costs, new_costs = np.empty(each), np.empty(each)
    left, held = np.empty((m, m)), np.zeros(m, np.bool_)
    trial, step = np.empty((each, n)), np.zeros((each, n))
    scratch = np.empty((own.shape[0], own.shape[0]))
    solved = np.empty((each, own.shape[0], common.shape[0] + 1))
    before = -1
    for problem in range(free.shape[0] // each):
        first = problem * each
        converged[problem] = False
        cost, expected, damping, factor, small = np.inf, 0.0, 1e-2, 2.0, 0
        for k in range(each):
            costs[k] = np.inf
            for i in range(n):
                trial[k, i] = free[first + k, i]
        # Round 0 looks at the starting point; every later one tries a step.
        for tried in range(steps + 1):
            new_cost = 0.0
            for k in range(each):
                c = cell[first + k]
                rows = counts[c]
                if c != before:
                    from_cell = c if tables.shape[1] > 1 else 0
                    for t in range(table_slots.shape[0]):
                        for r in range(rows):
                            work[table_slots[t], r] = tables[t, from_cell, r]
                    for t in range(constant_slots.shape[0]):
                        for r in range(rows):
                            work[constant_slots[t], r] = constants[t]
                    before = c
                new_costs[k] = _evaluate(
                    ops, live, is_live, work, adjoint, parameter_slots, basis_slots, offset_slot, target, root, c,
                    rows, codes, lower, upper, linear_lower, linear_upper, trial[k], steps > 0, cost, new_beta[k],
                    new_gram[k], new_gradient[k], new_norms[k], basis, wanted, columns, left, held,
                )  # fmt: skip
                new_cost += new_costs[k]
                if not math.isfinite(new_cost):
                    break
            gain = cost - new_cost
            better = math.isfinite(new_cost) and gain > 0.0
            if tried == 0 and not better:
                break
            if better:
                if tried > 0:
                    ratio = min(gain / max(expected, 1e-200), 2.0)
                    damping *= min(max(1.0 - (2.0 * ratio - 1.0) ** 3, 0.1), 1.0)
                    factor = 2.0
                    small = small + 1 if gain <= tolerance * cost else 0
                cost = new_cost
                for k in range(each):
                    costs[k] = new_costs[k]
                    for i in range(n):
                        free[first + k, i] = trial[k, i]
                        gradient[k, i] = new_gradient[k, i]
                        norms[k, i] = new_norms[k, i]
                        for j in range(n):
                            gram[k, i, j] = new_gram[k, i, j]
                    for j in range(m):
                        beta[k, j] = new_beta[k, j]
            else:
                damping *= factor
                factor *= 2.0
                small = 0
            damping = min(max(damping, 1e-14), 1e14)
            if n == 0:
                converged[problem] = True
                break
            still = tried > 0
            for k in range(each):
                for i in range(n):
                    still = still and abs(step[k, i]) < 1e-11 * (abs(free[first + k, i]) + 1e-8)
            flat = _is_flat(gradient, norms, costs, own, common, small_gradient)
            enough = small >= (2 if tolerance < 1e-9 else 1)
            if steps > 0 and (flat or still or enough or cost == 0.0 or (not better and damping > 1e10)):
                converged[problem] = True
                break
            _step(gram, gradient, norms, damping, own, common, scratch, solved, step)
            expected = 0.0
            for k in range(each):
                for i in range(n):
                    value = step[k, i]
                    if codes[i] != FREE:
                        value = min(max(value, -longest_step), longest_step)
                    if not math.isfinite(value):
                        value = 0.0
                    step[k, i] = value
                    trial[k, i] = free[first + k, i] + value
                for i in range(n):
                    expected -= step[k, i] * gradient[k, i]
                    for j in range(n):
                        expected -= 0.5 * step[k, i] * gram[k, i, j] * step[k, j]
            if steps > 0 and damping <= 1e-3 and expected <= nothing * cost:
                converged[problem] = True
                break
        for k in range(each):
            cost_out[first + k] = costs[k]
            for j in range(m):
                beta_out[first + k, j] = beta[k, j] if math.isfinite(cost) else 0.0
