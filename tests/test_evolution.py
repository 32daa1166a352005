from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discover import evolution
from discover.archive import Archive, Candidate
from discover.errors import DiscoverError, ResumeError
from discover.evolution import NOTHING, Budget, Past, Search, workers_for
from discover.proposers import DEFAULT, Proposal
from discover.proposers.evolutionary import Mutation
from discover.store import Candidacy
from discover.task import Task, load_task


def archive_of(task: Task, seed: int = 0, candidates: int = 40, workers: int = 1) -> list[tuple[object, ...]]:
    """What a run found: every elite with its formula, recipe, scores and parameters to the last bit."""
    with workers_for(task, workers) as executor:
        search = Search(task, Budget(candidates=candidates), seed, executor)
        for _ in search.generations():
            pass
        finalists = search.finalists()
    found = [*search.populations.elites, *finalists]
    return [(c.number, c.key, c.score, c.validation.parameters.tobytes()) for c in found if c.validation]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The folder of parallel_scaling with its table, to be changed."""
    original = load_task("parallel_scaling").folder
    shutil.copytree(original, tmp_path / "tasks" / "parallel_scaling")
    shutil.copytree(original.parents[1] / "datasets" / "parallel", tmp_path / "datasets" / "parallel")
    return tmp_path / "tasks" / "parallel_scaling"


def test_an_archive_does_not_change_when_the_held_out_rows_are_noise(copied: Path) -> None:
    before = archive_of(load_task(copied))
    points = copied.parents[1] / "datasets" / "parallel" / "points.csv"
    rng = np.random.default_rng(0)
    lines = points.read_text().splitlines()
    header = lines[0].split(",")
    place, value = header.index("parallel_size"), header.index("loss")
    changed = 0
    for index, line in enumerate(lines[1:], 1):
        cells = line.split(",")
        if cells[place] == "8":
            cells[value] = f"{rng.uniform(0.1, 9.0):.4f}"
            lines[index] = ",".join(cells)
            changed += 1
    points.write_text("\n".join(lines) + "\n")
    assert changed == 12
    assert archive_of(load_task(copied)) == before


def test_a_seed_fixes_the_archive_whatever_the_number_of_workers() -> None:
    task = load_task("parallel_scaling")
    alone = archive_of(task, candidates=48)
    assert archive_of(task, candidates=48, workers=2) == alone
    assert archive_of(task, seed=1, candidates=48) != alone


def test_a_budget_in_candidates_is_kept_exactly() -> None:
    search = Search(load_task("parallel_scaling"), Budget(candidates=21), 0)
    generations = list(search.generations())
    assert generations[-1].n_candidates == 21
    assert [c.number for g in generations for c in g.candidates] == list(range(1, 22))


class Recorded:
    """A search with all that it kept, and how often its proposers were asked."""

    def __init__(self, past: Past = NOTHING, candidates: int = 48, proposers: tuple[str, ...] = DEFAULT) -> None:
        self.kept: list[Candidacy] = []
        self.asked = 0
        self.search = Search(
            PARALLEL, Budget(candidates=candidates), 0, None, proposers,
            lambda candidate: self.kept.append(Candidacy.of(candidate)), past,
        )  # fmt: skip
        ask = self.search.portfolio.ask

        def counted(count: int, archive: Archive, rng: np.random.Generator) -> list[Proposal]:
            self.asked += count
            return ask(count, archive, rng)

        self.search.portfolio.ask = counted  # type: ignore[method-assign]
        self.generations = list(self.search.generations())

    def elites(self) -> list[tuple[object, ...]]:
        found = self.search.populations.elites
        return [(c.number, c.key, c.fingerprint, c.validation.parameters.tobytes()) for c in found if c.validation]


PARALLEL = load_task("parallel_scaling")


@pytest.fixture(scope="module")
def whole() -> Recorded:
    return Recorded()


def past_of(whole: Recorded, count: int, **changes: Any) -> Past:
    return Past({c.number: c for c in whole.kept[:count]}, **changes)


@pytest.mark.parametrize("count", [5, 16, 37])
def test_search_that_recalls_what_was_kept_goes_on_as_it_would_have(whole: Recorded, count: int) -> None:
    resumed = Recorded(past_of(whole, count))
    assert resumed.elites() == whole.elites()
    assert [c.number for c in resumed.kept] == list(range(count + 1, 49)), "only the others are assessed"
    assert [g.shares for g in resumed.generations] == [g.shares for g in whole.generations]
    assert [g.won for g in resumed.generations] == [g.won for g in whole.generations]


def test_search_of_several_populations_goes_on_as_it_would_have() -> None:
    """The first 256 candidates are of one population, the next of another."""
    whole = Recorded(candidates=288)
    resumed = Recorded(past_of(whole, 277), candidates=288)
    assert {elite.population for elite in resumed.search.populations.elites} == {0, 1}
    assert resumed.elites() == whole.elites()
    assert [c.number for c in resumed.kept] == list(range(278, 289))


def test_search_that_is_over_asks_for_no_more(whole: Recorded) -> None:
    resumed = Recorded(past_of(whole, 32, over=True, seconds=7.0), candidates=48)
    assert (resumed.kept, resumed.asked, resumed.generations[-1].n_candidates) == ([], 32, 32)
    assert resumed.generations[-1].elapsed_seconds == pytest.approx(7.0, abs=2.0)


def test_every_candidate_is_kept_before_the_batch_after_the_next_is_asked_for(whole: Recorded) -> None:
    at: list[tuple[int, int]] = []
    search = Search(PARALLEL, Budget(candidates=48), keep=lambda c: at.append((c.number, search._asked)))
    for _ in search.generations():
        pass
    assert [number for number, _ in at] == list(range(1, 49))
    assert max(asked - number for number, asked in at) < 32


def test_recalled_finalists_are_those_that_were_refitted(whole: Recorded) -> None:
    finalists = [c for c in whole.search.finalists() if c.ok][:6]
    again = Recorded(past_of(whole, 48)).search.finalists_of([Candidacy.of(c) for c in finalists])
    assert [(c.key, c.fingerprint, c.status) for c in again] == [(c.key, c.fingerprint, c.status) for c in finalists]


def test_a_finalist_that_only_a_hall_of_fame_kept_is_recalled(whole: Recorded) -> None:
    """The front is made of the halls, whose laws may be elites no longer: such a run could not be resumed."""
    again = Recorded(past_of(whole, 48))
    archive = again.search.populations.archives[0]
    dropped = next(law for law in archive.hall.values() if law in archive.elites)
    archive.elites.remove(dropped)
    (found,) = again.search.finalists_of([Candidacy.of(dropped)])
    assert (found.number, found.fingerprint) == (dropped.number, dropped.fingerprint)


@pytest.mark.parametrize("change", [{"key": "x"}, {"validation": {"score": 1.0}}, {"fingerprint": "00"}])
def test_candidate_that_is_not_as_it_was_is_refused(whole: Recorded, change: dict[str, Any]) -> None:
    kept = whole.kept[:20]
    if "fingerprint" in change:
        change = {"validation": {**kept[3].validation, **change}}
    kept[3] = replace(kept[3], **change)
    with pytest.raises(ResumeError, match=r"candidate 4\b"):
        Recorded(Past({c.number: c for c in kept}))


def test_batches_of_proposers_that_do_not_repeat_themselves_are_taken_from_the_store(
    whole: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Mutation, "repeats_itself", False)
    resumed = Recorded(past_of(whole, 40))
    assert resumed.asked == 8
    assert [c.number for c in resumed.kept] == list(range(41, 49))
    known = {c.number: c.key for c in whole.kept[:40]}
    recalled = [c for g in resumed.generations for c in g.candidates if c.number <= 40]
    assert {c.number: c.key for c in recalled} == known
    assert len({c.key for g in resumed.generations for c in g.candidates}) == 48, "nothing is asked for twice"


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("120s", Budget(seconds=120)),
        ("2m", Budget(seconds=120)),
        ("1.5h", Budget(seconds=5400)),
        ("2000", Budget(candidates=2000)),
    ],
)
def test_budgets_are_seconds_or_candidates(text: str, budget: Budget) -> None:
    assert Budget.parse(text) == budget


@pytest.mark.parametrize("text", ["", "fast", "-5", "0", "12.5", "1e3", "10 days", "nan"])
def test_other_budgets_are_refused_with_what_is_due(text: str) -> None:
    with pytest.raises(DiscoverError, match="expected seconds"):
        Budget.parse(text)


def test_a_final_round_that_is_late_goes_on_until_a_few_laws_have_converged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fittest laws are of one kind, and may all stop at the step limit."""
    search = Search(load_task("parallel_scaling"), Budget(seconds=1.0), 0)
    for _ in search.generations():
        pass
    refitted: list[Candidate] = []

    def late_and_vain_at_first(candidate: Candidate, *_: object) -> Candidate:
        time.sleep(0.0 if refitted else 0.2)
        refitted.append(candidate)
        return replace(candidate, status="ok" if len(refitted) > 8 else "step limit")

    monkeypatch.setattr(evolution, "thorough", late_and_vain_at_first)
    finalists = search.finalists()
    assert [c.status for c in finalists] == ["step limit"] * 8 + ["ok"] * 3
    monkeypatch.setattr(evolution, "_HERE", [search.yardstick])
    refitted.clear()
    with ThreadPoolExecutor(1) as one:
        search.executor = one
        found = [c.status for c in search.finalists()]
    assert found.count("ok") == 3
    assert found.index("ok") == 8
