"""A stand-alone JAX module: `predict(inputs..., group, target)`, to be jitted, differentiated and mapped.

Laws are sums of terms that nearly cancel, logarithms squared and powers of 1e10: in single precision they would lose
what the fit found. So the module computes in double precision whatever `jax_enable_x64` says, and gives back the
precision that JAX is set to.
"""

from __future__ import annotations

from discover.exporters.fitted import FittedLaw
from discover.exporters.python_module import begin, parameter_lines, refusal_lines
from discover.law import GRAMMAR

_TAKEN = {"jax", "jnp", "enable_x64", "float", "PARAMETERS", "parameters", "group", "target", "precision", "ValueError",
          "list", "value"}  # fmt: skip
_SPECIAL = {"erf": "jax.scipy.special.erf({0})", "gamma": "jax.scipy.special.gamma({0})"}


def export(fitted: FittedLaw) -> str:
    """Source of the module; predictions equal those of the law to rounding, in double or in single precision."""
    law = fitted.law
    names, inputs, chosen, key, source, lines = begin(fitted, _TAKEN, _call)
    lines += ["`parameters` takes the place of those fitted, as a dict; differentiate with respect to it to fine-tune."]
    lines += ["It computes in double precision inside and returns single precision unless jax_enable_x64 is set."]
    lines += ['"""', ""]
    lines += ["import jax", "import jax.scipy.special"] if "jax.scipy" in source else []
    lines += ["import jax.numpy as jnp", "from jax import enable_x64  # JAX 0.8 or newer", ""]
    lines += [*parameter_lines(fitted, bool(chosen)), "", ""]
    lines += [f"def predict({', '.join([*inputs, *chosen, 'parameters=None'])}):"]
    lines += ["    if parameters is None:"]
    lines += [f"    {line}" for line in refusal_lines(chosen, key)]
    lines += [f"        parameters = PARAMETERS[{key}]"]
    lines += ["    precision = jnp.result_type(float)", "    with enable_x64(True):"]
    for name in law.parameters:
        lines.append(f"        {names[name]} = jnp.asarray(parameters[{name!r}], dtype=jnp.float64)")
    lines += [f"        {name} = jnp.asarray({name}, dtype=jnp.float64)" for name in inputs]
    lines += [f"        return jnp.asarray({source}).astype(precision)", ""]
    return "\n".join(lines)


def _call(function: str, arguments: list[str]) -> str:
    template = _SPECIAL.get(function) or GRAMMAR[function].python.replace("np.", "jnp.")
    return template.format(*arguments)
