"""Numbers as people write them are numbers in the copy, and what was done is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from discover.task.foreign import Foreign, read_foreign


def read(tmp_path: Path, text: str, encoding: str = "utf-8") -> Foreign:
    path = tmp_path / "runs.csv"
    path.write_text(text, encoding=encoding)
    return read_foreign(path)


def test_forms_of_numbers_mix_in_one_column(tmp_path: Path) -> None:
    """A column with 300B, 1.5e9 and 1,000,000 kept the third as text, because the first was a size."""
    cells = ("1.5e9", "300B", '"20,000,000,000"', "2*10^9", "3 × 10^9", "1 500 000", "1.4 b")
    table = read(tmp_path, "tokens,loss\n" + "".join(f"{cell},3\n" for cell in cells))
    assert [float(cell) for cell in table.columns["tokens"]] == [1.5e9, 3e11, 2e10, 2e9, 3e9, 1.5e6, 1.4e9]
    told = " ".join(table.notes)
    for part in ("sizes, such as 300B", "commas between thousands, such as 20,000,000,000", "such as 2*10^9"):
        assert part in told


@pytest.mark.parametrize(
    "cells, numbers",
    [
        (["45%", "46.5 %", ""], ["45", "46.5", ""]),
        (["45%", "0.46", "47%"], ["45%", "0.46", "47%"]),  # of a percentage beside a part nothing is known
        (["2.31 ± 0.02", "2.4±0.1", "2.2 +/- 0.1"], ["2.31", "2.4", "2.2"]),
        (["7B", "13B", "diverged", "30B"], ["7000000000", "13000000000", "diverged", "30000000000"]),
        (["c4-7B", "llama", "3M"], ["c4-7B", "llama", "3M"]),
        (["10^9", "10**10", "1e11"], ["1e9", "1e10", "1e11"]),
        (["=cmd()", "1M", "+1"], ["=cmd()", "1M", "+1"]),
    ],
)
def test_cells_are_written_out_or_left(tmp_path: Path, cells: list[str], numbers: list[str]) -> None:
    assert read(tmp_path, "x,loss\n" + "".join(f"{cell},3\n" for cell in cells)).columns["x"] == numbers


def test_quoted_decimal_commas_are_no_thousands(tmp_path: Path) -> None:
    """A spreadsheet of a country with decimal commas, separated by commas: 3,688 is a loss, not 3688."""
    table = read(tmp_path, 'size,rate,loss\n1e7,"0,001","3,688"\n1e8,"0,003","3,361"\n')
    assert table.columns["loss"] == ["3.688", "3.361"]
    table = read(tmp_path, 'tokens,loss\n"1,000,000",3.1\n"3,500",3.2\n')
    assert table.columns["tokens"] == ["1000000", "3500"]


def test_thousands_are_told_from_decimals_by_their_number(tmp_path: Path) -> None:
    table = read(tmp_path, "a;b;c\n1.000.000;1,5;1,000,000\n2.500.000;2,75;2,000\n")
    assert (table.columns["a"], table.columns["b"]) == (["1000000", "2500000"], ["1.5", "2.75"])
    assert table.columns["c"] == ["1000000", "2000"]


def test_lines_above_the_header_are_left_out_and_rows_keep_their_lines(tmp_path: Path) -> None:
    table = read(tmp_path, "# exported by hand, in May\nsep=;\nparams;loss\n1e7;3\n1e8;2\n")
    assert table.columns == {"params": ["1e7", "1e8"], "loss": ["3", "2"]}
    assert table.line.tolist() == [4, 5]
    assert "2 lines above the header left out" in table.notes
