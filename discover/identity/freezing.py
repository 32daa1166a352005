"""Special cases of a law that its formula shows: a parameter or two set to zero or one.

In: a law. Out: the keys of what is left, with what was set. Nothing is fitted, so it takes milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from itertools import combinations, product

from discover.identity.containment import unbounded
from discover.law import Expression, Law, Number, Symbol, law_of, to_text
from discover.law.expression import rewrite

_VALUES = (0.0, 1.0)
_MOST, _MOST_FOR_PAIRS = 12, 6  # parameters of a law; keys of longer ones take long


@lru_cache(maxsize=1024)
def frozen_keys(law: Law, at_once: int = 2) -> Mapping[str, tuple[str, ...]]:
    """Key of a special case, whatever its bounds -> what is set for it, such as ("B = 0",); values within bounds only.

    Args:
        at_once: How many parameters are set together, where the law has few.
    """
    found: dict[str, tuple[str, ...]] = {}
    free = unbounded(law)
    for values in _settings(law, at_once):
        expression = rewrite(free.expression, partial(_set, values))
        rest = [name for name in law.parameters if name not in values]
        key = law_of(expression, law.inputs, parameters=rest, may_be_fixed=True).key
        found.setdefault(key, tuple(f"{name} = {to_text(value)}" for name, value in values.items()))
    return found


def _set(values: Mapping[str, Number], node: Expression) -> Expression | None:
    return values.get(node.name) if isinstance(node, Symbol) else None


def _settings(law: Law, at_once: int) -> Iterator[dict[str, Number]]:
    """Parameters to set and their values, one parameter before two."""
    many = len(law.parameters)
    for count in range(1, at_once + 1):
        if many > (_MOST if count == 1 else _MOST_FOR_PAIRS):
            return
        for names in combinations(law.parameters, count):
            for values in product(_VALUES, repeat=count):
                if all(law.bounds[n][0] <= v <= law.bounds[n][1] for n, v in zip(names, values, strict=True)):
                    yield {name: Number(value) for name, value in zip(names, values, strict=True)}
