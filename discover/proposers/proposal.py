"""`Proposal`: a law and a recipe that somebody wants tried, with where they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from discover.fitting import Recipe
from discover.law.expression import Call, Expression, Number, Symbol, add, mul, rename, symbols, walk
from discover.law.law import Law
from discover.law.parser import law_of


@dataclass(frozen=True)
class Proposal:
    """What a proposer asks to have assessed.

    Attributes:
        law: The law; internal proposers build it from a tree, others through the parser.
        recipe: How to fit it.
        proposer: Name of the source.
        parents: Numbers of the candidates it was made from.
        guess: Parameter -> values (cell,) to start a fit from; parameters that are not named are drawn to suit them.
    """

    law: Law
    recipe: Recipe
    proposer: str
    parents: tuple[int, ...] = ()
    guess: Mapping[str, np.ndarray] = field(default_factory=dict, compare=False)

    @property
    def key(self) -> str:
        """The key of the candidate that it becomes: law and recipe."""
        return f"{self.law.key} | {self.recipe.text}"


def tidy_law(
    expression: Expression, inputs: tuple[str, ...], bounds: dict[str, tuple[float, float]]
) -> tuple[Law, dict[str, str]]:
    """The law of a tree, its parameters renamed by what they do: E for an offset, A.. for factors, alpha.. for
    exponents, k.. for the rest.

    Returns:
        The law, and the new name of every parameter that still means what it did.
    """
    expression, freed = without_idle_parameters(expression, set(inputs))
    names = _roles(expression, set(inputs))
    renamed = {names[old]: bounds[old] for old in names if old in bounds and old not in freed}
    law = law_of(rename(expression, names), inputs, bounds=renamed)
    return law, {old: new for old, new in names.items() if old not in freed}


def without_idle_parameters(expression: Expression, inputs: set[str]) -> tuple[Expression, set[str]]:
    """The tree without parameters that another takes the place of: of several bare ones in a sum or a product, and of
    numbers beside one, a single one stays; a function of such parameters alone is one of them. Only parameters that
    occur once and nowhere else can be idle.

    Returns:
        The tree, and the parameters that took the place of a function and with it lose their bounds.
    """
    freed: set[str] = set()
    counts = Counter(n.name for n in walk(expression) if isinstance(n, Symbol))

    def is_bare(node: Expression) -> bool:
        inner = node.arguments[0] if isinstance(node, Call) and node.function == "neg" else node
        return isinstance(inner, Symbol) and inner.name not in inputs and counts[inner.name] == 1

    def visit(node: Expression) -> Expression:
        if not isinstance(node, Call) or is_bare(node):
            return node
        inside = symbols(node)
        if inside and not inputs & set(inside) and all(counts[name] == 1 for name in inside):
            freed.add(inside[0])
            return Symbol(inside[0])
        arguments = tuple(visit(argument) for argument in node.arguments)
        if node.function in ("add", "mul"):
            bare = [a for a in arguments if is_bare(a)]
            if bare:
                arguments = (bare[0], *(a for a in arguments if not is_bare(a) and not isinstance(a, Number)))
            return add(*arguments) if node.function == "add" else mul(*arguments)
        return Call(node.function, arguments)

    return visit(expression), freed


def most_complexity(cap: int) -> int:
    """The largest complexity worth a fit: room for a few operations around every parameter that the task allows."""
    return 40 + 4 * cap


def is_sensible(law: Law, cap: int) -> bool:
    """Whether a law is worth a fit: within the cap, of bounded size, no tower of exponentials."""
    if len(law.parameters) > cap or not law.inputs or law.complexity > most_complexity(cap):
        return False
    return _tower(law.expression, 0) <= 3


def _tower(node: Expression, height: int) -> int:
    """How many exponentials, logarithms and powers stand on one another, inputs and parameters inside."""
    if not isinstance(node, Call):
        return height
    here = height
    is_outer_power = node.function == "pow" and not isinstance(node.arguments[0], Symbol)
    if is_outer_power or node.function in ("exp", "log", "tanh", "sigmoid"):
        here += 1
    return max(_tower(argument, here) for argument in node.arguments)


_OFFSET: tuple[str, ...] = ("E",)
_FACTORS = ("A", "B", "C", "F", "G", "H", "J", "K", "L", "M", "Q", "R", "T", "U", "V", "W")
_EXPONENTS = ("alpha", "beta", "gamma_", "delta", "eta", "kappa", "mu", "nu", "rho", "sigma", "tau", "omega")


def _roles(expression: Expression, inputs: set[str]) -> dict[str, str]:
    """New name of every parameter, by the first place where it stands."""
    exponents = {
        name
        for node in walk(expression)
        if isinstance(node, Call) and node.function == "pow"
        for name in symbols(node.arguments[1])
    }
    top = expression.arguments if isinstance(expression, Call) and expression.function == "add" else (expression,)
    offsets = {term.name for term in top if isinstance(term, Symbol)}
    factors = {
        factor.name
        for node in walk(expression)
        if isinstance(node, Call) and node.function == "mul"
        for factor in node.arguments
        if isinstance(factor, Symbol)
    }
    taken = Counter(dict.fromkeys(inputs, 1))
    names: dict[str, str] = {}
    for name in symbols(expression):
        if name in inputs or name in names:
            continue
        if name in exponents:
            pool: tuple[str, ...] = _EXPONENTS
        elif name in offsets:
            pool = _OFFSET
        elif name in factors:
            pool = _FACTORS
        else:
            pool = ()
        free = next((n for n in pool if not taken[n]), None)
        if free is None:
            index = 1
            while taken[f"k{index}"]:
                index += 1
            free = f"k{index}"
        taken[free] += 1
        names[name] = free
    return names


__all__ = ["Proposal", "is_sensible", "tidy_law"]
