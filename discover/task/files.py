"""Files that people hand over, read with bounds: regular, not too large, UTF-8."""

from __future__ import annotations

import stat
from pathlib import Path

from discover.errors import DiscoverError

MEGABYTE = 10**6


def read_text(path: Path, largest_bytes: int, error: type[DiscoverError]) -> str:
    """Text of `path`; `error` names the file and, where it is not UTF-8, line and byte."""
    raw = read_bytes(path, largest_bytes, error)
    try:
        return raw.decode("utf-8-sig")  # with or without the mark that spreadsheets write
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        byte = raw[problem.start]
        raise error(f"{path}, line {line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8") from None


def read_bytes(path: Path, largest_bytes: int, error: type[DiscoverError]) -> bytes:
    """Bytes of the regular file at `path`, at most `largest_bytes`; `error` names the file."""
    too_large = error(f"{path}: larger than {largest_bytes / MEGABYTE:g} MB, which is the most that is read")
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise error(f"{path}: is not a regular file; give the path of a file")
        if status.st_size > largest_bytes:
            raise too_large
        with path.open("rb") as file:
            raw = file.read(largest_bytes + 1)
    except FileNotFoundError:
        raise error(f"{path}: no such file") from None
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the path
        raise error(f"{path}: cannot be read ({problem})") from None
    if len(raw) > largest_bytes:  # it grows, or reports no size
        raise too_large
    return raw
