"""Every verb's help shows how it is typed."""

from __future__ import annotations

import re

import pytest

from discover.cli import VERBS

from .conftest import Command


@pytest.mark.parametrize("verb", VERBS)
def test_help_has_an_example_with_options_that_exist(discover: Command, verb: str):
    told = discover(verb, "--help")
    assert told.exit_code == 0
    examples = re.findall(rf"^ +discover {verb}\b(.*)$", told.stdout, re.MULTILINE)
    assert examples, f"discover {verb} --help: no line that begins with 'discover {verb}'"
    _, _, options = told.stdout.partition("\nOptions:\n")
    for rest in examples:
        assert set(re.findall(r"--[a-z-]+", rest)) <= set(re.findall(r"--[a-z-]+", options)), rest
