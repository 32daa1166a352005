"""The library: laws that people published, as data, and what their inputs stand for.

In: the TOML files of this folder, one entry a law. Out: entries with laws, roles, coefficients, sources; the laws that
can be written in given columns. Stays out: measurements, fitting, scores.
"""

from discover.library.entry import COEFFICIENT_TRUST, TRUST, Coefficients, Entry, Form, NotFound, Quantity, Source
from discover.library.reading import entries, entry, not_found
from discover.library.roles import ROLES, Assigned, assigned, is_a

__all__ = [
    "COEFFICIENT_TRUST",
    "ROLES",
    "TRUST",
    "Assigned",
    "Coefficients",
    "Entry",
    "Form",
    "NotFound",
    "Quantity",
    "Source",
    "assigned",
    "entries",
    "entry",
    "is_a",
    "not_found",
]
