"""How little is loaded before a verb is known: `discover --help` and `import discover` are quick."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from discover.cli import VERBS

from .conftest import environment

HEAVY = (
    "numpy",
    "scipy",
    "sympy",
    "pandas",
    "sklearn",
    "numba",
    "llvmlite",
    "rich",
    "textual",
    "matplotlib",
    "openai",
    "httpx",
    "urllib.request",
    "sqlite3",
    "multiprocessing",
    "pysr",
    "juliapkg",
    "juliacall",
    "pyoperon",
    "distributed",
    "dask",
    "jax",
    "torch",
)
MOST_SECONDS = {"discover": 0.5, "--help": 0.7}  # of processor time, so that other processes do not count


def told_by(code: str) -> tuple[list[str], float]:
    """The modules that some code leaves loaded, and the processor time that it took, Python's own start included."""
    before = os.times()
    script = f"import sys\ntry:\n    {code}\nfinally:\n    print(*sys.modules, file=sys.stderr)"
    told = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True)
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return told.stderr.split(), spent


@pytest.mark.parametrize(
    ("name", "code"),
    [("discover", "import discover"), ("--help", "from discover.cli import main; main(['--help'])")],
)
def test_it_starts_quickly_and_loads_nothing_heavy(name: str, code: str):
    modules, _ = told_by(code)
    assert [module for module in HEAVY if module in modules] == []
    assert min(told_by(code)[1] for _ in range(3)) < MOST_SECONDS[name]


def test_help_imports_no_verb_and_no_room():
    modules, _ = told_by("from discover.cli import main; main(['--help'])")
    own = {module for module in modules if module.startswith("discover.")}
    assert own <= {"discover.cli", "discover.cli.door", "discover.errors"}
    assert not own & {f"discover.cli.{verb}" for verb in VERBS}


def test_python_m_discover_is_the_same_door():
    told = [sys.executable, "-m", "discover", "runn"]
    answer = subprocess.run(told, env=environment(), capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("discover: unknown command 'runn'; did you mean")
