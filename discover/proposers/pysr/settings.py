"""What PySR is told: its own settings by their names in version 2.7, chosen for scaling laws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from discover.proposers.pysr.operators import complexities_of, operators_of

if TYPE_CHECKING:
    from discover.proposers.pysr.coordinates import Coordinates

ROUND_SECONDS = 45.0  # of one search; then the next starts in other coordinates, from the best laws known by then
_LARGEST = 32  # beyond 40 nodes PySR itself warns of the cost


def settings_of(
    coordinates: Coordinates, cap: int, seed: int, *, reproducible: bool, threads: int, seconds: float = ROUND_SECONDS
) -> dict[str, Any]:
    """Keyword arguments of PySRRegressor, as JSON can carry them.

    Args:
        cap: Most parameters that a law of the task may have.
        reproducible: One thread and a number of iterations instead of a time, so that a seed fixes the outcome.
    """
    functions = coordinates.functions
    # An exponent is a number, a slot, or one operation on two of them; what stands under an exponential or a
    # logarithm stays small, and neither stands inside another: no tower that explodes beyond the data.
    constraints: dict[str, Any] = {"^": [9, 3], "exp": 11, "log": 9}
    nested = {"^": {"^": 0, "exp": 0}, "exp": {"exp": 0, "^": 1}, "log": {"log": 0, "exp": 1}}
    used = operators_of(functions)
    names = {name for arity in used.values() for name in arity}
    told: dict[str, Any] = {
        "operators": used,
        "complexity_of_operators": {k: v for k, v in complexities_of(functions).items() if v != 1},
        "constraints": {name: size for name, size in constraints.items() if name in names},
        "nested_constraints": {
            outer: {inner: times for inner, times in inside.items() if inner in names}
            for outer, inside in nested.items()
            if outer in names
        },
        "maxsize": min(_LARGEST, 12 + 3 * cap),
        "populations": 8 if reproducible else max(8, 3 * threads),
        "population_size": 33,
        "ncycles_per_iteration": 200,
        "niterations": 12 if reproducible else 10_000,
        "parsimony": 0.0,
        "precision": 32,  # what PySR has compiled beforehand; the numbers are fitted again anyway
        "batching": False,
        "should_simplify": True,
        "fraction_replaced_guesses": 0.01,
        "random_state": seed,
        "deterministic": reproducible,
        "parallelism": "serial" if reproducible else "multithreading",
        "verbosity": 0,
        "progress": False,
        "input_stream": "devnull",
    }
    if not reproducible:
        told["timeout_in_seconds"] = seconds
    return told
