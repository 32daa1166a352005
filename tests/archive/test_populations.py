from __future__ import annotations

from collections import defaultdict

from discover.archive import Populations
from discover.archive.populations import POPULATIONS
from discover.evolution import Budget, Search
from discover.task import load_task
from tests.archive.test_archive import candidate

PARALLEL = load_task("parallel_scaling")


def test_populations_have_batches_one_after_the_other_at_first_and_then_by_turns() -> None:
    turns = [Populations.turn(batch) for batch in range(1, 16 * POPULATIONS + 9)]
    assert turns[: 16 * POPULATIONS] == [population for population in range(POPULATIONS) for _ in range(16)]
    assert turns[16 * POPULATIONS :] == [*range(POPULATIONS), *range(POPULATIONS)]


def test_a_short_search_is_spent_on_one_population() -> None:
    search = Search(PARALLEL, Budget(candidates=80), 0)
    found = [candidate for generation in search.generations() for candidate in generation.candidates]
    assert {candidate.population for candidate in found} == {0}
    assert not any(archive.elites for archive in search.populations.archives[1:])


def test_a_law_that_one_population_knows_is_new_to_another() -> None:
    populations = Populations(spread=1.0)
    law = candidate(1, "a + b*x", -2.0, [1.0])
    populations.add(1, [law])
    assert populations.of(1).knows(law.key)
    assert not populations.of(17).knows(law.key)
    populations.add(17, [candidate(2, "a + b*x", -2.0, [1.0])])
    assert [elite.population for elite in populations.elites] == [0, 1]


def test_what_all_hold_together_is_what_each_of_them_holds() -> None:
    populations = Populations(spread=1.0)
    populations.add(1, [candidate(1, "a + b*x", -2.0, [1.0]), candidate(2, "a", 0.0, [1.5], status="not finite")])
    populations.add(2, [candidate(5, "a + b*x + c*x**2", -1.5, [4.0])])
    own, entered = populations.add(17, [candidate(3, "a + b*x**c", -3.0, [2.0]), candidate(4, "a + b/x", -1.0, [3.0])])
    assert [c.number for c in own] == [c.number for c in entered] == [3, 4]
    assert [c.population for c in own] == [1, 1]
    assert [c.number for c in populations.elites] == [3, 1, 5, 4]
    assert populations.best() is own[0]
    assert [c.number for c in populations.pareto_front()] == [1, 3]
    assert (populations.count, populations.of(33).count, dict(populations.failures)) == (5, 5, {"not finite": 1})
    assert [c.number for c in populations.nominees()] == [1, 3, 5, 4], "by turns"


def test_no_law_has_parents_in_another_population() -> None:
    search = Search(PARALLEL, Budget(candidates=640), 0)
    population, parents = {}, defaultdict(set)
    for generation in search.generations():
        for law in generation.candidates:
            population[law.number] = law.population
            parents[law.population].update(law.parents)
    assert sorted(set(population.values())) == [0, 1, 2]
    assert all(parents.values())
    assert all({population[number] for number in numbers} == {own} for own, numbers in parents.items())
