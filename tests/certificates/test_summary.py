"""Certificates of many cells in few words: what cells share is one line, with the number of them."""

from __future__ import annotations

from discover.certificates import PROVED, REFUTED, UNKNOWN, Axis, Domain, Statement, certify, summary
from discover.law import parse

N = Axis("N", 1e5, 1e13, True)
DOMAIN = Domain((N,), {"N": 1e9})


def told(text: str, *cells: list[float]) -> dict[str, tuple[str, int, int]]:
    law = parse(text, ["N"])
    found = summary([certify(law, own, DOMAIN) for own in cells])
    return {each.text: (each.verdict, each.cells, each.of) for each in found}


def test_one_cell_keeps_the_values_of_its_limits():
    found = told("E + A/N**a", [1.5, 400.0, 0.3])
    assert found["falls with N"] == (PROVED, 1, 1)
    assert found["positive"] == (PROVED, 1, 1)
    assert found["tends to 1.5 as N goes to infinity"] == (PROVED, 1, 1)
    assert found["tends to infinity as N goes to zero"] == (PROVED, 1, 1)
    assert found["powers and logarithms of pure numbers only"] == (REFUTED, 1, 1)


def test_cells_that_differ_have_lines_of_their_own_the_more_frequent_first():
    found = told("E + A/N**a", [1.5, 400.0, 0.3], [2.5, 300.0, 0.2], [9.0, -400.0, 0.3])
    assert found["falls with N"] == (PROVED, 2, 3)
    assert found["rises with N"] == (PROVED, 1, 3)
    assert found["tends to a number as N goes to infinity"] == (PROVED, 3, 3)
    lines = list(found)
    assert lines.index("falls with N") + 1 == lines.index("rises with N")


def test_an_unknown_limit_does_not_read_as_one_that_was_found():
    own = Statement("limit", "N", "has a limit as N goes to infinity", UNKNOWN)
    other = Statement("limit", "N", "tends to 0 as N goes to infinity", PROVED)
    found = {each.text: each.verdict for each in summary([[own], [other]])}
    assert found == {"has a limit as N goes to infinity": UNKNOWN, "tends to 0 as N goes to infinity": PROVED}


def test_an_optimum_is_placed_for_one_cell_and_named_for_several():
    text = "a + b*(log(N) - c)**2"
    one, two = told(text, [2.0, 0.1, 20.0]), told(text, [2.0, 0.1, 20.0], [2.0, 0.2, 18.0])
    assert any(line.startswith("a minimum between ") and line.endswith(" of N") for line in one)
    assert two["a minimum along N"] == (PROVED, 2, 2)


def test_cells_that_nobody_looked_at_are_counted_and_no_value_is_told_for_them():
    law = parse("E + A/N**a", ["N"])
    found = summary([certify(law, [1.5, 400.0, 0.3], DOMAIN)], 3)
    assert {(each.cells, each.of, each.unseen) for each in found} == {(1, 1, 2)}
    assert "tends to a number as N goes to infinity" in {each.text for each in found}


def test_nothing_is_told_of_no_cells():
    assert summary([]) == ()


def test_a_constant_has_certificates():
    """A law without inputs once ended in an error: there was no axis to look along."""
    assert told("E", [1.5])["positive"] == (PROVED, 1, 1)
    assert told("E", [-1.5])["negative"] == (PROVED, 1, 1)
