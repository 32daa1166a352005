"""A law written for three domains, for as many as a table has.

Mixture laws are printed with r1, r2, r3 and t1, t2, t3, and meant for any number: the sum whose terms differ in that
number alone is made longer or shorter.
"""

from __future__ import annotations

import re

from discover.law import Call, Expression, Law, law_of, symbols
from discover.law.expression import add, rename, rewrite

MOST_SHARES = 24


def widened(law: Law, shares: tuple[str, ...], count: int) -> Law | None:
    """The law with `count` shares instead of those named.

    Args:
        law: Reads every name in `shares`.
        shares: Names that end in 1, 2, ... in order, such as r1, r2, r3.
        count: How many shares are due; they are named likewise, r1 to r<count>.

    Returns:
        The law; None where it has no sum that could be made longer.
    """
    numbers = [re.fullmatch(r"([A-Za-z]\w*?)(\d+)", name) for name in shares]
    if not 1 <= count <= MOST_SHARES or any(match is None for match in numbers):
        return None
    stem = shares[0].rstrip("0123456789")
    if list(shares) != [f"{stem}{place}" for place in range(1, len(shares) + 1)]:
        return None
    bounds = law.bounds
    done = False

    def stretch(node: Expression) -> Expression | None:
        nonlocal done
        if not isinstance(node, Call) or node.function != "add":
            return None
        own = [[term for term in node.arguments if name in symbols(term)] for name in shares]
        if any(len(terms) != 1 for terms in own):
            return None
        first = own[0][0]
        if any(terms[0] != _numbered(first, place) for place, terms in enumerate(own, 1)):
            return None
        done = True
        rest = [term for term in node.arguments if not any(term is terms[0] for terms in own)]
        names = [name for name in symbols(first) if name.endswith("1") and name in bounds]
        for place in range(1, count + 1):
            bounds.update({f"{name[:-1]}{place}": bounds[name] for name in names})
        return add(*rest, *(_numbered(first, place) for place in range(1, count + 1)))

    expression = rewrite(law.expression, stretch)
    if not done:
        return None
    inputs = [name for name in law.inputs if name not in shares]
    inputs += [f"{stem}{place}" for place in range(1, count + 1)]
    kept = set(symbols(expression))
    if len(kept - set(inputs)) == 0:
        return None
    return law_of(expression, inputs, bounds={name: pair for name, pair in bounds.items() if name in kept})


def _numbered(term: Expression, place: int) -> Expression:
    """The first term with every name that ends in 1 ending in `place`."""
    return rename(term, {name: f"{name[:-1]}{place}" for name in symbols(term) if name.endswith("1")})
