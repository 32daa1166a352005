"""Plots in characters: ticks, marks and curves are where they belong."""

from __future__ import annotations

import numpy as np
import pytest

from discover.task import load_task
from discover.tui.extrapolation import MEASURED, axes_of, drawn, gaps, law_plot
from discover.tui.plot import Axis, Curve, Points, plot, short
from tests.cli.conftest import write_task


@pytest.mark.parametrize("value, text", [(0.25, "0.25"), (0.0, "0"), (1e9, "1e9"), (5.4e8, "5.4e8"), (40, "40")])
def test_short_numbers(value: float, text: str):
    assert short(value) == text


def test_ticks_are_round():
    assert Axis(0.9, 2.2, False).ticks(4) == [1.0, 1.5, 2.0]
    assert Axis(5e6, 2e9, True).ticks(4) == [1e7, 1e8, 1e9]


def test_marks_stand_at_their_values():
    corners = Points(np.array([0.0, 1.0]), np.array([0.0, 1.0]), mark="o")
    rows = plot(40, 12, x=Axis(0, 1, False), y=Axis(0, 1, False), points=[corners]).plain.splitlines()
    assert rows[1].endswith("o")
    assert rows[9].split("│")[-1].startswith("o") or rows[9].split("┤")[-1].startswith("o")
    assert {len(row) for row in rows[1:10]} == {40}


def test_curve_breaks_where_it_is_not_finite():
    values = np.array([0.5, np.nan, 0.5, np.inf, 0.5])
    drawing = plot(40, 12, x=Axis(0, 4, False), y=Axis(0, 1, False), curves=[Curve(np.arange(5.0), values)])
    assert not any(0x2800 < ord(c) < 0x2900 for c in drawing.plain)


def test_law_is_drawn_on_and_beyond_the_training_rows(tmp_path):
    task = load_task(write_task(tmp_path / "widgets_scaling"))
    values = {"E": 1.7, "A": 400.0, "alpha": 0.34}
    law = drawn(task, "E + A/N**alpha", {cell.label: values for cell in task.cells})
    assert axes_of(task) == ("N", "D", MEASURED)
    text = law_plot(task, [law], axis="N", cell=0, width=76, height=16).plain
    assert "● D=1e9" in text
    assert "┊" in text
    assert len(text.splitlines()) == 16
    assert law_plot(task, [law], axis=MEASURED, cell=0, width=76, height=16).plain.count("●") >= 8


def test_gap_of_a_law_to_itself_is_nothing(tmp_path):
    task = load_task(write_task(tmp_path / "widgets_scaling"))
    values = {cell.label: {"E": 1.7, "A": 400.0, "alpha": 0.34} for cell in task.cells}
    higher = {label: own | {"E": 1.8} for label, own in values.items()}
    one, other = drawn(task, "E + A/N**alpha", values), drawn(task, "E + A/N**alpha", higher)
    assert gaps(task, one, one) == [(name, 0.0, 0.0) for name in ("training rows", "N × 10", "D × 10")]
    assert gaps(task, one, other)[1][1:] == pytest.approx((0.1, 0.1))
