"""On which side of the measured values a task asks for predictions, along each input.

In: training rows, and the inputs of the held-out rows. Out: a word for each input. Stays out: held-out targets; this is
the question, not the answer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from discover.task.rows import Rows

ABOVE, BELOW, BETWEEN = "above", "below", "between"
_ENOUGH = 0.3  # of the held-out rows: a few of them beyond the others are no direction
_SAME = 0.02  # of the range in the cell: values closer than this are one


def sides_asked(training: Rows, held_out: Rows, log_inputs: Sequence[bool]) -> dict[str, str]:
    """Input -> "above", "below" or "between" the values that its cell has in training, whichever is true of the most
    held-out rows, and of three in ten; nothing for an input that is asked for where it was measured."""
    found = {}
    for index, (name, is_log) in enumerate(zip(training.input_names, log_inputs, strict=True)):
        measured, asked = (rows.inputs[:, index] for rows in (training, held_out))
        if is_log:
            measured, asked = np.log(measured), np.log(asked)
        shares = dict.fromkeys((ABOVE, BELOW, BETWEEN), 0.0)
        for cell in np.unique(held_out.cell):
            own, here = np.unique(measured[training.cell == cell]), asked[held_out.cell == cell]
            if not len(own):
                continue
            same = _SAME * (own[-1] - own[0])
            nearest = np.abs(here[:, None] - own).min(axis=1)
            above, below = here > own[-1] + same, here < own[0] - same
            for side, mask in ((ABOVE, above), (BELOW, below), (BETWEEN, ~above & ~below & (nearest > same))):
                shares[side] += mask.sum() / held_out.n_rows
        side = max(shares, key=lambda each: shares[each])
        if shares[side] >= _ENOUGH:
            found[name] = side
    return found
