from __future__ import annotations

from dataclasses import replace

import numpy as np

from discover.archive import OK, Archive, Candidate, pareto_front
from discover.fitting import Recipe
from discover.law import parse
from discover.scoring import Validation


def candidate(
    number: int, formula: str, score: float, probes: list[float], status: str = OK, left: float = 0.01
) -> Candidate:
    law = parse(formula, ["x"])
    parameters = np.ones((1, len(law.parameters)))
    one, yes = np.ones(1), np.array([True])
    told = np.array(probes)
    inside, luck = float(np.log(left)), np.array([left])
    validation = Validation(
        score, np.exp([score]), left, inside, parameters, one, yes, told, "", parameters, 1000, one, luck
    )
    return Candidate(number, law, Recipe(), "families", (), status, validation)


def on_folds(candidate: Candidate, missed: list[float]) -> Candidate:
    """The candidate with these errors on two folds of equal weight, .01 of each left by its fit to all rows."""
    assert candidate.validation is not None
    weights, nmse = np.array([0.5, 0.5]), np.array(missed)
    score = float(np.log(nmse).mean())
    luck = np.array([0.01, 0.01])
    return replace(
        candidate, validation=replace(candidate.validation, score=score, nmse=nmse, weights=weights, luck=luck)
    )


def test_the_front_holds_what_nothing_beats_on_score_and_complexity() -> None:
    archive = Archive(spread=1.0)
    archive.add(
        [
            candidate(1, "a + b*x", -2.0, [1.0]),
            candidate(2, "a + b*x**c", -3.0, [2.0]),
            candidate(3, "a + b*x**c + d*log(x)", -2.5, [3.0]),
            candidate(4, "a", -1.0, [4.0]),
        ]
    )
    assert [c.number for c in archive.pareto_front()] == [4, 1, 2]


def test_luck_below_the_noise_does_not_push_a_law_off_the_front() -> None:
    """Two folds: one law missed the first by next to nothing and the second by a lot, the other one both by little."""
    lucky = on_folds(candidate(1, "a + b*x", 0.0, [1.0]), [1e-7, 0.04])
    steady = on_folds(candidate(2, "a + b*x**c", 0.0, [2.0]), [0.003, 0.002])
    assert lucky.score < steady.score
    archive = Archive(spread=1.0)
    archive.add([lucky, steady])
    archive.add([])
    assert archive.noise.tolist() == [0.01, 0.01]
    assert [c.number for c in archive.pareto_front()] == [1, 2]
    assert [c.number for c in pareto_front([lucky, steady], 0.0)] == [1]


def test_two_laws_with_the_same_predictions_are_one_and_the_fitter_stays() -> None:
    archive = Archive(spread=1.0)
    archive.add([candidate(1, "a + b*x", -2.0, [1.0, 2.0])])
    archive.add([candidate(2, "a + b*x + c*x", -2.0, [1.0, 2.00001])])
    assert [c.number for c in archive.elites] == [1]
    archive.add([candidate(3, "a*x + 1", -4.0, [1.0, 2.0])])
    assert [c.number for c in archive.elites] == [3]
    assert archive.failures["same predictions as another"] == 1


def test_a_target_in_thousands_does_not_make_two_losses_the_same() -> None:
    archive = Archive(spread=np.array([0.5, 4000.0]))
    archive.add([candidate(1, "a + b*x", -2.0, [2.5, 3000.0]), candidate(2, "a + b*x**2", -2.1, [2.9, 3000.1])])
    assert [c.number for c in archive.elites] == [2, 1]


def test_failures_are_counted_by_reason_and_cannot_be_parents() -> None:
    archive = Archive(spread=1.0)
    archive.add([candidate(1, "a + b*x", -9.0, [1.0], status="not finite")])
    assert archive.failures == {"not finite": 1}
    assert archive.parent(np.random.default_rng(0)) is None


def test_a_key_that_was_asked_for_is_known() -> None:
    archive = Archive(spread=1.0)
    archive.reserve("key")
    assert archive.knows("key")
    assert not archive.knows("another")


def test_the_hall_keeps_the_best_law_of_each_size_after_its_island_has_no_place_for_it() -> None:
    archive = Archive(spread=1.0)
    archive.add([candidate(1, "a + b*x", -1.0, [0.0])])
    crowd = [f"a + b*x**{n / 7:.4f}" for n in range(8, 40)]
    archive.add([candidate(2 + i, formula, -5.0 - i / 100, [float(i)]) for i, formula in enumerate(crowd)])
    assert 1 not in {c.number for c in archive.elites}
    assert archive.pareto_front()[0].number == 1


def test_the_elites_are_ordered_anew_once_fits_show_how_little_the_measurements_scatter() -> None:
    """Below the noise the simpler of two laws is the fitter; once better fits come, the one that misses less is."""
    archive = Archive(spread=1.0)
    archive.add([candidate(n, f"a*x**{n}", -0.1, [float(n)], left=0.05) for n in (2, 3, 4)])
    archive.add([candidate(5, "a + b*x**c", -9.2, [5.0], left=0.05), candidate(6, "a*x", -9.0, [6.0], left=0.05)])
    assert archive.noise == 0.05
    assert [c.number for c in archive.elites][:2] == [6, 5]
    archive.add([candidate(n, f"a*exp(x/{n})", -0.2, [float(n)], left=1e-8) for n in (7, 8, 9)])
    archive.add([])
    assert archive.noise == 1e-8
    assert [c.number for c in archive.elites][:2] == [5, 6]
