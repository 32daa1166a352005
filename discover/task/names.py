"""What the name of a column says it is: a size, a setting, a measurement, a label.

In: a heading as people write it. Out: a `Meaning`, and the name as a formula can hold it. Stays out: the values.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import pairwise
from keyword import iskeyword

from discover.law import GRAMMAR

SCALE, SETTING, MEASURE, LABEL, RECORD, CONSEQUENCE, UNKNOWN = (
    "scale", "setting", "measure", "label", "record", "consequence", "unknown",
)  # fmt: skip


@dataclass(frozen=True)
class Meaning:
    """What a name says.

    Attributes:
        kind: One of the words above.
        what: In words, such as "a model size".
        unit: Such as "parameters"; "1" where the name tells none.
        order: Which of two columns of one kind comes first, the smaller.
        rises: Whether a measurement is better when it is larger.
    """

    kind: str
    what: str
    unit: str = "1"
    order: float = 50.0
    rises: bool = False


# Words of a name -> meaning; the first row of which a word occurs counts. A word in quotes stands alone in the name.
_SCALES = Meaning(SCALE, "a model size", "parameters", 0), Meaning(SCALE, "an amount of data", "tokens", 1)
_ROWS: tuple[tuple[str, Meaning], ...] = (
    ("seed seeds trial replicate", Meaning(RECORD, "a seed")),
    ("id uid uuid index idx rowid hash url path file filename date timestamp created user notes comment tags job run "
     "'name' unnamed 'column' status state", Meaning(RECORD, "a record of the run")),
    ("time hours hour seconds secs minutes duration runtime walltime throughput mfu memory cost price usd",
     Meaning(CONSEQUENCE, "a time or a cost")),
    ("gpu gpus tpu tpus devices nodes host hostname machine", Meaning(RECORD, "the machine")),
    ("loss lossu losses", Meaning(MEASURE, "a loss", "nats/token", 1)),
    ("nll xent crossentropy entropy", Meaning(MEASURE, "a loss", "nats/token", 2)),
    ("bpb bpc bpt bitsper", Meaning(MEASURE, "a loss in bits", "bits/byte", 3)),
    ("ppl perplexity", Meaning(MEASURE, "a perplexity", "1", 4)),
    ("error err wer mse rmse mae brier fid kl", Meaning(MEASURE, "an error", "1", 5)),
    ("acc accuracy score reward f1 bleu rouge auc auroc elo winrate exact em pass top1 top5 recall mmlu hellaswag arc "
     "piqa winogrande lambada gsm8k humaneval mbpp boolq triviaqa bbh truthfulqa",
     Meaning(MEASURE, "a score", "1", 6, True)),
    ("lr learningrate 'eta'", Meaning(SETTING, "a learning rate", "1", 10)),
    ("bsz bs batch batchsize", Meaning(SETTING, "a batch size", "sequences", 11)),
    ("wd decay dropout momentum warmup temperature beta1 beta2 eps epsilon clip",
     Meaning(SETTING, "a setting", "1", 12)),
    ("share shares proportion proportions fraction ratio weight mix mixture",
     Meaning(SETTING, "a share", "share", 13)),
    ("flops flop compute pflops gflops tflops petaflops exaflops 'C'",
     Meaning(SCALE, "an amount of compute", "FLOPs", 2)),
    ("params param parameters parameter nparams nonembedding 'N' modelsize", _SCALES[0]),
    ("tokens token ntokens 'D' datasize datasetsize", _SCALES[1]),
    ("examples samples sequences documents images pairs", Meaning(SCALE, "an amount of data", "examples", 1)),
    ("'data'", Meaning(SCALE, "an amount of data", "1", 1)),
    ("characters chars", Meaning(SCALE, "an amount of data", "characters", 1)),
    ("bytes", Meaning(SCALE, "an amount of data", "bytes", 1)),
    ("steps step iters iterations updates", Meaning(SCALE, "a number of steps", "steps", 3)),
    ("epochs epoch repeats repetitions", Meaning(SCALE, "a number of passes", "epochs", 4)),
    ("width dmodel hidden dim depth layers layer heads experts vocab ffn",
     Meaning(SCALE, "a size of the network", "1", 5)),
    ("model arch architecture family dataset corpus domain optimizer optimiser optim tokenizer tokeniser group "
     "language lang schedule scheduler kind variant method setup", Meaning(LABEL, "a label")),
    ("size", Meaning(SCALE, "a size", "1", 6)),
)  # fmt: skip
_RECORDED = {"audio", "speech", "video", "recorded", "recordings", "transcribed", "data"}  # of which hours are data
_SPREADS = {"std", "stdev", "stddev", "sd", "stderr", "se", "sem", "var", "variance", "ci", "spread", "range"}
_VALIDATION = {"val", "valid", "validation", "eval", "test", "dev", "heldout"}
_MULTIPLES = {
    "k": "thousands", "thousand": "thousands", "thousands": "thousands", "m": "millions", "million": "millions",
    "millions": "millions", "mn": "millions", "b": "billions", "bn": "billions", "billion": "billions",
    "billions": "billions", "t": "trillions", "trillion": "trillions", "trillions": "trillions",
}  # fmt: skip

_LONGEST = 56  # letters of a name in formulas; the parser takes 64
_UNITS = (
    "% nat nats bit bits byte bytes token tokens param params parameters flop flops pf pflop pflops ef eflop eflops "
    "zflop zflops tflops gflops day days hour hours h s sec seconds minutes step steps sequences examples samples "
    "images words characters chars documents epochs kb mb gb tb k m b t bn mn thousand million millions billion "
    "billions trillion trillions"
)


def meaning(heading: str) -> Meaning:
    """What a heading such as "Val Loss", "nParams" or "Tokens (B)" says of its column."""
    bare = re.sub(r"[(\[{].*", "", heading[:200])
    words = _words(bare)
    joined = {a + b for a, b in pairwise(words)}
    if {"modelsize", "networksize"} & joined:
        found = _SCALES[0]
    elif {"datasize", "datasetsize", "corpussize", "trainingdata"} & joined:
        found = _SCALES[1]
    elif _RECORDED & set(words) and {"hours", "hour", "minutes"} & set(words):
        found = Meaning(SCALE, "an amount of data", "hours" if "minutes" not in words else "minutes", 1)
    else:
        found = next((row for text, row in _ROWS if _says(text, bare.strip(), {*words, *joined})), Meaning(UNKNOWN, ""))
    if found.kind == MEASURE:
        if _SPREADS & set(words):
            found = replace(found, what=f"the spread of {found.what}", order=found.order + 30)
        if _VALIDATION & set(words):
            found = replace(found, order=found.order - 1)
        elif {"train", "training"} & set(words):
            found = replace(found, order=found.order + 1.5)
    unit = _unit(heading[:200], words, found.unit)
    return replace(found, unit=unit)


def formula_name(heading: str, taken: set[str]) -> str:
    """The heading as a name that a formula can hold, unlike any of `taken`."""
    plain = unicodedata.normalize("NFKD", heading.strip()[:80])  # an accent is a letter and a mark
    plain = re.sub("([Α-Ωα-ω])", lambda found: f"_{_greek(found[1])}_", plain)
    name = re.sub(r"[\W_]+", "_", "".join(c for c in plain if not unicodedata.combining(c)), flags=re.ASCII)
    name = name.strip("_")[:_LONGEST].strip("_") or "column"
    if name[0].isdigit():
        name = f"c{name}"
    if iskeyword(name) or name in GRAMMAR:
        name += "_"
    fresh, number = name, 2
    while fresh in taken:
        fresh, number = f"{name.rstrip('_')}_{number}", number + 1
    return fresh


def _greek(letter: str) -> str:
    """The name of a Greek letter, such as alpha or Delta."""
    name = unicodedata.name(letter, "").rpartition(" ")[2].lower().replace("lamda", "lambda")
    return name.capitalize() if letter.isupper() else name


def _words(text: str) -> list[str]:
    """Words of a name in lower case: "nParams_val" is n, params, val."""
    apart = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    return [word for word in re.split(r"[^A-Za-z0-9]+|(?<=[A-Za-z])(?=\d+$)", apart.lower()) if word]


def _says(text: str, name: str, words: set[str]) -> bool:
    alone = {word.strip("'") for word in text.split() if word.startswith("'")}
    if name in alone or name.lower() in {word for word in alone if len(word) > 1}:
        return True
    return bool(words & {word for word in text.split() if not word.startswith("'")})


def _unit(heading: str, words: list[str], unit: str) -> str:
    """The unit that a heading gives in brackets, or a multiple at its end: "Tokens (B)", "params_m"."""
    bracket = re.search(r"[(\[{]\s*([^)\]}]{1,40})\s*[)\]}]", heading)
    if bracket:
        told = " ".join(re.sub(r"[^\w/%.^* -]", "", bracket[1]).split())
        if told.lower() in _MULTIPLES and unit != "1":
            return f"{_MULTIPLES[told.lower()]} of {unit}"
        if unit == "1" or set(_UNITS.split()) & set(
            re.findall(r"[a-z]+|%", told.lower())
        ):  # not "final" or "non-embedding"
            return told or unit
    if len(words) > 1 and words[-1] in _MULTIPLES and unit in ("parameters", "tokens", "examples", "FLOPs"):
        return f"{_MULTIPLES[words[-1]]} of {unit}"
    return unit
