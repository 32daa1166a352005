"""The law behind an equation: its numbers become parameters, and those that another parameter absorbs are dropped.

In: a tree with numbers as an engine fitted them, in the engine's own units. Out: the tree of the family that it belongs
to, each number a parameter to be fitted anew. The family may be larger than the equation (a number that stood twice
is two parameters), never smaller: so units, scales and offsets of the engine leave no trace.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter

from discover.law.expression import ONE, Call, Expression, Number, Symbol, rewrite, symbols, walk

_NEAR = 0.03  # how far an exponent may lie from a half to be taken for it, where a law has parameters to spare


def family_of(expression: Expression, inputs: set[str], cap: int) -> tuple[Expression, dict[str, float]]:
    """The tree with parameters in place of whatever reads no input, and the values of exponents among them.

    Args:
        expression: Symbols that are not in `inputs` count as numbers.
        inputs: The names that stay.
        cap: Beyond so many parameters, exponents next to a half or whole number are fixed to it.

    Returns:
        The tree, and exponent -> value where it is known: of all numbers in an equation only these mean the same in
        any units.
    """
    work = _Family(inputs)
    found = work.family(expression)
    spare = len(set(symbols(found)) - inputs) - cap
    found = _quotients(work.with_fixed_exponents(found, spare) if spare > 0 else found)
    return found, {name: work.values[name] for name in work.exponents(found) if name in work.values}


class _Family:
    def __init__(self, inputs: set[str]) -> None:
        self.inputs = inputs
        self.values: dict[str, float] = {}  # of parameters that stand for a known number
        self._numbers = itertools.count()

    def fresh(self, value: float = math.nan) -> Symbol:
        name = next(n for i in self._numbers if (n := f"q{i}") not in self.inputs)
        if math.isfinite(value):
            self.values[name] = value
        return Symbol(name)

    def is_parameter(self, node: Expression) -> bool:
        return isinstance(node, Symbol) and node.name not in self.inputs

    def family(self, node: Expression) -> Expression:
        if not self.inputs & set(symbols(node)):
            return self.fresh(node.value if isinstance(node, Number) else math.nan)
        if not isinstance(node, Call):
            return node
        if node.function == "mul":  # x*x is a square, of one thing and not of two that look alike
            times = Counter(node.arguments)
            return self.product([self._repeated(self.family(factor), n) for factor, n in times.items()])
        arguments = [self.family(argument) for argument in node.arguments]
        if node.function == "add":
            return self.sum(arguments)
        if node.function == "sub":
            return self.sum([arguments[0], self.negative(arguments[1])])
        if node.function == "neg":
            return self.negative(arguments[0])
        if node.function == "div":
            return self.product([arguments[0], self.inverse(arguments[1])])
        if node.function == "pow":
            return self.power(arguments[0], arguments[1])
        if node.function == "exp":
            return self.exponential(arguments[0])
        if node.function == "log":
            return self.logarithm(arguments[0])
        return Call(node.function, tuple(arguments))

    def _repeated(self, node: Expression, times: int) -> Expression:
        if times == 1 or self.is_parameter(node):
            return node
        powers = [Call("pow", (factor, Number(float(times)))) for factor in _of(node, "mul")]
        return self.product([p.arguments[0] if self.is_parameter(p.arguments[0]) else p for p in powers])

    def negative(self, node: Expression) -> Expression:
        """Minus `node`; a parameter absorbs the sign."""
        if isinstance(node, Call) and node.function == "neg":
            return node.arguments[0]
        if isinstance(node, Call) and node.function == "add":
            return Call("add", tuple(map(self.negative, node.arguments)))
        return node if self.is_scalable(node) else Call("neg", (node,))

    def is_scalable(self, node: Expression) -> bool:
        """Whether a factor in front of `node` would change nothing: a parameter inside absorbs it."""
        if self.is_parameter(node):
            return True
        if not isinstance(node, Call):
            return False
        if node.function == "mul":
            return any(map(self.is_scalable, node.arguments))
        if node.function == "add":
            return all(map(self.is_scalable, node.arguments))
        if node.function == "pow":
            return self._is_plain(node.arguments[1]) and self.is_scalable(node.arguments[0])
        if node.function in ("div", "neg"):
            return any(map(self.is_scalable, node.arguments))
        return False

    def unscaled(self, node: Expression) -> Expression:
        """A scalable node with one parameter less, where another factor already scales it."""
        if not isinstance(node, Call):
            return node
        if node.function in ("pow", "div"):
            place = 0 if node.function == "pow" or self.is_scalable(node.arguments[0]) else 1
            parts = list(node.arguments)
            parts[place] = self.unscaled(parts[place])
            return Call(node.function, tuple(parts))
        if node.function == "add":
            for index, term in reversed(list(enumerate(node.arguments))):
                rest = [factor for factor in _of(term, "mul") if not self.is_parameter(factor)]
                if rest and len(rest) < len(_of(term, "mul")):
                    bare = rest[0] if len(rest) == 1 else Call("mul", tuple(rest))
                    return Call("add", (*node.arguments[:index], bare, *node.arguments[index + 1 :]))
        return node

    def sum(self, terms: list[Expression]) -> Expression:
        flat = list(itertools.chain.from_iterable(_of(term, "add") for term in terms))
        kept: list[Expression] = []
        offset: Expression | None = None
        multiples: set[Expression] = set()
        for term in flat:
            if self.is_parameter(term):
                offset = offset or term
                continue
            factors = _of(term, "mul")
            rest = [f for f in factors if not self.is_parameter(f)]
            if len(rest) < len(factors):  # a free multiple: another of the same says nothing new
                body = rest[0] if len(rest) == 1 else Call("mul", tuple(rest))
                if body in multiples:
                    continue
                multiples.add(body)
            kept.append(term)
        kept = [term for term in kept if term not in multiples]
        if offset is not None:
            kept.insert(0, offset)
        return kept[0] if len(kept) == 1 else Call("add", tuple(kept))

    def product(self, factors: list[Expression]) -> Expression:
        flat = list(itertools.chain.from_iterable(_of(factor, "mul") for factor in factors))
        scale: Expression | None = None
        is_negative = False
        powers: dict[Expression, list[Expression]] = {}
        for factor in flat:
            if self.is_parameter(factor):
                scale = scale or factor
                continue
            if isinstance(factor, Call) and factor.function == "neg":
                is_negative, factor = not is_negative, factor.arguments[0]
            base, exponent = factor, ONE
            if isinstance(factor, Call) and factor.function == "pow":
                base, exponent = factor.arguments  # type: ignore[assignment]
            powers.setdefault(base, []).append(exponent)
        kept: list[Expression] = []
        for base, exponents in powers.items():
            kept.extend(self._joined(base, exponents))
        free = [i for i, factor in enumerate(kept) if self.is_scalable(factor)]
        for index in free[1:]:
            kept[index] = self.unscaled(kept[index])
        if scale is not None and not free:
            if len(kept) == 1 and (spread := self._distributed(scale, kept[0])) is not None:
                return spread
            kept.insert(0, scale)
        if not kept:
            return scale or self.fresh()
        whole = kept[0] if len(kept) == 1 else Call("mul", tuple(kept))
        return Call("neg", (whole,)) if is_negative and scale is None and not free else whole

    def _distributed(self, scale: Expression, node: Expression) -> Expression | None:
        """A factor before a sum of which all terms but one have a parameter of their own, given to that one."""
        terms = _of(node, "add")
        bare = [term for term in terms if not self.is_scalable(term)]
        if len(terms) == 1 or len(bare) != 1:
            return None
        return Call("add", tuple(self.product([scale, t]) if t is bare[0] else t for t in terms))

    def _joined(self, base: Expression, exponents: list[Expression]) -> list[Expression]:
        """Powers of one base as one power, where all exponents are numbers or parameters."""
        plain = [e for e in exponents if isinstance(e, Number) or self.is_parameter(e)]
        rest = [Call("pow", (base, e)) for e in exponents if e not in plain]
        if not plain:
            return [*rest]
        if any(self.is_parameter(e) for e in plain):
            exponent: Expression = plain[0] if len(plain) == 1 else self.fresh(sum(map(self._value, plain)))
            return [Call("pow", (base, exponent)), *rest]
        whole = sum(e.value for e in plain if isinstance(e, Number))
        if whole == 0.0:
            return [*rest]
        return [base if whole == 1.0 else Call("pow", (base, Number(whole))), *rest]

    def _value(self, node: Expression) -> float:
        if isinstance(node, Number):
            return node.value
        return self.values.get(node.name, math.nan) if isinstance(node, Symbol) else math.nan

    def inverse(self, node: Expression) -> Expression:
        if self.is_parameter(node):
            return node
        if isinstance(node, Call):
            if node.function == "mul":
                return self.product([self.inverse(factor) for factor in node.arguments])
            if node.function == "pow":
                base, exponent = node.arguments
                if isinstance(exponent, Number):
                    return Call("pow", (base, Number(-exponent.value)))
                if self.is_parameter(exponent):
                    return Call("pow", (base, self.fresh(-self._value(exponent))))
            if node.function == "exp":
                return self.exponential(self.product([self.fresh(-1.0), node.arguments[0]]))
            if node.function == "div" and node.arguments[0] == ONE:
                return node.arguments[1]
        if isinstance(node, Symbol):
            return Call("pow", (node, Number(-1.0)))
        return Call("div", (ONE, node))

    def power(self, base: Expression, exponent: Expression) -> Expression:
        if self.is_parameter(base):
            return self.exponential(self.product([self.fresh(), exponent]))
        if not self.is_parameter(exponent):
            return Call("pow", (base, exponent))
        factors = []
        for factor in _of(base, "mul"):
            if self.is_parameter(factor):
                factors.append(factor)
            elif isinstance(factor, Call) and factor.function == "exp":
                factors.append(self.exponential(self.product([self.fresh(), factor.arguments[0]])))
            elif isinstance(factor, Call) and factor.function == "pow" and self._is_plain(factor.arguments[1]):
                value = self._value(factor.arguments[1]) * self._value(exponent)
                factors.append(Call("pow", (factor.arguments[0], self.fresh(value))))
            elif isinstance(factor, Call) and factor.function == "div" and factor.arguments[0] == ONE:
                factors.append(Call("pow", (factor.arguments[1], self.fresh(-self._value(exponent)))))
            else:
                factors.append(Call("pow", (factor, self.fresh(self._value(exponent)))))
        return self.product(factors)

    def _is_plain(self, node: Expression) -> bool:
        return isinstance(node, Number) or self.is_parameter(node)

    def exponential(self, inner: Expression) -> Expression:
        factors: list[Expression] = []
        rest: list[Expression] = []
        for term in _of(inner, "add"):
            inside = term.arguments[0] if isinstance(term, Call) and term.function == "neg" else None
            if isinstance(inside, Call) and inside.function == "log":
                factors.append(self.inverse(inside.arguments[0]))
                continue
            parts = _of(term, "mul")
            logs = [p for p in parts if isinstance(p, Call) and p.function == "log"]
            others = [p for p in parts if p not in logs]
            if self.is_parameter(term):
                factors.append(term)
            elif len(logs) == 1 and not others and isinstance(logs[0], Call):
                factors.append(logs[0].arguments[0])
            elif len(logs) == 1 and len(others) == 1 and self.is_parameter(others[0]) and isinstance(logs[0], Call):
                factors.append(self.power(logs[0].arguments[0], others[0]))
            else:
                rest.append(term)
        if rest:
            factors.append(Call("exp", (rest[0] if len(rest) == 1 else Call("add", tuple(rest)),)))
        return self.product(factors)

    def logarithm(self, inner: Expression) -> Expression:
        terms: list[Expression] = []
        for factor in _of(inner, "mul"):
            if self.is_parameter(factor):
                terms.append(factor)
            elif isinstance(factor, Call) and factor.function == "exp":
                terms.append(factor.arguments[0])
            elif isinstance(factor, Call) and factor.function == "pow":
                base, exponent = factor.arguments
                weight = self.fresh(exponent.value) if isinstance(exponent, Number) else exponent
                terms.append(self.product([weight, Call("log", (base,))]))
            else:
                terms.append(Call("log", (factor,)))
        return self.sum(terms)

    def exponents(self, node: Expression) -> list[str]:
        """Parameters that are an exponent and occur nowhere else."""
        times = Counter(n.name for n in walk(node) if isinstance(n, Symbol))
        found = (n.arguments[1] for n in walk(node) if isinstance(n, Call) and n.function == "pow")
        return [e.name for e in found if isinstance(e, Symbol) and self.is_parameter(e) and times[e.name] == 1]

    def with_fixed_exponents(self, node: Expression, count: int) -> Expression:
        """The tree with up to `count` exponents fixed to the half or whole number that they lie next to."""
        far: dict[str, float] = {}
        for name in self.exponents(node):
            value = self.values.get(name, math.nan)
            if math.isfinite(value) and round(2 * value) != 0:
                far[name] = abs(value - round(2 * value) / 2)
        chosen = [name for name in sorted(far, key=lambda n: far[n]) if far[name] < _NEAR][:count]
        fixed = {name: Number(round(2 * self.values[name]) / 2) for name in chosen}
        return rewrite(node, lambda n: fixed.get(n.name) if isinstance(n, Symbol) else None)


def _quotients(node: Expression) -> Expression:
    """The tree with a/b for a*(1/b)."""
    if not isinstance(node, Call):
        return node
    arguments = tuple(map(_quotients, node.arguments))
    if node.function == "mul":
        under = [_under_one(argument) for argument in arguments]
        below = [found for found in under if found is not None]
        above = [argument for argument, found in zip(arguments, under, strict=True) if found is None]
        if below and above:
            top = above[0] if len(above) == 1 else Call("mul", tuple(above))
            return Call("div", (top, below[0] if len(below) == 1 else Call("mul", tuple(below))))
    return Call(node.function, arguments)


def _under_one(node: Expression) -> Expression | None:
    """x of 1/x and x**-1; None of anything else."""
    if isinstance(node, Call) and node.function == "div" and node.arguments[0] == ONE:
        return node.arguments[1]
    if isinstance(node, Call) and node.function == "pow" and node.arguments[1] == Number(-1.0):
        return node.arguments[0]
    return None


def _of(node: Expression, function: str) -> tuple[Expression, ...]:
    """The arguments of a sum or a product; of anything else, itself alone."""
    return node.arguments if isinstance(node, Call) and node.function == function else (node,)
