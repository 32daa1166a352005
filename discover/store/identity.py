"""Names that stay: a law is called by what it is, so the same fitted law has the same id in every store."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from discover.store.records import to_json

DIGITS = 8  # hexadecimal; a thousand laws of one task share an id with probability 1e-4


def short_name(task: str) -> str:
    """The task's name as it stands in law ids: `vocab` for `vocab_scaling`."""
    return task.removesuffix("_scaling") or task


def law_id(task: str, formula: str, recipe: str, parameters: Mapping[str, Any]) -> str:
    """`vocab-3f2a91c0`: the task, and a hash of formula, recipe and parameters (cell -> name -> value)."""
    content = to_json([task, formula, recipe, parameters])
    return f"{short_name(task)}-{hashlib.sha256(content.encode()).hexdigest()[:DIGITS]}"


def run_id() -> str:
    """`20260131-174502-9c1e`: the time of the start (UTC), and digits that tell apart two in a second."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def task_digest(task: Any) -> str:
    """A hash of what a search may see of `task`: its task.toml and human.toml, and the training rows."""
    digest = hashlib.sha256()
    for name in ("task.toml", "human.toml"):
        path = task.folder / name
        digest.update(path.read_bytes() if path.is_file() else b"")
    rows = task.training
    for array in (rows.inputs, rows.target, rows.cell):
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


# Rooms that a search's result depends on; screens and verbs may change between a run and its resumption.
_SEARCHING = ("law", "task", "fitting", "scoring", "archive", "proposers", "assessment.py", "evolution.py", "recall.py")


@cache
def code_digest() -> str:
    """A hash of the source of everything that a search runs through."""
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for name in _SEARCHING:
        path = package / name
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(f"{file.relative_to(package).as_posix()}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """What a result may depend on, to the last bit: discover and its source, Python, the numerical libraries."""
    found = {"python": platform.python_version(), "code": code_digest()}
    for name in ("discover-scaling-laws", "numpy", "scipy", "numba"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found
