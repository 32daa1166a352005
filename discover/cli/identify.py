"""`discover identify`: whether a law is a published one, part of one, holds one, or is new."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from discover.cli.completion import complete_law
from discover.cli.door import Verb
from discover.cli.options import json_option, seed_option, store_option
from discover.cli.printing import print_json

if TYPE_CHECKING:
    from discover.cli.asked_law import AskedLaw
    from discover.identity import Finding

_SHOWN = 8  # findings; the rest with --json


@click.command(cls=Verb)
@click.argument("law", shell_complete=complete_law)
@click.option("--task", "task_name", metavar="TASK", help="The task whose inputs a typed formula reads.")
@click.option("--inputs", metavar="N,D,...", help="The inputs of a typed formula; N=parameters tells a role, too.")
@seed_option
@json_option
@store_option
def identify(law: str, task_name: str | None, inputs: str | None, seed: int, as_json: bool, store_path: Path) -> None:
    """Tell what LAW is to the published laws: identical, a special case, a generalisation, near, or new.

    LAW is an id on a leaderboard, an id of the library, or a formula with --task or --inputs. JSON: an object with
    label, formula and findings.

    \b
    discover identify "C + A/(1 + (D/D0)**a)" --inputs D=fine_tuning_data
    discover identify chinchilla
    """
    from discover.cli.asked_law import asked_law
    from discover.cli.progress import ready_fitter
    from discover.identity import identify as compare

    asked = asked_law(law, task_name, inputs, store_path, seed)
    ready_fitter()
    rows = asked.task.training if asked.task is not None else None
    leave_out = (asked.library_id,) if asked.library_id else ()
    usable = rows is not None and asked.parameters is not None and len(asked.parameters) == len(rows.cells)
    found = compare(
        asked.law,
        asked.roles,
        rows=rows if usable else None,
        parameters=asked.parameters if usable else None,
        leave_out=leave_out,
        target=asked.target,
        seed=seed,
    )
    label = found[0].label if found else "new form"
    if as_json:
        print_json({
            "law": asked.name,
            "formula": str(asked.law),
            "label": label,
            "roles": {name: asked.roles.get(name, "") for name in asked.law.inputs},
            "findings": [_record(asked, each) for each in found],
        })  # fmt: skip
        return
    click.echo(f"{asked.law}\n{label}")
    for each in found[:_SHOWN]:
        _tell(asked, each)
    if len(found) > _SHOWN:
        click.echo(f"{len(found) - _SHOWN} more with --json")
    if not found:
        click.echo("  no published law is this one or holds it, and none that is worth naming is part of it")


def _proved(asked: AskedLaw, finding: Finding) -> bool:
    from discover.identity import IDENTICAL, prove_equal

    relation = finding.relation
    if finding.kind != IDENTICAL:
        return False
    if relation.by == "canonical form":
        return True
    return relation.mapping is not None and prove_equal(asked.law, finding.law, relation.mapping)


def _tell(asked: AskedLaw, finding: Finding) -> None:
    relation = finding.relation
    also = f"; the same form: {', '.join(finding.entries[1:])}" if len(finding.entries) > 1 else ""
    click.echo(f"\n{finding.label}{also}\n  {finding.law}")
    if finding.reads != "the same":
        click.echo(f"  reads {finding.reads} inputs: {', '.join(finding.law.inputs)}")
    if relation.mapping:
        from discover.identity.mapping import text_of

        missing = [name for name in finding.law.parameters if name not in relation.mapping]
        rest = f"; not found as short formulas: {', '.join(missing)}" if missing else ""
        click.echo(f"  with {text_of(dict(relation.mapping))}{rest}")
    if relation.frozen:
        click.echo(f"  where {', '.join(relation.frozen)}")
    if not relation.within_bounds:
        click.echo("  for some parameters only beyond the published bounds")
    if finding.nearness is not None:
        click.echo(f"  {finding.nearness.text}")
    if relation.by == "fit" and finding.nearness is None:
        shown = "; proved symbolically" if _proved(asked, finding) else ""
        click.echo(f"  found by fitting one to members of the other (misfit {relation.misfit:.1g}){shown}")
    elif relation.by:
        by = {"canonical form": "by canonical form", "limit": "in the limit only"}.get(relation.by)
        if by:
            click.echo(f"  {by}")


def _record(asked: AskedLaw, finding: Finding) -> dict[str, Any]:
    from discover.law import to_text

    relation, near = finding.relation, finding.nearness
    return {
        "kind": finding.kind,
        "label": finding.label,
        "laws": list(finding.entries),
        "formula": str(finding.law),
        "same_quantities": finding.same_quantities,
        "reads": finding.reads,
        "by": relation.by,
        "proved": _proved(asked, finding),
        "mapping": {name: to_text(formula) for name, formula in (relation.mapping or {}).items()},
        "frozen": list(relation.frozen),
        "within_bounds": relation.within_bounds,
        "misfit": relation.misfit,
        "near": None if near is None else {"distance": near.distance, "parts": dict(near.parts)},
    }
