"""`Entry`: one published law with its inputs, coefficients, source, and how far it is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from discover.law import Law, parse

# How far an entry, or a set of coefficients, can be trusted.
TRUST = {
    "code": "read in the authors' code",
    "paper": "read in the paper",
    "derived": "derived from another law of the library",
    "memory": "from memory, not read again",
}
COEFFICIENT_TRUST = {
    "code": TRUST["code"],
    "paper": TRUST["paper"],
    "own fit": "our fit to published measurements",
    "memory": TRUST["memory"],
    "illustrative": "made up to show the shape; none were found",
    "identity": "the law has no coefficients",
}


@dataclass(frozen=True)
class Quantity:
    """What an input or target stands for.

    Attributes:
        name: As the formula spells it; "" for a target.
        role: A key of ROLES.
        unit: Of the published coefficients.
        effect: "falls" or "rises": what the law does as this grows, near the check values; "" for neither.
    """

    name: str
    role: str
    unit: str
    meaning: str
    effect: str = ""


@dataclass(frozen=True)
class Source:
    authors: str
    year: int
    title: str
    arxiv: str

    def __str__(self) -> str:
        title = f", {self.title}" if self.title else ""
        return f"{self.authors} {self.year}{title}, arXiv {self.arxiv}"


@dataclass(frozen=True)
class Form:
    """A formula with its inputs and bounds, parsed when it is first asked for."""

    formula: str
    inputs: tuple[Quantity, ...]
    bounds: Mapping[str, tuple[float, float]]

    @cached_property
    def law(self) -> Law:
        names = [quantity.name for quantity in self.inputs]
        return parse(self.formula, names, bounds=self.bounds, may_be_fixed=True)


@dataclass(frozen=True)
class Coefficients:
    """A published set of parameters with its check value.

    Attributes:
        trust: A key of COEFFICIENT_TRUST.
        values: parameter -> value, in the published units.
        gives: The law's value at the entry's check point, computed by SymPy from the formula as text (five digits).
        printed: The same as the source prints it; None where it prints none.
        from_source: Parameters that are the source's where others are illustrative; empty where all are alike.
    """

    name: str
    trust: str
    values: Mapping[str, float]
    gives: float
    printed: float | None = None
    from_source: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One law of the library.

    Attributes:
        id: What people type.
        topic: The file that it stands in, such as "pretraining".
        form: The law as published.
        measured: The same law in what a table of runs holds, where the published inputs are derived; else None.
        trust: How far the form can be trusted, a key of TRUST.
        at: Input -> value, the point of the check values.
        runs, material: Where measured runs, or only code and models, are public; "" for nowhere known.
    """

    id: str
    title: str
    topic: str
    form: Form
    measured: Form | None
    target: Quantity
    source: Source
    trust: str
    at: Mapping[str, float]
    coefficients: tuple[Coefficients, ...]
    fitted_on: str = ""
    runs: str = ""
    material: str = ""
    note: str = ""

    @property
    def law(self) -> Law:
        """The law as published; raises nothing, every entry parses (a test says so)."""
        return self.form.law

    @property
    def inputs(self) -> tuple[Quantity, ...]:
        return self.form.inputs

    @property
    def roles(self) -> dict[str, str]:
        """Input -> role."""
        return {quantity.name: quantity.role for quantity in self.inputs}

    def value(self, coefficients: Coefficients, inputs: Mapping[str, float] | None = None) -> np.ndarray:
        """The law's value with one of its sets of coefficients, at `inputs` or at the check point."""
        parameters = [coefficients.values[name] for name in self.law.parameters]
        return self.law.predict(self.at if inputs is None else inputs, parameters)


@dataclass(frozen=True)
class NotFound:
    """A law that a publication names without a formula that could be found."""

    id: str
    title: str
    source: Source
    known: str
    fitted_on: str = ""
    material: str = ""
