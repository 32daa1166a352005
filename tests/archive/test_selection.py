from __future__ import annotations

from dataclasses import replace

import numpy as np

from discover.archive import OK, Candidate, choose
from discover.fitting import Recipe
from discover.law import parse
from discover.scoring import Validation

FORMS = ["a + b*x", "a + b*x**c", "a*log(x)", "a*exp(b*x)", "a*x**b", "a + b*log(x)", "a/(x + b)", "a*x + b*x**2"]


def candidate(
    number: int,
    score: float,
    beyond: list[float],
    status: str = OK,
    far: str = "",
    n_settings: int = 1000,
    left: float | None = None,
    population: int = 0,
) -> Candidate:
    probes, one, start = np.array([1.0, 2.0, *beyond]), np.ones(1), np.ones((1, 2))
    yes = np.array([True])
    fit = float(np.exp(score)) if left is None else left
    validation = Validation(
        score, np.exp([score]), fit, float(np.log(fit)), start, one, yes, probes, far, start, n_settings, one, one * fit
    )
    law = parse(FORMS[number], ["x"])
    return Candidate(number, law, Recipe(), "families", (), status, validation, population=population)


def test_the_best_by_folds_is_chosen_where_its_peers_agree() -> None:
    pool = [candidate(i, -5.0 + i / 10, [3.0, 4.0]) for i in range(6)]
    choice = choose(pool)
    assert choice is not None
    assert choice.chosen.number == 0
    assert choice.ranked[0] is choice.chosen


def test_a_law_that_leaves_its_peers_beyond_the_data_is_set_aside() -> None:
    pool = [candidate(0, -6.0, [30.0, 400.0])]
    pool += [candidate(i, -5.0 + i / 10, [3.0 + i / 100, 4.0]) for i in range(1, 7)]
    choice = choose(pool)
    assert choice is not None
    assert choice.chosen.number == 1


def test_copies_of_one_form_in_one_population_do_not_outvote_three_populations() -> None:
    crowd = [candidate(i, -6.0 + i / 10, [30.0 + i / 10, 44.0]) for i in range(5)]
    others = [candidate(4 + p, -5.0 + p / 10, [3.0 + p / 10, 4.0], population=p) for p in (1, 2, 3)]
    choice = choose([*crowd, *others])
    assert choice is not None
    assert choice.chosen.population > 0
    alone = choose([replace(c, population=0) for c in (*crowd, *others)])
    assert alone is not None
    assert alone.chosen.number == 0


def test_between_populations_a_little_on_the_folds_counts_less_than_standing_alone() -> None:
    beyond = [[4.5, 5.5], [3.0, 4.0], [3.1, 4.1], [3.2, 4.2]]
    for gain, expected in ((0.3, 2), (2.5, 0)):
        choice = choose([candidate(p, -5.0 - gain * (p == 0), beyond[p], population=p) for p in range(4)])
        assert choice is not None
        assert choice.chosen.number == expected


def test_a_population_far_behind_has_no_say() -> None:
    poor = [candidate(p, -1.0, [30.0 + p, 44.0], population=p) for p in (1, 2, 3)]
    choice = choose([candidate(0, -5.0, [3.0, 4.0]), *poor])
    assert choice is not None
    assert choice.chosen.number == 0


def test_what_two_populations_found_is_ranked_once() -> None:
    twice = [candidate(0, -5.0, [3.0, 4.0], population=p) for p in (0, 1)]
    choice = choose([*twice, candidate(1, -4.5, [3.0, 4.0])])
    assert choice is not None
    assert [c.number for c in choice.ranked] == [0, 1]


def test_a_disagreement_far_below_the_spread_of_the_data_sets_nobody_aside() -> None:
    """Six copies of one law to the last digit, and one that differs by a millionth: it is the best and stays so."""
    pool = [candidate(0, -9.0, [3.000001, 4.000001])]
    pool += [candidate(i, -5.0 + i / 10, [3.0, 4.0]) for i in range(1, 7)]
    choice = choose(pool)
    assert choice is not None
    assert choice.chosen.number == 0


def test_a_law_that_did_not_converge_is_never_chosen() -> None:
    pool = [candidate(0, -9.0, [3.0, 4.0], status="step limit"), candidate(1, -1.0, [3.0, 4.0])]
    choice = choose(pool)
    assert choice is not None
    assert choice.chosen.number == 1
    assert choose(pool[:1]) is None


def test_a_law_that_misbehaves_far_away_gives_way_to_one_that_does_not() -> None:
    pool = [candidate(0, -9.0, [3.0, 4.0], far="changes sign beyond the data"), candidate(1, -1.0, [3.0, 4.0])]
    choice = choose(pool)
    assert choice is not None
    assert choice.chosen.number == 1


def test_where_no_law_behaves_the_best_one_is_chosen_and_one_with_values_before_it() -> None:
    """A table may be such that every law found leaves it with no value just beyond: the run still ends with one."""
    wild = [candidate(i, -9.0 + i, [np.inf, 4.0], far="not finite just beyond the data") for i in range(3)]
    choice = choose(wild)
    assert choice is not None
    assert [c.number for c in choice.ranked] == [0, 1, 2]
    choice = choose([*wild, candidate(3, -1.0, [3.0, 4.0], far="changes sign beyond the data")])
    assert choice is not None
    assert choice.chosen.number == 3


def test_a_parameter_more_must_earn_its_place_on_a_small_table_and_hardly_on_a_large_one() -> None:
    """Law 1 has a parameter more than law 0 and a slightly better score: luck on ten settings, a fact on a thousand."""
    for n_settings, expected in ((10, 0), (1000, 1)):
        pool = [candidate(0, -4.0, [3.0, 4.0], n_settings=n_settings)]
        pool.append(candidate(1, -4.3, [3.0, 4.0], n_settings=n_settings))
        choice = choose(pool)
        assert choice is not None
        assert choice.chosen.number == expected


def test_many_poor_laws_do_not_outvote_the_one_good_one() -> None:
    pool = [candidate(0, -9.0, [3.0, 4.0])] + [candidate(i, -3.0 + i / 10, [30.0, 44.0]) for i in range(1, 8)]
    choice = choose(pool)
    assert choice is not None
    assert choice.chosen.number == 0


def test_errors_below_the_noise_are_luck_and_the_simpler_law_is_chosen() -> None:
    """Law 1 has a parameter more and misses the fold by a hundredth: of a fit that leaves much more, or much less."""
    for left, expected in ((1e-3, 0), (1e-7, 1)):
        pool = [candidate(0, -9.0, [3.0, 4.0], left=left, n_settings=30)]
        pool.append(candidate(1, -13.6, [3.0, 4.0], left=left, n_settings=30))
        choice = choose(pool)
        assert choice is not None
        assert choice.noise == left
        assert choice.chosen.number == expected
