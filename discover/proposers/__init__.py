"""Proposers: siblings that suggest laws, and the portfolio that divides the work among them.

In: the archive. Out: proposals. Stays out: fitting, scores of rows that the search must not see.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from discover.errors import DiscoverError, did_you_mean
from discover.proposers.evolutionary import (
    Crossover,
    Evolutionary,
    Families,
    Mutation,
    OtherRecipe,
    Recipes,
    Sharing,
    Shrinking,
)
from discover.proposers.human import Human
from discover.proposers.operon import Operon, demand
from discover.proposers.portfolio import Portfolio
from discover.proposers.proposal import Proposal
from discover.proposers.proposer import Proposer
from discover.proposers.pysr import PySR, require
from discover.proposers.residual import Residual

if TYPE_CHECKING:
    from discover.task import Task

_KINDS: dict[str, type[Evolutionary]] = {
    k.name: k for k in (Families, Mutation, Crossover, OtherRecipe, Sharing, Residual, Shrinking, Operon)
}
# What takes part unasked: it needs no engine, gives the same on every machine, and was seen to help.
DEFAULT = tuple(name for name in _KINDS if name not in (Operon.name, Shrinking.name))
HUMAN = Human.name


def portfolio_of(
    task: Task, names: tuple[str, ...] = DEFAULT, joining: Sequence[Proposer] = (), *, reproducible: bool = False
) -> Portfolio:
    """The named proposers for a task, and others made elsewhere, such as language models; with "human" among the names
    the search starts from the task's human laws.

    Args:
        reproducible: Whether the seed has to fix what they propose, whatever time that takes.

    Raises:
        DiscoverError: "operon" or "pysr" is named and its engine is not installed; says how to install it. Nobody is
            left who could propose something for this task.
    """
    recipes = Recipes(task, genes="recipe" in names)
    useless = {HUMAN}
    if len(task.training.cells) == 1:
        useless.add(Sharing.name)
    if not Shrinking.has_neighbours(task):
        useless.add(Shrinking.name)
    useful = [name for name in names if name not in useless]
    if not (useful or joining or HUMAN in names):
        n_cells = len(task.training.cells)
        cells = f"{n_cells} set{'s' if n_cells > 1 else ''} of parameters (group and target)"
        who = ", ".join(names)
        raise DiscoverError(f"proposers: {who} can do nothing with {cells}; name another, such as families")

    def made(name: str) -> Proposer:
        if name == PySR.name:
            return PySR(task, recipes, reproducible=reproducible, alone=set(useful) <= {PySR.name, OtherRecipe.name})
        return _KINDS[name](task, recipes)

    return Portfolio([*(made(name) for name in useful), *joining], [Human(task)] if HUMAN in names else [])


def proposers_named(text: str) -> tuple[str, ...]:
    """The proposers that a comma-separated list names; "auto" for those of every search.

    Raises:
        DiscoverError: A name that is none; offers close matches. "operon" or "pysr" where its engine is not
            installed.
    """
    if text.strip() == "auto":
        return DEFAULT
    names = [name.strip() for name in text[:1000].split(",")]
    for name in names:
        if name not in (*_KINDS, PySR.name):
            raise DiscoverError(f"proposers: {name[:60]!r} is none{did_you_mean(name, ['auto', *_KINDS, PySR.name])}")
    if Operon.name in names:
        demand()
    if PySR.name in names:
        require()
    return tuple(dict.fromkeys(names))


__all__ = ["DEFAULT", "HUMAN", "Portfolio", "Proposal", "Proposer", "portfolio_of", "proposers_named"]
