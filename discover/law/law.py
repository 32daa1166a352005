"""`Law`: a formula with named parameters over named inputs, immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from discover.errors import UnknownInputError
from discover.law.expression import Expression, to_text


@dataclass(frozen=True)
class Law:
    """A formula to fit.

    Attributes:
        expression: The tree.
        inputs: Names of the columns that it reads.
        parameters: Names of the numbers to fit, in the order of every parameter array.
        parameter_bounds: (lower, upper) for each parameter, infinite where it is free.
    """

    expression: Expression
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    parameter_bounds: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        return to_text(self.expression)

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        return dict(zip(self.parameters, self.parameter_bounds, strict=True))

    @cached_property
    def key(self) -> str:
        """One text for all laws equal up to renaming of parameters, order and constant folding."""
        from discover.law.canonical import canonical_key

        return canonical_key(self.expression, self.bounds)

    @cached_property
    def complexity(self) -> int:
        """Numbers, names and operations, weighted as the grammar says."""
        from discover.law.complexity import complexity

        return complexity(self.expression)

    def predict(self, inputs: Mapping[str, Any], parameters: Any) -> np.ndarray:
        """Values of the law.

        Args:
            inputs: A number or an array (row,) for each of `self.inputs`, in the task's units.
            parameters: (parameter,) in the order of `self.parameters`.

        Returns:
            (row,) in the target's unit; NaN or infinite where the law is not defined.

        Raises:
            UnknownInputError: An input that the law reads is not given.
        """
        from discover.law.compiler import evaluate

        missing = [name for name in self.inputs if name not in inputs]
        if missing:
            raise UnknownInputError(f"law reads {missing[0]!r}; given are {', '.join(inputs) or 'no inputs'}")
        values = {name: np.asarray(inputs[name], dtype=float) for name in self.inputs}
        values.update(zip(self.parameters, np.asarray(parameters, dtype=float), strict=True))
        shape = np.broadcast_shapes(*(v.shape for v in values.values()))
        return np.array(np.broadcast_to(evaluate(self.expression, values), shape))
