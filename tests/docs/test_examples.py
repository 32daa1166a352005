"""What the pages show is run, with small budgets, and prints what they say; `pages.py` tells how blocks are marked."""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import environment, invoke
from tests.cli.runs_tables import loss_curves

from .pages import DOCS, PAGES, Block, blocks

SMALL = "16"  # candidates

# What a reader brings along where a page does not show it.
BROUGHT: dict[str, Callable[[Path], Path]] = {"own_data.md": loss_curves}

RUN = [page for page in PAGES if any(block.mark == "run" for block in blocks(page.read_text(encoding="utf-8")))]
_AS_SHOWN = doctest.OutputChecker()
_LENIENT = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCOVER_STORE", raising=False)
    monkeypatch.setenv("COLUMNS", "90")
    return tmp_path


@pytest.mark.parametrize("page", RUN, ids=lambda page: str(page.relative_to(DOCS)))
def test_examples_work_as_shown(page: Path, here: Path):
    if bring := BROUGHT.get(page.name):
        bring(here)
    names: dict[str, Any] = {"__name__": "example"}
    printed = ""
    for block in blocks(page.read_text(encoding="utf-8")):
        place = f"{page.name}, line {block.line}"
        if block.mark.startswith("file: "):
            (here / block.mark.removeprefix("file: ")).write_text(block.text, encoding="utf-8")
        elif block.mark == "output":
            assert _AS_SHOWN.check_output(block.text, printed, _LENIENT), f"{place}: prints\n{printed}"
        elif block.mark == "run":
            printed = _typed(block, place) if block.language == "sh" else _python(block, place, names)


def _typed(block: Block, place: str) -> str:
    """Runs each line; what they print on standard output."""
    assert block.language == "sh", f"{place}: only sh and python are run"
    printed = []
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        assert not {"|", ">", ">>", "&&", ";", "&"} & set(words), f"{place}: {line}: one plain command on a line"
        if words[0] == "discover":
            result = invoke(*_small(words[1:]))
            assert result.exit_code == 0, f"{place}: {line}\n{result.output}"
            printed.append(result.stdout)
        else:
            assert words[0] == "python", f"{place}: {line}: only discover and python are run"
            done = subprocess.run([sys.executable, *words[1:]], env=environment(), capture_output=True, text=True)
            assert done.returncode == 0, f"{place}: {line}\n{done.stderr}"
            printed.append(done.stdout)
    return "".join(printed)


def _small(words: list[str]) -> list[str]:
    """The same command with a small budget, on one worker."""
    if words[0] != "run":
        return words
    assert "--budget" in words, "a run without --budget takes two minutes"
    place = words.index("--budget") + 1
    return [*words[:place], SMALL, *words[place + 1 :], "--workers", "1"]


def _python(block: Block, place: str, names: dict[str, Any]) -> str:
    source = re.sub(r"\bbudget=(?:\d+|\"\w+\")", f"budget={SMALL}", block.text)
    code = compile("\n" * (block.line - 1) + source, place, "exec")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, names)
    return printed.getvalue()
