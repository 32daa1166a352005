"""PySR in a run: its laws compete like any others, and whatever goes wrong with it, the run goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from discover.archive import Archive
from discover.errors import DiscoverError, LawSyntaxError
from discover.evolution import Budget, Search
from discover.proposers import portfolio_of
from discover.proposers.evolutionary import Recipes
from discover.proposers.pysr import PySR
from discover.proposers.pysr import proposer as proposer_module
from discover.proposers.pysr.coordinates import VIEWS, Coordinates
from discover.proposers.pysr.hall_of_fame import rows_of
from discover.task import Task, load_task

RECORDED = Path(__file__).parent / "recorded"


@pytest.fixture
def vocab() -> Task:
    return load_task("vocab_scaling")


@pytest.fixture
def made(ready: dict[str, str]) -> Iterator[Any]:
    started: list[PySR] = []

    def make(task: Task, mode: str = "", **settings: Any) -> PySR:
        settings.setdefault("limits", {"start": 60.0, "search": 60.0, "grace": 0.0})
        environment = {**ready, "STAND_IN": mode}
        started.append(PySR(task, Recipes(task), environment=environment, **settings))
        return started[-1]

    yield make
    for proposer in started:
        proposer.close()


def test_a_run_tries_laws_of_pysr_beside_the_others(ready: dict[str, str], vocab: Task) -> None:
    search = Search(vocab, Budget(candidates=64), seed=3, proposers=("families", "mutation", "recipe", "pysr"))
    candidates = [c for generation in search.generations() for c in generation.candidates]
    found = [c for c in candidates if c.proposer == "pysr"]
    assert len(candidates) == 64
    assert found
    assert any(c.ok for c in found)
    assert all(len(c.law.parameters) <= vocab.parameter_cap for c in found)


def test_a_run_counted_in_candidates_is_repeated_exactly(ready: dict[str, str], vocab: Task) -> None:
    told = []
    for _ in range(2):
        search = Search(vocab, Budget(candidates=48), seed=5, proposers=("families", "recipe", "pysr"))
        told.append([(c.proposer, c.key, c.score) for g in search.generations() for c in g.candidates])
    assert told[0] == told[1]
    assert any(proposer == "pysr" for proposer, *_ in told[0])


def test_alone_it_waits_for_its_own_laws(ready: dict[str, str], vocab: Task) -> None:
    search = Search(vocab, Budget(seconds=40.0), seed=1, proposers=("pysr",))
    found = []
    for generation in search.generations():
        found.extend(generation.candidates)
        if len(found) >= 3:
            break
    assert {c.proposer for c in found} == {"pysr"}


@pytest.mark.parametrize("reproducible", [True, False])
def test_what_is_found_on_the_way_counts_only_by_the_clock(made: Any, vocab: Task, reproducible: bool) -> None:
    """When the file is looked at depends on the clock; how it ends does not."""
    proposer = made(vocab, reproducible=reproducible)
    proposer._search = 1
    text = (RECORDED / "plain.csv").read_text(encoding="utf-8")
    proposer._take([{"event": "hall_of_fame", "search": 1, "csv": text}])
    assert bool(proposer._found) != reproducible
    proposer._take([{"event": "finished", "search": 1}])
    assert len(proposer._found) == 5
    assert proposer.repeats_itself == reproducible


def test_a_run_ends_where_the_others_have_nothing_either(ready: dict[str, str], vocab: Task) -> None:
    """A search comes every 64 candidates; crossover of a single law gives none, so that number is never reached."""
    search = Search(vocab, Budget(candidates=400), seed=1, proposers=("recipe", "crossover", "pysr"))
    search.portfolio.proposers[0].recipes.genes = False  # type: ignore[attr-defined]
    found = [c.proposer for generation in search.generations() for c in generation.candidates]
    assert 0 < len(found) < 400


def test_asking_never_waits_in_a_run_counted_in_seconds(made: Any, vocab: Task) -> None:
    proposer = made(vocab, "hang", alone=True)
    archive, rng = Archive(spread=1.0), np.random.default_rng(0)
    began = time.monotonic()
    for _ in range(50):
        assert proposer.ask(archive, rng) is None
    assert time.monotonic() - began < 15.0
    assert proposer.waits()


def test_elites_seed_the_search(made: Any, ready: dict[str, str], vocab: Task) -> None:
    search = Search(vocab, Budget(candidates=32), seed=2, proposers=("families", "recipe"))
    for _ in search.generations():
        pass
    proposer = made(vocab, reproducible=True)
    assert proposer.ask(search.populations.of(1), np.random.default_rng(0)) is not None
    told = (proposer._worker.folder / "search1" / "guesses.txt").read_text(encoding="utf-8")
    assert told.count("x1") >= 3


def ended_by_limit(made: Any, task: Task, mode: str) -> PySR:
    limits = {"start": 30.0, "search": 0.5, "grace": 0.0}
    proposer: PySR = made(task, mode, reproducible=True, alone=True, limits=limits)
    archive, rng = Archive(spread=1.0), np.random.default_rng(0)
    assert proposer.ask(archive, rng) is None
    return proposer


def test_a_search_that_hangs_is_ended_at_its_limit(made: Any, vocab: Task) -> None:
    began = time.monotonic()
    proposer = ended_by_limit(made, vocab, "hang")
    assert time.monotonic() - began < 25.0
    assert proposer.faults == {"took longer than its time limit": 1}
    assert proposer._worker is None


def test_a_search_that_hangs_is_ended_also_where_nobody_waits_for_it(made: Any, vocab: Task) -> None:
    proposer = made(vocab, "hang", limits={"start": 30.0, "search": 0.2, "grace": 0.0})
    archive, rng = Archive(spread=1.0), np.random.default_rng(0)
    deadline = time.monotonic() + 30.0
    while not proposer.faults:
        assert proposer.ask(archive, rng) is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert proposer.faults == {"took longer than its time limit": 1}
    assert archive.failures["pysr: took longer than its time limit"] == 1


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("error", "RuntimeError: JuliaError: something went wrong"),
        ("exit", "the worker ended: the last words"),
        ("garbage", "hall of fame: starts with '<html>not found</html>', expected 'Complexity,Loss,Equation'"),
        ("import", "Exception: could not find Julia 1.10.3 - 1.11"),
    ],
)
def test_a_fault_is_counted_and_shown_and_the_run_goes_on(
    ready: dict[str, str], monkeypatch: pytest.MonkeyPatch, vocab: Task, mode: str, reason: str
) -> None:
    monkeypatch.setenv("STAND_IN", mode)
    search = Search(vocab, Budget(candidates=48), seed=3, proposers=("families", "recipe", "pysr"))
    generations = list(search.generations())
    assert sum(len(g.candidates) for g in generations) == 48
    assert generations[-1].failures[f"pysr: {reason}"] >= 1


def test_a_worker_that_cannot_be_started_is_a_fault(made: Any, vocab: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposer_module, "Worker", partial(_refuse, OSError("no space left")))
    proposer = made(vocab)
    for _ in range(4):
        assert proposer.ask(Archive(spread=1.0), np.random.default_rng(0)) is None
    assert proposer.faults == {"the worker cannot be started: no space left": 2}
    assert not proposer.waits()


def _refuse(error: Exception, *_: object) -> None:
    raise error


@pytest.mark.parametrize("reproducible", [True, False])
def test_alone_and_without_a_law_it_ends_with_one_line(made: Any, vocab: Task, reproducible: bool) -> None:
    proposer = made(vocab, "import", alone=True, reproducible=reproducible)
    archive, rng = Archive(spread=1.0), np.random.default_rng(0)
    deadline = time.monotonic() + 60
    with pytest.raises(DiscoverError) as told:  # noqa: PT012 — asked until it gives up
        while time.monotonic() < deadline:
            proposer.ask(archive, rng)
            time.sleep(0.05)
    assert "PySR found nothing: Exception: could not find Julia" in str(told.value)
    assert str(told.value).endswith("see what is missing with: discover doctor")


def test_without_julia_a_run_ends_before_it_starts(
    vocab: Task, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYTHON_JULIAPKG_PROJECT", str(tmp_path))
    monkeypatch.delenv("PYTHON_JULIAPKG_OFFLINE", raising=False)
    monkeypatch.delenv("PYTHON_JULIAPKG_EXE", raising=False)
    began = time.monotonic()
    with pytest.raises(DiscoverError, match="PySR needs Julia and its packages"):
        portfolio_of(vocab, ("families", "pysr"))
    assert time.monotonic() - began < 10.0


@pytest.mark.parametrize(
    ("file", "task", "view", "laws"),
    [
        (
            "plain",
            "vocab",
            0,
            {
                "A*non_vocab_params**alpha",
                "E + A*non_vocab_params**alpha",
                "E + A*non_vocab_params**alpha + B*vocab_size**beta",
                "E + A*non_vocab_params**alpha + B*vocab_size**beta + k1/non_vocab_params",
            },
        ),
        ("logs", "vocab", 1, {"E + A*non_vocab_params**alpha", "E + A*non_vocab_params**alpha + B*vocab_size**beta"}),
        ("template", "parallel", 0, {"E + A*num_params**alpha"}),
        ("cut_off", "vocab", 0, {"A*non_vocab_params**alpha"}),
        ("hostile", "vocab", 0, {"E + A*non_vocab_params**alpha"}),
    ],
)
def test_recorded_files_become_laws(made: Any, file: str, task: str, view: int, laws: set[str]) -> None:
    loaded = load_task(f"{task}_scaling")
    proposer, coordinates = made(loaded), Coordinates(loaded, VIEWS[view])
    found = set()
    for row in rows_of((RECORDED / f"{file}.csv").read_text(encoding="utf-8")):
        try:
            made_of_it = proposer.law_from(row.equation, coordinates)
        except LawSyntaxError:
            assert file == "hostile"
            continue
        if made_of_it is not None:
            found.add(str(made_of_it[0]))
    assert laws <= found
    assert file != "hostile" or found == laws


def test_a_template_may_name_the_columns_instead_of_numbering_them(made: Any) -> None:
    task = load_task("parallel_scaling")
    proposer, coordinates = made(task), Coordinates(task, VIEWS[0])
    law, guess = proposer.law_from("f = ((x1 ^ -0.3) * #3) + #4; p1 = [1.0]", coordinates)
    assert str(law) == "E + A*num_params**alpha"
    assert {name: values.tolist() for name, values in guess.items()} == {"alpha": [-0.3, -0.3]}


@pytest.mark.parametrize("equation", ["0.0", "1.5 - 1.5", "x1 - x1", "f = #3; p1 = [1.0, 2.0]"])
def test_an_equation_that_reads_nothing_is_no_law(made: Any, equation: str) -> None:
    task = load_task("parallel_scaling")
    found = made(task).law_from(equation, Coordinates(task, VIEWS[0]))
    assert found is None or equation == "x1 - x1"


@pytest.mark.parametrize(
    "equation", ["1.0) - (x1", "", "f =", ")(", "spare", "x1 + spare", "p1 = [x1]", "x1, x2", "f = a; f ="]
)
def test_an_equation_that_is_none_is_refused_in_one_line(made: Any, equation: str) -> None:
    task = load_task("parallel_scaling")
    with pytest.raises(LawSyntaxError) as told:
        made(task).law_from(equation, Coordinates(task, VIEWS[0]))
    assert "\n" not in str(told.value)


def test_pysr_writes_a_pickle_and_it_is_never_opened() -> None:
    package = Path(__file__).resolve().parents[3] / "discover" / "proposers" / "pysr"
    for file in package.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert "import pickle" not in text
        assert "from_file" not in text
        assert ".pkl" not in text
