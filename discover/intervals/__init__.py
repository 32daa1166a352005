"""Intervals: how far a law's prediction may be off, inside the data and beyond it.

In: a task's training rows, a law with its parameters, and the laws that validation could hardly tell from it.
Out: `Bands` that give a lower and an upper end for any rows, with the coverage that was measured on folds; what
is known of each parameter. Stays out: held-out rows, choosing, drawing.
"""

from discover.intervals.bands import Band, Bands, bands_of
from discover.intervals.parameters import ParameterReport, parameter_report, seen_by_rows
from discover.intervals.tied import FittedForm, near_tied

__all__ = [
    "Band", "Bands", "FittedForm", "ParameterReport", "bands_of", "near_tied", "parameter_report", "seen_by_rows",
]  # fmt: skip
