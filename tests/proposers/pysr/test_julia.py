"""Whether PySR could run is found out without importing it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from discover.errors import DiscoverError
from discover.proposers.pysr import julia, readiness, require

HERE = Path(__file__).resolve()
ROOT = HERE.parents[3]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment without Julia, on a machine that has the package."""
    monkeypatch.setattr(julia, "package_version", lambda name: "2.7.2")
    return {
        "PATH": str(tmp_path / "bin"),
        "HOME": str(tmp_path),
        "JULIAUP_DEPOT_PATH": str(tmp_path / "depot"),
        "PYTHON_JULIAPKG_PROJECT": str(tmp_path / "project"),
    }


def script(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def resolved(environment: dict[str, str]) -> dict[str, str]:
    meta = Path(environment["PYTHON_JULIAPKG_PROJECT"]) / "pyjuliapkg" / "meta.json"
    meta.parent.mkdir(parents=True, exist_ok=True)
    meta.write_text("{}", encoding="utf-8")
    return environment


def test_without_julia_one_line_says_what_to_do_at_once(bare: dict[str, str]) -> None:
    began = time.monotonic()
    with pytest.raises(DiscoverError) as told:
        require(bare)
    assert time.monotonic() - began < 10.0
    assert str(told.value).startswith("PySR needs Julia and its packages: Julia is not installed (1.10.3 to 1.1")
    assert str(told.value).endswith("; mend with: PYTHON_JULIAPKG_OFFLINE=no python -c 'import pysr'")
    assert not readiness(bare).is_ready


@pytest.mark.parametrize(
    ("version", "is_accepted"),
    [("1.10.2", False), ("1.10.3", True), ("1.11.9", True), ("1.9.4", False), ("2.0.0", False)],
)
def test_only_versions_within_the_range_are_accepted(bare: dict[str, str], version: str, is_accepted: bool) -> None:
    script(Path(bare["PATH"]) / "julia", f"echo julia version {version}")
    found = readiness(resolved(bare))
    assert found.julia is not None
    assert str(found.julia) == version
    assert found.is_ready == is_accepted
    assert is_accepted or f"Julia is {version}, 1.10.3 to" in found.reason


def test_packages_of_julia_are_due_too(bare: dict[str, str]) -> None:
    script(Path(bare["PATH"]) / "julia", "echo julia version 1.11.2")
    assert readiness(bare).reason == "its Julia packages are not installed"
    assert readiness(resolved(bare)).is_ready


@pytest.mark.parametrize("says", ["echo nonsense", "exit 1", "echo julia version 1.x.y", "printf '\\377'"])
def test_an_executable_that_says_something_else_is_no_julia(bare: dict[str, str], says: str) -> None:
    script(Path(bare["PATH"]) / "julia", says)
    assert readiness(bare).julia is None


def test_an_executable_that_never_answers_is_given_up(bare: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(julia, "_PATIENCE_SECONDS", 0.2)
    script(Path(bare["PATH"]) / "julia", "exec /bin/sleep 30")
    began = time.monotonic()
    assert readiness(bare).julia is None
    assert time.monotonic() - began < 15.0


def test_places_are_searched_in_the_order_of_juliapkg(bare: dict[str, str], tmp_path: Path) -> None:
    on_path = script(tmp_path / "bin" / "julia", "echo julia version 1.10.3")
    assert julia.find_julia(bare).path == str(on_path)  # type: ignore[union-attr]
    script(tmp_path / "bin" / "juliaup", "exit 0")
    of_juliaup = script(tmp_path / "depot" / "juliaup" / "julia-1.10.4" / "bin" / "julia", "echo julia version 1.10.4")
    versions = {"InstalledVersions": {"1.10.4+0.x64": {"Path": "./julia-1.10.4"}, "odd": 3}}
    (tmp_path / "depot" / "juliaup" / "juliaup.json").write_text(json.dumps(versions), encoding="utf-8")
    assert julia.find_julia(bare).path == str(of_juliaup)  # type: ignore[union-attr]
    own = script(tmp_path / "project" / "pyjuliapkg" / "install" / "bin" / "julia", "echo julia version 1.10.5")
    assert julia.find_julia(bare).path == str(own)  # type: ignore[union-attr]
    named = script(tmp_path / "elsewhere" / "julia", "echo julia version 1.10.6")
    assert julia.find_julia({**bare, "PYTHON_JULIAPKG_EXE": str(named)}).path == str(named)  # type: ignore[union-attr]


def test_the_user_may_let_it_download(bare: dict[str, str]) -> None:
    assert readiness({**bare, "PYTHON_JULIAPKG_OFFLINE": "no"}).is_ready
    assert readiness(bare).offline


@pytest.mark.parametrize("installed", ["", "1.5.9", "2.6.0"])
def test_a_package_that_is_missing_or_old_is_told(
    bare: dict[str, str], monkeypatch: pytest.MonkeyPatch, installed: str
) -> None:
    monkeypatch.setattr(julia, "package_version", lambda name: installed)
    assert readiness(bare).mend.startswith("pip install")


def test_importing_the_proposers_starts_no_julia_and_no_pysr() -> None:
    code = "import sys, discover.proposers; print([m for m in ('pysr', 'juliapkg', 'juliacall') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
