"""`discover laws`: the library of published laws."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from discover.cli.door import Verb
from discover.cli.options import json_option
from discover.cli.printing import print_json, show_view
from discover.errors import DiscoverError

if TYPE_CHECKING:
    from discover.library import Entry, NotFound, Quantity


@click.command(cls=Verb)
@click.argument("words", nargs=-1, metavar="[show LAW | TEXT...]")
@click.option("--inputs", default="", metavar="N,D,...", help="Only laws that read these: roles, or symbols such as N.")
@click.option("--target", default="", metavar="WHAT", help="Only laws that predict this, such as loss.")
@json_option
def laws(words: tuple[str, ...], inputs: str, target: str, as_json: bool) -> None:
    """List the published laws whose description has TEXT, or show all of one.

    JSON: a list of objects with id, title, formula, inputs, target, parameters, bounds, coefficients, citation,
    arxiv, year, trust, and what else is known; `show` gives one such object.

    \b
    discover laws chinchilla
    discover laws --inputs N,D --target loss
    discover laws show chinchilla
    """
    from discover.library import COEFFICIENT_TRUST, TRUST, entry, find, find_without_formula
    from discover.tui import console, laws_view, library_law_view

    if words and words[0] == "show":
        if len(words) != 2 or inputs or target:
            raise DiscoverError("laws show: expected one id, such as: discover laws show chinchilla")
        law = entry(words[1])
        if as_json:
            print_json(_record(law))
        else:
            show_view(library_law_view(law, TRUST, COEFFICIENT_TRUST, console().width))
        return
    text = " ".join(words)
    names = [name.strip() for name in inputs.split(",") if name.strip()]
    found = find(text, names, target)
    without = find_without_formula(text) if not names and not target else ()
    if as_json:
        print_json([*map(_record, found), *map(_bare_record, without)])
    elif found or without:
        show_view(laws_view(found, without, console().width))
    else:
        click.echo("discover: no law matches; discover laws lists all", err=True)


def _quantity(quantity: Quantity) -> dict[str, Any]:
    return {
        "role": quantity.role,
        "unit": quantity.unit,
        "meaning": quantity.meaning,
        "effect": quantity.effect or None,
    }


def _record(entry: Entry) -> dict[str, Any]:
    """An entry for programs; a bound that is infinite is null."""
    bounds = {
        name: [None if math.isinf(end) else end for end in pair]
        for name, pair in entry.law.bounds.items()
    }  # fmt: skip
    coefficients = [
        {
            "name": own.name,
            "trust": own.trust,
            "values": dict(own.values),
            "gives": own.gives,
            "printed": own.printed,
            "from_source": list(own.from_source),
        }
        for own in entry.coefficients
    ]
    return {
        "id": entry.id,
        "title": entry.title,
        "topic": entry.topic,
        "formula": entry.form.formula,
        "inputs": {quantity.name: _quantity(quantity) for quantity in entry.inputs},
        "target": _quantity(entry.target),
        "parameters": list(entry.law.parameters),
        "bounds": bounds,
        "coefficients": coefficients,
        "at": dict(entry.at),
        "measured": None if entry.measured is None else entry.measured.formula,
        "citation": str(entry.source),
        "arxiv": entry.source.arxiv,
        "year": entry.source.year,
        "trust": entry.trust,
        "fitted_on": entry.fitted_on,
        "runs": entry.runs,
        "material": entry.material,
        "note": entry.note,
    }


def _bare_record(law: NotFound) -> dict[str, Any]:
    return {
        "id": law.id,
        "title": law.title,
        "formula": None,
        "citation": str(law.source),
        "arxiv": law.source.arxiv,
        "year": law.source.year,
        "trust": "form not found",
        "known": law.known,
        "fitted_on": law.fitted_on,
        "material": law.material,
    }
