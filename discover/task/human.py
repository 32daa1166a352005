"""human.toml: laws that people published, as text that the parser accepts, with printed coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from discover.errors import LawSyntaxError
from discover.law import parse
from discover.task.document import Section, read_document
from discover.task.rows import Cell
from discover.task.task import HumanLaw

LAW_KEYS = ("name", "formula", "bounds", "citation", "published", "note")


def read_human_laws(path: Path, input_names: Sequence[str], cells: Sequence[Cell]) -> tuple[HumanLaw, ...]:
    """The laws in the file at `path`, none where there is no such file.

    TaskError names the law whose formula does not parse, or whose bounds or coefficients belong to no
    parameter or cell.
    """
    if not path.exists():
        return ()
    sections = read_document(path, ("laws",)).sections("laws", LAW_KEYS)
    laws = tuple(_read_human_law(section, input_names, cells) for section in sections)
    for position, law in enumerate(laws):
        if law.name in [other.name for other in laws[:position]]:
            raise sections[position].error(f"two laws are named {law.name!r}; rename one")
    return laws


def _read_human_law(section: Section, input_names: Sequence[str], cells: Sequence[Cell]) -> HumanLaw:
    formula = section.text("formula")
    try:
        parameters = parse(formula, input_names).parameters
    except LawSyntaxError as problem:
        raise section.error(f"formula: {problem}", "formula") from None
    published = {}
    tables = section.section("published", [cell.label for cell in cells], default={})
    for label in tables.table:
        values = tables.section(label, parameters)
        published[label] = {name: values.value(name, float) for name in parameters}
    return HumanLaw(
        name=section.text("name"),
        formula=formula,
        bounds=_read_bounds(section.section("bounds", parameters, default={})),
        citation=section.text("citation"),
        published=published,
        note=section.text("note", default=""),
    )


def _read_bounds(section: Section) -> dict[str, tuple[float, float]]:
    bounds = {}
    for name, pair in section.table.items():
        is_pair = isinstance(pair, list) and len(pair) == 2 and all(type(end) in (int, float) for end in pair)
        if not is_pair or not pair[0] < pair[1]:
            raise section.error(f"{name}: expected [lower, upper], two numbers such as [0.0, inf]", name)
        bounds[name] = (float(pair[0]), float(pair[1]))
    return bounds
