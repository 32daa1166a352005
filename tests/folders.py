"""Task folders that tests write for themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path


def task_text(
    name: str,
    inputs: Mapping[str, str],
    any_of: str,
    *,
    groups: tuple[str, ...] = (),
    roles: Mapping[str, str] | None = None,
    cap: int = 5,
) -> str:
    """A task.toml: a loss over scale axes `inputs` (name -> unit); `any_of` says what is held out."""
    told = {column: f'role = "{role}"\n' for column, role in (roles or {}).items()}
    columns = [
        f'[[inputs]]\nname = "{column}"\nunit = "{unit}"\nscale = "log"\n{told.get(column, "")}'
        for column, unit in inputs.items()
    ]
    return "\n".join(
        [
            f'[task]\nname = "{name}"\ntitle = "Loss of {name}"\nsummary = "Planted by a test."',
            f"scale_axes = {list(inputs)}\nparameter_cap = {cap}\n",
            f'[data]\nfile = "points.csv"\ngroups = {list(groups)}\n',
            *columns,
            '[[targets]]\nname = "loss"\nunit = "nats"\nscale = "log"\n',
            f'[split]\nreason = "the largest"\nany_of = [{any_of}]\n',
        ]
    )


def write_folder(folder: Path, task: str, lines: Iterable[str], human: str = "") -> Path:
    """A folder with a task.toml, the lines of its points.csv, and a human.toml where there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "points.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "task.toml").write_text(task, encoding="utf-8")
    if human:
        (folder / "human.toml").write_text(human, encoding="utf-8")
    return folder
