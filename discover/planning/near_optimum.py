"""The rows around the optimum: a law refitted on them says better where its floor is.

A law fitted to all rows minimises its misses on the walls too, where the target rises steeply and differently on either
side; a law that is not quite right there pays with its floor. Fitting again around the optimum is what response surface
designs do (Box and Wilson 1951).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from discover.fitting import predict_cells

if TYPE_CHECKING:
    from discover.intervals import FittedForm
    from discover.task import Rows, Task

_SHARE = 0.5  # of a cell's rows
_ROWS_PER_PARAMETER = 20  # with fewer, what the refit gains in truth it loses to noise


def rows_near_optimum(task: Task, form: FittedForm, over: Sequence[str]) -> Rows | None:
    """The half of each cell's training rows that the law itself puts nearest the best of their setting.

    A setting is all rows of a cell with equal inputs beside `over`. Nearness is that of the prediction: choosing by the
    measured target favours rows whose noise is low, and leaves about twice the bias. A cell keeps twenty rows for each
    parameter of the law.

    Args:
        over: Inputs whose best value is asked for.

    Returns:
        None where that would leave out no row; and where one of `over` is a scale axis, for its optimum lies beyond the
        data, and all rows tell of the way there.
    """
    if any(name in task.scale_axes for name in over):
        return None
    rows = task.training
    with np.errstate(all="ignore"):
        predicted = predict_cells(form.law, form.parameters, rows)
    loss = np.where(np.isfinite(predicted), -predicted if task.higher_is_better else predicted, np.inf)
    others = [place for place, name in enumerate(rows.input_names) if name not in over]
    settings = np.column_stack([rows.cell, rows.inputs[:, others]])
    _, setting = np.unique(settings, axis=0, return_inverse=True)
    setting = setting.reshape(-1)
    floor = np.full(int(setting.max()) + 1, np.inf)
    np.minimum.at(floor, setting, loss)
    gap = np.where(np.isfinite(loss), loss - floor[setting], np.inf)
    kept = np.zeros(rows.n_rows, dtype=bool)
    for cell in range(len(rows.cells)):
        own = np.flatnonzero(rows.cell == cell)
        number = max(round(_SHARE * len(own)), _ROWS_PER_PARAMETER * len(form.law.parameters))
        kept[own[np.argsort(gap[own], kind="stable")[:number]]] = True
    return None if kept.all() else rows.select(kept)
