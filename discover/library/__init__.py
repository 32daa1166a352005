"""The library: laws that people published, as data, and what their inputs stand for.

In: the TOML files of this folder, one entry a law. Out: entries with laws, roles, coefficients, sources; the laws that
can be written in given columns. Stays out: measurements, fitting, scores.
"""

from discover.library.entry import COEFFICIENT_TRUST, TRUST, Coefficients, Entry, Form, NotFound, Quantity, Source
from discover.library.matching import Match, matches
from discover.library.reading import entries, entry, not_found
from discover.library.roles import ROLES, Assigned, assigned, is_a
from discover.library.search import SYMBOLS, find, find_without_formula

__all__ = [
    "COEFFICIENT_TRUST",
    "ROLES",
    "SYMBOLS",
    "TRUST",
    "Assigned",
    "Coefficients",
    "Entry",
    "Form",
    "Match",
    "NotFound",
    "Quantity",
    "Source",
    "assigned",
    "entries",
    "entry",
    "find",
    "find_without_formula",
    "is_a",
    "matches",
    "not_found",
]
