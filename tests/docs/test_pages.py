"""Every page is reached from the navigation, and every link leads somewhere."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from .pages import DOCS, PAGES, ROOT, anchors, blocks, links

# Line by line, as mkdocs.yml is written: the tests need no YAML reader.
NAV = re.findall(r"^ +- [^:\n]+: (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)


def name(page: Path) -> str:
    return str(page.relative_to(DOCS))


def test_navigation_and_pages_agree():
    assert len(NAV) == len(set(NAV))
    missing = {name(page) for page in PAGES} - set(NAV)
    assert not missing, f"not in the nav of mkdocs.yml: {', '.join(sorted(missing))}"
    assert set(NAV) <= {name(page) for page in PAGES}


def test_first_page_leads_to_every_other():
    told = {link.partition("#")[0] for link in links((DOCS / "index.md").read_text(encoding="utf-8"))}
    assert {page for page in NAV if page != "index.md"} <= told


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path):
    text = page.read_text(encoding="utf-8")
    for link in links(text):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target in PAGES, f"{name(page)}: {link}: no such page"
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{name(page)}: {link}: no heading"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_page_begins_with_its_title_and_marks_only_what_is_known(page: Path):
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(re.findall(r"^```", text, re.MULTILINE)) == 2 * len(list(blocks(text))), "a code block is not closed"
    marks = [found.mark for found in blocks(text) if found.mark]
    assert len(marks) == len(re.findall(r"^<!--", text, re.MULTILINE)), "a comment that no code block follows"
    for mark in marks:
        assert re.fullmatch(r"run|output|file: [\w.-]+", mark), mark


def test_make_installs_extras_that_there_are():
    """`make docs` needs one that was lost once: pip only warns of it."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    asked = re.findall(r"\$\(call install,(\w+)\)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert "docs" in asked
    assert set(asked) <= set(extras)
    assert any(need.startswith("mkdocs>") for need in extras["docs"])
