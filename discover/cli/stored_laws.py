"""A stored row as a law with its task, units and parameters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from discover.errors import DiscoverError, UnknownTaskError

if TYPE_CHECKING:
    from discover.exporters import FittedLaw
    from discover.task import Task


def task_of(row: dict[str, Any], store_path: Path) -> Task | None:
    """The task of a stored law: where its run found it, else by name; None when it is gone."""
    from discover.store import Store
    from discover.task import load_task

    places: list[str] = []
    if store_path.exists():
        with Store(store_path) as store:
            places = [run.folder for run in store.runs() if run.id == row.get("run")]
    for place in (*places, str(row.get("task", ""))):
        try:
            return load_task(place)
        except UnknownTaskError:
            continue
    return None


def leaderboard_of(task: str, store_path: Path, run_id: str | None = None) -> tuple[Task, tuple[dict[str, Any], ...]]:
    """A task with its newest leaderboard, or that of `run_id`; DiscoverError where there is none."""
    from discover.store import latest_leaderboard
    from discover.task import load_task

    loaded = load_task(task)
    rows = latest_leaderboard(loaded.name, store_path, run=run_id)
    if not rows:
        of_run = f" of run {run_id}" if run_id else ""
        raise DiscoverError(f"task {loaded.name!r}: no leaderboard{of_run} yet; make one with: discover run {task}")
    return loaded, rows


def without_task(row: dict[str, Any], therefore: str) -> UnknownTaskError:
    return UnknownTaskError(f"law {row['law']}: its task {row.get('task')!r} is not found, so {therefore}")


def fitted_law(row: dict[str, Any], task: Task | None) -> FittedLaw:
    """A stored row as a law with parameters; without its task, cells are told by their labels alone."""
    import numpy as np

    from discover.exporters import FittedLaw
    from discover.law import parse
    from discover.task import columns_read

    cells: dict[str, dict[str, float]] = row["parameters"]
    names = list(next(iter(cells.values())))
    known = {} if task is None else {cell.label: cell for cell in task.cells}
    inputs = row.get("inputs") or (task.input_names if task is not None else None)
    if inputs is None:
        raise without_task(row, "its inputs are unknown")
    law = parse(row["formula"], inputs, parameters=names)
    values = np.array([[own[name] for name in law.parameters] for own in cells.values()])
    units = {} if task is None else _units(task)
    fitted = FittedLaw(law, tuple(known.get(label) or _cell(label) for label in cells), values, units, row)
    if task is None:
        return fitted
    scales = {column.name: column.scale == "log" for column in task.inputs}
    return replace(
        fitted,
        provenance=with_window(row, task),
        reads=columns_read(task.folder),
        scale_axes={axis: scales[axis] for axis in task.scale_axes},
    )


def with_window(row: dict[str, Any], task: Task) -> dict[str, Any]:
    """The row, told which runs its law was not fitted to; older leaderboards have only its recipe."""
    from discover.fitting import Recipe

    return row if "window" in row else {**row, "window": Recipe.from_text(row.get("recipe") or "").window_text(task)}


def _cell(label: str) -> Any:
    from discover.task import Cell

    group, _, target = label.rpartition(": ")
    return Cell(group, target)


def _units(task: Task) -> dict[str, str]:
    """Unit of every name that laws of the task read or predict."""
    units = {column.name: column.unit for column in (*task.inputs, *task.targets)}
    return {**dict.fromkeys(task.input_names, task.inputs[0].unit), **units}


def parameter_units_of(row: dict[str, Any], task: Task | None) -> dict[str, str]:
    if task is None:
        return {}
    from discover.exporters.units import parameter_units
    from discover.law import parse

    law = parse(row["formula"], task.input_names)
    return parameter_units(law, _units(task), task.targets[0].unit)
