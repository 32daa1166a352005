"""How much a law asks its reader to believe: a weighted count of its tree."""

from __future__ import annotations

from discover.law.expression import Call, Expression, walk
from discover.law.grammar import GRAMMAR


def complexity(expression: Expression) -> int:
    """One for each number and name, and the grammar's weight for each operation (a sum of n terms has n-1)."""
    total = 0
    for node in walk(expression):
        if isinstance(node, Call):
            row = GRAMMAR[node.function]
            total += row.complexity * (len(node.arguments) - 1 if row.arity is None else 1)
        else:
            total += 1
    return total
