"""A law that a user names: stored, published, or typed; with its task, roles and parameters where there are."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discover.errors import DiscoverError, UnknownLawError, shown

if TYPE_CHECKING:
    from discover.law import Law
    from discover.task import Task

_MOST_INPUTS = 12


@dataclass(frozen=True)
class AskedLaw:
    """What was asked about.

    Attributes:
        name: The id, or the formula.
        library_id: Set for a published law.
        roles: Input -> role, where known.
        target: Role of what it predicts, "" where not known.
        parameters: (cell, parameter), None where the law has no task.
    """

    name: str
    law: Law
    task: Task | None
    roles: Mapping[str, str]
    parameters: Any = None
    library_id: str = ""
    target: str = ""


def asked_law(text: str, task_name: str | None, inputs: str | None, store_path: Path, seed: int) -> AskedLaw:
    """The law that `text` names or spells.

    Raises:
        DiscoverError: Neither a stored nor a published law, and no formula with a task or inputs.
    """
    if task_name and inputs:
        raise DiscoverError("give --task or --inputs, not both: a task has its inputs")
    if re.fullmatch(r"[\w./-]{1,100}", text) and not inputs:
        known = _known(text, store_path)
        if known is not None:
            return known
    if task_name:
        return _on_task(text, task_name, seed)
    if not inputs:
        return _stored(text, store_path) if re.fullmatch(r"[\w./-]{1,100}", text) else _needs_inputs(text)
    from discover.law import parse

    names = [name.strip() for name in inputs.split(",") if name.strip()]
    if not 1 <= len(names) <= _MOST_INPUTS:
        raise DiscoverError(f"inputs: {len(names)} names; expected 1 to {_MOST_INPUTS}, such as --inputs N,D")
    plain, roles = [], {}
    for each in names:
        name, sign, role = each.partition("=")
        plain.append(name.strip())
        if sign:
            roles[name.strip()] = _role(role.strip())
    return AskedLaw(text, _reading(parse(text, plain), plain), None, roles)


def _reading(law: Law, inputs: Sequence[str]) -> Law:
    """The law, if it reads an input: a mistyped one would silently be a parameter."""
    if not law.inputs:
        raise DiscoverError(f"law {shown(str(law))}: it reads none of the inputs, which are {', '.join(inputs)}")
    return law


def _role(role: str) -> str:
    from discover.errors import did_you_mean
    from discover.library import ROLES, SYMBOLS

    role = SYMBOLS.get(role, role)
    if role not in ROLES:
        raise DiscoverError(f"inputs: {shown(role)} is no role{did_you_mean(role, [*ROLES, *SYMBOLS])}")
    return role


def _needs_inputs(text: str) -> AskedLaw:
    raise DiscoverError(f"law {shown(text)}: which names are its inputs? give --task TASK, or --inputs N,D")


def _known(text: str, store_path: Path) -> AskedLaw | None:
    """A published law, or a stored one; None for neither."""
    from discover.library import entries

    for entry in entries():
        if entry.id == text:
            return AskedLaw(text, entry.law, None, entry.roles, library_id=text, target=entry.target.role)
    try:
        return _stored(text, store_path)
    except UnknownLawError:
        return None


def _stored(text: str, store_path: Path) -> AskedLaw:
    from discover.cli.stored_laws import fitted_law, task_of
    from discover.store import find_law

    row = find_law(text, store_path)
    task = task_of(row, store_path)
    law = fitted_law(row, task)
    return AskedLaw(row["law"], law.law, task, _roles(task), _in_order(law, task), target=_target(task))


def _in_order(law: Any, task: Task | None) -> Any:
    """Parameters (cell, parameter) in the order of the task's cells; as stored without a task or with other cells."""
    import numpy as np

    if task is None:
        return law.parameters
    place = {cell.label: i for i, cell in enumerate(law.cells)}
    if set(place) != {cell.label for cell in task.cells}:
        return law.parameters
    return np.asarray(law.parameters)[[place[cell.label] for cell in task.cells]]


def _roles(task: Task | None) -> dict[str, str]:
    if task is None:
        return {}
    from discover.known_laws import columns_of

    return {name: own.role for name, own in columns_of(task).items()}


def _target(task: Task | None) -> str:
    if task is None:
        return ""
    from discover.known_laws import target_role

    return target_role(task)


def _on_task(text: str, task_name: str, seed: int) -> AskedLaw:
    import numpy as np

    from discover.cli.printing import note
    from discover.cli.progress import ready_fitter
    from discover.fitting import Recipe
    from discover.law import parse
    from discover.scoring import Yardstick
    from discover.task import load_task
    from discover.task.training_check import set_aside_text

    task = load_task(task_name)
    law = _reading(parse(text, task.input_names), task.input_names)
    ready_fitter()
    yardstick = Yardstick.of(task)
    note(set_aside_text(yardstick.set_aside))
    fitted = yardstick.fit(law, Recipe(), np.random.default_rng(seed), starts=24)
    return AskedLaw(text, law, task, _roles(task), fitted.parameters, target=_target(task))
