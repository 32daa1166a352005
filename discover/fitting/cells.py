"""Rows laid out for a batch: one line of arrays per cell, padded with weight zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from discover.task import Rows


@dataclass(frozen=True)
class Cells:
    """Padded rows of several cells.

    Attributes:
        inputs: name -> (cell, row) in the task's units; padding repeats the cell's last row.
        target: (cell, row).
        weight: (cell, row), zero for padding.
        count: (cell,) rows that are not padding.
        pool: (cell,) a number for each; cells of one number may learn from each other. All may where it is left out.
    """

    inputs: dict[str, np.ndarray]
    target: np.ndarray
    weight: np.ndarray
    count: np.ndarray
    pool: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=int))

    def __post_init__(self) -> None:
        if len(self.pool) not in (0, len(self.count)):
            raise ValueError(f"pool: shape {self.pool.shape}, expected ({len(self.count)},), one number per cell")
        if len(self.pool) == 0:
            object.__setattr__(self, "pool", np.zeros(len(self.count), dtype=int))

    @property
    def pools(self) -> list[np.ndarray]:
        """The cells of each pool, by index."""
        return [np.flatnonzero(self.pool == number) for number in np.unique(self.pool)]

    @classmethod
    def from_rows(
        cls, rows: Rows, names: Sequence[str], weights: np.ndarray | None = None, mask: np.ndarray | None = None
    ) -> Cells:
        """The given rows (all, or those of `mask`), every cell of `rows.cells` in its order, only the named inputs."""
        kept = np.arange(len(rows.target)) if mask is None else np.flatnonzero(mask)
        order = kept[np.argsort(rows.cell[kept], kind="stable")]
        count = np.bincount(rows.cell[order], minlength=len(rows.cells))
        width = max(int(count.max(initial=0)), 1)
        first = np.concatenate([[0], np.cumsum(count)[:-1]])
        index = first[:, None] + np.minimum(np.arange(width), np.maximum(count[:, None] - 1, 0))
        if len(order) == 0:
            raise ValueError("no rows to lay out")
        index = order[np.minimum(index, len(order) - 1)]
        real = np.arange(width) < count[:, None]
        weight = real.astype(float) if weights is None else np.where(real, weights[index], 0.0)
        columns = {name: rows.inputs[index, rows.input_names.index(name)] for name in names}
        targets = [cell.target for cell in rows.cells]
        pool = np.array([targets.index(target) for target in targets], dtype=int)
        return cls(columns, rows.target[index], weight, count, pool)

    @staticmethod
    def stack(several: Sequence[Cells]) -> Cells:
        """One table of all their cells, padded to the widest; no cell learns from those of another part."""
        width = max(c.target.shape[1] for c in several)

        def widened(arrays: Sequence[np.ndarray], zero: bool = False) -> np.ndarray:
            padded = []
            for array in arrays:
                extra = width - array.shape[1]
                tail = np.zeros((len(array), extra)) if zero else np.repeat(array[:, -1:], extra, axis=1)
                padded.append(np.concatenate([array, tail], axis=1) if extra else array)
            return np.concatenate(padded)

        return Cells(
            {name: widened([c.inputs[name] for c in several]) for name in several[0].inputs},
            widened([c.target for c in several]),
            widened([c.weight for c in several], zero=True),
            np.concatenate([c.count for c in several]),
            np.concatenate([c.pool + first for c, first in zip(several, _offsets(several), strict=True)]),
        )

    def take_rows(self, index: np.ndarray) -> Cells:
        """The rows at `index` (cell, row) of each cell."""
        return Cells(
            {name: np.take_along_axis(column, index, 1) for name, column in self.inputs.items()},
            np.take_along_axis(self.target, index, 1),
            np.take_along_axis(self.weight, index, 1),
            np.minimum(self.count, index.shape[1]),
            self.pool,
        )

    def take_cells(self, index: np.ndarray) -> Cells:
        return Cells(
            {name: column[index] for name, column in self.inputs.items()},
            self.target[index],
            self.weight[index],
            self.count[index],
            self.pool[index],
        )


def _offsets(several: Sequence[Cells]) -> np.ndarray:
    """For each part a number that makes its pools differ from those of the parts before it."""
    return np.cumsum([0, *(int(c.pool.max(initial=-1)) + 1 for c in several[:-1])])
