"""What `discover run --json-lines` promises to programs."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.cli.conftest import ROOT, invoke, write_task


def keys_told() -> set[str]:
    page = (ROOT / "docs" / "tui.md").read_text(encoding="utf-8").split("| key | of each generation |")[1]
    cells = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", page, re.MULTILINE)
    return {name for cell in cells for name in cell[1:-1].split("`, `")}


def test_an_object_a_generation_and_the_leaderboard_last(tmp_path: Path):
    task, store = write_task(tmp_path / "widgets_scaling"), tmp_path / "runs.sqlite"
    result = invoke("run", task, "--budget", 32, "--workers", 1, "--json-lines", "--store", store)
    assert result.exit_code == 0, result.output
    *generations, last = map(json.loads, result.stdout.splitlines())
    assert [one["number"] for one in generations] == list(range(1, len(generations) + 1))
    assert set(generations[0]) == keys_told()
    assert generations[-1]["candidates"] == 32
    assert generations[-1]["budget"] == {"seconds": None, "candidates": 32}
    assert (last["event"], last["task"], last["status"]) == ("leaderboard", "widgets_scaling", "complete")
    stored = invoke("leaderboard", "widgets_scaling", "--json", "--store", store)
    assert last["rows"] == json.loads(stored.stdout)
    assert str(tmp_path) not in result.stdout
