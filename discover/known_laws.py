"""The published laws that best explain a task: the library against its training rows.

In: a task, perhaps workers. Out: every library law that the columns allow, fitted anew and ranked by validation. Stays
out: held-out rows. Laws that are the same once written in the task's columns are fitted once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from discover.archive import OK, Candidate
from discover.assessment import Job, assess, thorough
from discover.errors import DiscoverError, did_you_mean, shown
from discover.evolution import yardstick_here
from discover.fitting import Recipe
from discover.law import Law, law_of, parse
from discover.library import ROLES, Assigned, Match, assigned, is_a, matches
from discover.proposers.proposal import Proposal
from discover.scoring import Yardstick
from discover.task import HumanLaw, Task

_LOOKED_AT = 32  # laws that get a second look after the race
_FINALISTS = 10  # of these, refitted with many starts on all rows and every fold
_SAME = 1e-4  # of the target's spread: two fits whose predictions differ less are the same


@dataclass(frozen=True)
class Known:
    """A library law fitted to a task.

    Attributes:
        match: The entry and how it was written in the task's columns.
        same: Ids of other entries that are the same law here, or that come to the same predictions.
        candidate: The fit and its validation.
        effort: "race", "second look" or "final": how thoroughly it was fitted.
    """

    match: Match
    same: tuple[str, ...]
    candidate: Candidate
    effort: str


Watch = Callable[[str, int, int], None]  # stage, done, of how many


def columns_of(task: Task, asked: Mapping[str, str] | None = None) -> dict[str, Assigned]:
    """Input -> role, with the reason: as asked for, as task.toml declares it, or guessed.

    Raises:
        DiscoverError: `asked` names an input that the task does not have, or a role that there is not.
    """
    roles = {column.name: assigned(column.name, column.unit, column.role) for column in task.inputs}
    for name, role in (asked or {}).items():
        if name not in roles:
            raise DiscoverError(f"role of {shown(name)}: no such input{did_you_mean(name, roles)}")
        if role not in ROLES:
            raise DiscoverError(f"role of {name}: {shown(role)} is no role{did_you_mean(role, ROLES)}")
        roles[name] = Assigned(role, "as asked for")
    return roles


def target_role(task: Task) -> str:
    """Role of the first target, "" where none is known."""
    column = task.targets[0]
    return assigned(column.name, column.unit, column.role).role


def known_laws(
    task: Task,
    *,
    columns: Mapping[str, Assigned] | None = None,
    recipe: Recipe | None = None,
    seed: int = 0,
    executor: Executor | None = None,
    yardstick: Yardstick | None = None,
    finalists: int = _FINALISTS,
    watch: Watch | None = None,
) -> tuple[Known, ...]:
    """Every library law that the columns allow, fitted and validated, the best by validation first.

    Args:
        columns: Input -> role; by `columns_of` where left out.
        recipe: How all of them are fitted; plain least squares where left out.
        seed: Fixes the random starts.
        executor: Workers that `evolution.workers_for` prepared for this task; None for this process.
        finalists: How many of the best are refitted with many starts at the end.
        watch: Told of every law that was fitted.
    """
    columns = columns_of(task) if columns is None else columns
    recipe = recipe or Recipe()
    here = yardstick if yardstick is not None or executor is not None else Yardstick.of(task)
    forms = _forms(matches(columns), target_role(task))
    jobs = [Job(n, Proposal(own[0].law, recipe, "library"), seed, float("-inf")) for n, own in enumerate(forms, 1)]
    run = partial(_run, executor, here, watch or (lambda stage, done, total: None))
    found = {c.number: (c, "race") for c in run("race", _assessed, jobs)}
    best = sorted((c for c, _ in found.values()), key=_order)[:_LOOKED_AT]
    again = [replace(jobs[c.number - 1], survivor_bar=float("inf")) for c in best if c.ok]
    found |= {c.number: (c, "second look") for c in run("second look", _assessed, again)}
    best = sorted((c for c, _ in found.values()), key=_order)[:finalists]
    last = [(c, seed) for c in best if c.ok]
    found |= {c.number: (c, "final") for c in run("final", _refitted, last)}
    made = [
        Known(own[0], tuple(dict.fromkeys(m.entry.id for m in own[1:])), *found[n]) for n, own in enumerate(forms, 1)
    ]
    made.sort(key=lambda known: _order(known.candidate))
    return _merged(made, float(np.std(task.training.target)) or 1.0)


def best_human_laws(task: Task, known: Sequence[Known], most: int = 3) -> tuple[HumanLaw, ...]:
    """The best library laws by validation as human laws to refit, without those that the task already names.

    Only laws that predict better than the mean does; those that behave badly beyond the data, or have more parameters
    than the task allows, only where there are no others.
    """
    names = {law.name for law in task.human_laws}
    taken = {_form_key(parse(law.formula, task.input_names)) for law in task.human_laws}
    usable = [each for each in known if each.candidate.score < 0.0 and each.match.entry.id not in names]
    ruly = [each for each in usable if _is_ruly(each.candidate, task.parameter_cap)] or usable
    chosen: list[HumanLaw] = []
    for each in ruly:
        candidate, entry = each.candidate, each.match.entry
        if len(chosen) == most:
            break
        if (key := _form_key(candidate.law)) in taken:
            continue
        taken.add(key)
        note = "from the library; parameters refitted"
        law = HumanLaw(entry.id, str(candidate.law), candidate.law.bounds, str(entry.source), {}, note)
        chosen.append(law)
    return tuple(chosen)


def _is_ruly(candidate: Candidate, parameter_cap: int) -> bool:
    validation = candidate.validation
    return validation is not None and not validation.far and len(candidate.law.parameters) <= parameter_cap


def _forms(found: Sequence[Match], role: str) -> list[list[Match]]:
    """Matches of one law together: first those made for the target's role, nearest in their inputs, oldest."""
    forms: dict[str, list[Match]] = {}
    for match in found:
        forms.setdefault(match.law.key, []).append(match)
    for own in forms.values():
        own.sort(key=lambda m: _preference(m, role))
    return list(forms.values())


def _preference(match: Match, role: str) -> tuple[Any, ...]:
    target = match.entry.target.role
    return (target != role, not is_a(target, "performance"), len(match.reasons), match.entry.source.year)


def _form_key(law: Law) -> str:
    """The law's key whatever its bounds."""
    return law_of(law.expression, law.inputs).key


def _order(candidate: Candidate) -> tuple[bool, float, float]:
    validation = candidate.validation
    return not candidate.ok, candidate.score, np.inf if validation is None else validation.in_sample


def _merged(ranked: Sequence[Known], spread: float) -> tuple[Known, ...]:
    """Without laws that predict what a simpler or better one already does; the kept one names them."""
    kept: list[Known] = []
    for known in ranked:
        place = next((p for p, other in enumerate(kept) if _is_same_fit(known, other, spread)), None)
        if place is None:
            kept.append(known)
            continue
        pair = sorted((kept[place], known), key=lambda k: (k.effort != "final", len(k.candidate.law.parameters)))
        ids = [k.match.entry.id for k in pair[1:]] + [name for k in pair for name in k.same]
        own = pair[0].match.entry.id
        kept[place] = replace(pair[0], same=tuple(dict.fromkeys(name for name in ids if name != own)))
    return tuple(kept)


def _is_same_fit(one: Known, other: Known, spread: float) -> bool:
    first, second = one.candidate, other.candidate
    if not (first.ok and second.ok and first.validation and second.validation):
        return False
    if set(first.law.inputs) != set(second.law.inputs):
        return False
    gap = np.abs(first.validation.probes - second.validation.probes)
    return bool(np.max(gap) <= _SAME * spread) and abs(first.score - second.score) < 0.05


def _run(
    executor: Executor | None, yardstick: Yardstick | None, watch: Watch, stage: str, work: Any, items: Sequence[Any]
) -> list[Candidate]:
    """`work` on every item, by the workers where there are some."""

    def results() -> Iterator[Candidate]:
        if executor is None:
            yield from (work(item, yardstick) for item in items)
        else:
            yield from executor.map(work, items, chunksize=1)

    done = []
    for candidate in results():
        done.append(candidate)
        watch(stage, len(done), len(items))
    return done


def _assessed(job: Job, yardstick: Yardstick | None = None) -> Candidate:
    return assess(job, yardstick or yardstick_here())


def _refitted(item: tuple[Candidate, int], yardstick: Yardstick | None = None) -> Candidate:
    candidate, seed = item
    again = thorough(candidate, yardstick or yardstick_here(), seed)
    # A law that was fine in a shorter look is not lost because the last digits did not settle.
    return again if again.ok or again.status != "step limit" else replace(again, status=OK)
