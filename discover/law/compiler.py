"""Laws into numbers: values and Jacobians over a batch, by a tape and its reverse sweep.

A tape holds several outputs over the same inputs and parameters; a subexpression that occurs twice is computed
once, and what reads no parameter is computed once per table of rows, not once per step of a fit. The reverse
sweep costs about as much as two forward sweeps, however many parameters there are.
Griewank and Walther 2008, Evaluating Derivatives, chapter 3 (reverse mode).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from discover.law.expression import ZERO, Call, Expression, Number, Symbol, add, mul, neg, walk
from discover.law.grammar import GRAMMAR

# exp(-690) is the smallest magnitude that log() reports: 0**a then is 0 for a > 0, and its derivative is finite.
_LOWEST_LOG = -690.0
_HALF_ULP = 2.0**-53


def evaluate(expression: Expression, values: Mapping[str, Any]) -> Any:
    """The expression's value for named arrays; plain NumPy semantics, warnings silenced."""
    with np.errstate(all="ignore"):
        return _value(expression, values)


def _value(expression: Expression, values: Mapping[str, Any]) -> Any:
    if isinstance(expression, Number):
        return np.float64(expression.value)
    if isinstance(expression, Symbol):
        return values[expression.name]
    arguments = [_value(argument, values) for argument in expression.arguments]
    function = GRAMMAR[expression.function].numpy
    value = function(*arguments[:2])
    for argument in arguments[2:]:
        value = function(value, argument)
    return value


def evaluate_with_error(expression: Expression, values: Mapping[str, Any]) -> tuple[Any, Any]:
    """The expression's value and a bound on what rounding may have done to it.

    Every operation adds half a unit in the last place, and passes on the errors of its arguments by its partials.
    Source: running error analysis, Higham 2002, section 3.3.
    """
    if not isinstance(expression, Call):
        return evaluate(expression, values), 0.0
    row = GRAMMAR[expression.function]
    (value, error), *rest = (evaluate_with_error(argument, values) for argument in expression.arguments)
    with np.errstate(all="ignore"):
        for joined in [rest] if row.arity is not None else [[pair] for pair in rest]:
            arguments = [value, *(v for v, _ in joined)]
            result = row.numpy(*arguments)
            errors = [error, *(e for _, e in joined)]
            partials = row.partials(result, *arguments)
            carried = sum(np.where(e == 0.0, 0.0, np.abs(p) * e) for p, e in zip(partials, errors, strict=True))
            value, error = result, np.nan_to_num(carried, nan=np.inf) + _HALF_ULP * np.abs(result)
    return value, error


def _guarded_log(x: Any) -> Any:
    return np.maximum(np.log(x), _LOWEST_LOG)  # keeps NaN of a negative x


def _times_exp(log_base: Any, exponent: Any) -> Any:
    return np.exp(exponent * log_base)


# Steps that only the tape has: a power is exp(exponent * log(base)), three times faster than pow and
# differentiable in both arguments from its own value.
_GUARDED_LOG = (_guarded_log, lambda v, x: (1.0 / x,))
_POWER = (_times_exp, lambda v, log_base, exponent: (v * exponent, v * log_base))
_SQUARE = (np.square, lambda v, x: (2.0 * x,))
_RECIPROCAL = (np.reciprocal, lambda v, x: (-v * v,))

_Key = tuple[Any, ...]


@dataclass(frozen=True)
class _Step:
    """One operation: what it computes, from which slots, and which of these lead to a parameter."""

    function: Any
    partials: Any
    arguments: tuple[int, ...]
    live: tuple[bool, ...]
    out: int
    kind: str


class Tape:
    """Several expressions compiled together.

    Args:
        outputs: Expressions over `inputs` and `parameters`.
        inputs: Names of columns.
        parameters: Names of the parameters, the order of the arrays given to `forward`.
    """

    def __init__(self, outputs: Sequence[Expression], inputs: Sequence[str], parameters: Sequence[str]) -> None:
        self.inputs, self.parameters = tuple(inputs), tuple(parameters)
        self._slots: dict[_Key, int] = {}
        self._numbers: dict[int, float] = {}
        self._input_slots: dict[int, str] = {}
        self._parameter_slots: dict[int, int] = {}
        self._live: list[bool] = []
        self._prelude: list[_Step] = []
        self._steps: list[_Step] = []
        self._codes: dict[tuple[str, ...], tuple[np.ndarray, np.ndarray, np.ndarray] | None] = {}
        self.outputs = tuple(self._place(output) for output in outputs)
        self.n_slots = len(self._live)

    def _slot(self, key: _Key, live: bool) -> tuple[int, bool]:
        if key in self._slots:
            return self._slots[key], False
        self._slots[key] = len(self._live)
        self._live.append(live)
        return self._slots[key], True

    def _place(self, node: Expression) -> int:
        if isinstance(node, Number):
            slot, new = self._slot(("number", node.value), False)
            if new:
                self._numbers[slot] = np.float64(node.value)  # NumPy division: by zero is infinite, not an error
            return slot
        if isinstance(node, Symbol):
            is_parameter = node.name in self.parameters
            slot, new = self._slot(("symbol", node.name), is_parameter)
            if new and is_parameter:
                self._parameter_slots[slot] = self.parameters.index(node.name)
            elif new:
                self._input_slots[slot] = node.name
            return slot
        if node.function == "pow":
            return self._place_power(*node.arguments)
        arguments = [self._place(argument) for argument in node.arguments]
        row = GRAMMAR[node.function]
        if row.arity is None:
            # What reads no parameter is joined first, so that it lands in the prelude.
            arguments.sort(key=lambda slot: self._live[slot])
        slot = self._step(node.function, row.numpy, row.partials, arguments[:2])
        for argument in arguments[2:]:
            slot = self._step(node.function, row.numpy, row.partials, [slot, argument])
        return slot

    def _place_power(self, base: Expression, exponent: Expression) -> int:
        below = self._place(base)
        if isinstance(exponent, Number):
            if exponent.value == 2.0:
                return self._step("square", *_SQUARE, [below])
            if exponent.value == -1.0:
                return self._step("reciprocal", *_RECIPROCAL, [below])
            if exponent.value == 0.5:
                row = GRAMMAR["sqrt"]
                return self._step("sqrt", row.numpy, row.partials, [below])
            if exponent.value.is_integer():
                row = GRAMMAR["pow"]
                return self._step("pow", row.numpy, row.partials, [below, self._place(exponent)])
        log_base = self._step("guarded log", *_GUARDED_LOG, [below])
        return self._step("power", *_POWER, [log_base, self._place(exponent)])

    def _step(self, kind: str, function: Any, partials: Any, arguments: list[int]) -> int:
        live = tuple(self._live[a] for a in arguments)
        slot, new = self._slot((kind, *arguments), any(live))
        if new:
            step = _Step(function, partials, tuple(arguments), live, slot, kind)
            (self._steps if any(live) else self._prelude).append(step)
        return slot

    def encoded(self, kinds: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """The steps as numbers for a compiled interpreter; None where a step is of none of `kinds`.

        Returns:
            (step, 4): kind, first and second argument slot, output slot (one argument: the second repeats it);
            (step, 2): whether each argument leads to a parameter; (slot,): whether the slot does.
        """
        kept = tuple(kinds)
        if kept not in self._codes:
            self._codes[kept] = self._encoded(kept)
        return self._codes[kept]

    def _encoded(self, kinds: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        if any(step.kind not in kinds for step in self._steps):
            return None
        ops = np.array(
            [(kinds.index(s.kind), s.arguments[0], s.arguments[-1], s.out) for s in self._steps], dtype=np.int64
        )
        live = np.array([(s.live[0], s.live[-1]) for s in self._steps], dtype=bool)
        return ops.reshape(-1, 4), live.reshape(-1, 2), np.array(self._live, dtype=bool)

    def bind(self, inputs: Mapping[str, np.ndarray]) -> Bound:
        """The tape over given rows: arrays (cell, row) for each input, what reads no parameter already computed."""
        values: list[Any] = [None] * self.n_slots
        for slot, number in self._numbers.items():
            values[slot] = number
        for slot, name in self._input_slots.items():
            values[slot] = inputs[name]
        with np.errstate(all="ignore"):
            for step in self._prelude:
                values[step.out] = step.function(*(values[a] for a in step.arguments))
        needed = {a for step in self._steps for a in step.arguments} | set(self.outputs)
        tables = {s: values[s] for s in needed if not self._live[s] and isinstance(values[s], np.ndarray)}
        constants = {s: values[s] for s in needed if not self._live[s] and s not in tables}
        return Bound(self, tables, constants)


@dataclass(frozen=True)
class Bound:
    """A tape with its inputs: what depends on rows alone is in `tables` (cell, row)."""

    tape: Tape
    tables: dict[int, np.ndarray]
    constants: dict[int, Any]

    def take(self, cells: np.ndarray) -> Bound:
        """The same for a batch whose items read the given cells: tables (batch, row)."""
        tables = {s: (t if t.shape[0] == 1 else t[cells]) for s, t in self.tables.items()}
        return Bound(self.tape, tables, self.constants)

    def forward(self, parameters: np.ndarray) -> list[Any]:
        """All slots' values for parameters (batch, parameter); an output is (batch, row) or broadcasts to it."""
        values: list[Any] = [None] * self.tape.n_slots
        for slot, table in self.tables.items():
            values[slot] = table
        for slot, constant in self.constants.items():
            values[slot] = constant
        for slot, column in self.tape._parameter_slots.items():
            values[slot] = parameters[:, column, None]
        for step in self.tape._steps:
            arguments = step.arguments
            if len(arguments) == 1:
                values[step.out] = step.function(values[arguments[0]])
            else:
                values[step.out] = step.function(values[arguments[0]], values[arguments[1]])
        return values

    def backward(self, values: list[Any], seeds: Mapping[int, Any]) -> list[Any]:
        """Derivatives of sum(seed * output) with respect to each parameter.

        Args:
            values: What `forward` gave.
            seeds: Output slot -> array (batch, 1) or a number.

        Returns:
            One entry per parameter, (batch, row) or what broadcasts to it; 0.0 where an output does not read it.
        """
        adjoints: dict[int, Any] = {}
        for slot, seed in seeds.items():
            adjoints[slot] = adjoints[slot] + seed if slot in adjoints else seed
        for step in reversed(self.tape._steps):
            adjoint = adjoints.pop(step.out, None)
            if adjoint is None:
                continue
            arguments = step.arguments
            if step.kind == "add":
                parts: tuple[Any, ...] = (adjoint, adjoint)
            elif step.kind == "mul":
                a, b = arguments
                parts = (
                    adjoint * values[b] if step.live[0] else None,
                    adjoint * values[a] if step.live[1] else None,
                )
            else:
                partials = step.partials(values[step.out], *(values[a] for a in arguments))
                parts = tuple(adjoint * p if alive else None for p, alive in zip(partials, step.live, strict=True))
            for slot, part, alive in zip(arguments, parts, step.live, strict=True):
                if alive:
                    adjoints[slot] = adjoints[slot] + part if slot in adjoints else part
        gradient: list[Any] = [0.0] * len(self.tape.parameters)
        for slot, column in self.tape._parameter_slots.items():
            gradient[column] = adjoints.get(slot, 0.0)
        return gradient


def linear_parts(
    expression: Expression, parameters: Sequence[str], keep_nonlinear: Sequence[str] = ()
) -> tuple[tuple[str, ...], tuple[Expression, ...], Expression]:
    """Splits a law into what is linear in some parameters: expression = offset + sum(parameter * basis).

    A parameter that occurs once, below sums and products alone, can be linear; of two factors that could be, the
    one with more linear parameters is chosen.

    Returns:
        Names of the linear parameters, their basis expressions, and the offset; none of these reads a linear one.
    """
    counts: dict[str, int] = {}
    for node in walk(expression):
        if isinstance(node, Symbol):
            counts[node.name] = counts.get(node.name, 0) + 1
    able = {p for p in parameters if counts.get(p) == 1 and p not in keep_nonlinear}

    def split(node: Expression) -> tuple[dict[str, Expression], Expression]:
        if isinstance(node, Symbol) and node.name in able:
            return {node.name: Number(1.0)}, ZERO
        if not isinstance(node, Call):
            return {}, node
        if node.function in ("add", "sub", "neg"):
            basis: dict[str, Expression] = {}
            rest: list[Expression] = []
            for index, argument in enumerate(node.arguments):
                flip = node.function == "neg" or (node.function == "sub" and index == 1)
                inner, offset = split(argument)
                basis.update({p: neg(b) if flip else b for p, b in inner.items()})
                rest.append(neg(offset) if flip and offset != ZERO else offset)
            return basis, add(*rest)
        if node.function == "mul":
            parts = [split(argument) for argument in node.arguments]
            chosen = max(range(len(parts)), key=lambda i: len(parts[i][0]))
            inner, offset = parts[chosen]
            others = [a for i, a in enumerate(node.arguments) if i != chosen]
            return {p: mul(b, *others) for p, b in inner.items()}, mul(offset, *others)
        if node.function == "div":
            inner, offset = split(node.arguments[0])
            below = node.arguments[1]
            quotient = ZERO if offset == ZERO else Call("div", (offset, below))
            return {p: Call("div", (b, below)) for p, b in inner.items()}, quotient
        return {}, node

    basis, offset = split(expression)
    return tuple(basis), tuple(basis.values()), offset


def log_of(node: Expression) -> Expression:
    """log(node), taken apart where a product, quotient, power or exponential lets it be linear."""
    if isinstance(node, Number) and node.value > 0:
        return Number(float(np.log(node.value)))
    if isinstance(node, Call):
        if node.function == "exp":
            return node.arguments[0]
        if node.function == "mul":
            return add(*(log_of(argument) for argument in node.arguments))
        if node.function == "div":
            return Call("sub", (log_of(node.arguments[0]), log_of(node.arguments[1])))
        if node.function == "pow" and not (isinstance(node.arguments[1], Number) and node.arguments[1].value % 2 == 0):
            return mul(node.arguments[1], log_of(node.arguments[0]))
    return Call("log", (node,))
