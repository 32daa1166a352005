"""On which side of the measured values a task asks for predictions, along each input: above, below, or between them.

Two ways to tell. `sides_told` goes by the rule in [split] of task.toml and the training rows; it is what a task
carries, and nothing of the held-out rows is in it. `left_open` compares the inputs of the held-out rows with those of
the others; it serves `discover check`, and `discover new` of the table that it splits: they say what [split] does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from discover.task.rows import Rows
from discover.task.split import Rule

ABOVE, BELOW, BETWEEN = SIDES = ("above", "below", "between")
_ENOUGH = 0.3  # of the held-out rows: a few of them beyond the others are no direction
_MOST = 0.7  # of the held-out rows, for all to lie among the training rows
_SAME = 0.02  # of the range in the cell: values closer than this are one


@dataclass(frozen=True)
class Places:
    """Where rows lie, without what was measured there: inputs (row, input), and the cell (row,) of each."""

    inputs: np.ndarray
    cell: np.ndarray

    def select(self, mask: np.ndarray) -> Places:
        return Places(self.inputs[mask], self.cell[mask])


def sides_told(rule: Rule, training: Rows, reads: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Input -> the side on which a rule of [split] holds rows out, told by its numbers and the values that are left for
    training; nothing for an input of which it holds out what is measured elsewhere, as in the upper corner of a grid.
    Where such a corner is a lower one along an input, the side is "below".

    Args:
        reads: Input -> the columns of the CSV that it is read from.
    """
    found = {}
    for name in training.input_names:
        values, sides = training.column(name), set()
        for low, high in _intervals(rule, reads[name]):
            is_lower = bool(rule.together) and low <= values.min() and high < values.max()
            sides.add(_side(low, high, values) or (BELOW if is_lower else ""))
        if told := [side for side in SIDES if side in sides]:
            found[name] = told[0]
    return found


def hole_told(rule: Rule, training: Rows, reads: Mapping[str, Sequence[str]]) -> bool:
    """Whether a rule of [split] whose conditions must all hold cuts a hole into the training rows: each input that its
    numbers name has training values on either side of them."""
    inner = [
        training.column(name).min() < low and training.column(name).max() > high
        for name in training.input_names
        for low, high in _intervals(rule, reads[name])
    ]
    return rule.combination == "all_of" and bool(inner) and all(inner)


def _intervals(rule: Rule, columns: Sequence[str]) -> set[tuple[float, float]]:
    """Those of the rule over any of the columns of an input."""
    return {interval for column in columns for interval in rule.intervals(column)}


def _side(low: float, high: float, values: np.ndarray) -> str:
    """Where an interval without any of the values lies; "" for one with some, or one that is empty."""
    if low > high or ((values >= low) & (values <= high)).any():
        return ""
    return ABOVE if low > values.max() else BELOW if high < values.min() else BETWEEN


def left_open(
    log_inputs: Mapping[str, bool], axes: Sequence[str], told: Mapping[str, str], training: Places, asked: Places
) -> tuple[dict[str, str], bool]:
    """What task.toml does not say of where predictions are asked for: sides (input -> side) that would put the folds of
    a search elsewhere, and whether the rows asked for lie among the others.

    Args:
        log_inputs: Input -> whether it is compared by ratios, in the order of the places.
        axes: The scale axes.
        told: Input -> side, as far as [split] says.
    """
    if not axes:
        return {}, False
    actual = sides_asked(training, asked, log_inputs)
    along = [axis for axis in axes if axis in actual]
    open_sides = {axis: actual[axis] for axis in along if told.get(axis) != actual[axis]}
    if axes[0] in along or told:  # what is asked for above another axis beside the first changes nothing
        open_sides = {axis: side for axis, side in open_sides.items() if side != ABOVE}
    elif not along:
        open_sides = {name: side for name, side in actual.items() if side != BETWEEN}
    names = list(log_inputs)
    among = not actual and not told and lie_among(training, asked, [names.index(axis) for axis in axes[:2]])
    return open_sides, among


def split_lines(sides: Mapping[str, str], among: bool) -> list[str]:
    """The lines of [split] that say so."""
    told = ", ".join(f'{name} = "{side}"' for name, side in sides.items())
    return [f"sides = {{ {told} }}"] * bool(sides) + ["among = true"] * among


def sides_asked(training: Places, held_out: Places, log_inputs: Mapping[str, bool]) -> dict[str, str]:
    """Input -> "above", "below" or "between" the values that its cell has in training, whichever is true of the most
    held-out rows, and of three in ten; nothing for an input that is asked for where it was measured."""
    found = {}
    for index, (name, is_log) in enumerate(log_inputs.items()):
        measured, asked = (places.inputs[:, index] for places in (training, held_out))
        if is_log:
            measured, asked = np.log(measured), np.log(asked)
        shares = dict.fromkeys(SIDES, 0.0)
        for cell in np.unique(held_out.cell):
            own, here = np.unique(measured[training.cell == cell]), asked[held_out.cell == cell]
            if not len(own):
                continue
            same = _SAME * (own[-1] - own[0])
            place = np.searchsorted(own, here)
            nearest = np.minimum(abs(here - own[place.clip(max=len(own) - 1)]), abs(here - own[(place - 1).clip(0)]))
            above, below = here > own[-1] + same, here < own[0] - same
            for side, mask in ((ABOVE, above), (BELOW, below), (BETWEEN, ~above & ~below & (nearest > same))):
                shares[side] += mask.sum() / len(asked)
        side = max(shares, key=lambda each: shares[each])
        if shares[side] >= _ENOUGH:
            found[name] = side
    return found


def lie_among(training: Places, held_out: Places, axes: Sequence[int]) -> bool:
    """Whether seven in ten held-out rows have a training row of their cell that is as large along one or two axes, and
    one that is as small: test rows drawn at random, or a hole in the grid. A corner that the grid lacks does not.

    Args:
        axes: Their places among the inputs.
    """
    both = [axes[0], axes[-1]]
    among = 0
    for cell in np.unique(held_out.cell):
        own, here = (places.inputs[places.cell == cell][:, both] for places in (training, held_out))
        among += int((_reached(own, here) & _reached(-own, -here)).sum())
    return among >= _MOST * len(held_out.cell)


def _reached(measured: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Which places asked for (row, 2) have a measured one (row, 2) that is as large in both numbers."""
    if not len(measured):
        return np.zeros(len(asked), dtype=bool)
    order = np.argsort(measured[:, 0], kind="stable")
    # The largest second number among the places whose first is as large as that of each, and of none.
    largest = np.append(np.maximum.accumulate(measured[order[::-1], 1])[::-1], -np.inf)
    return largest[np.searchsorted(measured[order, 0], asked[:, 0])] >= asked[:, 1]
