"""Laws of the library are found under other names; the command tells them, and refuses what it cannot read."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from discover.cli import main
from discover.identity import IDENTICAL, identify, label_of
from discover.law import parse


def run(*arguments: str):
    return CliRunner().invoke(main, list(arguments))


def test_chinchilla_is_found_by_its_key():
    law = parse("F + p/size**u + q/seen**v", ["size", "seen"])
    found = identify(law, {"size": "parameters", "seen": "tokens"})
    assert found[0].kind == IDENTICAL
    assert "chinchilla" in found[0].entries
    assert found[0].same_quantities


def test_the_form_over_other_quantities_is_told_as_such():
    law = parse("F + p/size**u + q/seen**v", ["size", "seen"])
    assert identify(law)[0].label.endswith("(form only)")


def test_quick_label_needs_no_fit():
    roles = {"size": "parameters", "seen": "tokens"}
    assert label_of(parse("F + p/size**u + q/seen**v", ["size", "seen"]), roles) == "identical to chinchilla"
    assert label_of(parse("F + sin(p*size)*seen**v", ["size", "seen"]), roles) == ""


def test_law_itself_can_be_left_out():
    law = parse("F + p/size**u + q/seen**v", ["size", "seen"])
    roles = {"size": "parameters", "seen": "tokens"}
    assert "chinchilla" not in identify(law, roles, leave_out=["chinchilla"])[0].entries


def test_command_names_the_rectified_law():
    result = run("identify", "C + A/(1 + (D/D0)**a)", "--inputs", "D=fine_tuning_data", "--json")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["label"] == "identical to rectified_sft"
    assert told["findings"][0]["mapping"]["Dl"] == "D0**a"


MISTAKES = [
    (("identify", "a + b*x"), "which names are its inputs?"),
    (("identify", "a + b*x", "--inputs", "y"), "it reads none of the inputs"),
    (("identify", "a + b*x", "--inputs", "x=tokkens"), "did you mean 'tokens'"),
    (("identify", "a + b*x", "--inputs", "x", "--task", "sft_scaling"), "not both"),
    (("identify", "a + b*x", "--inputs", ","), "0 names"),
    (("identify", "__import__('os')", "--inputs", "x"), "formula"),
    (("certify", "chinchilla"), "its domain is unknown"),
    (("certify", "a + b*x", "--task", "sft_scaling"), "it reads none of the inputs"),
    (("certify", "a + b*sft_examples", "--task", "sft_scaling", "--cell", "nothing"), "cell: 'nothing'"),
]


@pytest.mark.parametrize("arguments, told", MISTAKES)
def test_mistake_is_told_in_one_line(arguments: tuple[str, ...], told: str):
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("discover: ")
    assert result.stdout == ""
