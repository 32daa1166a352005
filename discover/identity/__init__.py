"""Telling new laws from renamed ones.

In: laws, what their inputs stand for, perhaps a task's training rows. Out: what a law is to the published laws. Stays
out: which law is better.
"""

from discover.identity.identify import UNDECIDED, Finding, identify, known_as
from discover.identity.nearness import Nearness, nearness
from discover.identity.proof import prove_equal
from discover.identity.relation import APART, GENERAL, IDENTICAL, NEAR, SPECIAL, Relation, aligned, relation

__all__ = [
    "APART",
    "GENERAL",
    "IDENTICAL",
    "NEAR",
    "SPECIAL",
    "UNDECIDED",
    "Finding",
    "Nearness",
    "Relation",
    "aligned",
    "identify",
    "known_as",
    "nearness",
    "prove_equal",
    "relation",
]
