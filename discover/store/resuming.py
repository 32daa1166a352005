"""Which run may be taken up again: one that has not ended, with the task and the versions that it was begun with."""

from __future__ import annotations

from discover.errors import ResumeError, did_you_mean
from discover.store.identity import versions
from discover.store.store import Run, Store


def resumable(store: Store, task: str, digest: str, wanted: str = "") -> Run:
    """The run to go on with.

    Args:
        task: Its name.
        digest: Of the task as it is now.
        wanted: A run's id, or the start of one; "" for the newest run of the task that has not ended.

    Raises:
        ResumeError: There is none, it has ended, or what it would find would not be what it would have found.
    """
    run = _named(store, task, wanted) if wanted else _newest(store, task)
    if run.task != task:
        raise ResumeError(f"run {run.id}: of {run.task}, not of {task}")
    if run.status:
        raise ResumeError(
            f"run {run.id}: has ended ({run.status}, {run.ended[:16].replace('T', ' ')} UTC); "
            "only a run that was killed can be resumed"
        )
    again = f"start anew, with: discover run {task} --seed {run.seed} --budget {run.budget}"
    if run.digest != digest:
        raise ResumeError(f"run {run.id}: {task} has changed since (its files or its training rows); {again}")
    if "code" not in run.versions:
        raise ResumeError(f"run {run.id}: begun by an older discover, which kept too little of it; {again}")
    here = versions()
    other = [f"{name} {run.versions[name]}, here {here.get(name)}" for name in run.versions
             if run.versions[name] != here.get(name)]  # fmt: skip
    if other:
        raise ResumeError(f"run {run.id}: begun with {'; '.join(other)}: its numbers would differ; {again}")
    return run


def _newest(store: Store, task: str) -> Run:
    found = [run for run in store.runs(task) if not run.status]
    idle = [run for run in found if not store.is_worked_on(run.id)]
    if idle:
        return idle[0]
    if found:
        raise ResumeError(f"run {found[0].id}: still going in another process; no other run of {task} has not ended")
    raise ResumeError(f"{task}: no run in {store.path} that has not ended; start one with: discover run {task}")


def _named(store: Store, task: str, wanted: str) -> Run:
    runs = store.runs()
    found = [run for run in runs if run.id == wanted] or [run for run in runs if run.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ResumeError(f"run {wanted!r}: {len(found)} runs start so; type more of the id")
    hint = did_you_mean(wanted, [run.id for run in runs if run.task == task])
    raise ResumeError(f"run {wanted!r}: not in {store.path}{hint}; they stand on: discover runs {task}")
