"""Profiles: where a model is served, which variable holds its key, what it costs. Ours, then the user's own file."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from discover.errors import DiscoverError, did_you_mean, shown

RUNGS = ("json_schema", "json_object", "text")
OTHER = "other"

_KINDS: dict[str, type] = {
    "base_url": str,
    "key_env": str,
    "needs_key": bool,
    "token_limit": str,
    "reply_format": str,
    "reply_tokens": int,
    "extra": dict,
    "brief": bool,
    "price": dict,
    "prices": dict,
}
_OURS = {"model", "messages", "response_format", "stream", "n", "tools", "max_tokens", "max_completion_tokens"}
_KEYS = {"key", "api_key", "apikey", "token", "authorization"}
_LARGEST_FILE = 100_000  # bytes
_DEAREST = 1e9  # dollars per million tokens


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float

    def of(self, tokens_in: int, tokens_out: int) -> float:
        return (tokens_in * self.input + tokens_out * self.output) / 1e6


@dataclass(frozen=True)
class Model:
    """A language model and how to reach it; the key itself is not here.

    Attributes:
        name: What its server calls it.
        price: None where it is not known.
        brief: Whether it gets short prompts and is not asked for notes.
    """

    name: str
    profile: str
    base_url: str
    key_env: str
    needs_key: bool
    token_limit: str
    reply_format: str
    reply_tokens: int
    price: Price | None
    extra: Mapping[str, Any] = field(default_factory=dict)
    brief: bool = False

    @property
    def proposer(self) -> str:
        """What the portfolio calls it."""
        return f"llm:{self.name}"

    def key(self) -> str:
        """The key, out of the environment.

        Raises:
            DiscoverError: The server needs one and there is none, or it cannot be sent; never shows it.
        """
        key = os.environ.get(self.key_env, "").strip()
        if not key and self.needs_key:
            raise DiscoverError(
                f"--llm {self.name}: {self.key_env} is not set; put the key there, name another variable with "
                "--llm-key-env, or another server with --llm-base-url"
            )
        if not re.fullmatch(r"[!-~]*", key):
            raise DiscoverError(f"--llm {self.name}: the key in {self.key_env} has a character that no header may have")
        return key


def profiles_of(path: Path | None) -> dict[str, dict[str, Any]]:
    """All profiles by name: ours, overridden and extended by the file at `path`, or by the user's own where it exists.

    Raises:
        DiscoverError: A file that is missing, no TOML, or has values of another kind; names which.
    """
    text = resources.files(__package__).joinpath("profiles.toml").read_text(encoding="utf-8")
    profiles = tomllib.loads(text)
    own = path or _own_file()
    if path is None and not own.is_file():
        return profiles
    for name, values in _read(own).items():
        _check(own, name, values)
        base = dict(profiles.get(name, profiles[OTHER]))
        base["prices"] = {**base.get("prices", {}), **values.get("prices", {})}
        profiles[name] = {**base, **{key: value for key, value in values.items() if key != "prices"}}
    return profiles


def model_of(text: str, profiles: Mapping[str, Mapping[str, Any]], base_url: str = "", key_env: str = "") -> Model:
    """The model that `--llm` names: "PROFILE/MODEL", or a model of OpenAI; with a base URL the text as it stands.

    Raises:
        DiscoverError: No name, an address that is no URL.
    """
    if not re.fullmatch(r"[!-~]{1,120}", text):
        raise DiscoverError(f"--llm {shown(text)}: expected the name of a model, such as gpt-5-mini or ollama/qwen3")
    profile, name = (OTHER, text) if base_url else ("openai", text)
    first, slash, rest = text.partition("/")
    if not base_url and slash:
        if first not in profiles or not rest:
            hint = did_you_mean(first, profiles)
            raise DiscoverError(f"--llm {shown(text)}: no profile {shown(first)}{hint}; or use --llm-base-url")
        profile, name = first, rest
    values = profiles[profile]
    address = base_url or values["base_url"]
    _check_address(address, "--llm-base-url" if base_url else f"profile {profile}, base_url")
    variable = key_env or values["key_env"]
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,39}", variable):  # not repeated: it may be the key itself
        where = "--llm-key-env" if key_env else f"profile {profile}, key_env"
        raise DiscoverError(f"{where}: expected the name of a variable, such as OPENAI_API_KEY, not a key")
    price = values.get("prices", {}).get(name, values.get("price"))
    return Model(
        name=name,
        profile=profile,
        base_url=address.rstrip("/"),
        key_env=variable,
        needs_key=values["needs_key"] or bool(key_env),
        token_limit=values["token_limit"],
        reply_format=values["reply_format"],
        reply_tokens=values["reply_tokens"],
        price=Price(float(price["input"]), float(price["output"])) if price else None,
        extra=values.get("extra", {}),
        brief=values.get("brief", False),
    )


def _check_address(address: str, where: str) -> None:
    """Refuses what is no address, and what would be stored with a key in it; the latter without repeating it."""
    if re.search(r"[@?#]", address):
        raise DiscoverError(f"{where}: a key in the URL would be stored; put it into a variable: --llm-key-env")
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, half a bracket
        is_address = False
    if not is_address or not re.fullmatch(r"[!-~]{1,500}", address):
        raise DiscoverError(f"{where}: {shown(address)}; expected a URL such as http://127.0.0.1:8000/v1")


def _own_file() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "discover" / "language_models.toml"


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE + 1)
        if len(text) > _LARGEST_FILE:
            raise DiscoverError(f"{path}: larger than {_LARGEST_FILE:,} bytes, no file of profiles")
        return tomllib.loads(text.decode("utf-8"))
    except OSError as error:
        raise DiscoverError(f"{path}: no file of profiles can be read there ({error.strerror})") from None
    except (ValueError, RecursionError) as error:  # no TOML, no UTF-8, or a number of thousands of digits
        raise DiscoverError(f"{path}: not TOML ({' '.join(str(error).split())[:200]})") from None


def _check(path: Path, name: str, values: Any) -> None:
    if not isinstance(values, dict):
        raise DiscoverError(f"{path}: {shown(name)} is no table; a profile begins with [{name}]")
    for key, value in values.items():
        if key in _KEYS or (key == "extra" and isinstance(value, dict) and not _KEYS.isdisjoint(map(str.lower, value))):
            raise DiscoverError(f"{path}, [{name}]: a key does not belong into a file; name its variable: key_env")
        if key not in _KINDS:
            raise DiscoverError(f"{path}, [{name}]: unknown setting {shown(key)}{did_you_mean(key, _KINDS)}")
        if not isinstance(value, _KINDS[key]) or (key == "reply_tokens" and isinstance(value, bool)):
            raise DiscoverError(f"{path}, [{name}], {key}: got {shown(str(value))}, expected {_KINDS[key].__name__}")
    if values.get("reply_format", RUNGS[0]) not in RUNGS:
        raise DiscoverError(f"{path}, [{name}], reply_format: expected one of {', '.join(RUNGS)}")
    if values.get("token_limit", "max_tokens") not in ("max_tokens", "max_completion_tokens"):
        raise DiscoverError(f"{path}, [{name}], token_limit: expected max_tokens or max_completion_tokens")
    if not 1 <= values.get("reply_tokens", 1) <= 200_000:
        raise DiscoverError(f"{path}, [{name}], reply_tokens: expected 1 to 200000")
    if ours := sorted(set(values.get("extra", {})) & _OURS):
        raise DiscoverError(f"{path}, [{name}], extra: {ours[0]} is set by discover itself")
    try:
        json.dumps(values.get("extra", {}), allow_nan=False)
    except (TypeError, ValueError):
        raise DiscoverError(f"{path}, [{name}], extra: has a value that JSON cannot hold, such as a date") from None
    for price in [*values.get("prices", {}).values(), *([values["price"]] if "price" in values else [])]:
        given = price if isinstance(price, dict) else {}
        numbers = [given.get("input"), given.get("output")]
        if not all(isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n <= _DEAREST for n in numbers):
            due = "{ input = 0.25, output = 2.0 }, in dollars per million tokens"
            raise DiscoverError(f"{path}, [{name}]: got the price {shown(str(price))}, expected such as {due}")
