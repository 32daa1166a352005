"""What every test may count on."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def compiled_kernel() -> None:
    """The kernel is compiled once, in some 30 s, before any test that watches a process and its time."""
    from discover.fitting import prepare

    prepare()
