"""Arms of a benchmark: language models as one of them, over HTTP; engines that are not there; what is a mistake."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from discover.benchmark import Asked, Runs, write_figures
from discover.errors import DiscoverError
from discover.proposers import DEFAULT
from discover.store import Store, calls_of, task_digest
from discover.task import load_task
from tests.proposers.language_model.conftest import KEY
from tests.proposers.language_model.scripted_server import Script, Server

from .conftest import Command

Start = Callable[..., "subprocess.Popen[str]"]

PROFILES = """
[lab]
base_url = "{url}"
key_env = "LAB_KEY"
needs_key = true
price = {{ input = 1.0, output = 10.0 }}
"""


def figures(folder: Path) -> list[dict[str, Any]]:
    return list(json.loads((folder / "seeds.json").read_text()))


def test_arm_with_a_language_model_is_stopped_goes_on_and_is_compared(
    start: Start, discover: Command, widgets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("LAB_KEY", KEY)
    output, profiles = tmp_path / "arms", tmp_path / "profiles.toml"
    asked = ["benchmark", widgets, "--seeds", 1, "--budget", 96, "--workers", 1, "--output", output]
    asked += ["--arms", "families,families+llm", "--llm", "lab/scripted", "--llm-profiles", profiles, "--max-cost", 0.5]
    with Server(Script(["good", "echoes_key", "server_error", "good"])) as server:
        profiles.write_text(PROFILES.format(url=server.url))
        process = start(*asked)
        store = output / "runs" / "families+llm" / "widgets-0" / "discover.sqlite"
        while not _calls(store):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=240)
        assert process.returncode == 130, err
        # The limits are for each run, so the sum is told before anything is asked.
        assert "asking lab/scripted, at most 50 calls, 0.5 USD a run; in the 1 runs that are due" in err

        result = discover(*asked)
        assert result.exit_code == 0, result.output
        plain, llm = figures(output)
        assert (plain["arm"], plain["spent"]["calls"], plain["spent"]["dollars"]) == ("families", 0, 0.0)
        assert plain["curve"]["dollars"][-1] == 0.0
        assert (llm["arm"], llm["proposers"], llm["resumed"]) == ("families+llm", ["families"], 1)
        with Store(store) as opened:
            (run,) = opened.runs()
            calls = calls_of(opened, run.id)
        assert calls[0].laws
        assert len({call.number for call in calls}) == len(calls)
        tokens = sum(call.tokens_in + call.tokens_out for call in calls)
        assert (llm["spent"]["calls"], llm["spent"]["tokens"]) == (len(calls), tokens)
        assert 0 < llm["spent"]["dollars"] <= 0.5
        assert llm["curve"]["tokens"][-1] == tokens
        assert llm["curve"]["candidates"][-1] == 96
        assert llm["curve"]["validation_r2"] == sorted(llm["curve"]["validation_r2"])
        assert f"{len(calls)} calls (" in result.stderr

        # Printed, on the page and in arms.json: the same comparison.
        assert "## Arms with the same budget" in result.stdout
        assert result.stdout in (output / "README.md").read_text()
        rows = json.loads((output / "arms.json").read_text())["rows"]
        assert [(row["arm"], row["tokens"]) for row in rows] == [("families", 0), ("families+llm", tokens)]

        # Neither the key nor the address of the server is told; the key is in no file at all.
        assert server.url not in (output / "seeds.json").read_text()
        assert set(server.script.keys) == {KEY}
        for path in output.rglob("*"):
            assert path.is_dir() or KEY[3:].encode() not in path.read_bytes(), path
        assert KEY not in out + err + result.output

        # What is finished is taken from the store, and nothing is asked again;
        heard = len(server.script.requests)
        (output / "seeds.json").unlink()
        again = discover(*asked)
        assert again.stdout == result.stdout
        assert len(server.script.requests) == heard
        # but other limits, or no key, are another arm.
        told = discover(*asked, "--max-calls", 3)
        assert (told.exit_code, "name another --output" in told.stderr) == (2, True)
        (output / "seeds.json").unlink()
        told = discover(*asked, "--max-calls", 2)
        assert told.exit_code == 0, told.output
        assert len(server.script.requests) == heard + figures(output)[1]["spent"]["calls"]
        assert figures(output)[1]["language_models"]["limits"]["calls"] == 2
    monkeypatch.delenv("LAB_KEY")
    told = discover(*asked)
    assert (told.exit_code, "LAB_KEY is not set" in told.stderr) == (2, True)


def _calls(store: Path) -> int:
    if not store.exists() or not store.stat().st_size:
        return 0
    with Store(store, create=True) as opened:
        return sum(len(calls_of(opened, run.id)) for run in opened.runs())


@pytest.fixture
def output(widgets: Path, tmp_path: Path) -> Path:
    """A benchmark whose one run is there, so that nothing has to be run."""
    finished = {
        "task": "widgets", "seed": 0, "arm": "none", "budget": "48", "seconds": 1.0, "candidates": 48, "formula": "E",
        "recipe": "log", "validation_r2": 0.9, "held_out_r2": 0.5, "proposers": list(DEFAULT),
    }  # fmt: skip
    write_figures(tmp_path / "seeds.json", [finished])
    return tmp_path


def test_arm_whose_engine_is_absent_is_left_out_in_a_line(
    discover: Command, widgets: Path, output: Path, monkeypatch: pytest.MonkeyPatch
):
    def absent(what: str) -> Callable[[], None]:
        def refuse() -> None:
            raise DiscoverError(f"{what} is not installed")

        return refuse

    monkeypatch.setattr("discover.proposers.require", absent("Julia"))
    monkeypatch.setattr("discover.proposers.demand", absent("pyoperon"))
    asked = ("benchmark", widgets, "--seeds", 1, "--budget", 48, "--output", output, "--arms")
    result = discover(*asked, "none,pysr,operon")
    assert result.exit_code == 0, result.output
    lines = result.stderr.splitlines()
    assert lines[:2] == [
        "arm pysr is left out: Julia is not installed",
        "arm operon is left out: pyoperon is not installed",
    ]
    assert "1 of 1 runs are there" in lines[2]
    alone = discover(*asked, "pysr")
    assert (alone.exit_code, "Julia is not installed" in alone.stderr) == (2, True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--arms", "none,opron"), "did you mean 'operon'"),
        (("--arms", "none,opron+pysr"), "did you mean 'operon'"),
        (("--arms", "none,llm"), "--arms llm: no language model is named; name one with --llm"),
        (("--arms", "none", "--llm", "gpt-5-mini"), "--llm gpt-5-mini: no arm asks it; add llm to --arms"),
        (("--arms", "llm", "--llm", "gpt-5-mini"), "OPENAI_API_KEY is not set"),
        (("--arms", "llm", "--llm", "olama/x"), "did you mean 'ollama'"),
        (("--arms", "llm", "--llm", "ollama/x", "--replay", "r"), "No such option"),
    ],
)
def test_mistakes_are_told_before_anything_is_run(
    options: tuple[str, ...], told: str, discover: Command, widgets: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    result = discover("benchmark", widgets, "--budget", 48, "--output", tmp_path / "out", *options)
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert not (tmp_path / "out").exists()


def test_run_that_is_not_what_was_asked_for_is_not_begun_again_and_again(
    widgets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As when the file of profiles changes while a run is made: each further run would cost its price."""
    made: list[Asked] = []

    def make(runs: Runs, asked: Asked, store: Path, run: str | None) -> tuple[int, str]:
        assert not made
        made.append(asked)
        with Store(store, create=True) as opened:
            number = opened.start_run(
                task=asked.task, folder=widgets, digest=task_digest(load_task(widgets)), seed=0, budget="48", options={}
            )
            opened.end_run(number, "complete")
        return 0, ""

    monkeypatch.setattr(Runs, "_process", make)
    kept = {"models": [{"profile": "lab", "name": "m"}], "masked": False, "limits": {}}
    asked = Asked("widgets_scaling", str(widgets), 0, "llm", "families", "48", ("--llm=lab/m",), kept)
    with pytest.raises(DiscoverError, match="not the one that was asked for"):
        Runs(tmp_path, 1).figure(asked)
    assert made


def test_options_of_language_models_reach_a_run_as_they_were_typed(tmp_path: Path):
    import click
    from click.testing import CliRunner

    from discover.cli.language_model_options import Asked as AskedModels
    from discover.cli.language_model_options import language_model_options

    asked = AskedModels(
        ("-odd", "b"), "http://h/v1", "MY_KEY", str(tmp_path / "p.toml"), 7.5, True, 1e-07, 9, 10**6,
    )  # fmt: skip
    heard = []

    @click.command()
    @language_model_options
    def verb(language_models: AskedModels) -> None:
        heard.append(language_models)

    result = CliRunner().invoke(verb, asked.arguments())
    assert result.exit_code == 0, result.output
    assert heard == [asked]
    assert AskedModels((), "", "", "", 120.0, False, None, 50, None).arguments() == ()
