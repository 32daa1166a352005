"""Standard errors are those of the estimates."""

from __future__ import annotations

import numpy as np

from discover.fitting.uncertainty import spread

SIZES = np.linspace(0.0, 1.0, 30)
JACOBIAN = np.column_stack([np.ones(30), SIZES])


def errors(weight: np.ndarray, told: bool, noise: np.ndarray, draws: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviation (parameter,) of weighted fits of a line, and the root mean square of what `spread` says."""
    rng, root = np.random.default_rng(0), np.sqrt(weight)
    weighted = JACOBIAN * root[:, None]
    found, said = [], []
    for _ in range(draws):
        target = noise * rng.standard_normal(30) * root
        solution = np.linalg.lstsq(weighted, target, rcond=None)[0]
        cost = 0.5 * float(((weighted @ solution - target) ** 2).sum())
        found.append(solution)
        said.append(spread(weighted, cost, weight if told else None)[1])
    return np.std(found, axis=0), np.sqrt(np.mean(np.square(said), axis=0))


def test_a_fit_that_leans_on_few_of_equally_noisy_rows_knows_less():
    weight = np.exp(6.0 * (SIZES - 1.0))
    true, said = errors(weight, True, np.full(30, 0.1))
    assert (np.abs(said / true - 1.0) < 0.1).all()
    _, usual = errors(weight, False, np.full(30, 0.1))
    assert usual[1] < 0.8 * true[1]


def test_weights_that_tell_how_much_rows_scatter_are_taken_at_their_word():
    weight = np.exp(3.0 * (SIZES - 1.0))
    true, said = errors(weight, False, 0.1 / np.sqrt(weight))
    assert (np.abs(said / true - 1.0) < 0.1).all()


def test_the_larger_error_is_told_where_weights_may_mean_either():
    weight = np.exp(3.0 * (SIZES - 1.0))
    for noise in (np.full(30, 0.1), 0.1 / np.sqrt(weight)):
        true, said = errors(weight, True, noise)
        assert (said > 0.95 * true).all()


def test_equal_weights_of_any_size_change_nothing():
    cost = 0.7
    plain = spread(JACOBIAN, cost)[1]
    assert np.allclose(spread(JACOBIAN, cost, np.ones(30))[1], plain, rtol=1e-12)
    assert np.allclose(spread(2.0 * JACOBIAN, 4.0 * cost, np.full(30, 4.0))[1], plain, rtol=1e-12)
