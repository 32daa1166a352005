"""A file of the library that does not say what it should is refused with its entry and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from discover.errors import LibraryError
from discover.library.reading import FOLDER, read_folder

GOOD = """
[[laws]]
id = "line"
title = "A line"
formula = "a + b*x"
target = { role = "loss", unit = "1", meaning = "loss" }
source = { authors = "Somebody", year = 2020, arxiv = "2001.00001" }
trust = "paper"
at = { x = 2 }
bounds = { b = [-inf, 0] }
[laws.inputs]
x = { role = "scale", unit = "any", meaning = "x" }
[[laws.coefficients]]
name = "paper"
trust = "paper"
values = { a = 5, b = -1 }
gives = 3
"""

MISTAKES = {
    "key": ("title =", "tile =", "key 'tile' is not known; did you mean 'title'?"),
    "missing": ('trust = "paper"\nat', "at", "key 'trust' is missing"),
    "role": ('role = "scale"', 'role = "scales"', "'scales' is not known; did you mean 'scale' or"),
    "trust": ('trust = "paper"\nat', 'trust = "hearsay"\nat', "trust: 'hearsay' is not known"),
    "effect": ('meaning = "x"', 'meaning = "x", effect = "fells"', "effect: 'fells' is not known"),
    "point": ("at = { x = 2 }", "at = { y = 2 }", "at: got y; expected x"),
    "number": ("a = 5", "a = true", "values.a: got 'True', expected a number"),
    "bounds": ("[-inf, 0]", "[0]", "bounds of b: expected [lower, upper]"),
    "toml": ("[[laws]]", "[[laws]", "not TOML"),
    "table": ("[[laws]]", "[[lows]]", "expected [[laws]] or [[not_found]]"),
    "long": ("A line", "line " * 1000, "expected text of at most"),
}


def written(folder: Path, text: str) -> Path:
    (folder / "own.toml").write_text(text, encoding="utf-8")
    return folder


def test_a_file_of_ones_own_is_read(tmp_path: Path):
    (law,), missing = read_folder(written(tmp_path, GOOD))
    assert (law.id, law.topic, law.law.parameters, missing) == ("line", "own", ("a", "b"), ())
    assert float(law.value(law.coefficients[0])) == 3.0


@pytest.mark.parametrize("old, new, told", MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_told_with_its_entry(tmp_path: Path, old: str, new: str, told: str):
    assert GOOD.count(old) == 1
    with pytest.raises(LibraryError) as refusal:
        read_folder(written(tmp_path, GOOD.replace(old, new)))
    assert told in str(refusal.value)
    assert "own.toml" in str(refusal.value)


def test_two_laws_of_one_name_are_refused(tmp_path: Path):
    with pytest.raises(LibraryError, match="two laws have the id 'line'"):
        read_folder(written(tmp_path, GOOD + GOOD))


def test_large_file_is_refused(tmp_path: Path):
    with pytest.raises(LibraryError, match="at most 1000000 are read"):
        read_folder(written(tmp_path, "#" * 1_000_001))


def test_the_library_is_found_beside_its_reader():
    assert {path.stem for path in FOLDER.glob("*.toml")} >= {"pretraining", "data", "mixtures", "not_found"}
