"""Parameters get the units that make a law's terms agree."""

from __future__ import annotations

import pytest

from discover.exporters.units import parameter_units
from discover.law import parse

UNITS = {"N": "parameters", "D": "tokens", "x": ""}


@pytest.mark.parametrize(
    "formula, due",
    [
        ("E + A/N**alpha + B/D**beta", {"E": "nats", "A": "nats parameters^alpha", "alpha": "1", "beta": "1"}),
        ("E*(1 - exp(-N/k))", {"E": "nats", "k": "parameters"}),
        ("A*(N + k)**-a", {"A": "nats parameters^a", "k": "parameters", "a": "1"}),
        ("c/(1 + (N/k)**g)", {"c": "nats", "k": "parameters", "g": "1"}),
        ("b + c*log(N)*log(D) + d*x", {"b": "nats", "c": "nats", "d": "nats"}),
        ("E + A*sqrt(N)/D", {"E": "nats", "A": "nats tokens/sqrt(parameters)"}),
        ("exp(a + b*log(N))", {"a": "1", "b": "1"}),
        ("E + A*(N**a + k*D**b)**-c", {"A": "nats parameters^(a c)", "k": "parameters^a/tokens^b"}),
        ("a*b*N", {"a": "nats/parameters", "b": "1"}),
        ("k*min(N, s) + m", {"k": "nats/parameters", "s": "parameters", "m": "nats"}),
    ],
)
def test_unit_of_a_parameter(formula: str, due: dict[str, str]):
    found = parameter_units(parse(formula, list(UNITS)), UNITS, "nats")
    assert {name: found[name] for name in due} == due
