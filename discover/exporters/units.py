"""Units of a law's parameters, worked out from the units of its inputs and target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discover.exporters.sympy_expression import to_sympy
from discover.law import Call, Expression, Law, Number, Symbol

Unit = Any  # a product of powers of SymPy symbols, one symbol for each base unit; 1 for a pure number

_SUMS = ("add", "sub", "neg", "min", "max", "abs")  # their arguments share their unit


def parameter_units(law: Law, inputs: Mapping[str, str], target: str) -> dict[str, str]:
    """The unit of each parameter as text: "1" is a pure number, "?" is not settled by the law.

    Terms of a sum share a unit, exponents and arguments of functions are pure numbers, and in a product the
    first factor that can carries what is left: in nats = A/params**alpha, A is in "nats params^alpha".
    """
    settling = _Settling(law, inputs)
    settling.settle(law.expression, _unit(target))
    units = {name: settling.found.get(name) for name in law.parameters}
    return {name: "?" if unit is None else _text(unit) for name, unit in units.items()}


class _Settling:
    """Walks from the target's unit down to the parameters."""

    def __init__(self, law: Law, inputs: Mapping[str, str]) -> None:
        self.parameters = law.parameters
        self.inputs = {name: _unit(inputs.get(name, "")) for name in law.inputs}
        self.found: dict[str, Unit] = {}

    def settle(self, node: Expression, unit: Unit | None) -> None:
        """Tells `node` its unit (None: not known), and with it the parameters below."""
        if isinstance(node, Symbol):
            if unit is not None and node.name in self.parameters:
                self.found.setdefault(node.name, unit)
        elif isinstance(node, Call):
            if node.function in _SUMS:
                own = next((u for u in map(self.known, node.arguments) if u is not None), unit)
                for argument in node.arguments:
                    self.settle(argument, own)
            elif node.function in ("mul", "div"):
                self._settle_product(node, unit)
            elif node.function in ("pow", "sqrt"):
                base, exponent = _base_and_exponent(node)
                self.settle(base, 1 if unit is None or unit == 1 else unit ** (1 / _number(exponent)))
                self.settle(exponent, 1)
            else:
                self.settle(node.arguments[0], 1)

    def _settle_product(self, node: Call, unit: Unit | None) -> None:
        powers = [-1 if node.function == "div" and place else 1 for place in range(len(node.arguments))]
        carrier = next((place for place, argument in enumerate(node.arguments) if self._is_open(argument)), None)
        for place, argument in enumerate(node.arguments):
            if place != carrier:
                own = self.known(argument)
                self.settle(argument, 1 if own is None else own)
                unit = None if unit is None else unit / (1 if own is None else own) ** powers[place]
        if carrier is not None:
            self.settle(node.arguments[carrier], None if unit is None else unit ** powers[carrier])

    def _is_open(self, node: Expression) -> bool:
        """Whether a parameter in `node` can take up any unit."""
        if isinstance(node, Symbol):
            return node.name in self.parameters and node.name not in self.found
        if not isinstance(node, Call) or self.known(node) is not None:
            return False
        if node.function in _SUMS:
            return all(self._is_open(argument) for argument in node.arguments)
        return node.function in ("mul", "div") and any(self._is_open(argument) for argument in node.arguments)

    def known(self, node: Expression) -> Unit | None:
        """The unit that `node` has whatever its parameters are; None where they decide."""
        if isinstance(node, Number):
            return 1
        if isinstance(node, Symbol):
            return self.found.get(node.name) if node.name in self.parameters else self.inputs[node.name]
        if node.function in ("pow", "sqrt"):
            base, exponent = _base_and_exponent(node)
            unit = self.known(base)
            return None if unit is None else unit ** _number(exponent)
        if node.function not in (*_SUMS, "mul", "div"):
            return 1
        units = [self.known(argument) for argument in node.arguments]
        if node.function in _SUMS:
            return next((unit for unit in units if unit is not None), None)
        total: Unit = 1
        for place, unit in enumerate(units):
            if unit is None:
                return None
            total = total / unit if node.function == "div" and place else total * unit
        return total


def _base_and_exponent(node: Call) -> tuple[Expression, Expression]:
    return node.arguments[0], node.arguments[1] if node.function == "pow" else Number(0.5)


def _unit(text: str) -> Unit:
    import sympy

    return sympy.Symbol(text, positive=True) if text not in ("", "1") else sympy.Integer(1)


def _number(exponent: Expression) -> Any:
    """An exponent over real symbols, so that powers of powers combine."""
    import sympy

    written = sympy.nsimplify(exponent.value) if isinstance(exponent, Number) else to_sympy(exponent)
    return written.xreplace({symbol: sympy.Symbol(symbol.name, real=True) for symbol in written.free_symbols})


def _text(unit: Unit) -> str:
    import sympy

    return str(sympy.nsimplify(unit)).replace("**", "^").replace("*", " ")
