"""Roles: what a column or a law's input stands for, so that a law written for N and D finds `params` and `tokens`.

In: names and units of columns. Out: a role, declared or guessed, with the reason. Stays out: measurements.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Role -> what it stands for, and the broader role that it is a kind of.
ROLES: dict[str, tuple[str, str]] = {
    "scale": ("any measure of scale", ""),
    "parameters": ("size of the network", "scale"),
    "active_parameters": ("parameters that one token meets", "parameters"),
    "non_vocabulary_parameters": ("parameters outside embedding and output", "parameters"),
    "encoder_parameters": ("parameters of the encoder", "parameters"),
    "decoder_parameters": ("parameters of the decoder", "parameters"),
    "log_parameters": ("logarithm of the size", ""),
    "width": ("width of the network", "scale"),
    "depth": ("layers of the network", "scale"),
    "heads": ("attention heads", ""),
    "data": ("size of the training set, in any unit", "scale"),
    "tokens": ("tokens trained on, repetitions counted", "data"),
    "characters": ("characters trained on", "tokens"),
    "unique_tokens": ("distinct tokens", "data"),
    "effective_tokens": ("distinct tokens that would do as well", "data"),
    "fine_tuning_data": ("examples or tokens fine-tuned on", "data"),
    "other_tokens": ("tokens of other languages", ""),
    "steps": ("steps of the optimiser", "scale"),
    "epochs": ("passes over the data", ""),
    "repeats": ("passes over the data beyond the first", ""),
    "tokens_per_parameter": ("tokens divided by size", ""),
    "compute": ("compute spent on training", "scale"),
    "log_compute": ("logarithm to base 10 of compute", ""),
    "learning_rate": ("learning rate", ""),
    "batch_size": ("examples or tokens in a batch", ""),
    "weight_decay": ("weight decay", ""),
    "timescale": ("timescale of the optimiser", ""),
    "learning_rate_sum": ("learning rates added up over steps", ""),
    "annealing": ("what the drops in learning rate have brought", ""),
    "experts": ("experts in a routed layer", "scale"),
    "granularity": ("how finely experts are cut", ""),
    "sparsity": ("share of weights or experts that is not used", ""),
    "vocabulary": ("distinct tokens of the vocabulary", "scale"),
    "vocabulary_parameters": ("parameters of embedding and output", "vocabulary"),
    "parallel_streams": ("streams that share one network", "scale"),
    "precision_bits": ("bits of a number", ""),
    "weight_bits": ("bits of a weight", "precision_bits"),
    "activation_bits": ("bits of an activation", "precision_bits"),
    "cache_bits": ("bits in the key-value cache", "precision_bits"),
    "exponent_bits": ("exponent bits of a number", ""),
    "mantissa_bits": ("mantissa bits of a number", ""),
    "block_size": ("numbers that share one scaling factor", ""),
    "share": ("share of a domain in the mixture", ""),
    "own_share": ("share of the domain that the target is measured on", "share"),
    "languages": ("languages in the mixture", ""),
    "inference_samples": ("samples drawn for one question", "scale"),
    "inference_tokens": ("tokens spent on one question", "scale"),
    "context_tokens": ("tokens of prompt or answer", ""),
    "context_limit": ("longest context", ""),
    "agents": ("agents that work together", ""),
    "tools": ("tools at hand", ""),
    "votes": ("votes by which one answer must lead", ""),
    "updates_to_data": ("updates for each step of the environment", ""),
    "divergence": ("distance from the starting policy", ""),
    "dimension": ("dimension of data or problem", ""),
    "capability": ("latent capability", ""),
    "success": ("chance of one success", ""),
    "time": ("calendar time", ""),
    "size_ratio": ("one size divided by another", ""),
    "performance": ("how good a model is", ""),
    "loss": ("cross-entropy or another loss", "performance"),
    "error": ("share of wrong answers", "performance"),
    "perplexity": ("exponential of the loss", "performance"),
    "score": ("accuracy, pass rate or another score", "performance"),
    "log_loss": ("logarithm of a loss", "performance"),
    "teacher_loss": ("loss of the teacher", ""),
    "knowledge": ("facts stored", ""),
    "activations": ("size of the activations", ""),
    "activation_ratio": ("share of neurons that are active", ""),
    "uncertainty": ("uncertainty of an answer", ""),
    "cost": ("cost of an answer", ""),
    "residual": ("zero where an implicit law holds", ""),
    "other": ("anything else", ""),
}


@dataclass(frozen=True)
class Assigned:
    """A column's role with the reason: "task.toml says so", "its unit is 'tokens'", ...; `role` is "" where none is
    known."""

    role: str
    reason: str


def is_a(role: str, kind: str) -> bool:
    """Whether `role` is `kind` or a kind of it: tokens are data, and a measure of scale."""
    while role:
        if role == kind:
            return True
        role = ROLES[role][1]
    return False


# (role, pattern of a name cut into words): the first that occurs is taken.
_NAMES = (
    ("non_vocabulary_parameters", r"non vocab\w*"),
    ("unique_tokens", r"(unique|distinct)( \w+)?"),
    ("vocabulary_parameters", r"vocab\w* (params?|parameters)"),
    ("vocabulary", r"vocab\w*"),
    ("parallel_streams", r"parallel\w*|streams?"),
    ("experts", r"experts?"),
    ("active_parameters", r"(active|dense) (params?|parameters)( \w+)?"),
    ("fine_tuning_data", r"sft|fine ?tun\w*"),
    ("inference_samples", r"(inference|test time) samples|attempts|rollouts"),
    ("inference_tokens", r"(inference|test time|reasoning|thinking) tokens"),
    ("characters", r"char(acter)?s"),
    ("steps", r"steps?"),
    ("epochs", r"epochs?"),
    ("batch_size", r"batch|bsz|batch size"),
    ("learning_rate", r"lr|learning rate"),
    ("weight_decay", r"weight decay|wd"),
    ("log_compute", r"log(10)? (flops?|compute)"),
    ("compute", r"flops?|compute"),
    ("precision_bits", r"bits|precision"),
    ("width", r"width|hidden"),
    ("depth", r"depth|layers"),
    ("tokens", r"tokens?"),
    ("parameters", r"params?|parameters|model size"),
    ("data", r"(data|dataset|training|train)( set)? size|n (samples|examples)|examples"),
    ("own_share", r"own|own share"),
    ("share", r"(share|proportion|fraction|mixture|weight)s?"),
    ("loss", r"(\w*loss\w?|nll|cross entropy)"),
    ("perplexity", r"perplexity|ppl"),
    ("error", r"error( rate)?"),
    ("score", r"(accuracy|acc|score|brier|auc|bleu|pass|reward|elo)"),
)  # fmt: skip
_UNITS = (
    ("parameters", r"(\S* ?)parameters"),
    ("tokens", r"(\S* ?)tokens"),
    ("characters", r"(\S* ?)characters"),
    ("log_compute", r"log(10)?\(?.*flop.*"),
    ("compute", r"(\S* ?)flops?(-seconds)?|pf-?days|gpu-?hours"),
    ("data", r"examples|samples|images|pairs"),
    ("share", r"share|shares"),
    ("precision_bits", r"bits?"),
    ("parallel_streams", r"streams?"),
    ("experts", r"experts?"),
    ("steps", r"steps?"),
    ("loss", r"(nats|bits)(/\w+)?"),
)


def assigned(name: str, unit: str, declared: str = "") -> Assigned:
    """The role of a column: the declared one, or a guess from its name, then from its unit."""
    if declared:
        return Assigned(declared, "task.toml says so")
    words = " ".join(re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name[:100])).lower()
    for role, pattern in _NAMES:
        found = re.search(rf"\b(?:{pattern})\b", words)
        if found:
            return Assigned(role, f"guessed: its name says {found[0]!r}")
    for role, pattern in _UNITS:
        if re.fullmatch(pattern, unit[:100].strip().lower()):
            return Assigned(role, f"guessed: its unit is {unit!r}")
    return Assigned("", "its name and unit tell no role; declare one in task.toml")
