"""Candidates from the store: what a killed run had found, so that nothing is assessed twice.

In: a proposal and what the store kept of the candidate that came of it. Out: that `Candidate`, to the last bit.
Predictions are not kept but made again from the parameters, and compared by their hash. Stays out: reading the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol

import numpy as np

from discover.archive import Candidate
from discover.errors import DiscoverError, ResumeError, shown
from discover.fitting import Recipe, predict_cells
from discover.law import parse
from discover.proposers import Proposal
from discover.scoring import Validation, Yardstick


class Kept(Protocol):
    """A candidate as the store keeps it."""

    @property
    def number(self) -> int: ...
    @property
    def formula(self) -> str: ...
    @property
    def recipe(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def proposer(self) -> str: ...
    @property
    def parents(self) -> tuple[int, ...]: ...
    @property
    def validation(self) -> Mapping[str, Any]: ...
    @property
    def status(self) -> str: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def bounds(self) -> Mapping[str, Sequence[float]]: ...


def recall(kept: Kept, proposal: Proposal, yardstick: Yardstick) -> Candidate:
    """The candidate that `proposal` became when it was assessed.

    Raises:
        ResumeError: The proposal is not the one that was assessed, or its predictions come out otherwise here.
    """
    if kept.key != proposal.key:
        raise ResumeError(
            f"candidate {kept.number} is {shown(kept.formula)} in the store, and {shown(str(proposal.law))} would be "
            "asked for now: the run cannot go on as it was; start anew without --resume"
        )
    validation = _validation(kept, proposal, yardstick) if kept.validation else None
    candidate = Candidate(
        kept.number,
        proposal.law,
        proposal.recipe,
        proposal.proposer,
        proposal.parents,
        kept.status,
        validation,
        kept.seconds or 0.0,
    )
    if validation is not None and candidate.fingerprint != kept.validation.get("fingerprint"):
        raise ResumeError(
            f"candidate {kept.number}, {shown(kept.formula)}: its stored parameters predict other numbers here than "
            "they did: another machine? Go on there, or start anew without --resume"
        )
    return candidate


def _validation(kept: Kept, proposal: Proposal, yardstick: Yardstick) -> Validation:
    names = [field.name for field in fields(Validation) if field.name != "probes"]
    missing = [name for name in names if name not in kept.validation]
    if missing:
        raise ResumeError(
            f"candidate {kept.number}: the store does not have its {missing[0]}; start anew without --resume"
        )
    values = {name: kept.validation[name] for name in names}
    with np.errstate(all="ignore"):
        probes = predict_cells(proposal.law, values["parameters"], yardstick.probes)
    return Validation(**values, probes=probes)


def proposal_of(kept: Kept, inputs: Sequence[str]) -> Proposal:
    """What was asked for, from the store alone: for proposers that would not ask for the same again.

    Raises:
        ResumeError: The stored text is no law or no recipe.
    """
    try:
        bounds = {name: (float(pair[0]), float(pair[1])) for name, pair in kept.bounds.items()}
        law = parse(kept.formula, inputs, bounds=bounds)
        return Proposal(law, Recipe.from_text(kept.recipe), kept.proposer, tuple(kept.parents))
    except DiscoverError as error:
        raise ResumeError(f"candidate {kept.number}: {error}") from None
