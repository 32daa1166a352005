"""Stands in for PySR 2.7 where there is no Julia: the same names, arguments and files, and a search of its own.

`STAND_IN` in the environment says how it behaves: "" searches; "import" cannot be imported; "error" fails in `fit`;
"hang" never returns, with a child of its own; "exit" ends the process; "garbage" writes a file that is none;
"noise" prints on standard output; "guess" cannot read guesses; "late" has found something, and searches on.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

__version__ = "2.7.2"
_MODE = os.environ.get("STAND_IN", "")

if _MODE == "import":
    raise Exception("could not find Julia 1.10.3 - 1.11")

import numpy as np  # noqa: E402


@dataclass
class TemplateExpressionSpec:
    combine: str
    expressions: list[str]
    variable_names: list[str]
    parameters: dict[str, int] | None = None


class PySRRegressor:
    def __init__(
        self,
        model_selection="best",
        *,
        binary_operators=None,
        unary_operators=None,
        operators=None,
        expression_spec=None,
        type_spec=None,
        niterations=100,
        populations=31,
        population_size=27,
        max_evals=None,
        maxsize=30,
        maxdepth=None,
        warmup_maxsize_by=None,
        timeout_in_seconds=None,
        constraints=None,
        nested_constraints=None,
        elementwise_loss=None,
        loss_function=None,
        loss_function_expression=None,
        loss_scale="log",
        complexity_of_operators=None,
        complexity_of_constants=None,
        complexity_of_variables=None,
        complexity_mapping=None,
        parsimony=0.0,
        dimensional_constraint_penalty=None,
        dimensionless_constants_only=False,
        use_frequency=True,
        use_frequency_in_tournament=True,
        adaptive_parsimony_scaling=1040.0,
        alpha=3.17,
        annealing=True,
        early_stop_condition=None,
        ncycles_per_iteration=380,
        fraction_replaced=0.00036,
        fraction_replaced_hof=0.0614,
        fraction_replaced_guesses=0.001,
        weight_add_node=None,
        weight_insert_node=None,
        weight_delete_node=None,
        weight_do_nothing=None,
        weight_mutate_constant=None,
        weight_mutate_operator=None,
        weight_mutate_feature=None,
        weight_swap_operands=None,
        weight_rotate_tree=None,
        weight_randomize=None,
        weight_simplify=None,
        weight_optimize=None,
        weight_backsolve=None,
        mutations=None,
        default_mutations=None,
        crossover_probability=0.2,
        skip_mutation_failures=True,
        migration=True,
        hof_migration=True,
        topn=12,
        should_simplify=True,
        should_optimize_constants=True,
        optimizer_algorithm="BFGS",
        optimizer_nrestarts=2,
        optimizer_f_calls_limit=None,
        optimize_probability=0.14,
        optimizer_iterations=8,
        perturbation_factor=0.129,
        probability_negate_constant=0.00743,
        tournament_selection_n=15,
        tournament_selection_p=0.982,
        parallelism=None,
        procs=None,
        cluster_manager=None,
        heap_size_hint_in_bytes=None,
        worker_timeout=None,
        worker_imports=None,
        batching="auto",
        batch_size=None,
        fast_cycle=False,
        turbo=False,
        bumper=False,
        precision=32,
        autodiff_backend=None,
        random_state=None,
        deterministic=False,
        warm_start=False,
        guesses=None,
        verbosity=1,
        update_verbosity=None,
        print_precision=5,
        progress=True,
        logger_spec=None,
        plugins=None,
        default_plugins=None,
        input_stream=None,
        use_tracing=False,
        tracing_file="pysr_trace.jsonl",
        run_id=None,
        output_directory=None,
        temp_equation_file=False,
        tempdir=None,
        delete_tempfiles=True,
        update=False,
        output_jax_format=False,
        output_torch_format=False,
        extra_sympy_mappings=None,
        extra_torch_mappings=None,
        extra_jax_mappings=None,
        denoise=False,
        select_k_features=None,
        **kwargs,
    ):
        assert not kwargs, f"unknown arguments: {sorted(kwargs)}"
        self.told = {name: value for name, value in locals().items() if name not in ("self", "kwargs")}

    def fit(
        self,
        X,
        y,
        *,
        Xresampled=None,
        weights=None,
        variable_names=None,
        complexity_of_variables=None,
        X_units=None,
        y_units=None,
    ):
        told = self.told
        _check(told, X, y, weights, variable_names)
        folder = Path(told["output_directory"]) / told["run_id"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "checkpoint.pkl").write_bytes(b"never to be opened")
        if _MODE == "error":
            raise RuntimeError("JuliaError: something\nwent wrong")
        if _MODE == "guess" and told["guesses"]:
            raise RuntimeError("ArgumentError: cannot read the guess")
        if _MODE == "exit":
            print("the last words", file=sys.stderr, flush=True)
            os._exit(3)
        if _MODE == "hang":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            (folder.parent / "child.txt").write_text(str(child.pid), encoding="utf-8")
            time.sleep(600)
        if _MODE == "noise":
            print("Compiling Julia backend...", '{"event": "finished", "search": 1}', flush=True)
        if _MODE == "garbage":
            (folder / "hall_of_fame.csv").write_text("<html>not found</html>\n", encoding="utf-8")
            return self
        rows: list[tuple[int, float, str]] = []
        for row in _search(X, y, weights, told["expression_spec"], told["random_state"], told["operators"]):
            rows.append(row)
            _save(folder, rows)
            time.sleep(0.01)
        if _MODE == "late":
            time.sleep(600)
        if told["guesses"]:
            (folder / "guesses.txt").write_text(repr(told["guesses"]), encoding="utf-8")
        return self


def _check(told, X, y, weights, variable_names):
    """What the real one insists on before it searches."""
    assert X.ndim == 2
    assert y.shape == weights.shape == (len(X),)
    assert all(np.isfinite(numbers).all() for numbers in (X, y, weights))
    assert (weights > 0).all()
    assert len(variable_names) == X.shape[1]
    assert told["maxsize"] >= 7
    assert told["tournament_selection_n"] <= told["population_size"]
    assert not told["deterministic"] or (told["parallelism"] == "serial" and told["random_state"] is not None)
    names = {name for arity in told["operators"].values() for name in arity}
    assert set(told["operators"]) <= {1, 2}
    for limits in (told["constraints"], told["complexity_of_operators"], told["nested_constraints"]):
        assert set(limits) <= names
    for arity, operators in told["operators"].items():
        for name in set(operators) & set(told["constraints"]):
            limit = told["constraints"][name]
            assert isinstance(limit, int) if arity == 1 else isinstance(limit, tuple) and len(limit) == arity
    spec = told["expression_spec"]
    for guess in told["guesses"] or []:
        assert isinstance(guess, str) if spec is None else set(guess) == {*spec.expressions, *spec.parameters}
        for name, length in ({} if spec is None else spec.parameters).items():
            assert len(guess[name]) == length
    if spec is not None:
        assert spec.variable_names == list(variable_names)
        cells = X[:, -1]
        assert set(cells) <= set(range(1, max(spec.parameters.values()) + 1))


def _search(X, y, weights, spec, seed, operators):
    """Powers of single columns, or exponentials of logarithms, by least squares over a grid of exponents."""
    rng = np.random.default_rng(seed)
    n = X.shape[1] - (spec is not None)
    yield (
        1,
        float(np.average((y - np.average(y, weights=weights)) ** 2, weights=weights)),
        _named(spec, repr(round(float(np.mean(y)), 7)), []),
    )
    for column in rng.permutation(n):
        x = X[:, column]
        place = f"x{column + 1}" if spec is None else f"#{column + 1}"
        best = None
        for exponent in (-1.0, -0.75, -0.5, -0.3, -0.2, -0.1, 0.1, 0.2, 0.5, 1.0, 2.0):
            with np.errstate(all="ignore"):
                basis = x**exponent if "^" in operators[2] and (x > 0).all() else np.exp(exponent * x)
            if not np.isfinite(basis).all():
                continue
            root = np.sqrt(weights)
            design = np.column_stack([np.ones(len(y)), basis])
            solved = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
            loss = float(np.average((y - design @ solved) ** 2, weights=weights))
            if best is None or loss < best[0]:
                best = loss, exponent, solved
        if best is None:
            continue
        loss, exponent, (a, b) = best
        if "^" in operators[2] and (x > 0).all():
            body = f"({place} ^ {_julia(exponent)})"
        else:
            body = f"exp({place} * {_julia(exponent)})"
        if spec is None:
            yield 7, loss, f"({body} * {_julia(b)}) + {_julia(a)}"
        else:
            own = [f"#{n + 1 + i}" for i in range(len(spec.parameters))]
            yield 7, loss, _named(spec, f"({body} * {own[0]}) + {own[1 % len(own)]}", [a, b])


def _named(spec, body, numbers):
    if spec is None:
        return body
    values = {name: [_julia(v) for v in (numbers * length or [0.0] * length)[:length]]
              for name, length in spec.parameters.items()}  # fmt: skip
    return "; ".join([f"f = {body}", *(f"{name} = [{', '.join(v)}]" for name, v in values.items())])


def _julia(number):
    return repr(round(float(number), 7))


def _save(folder, rows):
    text = "Complexity,Loss,Equation\n" + "".join(f'{c},{loss},"{e}"\n' for c, loss, e in rows)
    for name in ("hall_of_fame.csv", "hall_of_fame.csv.bak"):
        (folder / name).write_text(text, encoding="utf-8")
