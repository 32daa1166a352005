"""`seeds.json`: one record for each finished run of a benchmark."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from discover.errors import DiscoverError
from discover.store import short_name, write_file

Figure = Mapping[str, Any]

CURVE = ("candidates", "seconds", "tokens", "dollars", "validation_r2")  # columns of a record's `curve`
_NUMBERS = ("validation_r2", "held_out_r2", "seconds")


@dataclass(frozen=True)
class Asked:
    """One run of a benchmark.

    Attributes:
        task: Its name; `folder` is what is typed to find it.
        arm: Which proposers take part, by the arm's name.
        proposers: As `discover run --proposers` takes them.
        options: Further words for the line of `discover run`, such as those that name language models.
        language_models: What a run with these options keeps of the models that it asks; {} where it asks none.
    """

    task: str
    folder: str
    seed: int
    arm: str
    proposers: str
    budget: str
    options: tuple[str, ...] = ()
    language_models: Mapping[str, Any] = field(default_factory=dict)

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


def refuse_other_arms(path: Path, figures: Sequence[Figure], asked: Sequence[Asked]) -> None:
    """One name of an arm stands for one set of proposers, and for the same language models with the same limits.

    Raises:
        DiscoverError: A finished run was made by other ones; names both.
    """
    now = {one.arm: one for one in asked}
    for figure in figures:
        arm = key_of(figure)[0]
        if arm not in now:
            continue
        # What `auto` stands for depends on the machine: each record says it.
        if now[arm].proposers != "auto" and "proposers" in figure:
            _refuse(path, arm, ",".join(figure["proposers"]), now[arm].proposers)
        due = models_told(models_of(now[arm].language_models))
        _refuse(path, arm, models_told(figure.get("language_models", {})), due)


def _refuse(path: Path, arm: str, was: str, now: str) -> None:
    if was != now:
        raise DiscoverError(
            f"{path}: its runs of arm {arm} were made with {was or 'no language model'}, asked is "
            f"{now or 'no language model'}; move it away, or name another --output"
        )


def models_of(language_models: Mapping[str, Any]) -> dict[str, Any]:
    """What a record says of the models that a run asked: which ones, and their limits; no address, no setting."""
    if not language_models:
        return {}
    models = [f"{model['profile']}/{model['name']}" for model in language_models["models"]]
    return {"models": models, "masked": language_models["masked"], "limits": dict(language_models["limits"])}


def models_told(language_models: Mapping[str, Any]) -> str:
    """The same in words: "" for none."""
    if not language_models:
        return ""
    limits = language_models["limits"]
    told = [f"{limits['calls']:,} calls"] if limits["calls"] is not None else []
    told += [f"{limits['tokens']:,} tokens"] if limits["tokens"] is not None else []
    told += [f"{limits['dollars']:g} USD"] if limits["dollars"] is not None else []
    names = ", names masked" if language_models["masked"] else ""
    return f"{' and '.join(language_models['models'])}{names}, at most {', '.join(told) or 'no limit'} a run"


def _is_figure(figure: Any) -> bool:
    return (
        isinstance(figure, dict)
        and all(isinstance(figure.get(name), str) for name in ("task", "budget", "formula", "recipe"))
        and isinstance(figure.get("seed"), int)
        and all(_is_number(figure.get(name)) for name in _NUMBERS)
        and isinstance(figure.get("proposers", []), list)
        and all(isinstance(name, str) for name in figure.get("proposers", []))
        and _is_spent(figure.get("spent"))
        and _is_curve(figure.get("curve"))
        and _are_language_models(figure.get("language_models", {}))
    )


def _is_spent(spent: Any) -> bool:
    """None stands for the runs of a time before language models."""
    return spent is None or (
        isinstance(spent, dict)
        and all(_is_number(spent.get(name)) for name in ("calls", "failed", "tokens", "seconds"))
        and (spent.get("dollars") is None or _is_number(spent["dollars"]))
    )


def _is_curve(curve: Any) -> bool:
    if curve is None:
        return True
    if not isinstance(curve, dict) or not all(isinstance(curve.get(name), list) for name in CURVE):
        return False
    may_be_none = [number for name in CURVE for number in curve[name] if not (name == "dollars" and number is None)]
    return len({len(curve[name]) for name in CURVE}) == 1 and all(map(_is_number, may_be_none))


def _are_language_models(given: Any) -> bool:
    if not isinstance(given, dict) or not given:
        return given == {}
    models, limits = given.get("models"), given.get("limits")
    return (
        isinstance(models, list)
        and all(isinstance(name, str) for name in models)
        and isinstance(given.get("masked"), bool)
        and isinstance(limits, dict)
        and all(limits.get(name, "") is None or _is_number(limits.get(name)) for name in ("calls", "tokens", "dollars"))
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def write_figures(path: Path, figures: Sequence[Figure]) -> None:
    """All records, in one step."""
    write_file(path, json.dumps(list(figures), indent=1, allow_nan=False) + "\n")
