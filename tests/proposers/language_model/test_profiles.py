"""Profiles: ours and a user's own, and the mistakes that either may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from discover.errors import DiscoverError
from discover.proposers.language_model import Price, model_of, profiles_of


@pytest.fixture(autouse=True)
def _no_file_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_models_are_found_by_profile() -> None:
    profiles = profiles_of(None)
    assert {"openai", "openrouter", "vllm", "ollama", "llamacpp"} <= set(profiles)
    plain = model_of("gpt-5-mini", profiles)
    assert (plain.base_url, plain.token_limit, plain.price) == (
        "https://api.openai.com/v1",
        "max_completion_tokens",
        Price(0.25, 2.0),
    )
    routed = model_of("openrouter/meta-llama/llama-3.3-70b", profiles)
    assert (routed.name, routed.key_env, routed.price) == ("meta-llama/llama-3.3-70b", "OPENROUTER_API_KEY", None)
    own = model_of("openai/gpt-oss-20b", profiles, "http://127.0.0.1:9/v1/")
    assert (own.name, own.profile, own.base_url) == ("openai/gpt-oss-20b", "other", "http://127.0.0.1:9/v1")


def test_a_file_of_ones_own_overrides_and_extends(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        '[openai.prices]\n"gpt-9" = { input = 1, output = 2 }\n[lab]\nbase_url = "http://10.0.0.7:8000/v1"\n'
        'reply_format = "text"\nextra = { temperature = 0.8 }\nprice = { input = 0, output = 0 }\n',
        encoding="utf-8",
    )
    profiles = profiles_of(path)
    assert model_of("gpt-9", profiles).price == Price(1.0, 2.0)
    assert model_of("gpt-5-mini", profiles).price == Price(0.25, 2.0)
    lab = model_of("lab/any", profiles)
    assert (lab.reply_format, dict(lab.extra), lab.price) == ("text", {"temperature": 0.8}, Price(0.0, 0.0))


def test_the_file_in_the_users_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "config" / "discover").mkdir(parents=True)
    (tmp_path / "config" / "discover" / "language_models.toml").write_text('[lab]\nbase_url = "http://lab/v1"\n')
    assert model_of("lab/x", profiles_of(None)).base_url == "http://lab/v1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[lab]\napi_key = 'sk-1'\n", "name its variable: key_env"),
        ("[lab]\nbase_ulr = 'x'\n", "did you mean 'base_url'"),
        ("[lab]\nreply_tokens = 'many'\n", "expected int"),
        ("[lab]\nreply_tokens = 0\n", "expected 1 to 200000"),
        ("[lab]\nreply_format = 'xml'\n", "expected one of json_schema"),
        ("[lab]\ntoken_limit = 'none'\n", "expected max_tokens"),
        ("[lab]\nprice = { input = -1, output = 2 }\n", "dollars per million"),
        ("[lab]\nprice = { input = nan, output = 2 }\n", "dollars per million"),
        (f"[lab]\nprice = {{ input = 1{'0' * 400}, output = 2 }}\n", "dollars per million"),
        (f"[lab]\nreply_tokens = 1{'0' * 5000}\n", "not TOML"),
        ("[lab]\nextra = { Api_Key = 'sk-1' }\n", "name its variable: key_env"),
        ("[lab]\nextra = { stream = true }\n", "set by discover itself"),
        ("[lab]\nextra = { when = 2026-01-01 }\n", "JSON cannot hold"),
        ("lab = 3\n", "is no table"),
        ("[lab\n", "not TOML"),
    ],
)
def test_mistakes_in_a_file_are_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(DiscoverError, match=told) as caught:
        profiles_of(tmp_path / "mine.toml")
    assert "sk-1" not in str(caught.value)


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(DiscoverError, match="no file of profiles"):
        profiles_of(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("text", "base_url", "told"),
    [
        ("", "", "expected the name of a model"),
        ("a b", "", "expected the name of a model"),
        ("olama/qwen3", "", "did you mean 'ollama'"),
        ("m", "127.0.0.1:8000", "expected a URL"),
        ("m", "file:///etc/passwd", "expected a URL"),
        ("m", "http://[::1", "expected a URL"),
        ("m", "http://host:port/v1", "expected a URL"),
        ("m", "http://host:99999/v1", "expected a URL"),
        ("m", "http://host/v1\n", "expected a URL"),
        ("m", "http://user:secret@host/v1", "--llm-key-env"),
        ("m", "user:secret@host/v1", "--llm-key-env"),
        ("m", "http://host/v1#secret", "--llm-key-env"),
        ("m", "http://host/v1?key=secret", "--llm-key-env"),
    ],
)
def test_mistakes_on_the_command_line_are_told(text: str, base_url: str, told: str) -> None:
    with pytest.raises(DiscoverError, match=told) as caught:
        model_of(text, profiles_of(None), base_url)
    assert "secret" not in str(caught.value)


def test_a_profile_without_an_address_says_so(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[lab]\nreply_tokens = 9\n")
    with pytest.raises(DiscoverError, match=r"^profile lab, base_url: ''; expected a URL"):
        model_of("lab/x", profiles_of(tmp_path / "mine.toml"))


@pytest.mark.parametrize("given", ["sk-secret", "secret" * 9, " ", "secret key"])
def test_a_key_in_the_place_of_its_variable_is_refused_and_not_repeated(given: str) -> None:
    """It was told back as the name of a variable that is not set, and would have been stored as one."""
    with pytest.raises(DiscoverError, match="expected the name of a variable") as caught:
        model_of("m", profiles_of(None), "http://127.0.0.1:9/v1", given)
    assert "secret" not in str(caught.value)


def test_a_key_is_needed_where_the_server_needs_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    profiles = profiles_of(None)
    with pytest.raises(DiscoverError, match="OPENAI_API_KEY is not set"):
        model_of("gpt-5-mini", profiles).key()
    assert model_of("ollama/qwen3", profiles).key() == ""
    with pytest.raises(DiscoverError, match="MINE is not set"):
        model_of("m", profiles, "http://127.0.0.1:9/v1", "MINE").key()
    monkeypatch.setenv("MINE", "sk-secret\n\x07")
    with pytest.raises(DiscoverError, match="no header may have") as caught:
        model_of("m", profiles, "http://127.0.0.1:9/v1", "MINE").key()
    assert "sk-secret" not in str(caught.value)
