"""What README.md shows works as written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest

from discover.cli import VERBS, main
from tests.exporters.reading import module_of

from .conftest import ROOT, Command

README = (ROOT / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The one code block of a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(found)


def test_own_task_works_as_written(discover: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "my_runs").mkdir()
    (tmp_path / "my_runs" / "points.csv").write_text(block("csv"), encoding="utf-8")
    (tmp_path / "my_runs" / "task.toml").write_text(block("toml"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = discover("run", "my_runs", "--budget", "64", "--workers", "1")
    assert result.exit_code == 0, result.output
    assert discover("export", "my_runs/1", "--output", "law.py").exit_code == 0
    loss = float(module_of(Path("law.py").read_text(encoding="utf-8"), tmp_path).predict(7e9, 1.4e11))
    assert 1.9 < loss < 2.3
    assert Path("results/my_runs/leaderboard.md").exists()


def test_every_command_and_option_shown_exists():
    pages = [README, *(page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").rglob("*.md")))]
    shown = re.findall(r"^(?:discover|\.venv/bin/discover) (\w+)(.*)$", "\n".join(pages), re.MULTILINE)
    assert {verb for verb, _ in shown} == set(VERBS)
    for verb, rest in shown:
        command = main.get_command(click.Context(main), verb)
        assert command is not None
        known = {name for parameter in command.params for name in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest.partition("#")[0])) <= known


def keys_told(command: str) -> set[str]:
    (cell,) = re.findall(rf"^\| `{re.escape(command)}` \| (.*) \|$", README, re.MULTILINE)
    return {name for name in re.findall(r"`(\w+)`", cell) if name not in ("discovered", "human", "baseline", "null")}


def test_json_is_described_as_it_is(discover: Command, finished: Path):
    task = json.loads(discover("tasks", "--json").stdout)[0]
    row = json.loads(discover("leaderboard", "widgets_scaling", "--json", "--store", finished).stdout)[0]
    run = json.loads(discover("runs", "--json", "--store", finished).stdout)[0]
    assert keys_told("discover tasks --json") == set(task)
    assert keys_told("discover leaderboard TASK --json") == set(row)
    assert keys_told("discover runs --json") == set(run)


def test_targets_of_make_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
