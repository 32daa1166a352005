"""Operon: a symbolic-regression engine, asked for whole formulas in rounds; its constants become parameters.

In: a task's training rows. Out: laws of shapes that nobody drew up. The engine runs in a process of its own
(`operon_engine`), one round ahead of what is asked for. A round is a run of fixed length on the rows of one cell, or on
all rows with every cell centred and scaled; rounds take turns over these and over the target and its logarithm. Rounds
are counted in evaluations, seeded, on one thread, and used in order, so that what is proposed does not depend on the
machine's load. An engine that dies is started again; one that is late or keeps dying is given up, and the run goes on.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import logging
import subprocess
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from discover.errors import DiscoverError, LawSyntaxError
from discover.fitting import Recipe, usable_rows
from discover.law.compiler import evaluate
from discover.law.expression import Call, Expression, Number, Symbol, add, mul, rewrite, symbols
from discover.law.parser import parse
from discover.proposers.constants import NotALawError, folded, with_parameters
from discover.proposers.evolutionary import Evolutionary, Recipes
from discover.proposers.pieces import Pieces
from discover.proposers.proposal import Proposal, is_sensible, tidy_law

if TYPE_CHECKING:
    from discover.archive import Archive
    from discover.task import Task

INSTALL = "pip install 'discover-scaling-laws[operon]'"
_ENGINE = Path(__file__).with_name("operon_engine.py")
_EVALUATIONS = 50_000  # of a round: models and their derivatives, about half a second on a core
_POPULATION = 300
_ROWS = 200  # that a round sees
_PATIENCE = 60.0  # seconds that a round may take, its start included
_CRASHES = 3  # of the engine, after which it is given up
_EACH = 8  # laws taken from a round
_WORTHWHILE = 3  # new laws that a round should bring
_PAUSE, _LONGEST_PAUSE = 10, 2_000  # askings without an answer after a round that brought fewer
_ROUND_COST = 20.0  # assessments that take as long as a round
_AHEAD = 2  # rounds that the engine is given before they are asked for
_SAME = 1e-3  # of the values' spread: the engine computes in single precision
_OPERATORS = {"add": " + ", "sub": " - ", "mul": "*", "div": "/", "pow": "**"}

_log = logging.getLogger(__name__)


def available() -> bool:
    """Whether the engine is installed; does not import it."""
    return importlib.util.find_spec("pyoperon") is not None


def demand() -> None:
    """Raises DiscoverError, with the way to install it, where the engine is not installed."""
    if not available():
        raise DiscoverError(f"proposer 'operon': pyoperon is not installed; install it with: {INSTALL}")


class Operon(Evolutionary):
    """Formulas from the Operon engine.

    Raises:
        DiscoverError: The engine is not installed; says how to.
    """

    name = "operon"

    def __init__(self, task: Task, recipes: Recipes, command: Sequence[str] | None = None) -> None:
        super().__init__(task, recipes)
        if command is None:
            demand()
        self._rows = usable_rows(task)
        self._engine = Engine(command or (sys.executable, str(_ENGINE)))
        self._waiting: deque[Proposal] = deque()
        self._seed: int | None = None
        self._sent = self._used = self._given = 0
        self._poor = self._pause = 0
        self._seen: set[str] = set()
        self._scales = {name: _geometric_mean(self._rows.column(name)) for name in self.input_names}

    @property
    def effort(self) -> float:  # type: ignore[override]
        """Assessments that one of its laws costs: an engine that finds little new is asked less."""
        return 1.0 + _ROUND_COST * self._used / max(self._given, 1)

    @property
    def retired(self) -> str:
        """Why the engine was given up; "" while it works."""
        return self._engine.failure

    def ask(self, archive: Archive, rng: np.random.Generator) -> Proposal | None:
        if self._seed is None:
            self._seed = int(rng.integers(2**31))
        if not self._waiting and not self.retired:
            if self._pause > 0:
                self._pause -= 1
                return None
            self._next_round()
        if not self._waiting:
            return None
        proposal = self._waiting.popleft()
        recipe = self.recipes.draw(rng)
        return Proposal(proposal.law, recipe, self.name, (), proposal.guess)

    def close(self) -> None:
        self._engine.close()

    def _next_round(self) -> None:
        while self._sent < self._used + _AHEAD:
            self._engine.send(self._job(self._sent))
            self._sent += 1
        models = self._engine.receive()
        job = self._job(self._used)
        self._used += 1
        if models is None:
            return
        for postfix, values in models:
            if len(self._waiting) == _EACH:
                break
            if proposal := self._proposal(postfix, values, job):
                self._waiting.append(proposal)
        self._given += len(self._waiting)
        # A round that found next to nothing new: the next one has to wait, for longer each time.
        self._poor = 0 if len(self._waiting) >= _WORTHWHILE else self._poor + 1
        self._pause = min(_PAUSE * 2**self._poor, _LONGEST_PAUSE) if self._poor else 0

    def _job(self, number: int) -> dict[str, Any]:
        """What the engine is asked in a round."""
        rows = self._rows
        n_cells = len(rows.cells)
        is_log = number % 3 == 2 and bool((rows.target > 0).all())
        target = np.log(rows.target) if is_log else rows.target.astype(float)
        turn = number % 2 if n_cells > 1 else 1
        if turn == 0:  # all cells, each brought to mean zero and spread one
            target = target.copy()
            for cell in range(n_cells):
                mine = rows.cell == cell
                target[mine] = (target[mine] - target[mine].mean()) / (target[mine].std() or 1.0)
            chosen = np.arange(rows.n_rows)
        else:
            counts = np.bincount(rows.cell, minlength=n_cells)
            order = [int(c) for c in np.argsort(-counts, kind="stable") if counts[c] > 3] or [0]
            chosen = np.flatnonzero(rows.cell == order[(number // 2) % len(order)])
        if len(chosen) > _ROWS:
            chosen = chosen[np.linspace(0, len(chosen) - 1, _ROWS).astype(int)]
        assert self._seed is not None
        return {
            "rows": (rows.inputs[chosen] / np.array([self._scales[name] for name in self.input_names])).tolist(),
            "target": target[chosen].tolist(),
            "seed": (self._seed + 7919 * number) % 2**31,
            "evaluations": _EVALUATIONS,
            "population": _POPULATION,
            "longest": int(min(max(2 * self.cap + 5, 9), 30)),
            "seconds": int(_PATIENCE / 2),
            "is_log": is_log,
        }

    def _proposal(self, postfix: Sequence[Any], values: Sequence[float], job: Mapping[str, Any]) -> Proposal | None:
        """A model as a law with parameters; None where it is none, is known, or does not say what the engine says."""
        names = [f"x{i}" for i in range(len(self.input_names))]
        try:
            tree = parse(f"screened + {infix(postfix, names)}", names).expression
        except (LawSyntaxError, ValueError):
            return None
        columns = dict(zip(names, np.array(job["rows"], dtype=float).T, strict=True))
        with np.errstate(all="ignore"):
            found = np.broadcast_to(evaluate(tree, columns | {"screened": np.float64(0.0)}), (len(values),))
        spread = float(np.std(values))
        if not spread > 0 or not np.abs(found - np.array(values)).max() <= _SAME * (spread + np.abs(values).max()):
            return None
        scaled = {
            name: Call("div", (Symbol(own), Number(self._scales[own])))
            for name, own in zip(names, self.input_names, strict=True)
        }
        tree = rewrite(tree, lambda n: Number(0.0) if n == Symbol("screened") else None)
        tree = rewrite(tree, lambda n: scaled.get(n.name) if isinstance(n, Symbol) else None)
        try:
            simple = folded(tree)
        except NotALawError:
            return None
        return self._within_cap(simple, bool(job["is_log"]))

    def _within_cap(self, simple: Expression, is_log: bool) -> Proposal | None:
        """The law of a folded formula, with an offset; over the cap it loses its smallest terms, two at most."""
        terms = list(simple.arguments) if isinstance(simple, Call) and simple.function == "add" else [simple]
        terms = [t for t in terms if set(symbols(t)) & set(self.input_names)]
        rows = self._rows
        columns = {name: rows.column(name) for name in self.input_names}
        with np.errstate(all="ignore"):
            size = [float(np.std(np.broadcast_to(evaluate(t, columns), (rows.n_rows,)))) for t in terms]
        order = [terms[i] for i in np.argsort(size)[::-1]]
        for lost in range(min(3, len(order))):
            kept = [t for t in terms if t in order[: len(order) - lost]]
            pieces = Pieces(self.inputs, np.random.default_rng(0))
            body = with_parameters(add(*kept), pieces, len(rows.cells))
            # The engine scales and shifts what it finds; a sum of terms has factors of its own already.
            terms_with_factor = [
                t if _has_factor(t) else mul(pieces.fresh(), t)
                for t in (body.arguments if isinstance(body, Call) and body.function == "add" else (body,))
            ]
            whole = add(pieces.fresh(), *terms_with_factor)
            expression: Expression = Call("exp", (whole,)) if is_log else whole
            law, _ = tidy_law(expression, self.input_names, pieces.bounds)
            if not is_sensible(law, self.cap):
                continue
            if law.key in self._seen:
                return None
            self._seen.add(law.key)
            return self.proposal(expression, pieces, Recipe())
        return None


def _has_factor(term: Expression) -> bool:
    return (
        isinstance(term, Call)
        and term.function == "mul"
        and any(isinstance(a, Symbol) and a.name.startswith("new") for a in term.arguments)
    )


def infix(postfix: Sequence[Any], names: Sequence[str]) -> str:
    """A formula from the engine's postfix, in which the operand that comes first stands last.

    Raises:
        ValueError: Anything but numbers, weighted inputs and known operations, or operands that do not add up.
    """
    stack: list[str] = []
    for node in postfix:
        if isinstance(node, str):
            name, _, arity = node.partition("/")
            count = int(arity)
            if name not in _OPERATORS or not 2 <= count <= len(stack):
                raise ValueError(f"postfix: {node!r} with {len(stack)} operands before it")
            operands = [stack.pop() for _ in range(count)]
            stack.append("(" + _OPERATORS[name].join(operands) + ")")
        elif isinstance(node, float | int):
            stack.append(f"({float(node)!r})")
        elif isinstance(node, list) and len(node) == 2 and 0 <= node[1] < len(names):
            weight, column = node
            stack.append(f"({float(weight)!r}*{names[int(column)]})")
        else:
            raise ValueError(f"postfix: {node!r}; expected a number, [weight, input] or an operation")
    if len(stack) != 1 or "inf" in stack[0] or "nan" in stack[0]:
        raise ValueError(f"postfix: {len(stack)} formulas left, expected one of finite numbers")
    return stack[0]


def _geometric_mean(column: np.ndarray) -> float:
    if (column > 0).all():
        return float(np.exp(np.log(column).mean()))
    return float(np.abs(column).max()) or 1.0


class Engine:
    """The engine's process: jobs in, models out, in order; started on first use and again after a crash.

    Attributes:
        failure: Why it was given up; "" while it is to be used.
    """

    def __init__(self, command: Sequence[str], patience: float = _PATIENCE) -> None:
        self.failure = ""
        self._command, self._patience = tuple(command), patience
        self._process: subprocess.Popen[str] | None = None
        self._lines: Queue[str] = Queue()
        self._jobs: deque[str] = deque()  # sent and not answered
        self._crashes = 0

    def send(self, job: Mapping[str, Any]) -> None:
        """Asks for a round; does not wait for it."""
        self._jobs.append(json.dumps(job) + "\n")
        if self._process is not None:
            self._write(self._jobs[-1])

    def receive(self) -> list[Any] | None:
        """The models of the oldest job; None where the engine died of it or was given up."""
        if self.failure:
            return None
        if self._process is None:
            self._start()
        try:
            line = self._lines.get(timeout=self._patience)
        except Empty:
            self._give_up(f"no answer within {self._patience:g} seconds")
            return None
        self._jobs.popleft()
        if line:
            return list(json.loads(line)["models"])
        self.close()  # it died; the next round starts a new one, with the jobs that are still waiting
        self._crashes += 1
        if self._crashes >= _CRASHES:
            self._give_up(f"it ended unexpectedly {self._crashes} times")
        return None

    def close(self) -> None:
        """Ends the process, at once."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()

    def _start(self) -> None:
        # A session of its own: Ctrl-C in the terminal is for the run, which then ends the engine.
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self._lines = Queue()
        Thread(target=_listen, args=(self._process.stdout, self._lines), daemon=True).start()
        for job in self._jobs:
            self._write(job)

    def _write(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # it died: `receive` finds out
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _give_up(self, why: str) -> None:
        self.close()
        self.failure = why
        _log.warning("operon: %s; the run goes on without it", why)


def _listen(stream: IO[str], lines: Queue[str]) -> None:
    """Passes on every line, and "" at the end."""
    with contextlib.suppress(OSError, ValueError):
        for line in stream:
            lines.put(line)
    lines.put("")


__all__ = ["INSTALL", "Engine", "Operon", "available", "demand", "infix"]
