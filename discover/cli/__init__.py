"""The command line: verbs that parse, call and print.

In: arguments. Out: tables or JSON on standard output, progress and errors on standard error, and an exit
code: 0 done, 1 a law that does not verify or an internal error, 2 a user's mistake, 130 after Ctrl-C, 141
when the reader of a pipe left. Stays out: everything else. A verb is a module of its own with a command of the
same name and a line in `VERBS`; it is imported when it is called, and imports its rooms itself, so that
`discover --help` is quick.
"""

from __future__ import annotations

import click

from discover import __version__
from discover.cli.door import Door, debug_option

# Verb -> what `discover --help` says of it.
VERBS = {
    "new": "Make a task of a CSV of training runs.",
    "check": "Find what is wrong with a task's data.",
    "tasks": "List the tasks.",
    "run": "Search for laws of a task, then rank them.",
    "leaderboard": "Show found and human laws, ranked.",
    "tui": "Look through tasks and laws on one screen.",
    "show": "Show all that is known of a law.",
    "fit": "Fit and validate a formula of your own, or the library.",
    "laws": "Search the library of published laws.",
    "identify": "Tell a new law from a renamed one.",
    "certify": "Prove limits, signs and slopes of a law.",
    "export": "Write a law as code, LaTeX or JSON.",
    "report": "Write a page about the chosen law, with figures.",
    "plan": "Find the best run that a budget pays.",
    "optimum": "Find the best value of some inputs at given others.",
    "next": "Rank the runs worth training next.",
    "verify": "Derive the row of a law again.",
    "runs": "List the runs in the store, or show one.",
    "benchmark": "Run many tasks and seeds, and tabulate them.",
    "doctor": "Say what is installed, and what is missing.",
}


@click.group(cls=Door, verbs=VERBS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="discover", message="%(prog)s %(version)s")
def main() -> None:
    """Find the scaling law behind a table of training runs.

    \b
    discover tasks                          what there is to be discovered
    discover run tasks/vocab_scaling        search for two minutes, then rank
    discover leaderboard vocab_scaling      found laws beside human ones
    discover export vocab/1 --format python the best law as a function
    """


main.params.append(debug_option())

__all__ = ["VERBS", "main"]
