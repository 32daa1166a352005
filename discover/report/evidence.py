"""What a report tells, gathered before anything is drawn: laws, bands, the search, where data come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.errors import DiscoverError
from discover.fitting import predict_cells
from discover.intervals import Bands, FittedForm, ParameterReport, bands_of, parameter_report

if TYPE_CHECKING:
    from discover.store.calls import StoredCall
    from discover.store.store import Candidacy, Gain, Run
    from discover.task import Task

Record = Mapping[str, Any]
LEVEL = 0.9
_LONGEST = 20_000  # characters of a text that is shown


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything a report shows.

    Attributes:
        rows: The leaderboard of one run, best first.
        row: The law that the report is about.
        form: The same as a law with parameters.
        bands: Around its predictions.
        parameters: What is known of its parameters.
        human: The best human law by validation, with parameters; None where there is none.
        candidates: Of the run, as stored; empty where the store is gone.
        run: None where the store is gone.
        units: Parameter -> unit.
        sources: Name of a file -> its text.
        gains: What each proposer gave to the run.
        calls: To language models, in the run.
    """

    task: Task
    rows: tuple[Record, ...]
    row: Record
    form: FittedForm
    bands: Bands
    parameters: ParameterReport
    human: FittedForm | None
    candidates: tuple[Candidacy, ...]
    run: Run | None
    units: Mapping[str, str]
    sources: Mapping[str, str]
    gains: tuple[Gain, ...] = ()
    calls: tuple[StoredCall, ...] = ()

    @property
    def predicted(self) -> np.ndarray:
        """(row,) of the training rows."""
        return predict_cells(self.form.law, self.form.parameters, self.task.training)

    @property
    def is_set_aside(self) -> np.ndarray:
        """(row,) of the training rows: whether the leaderboard's laws were fitted without it, as an outlier."""
        return np.isin(self.task.training.line, self.row.get("set_aside") or ())


def gather(
    task: Task,
    rows: Sequence[Record],
    *,
    candidates: Sequence[Candidacy] = (),
    run: Run | None = None,
    units: Mapping[str, str] | None = None,
    gains: Sequence[Gain] = (),
    calls: Sequence[StoredCall] = (),
    rng: np.random.Generator,
) -> Evidence:
    """The evidence of a leaderboard.

    Args:
        rows: Of one run, best first.
        candidates, run, gains, calls: From the store, where it has them.
        units: Parameter of the chosen law -> unit.

    Raises:
        DiscoverError: No discovered law is on the leaderboard.
    """
    row = chosen_row(rows)
    if row is None:
        raise DiscoverError(
            f"task {task.name}: no discovered law on its leaderboard; make one with: discover run {task.name}"
        )
    form = FittedForm.of_row(row, task)
    bands = bands_of(task, form, other_forms(rows, row, task), rng=rng)
    humans = [r for r in rows if r["origin"] == "human" and r.get("validation_r2") is not None]
    best = max(humans, key=lambda r: r["validation_r2"], default=None)
    return Evidence(
        task=task,
        rows=tuple(rows),
        row=row,
        form=form,
        bands=bands,
        parameters=parameter_report(bands.ensemble, LEVEL),
        human=None if best is None else FittedForm.of_row(best, task),
        candidates=tuple(candidates),
        run=run,
        units=dict(units or {}),
        sources=_sources(task),
        gains=tuple(gains),
        calls=tuple(calls),
    )


def chosen_row(rows: Sequence[Record]) -> Record | None:
    """The law that validation chose; else the first discovered one."""
    found = [row for row in rows if row["origin"] == "discovered"]
    return next((row for row in found if row.get("chosen")), found[0] if found else None)


def other_forms(rows: Sequence[Record], row: Record, task: Task) -> list[FittedForm]:
    """The other discovered laws of a leaderboard, as far as they converged."""
    others = [r for r in rows if r["origin"] == "discovered" and r["law"] != row["law"] and r.get("status") == "ok"]
    return [FittedForm.of_row(other, task) for other in others]


def _sources(task: Task) -> dict[str, str]:
    from discover.task.description import read_description

    places = {"README.md": task.folder / "README.md"}
    places["SOURCE.md"] = read_description(task.folder).file.parent / "SOURCE.md"
    found = {}
    for name, path in places.items():
        text = _read(path)
        if text:
            found[name] = text
    return found


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            text = file.read(_LONGEST + 1)
    except OSError:
        return ""
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "\n[cut]"
