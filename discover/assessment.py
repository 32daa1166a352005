"""From a proposal to a candidate: fit, validate, and the same steps for every law, human or found.

In: a proposal and a task's `Yardstick`. Out: a `Candidate`; a law that fails says why in its status.
Stays out: held-out rows, choosing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from discover.archive.candidate import OK, Candidate
from discover.fitting import Fit
from discover.law.compiler import evaluate_with_error
from discover.proposers.proposal import Proposal
from discover.scoring import FINAL, RACE, SURVIVOR, Effort, Validation, Yardstick, validate

if TYPE_CHECKING:
    from discover.fitting import Recipe
    from discover.law import Law
    from discover.task import Rows, Task


@dataclass(frozen=True)
class Job:
    """What a worker is asked to do.

    Attributes:
        number: The candidate's place in the run; with the seed it fixes the random starts.
        survivor_bar: Validation score below which the law gets a thorough look.
        fit_bar: Log NMSE of the fit above which folds are skipped.
    """

    number: int
    proposal: Proposal
    seed: int
    survivor_bar: float = float("inf")
    fit_bar: float = float("inf")


def assess(job: Job, yardstick: Yardstick) -> Candidate:
    """The candidate that a job gives: a race first, a thorough look for those that pass its bar."""
    began = time.perf_counter()
    proposal = job.proposal
    rng = np.random.default_rng([job.seed, job.number])

    def candidate(status: str, validation: Validation | None) -> Candidate:
        return Candidate(
            job.number,
            proposal.law,
            proposal.recipe,
            proposal.proposer,
            proposal.parents,
            status,
            validation,
            time.perf_counter() - began,
        )

    with np.errstate(all="ignore"):
        guess, n_rows = _initial(proposal, len(yardstick.rows.cells)), yardstick.rows.n_rows
        raced = validate(proposal.law, proposal.recipe, yardstick, RACE.on(n_rows), rng, guess, bar=job.fit_bar)
        if status := failure_of(raced):
            return candidate(status, raced)
        if raced.score >= job.survivor_bar:
            return candidate(OK, raced)
        effort = SURVIVOR.on(n_rows)
        kept = validate(proposal.law, proposal.recipe, yardstick, effort, rng, initial=raced.core[None])
    return candidate(failure_of(kept) or OK, kept)


def _initial(proposal: Proposal, n_cells: int) -> np.ndarray | None:
    """The guess of a proposal as a start (1, cell, parameter), NaN where it says nothing; None where it has none."""
    if not proposal.guess:
        return None
    start = np.full((1, n_cells, len(proposal.law.parameters)), np.nan)
    for j, name in enumerate(proposal.law.parameters):
        if name in proposal.guess:
            start[0, :, j] = proposal.guess[name]
    return start


def failure_of(validation: Validation) -> str:
    """Why a validation cannot count: "" where it can."""
    if not np.isfinite(validation.cost).all():
        return "not finite"
    if validation.far.startswith("not finite"):
        return validation.far
    if not np.isfinite(validation.score):
        return "poor fit"
    return ""


def is_lost_to_rounding(law: Law, parameters: np.ndarray, rows: Rows) -> bool:
    """Whether rounding alone may move a prediction by more than 1e-10 of it: such a law is the limit of another form,
    its numbers are huge and cancel, and no export could be exact."""
    values = {name: rows.column(name) for name in law.inputs}
    values |= {name: parameters[rows.cell, j] for j, name in enumerate(law.parameters)}
    value, error = evaluate_with_error(law.expression, values)
    return not bool(np.all(error <= 1e-10 * np.abs(value)))


def assess_law(
    task: Task,
    law: Law,
    recipe: Recipe,
    rng: np.random.Generator,
    effort: Effort = FINAL,
    number: int = 0,
    origin: str = "user",
    yardstick: Yardstick | None = None,
) -> Candidate:
    """A law that somebody typed or published, fitted with many starts and validated like any other."""
    began = time.perf_counter()
    with np.errstate(all="ignore"):
        validation = validate(law, recipe, yardstick or Yardstick.of(task), effort, rng)
    status = failure_of(validation) or (OK if validation.converged.all() else "step limit")
    return Candidate(number, law, recipe, origin, (), status, validation, time.perf_counter() - began)


def fit_of(candidate: Candidate, yardstick: Yardstick) -> Fit:
    """The fit that a validated candidate ended with, described: standard errors, condition, status of each cell."""
    assert candidate.validation is not None
    known = candidate.validation.parameters[None]
    return yardstick.fit(candidate.law, candidate.recipe, np.random.default_rng(0), starts=0, initial=known)


def thorough(candidate: Candidate, yardstick: Yardstick, seed: int, effort: Effort = FINAL) -> Candidate:
    """The candidate refitted with many starts on all rows and every fold: what the final round compares."""
    began = time.perf_counter()
    rng = np.random.default_rng([seed, candidate.number, 1])
    assert candidate.validation is not None
    with np.errstate(all="ignore"):
        validation = validate(
            candidate.law,
            candidate.recipe,
            yardstick,
            effort,
            rng,
            initial=candidate.validation.core[None],
        )
    status = failure_of(validation) or (OK if validation.converged.all() else "step limit")
    if status == OK and is_lost_to_rounding(candidate.law, validation.parameters, yardstick.probes):
        status = "lost to rounding"
    seconds = candidate.seconds + time.perf_counter() - began
    return replace(candidate, status=status, validation=validation, seconds=seconds)
