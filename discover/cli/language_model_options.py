"""Language models of a run: what the options mean, the proposers they stand for, and the replay of a run."""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from discover.errors import DiscoverError

if TYPE_CHECKING:
    from discover.evolution import Past
    from discover.proposers.language_model import Call, LanguageModel, Model
    from discover.store import Run, Store
    from discover.task import Task

_OPTIONS = (
    click.option("--llm", "models", multiple=True, metavar="MODEL", help="Ask this language model too; repeatable."),
    click.option("--llm-base-url", default="", metavar="URL", help="An OpenAI-compatible server that has MODEL."),
    click.option("--llm-key-env", default="", metavar="NAME", help="The variable that holds the key."),
    click.option("--llm-profiles", default="", metavar="FILE", help="Servers and prices of your own."),
    click.option("--llm-timeout", default=120.0, show_default=True, type=click.FloatRange(1.0, 3600.0),
                 metavar="SECONDS", help="The most that one call may take."),
    click.option("--mask-names", is_flag=True, help="Show language models x1, x2, y in place of names and units."),
    click.option("--max-cost", default=None, type=click.FloatRange(0.0), metavar="USD", help="Never spend more."),
    click.option("--max-calls", default=50, show_default=True, type=click.IntRange(0), help="Never make more calls."),
    click.option("--max-tokens", default=None, type=click.IntRange(0), help="Never use more tokens, in and out."),
    click.option("--replay", default="", metavar="RUN", help="Repeat a run with its stored replies, offline."),
)  # fmt: skip


_MOST_MODELS = 4  # each proposer has a least share of every batch


@dataclass(frozen=True)
class Asked:
    """The options as they were typed."""

    models: tuple[str, ...]
    llm_base_url: str
    llm_key_env: str
    llm_profiles: str
    llm_timeout: float
    mask_names: bool
    max_cost: float | None
    max_calls: int
    max_tokens: int | None
    replay: str = ""

    def record(self) -> dict[str, Any]:
        """What a run with these options stores, so that it can be resumed and replayed; {} without a model.

        Raises:
            DiscoverError: A model, a key or a price that is not there. Said before the run begins.
        """
        if not self.models:
            return {}
        from discover.store import record

        if len(self.models) > _MOST_MODELS:
            raise DiscoverError(f"--llm: {len(self.models)} models; at most {_MOST_MODELS} share a run")
        found = self._models()
        return {
            "language_models": {
                "models": record(found),
                "timeout": self.llm_timeout,
                "masked": self.mask_names,
                "limits": {"calls": self.max_calls, "tokens": self.max_tokens, "dollars": self.max_cost},
            }
        }

    def arguments(self) -> tuple[str, ...]:
        """The same as words for the line of another `discover run`; keys stay in the environment, which it inherits."""
        if not self.models:
            return ()
        named = [("--llm", model) for model in self.models]
        named += [("--llm-base-url", self.llm_base_url), ("--llm-key-env", self.llm_key_env)]
        named += [("--llm-profiles", str(Path(self.llm_profiles).resolve()) if self.llm_profiles else "")]
        named += [("--llm-timeout", repr(self.llm_timeout)), ("--max-calls", str(self.max_calls))]
        named += [("--max-cost", "" if self.max_cost is None else repr(self.max_cost))]
        named += [("--max-tokens", "" if self.max_tokens is None else str(self.max_tokens))]
        flags = ("--mask-names",) if self.mask_names else ()
        return (*(f"{name}={value}" for name, value in named if value), *flags)

    def _models(self) -> list[Model]:
        from discover.proposers.language_model import local_model, model_of, profiles_of

        profiles = profiles_of(Path(self.llm_profiles) if self.llm_profiles else None)
        found = []
        for text in self.models:
            if text == "local" and not self.llm_base_url:
                found.append(local_model())
                continue
            model = model_of(text, profiles, self.llm_base_url, self.llm_key_env)
            model.key()
            if self.max_cost is not None and model.price is None:
                raise DiscoverError(
                    f"--max-cost: the price of {model.name} is not known; write it into a file for --llm-profiles, or "
                    "use --max-calls or --max-tokens"
                )
            if importlib.util.find_spec("openai") is None:
                raise DiscoverError("--llm: the package openai is missing; install it with: pip install 'openai>=2'")
            found.append(model)
        names = [model.name for model in found]
        if len(set(names)) < len(names):
            raise DiscoverError(f"--llm: {names[0]} is there twice")
        return found


def language_model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options to a verb; it gets them as `language_models`, an `Asked`."""
    return _with(_OPTIONS, command)


def language_model_options_of_many_runs(command: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a verb that makes many runs: the limits are for each, and none is a replay."""
    return _with(_OPTIONS[:-1], command)


def _with(options: Sequence[Callable[..., Any]], command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def with_options(*arguments: Any, **given: Any) -> Any:
        asked = Asked(**{name: given.pop(name) for name in Asked.__dataclass_fields__ if name in given})
        return command(*arguments, language_models=asked, **given)

    for option in reversed(options):
        option(with_options)
    return with_options


def replayed(store: Store, run: str, task: Task, options: dict[str, Any]) -> tuple[int, str, dict[str, Any]]:
    """Seed, budget and options that repeat the run of --replay.

    Args:
        options: Those that the new run would have; what the old one had replaces them.

    Raises:
        DiscoverError: No such run, one of another task, one that made no call or found nothing.
    """
    from discover.store import calls_of, task_digest

    known = {r.id: r for r in store.runs()}
    if run not in known:
        raise DiscoverError(f"--replay {run[:60]!r}: no such run in {store.path}; they are listed by: discover runs")
    found = known[run]
    if found.digest != task_digest(task):
        raise DiscoverError(f"--replay {run}: was made on other rows or another task than {task.name} ({found.task})")
    if not calls_of(store, run) or not found.candidates:
        raise DiscoverError(f"--replay {run}: no language model was asked in it; run it again with the same --seed")
    # A budget in seconds would stop elsewhere: as many candidates are tried as it had.
    budget = found.budget if found.budget.isdecimal() else str(found.candidates)
    return found.seed, budget, {**options, **found.options, "workers": options["workers"], "replay": found.id}


def joining(
    store: Store,
    run: Run,
    task: Task,
    *,
    candidates: int | None,
    past: Past,
    say: Callable[[str], None],
    pressed: Sequence[object] = (),
) -> list[LanguageModel]:
    """The language models of a run, ready to join its search.

    Args:
        candidates: The budget, where it is a number of them.
        past: What a run that goes on has; its own calls are followed first, and no new one is made when it is over.
        pressed: Not empty once Ctrl-C was.
    """
    asked = run.options.get("language_models")
    if not asked:
        return []
    from discover.proposers.language_model import LanguageModel, Ledger, Limits, Model, Price, endpoint_of
    from discover.proposers.language_model.names import Names
    from discover.store import add_call

    source = run.options.get("replay") or ""
    kept = len(past.kept)
    recorded = _recorded(store, source or run.id) if source or kept else {}
    stored = {(call.proposer, call.number) for calls in _recorded(store, run.id).values() for call in calls}

    def keep(call: Call) -> None:
        if (call.proposer, call.number) not in stored:
            add_call(store, run.id, call)

    inputs = list(Names(task, asked["masked"]).inputs.values())
    ledger = Ledger(Limits(**asked["limits"]))
    until = math.inf if candidates is None else _before_last(candidates)
    found = []
    for values in asked["models"]:
        price = Price(**values["price"]) if values["price"] else None
        model = Model(**{**values, "price": price})
        endpoint = None if source or past.over else endpoint_of(model, asked["timeout"], inputs, task.parameter_cap)
        found.append(
            LanguageModel(
                task,
                model,
                endpoint,
                ledger,
                limit_seconds=asked["timeout"],
                masked=asked["masked"],
                waits=candidates is not None,
                keep=keep,
                say=say,
                recorded=recorded.get(model.proposer, ()),
                live_from=_before_last(kept),
                until=until,
                interrupted=pressed,
            )
        )
        say(_joins(model, asked, source))
    return found


def _before_last(candidates: int) -> int:
    """How many candidates the archive has when the last batch of so many is asked for: two are under way at once."""
    from discover.evolution import BATCH

    return max(-(-candidates // BATCH) - 2, 0) * BATCH


def _joins(model: Model, asked: dict[str, Any], source: str) -> str:
    if source:
        return f"{model.proposer} joins with its stored replies of run {source}; nothing is sent"
    limits = asked["limits"]
    told = [f"{limits['calls']} calls"] if limits["calls"] is not None else []
    told += [f"{limits['tokens']:,} tokens"] if limits["tokens"] is not None else []
    told += [f"{limits['dollars']:g} USD"] if limits["dollars"] is not None else []
    names = ", names masked" if asked["masked"] else ""
    return f"{model.proposer} joins the search, at {model.base_url}{names}; at most {', '.join(told) or 'no limit'}"


def _recorded(store: Store, run: str) -> dict[str, list[Call]]:
    """The calls of a run by proposer."""
    from discover.proposers.language_model import Answer, Call
    from discover.store import calls_of

    found: dict[str, list[Call]] = {}
    for c in calls_of(store, run):
        answer = Answer(c.status, c.reply, c.answer_fault, c.retry_after_seconds, c.seconds)
        call = Call(
            c.proposer, c.number, c.kind, c.asked, c.answered, c.masked, c.request, answer, c.tokens_in, c.tokens_out,
            c.dollars, c.fault, c.laws, c.notes,
        )  # fmt: skip
        found.setdefault(c.proposer, []).append(call)
    return found
