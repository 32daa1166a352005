"""A task's leaderboard as files: `leaderboard.md` for readers, `leaderboard.json` for programs."""

from __future__ import annotations

import json
import math
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from discover.errors import StoreError
from discover.store.records import to_json


def write_leaderboard(folder: Path, rows: Sequence[Any], markdown: str) -> tuple[Path, Path]:
    """Writes both files, each whole or not at all."""
    written = (folder / "leaderboard.md", folder / "leaderboard.json")
    body = ",\n".join(to_json(row, strict=True) for row in rows)
    write_file(written[0], markdown)
    write_file(written[1], f"[\n{body}\n]\n")
    return written


def write_file(path: Path, text: str) -> None:
    """Replaces `path` in one step: who reads it meanwhile sees the old text or the new one, never a part."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """`write_file` for what is no text; StoreError where it cannot be written.

    A device or a pipe, such as /dev/stdout, is written to, and so is what a link leads to: neither is replaced.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("wb") as stream:
                stream.write(content)
            return
        path = path.resolve() if path.is_symlink() else path
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror})") from None


def read_leaderboard(path: Path) -> tuple[dict[str, Any], ...]:
    """The rows of a `leaderboard.json`, best first."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise StoreError(f"{path}: no leaderboard can be read ({error}); make it anew: discover run TASK") from None
    if not isinstance(rows, list) or not all(isinstance(r, dict) and {"law", "formula"} <= set(r) for r in rows):
        raise StoreError(f"{path}: expected rows with law and formula; make it anew: discover run TASK")
    return tuple({**row, "bounds": _bounds(row)} if row.get("bounds") else row for row in rows)


def _bounds(row: dict[str, Any]) -> dict[str, list[float]]:
    """Bounds as they were: JSON has no infinity, so an open end is written as null."""
    return {
        name: [-math.inf if lower is None else lower, math.inf if upper is None else upper]
        for name, (lower, upper) in row["bounds"].items()
    }
