"""Proposers: siblings that suggest laws, and the portfolio that divides the work among them.

In: the archive. Out: proposals. Stays out: fitting, scores of rows that the search must not see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from discover.proposers.evolutionary import Crossover, Evolutionary, Families, Mutation, OtherRecipe, Recipes
from discover.proposers.portfolio import Portfolio
from discover.proposers.proposal import Proposal
from discover.proposers.proposer import Proposer

if TYPE_CHECKING:
    from discover.task import Task

_KINDS: dict[str, type[Evolutionary]] = {k.name: k for k in (Families, Mutation, Crossover, OtherRecipe)}
DEFAULT = tuple(_KINDS)


def portfolio_of(task: Task, names: tuple[str, ...] = DEFAULT) -> Portfolio:
    """The named proposers for a task."""
    recipes = Recipes(task, genes="recipe" in names)
    return Portfolio([_KINDS[name](task, recipes) for name in names])


__all__ = ["DEFAULT", "Portfolio", "Proposal", "Proposer", "portfolio_of"]
