"""Certificates of laws: what is proved of a law over its domain, and at which points it fails.

In: laws with parameters, tasks for their domains. Out: short statements with a verdict. Stays out: fitting, scores.
"""

from discover.certificates.certificate import (
    MARKS,
    PROVED,
    REFUTED,
    UNKNOWN,
    Domain,
    Statement,
    certify,
    domain_of,
)
from discover.certificates.interval import Interval, enclosure, slope
from discover.certificates.limits import limit
from discover.certificates.proofs import Axis, Sign, range_on, sign_on, turning_points
from discover.certificates.summary import Certificate, summary

__all__ = [
    "MARKS",
    "PROVED",
    "REFUTED",
    "UNKNOWN",
    "Axis",
    "Certificate",
    "Domain",
    "Interval",
    "Sign",
    "Statement",
    "certify",
    "domain_of",
    "enclosure",
    "limit",
    "range_on",
    "sign_on",
    "slope",
    "summary",
    "turning_points",
]
