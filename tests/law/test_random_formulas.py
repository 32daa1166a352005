"""Promises that hold for every formula, tried on random ones.

A formula is drawn here as nested tuples, so that its text and its value (mpmath, 80 digits) come from this
file and not from the code under test. Rounding that a formula amplifies is measured, not guessed: every value
inside it is shaken by a known relative amount, and the law may be off by as much as that moves the result.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from discover.law import parse
from discover.law.compiler import Tape, evaluate, evaluate_with_error, linear_parts, log_of
from tests.exact import FUNCTIONS

INPUTS = ("N", "D")
PARAMETERS = ("E", "alpha", "beta", "gamma", "lambda_")
NUMBERS = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 10.0)
OPERATORS = {"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow"}
SHAKE = 1e-11  # relative

Tree = Any  # str (a name) | float | ("neg", tree) | (operator or function, tree, ...)


leaves = st.sampled_from(INPUTS + PARAMETERS) | st.sampled_from(NUMBERS)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/", "+", "*"]), inner, inner),
        st.tuples(st.just("**"), inner, inner),
        st.tuples(st.just("neg"), inner),
        st.tuples(st.sampled_from([f for f in FUNCTIONS if f not in ("min", "max")]), inner),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner),
    ),
    max_leaves=10,
)
seeds = st.integers(0, 2**32 - 1)
thorough = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.filter_too_much]
)


def text_of(tree: Tree) -> str:
    """The tree with every bracket written."""
    if isinstance(tree, str):
        return tree
    if isinstance(tree, float):
        return repr(tree)
    head, *rest = tree
    inner = [text_of(child) for child in rest]
    if head == "neg":
        return f"(-{inner[0]})"
    return f"({inner[0]} {head} {inner[1]})" if head in OPERATORS else f"{head}({', '.join(inner)})"


def names(tree: Tree) -> set[str]:
    if isinstance(tree, str):
        return {tree}
    return set() if isinstance(tree, float) else set().union(*(names(child) for child in tree[1:]))


class Undefined(Exception):
    """The formula has no real value there."""


def value_of(tree: Tree, values: dict[str, Any], shaken: np.random.Generator | None = None) -> Any:
    """The tree's value in 80 digits, every value inside it shaken where a generator is given."""
    if isinstance(tree, str):
        result = values[tree]
    elif isinstance(tree, float):
        result = mpmath.mpf(tree)
    else:
        head, *rest = tree
        a, *b = (value_of(child, values, shaken) for child in rest)
        try:
            if head == "neg":
                result = -a
            elif head == "+":
                result = a + b[0]
            elif head == "-":
                result = a - b[0]
            elif head == "*":
                result = a * b[0]
            elif head == "/":
                result = a / b[0]
            elif head == "**":
                if not 1e-9 < a < 1e9 or abs(b[0]) > 1e3:
                    raise Undefined
                result = a ** b[0]
            else:
                if abs(a) > 1e4:  # sin, gamma and exp of more than that are not worth comparing
                    raise Undefined
                result = FUNCTIONS[head](a, *b)
        except (ZeroDivisionError, ValueError, OverflowError):
            raise Undefined from None
    if isinstance(result, mpmath.mpc) or not mpmath.isfinite(result) or abs(result) > 1e60:
        raise Undefined
    if shaken is not None:
        result *= 1 + mpmath.mpf(SHAKE * shaken.uniform(-1, 1))
    return result


@dataclass(frozen=True)
class Expected:
    """A number and how far rounding inside the formula may carry it."""

    value: float
    tolerance: float

    def meets(self, actual: float) -> bool:
        return abs(actual - self.value) <= self.tolerance


def expected(quantity: Callable[[np.random.Generator | None], Any], rng: np.random.Generator) -> Expected:
    exact = quantity(None)
    moved = max(abs(quantity(rng) - exact) for _ in range(4))
    return Expected(float(exact), float(10 * moved + 1e-12 * abs(exact) + mpmath.mpf("1e-40")))


def expected_slope(tree: Tree, values: dict[str, Any], name: str, rng: np.random.Generator) -> Expected:
    """The derivative by a name: the sum over its occurrences, which may cancel, of central differences."""
    places = itertools.count()

    def marked(node: Tree) -> Tree:
        if isinstance(node, tuple):
            return (node[0], *(marked(child) for child in node[1:]))
        return f"{name} {next(places)}" if node == name else node

    apart, step = marked(tree), mpmath.mpf(10) ** -25
    occurrences = [f"{name} {i}" for i in range(next(places))]
    values = {**values, **dict.fromkeys(occurrences, values[name])}

    def slope(place: str) -> Callable[[np.random.Generator | None], Any]:
        def difference(shaken: np.random.Generator | None) -> Any:
            state = None if shaken is None else shaken.bit_generator.state
            up = value_of(apart, {**values, place: values[name] + step}, shaken)
            if shaken is not None:
                shaken.bit_generator.state = state
            return (up - value_of(apart, {**values, place: values[name] - step}, shaken)) / (2 * step)

        return difference

    parts = [expected(slope(place), rng) for place in occurrences]
    slack = 1e-12 * sum(abs(part.value) for part in parts)
    return Expected(sum(part.value for part in parts), sum(part.tolerance for part in parts) + slack)


def point(rng: np.random.Generator) -> dict[str, Any]:
    """Inputs between 0.5 and 5, parameters between -2 and 2."""
    drawn = {name: rng.uniform(0.5, 5.0) for name in INPUTS}
    drawn |= {name: rng.uniform(-2.0, 2.0) for name in PARAMETERS}
    return {name: mpmath.mpf(value) for name, value in drawn.items()}


def law_of_tree(tree: Tree):
    assume(not isinstance(tree, float) and names(tree) & set(PARAMETERS))
    from discover.errors import LawSyntaxError

    try:
        return parse(text_of(tree), INPUTS)
    except LawSyntaxError as error:
        # A product with zero may lose its only parameter, and constants may fold to what has no real value.
        assume("no parameter" not in str(error) and "constants must be finite" not in str(error))
        raise


@thorough
@given(trees)
@example(("+", "E", ("neg", "alpha")))
@example(("+", "E", ("neg", 2.0)))
@example(("*", ("neg", "E"), "N"))
@example(("**", ("neg", "E"), 2.0))
@example(("neg", ("**", "E", 2.0)))
@example(("**", "E", ("neg", "N")))
@example(("**", ("**", "E", "N"), "D"))
@example(("/", "E", ("/", "N", "D")))
@example(("*", "E", ("/", "N", "D")))
@example(("-", "E", ("-", "N", ("-", "alpha", "D"))))
@example(("-", "E", ("neg", ("-", "N", "alpha"))))
@example(("neg", ("neg", "E")))
@example(("**", "E", ("neg", 0.5)))
@example(("*", "E", ("neg", 0.5)))
@example(("**", ("neg", ("log", 1.0)), "E"))  # minus zero was printed without brackets
def test_the_text_of_a_law_reads_back_as_the_same_law(tree: Tree) -> None:
    law = law_of_tree(tree)
    again = parse(str(law), INPUTS)
    assert parse(str(again), INPUTS).expression == again.expression
    assert again.parameters == law.parameters
    assert again.inputs == law.inputs
    assert again.key == law.key
    assert again.complexity <= law.complexity  # less where constants meet only in the text


@thorough
@given(trees, seeds)
def test_predictions_agree_with_an_independent_evaluation(tree: Tree, seed: int) -> None:
    law = law_of_tree(tree)
    rng = np.random.default_rng(seed)
    with mpmath.workdps(80):
        values = point(rng)
        try:
            due = expected(lambda shaken: value_of(tree, values, shaken), rng)
        except Undefined:
            assume(False)
    inputs = {name: float(values[name]) for name in INPUTS}
    got = law.predict(inputs, [float(values[name]) for name in law.parameters])
    assert due.meets(float(got)), (str(law), due, float(got))


@thorough
@given(trees, seeds)
def test_the_tape_gives_the_value_and_the_exact_derivatives(tree: Tree, seed: int) -> None:
    law = law_of_tree(tree)
    rng = np.random.default_rng(seed)
    with mpmath.workdps(80):
        values = point(rng)
        try:
            due = expected(lambda shaken: value_of(tree, values, shaken), rng)
            due_by_parameter = {name: expected_slope(tree, values, name, rng) for name in law.parameters}
        except Undefined:
            assume(False)
    tape = Tape([law.expression], law.inputs, law.parameters)
    bound = tape.bind({name: np.full((1, 3), float(values[name])) for name in law.inputs})
    slots = bound.forward(np.array([[float(values[p]) for p in law.parameters]]))
    output = tape.outputs[0]
    got = np.broadcast_to(slots[output], (1, 3))
    assert due.meets(got[0, 0]), (str(law), due, got)
    with np.errstate(all="ignore"):
        gradient = bound.backward(slots, {output: 1.0})
    for name, column in zip(law.parameters, gradient, strict=True):
        slope, due = np.broadcast_to(column, (1, 3)), due_by_parameter[name]
        assert np.all(slope == slope[0, 0])
        assert due.meets(slope[0, 0]), (str(law), name, due, slope[0, 0])


def disguised(tree: Tree, rng: np.random.Generator, renamed: dict[str, str]) -> Tree:
    """The same formula with its parameters renamed, operands in another order and constants written out."""
    if isinstance(tree, str):
        result: Tree = renamed.get(tree, tree)
    elif isinstance(tree, float):
        return ("/", tree * 2, 2.0) if rng.random() < 0.3 else tree
    else:
        head, *children = tree
        children = [disguised(child, rng, renamed) for child in children]
        if head in ("+", "*", "min", "max") and rng.random() < 0.5:
            children.reverse()
        result = (head, *children)
    chance = rng.random()
    if chance < 0.1:
        return ("*", 1.0, result)
    if chance < 0.2:
        return ("+", result, ("-", 1.0, 1.0))
    return result


@thorough
@given(trees, seeds)
def test_the_key_does_not_change_with_names_order_or_constants_written_out(tree: Tree, seed: int) -> None:
    law = law_of_tree(tree)
    rng = np.random.default_rng(seed)
    renamed = dict(zip(PARAMETERS, rng.permutation([*PARAMETERS, "S", "Q", "zeta"]), strict=False))
    other = parse(text_of(disguised(tree, rng, {k: str(v) for k, v in renamed.items()})), INPUTS)
    assert other.key == law.key, (str(law), str(other))


@thorough
@given(trees, seeds)
def test_linear_parts_add_up_to_the_law(tree: Tree, seed: int) -> None:
    law = law_of_tree(tree)
    linear, basis, offset = linear_parts(law.expression, law.parameters)
    rng = np.random.default_rng(seed)
    with mpmath.workdps(80):
        values = point(rng)
        try:
            due = expected(lambda shaken: value_of(tree, values, shaken), rng)
        except Undefined:
            assume(False)
    numbers = {name: float(value) for name, value in values.items()}
    without = {n: value for n, value in numbers.items() if n not in linear}  # a KeyError if one is read
    parts = [numbers[name] * evaluate(b, without) for name, b in zip(linear, basis, strict=True)]
    total = evaluate(offset, without) + sum(parts)
    slack = 1e-10 * sum(abs(part) for part in parts)
    assert abs(total - due.value) <= due.tolerance + slack, (str(law), linear, total, due)


@thorough
@given(trees, seeds)
def test_log_of_is_the_logarithm_where_it_is_defined(tree: Tree, seed: int) -> None:
    """Not defined may be a positive product of negative factors, which it takes apart."""
    law = law_of_tree(tree)
    rng = np.random.default_rng(seed)
    with mpmath.workdps(80):
        values = point(rng)
        try:
            due = expected(lambda shaken: value_of(tree, values, shaken), rng)
        except Undefined:
            assume(False)
    assume(due.value > 1e-6 and due.tolerance < 1e-6 * due.value)
    numbers = {name: float(value) for name, value in values.items()}
    got = float(evaluate(log_of(law.expression), numbers))
    assert np.isnan(got) or abs(got - np.log(due.value)) <= 1e-5, (str(law), got, np.log(due.value))


def test_the_bound_on_rounding_sees_what_cancels() -> None:
    """1 - exp(-x) of a tiny x has lost all but a few digits; log1p and a plain power have not."""
    values = {"N": np.array([1e9]), "k": np.array([9.6e18]), "a": np.array([0.3]), "zero": np.array([0.0])}
    for formula, lost in [
        ("1 - exp(-N/k)", True),
        ("-expm1(-N/k)", False),
        ("N**a + k", False),
        ("N + k - N", False),
        ("zero**a + N", False),
    ]:
        law = parse(formula, ["N", "zero"])
        value, error = evaluate_with_error(law.expression, values)
        assert bool(error[0] > 1e-10 * abs(value[0])) is lost, formula
