"""How a law is fitted: data, not code, so that it can be stored, shown and evolved beside the law."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from discover.errors import FitError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from discover.task import Rows, Task

LOSSES = ("squared", "log", "huber", "soft_l1", "log_huber", "log_soft_l1")
MOST_SHRINK = 100.0
FEWEST_WEIGHED = 32  # settings: fewer cannot tell which of their rows count more


@dataclass(frozen=True)
class Recipe:
    """What is minimised, and over which rows.

    Attributes:
        loss: One of LOSSES. "log" compares log(prediction) with log(target); Huber and soft-L1 count large
            residuals linearly beyond 1.345 robust standard deviations of a pilot fit.
        weight: Rows count as (scale / largest scale)**weight, scale being the geometric mean of the scale axes.
        window: Fraction of the rows, the smallest in scale, that are left out.
        once: Whether rows of equal inputs share the weight of one: what was varied beside the inputs then cannot
            make a setting count more because it was varied there.
        shrink: How strongly each cell's parameters are drawn to those of its neighbours, the cells of the same target:
            1 takes the spread that they show at its word, smaller is weaker, 0 fits each cell by itself
            (`discover.fitting.shrinkage`). Where fewer than three cells can say what is usual, nothing is drawn.
        shared: Parameters of the law with one value for all cells, in alphabetical order.
    """

    loss: str = "squared"
    weight: float = 0.0
    window: float = 0.0
    once: bool = False
    shrink: float = 0.0
    shared: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise FitError(f"loss: {self.loss!r}{did_you_mean(self.loss, LOSSES)}")
        if not (0.0 <= self.weight <= 4.0 and 0.0 <= self.window < 0.95):
            raise FitError(f"recipe: weight {self.weight}, window {self.window}; expected 0..4 and 0..0.95")
        if not 0.0 <= self.shrink <= MOST_SHRINK:
            raise FitError(f"recipe: shrink {self.shrink:g}; expected 0..{MOST_SHRINK:g}, such as shrink=1")
        if bad := [name for name in self.shared if not name.isidentifier()]:
            raise FitError(f"recipe: shared={bad[0]!r}; expected names of parameters, such as shared=alpha,beta")
        object.__setattr__(self, "shared", tuple(sorted(set(self.shared))))

    @property
    def is_log(self) -> bool:
        return self.loss.startswith("log")

    @property
    def robust(self) -> str:
        """ "huber", "soft_l1", or "" for a plain square."""
        return self.loss.removeprefix("log_") if self.loss not in ("squared", "log") else ""

    @property
    def text(self) -> str:
        """Such as "log weight=0.5"; `from_text` reads it back."""
        numbers = [f.name for f in fields(self)[1:-1] if getattr(self, f.name) != f.default]
        extra = [f"{name}={getattr(self, name):g}" for name in numbers]
        return " ".join([self.loss, *extra, *([f"shared={','.join(self.shared)}"] if self.shared else [])])

    @classmethod
    def from_text(cls, text: str) -> Recipe:
        """The recipe that `text` names.

        Raises:
            FitError: A word that is no loss and no setting; names it.
        """
        loss, *settings = text.split() or ["squared"]
        values: dict[str, float] = {}
        shared: tuple[str, ...] = ()
        for setting in settings:
            name, _, value = setting.partition("=")
            if name == "shared":
                shared = tuple(value.split(","))
                continue
            if name not in ("weight", "window", "once", "shrink"):
                known = "weight=..., window=..., once=1, shrink=..., shared=name,..."
                raise FitError(f"recipe: unknown setting {setting!r}; known: {known}")
            try:
                values[name] = float(value)
            except ValueError:
                raise FitError(f"recipe: {setting!r}: expected a number after '='") from None
        once = bool(values.pop("once", 0.0))
        return cls(loss, **values, once=once, shared=shared)

    @property
    def weighs(self) -> bool:
        """Whether rows differ in weight."""
        return self.weight > 0.0 or self.window > 0.0 or self.once

    def row_weights(self, rows: Rows, scale_axes: Sequence[str], log_axes: Sequence[bool]) -> np.ndarray:
        """Weight (row,) of each row, zero for those outside the window; within each cell the largest scale has 1."""
        weights = np.ones(len(rows.target))
        if self.once:
            _, setting, times = rows.by_setting()
            weights = 1.0 / times[setting]
        if (self.weight == 0.0 and self.window == 0.0) or not scale_axes:
            return weights
        scale = _scale(rows, scale_axes, log_axes)
        for cell in range(len(rows.cells)):
            mine = np.flatnonzero(rows.cell == cell)
            if len(mine) == 0:
                continue
            own = scale[mine]
            if self.weight:
                weights[mine] *= np.exp(self.weight * (own - own.max()))
            if self.window:
                weights[mine[own < np.quantile(own, self.window)]] = 0.0
        return weights

    def window_text(self, task: Task) -> str:
        """What a window leaves out of a task's training rows, in words: such a law says nothing of smaller runs. "" for
        none."""
        axes, rows = task.scale_axes, task.training
        logs = [task.is_log(axis) for axis in axes]
        if not self.window or not axes:
            return ""
        kept = Recipe(window=self.window).row_weights(rows, axes, logs) > 0
        scale, several = _scale(rows, axes, logs), len(rows.cells) > 1
        least = [scale[kept & (rows.cell == cell)].min() for cell in np.unique(rows.cell)]
        ends = np.exp([min(least), max(least)]) if all(logs) else np.array([min(least), max(least)])
        values = list(dict.fromkeys(f"{end:.4g}" for end in ends))
        if len(axes) == 1:
            name = axes[0]
        elif all(logs):
            name = f"({' * '.join(axes)})**(1/{len(axes)})"
        else:
            name = f"the mean of {' and '.join(f'log {a}' if log else a for a, log in zip(axes, logs, strict=True))}"
        return (
            f"fitted to {kept.sum()} of {len(kept)} rows, those with {name} from {' to '.join(values)} up"
            f"{' (by cell)' if several else ''}; it says nothing of smaller ones"
        )


def _scale(rows: Rows, axes: Sequence[str], log_axes: Sequence[bool]) -> np.ndarray:
    """(row,) the mean over the scale axes, of logarithms where an axis is compared by ratios."""
    scale = np.zeros(len(rows.target))
    for axis, is_log in zip(axes, log_axes, strict=True):
        column = rows.inputs[:, rows.input_names.index(axis)]
        scale += (np.log(column) if is_log else column) / len(axes)
    return scale
