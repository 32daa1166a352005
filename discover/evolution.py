"""The loop: ask, assess, tell; a generator of generations, so that screen and store look on.

In: a task, a budget, a seed; of a killed run also what it had found. Out: generations, then the finalists. Workers
enter as an executor. Each batch is asked for when the batch before the last has been told, so that workers never wait
for a straggler; which candidates are tried therefore depends on seed and number alone, not on how many workers there
are. A killed run is taken up by going through the same steps: what had been assessed is recalled, the rest is assessed.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import get_context

import numpy as np

from discover.archive import Archive, Candidate, Populations
from discover.assessment import Job, assess, thorough
from discover.errors import DiscoverError, ResumeError
from discover.fitting import prepare
from discover.proposers import DEFAULT, Proposal, Proposer, portfolio_of
from discover.recall import Kept, proposal_of, recall
from discover.scoring import Yardstick
from discover.task import Task

BATCH = 16
_FEWEST_NOMINEES, _CANDIDATES_EACH = 40, 25  # of a budget in candidates, one nominee for so many of them
_LEAST_FINALISTS = 6
_LEAST_USABLE = 3  # of them that converged
_PAUSE_SECONDS = 0.2  # where there is nothing to assess yet
_FINAL_SHARE = 0.2  # of a budget in seconds, at most kept for the final round
_FINAL_WORK = 4.0  # times the seconds that a nominee took in the race


@dataclass(frozen=True)
class Budget:
    """How long a run may search: seconds, or a number of candidates (then the archive is reproducible)."""

    seconds: float | None = None
    candidates: int | None = None

    @classmethod
    def parse(cls, text: str) -> Budget:
        """ "120s", "2m", "1h", or a plain number of candidates.

        Raises:
            DiscoverError: Anything else, or nothing to spend.
        """
        match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*(s|m|h|)\s*", text)
        if not match or float(match[1]) <= 0 or (not match[2] and "." in match[1]):
            raise DiscoverError(
                f"budget: {text!r}; expected seconds such as 120s, minutes such as 2m, or a number of candidates"
            )
        if match[2]:
            return cls(seconds=float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]])
        return cls(candidates=int(match[1]))

    def __str__(self) -> str:
        return f"{self.seconds:g}s" if self.seconds is not None else f"{self.candidates}"


@dataclass(frozen=True)
class Generation:
    """What a look at the run shows.

    Attributes:
        candidates: Those assessed since the last generation.
        front: The Pareto front so far, simplest first.
        best: The fittest so far.
        elapsed_seconds: Since the run began.
        n_candidates: Assessed so far.
        shares: Proposer -> share of the next batch.
        failures: Reason -> how many candidates.
        number: Counted from 1; 0 of a look in between, without candidates.
        won: Proposer -> how many of these candidates became elites.
    """

    candidates: tuple[Candidate, ...]
    front: tuple[Candidate, ...]
    best: Candidate | None
    elapsed_seconds: float
    n_candidates: int
    shares: Mapping[str, float]
    failures: Mapping[str, int]
    number: int = 0
    won: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Past:
    """What a killed run had done.

    Attributes:
        kept: Number -> candidate, from 1 without a gap.
        seconds: That it had spent.
        over: Whether its search had ended: then nothing more is asked for.
    """

    kept: Mapping[int, Kept]
    seconds: float = 0.0
    over: bool = False


NOTHING = Past({})


class Search:
    """One run of the loop over one task.

    Args:
        task: What to find a law for; it carries no held-out row.
        budget: When to stop.
        seed: Fixes everything random.
        executor: Where candidates are assessed; its workers must have been prepared by `workers_for`. None for this
            process.
        proposers: Names of the proposers that share the batches; "human" starts from the task's human laws.
        keep: Called with every candidate as soon as it is assessed, in order, before the next batch is asked for.
        past: What is recalled instead of assessed, where a killed run goes on.
        joining: Further proposers, made elsewhere.
    """

    def __init__(
        self,
        task: Task,
        budget: Budget,
        seed: int = 0,
        executor: Executor | None = None,
        proposers: tuple[str, ...] = DEFAULT,
        keep: Callable[[Candidate], None] | None = None,
        past: Past = NOTHING,
        joining: Sequence[Proposer] = (),
    ) -> None:
        self.task, self.budget, self.seed, self.executor = task, budget, seed, executor
        self.yardstick = Yardstick.of(task)
        self.populations = Populations(self.yardstick.probe_spread)
        reproducible = budget.candidates is not None
        self.portfolio = portfolio_of(task, proposers, joining, reproducible=reproducible)
        self.keep, self.past = keep, past
        self._began = time.monotonic() - past.seconds
        self._asked = 0

    def generations(self) -> Generator[Generation, None, None]:
        """Runs until the budget is spent; may be closed at any moment.

        Raises:
            ResumeError: What would be asked for now is not what the killed run had asked for.
        """
        self._began = time.monotonic() - self.past.seconds
        waiting: deque[list[Future[Candidate] | Candidate | Job]] = deque()
        try:
            for number in count(1):
                while len(waiting) < 2 and not self._spent():
                    batch = self._submit(number + len(waiting))
                    if batch:
                        waiting.append(batch)
                    elif waiting or not self.portfolio.waits():
                        break
                    else:  # all proposals are still being made elsewhere
                        time.sleep(_PAUSE_SECONDS)
                        yield self._generation(0, (), [])  # so that whoever looks on may end the run
                if not waiting or (number > 1 and self._late() and all(isinstance(item, Job) for item in waiting[0])):
                    return  # with seconds spent, what waits for its turn in this process is given up
                done, entered = self.populations.add(number, map(self._done, waiting.popleft()))
                self.portfolio.tell(done, entered, self.populations.of(number))
                yield self._generation(number, done, entered)
        finally:
            self.portfolio.close()
            for batch in waiting:
                for item in batch:
                    if isinstance(item, Future):
                        item.cancel()

    def _done(self, item: Future[Candidate] | Candidate | Job) -> Candidate:
        """An assessed candidate, kept; a recalled one has been."""
        if isinstance(item, Candidate):
            return item
        candidate = assess(item, self.yardstick) if isinstance(item, Job) else item.result()
        if self.keep is not None:
            self.keep(candidate)
        return candidate

    def finalists_of(self, kept: Sequence[Kept]) -> tuple[Candidate, ...]:
        """The finalists as the store has them, where the run was killed after they had been refitted.

        Raises:
            ResumeError: One of them was not kept here.
        """
        laws, found = self.populations.by_number(), []
        for record in kept:
            law = laws.get(record.number)
            if law is None:
                raise ResumeError(f"candidate {record.number} is a finalist in the store, and was not kept here")
            found.append(recall(record, Proposal(law.law, law.recipe, law.proposer, law.parents), self.yardstick))
        return tuple(found)

    def finalists(self) -> tuple[Candidate, ...]:
        """The front and the fittest of every population, refitted with many starts on all rows and every fold.

        With a budget in seconds those come back whose turn came in time, and later ones only until a few can be
        chosen: long laws of one kind may all fail to converge.
        """
        pool = self.populations.nominees()
        if self.budget.candidates is not None:
            pool = pool[: max(_FEWEST_NOMINEES, self.budget.candidates // _CANDIDATES_EACH)]
        deadline = None
        if self.budget.seconds is not None:
            deadline = max(self._began + self.budget.seconds, time.monotonic() + 0.1 * self.budget.seconds)
        if self.executor is None:
            done: list[Candidate] = []
            for candidate in pool:
                if deadline is None or time.monotonic() < deadline or _too_few(done):
                    done.append(thorough(candidate, self.yardstick, self.seed))
            return tuple(done)
        futures = [self.executor.submit(_thorough_here, candidate, self.seed) for candidate in pool]
        patience = None if deadline is None else max(deadline - time.monotonic(), 0.0)
        wait(futures, timeout=patience)
        for future in futures[_LEAST_FINALISTS:]:
            future.cancel()
        done = [future.result() for future in futures if not future.cancelled()]
        for candidate, future in zip(pool, futures, strict=True):
            if future.cancelled() and _too_few(done):
                done.append(self.executor.submit(_thorough_here, candidate, self.seed).result())
        return tuple(done)

    def _spent(self) -> bool:
        if self._asked < len(self.past.kept):
            return False
        if self.past.over:
            return True
        if self.budget.candidates is not None:
            return self._asked >= self.budget.candidates
        return self._late()

    def _late(self) -> bool:
        """Whether a budget in seconds is spent, but for the final round."""
        seconds = self.budget.seconds
        return seconds is not None and time.monotonic() - self._began >= seconds - self._final_seconds(seconds)

    def _final_seconds(self, seconds: float) -> float:
        """What to keep of the budget for the final round: as much as its laws will take, within a fifth."""
        took = self.populations.seconds()
        workers = getattr(self.executor, "_max_workers", 1)
        if len(took) < _FEWEST_NOMINEES:
            return seconds * _FINAL_SHARE
        needed = _FINAL_WORK * sum(took) / workers
        return min(seconds * _FINAL_SHARE, max(needed, 0.02 * seconds))

    def _submit(self, number: int) -> list[Future[Candidate] | Candidate | Job]:
        """The batch of that number, handed out; without an executor each candidate waits for its turn."""
        size = BATCH
        if self.budget.candidates is not None:
            size = min(size, self.budget.candidates - self._asked)
        archive = self.populations.of(number)
        bars = archive.survivor_bar(), archive.fit_bar()
        batch: list[Future[Candidate] | Candidate | Job] = []
        for proposal in self._ask(number, size, archive):
            self._asked += 1
            job = Job(self._asked, proposal, self.seed, *bars)
            if kept := self.past.kept.get(job.number):
                batch.append(recall(kept, proposal, self.yardstick))
                self._began = time.monotonic() - self.past.seconds  # recalling is free
            elif self.executor is None:
                batch.append(job)
            else:
                batch.append(self.executor.submit(_assess_here, job))
        return batch

    def _ask(self, number: int, size: int, archive: Archive) -> list[Proposal]:
        # A batch has a source of chance of its own: it does not depend on how much of it earlier batches used.
        rng = np.random.default_rng([self.seed, 0, number])
        if self.portfolio.repeats_itself:
            return self.portfolio.ask(size, archive, rng)
        known = [self.past.kept.get(n) for n in range(self._asked + 1, self._asked + 1 + size)]
        proposals = [proposal_of(kept, self.task.input_names) for kept in known if kept is not None]
        for proposal in proposals:
            archive.reserve(proposal.key)
        if len(proposals) == size:
            return proposals
        return proposals + self.portfolio.ask(size - len(proposals), archive, rng)

    def _generation(self, number: int, done: tuple[Candidate, ...], entered: list[Candidate]) -> Generation:
        return Generation(
            done,
            self.populations.pareto_front(),
            self.populations.best(),
            time.monotonic() - self._began,
            self.populations.count,
            self.portfolio.shares(),
            dict(self.populations.failures),
            number,
            dict(Counter(candidate.proposer for candidate in entered)),
        )


_HERE: list[Yardstick] = []  # in a worker: the yardstick that its jobs are judged by


def _prepare(task: Task) -> None:
    import threading

    # Ctrl-C is for the process that owns the run; it tells its workers to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_owner, daemon=True).start()
    _HERE[:] = [Yardstick.of(task)]


def _leave_with_owner() -> None:
    """Ends this worker when the process that owns the run is gone: killed, it cannot tell its workers."""
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    owner = parent_process()
    if owner is not None:
        wait([owner.sentinel])
        os._exit(1)


def _ready() -> None:
    """What every worker is asked first, so that all of them are started at once."""


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started meanwhile never hear Ctrl-C: from their first instruction, not only once prepared."""
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    # Blocked, not ignored: the mask is inherited, and a Ctrl-C meanwhile reaches this process afterwards.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def yardstick_here() -> Yardstick:
    """In a worker of `workers_for`: the yardstick of its task."""
    return _HERE[0]


def _assess_here(job: Job) -> Candidate:
    return assess(job, _HERE[0])


def _too_few(finalists: Sequence[Candidate]) -> bool:
    return sum(candidate.ok for candidate in finalists) < _LEAST_USABLE


def _thorough_here(candidate: Candidate, seed: int) -> Candidate:
    return thorough(candidate, _HERE[0], seed)


_THREAD_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def workers_for(task: Task, workers: int | None = None) -> Iterator[Executor | None]:
    """A process pool prepared for `task`, one worker per core by default; None for one worker in this process.

    Each worker has one BLAS thread: several on the same core cost 20 to 100 times the work.
    """
    count = workers if workers is not None else (os.cpu_count() or 1)
    prepare()  # here once, so that the workers find the compiled kernel
    if count <= 1:
        yield None
        return
    before = {name: os.environ.get(name) for name in _THREAD_LIMITS}
    os.environ.update(dict.fromkeys(_THREAD_LIMITS, "1"))
    try:
        pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_prepare, initargs=(task,))
        try:
            with _deaf_to_ctrl_c():
                for _ in range(count):
                    pool.submit(_ready)
            yield pool
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


__all__ = ["NOTHING", "Budget", "Generation", "Past", "Search", "workers_for", "yardstick_here"]
