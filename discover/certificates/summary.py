"""Certificates of a law with several sets of parameters, in few words.

In: statements for each cell. Out: one line for each statement that some cells share, with the number of these cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from discover.certificates.certificate import PROVED, REFUTED, UNKNOWN, Statement

_ABOUT = ("defined", "sign", "monotone", "optimum", "limit", "units")
_VERDICTS = (PROVED, REFUTED, UNKNOWN)


@dataclass(frozen=True)
class Certificate:
    """A statement as a leaderboard keeps it.

    Attributes:
        about: As in `Statement`.
        input: The input that it is about; "" for the law as a whole.
        text: In a few words, such as "falls with N".
        verdict: PROVED, REFUTED or UNKNOWN.
        cells: How many cells it is true of.
        of: How many cells were looked at.
        unseen: How many more the law has, for which there was no time.
    """

    about: str
    input: str
    text: str
    verdict: str
    cells: int
    of: int
    unseen: int = 0


def summary(by_cell: Sequence[Sequence[Statement]], cells: int | None = None) -> tuple[Certificate, ...]:
    """The statements of all cells, by subject and input; where cells differ, what most of them say comes first.

    Args:
        by_cell: Statements about each cell that was looked at.
        cells: How many cells the law has; as many as were looked at where left out.
    """
    cells = len(by_cell) if cells is None else cells
    counts: dict[tuple[int, str, str, str, str], int] = {}
    inputs = list(dict.fromkeys(statement.input for own in by_cell for statement in own))
    for own in by_cell:
        for statement in own:
            subject, text = _in_short(statement, single=cells == 1)
            key = (_ABOUT.index(statement.about), statement.input, subject, text, statement.verdict)
            counts[key] = counts.get(key, 0) + 1

    def place(item: tuple[tuple[int, str, str, str, str], int]) -> tuple[int, int, str, int, int]:
        (about, name, subject, _, verdict), count = item
        return about, inputs.index(name), subject, -count, _VERDICTS.index(verdict)

    return tuple(
        Certificate(_ABOUT[about], name, text, verdict, count, len(by_cell), cells - len(by_cell))
        for (about, name, _, text, verdict), count in sorted(counts.items(), key=place)
    )


def _in_short(statement: Statement, single: bool) -> tuple[str, str]:
    """What a statement is about beside its input, and its text without what every line of a list would repeat."""
    if statement.about == "defined":
        return "", "finite" if statement.verdict == PROVED else "finite everywhere"
    if statement.about == "sign":
        return "", statement.text.removesuffix(" on the whole domain")
    if statement.about == "monotone":
        return "", statement.text.removesuffix(" on the whole domain")
    if statement.about == "optimum":
        places = statement.text.partition(": ")[2]
        name = statement.input
        if single:
            return "", f"{places} of {name}"
        kinds = [kind for kind in ("minimum", "maximum") if kind in places]
        return "", f"a {' and a '.join(kinds)} along {name}"
    if statement.about == "limit":
        end = "zero" if " goes to zero" in statement.text else "infinity"
        goes = f"as {statement.input} goes to {end}"
        if statement.verdict != PROVED:
            return end, f"has a limit {goes}"
        value = statement.text.partition(" as ")[0].removeprefix("tends to ")
        told = value if single or value in ("infinity", "minus infinity", "0") else "a number"
        return end, f"tends to {told} {goes}"
    return "", "powers and logarithms of pure numbers only"
