"""The table of faults in docs/language_models.md lists what the tests try."""

from __future__ import annotations

import re
from pathlib import Path

from .scripted_server import ACTS
from .test_faults import FAULTS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "language_models.md").read_text(encoding="utf-8")


def test_table_lists_each_fault_and_how_it_is_counted() -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| [^|]* \| ([^|]*) \|", PAGE, re.MULTILINE))
    assert {act: fault or "-" for act, (fault, _) in FAULTS.items()}.items() <= table.items()
    assert set(table) == set(ACTS) - {"good", "inventive", "thoughtful"}, "what the server does wrong is in the table"
