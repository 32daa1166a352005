"""`discover doctor` says what is there and what is not, quickly, and starts nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from discover.cli.doctor import KEYS, NEEDED, OPTIONAL

from .conftest import ROOT, Command, command, environment


def lines(discover: Command) -> dict[str, dict[str, Any]]:
    result = discover("doctor", "--json")
    return {row["name"]: row for row in json.loads(result.stdout)}


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No Julia, no juliapkg project, no key."""
    for name in (*KEYS, "PYTHON_JULIAPKG_EXE", "PYTHON_JULIAPKG_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path / "project"))
    return tmp_path


def test_a_working_core_is_code_0_whatever_else_is_missing(discover: Command, bare: Path):
    result = discover("doctor")
    assert result.exit_code == 0
    found = result.stdout.splitlines()
    assert found[0].startswith("python            ok")
    assert "julia             missing       for PySR; 1.10.3 to 1.1" in result.stdout
    assert all(len(line) < 200 for line in found)


def test_json_gives_the_same_lines(discover: Command, bare: Path):
    rows = json.loads(discover("doctor", "--json").stdout)
    assert [row["name"] for row in rows] == [line.split("  ")[0] for line in discover("doctor").stdout.splitlines()]
    assert all(set(row) == {"name", "status", "detail", "mend", "needed"} for row in rows)
    assert {"pysr", "julia", "openai", "pyoperon", "distributed", "textual", "jax", "torch"} <= {
        r["name"] for r in rows
    }


def versions(monkeypatch: pytest.MonkeyPatch, **told: str | None) -> None:
    """Distributions as if installed in these versions, or not at all."""
    real = metadata.version

    def version(name: str) -> str:
        if name in told:
            found = told[name]
            if found is None:
                raise metadata.PackageNotFoundError(name)
            return found
        return real(name)

    monkeypatch.setattr(metadata, "version", version)


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [({"numpy": None}, "missing", 1), ({"numpy": "1.21.0"}, "out of range", 1), ({"numpy": "2.0.1rc1"}, "ok", 0)],
)
def test_what_the_core_needs_decides_the_code(
    discover: Command, bare: Path, monkeypatch: pytest.MonkeyPatch, told: dict[str, str | None], status: str, code: int
):
    versions(monkeypatch, **told)
    assert discover("doctor").exit_code == code
    row = lines(discover)["numpy"]
    assert row["status"] == status
    assert row["needed"]
    assert (row["mend"] != "") == bool(code)


def test_an_optional_part_that_is_old_is_told_with_its_command(
    discover: Command, bare: Path, monkeypatch: pytest.MonkeyPatch
):
    versions(monkeypatch, pysr="1.5.9", numba=None, openai="1.99.0")
    found = lines(discover)
    assert found["pysr"]["status"] == "out of range"
    assert found["pysr"]["mend"] == "pip install --upgrade 'pysr>=2.7'"
    assert found["numba"]["mend"] == "pip install numba"
    assert found["openai"]["detail"] == "1.99.0, 2 or newer is due, language models over HTTP"
    assert discover("doctor").exit_code == 0


def test_a_formula_that_comes_out_wrong_is_a_broken_core(
    discover: Command, bare: Path, monkeypatch: pytest.MonkeyPatch
):
    from discover.law.law import Law

    monkeypatch.setattr(Law, "predict", lambda *_: 7.0)
    assert lines(discover)["discover"]["status"] == "broken"
    assert discover("doctor").exit_code == 1


def test_a_key_is_told_by_name_and_never_by_value(discover: Command, bare: Path, monkeypatch: pytest.MonkeyPatch):
    assert lines(discover)["model key"]["status"] == "off"
    monkeypatch.setenv(KEYS[0], "sk-planted-1234567890")
    for result in (discover("doctor"), discover("doctor", "--json")):
        assert "planted" not in result.output
        assert f"{KEYS[0]} set" in result.output


@pytest.mark.parametrize(
    ("says", "status", "mended"),
    [("julia version 1.10.9", "ok", False), ("julia version 1.9.4", "out of range", True), ("no", "missing", True)],
)
def test_julia_is_asked_for_its_version_only(discover: Command, bare: Path, says: str, status: str, mended: bool):
    script = bare / "julia"
    script.write_text(f'#!/bin/sh\necho "$@" >> {bare}/asked\necho "{says}"\n', encoding="utf-8")
    script.chmod(0o755)
    row = lines(discover)["julia"]
    assert row["status"] == status
    assert (row["mend"] == "PYTHON_JULIAPKG_OFFLINE=no python -c 'import pysr'") == mended
    assert set((bare / "asked").read_text().split()) == {"--version"}


def test_packages_of_julia_and_downloads_have_lines_of_their_own(
    discover: Command, bare: Path, monkeypatch: pytest.MonkeyPatch
):
    assert lines(discover)["julia packages"]["status"] == "missing"
    assert lines(discover)["julia downloads"]["status"] == "off"
    meta = bare / "project" / "pyjuliapkg" / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text("{}", encoding="utf-8")
    monkeypatch.setenv("PYTHON_JULIAPKG_OFFLINE", "no")
    assert lines(discover)["julia packages"]["status"] == "ok"
    assert lines(discover)["julia downloads"]["detail"].endswith("is allowed by PYTHON_JULIAPKG_OFFLINE=no")


def test_it_says_so_when_numpy_cannot_be_imported(bare: Path, tmp_path: Path):
    """The report is most wanted where the core is broken: it must not need the core."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "numpy.py").write_text("raise ImportError('libblas is gone')\n", encoding="utf-8")
    told = subprocess.run(
        command(["doctor"]),
        env=environment(PYTHONPATH=f"{tmp_path / 'broken'}:{ROOT}"),
        capture_output=True,
        text=True,
    )
    assert told.returncode == 1
    assert told.stderr == ""
    assert "discover          broken        0.1.0, ImportError: libblas is gone" in told.stdout


def test_it_is_quick_and_imports_nothing_heavy(bare: Path):
    heavy = ("scipy", "sympy", "pandas", "sklearn", "numba", "openai", "pysr", "juliapkg", "juliacall", "rich")
    code = (
        "import sys; from discover.cli import main\n"
        "try: main(['doctor'])\n"
        f"finally: print([m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    began = time.monotonic()
    told = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True)
    assert told.stderr.strip() == "[]"
    assert told.returncode == 0
    assert time.monotonic() - began < 20.0  # 0.4 s where nothing else runs


def test_the_versions_are_those_of_pyproject():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    due = dict(requirement.split(">=") for requirement in project["dependencies"])
    told = {**NEEDED, "openai": "2"}
    assert not set(due) - set(told) - {"pysr"}, "a new dependency: doctor's NEEDED gets a line"
    assert {name: due[name] for name in told} == told
    extras = [requirement for extra in project["optional-dependencies"].values() for requirement in extra]
    for name, (oldest, *_) in OPTIONAL.items():
        for requirement in extras:
            if requirement.startswith(f"{name}>="):
                assert requirement.startswith(f"{name}>={oldest}")


def test_a_run_by_the_clock_says_that_pysr_is_absent_and_goes_on(
    discover: Command, bare: Path, widgets: Path, tmp_path: Path
):
    store = tmp_path / "runs.sqlite"
    result = discover("run", widgets, "--budget", "1s", "--workers", "1", "--store", store)
    assert result.exit_code == 0
    assert "PySR is absent (Julia is not installed (1.10.3 to " in result.stderr
    assert "the others search; see: discover doctor" in result.stderr


def test_a_run_that_asks_for_pysr_without_julia_is_refused_before_it_starts(
    discover: Command, bare: Path, widgets: Path, tmp_path: Path
):
    store = tmp_path / "runs.sqlite"
    began = time.monotonic()
    result = discover("run", widgets, "--proposers", "families,pysr", "--store", store)
    assert time.monotonic() - began < 20.0  # a run would take two minutes
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("discover: PySR needs Julia and its packages: Julia is not installed (1.10.3 to 1.1")
    assert line.endswith("; mend with: PYTHON_JULIAPKG_OFFLINE=no python -c 'import pysr'")
    assert not store.exists()
