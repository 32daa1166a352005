"""`seeds.json`: one record for each finished run of a benchmark."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discover.errors import DiscoverError
from discover.store import short_name, write_file

Figure = Mapping[str, Any]

_NUMBERS = ("validation_r2", "held_out_r2", "seconds")


@dataclass(frozen=True)
class Asked:
    """One run of a benchmark.

    Attributes:
        task: Its name; `folder` is what is typed to find it.
        arm: Which proposers take part, by the arm's name.
        proposers: As `discover run --proposers` takes them.
    """

    task: str
    folder: str
    seed: int
    arm: str
    proposers: str
    budget: str

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells the runs of one benchmark apart."""
        return self.arm, short_name(self.task), self.seed

    def __str__(self) -> str:
        arm = "" if self.arm == "auto" else f", {self.arm}"
        return f"{short_name(self.task)} seed {self.seed}{arm}"


def key_of(figure: Figure) -> tuple[str, str, int]:
    """The same for a finished run; the first benchmarks had one arm and did not name it."""
    return figure.get("arm", "auto"), figure["task"], figure["seed"]


def read_figures(path: Path, budget: str) -> list[Figure]:
    """The records of finished runs, none where there is no file.

    Raises:
        DiscoverError: The file is no such list, or its runs had another budget.
    """
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise DiscoverError(f"{path}: cannot be read ({error}); move it away, or name another --output") from None
    if not isinstance(figures, list) or not all(map(_is_figure, figures)):
        raise DiscoverError(f"{path}: expected runs with task, seed and scores; move it away, or name another --output")
    for figure in figures:
        if figure["budget"] != budget:
            raise DiscoverError(
                f"{path}: its runs had a budget of {figure['budget']}, asked is {budget}; one table holds one budget: "
                f"use --budget {figure['budget']}, or name another --output"
            )
    return figures


def _is_figure(figure: Any) -> bool:
    return (
        isinstance(figure, dict)
        and all(isinstance(figure.get(name), str) for name in ("task", "budget", "formula", "recipe"))
        and isinstance(figure.get("seed"), int)
        and all(isinstance(figure.get(name), int | float) for name in _NUMBERS)
    )


def write_figures(path: Path, figures: Sequence[Figure]) -> None:
    """All records, in one step."""
    write_file(path, json.dumps(list(figures), indent=1, allow_nan=False) + "\n")
