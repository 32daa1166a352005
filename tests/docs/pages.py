"""The pages of docs/ and the code blocks in them.

A comment on the line before a block says what becomes of it in the tests; it does not show on the page:

    <!-- run -->           a `sh` or `python` block that is run
    <!-- output -->        a `text` block that the block run before it prints; `...` stands for anything
    <!-- file: NAME -->    a block that is written to a file of that name, for blocks further down

The blocks of a page are run in their order in one folder; Python blocks share their names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))

_BLOCK = re.compile(r"^(?:<!-- *(?P<mark>[^\n]*?) *-->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A code block: what stands in the comment before it ("" without one), its language, text and line."""

    mark: str
    language: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    for found in _BLOCK.finditer(page):
        line = page.count("\n", 0, found.start("text")) + 1
        yield Block(found["mark"] or "", found["language"], found["text"], line)


def links(page: str) -> list[str]:
    """Targets of the Markdown links outside code."""
    plain = re.sub(r"`[^`\n]*`", "", _BLOCK.sub("", page))
    return re.findall(r"\[[^\]]+\]\(([^)\s]+)\)", plain)


def anchors(page: str) -> set[str]:
    """Anchors of the headings, as the site and code hosts make them of plain words."""
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", page), re.MULTILINE)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip()) for heading in headings}
