"""Laws of the library are found under other names; the command tells them, and refuses what it cannot read."""

from __future__ import annotations

import json
import sys

import pytest
from click.testing import CliRunner

from discover.cli import main
from discover.identity import GENERAL, IDENTICAL, SPECIAL, UNDECIDED, Finding, identify, known_as
from discover.identity.identify import _over_other_inputs
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


def test_a_law_identical_by_fit_leaves_the_others_unsaid():
    found = identify(parse("C + A/(1 + (D/D0)**a)", ["D"]), {"D": "fine_tuning_data"})
    assert {finding.kind for finding in found} == {IDENTICAL}
    assert found[0].relation.by == "fit"


def test_laws_of_other_inputs_come_after_those_of_the_same():
    found = identify(parse("E + A/N**a*D**b + k*log(D)", ["N", "D"]), BOTH)
    told = [f.reads for f in found if f.same_quantities and f.relation.by != "limit"]
    assert {"the same", "fewer"} == set(told)
    assert told == sorted(told, key=lambda reads: reads != "the same")


def test_what_limits_make_comes_last():
    """The closest was once a law of two inputs, reached as two parameters of the law go to infinity."""
    found = [f for f in identify(parse("E + A/N**a*(1 + k*log(D))", ["N", "D"]), BOTH) if f.same_quantities]
    limits = [finding.relation.by == "limit" for finding in found]
    assert limits[0] is False
    assert limits == sorted(limits)
    assert all("infinity" not in finding.label for finding in found if finding.relation.by != "limit")


def test_law_that_reads_the_same_inputs_in_another_form_is_not_said_to_read_more():
    """The law of repeated data is printed over four quantities, and over three in what is measured."""
    roles = {"N": "parameters", "D": "tokens", "U": "unique_tokens"}
    law = parse("E + A/N**a + B/D**b + C/U**c", list(roles))
    found = _over_other_inputs(law, roles, frozenset(), "loss")
    assert found
    assert all(set(each.law.inputs) != set(roles) for each in found)


@pytest.mark.parametrize(("target", "name"), [("loss", "isik_ce"), ("own_share", "cmr_ratio")])
def test_among_laws_of_one_form_that_of_the_same_target_is_named(target: str, name: str):
    assert identify(parse("E + A/D**a", ["D"]), {"D": "tokens"}, target=target)[0].entries[0] == name


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


def test_short_look_fits_laws_of_other_inputs_where_no_form_tells():
    law = parse("E + exp(c - a*log(N))*(1 + k*log(D))", ["N", "D"])
    found = known_as(law, BOTH, target="loss")
    assert isinstance(found, Finding)
    assert (found.kind, found.reads, found.relation.by) == (GENERAL, "fewer", "fit")
    assert found.relation.frozen == ("k = 0",)


def test_short_look_that_takes_too_long_is_undecided(monkeypatch: pytest.MonkeyPatch):
    """And it fits nothing more once the time is over."""
    law = parse("E + A/(N + k)**a*(1 + m*log(D))", ["N", "D"])
    monkeypatch.setattr(sys.modules["discover.identity.identify"], "relation", None)
    assert known_as(law, BOTH, seconds=-1.0) == UNDECIDED


def test_command_says_that_a_law_reads_fewer_inputs():
    result = run("identify", "E + A/N**a*(1 + k*log(D))", "--inputs", "N=parameters,D=tokens", "--json")
    told = json.loads(result.stdout)
    assert "fewer" in {finding["reads"] for finding in told["findings"]}


def test_command_names_the_law_that_a_leaderboard_does():
    """Laws of other targets once came first: the command did not say what the task predicts."""
    result = run("identify", "E + A/sft_examples**a", "--task", "sft_scaling", "--json")
    assert json.loads(result.stdout)["findings"][0]["laws"][0] == "isik_ce"


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
    (("certify", "a + b*sft_examples", "--task", "sft_scaling", "--cell", "x"), "is no cell of sft_scaling; it has"),
    (("certify", "a + b*num_params", "--task", "parallel_scaling", "--cell", "x"), "; known: pile: loss, stack: loss"),
]


@pytest.mark.parametrize("arguments, told", MISTAKES)
def test_mistake_is_told_in_one_line(arguments: tuple[str, ...], told: str):
    result = run(*arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stderr.strip().splitlines()[-1].startswith("discover: ")
    assert result.stdout == ""
