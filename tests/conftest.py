"""What every test may count on."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_width_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs tests on several cores tells its workers a terminal's width; tests read what files get."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(scope="session", autouse=True)
def compiled_kernel() -> None:
    """The kernel is compiled once, in some 30 s, before any test that watches a process and its time."""
    from discover.fitting import prepare

    prepare()
