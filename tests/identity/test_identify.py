"""Laws of the library are found under other names; the command tells them, and refuses what it cannot read."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from discover.cli import main
from discover.identity import GENERAL, IDENTICAL, SPECIAL, UNDECIDED, Finding, identify, known_as, label_of
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


BOTH = {"N": "parameters", "D": "tokens"}


def named(found: tuple[Finding, ...], name: str) -> Finding:
    return next(finding for finding in found if name in finding.entries)


def test_law_of_two_inputs_generalises_published_laws_of_one():
    found = identify(parse("E + A/N**a*(1 + k*log(D))", ["N", "D"]), BOTH)
    power = named(found, "henighan_power_const")
    assert (power.kind, power.reads, power.relation.frozen) == (GENERAL, "fewer", ("k = 0",))
    assert power.label == "generalises henighan_power_const (k = 0)"
    assert not any(finding.reads == "fewer" and finding.kind != GENERAL for finding in found)


def test_law_of_one_input_is_a_special_case_of_a_published_law_of_two():
    """What its source reads beside the law's input goes by the source's name, here D."""
    found = identify(parse("E + (A/N**a + c)**g", ["N"]), {"N": "parameters"})
    coupled = named(found, "nd_coupled")
    assert (coupled.kind, coupled.reads, coupled.law.inputs) == (SPECIAL, "more", ("N", "D"))
    assert coupled.relation.frozen == ("beta = 0",)
    assert all(finding.kind == SPECIAL for finding in found if finding.reads == "more")


def test_an_identical_law_leaves_those_of_other_inputs_unsaid():
    found = identify(parse("E + (A/N)**a", ["N"]), {"N": "parameters"})
    assert {(finding.kind, finding.reads) for finding in found} == {(IDENTICAL, "the same")}


def test_laws_of_other_inputs_come_after_those_of_the_same():
    found = identify(parse("E + A/N**a + B/D**b + C/(N*D)**c", ["N", "D"]), BOTH)
    assert found[0].label == "generalises chinchilla (C = 0)"
    told = [finding.reads for finding in found if finding.same_quantities]
    assert told == sorted(told, key=lambda reads: reads != "the same")


def test_without_roles_no_law_of_other_inputs_is_named():
    found = identify(parse("E + A/N**a*(1 + k*log(D))", ["N", "D"]))
    assert {finding.reads for finding in found} <= {"the same"}


def test_short_look_finds_what_a_leaderboard_says():
    roles, law = BOTH, "E + A/N**a*(1 + k*log(D))"
    same = known_as(parse("F + p/N**u + q/D**v", ["N", "D"]), roles, target="loss")
    assert isinstance(same, Finding)
    assert same.label == "identical to chinchilla"
    assert known_as(parse("F + sin(p*N)*D**v*log(N + D)", ["N", "D"]), roles) is None
    part = known_as(parse(law, ["N", "D"]), roles, target="loss")
    assert isinstance(part, Finding)
    assert part.kind == GENERAL


def test_short_look_prefers_a_law_of_the_same_target():
    law, roles = parse("F + p/N**u", ["N"]), {"N": "parameters"}
    loss = known_as(law, roles, target="loss")
    assert isinstance(loss, Finding)
    assert loss.entries[0] == "henighan_power_const"


def test_short_look_that_takes_too_long_is_undecided():
    law = parse("E + A/(N + k)**a*(1 + m*log(D))", ["N", "D"])
    assert known_as(law, BOTH, seconds=-1.0) == UNDECIDED


def test_command_says_that_a_law_reads_fewer_inputs():
    result = run("identify", "E + A/N**a*(1 + k*log(D))", "--inputs", "N=parameters,D=tokens", "--json")
    told = json.loads(result.stdout)
    assert "fewer" in {finding["reads"] for finding in told["findings"]}


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
