"""Imports run one way, along the data; the held-out rows have one reader and one caller."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "discover"

# Which rooms a room may import, itself and errors aside.
MAY_IMPORT: dict[str, set[str]] = {
    "law": set(),
    "library": {"law"},
    "task": {"law", "library"},
    "fitting": {"law", "task"},
    "scoring": {"law", "task", "fitting"},
    "archive": {"law", "fitting", "scoring"},
    "proposers": {"law", "library", "task", "fitting", "archive"},
    "assessment": {"law", "task", "fitting", "scoring", "archive", "proposers"},
    "store": {"task", "archive"},
    "recall": {"law", "fitting", "scoring", "archive", "proposers"},
    "evolution": {"task", "fitting", "scoring", "archive", "proposers", "assessment", "recall"},
    "known_laws": {
        "law", "library", "task", "fitting", "scoring", "archive", "proposers", "assessment", "evolution",
    },
    "leaderboard": {
        "law", "library", "task", "fitting", "scoring", "scoring.held_out", "archive", "assessment", "store",
        "identity", "certificates",
    },
    "exporters": {"law", "task"},
    "identity": {"law", "library", "task", "fitting"},
    "certificates": {"law", "task"},
    "benchmark": {"task", "store"},
    "api": {"law", "task", "fitting", "scoring", "archive", "proposers", "assessment", "evolution", "exporters"},
    "regressor": {"task", "fitting", "api", "exporters", "intervals"},
    "intervals": {"law", "task", "fitting", "scoring", "archive", "assessment"},
    "report": {"law", "task", "fitting", "scoring", "store", "exporters", "intervals"},
    "planning": {"law", "task", "fitting", "scoring", "intervals"},
    "tui": {"law", "task", "store", "exporters"},
    "cli": {
        "law", "library", "task", "fitting", "scoring", "archive", "proposers", "assessment", "store", "evolution",
        "known_laws", "leaderboard", "exporters", "identity", "certificates", "tui", "benchmark", "intervals", "report",
        "planning",
    },
    "__main__": {"cli"},
}  # fmt: skip
ANYONE = {"errors", "checks"}


def room_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def imported(path: Path) -> set[str]:
    """Modules of the package that a file imports, wherever in it, as dotted names below `discover`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return {name.removeprefix("discover.") for name in found if name.startswith("discover.")}


FILES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_along_the_data(path: Path) -> None:
    room = room_of(path)
    assert room in MAY_IMPORT or room in ANYONE, f"{room}: a new room; say here what it may import"
    rooms = {name.split(".")[0] for name in imported(path)} - {room, "__version__"} - ANYONE
    assert rooms <= MAY_IMPORT.get(room, set())


def test_only_the_leaderboard_imports_the_reader_of_held_out_rows() -> None:
    callers = {room_of(path) for path in FILES if any(n.startswith("scoring.held_out") for n in imported(path))}
    assert callers == {"leaderboard"}


def test_only_the_sealed_reader_asks_for_the_held_out_part() -> None:
    """Everywhere else the text "held_out" may be a name or a column, never the argument of read_rows."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "read_rows":
                parts = [a.value for a in node.args if isinstance(a, ast.Constant)]
                allowed = path == PACKAGE / "scoring" / "held_out.py"
                assert parts == ["training"] or allowed, f"{path}: read_rows({parts})"


def test_held_out_inputs_are_read_without_their_targets_for_the_check_of_a_table_alone() -> None:
    """`discover check`, and `new` of the table that it has just split, tell how far a table asks to extrapolate;
    nothing that searches or prompts may know."""
    parted = {
        str(path.relative_to(PACKAGE))
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "part"
        and not any(isinstance(a, ast.Constant) and a.value == "training" for a in node.args)
    }  # fmt: skip
    assert parted == {"task/asked.py", "task/loading.py", "task/points.py"}
    for module, callers in (("task.asked", {"task/checking.py"}), ("task.checking", {"cli/check.py", "cli/new.py"})):
        found = {str(p.relative_to(PACKAGE)) for p in FILES if any(n.startswith(module) for n in imported(p))}
        assert found == callers


@pytest.mark.parametrize("word", ["eval", "exec", "sympify", "parse_expr", "compile", "__import__"])
def test_nothing_is_evaluated_as_code(word: str) -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                is_regex = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "re"
                assert name != word or is_regex, f"{path}:{node.lineno} calls {word}"
