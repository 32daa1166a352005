"""An environment in which PySR seems ready: a stand-in for the package, a script for Julia, a resolved project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from discover.proposers.pysr import julia

STAND_IN = Path(__file__).parent / "pysr" / "stand_in"


def make_julia(folder: Path, says: str = "julia version 1.10.9", name: str = "julia") -> Path:
    """A script that answers as Julia does when asked for its version."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / name
    script.write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    script.chmod(0o755)
    return script


def make_ready(folder: Path, **changes: str) -> dict[str, str]:
    """Environment variables under which PySR seems ready, with its stand-in on the worker's path."""
    make_julia(folder / "bin")
    meta = folder / "project" / "pyjuliapkg" / "meta.json"
    meta.parent.mkdir(parents=True, exist_ok=True)
    meta.write_text("{}", encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON_JULIA", "JULIA"))}
    return {
        **kept,
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.defpath}",
        "PYTHONPATH": str(STAND_IN),
        "PYTHON_JULIAPKG_PROJECT": str(folder / "project"),
        "OPENBLAS_NUM_THREADS": "1",
        **changes,
    }


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment, also in place as this process's own."""
    environment = make_ready(tmp_path / "ready")
    for name in [n for n in os.environ if n.startswith(("PYTHON_JULIA", "JULIA"))]:
        monkeypatch.delenv(name)
    for name in ("PATH", "PYTHONPATH", "PYTHON_JULIAPKG_PROJECT"):
        monkeypatch.setenv(name, environment[name])
    monkeypatch.setattr(julia, "package_version", lambda name: "2.7.2")
    return environment
