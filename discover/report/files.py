"""Bytes into a file, whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from discover.errors import DiscoverError


def write_bytes(path: Path, content: bytes) -> None:
    """Replaces `path` in one step; DiscoverError where it cannot be written."""
    try:
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
        raise DiscoverError(f"{path}: cannot be written ({error.strerror})") from None
