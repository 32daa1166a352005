"""Intervals contain what they should: every sampled value and slope, for every function of the grammar."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discover.certificates import Interval, enclosure, slope
from discover.law import GRAMMAR, Call, Expression, Number, Symbol, parse
from discover.law.compiler import Tape, evaluate

X = Symbol("x")


def expressions() -> st.SearchStrategy[Expression]:
    leaves = st.one_of(st.just(X), st.just(Symbol("y")), st.sampled_from([Number(v) for v in (-2.0, 0.5, 1.0, 3.0)]))

    def grow(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        def call(name: str) -> st.SearchStrategy[Expression]:
            arity = GRAMMAR[name].arity or 2
            return st.tuples(*[inner] * arity).map(lambda arguments: Call(name, arguments))

        return st.sampled_from(sorted(GRAMMAR)).flatmap(call)

    return st.recursive(leaves, grow, max_leaves=6)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(expressions(), st.floats(0.01, 5.0), st.floats(0.0, 3.0), st.integers(0, 1000))
def test_sampled_values_and_slopes_are_inside(expression: Expression, low: float, width: float, seed: int):
    names = {"x": Interval.of([low], [low + width]), "y": Interval.of([-1.0], [low])}
    value, derivative = slope(expression, names, "x")
    rng = np.random.default_rng(seed)
    x = np.concatenate([[low, low + width], rng.uniform(low, low + width, 30)])
    y = np.concatenate([[-1.0, low], rng.uniform(-1.0, low, 30)])
    sampled = np.broadcast_to(evaluate(expression, {"x": x, "y": y}), x.shape)
    known = np.isfinite(sampled)
    assert (value.contains(sampled) | ~known).all()
    if bool(np.all(value.defined)):
        assert known.all() or not np.isfinite(value.high).all() or not np.isfinite(value.low).all()
    tape = Tape([expression], ["y"], ["x"])
    with np.errstate(all="ignore"):
        bound = tape.bind({"y": y[:, None]})
        values = bound.forward(x[:, None])
        if tape.outputs[0] in bound.tables or tape.outputs[0] in bound.constants:
            return
        slopes = np.broadcast_to(np.asarray(bound.backward(values, {tape.outputs[0]: 1.0})[0]).reshape(-1), x.shape)
    smooth = known & np.isfinite(slopes) & (np.abs(slopes) < 1e12) & bool(np.all(derivative.defined & value.defined))
    slack = 1e-9 * (1.0 + np.abs(slopes))  # the tape rounds, too
    assert ((derivative.low - slack <= slopes) & (slopes <= derivative.high + slack) | ~smooth).all()


@pytest.mark.parametrize("name", sorted(GRAMMAR))
def test_every_function_of_the_grammar_has_an_interval(name: str):
    arguments = (X,) * (GRAMMAR[name].arity or 2)
    value, derivative = slope(Call(name, arguments), {"x": Interval.of(0.5, 2.0)}, "x")
    assert np.isfinite([value.low, value.high, derivative.low, derivative.high]).all()
    assert value.defined.all()


def test_even_power_is_not_negative():
    found = enclosure(parse("a*x**2", ["x"]).expression, {"x": Interval.of(-1.0, 2.0), "a": Interval.point(1.0)})
    assert found.low == pytest.approx(0.0, abs=1e-300)


def test_division_by_what_may_be_zero_is_not_defined():
    found = enclosure(parse("a/x", ["x"]).expression, {"x": Interval.of(-1.0, 2.0), "a": Interval.point(1.0)})
    assert not found.defined


def test_rounding_goes_outward():
    tenth = Interval.point(0.1)
    total = enclosure(parse("a + x + x + x", ["x"]).expression, {"a": Interval.point(0.0), "x": tenth})
    assert total.low < total.high
    assert total.low <= 0.3 <= total.high
