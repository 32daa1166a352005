"""Where a task asks for predictions: the inputs of its held-out rows, never what was measured there.

In: a description. Out: inputs, cells and lines of the held-out rows. Stays out: their targets; a plan or a check may
know the question, not the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from discover.task.description import read_description
from discover.task.loading import find_folder
from discover.task.points import read_points


@dataclass(frozen=True)
class Asked:
    """Held-out rows without their targets: `inputs` (row, input), `cell` (row,), `line` (row,) of the CSV."""

    input_names: tuple[str, ...]
    inputs: np.ndarray
    cell: np.ndarray
    line: np.ndarray


def asked_of(folder: str | Path) -> Asked:
    """The inputs at which the task in `folder` holds rows out."""
    rows = read_points(read_description(find_folder(folder))).part("held_out")
    return Asked(rows.input_names, rows.inputs.copy(), rows.cell.copy(), rows.line.copy())
