"""What every fit promises, on planted laws and seeded noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discover.errors import FitError, UnknownInputError
from discover.fitting import Fit, Recipe, fit, least_squares
from discover.fitting.levenberg_marquardt import Solution
from discover.fitting.residuals import BoundResiduals
from discover.law import Law, parse
from discover.task import Cell, Rows

CHINCHILLA = "E + A/N**alpha + B/D**beta"
INFINITE = float("inf")
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None, derandomize=True)


def rows_of(
    names: Sequence[str],
    inputs: np.ndarray,
    target: np.ndarray,
    cell: np.ndarray | None = None,
    n_cells: int | None = None,
) -> Rows:
    cell = np.zeros(len(target), dtype=int) if cell is None else cell
    count = int(cell.max()) + 1 if n_cells is None else n_cells
    cells = tuple(Cell(group=f"g{i}", target="loss") for i in range(count))
    return Rows(tuple(names), cells, inputs, target, cell, np.arange(2, len(target) + 2))


def grid(*axes: np.ndarray) -> np.ndarray:
    """All combinations (row, input)."""
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)


def planted(law: Law, inputs: np.ndarray, names: Sequence[str], parameters: np.ndarray) -> Rows:
    """The law's own values for `parameters` (cell, parameter), each cell on all `inputs` (row, input)."""
    columns = {name: inputs[:, i] for i, name in enumerate(names)}
    target = np.concatenate([law.predict(columns, line) for line in parameters])
    cell = np.repeat(np.arange(len(parameters)), len(inputs))
    return rows_of(names, np.tile(inputs, (len(parameters), 1)), target, cell)


def noisy(rows: Rows, rng: np.random.Generator, level: float = 0.01) -> Rows:
    target = rows.target * np.exp(level * rng.standard_normal(rows.n_rows))
    return rows_of(rows.input_names, rows.inputs, target, rows.cell, len(rows.cells))


def fitted(law: Law, rows: Rows, seed: int = 0, **options) -> Fit:
    return fit(law, rows, rng=np.random.default_rng(seed), **options)


N = np.geomspace(1e7, 1e10, 7)
D = np.geomspace(1e9, 1e12, 6)
STEPS = np.linspace(0.0, 10.0, 41)
SMALL = np.geomspace(200, 400_000, 12)

PLANTED = [
    (CHINCHILLA, "N D", grid(N, D), [[1.69, 406.4, 0.34, 410.7, 0.28], [0.8, 60.0, 0.22, 9000.0, 0.45]]),
    ("E + A/N**alpha", "N", grid(N), [[1.7, 300.0, 0.3], [2.5, 20.0, 0.15], [0.1, 5000.0, 0.55]]),
    ("A*N**alpha*D**-beta", "N D", grid(N, D), [[300.0, -0.2, 0.1], [2e-3, 0.3, 0.2]]),
    ("E + (N/A)**-alpha", "N", grid(N), [[1.7, 3e6, 0.3], [0.5, 1e8, 0.6]]),
    ("a + b*log(N)", "N", grid(N), [[4.0, -0.1], [-2.0, 0.7]]),
    ("E + A*exp(-k*t)", "t", grid(STEPS), [[1.0, 3.0, 0.7], [-2.0, 0.5, 0.3]]),
    ("E + B/(D**beta + C)", "D", grid(SMALL), [[1.2, 900.0, 0.7, 300.0], [0.4, 60.0, 0.5, 40.0]]),
    ("c - A*tanh(k*t)", "t", grid(STEPS), [[3.0, 2.0, 0.4], [1.0, 0.3, 1.1]]),
    ("E + A/N**alpha*(1 + b*log(D))", "N D", grid(N, D), [[1.5, 300.0, 0.3, -0.03]]),
    ("a*N/(k + N)", "N", grid(N), [[2.0, 3e8], [0.3, 5e7]]),
    ("a/(1 + exp(-k*(t - m)))", "t", grid(STEPS), [[2.0, 1.3, 4.0], [5.0, 0.6, 6.0]]),
]


@pytest.mark.parametrize("formula, names, inputs, parameters", PLANTED, ids=[case[0] for case in PLANTED])
@pytest.mark.parametrize("seed", [0, 1])
def test_planted_parameters_are_recovered_in_every_cell(
    formula: str, names: str, inputs: np.ndarray, parameters: list[list[float]], seed: int
) -> None:
    # Two of the laws have the same values with the signs of some parameters changed.
    law = parse(formula, names.split(), bounds={"beta": (0.0, INFINITE), "k": (0.0, INFINITE)})
    truth = np.array(parameters)
    result = fitted(law, planted(law, inputs, names.split(), truth), seed)
    assert result.converged, result.status
    assert result.parameters == pytest.approx(truth, rel=1e-6)


@few
@given(
    st.lists(
        st.tuples(
            st.floats(0.5, 3.0),
            st.floats(2.0, 6.0),  # log A
            st.floats(0.15, 0.6),
            st.floats(2.0, 8.0),  # log B
            st.floats(0.15, 0.6),
        ),
        min_size=1,
        max_size=3,
    ),
    seeds,
)
def test_any_chinchilla_law_is_recovered(drawn: list[tuple[float, ...]], seed: int) -> None:
    """N and D in units of their smallest value, so that both terms matter."""
    law = parse(CHINCHILLA, ["N", "D"])
    truth = np.array([[e, np.exp(a), alpha, np.exp(b), beta] for e, a, alpha, b, beta in drawn])
    truth[:, [1, 3]] /= 50.0
    rows = planted(law, grid(N / N[0], D / D[0]), ["N", "D"], truth)
    result = fitted(law, rows, seed)
    assert result.converged, result.status
    assert result.parameters == pytest.approx(truth, rel=1e-5)


@few
@given(seeds)
def test_the_cost_is_never_above_that_of_scipy_started_at_the_truth(seed: int) -> None:
    from scipy.optimize import least_squares

    rng = np.random.default_rng(seed)
    law = parse(CHINCHILLA, ["N", "D"])
    truth = np.array([[1.7, 400.0, 0.34, 410.0, 0.28]])
    rows = noisy(planted(law, grid(N, D), ["N", "D"], truth), rng)
    columns = {"N": rows.inputs[:, 0], "D": rows.inputs[:, 1]}

    def residuals(scale: np.ndarray) -> np.ndarray:
        return law.predict(columns, truth[0] * scale) - rows.target

    reference = least_squares(residuals, np.ones(5), method="lm", xtol=1e-14)
    result = fitted(law, rows, seed)
    assert result.converged
    assert result.cost[0] <= reference.cost * (1 + 1e-9)
    left = result.predict(rows) - rows.target
    assert result.cost[0] == pytest.approx(0.5 * left @ left, rel=1e-9)


@few
@given(seeds, st.floats(1e-6, 1e6))
def test_scaling_the_target_scales_the_linear_parameters_alone(seed: int, factor: float) -> None:
    law = parse(CHINCHILLA, ["N", "D"])
    truth = np.array([[1.7, 400.0, 0.34, 410.0, 0.28], [0.9, 90.0, 0.25, 4000.0, 0.4]])
    rows = noisy(planted(law, grid(N, D), ["N", "D"], truth), np.random.default_rng(seed))
    scaled = rows_of(rows.input_names, rows.inputs, rows.target * factor, rows.cell)
    one, other = fitted(law, rows, seed), fitted(law, scaled, seed)
    factors = np.array([factor, factor, 1.0, factor, 1.0])
    assert other.parameters == pytest.approx(one.parameters * factors, rel=1e-6)
    assert other.cost == pytest.approx(one.cost * factor**2, rel=1e-9)


@few
@given(seeds, st.floats(1e-6, 1e6))
def test_the_unit_of_an_input_is_absorbed_by_its_coefficient(seed: int, unit: float) -> None:
    law = parse(CHINCHILLA, ["N", "D"])
    truth = np.array([[1.7, 400.0, 0.34, 410.0, 0.28]])
    rows = noisy(planted(law, grid(N, D), ["N", "D"], truth), np.random.default_rng(seed))
    other_unit = rows_of(rows.input_names, rows.inputs * [unit, 1.0], rows.target, rows.cell)
    one, other = fitted(law, rows, seed), fitted(law, other_unit, seed)
    assert other.cost == pytest.approx(one.cost, rel=1e-9)
    assert other.predict(other_unit) == pytest.approx(one.predict(rows), rel=1e-7)


@few
@given(seeds)
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    law = parse(CHINCHILLA, ["N", "D"])
    truth = np.array([[1.7, 400.0, 0.34, 410.0, 0.28], [0.9, 90.0, 0.25, 4000.0, 0.4]])
    rows = noisy(planted(law, grid(N, D), ["N", "D"], truth), rng)
    order = rng.permutation(rows.n_rows)
    one, other = fitted(law, rows, seed), fitted(law, rows.select(order), seed)
    assert other.cost == pytest.approx(one.cost, rel=1e-9)
    assert other.predict(rows) == pytest.approx(one.predict(rows), rel=1e-9)


def test_a_padded_group_is_fitted_as_if_it_were_alone() -> None:
    rng = np.random.default_rng(3)
    law = parse("E + A*exp(-k*t)", ["t"])
    truth = np.array([[1.0, 3.0, 0.7], [2.0, 0.5, 0.3], [0.2, 1.0, 1.5]])
    full = noisy(planted(law, grid(STEPS), ["t"], truth), rng)
    place = np.tile(np.arange(len(STEPS)), 3)
    kept = (full.cell == 0) | ((full.cell == 1) & (place % 2 == 0)) | ((full.cell == 2) & (place % 4 == 0))
    rows = full.select(kept)
    assert len(set(np.bincount(rows.cell))) == 3
    together = fitted(law, rows)
    for cell in range(3):
        own = rows.select(rows.cell == cell)
        alone = fitted(law, rows_of(["t"], own.inputs, own.target))
        assert alone.cost[0] == pytest.approx(together.cost[cell], rel=1e-10)
        assert alone.parameters[0] == pytest.approx(together.parameters[cell], rel=1e-7)
        assert alone.standard_errors[0] == pytest.approx(together.standard_errors[cell], rel=1e-6)
        assert alone.condition[0] == pytest.approx(together.condition[cell], rel=1e-6)


def test_a_cell_with_too_few_rows_says_so_and_leaves_the_others_alone() -> None:
    law = parse(CHINCHILLA, ["N", "D"])
    truth = np.array([[1.7, 400.0, 0.34, 410.0, 0.28]] * 2)
    rows = planted(law, grid(N, D), ["N", "D"], truth)
    rows = rows.select((rows.cell == 0) | (np.arange(rows.n_rows) >= rows.n_rows - 3))
    result = fitted(law, rows)
    assert result.status == ("converged", "too few rows")
    assert not result.converged
    assert np.isnan(result.standard_errors[1]).all()
    assert result.parameters[0] == pytest.approx(truth[0], rel=1e-6)


def test_a_cell_without_rows_says_so() -> None:
    law = parse("E + A*exp(-k*t)", ["t"])
    one = planted(law, grid(STEPS), ["t"], np.array([[1.0, 3.0, 0.7]]))
    result = fitted(law, rows_of(["t"], one.inputs, one.target, one.cell, n_cells=2))
    assert result.status == ("converged", "too few rows")
    assert not result.converged


@pytest.mark.parametrize("formula", ["a*log(t - 20) + b", "a + b*sqrt(-1 - t)", "a*exp(1000*t + 1000)", "a*t/0"])
def test_a_law_without_values_is_not_finite_and_cannot_win(formula: str) -> None:
    rows = rows_of(["t"], grid(STEPS), 1.0 + STEPS)
    result = fitted(parse(formula, ["t"]), rows)
    assert result.status == ("not finite",)
    assert not result.converged
    assert not np.isfinite(result.cost[0])


def test_one_cell_that_is_not_finite_does_not_spoil_the_other() -> None:
    law = parse("a + b*log(t)", ["t"])
    good = planted(law, grid(STEPS + 1.0), ["t"], np.array([[1.0, 2.0]]))
    inputs = np.concatenate([good.inputs, -good.inputs])
    cell = np.repeat([0, 1], len(STEPS))
    result = fitted(law, rows_of(["t"], inputs, np.tile(good.target, 2), cell))
    assert result.status == ("converged", "not finite")
    assert result.parameters[0] == pytest.approx([1.0, 2.0], rel=1e-9)


@pytest.mark.parametrize("formula", ["N + A*0**(N - N) + B*D", "(N + D)/(D - D + A)", "N + (A - A)*B + A"])
def test_a_part_that_is_zero_in_every_row_does_not_lose_the_fit(formula: str) -> None:
    """The starts looked for parameters of the size of 1/0."""
    law = parse(formula, ["N", "D"])
    truth = np.array([[1.7, 0.6][: len(law.parameters)]])
    rows = planted(law, grid(N[:4] / N[0], D[:4] / D[0]), ["N", "D"], truth)
    result = fitted(law, rows)
    assert result.predict(rows) == pytest.approx(rows.target, rel=1e-6)


def test_the_same_seed_gives_the_same_bits() -> None:
    law = parse(CHINCHILLA, ["N", "D"])
    truth = np.array([[1.7, 400.0, 0.34, 410.0, 0.28], [0.9, 90.0, 0.25, 4000.0, 0.4]])
    rows = noisy(planted(law, grid(N, D), ["N", "D"], truth), np.random.default_rng(0))
    for loss in ("squared", "log", "huber"):
        one, other = (fitted(law, rows, 7, recipe=Recipe(loss)) for _ in range(2))
        for field in ("parameters", "cost", "condition", "at_bounds", "standard_errors"):
            assert np.array_equal(getattr(one, field), getattr(other, field), equal_nan=True)
        assert one.status == other.status


@pytest.mark.parametrize(
    "bounds, held",
    [
        ({"A": (0.0, 2.0)}, "A"),  # linear
        ({"A": (5.0, INFINITE)}, "A"),
        ({"k": (0.0, 0.5)}, "k"),  # nonlinear
        ({"k": (1.0, INFINITE)}, "k"),
        ({"k": (-INFINITE, 0.4)}, "k"),
        ({"E": (-INFINITE, 0.5), "k": (0.0, 9.0)}, "E"),
    ],
)
def test_a_bound_that_matters_is_kept_and_reported(bounds: dict[str, tuple[float, float]], held: str) -> None:
    free = parse("E + A*exp(-k*t)", ["t"])
    law = parse("E + A*exp(-k*t)", ["t"], bounds=bounds)
    rows = noisy(planted(free, grid(STEPS), ["t"], np.array([[1.0, 3.0, 0.7]])), np.random.default_rng(1))
    result = fitted(law, rows)
    for (lower, upper), value in zip(law.parameter_bounds, result.parameters[0], strict=True):
        assert lower <= value <= upper
    assert [name for name, at in zip(law.parameters, result.at_bounds[0], strict=True) if at] == [held]
    lower, upper = law.bounds[held]
    assert result.parameters[0][law.parameters.index(held)] == pytest.approx(
        upper if np.isfinite(upper) else lower, rel=1e-6
    )
    assert result.cost[0] > fitted(free, rows).cost[0]


def test_a_fit_at_a_bound_is_the_best_there_is_with_that_bound() -> None:
    rows = noisy(
        planted(parse("E + A*exp(-k*t)", ["t"]), grid(STEPS), ["t"], np.array([[1.0, 3.0, 0.7]])),
        np.random.default_rng(1),
    )
    bounded = fitted(parse("E + A*exp(-k*t)", ["t"], bounds={"k": (0.0, 0.5)}), rows)
    fixed = fitted(parse("E + A*exp(-0.5*t)", ["t"]), rows)
    assert bounded.cost[0] == pytest.approx(fixed.cost[0], rel=1e-6)
    assert bounded.parameters[0][:2] == pytest.approx(fixed.parameters[0], rel=1e-5)


@pytest.mark.parametrize(
    "bounds",
    [
        {"E": (0.0, 5.0), "A": (0.0, 10.0), "k": (0.0, 5.0)},
        {"E": (0.0, INFINITE), "A": (0.0, INFINITE), "k": (0.0, INFINITE)},
        {"E": (-INFINITE, 5.0), "A": (-INFINITE, 10.0), "k": (-INFINITE, 5.0)},
    ],
)
def test_bounds_around_the_truth_change_nothing(bounds: dict[str, tuple[float, float]]) -> None:
    law = parse("E + A*exp(-k*t)", ["t"], bounds=bounds)
    rows = planted(law, grid(STEPS), ["t"], np.array([[1.0, 3.0, 0.7], [2.0, 0.5, 0.3]]))
    result = fitted(law, rows)
    assert result.converged
    assert not result.at_bounds.any()
    assert result.parameters == pytest.approx(np.array([[1.0, 3.0, 0.7], [2.0, 0.5, 0.3]]), rel=1e-6)


@pytest.mark.parametrize("loss", ["huber", "soft_l1", "log_huber", "log_soft_l1"])
def test_a_robust_loss_ignores_an_outlier(loss: str) -> None:
    law = parse("E + A*exp(-k*t)", ["t"])
    truth = np.array([1.0, 3.0, 0.7])
    clean = noisy(planted(law, grid(STEPS), ["t"], truth[None]), np.random.default_rng(5), level=0.005)
    target = clean.target.copy()
    target[17] *= 4.0
    rows = rows_of(["t"], clean.inputs, target)
    robust, plain = fitted(law, rows, recipe=Recipe(loss)), fitted(law, rows)
    assert robust.converged
    assert np.abs(robust.parameters[0] / truth - 1).max() < 0.03
    assert np.abs(plain.parameters[0] / truth - 1).max() > 0.1


def test_a_robust_loss_turns_linear_at_1_345_robust_deviations_of_the_rows_that_count() -> None:
    rng = np.random.default_rng(0)
    residual, target = rng.normal(size=(6, 9)), np.ones((6, 9))
    weight = (np.arange(9) < np.arange(1, 7)[:, None]).astype(float)  # one to six rows, the rest padding
    limit = least_squares._threshold(residual, weight, target)
    for row, (own, count) in enumerate(zip(residual, range(1, 7), strict=True)):
        assert limit[row] == pytest.approx(1.345 * 1.4826 * np.median(np.abs(own[:count])))
    assert least_squares._threshold(residual, 0 * weight, target) == pytest.approx(1.345)


def test_shared_parameters_start_at_the_median_over_the_cells_that_have_a_value() -> None:
    values = np.array([[1.0], [4.0], [np.nan], [2.0], [np.inf], [9.0], [np.nan], [np.nan], [np.nan]])
    assert least_squares._middle(values, 3)[:, 0] == pytest.approx([2.5] * 3 + [5.5] * 3 + [1.0] * 3)


def test_a_log_loss_of_a_power_law_is_a_straight_line_in_logarithms() -> None:
    law = parse("A*N**alpha", ["N"])
    rows = noisy(planted(law, grid(N), ["N"], np.array([[300.0, -0.2]])), np.random.default_rng(2), level=0.1)
    result = fitted(law, rows, recipe=Recipe("log"))
    slope, intercept = np.polyfit(np.log(rows.inputs[:, 0]), np.log(rows.target), 1)
    assert result.parameters[0] == pytest.approx([np.exp(intercept), slope], rel=1e-8)
    residuals = np.log(result.predict(rows) / rows.target)
    assert result.cost[0] == pytest.approx(0.5 * residuals @ residuals, rel=1e-8)


def test_a_row_of_weight_zero_is_a_row_left_out() -> None:
    law = parse("E + A*exp(-k*t)", ["t"])
    rows = noisy(planted(law, grid(STEPS), ["t"], np.array([[1.0, 3.0, 0.7]])), np.random.default_rng(2))
    kept = np.arange(rows.n_rows) % 3 > 0
    weighted = fitted(law, rows, weights=kept.astype(float))
    without = fitted(law, rows.select(kept))
    assert weighted.cost == pytest.approx(without.cost, rel=1e-10)
    assert weighted.parameters == pytest.approx(without.parameters, rel=1e-7)
    assert weighted.standard_errors == pytest.approx(without.standard_errors, rel=1e-6)


def test_a_row_of_weight_two_is_a_row_given_twice() -> None:
    law = parse("E + A*exp(-k*t)", ["t"])
    rows = noisy(planted(law, grid(STEPS), ["t"], np.array([[1.0, 3.0, 0.7]])), np.random.default_rng(2))
    twice = np.concatenate([np.arange(rows.n_rows), np.arange(10)])
    weighted = fitted(law, rows, weights=np.where(np.arange(rows.n_rows) < 10, 2.0, 1.0))
    given = fitted(law, rows.select(twice))
    assert weighted.cost == pytest.approx(given.cost, rel=1e-10)
    assert weighted.parameters == pytest.approx(given.parameters, rel=1e-7)


def test_a_shared_parameter_has_one_value_and_the_rest_their_own() -> None:
    law = parse("E + A/N**alpha", ["N"])
    truth = np.array([[1.7, 300.0, 0.3], [2.5, 20.0, 0.3], [0.1, 5000.0, 0.3]])
    result = fitted(law, planted(law, grid(N), ["N"], truth), shared=("alpha",))
    assert result.converged
    assert len(set(result.parameters[:, 2])) == 1
    assert result.parameters == pytest.approx(truth, rel=1e-5)


def test_sharing_never_lowers_the_cost() -> None:
    law = parse("E + A/N**alpha", ["N"])
    truth = np.array([[1.7, 300.0, 0.3], [2.5, 20.0, 0.15]])
    rows = noisy(planted(law, grid(N), ["N"], truth), np.random.default_rng(4))
    alone = fitted(law, rows)
    for shared in [("alpha",), ("E",), ("alpha", "A")]:
        assert fitted(law, rows, shared=shared).cost.sum() >= alone.cost.sum() * (1 - 1e-9)


def test_a_fit_predicts_each_row_with_its_own_cell() -> None:
    law = parse("a + b*log(N)", ["N"])
    truth = np.array([[4.0, -0.1], [-2.0, 0.7]])
    rows = planted(law, grid(N), ["N"], truth)
    mixed = rows.select(np.random.default_rng(0).permutation(rows.n_rows))
    assert fitted(law, rows).predict(mixed) == pytest.approx(mixed.target, rel=1e-9)


def test_the_arguments_are_left_as_they_were() -> None:
    law = parse("a + b*log(N)", ["N"])
    rows = planted(law, grid(N), ["N"], np.array([[4.0, -0.1]]))
    initial = np.array([[[1.0, 1.0]]])
    before = rows.inputs.copy(), rows.target.copy()
    fitted(law, rows, initial=initial)
    assert np.array_equal(initial, [[[1.0, 1.0]]])
    assert np.array_equal(rows.inputs, before[0])
    assert np.array_equal(rows.target, before[1])


class TestWhatCannotBeFitted:
    law = parse("E + A*exp(-k*t)", ["t"])
    rows = rows_of(["t"], grid(STEPS), 1.0 + STEPS)

    def test_a_law_that_reads_an_unknown_column(self) -> None:
        with pytest.raises(UnknownInputError, match=r"'N'.*t"):
            fitted(parse("a*N + b", ["N"]), self.rows)

    @pytest.mark.parametrize("shape", [(3,), (1, 3), (1, 2, 3), (1, 1, 2)])
    def test_guesses_of_the_wrong_shape(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(FitError, match=r"initial: shape .* expected \(start, 1, 3\)"):
            fitted(self.law, self.rows, initial=np.ones(shape))

    def test_a_shared_name_that_is_no_parameter(self) -> None:
        with pytest.raises(FitError, match=r"'alpha'.*E, A, k"):
            fitted(self.law, self.rows, shared=("alpha",))

    @pytest.mark.parametrize("loss", ["log", "log_huber", "log_soft_l1"])
    def test_logarithms_of_a_target_that_is_not_positive(self, loss: str) -> None:
        negative = rows_of(["t"], grid(STEPS), STEPS - 5.0)
        with pytest.raises(FitError, match=r"-5 in line 2"):
            fitted(self.law, negative, recipe=Recipe(loss))

    def test_no_start_at_all(self) -> None:
        with pytest.raises(FitError, match="starts"):
            fitted(self.law, self.rows, starts=0)

    def test_weights_of_the_wrong_shape(self) -> None:
        with pytest.raises(FitError, match="weights"):
            fitted(self.law, self.rows, weights=np.ones(3))

    def test_an_unknown_loss_is_offered_a_close_match(self) -> None:
        with pytest.raises(FitError, match=r"'huberr'.*'huber'"):
            Recipe("huberr")


@pytest.mark.parametrize("recipe", [Recipe(), Recipe("log"), Recipe("log_huber", 0.5, 0.25), Recipe("soft_l1", 1.0)])
def test_a_recipe_reads_back_from_its_text(recipe: Recipe) -> None:
    assert Recipe.from_text(recipe.text) == recipe


def test_a_partial_guess_is_kept_and_the_rest_is_drawn_to_suit_it() -> None:
    """One start, three parameters known from a simpler law: the exponent of the new term is drawn beside them."""
    rng = np.random.default_rng(0)
    n, d = (axis.ravel() for axis in np.meshgrid(np.geomspace(1e7, 1e9, 9), np.geomspace(1e9, 1e11, 9)))
    target = np.exp(0.4 + 3.0 * n**-0.1) + 400.0 * d**-0.31
    inputs = np.column_stack([n, d])
    rows = Rows(("n", "d"), (Cell("", "loss"),), inputs, target, np.zeros(81, dtype=int), np.arange(81))
    law = parse("exp(k + A*n**(-a)) + B*d**(-b)", ["n", "d"])
    known = {"k": 0.42, "A": 3.1, "a": 0.1}
    start = np.array([[[known.get(name, np.nan) for name in law.parameters]]])
    fitted = fit(law, rows, starts=0, rng=rng, initial=start)
    assert fitted.converged
    assert dict(zip(law.parameters, fitted.parameters[0], strict=True)) == pytest.approx(
        {"k": 0.4, "A": 3.0, "a": 0.1, "B": 400.0, "b": 0.31}, rel=1e-5
    )


def grouped(noise: float, n_cells: int = 8, per_cell: int = 5) -> Rows:
    """Cells with levels of their own and one exponent, few rows each."""
    rng = np.random.default_rng(3)
    x = np.tile(np.geomspace(1.0, 64.0, per_cell), n_cells)
    cell = np.repeat(np.arange(n_cells), per_cell)
    level, height = rng.uniform(1.0, 2.0, n_cells), rng.uniform(2.0, 5.0, n_cells)
    target = level[cell] + height[cell] * x**-0.4 + noise * rng.standard_normal(len(x))
    cells = tuple(Cell(f"g{i}", "y") for i in range(n_cells))
    return Rows(("x",), cells, x[:, None], target, cell, np.arange(len(x)) + 2)


def test_a_recipe_may_say_that_a_parameter_is_one_for_all_cells() -> None:
    """Eight cells of five noisy rows: each alone is far from the exponent, all together are not."""
    rows, law = grouped(0.05), parse("E + A*x**(-a)", ["x"])
    apart = fit(law, rows, rng=np.random.default_rng(0))
    together = fit(law, rows, recipe=Recipe.from_text("squared shared=a"), rng=np.random.default_rng(0))
    a = law.parameters.index("a")
    assert np.ptp(together.parameters[:, a]) == 0.0
    assert together.parameters[0, a] == pytest.approx(0.4, abs=0.03)
    assert np.abs(apart.parameters[:, a] - 0.4).max() > 3 * abs(together.parameters[0, a] - 0.4)
    assert together.converged


def test_the_shared_parameters_of_a_recipe_are_read_back() -> None:
    recipe = Recipe("log", weight=0.5, shared=("beta", "alpha"))
    assert recipe.text == "log weight=0.5 shared=alpha,beta"
    assert Recipe.from_text(recipe.text) == recipe
    with pytest.raises(FitError, match="shared='2x'"):
        Recipe.from_text("log shared=2x")


def test_a_long_fit_goes_on_from_its_best_starts_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    law = parse(CHINCHILLA, ["N", "D"])
    inputs = grid(np.geomspace(1.0, 30.0, 6), np.geomspace(1.0, 100.0, 6))
    table = noisy(planted(law, inputs, ["N", "D"], np.array([[1.5, 0.4, 0.3, 2.0, 0.5]])), np.random.default_rng(0))
    long_runs: list[tuple[int, float]] = []
    whole = least_squares.minimise

    def recorded(bound: BoundResiduals, free: np.ndarray, cell: np.ndarray, **work: Any) -> Solution:
        found = whole(bound, free, cell, **work)
        if work["steps"] > 2 * least_squares._SPRINT:
            long_runs.append((len(free), float(found.cost.min())))
        return found

    monkeypatch.setattr(least_squares, "minimise", recorded)
    fitted = fit(law, table, starts=40, rng=np.random.default_rng(1))
    assert [starts for starts, _ in long_runs] == [10], "a quarter of the starts"
    monkeypatch.setattr(least_squares, "_SPRINT", 10**6)
    of_all = fit(law, table, starts=40, rng=np.random.default_rng(1))
    assert long_runs[0][1] == pytest.approx(float(of_all.cost[0]), rel=1e-9)
    assert fitted.parameters == pytest.approx(of_all.parameters, rel=1e-5)
