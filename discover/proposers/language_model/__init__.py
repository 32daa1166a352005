"""Language models as proposers: a bounded, recorded conversation about the training rows.

In: a task's training rows, the archive, profiles of servers, limits. Out: proposals, and `Call`s to be kept. A reply is
data: formulas enter through the one parser, and nothing else of it is believed. Stays out: the store, the screen, and
everything held out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from discover.proposers.language_model.call import Answer, Call
from discover.proposers.language_model.endpoint import Endpoint, OpenAIEndpoint
from discover.proposers.language_model.ledger import Ledger, Limits
from discover.proposers.language_model.local import PROFILE as _LOCAL
from discover.proposers.language_model.local import LocalEndpoint, local_model
from discover.proposers.language_model.profiles import Model, Price, model_of, profiles_of
from discover.proposers.language_model.proposer import LanguageModel


def endpoint_of(model: Model, limit_seconds: float, inputs: Sequence[str], cap: int) -> Endpoint:
    """Where a model is reached; its formulas may read `inputs`, and have `cap` parameters at most.

    Raises:
        DiscoverError: Its key is not in the environment.
    """
    if model.profile == _LOCAL:
        return LocalEndpoint(inputs, cap, limit_seconds)
    secrets = [value for name, value in os.environ.items() if name.startswith("OPENAI_") and "KEY" in name]
    return OpenAIEndpoint(model.base_url, model.key(), limit_seconds, secrets)


__all__ = [
    "Answer",
    "Call",
    "Endpoint",
    "LanguageModel",
    "Ledger",
    "Limits",
    "Model",
    "Price",
    "endpoint_of",
    "local_model",
    "model_of",
    "profiles_of",
]
