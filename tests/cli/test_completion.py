"""What the shell completes, and that a key press loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click import Context
from click.shell_completion import ShellComplete

from discover.cli import VERBS, main
from discover.task import list_tasks

from .conftest import ROOT, environment, write_task
from .test_start import HEAVY


def completed(line: str) -> list[str]:
    """What the word that stands last on the line may become; a trailing space begins a new word."""
    *words, last = line.split(" ")
    found = ShellComplete(main, {}, "discover", "_DISCOVER_COMPLETE").get_completions(words, last)
    return [item.value if item.type == "plain" else f"<{item.type} {item.value}>" for item in found]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and no leaderboards but those that a test makes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISCOVER_STORE", raising=False)
    return tmp_path


def test_verbs_are_completed_with_what_they_do():
    assert completed("") == list(VERBS)
    assert set(completed("ru")) == {"run", "runs"}
    assert "--help" in completed("--h")
    assert main.shell_complete(Context(main), "verif")[0].help == VERBS["verify"]


@pytest.mark.parametrize("verb", ["run", "fit", "check", "leaderboard", "tui", "report", "next", "benchmark", "runs"])
def test_tasks_are_completed(here: Path, verb: str):
    assert completed(f"{verb} ") == list(list_tasks())
    assert completed(f"{verb} voc") == ["vocab_scaling"]


def test_task_folders_here_are_completed_and_other_paths_left_to_the_shell(here: Path):
    write_task(here / "my_runs")
    write_task(here / "tasks" / "ours")
    (here / "other").mkdir()
    assert completed("run my") == ["my_runs"]
    assert completed("run ou") == ["ours"]
    assert completed("run ./oth") == ["<dir ./oth>"]


def test_tasks_that_stand_already_are_not_offered_again(here: Path):
    assert completed("benchmark vocab_scaling v") == ["<dir v>"]


@pytest.mark.parametrize("verb", ["show", "export", "plan", "optimum", "identify", "certify", "verify"])
def test_laws_are_completed_by_id_and_by_rank(here: Path, verb: str):
    rows = json.loads((ROOT / "results" / "vocab_scaling" / "leaderboard.json").read_text(encoding="utf-8"))
    assert completed(f"{verb} vocab-") == [row["law"] for row in rows]
    assert completed(f"{verb} {rows[0]['law'][:-2]}") == [rows[0]["law"]]
    assert completed(f"{verb} vocab/1")[0] == "vocab/1"
    assert "vocab_scaling/2" in completed(f"{verb} vocab_scaling/")


def test_laws_beside_the_store_that_is_named_are_completed(here: Path):
    row = {"rank": 1, "law": "mine-0123abcd", "task": "mine"}
    hostile = {"rank": 2, "law": "mine-0123abcd\nplain,x", "task": "$(touch x)"}
    for name, text in (("mine", json.dumps([row, hostile, 7, None])), ("broken", "[" * 9999), ("number", "3")):
        (here / "there" / name).mkdir(parents=True)
        (here / "there" / name / "leaderboard.json").write_text(text, encoding="utf-8")
    assert completed("show mine-") == []
    assert completed("show --store there/runs.sqlite mine-") == ["mine-0123abcd"]
    assert completed("show --store there/runs.sqlite mine/") == ["mine/1"]
    assert completed("export --store there/runs.sqlite $") == []


def test_options_and_their_values_are_completed():
    assert completed("export --format s") == ["sympy", "sldbench"]
    assert completed("run --start-from ") == ["human"]
    assert {"--seed", "--store"} <= set(completed("run --s"))


def test_bash_completes_by_the_script_that_discover_prints(here: Path):
    (here / "bin").mkdir()
    shim = here / "bin" / "discover"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m discover.cli "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    script = """
        eval "$(_DISCOVER_COMPLETE=bash_source discover)"
        COMP_WORDS=(discover run vocab) COMP_CWORD=2
        _discover_completion discover
        echo "${COMPREPLY[@]}"
    """
    path = f"{shim.parent}:{environment()['PATH']}"
    told = subprocess.run(["bash", "-c", script], env=environment(PATH=path), capture_output=True, text=True)
    assert (told.stdout, told.stderr) == ("vocab_scaling\n", "")


@pytest.mark.parametrize("line, number", [("discover ", 1), ("discover run vo", 2), ("discover show vocab", 2)])
def test_a_key_press_loads_nothing_heavy(line: str, number: int):
    code = "import sys, discover.cli as c\ntry: c.main()\nfinally: print(*sys.modules, file=sys.stderr)"
    asked = environment(_DISCOVER_COMPLETE="bash_complete", COMP_WORDS=line, COMP_CWORD=str(number))
    told = subprocess.run([sys.executable, "-c", code], env=asked, capture_output=True, text=True, check=True)
    assert "vocab" in told.stdout or "verify" in told.stdout
    loaded = told.stderr.split()
    assert [module for module in HEAVY if module in loaded] == []
    rooms = {module.split(".")[1] for module in loaded if module.startswith("discover.")}
    assert rooms <= {"cli", "errors"}
    verbs = {module.split(".")[2] for module in loaded if module.startswith("discover.cli.")} & set(VERBS)
    assert len(verbs) < number
