"""Proposers that need nothing but the archive: families, mutation, crossover, other recipes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from discover.fitting import FEWEST_WEIGHED, LOSSES, Recipe
from discover.law.expression import symbols
from discover.proposers.families import opening_expressions, random_expression
from discover.proposers.mutation import cross, mutate
from discover.proposers.pieces import Input, Pieces
from discover.proposers.proposal import Proposal, is_sensible, tidy_law
from discover.proposers.proposer import Proposer

if TYPE_CHECKING:
    from discover.archive import Archive, Candidate
    from discover.law.expression import Expression
    from discover.task import Rows, Task

_WEIGHTS = (0.0, 0.25, 0.5, 1.0)
_WINDOWS = (0.0, 0.15, 0.3, 0.45)
_SHRINKS = (0.0, 0.3, 1.0)
_FEWEST_NEIGHBOURS = 3  # cells of one target


def inputs_of(rows: Rows, task: Task) -> list[Input]:
    """How the pieces may use each input: by what its column promises and its training rows show."""
    scales = {column.name: column.scale for column in task.inputs}
    found = []
    for index, name in enumerate(rows.input_names):
        lowest = float(rows.inputs[:, index].min())
        is_log = scales.get(name, "linear") == "log"
        found.append(Input(name, is_log and lowest > 0, lowest >= 0))
    return found


class Recipes:
    """Draws recipes: mostly the parent's, now and then a neighbour of it."""

    def __init__(self, task: Task, genes: bool = True) -> None:
        positive = bool((task.training.target > 0).all())
        self.losses = [loss for loss in LOSSES if positive or not loss.startswith("log")]
        self.genes = genes
        rows = task.training
        n_settings = rows.n_settings
        # A dozen rows cannot tell which of them count more; that some weighting looks best is luck.
        self.scaled = bool(task.scale_axes) and n_settings >= FEWEST_WEIGHED
        # Scores count a setting once, and so do fits: what was varied beside the inputs is no reason to count it more.
        self.plain = Recipe(once=n_settings < rows.n_rows)

    def draw(self, rng: np.random.Generator, parent: Recipe | None = None) -> Recipe:
        if not self.genes:
            return self.plain
        loss = self.losses[int(rng.integers(2))] if len(self.losses) > 4 else "squared"
        base = parent or replace(self.plain, loss=loss)
        if rng.random() < (0.8 if parent is None else 0.85):
            return base
        roll = rng.random()
        if roll < 0.5 or not self.scaled:
            return replace(base, loss=self.losses[int(rng.integers(len(self.losses)))])
        if roll < 0.75:
            return replace(base, weight=_WEIGHTS[int(rng.integers(len(_WEIGHTS)))])
        return replace(base, window=_WINDOWS[int(rng.integers(len(_WINDOWS)))])


def values_of(candidate: Candidate) -> dict[str, np.ndarray]:
    """Parameter -> values (cell,) that a candidate was fitted with: what its children start from."""
    if candidate.validation is None:
        return {}
    return {name: candidate.validation.core[:, j] for j, name in enumerate(candidate.law.parameters)}


class Evolutionary(Proposer):
    """What the four siblings share: a task's inputs, its cap, and a law made fit for the archive."""

    def __init__(self, task: Task, recipes: Recipes) -> None:
        self.inputs = inputs_of(task.training, task)
        self.input_names = task.training.input_names
        self.cap = task.parameter_cap
        self.recipes = recipes

    def proposal(
        self,
        expression: Expression,
        pieces: Pieces,
        recipe: Recipe,
        parents: tuple[int, ...] = (),
    ) -> Proposal | None:
        """The proposal of a tree with the bounds and the known values of its pieces; None where it makes no sense."""
        names = set(symbols(expression))
        if not names - set(self.input_names) or not names & set(self.input_names):
            return None
        law, renamed = tidy_law(expression, self.input_names, pieces.bounds)
        if not is_sensible(law, self.cap):
            return None
        guess = {new: pieces.known[old] for old, new in renamed.items() if old in pieces.known}
        if recipe.shared:
            recipe = replace(recipe, shared=tuple(renamed[old] for old in recipe.shared if old in renamed))
        return Proposal(law, recipe, self.name, parents, guess)


class Families(Evolutionary):
    """The plainest laws, for every archive, then random ones of the field's shapes."""

    name = "families"

    def __init__(self, task: Task, recipes: Recipes) -> None:
        super().__init__(task, recipes)
        openings = opening_expressions(self.inputs, self.cap)
        self._plain = [made for opening in openings if (made := self.proposal(*opening, recipes.plain))]

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        if plain := next((proposal for proposal in self._plain if not archive.knows(proposal.key)), None):
            return plain
        expression, pieces = random_expression(self.inputs, self.cap, rng)
        return self.proposal(expression, pieces, self.recipes.draw(rng))


class Mutation(Evolutionary):
    """Edits of laws that did well."""

    name = "mutation"

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        parent = archive.parent(rng)
        if parent is None:
            return None
        expression, pieces = mutate(parent.law, self.inputs, rng, values_of(parent))
        return self.proposal(expression, pieces, self.recipes.draw(rng, parent.recipe), (parent.number,))


class Crossover(Evolutionary):
    """A term of one good law in another."""

    name = "crossover"

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        first, second = archive.parent(rng), archive.parent(rng)
        if first is None or second is None or first is second:
            return None
        expression, pieces = cross(first.law, second.law, self.inputs, rng, values_of(first), values_of(second))
        recipe = self.recipes.draw(rng, first.recipe)
        return self.proposal(expression, pieces, recipe, (first.number, second.number))


class OtherRecipe(Evolutionary):
    """A good law, fitted in another way."""

    name = "recipe"

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        parent = archive.parent(rng)
        if parent is None or not self.recipes.genes:
            return None
        for _ in range(6):
            recipe = self.recipes.draw(rng, parent.recipe)
            if recipe != parent.recipe:
                return Proposal(parent.law, recipe, self.name, (parent.number,), values_of(parent))
        return None


class Sharing(Evolutionary):
    """A good law of which one parameter has the same value in all cells, or no longer has."""

    name = "sharing"
    effort = 2.0  # all cells of a fold are one problem

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        parent = archive.parent(rng)
        if parent is None:
            return None
        names = parent.law.parameters
        chosen = names[int(rng.integers(len(names)))]
        shared = set(parent.recipe.shared) ^ {chosen}
        if len(shared) == len(names):
            return None
        recipe = replace(parent.recipe, shared=tuple(shared))
        return Proposal(parent.law, recipe, self.name, (parent.number,), values_of(parent))


class Shrinking(Evolutionary):
    """A good law whose cells learn from each other, more or less than before."""

    name = "shrinking"
    effort = 3.0  # every cell alone first, then under a prior

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        parent = archive.parent(rng)
        if parent is None:
            return None
        others = [strength for strength in _SHRINKS if strength != parent.recipe.shrink]
        recipe = replace(parent.recipe, shrink=others[int(rng.integers(len(others)))])
        return Proposal(parent.law, recipe, self.name, (parent.number,), values_of(parent))

    @staticmethod
    def has_neighbours(task: Task) -> bool:
        """Whether some target has cells enough to say what is usual among them."""
        targets = [cell.target for cell in task.training.cells]
        return max(map(targets.count, targets)) >= _FEWEST_NEIGHBOURS
