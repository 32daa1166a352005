"""A task folder into a `Task`: the only door through which measurements enter.

In: a folder with `task.toml`, `human.toml` (may be left out) and the CSV that task.toml names, or the name of
a folder in `tasks/`. Out: a `Task` without its held-out rows. Every refusal is one line that names the file
and the line or column; nothing is written.
"""

from __future__ import annotations

from pathlib import Path

from discover.errors import UnknownTaskError, did_you_mean, shown
from discover.task.description import read_description
from discover.task.human import read_human_laws
from discover.task.points import PARTS, read_points
from discover.task.rows import Rows
from discover.task.sides import hole_told, sides_told
from discover.task.task import Task


def load_task(path_or_name: str | Path) -> Task:
    """The task in a folder anywhere on disk, or of that name in `tasks/`, with its training rows.

    Raises:
        UnknownTaskError: No such folder or name; offers close matches.
        TaskError: task.toml or human.toml does not describe a task; names file, key and, where known, line.
        TableError: The CSV does not hold what task.toml says; names file, line and column.
    """
    description = read_description(find_folder(path_or_name))
    points = read_points(description)
    training = points.part("training")
    reads = {name: [own[i] for own in description.reads] for i, name in enumerate(training.input_names)}
    sides = {**sides_told(description.split, training, reads), **description.sides}
    return Task(
        name=description.name,
        title=description.title,
        summary=description.summary,
        folder=description.folder,
        inputs=description.inputs,
        targets=description.targets,
        group_columns=description.group_columns,
        scale_axes=description.scale_axes,
        parameter_cap=description.parameter_cap,
        higher_is_better=description.higher_is_better,
        limits=description.limits,
        human_laws=read_human_laws(description.folder / "human.toml", training.input_names, training.cells),
        training=training,
        training_count=points.count("training"),
        held_out_count=points.count("held_out"),
        keep_outliers=description.keep_outliers,
        held_out_together=description.split.together,
        held_out_sides=sides,
        held_out_among=not sides and (description.among or hole_told(description.split, training, reads)),
    )


def read_rows(folder: Path, part: str) -> Rows:
    """The rows of one part, "training" or "held_out", of the task in `folder`; both have the same `cells`.

    Only `discover.scoring.held_out` may ask for "held_out".
    """
    if part not in PARTS:
        raise ValueError(f"part: got {part!r}, expected {' or '.join(map(repr, PARTS))}")
    return read_points(read_description(folder)).part(part)


def list_tasks(root: str | Path | None = None) -> tuple[str, ...]:
    """Names of the task folders in `root`; without it, those in ./tasks and in the package's own checkout."""
    roots = _roots() if root is None else [Path(root)]
    return tuple(sorted({file.parent.name for each in roots for file in each.glob("*/task.toml")}))


def find_folder(path_or_name: str | Path) -> Path:
    """The absolute folder that a path or a name stands for; UnknownTaskError offers close matches."""
    given = Path(path_or_name)
    folder = given.parent if given.name == "task.toml" else given
    try:
        for candidate in (folder, *(root / given for root in _roots())):
            if (candidate / "task.toml").exists():
                return candidate.resolve()
        is_folder = given.is_dir()
    except (OSError, ValueError):  # a name too long for the file system, a NUL in it
        is_folder = False
    if is_folder:
        raise UnknownTaskError(f"{given}: has no task.toml; a task is a folder with task.toml and a CSV file")
    hint = did_you_mean(given.name, list_tasks())
    raise UnknownTaskError(f"task {shown(str(path_or_name))}: no such folder or name{hint}")


def _roots() -> list[Path]:
    return [Path("tasks"), Path(__file__).resolve().parents[2] / "tasks"]
