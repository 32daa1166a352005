"""From an item of a reply to a law that may be tried, or to the words in which it is refused.

A refusal is told back to the model, so it says what is wrong and what would be right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from discover.errors import DiscoverError
from discover.fitting import Recipe
from discover.law.law import Law
from discover.law.parser import law_of
from discover.proposers.language_model.reply import words
from discover.proposers.proposal import is_sensible, most_complexity, without_idle_parameters

if TYPE_CHECKING:
    from discover.proposers.language_model.names import Names
    from discover.proposers.language_model.reply import Item
    from discover.task import Task


@dataclass(frozen=True)
class Suggestion:
    """A law that a model wrote, in the task's names.

    Attributes:
        shown: The formula in the names of the conversation.
        guess: Parameter -> value: where its fit may begin beside random places.
    """

    law: Law
    recipe: Recipe
    guess: dict[str, float]
    reason: str
    shown: str

    @property
    def key(self) -> str:
        """As `Candidate.key`."""
        return f"{self.law.key} | {self.recipe.text}"


def suggestion_of(item: Item, task: Task, names: Names) -> Suggestion | str:
    """The suggestion, or why there is none."""
    try:
        law, renamed = names.read(item.formula, item.bounds)
        expression, freed = without_idle_parameters(law.expression, set(law.inputs))
        bounds = {name: b for name, b in law.bounds.items() if name not in freed}
        law = law_of(expression, task.training.input_names, bounds=bounds)
    except DiscoverError as error:
        return words(str(error).removeprefix("formula: "))
    if problem := _problem(law, task.parameter_cap):
        return problem
    guess = {renamed[name]: value for name, value in item.guess.items() if name in renamed}
    guess = {name: guess[name] for name in law.parameters if name in guess and name not in freed}
    return Suggestion(law, _recipe(item.recipe, task), guess, item.reason, names.show(law)[0])


def _problem(law: Law, cap: int) -> str:
    if not law.inputs:
        return "it reads no input"
    if len(law.parameters) > cap:
        return f"it has {len(law.parameters)} parameters, at most {cap} are allowed"
    if law.complexity > most_complexity(cap):
        return f"it is too long: complexity {law.complexity}, at most {most_complexity(cap)}"
    if not is_sensible(law, cap):
        return "powers, exponentials and logarithms stand on one another more than three deep"
    return ""


def _recipe(text: str, task: Task) -> Recipe:
    """The recipe that a hint names; a plain one where it names none, or one that the target does not allow."""
    try:
        recipe = Recipe.from_text(Recipe.from_text(text).text)
    except DiscoverError:
        return Recipe()
    return Recipe() if recipe.is_log and not (task.training.target > 0).all() else recipe
