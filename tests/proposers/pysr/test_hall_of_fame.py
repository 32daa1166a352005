"""Files as PySR leaves them, whole, half written and hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from discover.errors import LawSyntaxError
from discover.proposers.pysr.hall_of_fame import LARGEST, parts_of, rows_of

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> str:
    return (RECORDED / f"{name}.csv").read_text(encoding="utf-8")


def test_rows_are_read_as_they_stand() -> None:
    rows = rows_of(recorded("plain"))
    assert [row.complexity for row in rows] == [1, 3, 5, 7, 9, 13, 15]
    assert rows[5].loss == 1.1802e-5
    assert rows[2].equation == "(x1 ^ -0.2814412) * 3.3120036"


def test_a_line_that_is_still_being_written_is_left_out() -> None:
    assert [row.complexity for row in rows_of(recorded("cut_off"))] == [1, 5]


def test_every_beginning_of_a_file_is_read_without_error() -> None:
    text = recorded("template")
    found = [len(rows_of(text[:end])) for end in range(len(text) + 1)]
    assert found == sorted(found)
    assert found[-1] == 4


def test_rows_that_are_none_are_left_out() -> None:
    equations = [row.equation for row in rows_of(recorded("hostile"))]
    assert "x1 * 2.0" not in equations
    assert len(equations) == 8


@pytest.mark.parametrize("text", ["<html>\n", "a,b,c\n1,2,3\n", "\x00\n"])
def test_another_file_is_refused(text: str) -> None:
    with pytest.raises(LawSyntaxError, match="hall of fame: starts with"):
        rows_of(text)


def test_a_file_that_is_too_large_is_refused_before_it_is_read() -> None:
    with pytest.raises(LawSyntaxError, match="at most 1,000,000 are read"):
        rows_of("Complexity,Loss,Equation\n" * (LARGEST // 20))


def test_parts_of_a_template_are_told_apart() -> None:
    parts = parts_of("f = (#1 ^ #4) + #3; p1 = [1.7, 2.1]; p2 = [0.5, 1.0e-5]")
    assert parts == {"f": "(#1 ^ #4) + #3", "p1": "[1.7, 2.1]", "p2": "[0.5, 1.0e-5]"}
    assert parts_of("x1 * 2.0") == {"f": "x1 * 2.0"}
