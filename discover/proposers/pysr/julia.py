"""Whether PySR could run here, found out without importing it: the import alone starts Julia, or downloads it.

In: the environment. Out: a `Readiness`: what was found, what is wrong, the command that mends it. Julia is looked
for where juliapkg will look for it, and only asked for its version.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from discover.errors import DiscoverError

Version = tuple[int, int, int]

OLDEST_PYSR = (2, 7)  # of PySR 2.7 are the calls that worker.py makes: guesses with values of template parameters
OLDEST_JULIA: Version = (1, 10, 3)
# Julia 1.12 brings OpenSSL 3.5, which a Python built with an older one cannot share a process with.
NEWEST_JULIA = "1.11" if ssl.OPENSSL_VERSION_INFO < (3, 5) else "1"
OFFLINE = "PYTHON_JULIAPKG_OFFLINE"
_PATIENCE_SECONDS = 3.0
INSTALL = f"{OFFLINE}=no python -c 'import pysr'"


@dataclass(frozen=True)
class Julia:
    """An executable that answered `--version`."""

    path: str
    version: Version

    @property
    def is_accepted(self) -> bool:
        newest = tuple(int(part) for part in NEWEST_JULIA.split("."))
        return self.version >= OLDEST_JULIA and self.version[: len(newest)] <= newest

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


@dataclass(frozen=True)
class Readiness:
    """What PySR needs, and which of it is there.

    Attributes:
        package: Version of the Python package, "" where it is missing.
        julia: The Julia that would be used, None where there is none.
        packages: Whether PySR's Julia packages were installed before.
        offline: Whether juliapkg may not download; so it is unless the environment says otherwise.
        reason: What is missing or out of range, "" where PySR is ready.
        mend: The command that mends it.
    """

    package: str
    julia: Julia | None
    packages: bool
    offline: bool
    reason: str = ""
    mend: str = ""

    @property
    def is_ready(self) -> bool:
        return not self.reason


def readiness(environment: Mapping[str, str] = os.environ) -> Readiness:
    """What PySR would find here; takes some hundredths of a second and never downloads."""
    package = package_version("pysr")
    julia = find_julia(environment)
    packages = (_project(environment) / "pyjuliapkg" / "meta.json").is_file()
    offline = is_offline(environment)
    reason, mend = "", ""
    if not package:
        reason, mend = "the package pysr is not installed", "pip install 'pysr>=2.7'"
    elif _numbers(package) < OLDEST_PYSR:
        reason, mend = f"pysr is {package}, 2.7 or newer is due", "pip install --upgrade 'pysr>=2.7'"
    elif not offline:
        pass  # the user lets juliapkg fetch what is missing
    elif julia is None:
        reason, mend = f"Julia is not installed ({accepted()} is due)", INSTALL
    elif not julia.is_accepted:
        reason, mend = f"Julia is {julia}, {accepted()} is due", INSTALL
    elif not packages:
        reason, mend = "its Julia packages are not installed", INSTALL
    return Readiness(package, julia, packages, offline, reason, mend)


def require(environment: Mapping[str, str] = os.environ) -> None:
    """Nothing, where PySR can run here.

    Raises:
        DiscoverError: What is missing, and the command that mends it.
    """
    found = readiness(environment)
    if not found.is_ready:
        raise DiscoverError(f"PySR needs Julia and its packages: {found.reason}; mend with: {found.mend}")


def accepted() -> str:
    """The range of Julia versions, in words."""
    return f"{'.'.join(map(str, OLDEST_JULIA))} to {NEWEST_JULIA}"


def is_offline(environment: Mapping[str, str] = os.environ) -> bool:
    return environment.get(OFFLINE, "yes") != "no"


def package_version(name: str) -> str:
    """Version of an installed distribution, "" where it is missing; imports nothing."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def find_julia(environment: Mapping[str, str] = os.environ) -> Julia | None:
    """The Julia that juliapkg would take: the first accepted one in its order of places, else the first."""
    first = None
    for path in _places(environment):
        julia = _asked(path, environment)
        if julia is None:
            continue
        if julia.is_accepted:
            return julia
        first = first or julia
    return first


def _places(environment: Mapping[str, str]) -> Iterator[str]:
    """Executables to ask, in juliapkg's order: the one named, its own, juliaup's, the one on PATH."""
    search = environment.get("PATH", os.defpath)
    suffix = ".exe" if os.name == "nt" else ""
    if named := environment.get("PYTHON_JULIAPKG_EXE"):
        if found := shutil.which(named, path=search):
            yield found
        return
    own = _project(environment) / "pyjuliapkg" / "install" / "bin" / f"julia{suffix}"
    if own.is_file():
        yield str(own)
    if shutil.which("juliaup", path=search):
        yield from _of_juliaup(environment, suffix)
    if found := shutil.which("julia", path=search):
        yield found


def _of_juliaup(environment: Mapping[str, str], suffix: str) -> Iterator[str]:
    depot = environment.get("JULIAUP_DEPOT_PATH") or str(Path.home() / ".julia")
    folder = Path(depot) / "juliaup"
    try:
        told = json.loads((folder / "juliaup.json").read_text(encoding="utf-8")[:1_000_000])
        installed = [info for info in told["InstalledVersions"].values() if isinstance(info, dict)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
    for info in installed[:20]:
        inside = info.get("BinaryPath") or f"{info.get('Path', '')}/bin/julia{suffix}"
        executable = (folder / str(inside)).resolve()
        if executable.is_file():
            yield str(executable)


def _asked(path: str, environment: Mapping[str, str]) -> Julia | None:
    """What an executable says of its version; None where it says nothing of the kind in time."""
    try:
        told = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            env=dict(environment),
            check=True,
        ).stdout.decode("utf-8", "replace")
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.match(r"julia version (\d{1,4})\.(\d{1,4})\.(\d{1,4})", told)
    return Julia(path, (int(match[1]), int(match[2]), int(match[3]))) if match else None


def _project(environment: Mapping[str, str]) -> Path:
    """Where juliapkg keeps the Julia project of this Python, as in juliapkg/state.py."""
    if project := environment.get("PYTHON_JULIAPKG_PROJECT"):
        return Path(project)
    prefix = sys.prefix if sys.prefix != sys.base_prefix else environment.get("CONDA_PREFIX")
    if prefix:
        return Path(prefix) / "julia_env"
    depot = environment.get("JULIA_DEPOT_PATH", "").split(os.pathsep)[0] or str(Path.home() / ".julia")
    return Path(depot) / "environments" / "pyjuliapkg"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
