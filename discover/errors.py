"""Mistakes of a user, each told in one line: what came, what was due, what to do.

Any room may raise these; the command line prints the line and exits with code 2. A fit that does not
converge is no mistake: it is a result with a status.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class DiscoverError(Exception):
    """A user's mistake; `str()` is the one line to print."""


class LawSyntaxError(DiscoverError):
    """A formula that is not a law; names the offending part."""


class UnknownInputError(DiscoverError):
    """A law or a caller asks for a column that the rows do not have."""


class UnknownLawError(DiscoverError):
    """A law id that the store does not have."""


class UnknownTaskError(DiscoverError):
    """A task name or folder that does not exist."""


class TaskError(DiscoverError):
    """A task.toml or human.toml that does not describe a task."""


class TableError(DiscoverError):
    """A CSV file that does not hold what its task says."""


class FitError(DiscoverError):
    """Arguments of a fit that do not belong together."""


class LibraryError(DiscoverError):
    """A file of the library of published laws that does not say what it should."""


class StoreError(DiscoverError):
    """A store that cannot be opened, read or extended."""


class ResumeError(DiscoverError):
    """A run that cannot be taken up again as it was; it stays as it is."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint to append to a message: close matches of `name`, or all that is known when it is little."""
    names = sorted(set(known))[:1000]  # comparing is slow
    close = get_close_matches(name[:200], names, n=3, cutoff=0.6)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    if names and len(names) <= 12:
        return f"; known: {', '.join(names)}"
    return ""


def shown(text: str, length: int = 60) -> str:
    """`text` quoted for a one-line message, cut to `length` characters."""
    return repr(text if len(text) <= length else text[: length - 3] + "...")
