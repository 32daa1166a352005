"""The task's human laws as a start: their forms, without the coefficients that people printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from discover.fitting import Recipe
from discover.law.parser import parse
from discover.proposers.proposal import Proposal
from discover.proposers.proposer import Proposer

if TYPE_CHECKING:
    from discover.archive import Archive
    from discover.task import Task


class Human(Proposer):
    """Each human law within the task's cap once for every archive, in the order of human.toml.

    A search starts from them only when it is asked to: otherwise what it finds could not be said to be found.
    """

    name = "human"

    def __init__(self, task: Task) -> None:
        laws = (parse(human.formula, task.input_names, bounds=human.bounds) for human in task.human_laws)
        allowed = [law for law in laws if len(law.parameters) <= task.parameter_cap]
        self._proposals = [Proposal(law, Recipe(), self.name) for law in allowed]

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        return next((proposal for proposal in self._proposals if not archive.knows(proposal.key)), None)
