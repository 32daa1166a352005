"""The fitter against known answers: the 27 nonlinear regression problems of NIST StRD.

Each problem is a file of facts in `nist/`: formula, observations, two starting points and certified values.
Digits are the smallest log relative error over all parameters, as NIST counts them; at most 11 are certified.
"""

from __future__ import annotations

import itertools
import math
import tomllib
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from discover.fitting import fit
from discover.law import Law, parse
from discover.task import Cell, Rows

FOLDER = Path(__file__).parent / "nist"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
CERTIFIED_DIGITS = 11  # what NIST prints
SOLVED = 6  # digits that count as solved
MULTI_START = 64  # starting points when NIST's are not given
SEED = 0


@dataclass(frozen=True)
class Problem:
    """One NIST problem. `starts` (2, parameter), `certified` and `standard_deviations` (parameter,)."""

    name: str
    difficulty: str
    law: Law
    rows: Rows
    starts: np.ndarray
    certified: np.ndarray
    standard_deviations: np.ndarray
    residual_sum_of_squares: float
    exchangeable: tuple[tuple[str, ...], ...]
    sign_free: tuple[tuple[str, ...], ...]

    def digits(self, parameters: np.ndarray) -> float:
        """Certified digits that all of `parameters` (parameter,) meet; 0 where one is not finite."""
        if not np.isfinite(parameters).all():
            return 0.0
        error = float(np.max(np.abs(parameters - self.certified) / np.abs(self.certified)))
        return min(CERTIFIED_DIGITS, max(0.0, -math.log10(error))) if error else CERTIFIED_DIGITS

    def digits_up_to_symmetry(self, parameters: np.ndarray) -> float:
        """The same for the best of the sets of parameters that give the same values as `parameters`."""
        index = {name: place for place, name in enumerate(self.law.parameters)}
        equals = []
        for order in itertools.permutations(self.exchangeable):
            swapped = parameters.copy()
            for here, there in zip(self.exchangeable, order, strict=True):
                swapped[[index[n] for n in here]] = parameters[[index[n] for n in there]]
            for signs in itertools.product((1.0, -1.0), repeat=len(self.sign_free)):
                signed = swapped.copy()
                for sign, names in zip(signs, self.sign_free, strict=True):
                    signed[[index[n] for n in names]] *= sign
                equals.append(self.digits(signed))
        return max(equals)


@cache
def problem(name: str) -> Problem:
    facts = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    observed = {column: np.array(values) for column, values in facts["observations"].items()}
    target = np.log(observed["y"]) if facts["target"] == "log(y)" else observed["y"]
    n_rows = len(target)
    numbers = np.array(list(facts["parameters"].values()))
    return Problem(
        name=name,
        difficulty=facts["difficulty"],
        law=parse(facts["formula"], facts["inputs"], parameters=list(facts["parameters"])),
        rows=Rows(
            input_names=tuple(facts["inputs"]),
            cells=(Cell(group="", target="y"),),
            inputs=np.column_stack([observed[column] for column in facts["inputs"]]),
            target=target,
            cell=np.zeros(n_rows, dtype=int),
            line=np.arange(2, n_rows + 2),
        ),
        starts=numbers[:, :2].T,
        certified=numbers[:, 2],
        standard_deviations=numbers[:, 3],
        residual_sum_of_squares=facts["residual_sum_of_squares"],
        exchangeable=tuple(map(tuple, facts.get("exchangeable", ()))),
        sign_free=tuple(map(tuple, facts.get("sign_free", ()))),
    )


@cache
def digits_from_start(name: str, start: int) -> float:
    """Digits reached when NIST's starting point 1 or 2 is the only one."""
    p = problem(name)
    given = p.starts[start - 1][None, None, :]
    fitted = fit(p.law, p.rows, starts=0, rng=np.random.default_rng(SEED), initial=given)
    return p.digits(fitted.parameters[0])


@cache
def digits_from_multi_start(name: str) -> float:
    """Digits reached from the formula and the data alone."""
    p = problem(name)
    rng = np.random.default_rng([SEED, zlib.crc32(name.encode())])
    return p.digits_up_to_symmetry(fit(p.law, p.rows, starts=MULTI_START, rng=rng).parameters[0])


def solved(digits: dict[str, float]) -> list[str]:
    return [name for name, reached in digits.items() if reached >= SOLVED]


def test_there_are_27_problems() -> None:
    assert len(NAMES) == 27


@pytest.mark.parametrize("name", NAMES)
def test_facts_give_the_certified_residual_sum_of_squares(name: str) -> None:
    p = problem(name)
    inputs = {column: p.rows.inputs[:, i] for i, column in enumerate(p.rows.input_names)}
    residuals = p.law.predict(inputs, p.certified) - p.rows.target
    if name == "Lanczos1":  # 1.4e-25: less than what eleven printed digits of the parameters can show
        assert residuals @ residuals < 1e-20
    else:
        assert residuals @ residuals == pytest.approx(p.residual_sum_of_squares, rel=2e-10)


def test_at_least_25_problems_reach_6_digits_from_start_2() -> None:
    digits = {name: digits_from_start(name, 2) for name in NAMES}
    assert len(solved(digits)) >= 25, digits


def test_at_least_20_problems_reach_6_digits_from_start_1() -> None:
    digits = {name: digits_from_start(name, 1) for name in NAMES}
    assert len(solved(digits)) >= 20, digits


def test_multi_start_alone_solves_at_least_20_problems() -> None:
    digits = {name: digits_from_multi_start(name) for name in NAMES}
    assert len(solved(digits)) >= 20, digits


@pytest.mark.parametrize("name", NAMES)
def test_standard_errors_are_the_certified_standard_deviations(name: str) -> None:
    p = problem(name)
    fitted = fit(p.law, p.rows, starts=0, rng=np.random.default_rng(SEED), initial=p.certified[None, None, :])
    digits = 1e-2 if name == "Lanczos1" else 1e-5  # its residuals, 1e-13, are the rounding of its data
    assert fitted.standard_errors[0] == pytest.approx(p.standard_deviations, rel=digits)


@pytest.mark.report
def test_report_of_digits() -> None:
    columns = {
        "start 1": {name: digits_from_start(name, 1) for name in NAMES},
        "start 2": {name: digits_from_start(name, 2) for name in NAMES},
        "multi-start": {name: digits_from_multi_start(name) for name in NAMES},
    }
    print(f"\n\nCertified digits reached, of {CERTIFIED_DIGITS}")
    print(f"(multi-start: {MULTI_START} starts, seed {SEED})\n")
    print(f"{'problem':10}  {'difficulty':10}" + "".join(f"  {column:>11}" for column in columns))
    for name in NAMES:
        reached = "".join(f"  {digits[name]:11.1f}" for digits in columns.values())
        print(f"{name:10}  {problem(name).difficulty:10}" + reached)
    print(f"{'6 or more':10}  {'':10}" + "".join(f"  {len(solved(d)):8} /27" for d in columns.values()))
