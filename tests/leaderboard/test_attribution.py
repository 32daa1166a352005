"""Form × recipe on planted rows, where it is known which of the two earns a gain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discover.errors import DiscoverError
from discover.fitting import Recipe, fit
from discover.law import parse
from discover.leaderboard import WAYS, Way, attribute, refitting
from discover.leaderboard import attribution as ways_of_fitting
from discover.scoring import Yardstick
from discover.task import HumanLaw, Task, load_task
from tests.folders import task_text, write_folder

TASK = task_text("planted_scaling", {"N": "parameters"}, '{ column = "N", at_least = 3e6 }', cap=3)

HUMAN = """
[[laws]]
name = "straight"
formula = "E + A*log(N)"
bounds = {}
citation = "nobody"
[laws.published."loss"]
E = 5.0
A = -0.2
"""

FORM = "E + A*N**(-alpha)"
ROBUST = "soft_l1"


def planted(folder: Path) -> Task:
    """Forty sizes of which the larger are held out; every sixth of the training rows is 0.15 too high."""
    lines = ["N,loss"]
    for place, n in enumerate(np.geomspace(1e4, 1e7, 40)):
        off = 0.15 if place % 6 == 3 and n < 3e6 else 0.0
        lines.append(f"{n:.1f},{2 + 300 / n**0.5 + off:.6f}")
    return load_task(write_folder(folder, TASK, lines, HUMAN))


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return planted(tmp_path_factory.mktemp("tasks") / "planted_scaling")


def chosen_row(task: Task, recipe: str, **changes: Any) -> dict[str, Any]:
    """The true form, fitted by a recipe, as a leaderboard keeps it."""
    law = parse(FORM, task.input_names)
    made = Recipe.from_text(recipe)
    weights = Yardstick.of(task).weights(made)
    result = fit(law, task.training, recipe=made, starts=24, rng=np.random.default_rng(0), weights=weights)
    parameters = {"loss": dict(zip(law.parameters, map(float, result.parameters[0]), strict=True))}
    return {
        "law": "planted-1", "name": "families", "formula": str(law), "recipe": recipe, "parameters": parameters,
        "bounds": law.bounds, "validation_r2": 0.9, "status": "ok", **changes,
    }  # fmt: skip


def attributed(task: Task, row: dict[str, Any], library: tuple[HumanLaw, ...] = ()) -> dict[str, Way]:
    found = attribute(task, row, rng=np.random.default_rng(0), opening=lambda what: None, library=library)
    return {way.way: way for way in found}


@pytest.fixture(scope="module")
def ways(task: Task) -> dict[str, Way]:
    true = HumanLaw("truth", FORM, {}, "somebody", {}, "")
    return attributed(task, chosen_row(task, ROBUST), (true,))


def test_the_form_earns_what_the_plain_recipe_gives_too_and_the_recipe_the_rest(ways: dict[str, Way]) -> None:
    reached = {name: way.held_out_r2 for name, way in ways.items()}
    assert tuple(reached) == WAYS
    human, form, whole = (
        reached[name] for name in (ways_of_fitting.HUMAN, ways_of_fitting.DISCOVERED_PLAIN, ways_of_fitting.DISCOVERED)
    )
    assert human < -10, "a straight line leaves the data"
    assert form > human + 10, "the form alone stays near them"
    assert whole > max(0.9, form + 0.1), "rows that are off pull a square more than a robust loss"
    assert reached[ways_of_fitting.HUMAN_THEIRS] < -10, "the recipe alone does not save the human form"


def test_each_way_says_by_which_recipe_it_was_fitted(ways: dict[str, Way]) -> None:
    recipes = [way.recipe for way in ways.values()]
    assert recipes == ["", "squared", ROBUST, "squared", "squared", ROBUST]
    assert ways[ways_of_fitting.PUBLISHED].validation_r2 is None
    assert all(way.validation_r2 is not None for way in ways.values() if way.recipe)


def test_the_best_known_law_is_picked_by_validation(ways: dict[str, Way], task: Task) -> None:
    assert ways[ways_of_fitting.KNOWN].name == "truth"
    worse = HumanLaw("worse", "E", {}, "somebody", {}, "")
    found = attributed(task, chosen_row(task, "squared"), (worse,))
    assert found[ways_of_fitting.KNOWN].name == "straight"


def test_the_human_form_is_the_one_whose_coefficients_are_printed(task: Task, tmp_path: Path) -> None:
    """Were another form refitted, published and refitted would not differ by fitting alone."""
    other = planted(tmp_path / "other")
    text = f'\n[[laws]]\nname = "unprinted"\nformula = "{FORM}"\nbounds = {{}}\ncitation = "somebody"\n'
    (other.folder / "human.toml").write_text(HUMAN + text, encoding="utf-8")
    found = attributed(load_task(other.folder), chosen_row(other, "squared"))
    names = (ways_of_fitting.PUBLISHED, ways_of_fitting.HUMAN, ways_of_fitting.KNOWN)
    assert [found[name].name for name in names] == ["straight", "straight", "unprinted"]


def test_a_plain_recipe_is_not_fitted_twice(task: Task) -> None:
    found = attributed(task, chosen_row(task, "squared"))
    plain, own = found[ways_of_fitting.DISCOVERED_PLAIN], found[ways_of_fitting.DISCOVERED]
    assert plain.held_out_r2 == own.held_out_r2
    assert found[ways_of_fitting.HUMAN].held_out_r2 == found[ways_of_fitting.HUMAN_THEIRS].held_out_r2


def test_what_the_leaderboard_keeps_of_the_plain_recipe_is_taken_from_it(task: Task) -> None:
    kept = {"recipe": "squared", "parameters": {"loss": {"E": 9.0, "A": 0.0, "alpha": 0.5}}, "validation_r2": 0.25,
            "held_out_r2": 0.0, "status": "ok"}  # fmt: skip
    found = attributed(task, chosen_row(task, ROBUST, plain_recipe=kept))[ways_of_fitting.DISCOVERED_PLAIN]
    assert found.validation_r2 == 0.25
    assert found.held_out_r2 < -100, "nine everywhere"


def test_the_held_out_rows_are_opened_once_after_everything_was_fitted(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    read, made = ways_of_fitting.open_held_out, Yardstick.fit
    monkeypatch.setattr(ways_of_fitting, "open_held_out", lambda t: order.append("read") or read(t))
    monkeypatch.setattr(Yardstick, "fit", lambda *a, **k: order.append("fit") or made(*a, **k))
    row = chosen_row(task, ROBUST)
    attribute(task, row, rng=np.random.default_rng(0), opening=lambda what: order.append(what))
    assert order[:-2] == ["fit"] * 3
    assert order[-2].startswith(f"planted_scaling: {task.held_out_count} held-out lines, for 6 ways")
    assert order[-1] == "read"


def test_the_plain_recipe_keeps_what_cells_share_and_nothing_else() -> None:
    recipe = Recipe.from_text("log_huber weight=0.5 window=0.3 once=1 shared=alpha")
    assert refitting.plain(recipe).text == "squared shared=alpha"


def test_a_damaged_row_is_refused(task: Task) -> None:
    with pytest.raises(DiscoverError):
        attributed(task, chosen_row(task, ROBUST, formula="__import__('os')"))
