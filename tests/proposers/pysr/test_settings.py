"""What PySR is told: limits on the shape of formulas, and what fixes the outcome of a search."""

from __future__ import annotations

from typing import Any

import pytest

from discover.proposers.pysr.coordinates import VIEWS, Coordinates, View
from discover.proposers.pysr.settings import settings_of
from discover.task import load_task


def told(view: View, reproducible: bool = True, cap: int = 6, seed: int = 7) -> dict[str, Any]:
    coordinates = Coordinates(load_task("vocab_scaling"), view)
    return settings_of(coordinates, cap, seed, reproducible=reproducible, threads=2)


@pytest.mark.parametrize("view", VIEWS)
def test_no_tower_that_explodes_beyond_the_data_can_be_built(view: View) -> None:
    settings = told(view)
    names = {name for arity in settings["operators"].values() for name in arity}
    steep = {"^", "exp", "log"} & names
    assert set(settings["nested_constraints"]) == set(settings["constraints"]) == steep
    assert all(inside[outer] == 0 for outer, inside in settings["nested_constraints"].items())
    if "^" in steep:
        assert settings["nested_constraints"]["^"]["exp"] == 0
        assert settings["constraints"]["^"][1] == 3  # an exponent is small
    else:
        assert "exp" in steep


def test_formulas_are_as_large_as_the_cap_of_parameters_allows() -> None:
    assert [told(VIEWS[0], cap=cap)["maxsize"] for cap in (1, 4, 20)] == [15, 24, 32]


def test_a_seed_fixes_a_search_that_is_waited_for_and_a_time_ends_another() -> None:
    fixed, timed = told(VIEWS[0]), told(VIEWS[0], reproducible=False)
    assert (fixed["deterministic"], fixed["parallelism"], fixed["random_state"]) == (True, "serial", 7)
    assert fixed["niterations"] < timed["niterations"]
    assert timed["timeout_in_seconds"] > 0
