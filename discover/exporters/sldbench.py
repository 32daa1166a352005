"""A module as SLDBench takes it: `scaling_law_func`, `fit_scaling_law`, and the `law(input_data, group)` of Harbor.

The benchmark (Lin et al., Can Language Models Discover Scaling Laws?, ICLR 2026, arXiv 2507.21184) fits the law anew
for each of its groups with `fit_scaling_law(data_points, loss_values)` and scores `scaling_law_func(data_points,
params)`; data_points are the columns of its table in its order. Groups come one at a time: a parameter that the recipe
shares is fitted to each alone. The Harbor form asks for predictions with the parameters already in the module. NumPy
and SciPy are all that the module needs.
"""

from __future__ import annotations

import math

import numpy as np

from discover.exporters.fitted import FittedLaw, free_names
from discover.exporters.infix import to_source
from discover.law import GRAMMAR

# What the benchmark calls the columns of the tasks that come with discover, in its order: ours -> theirs.
COLUMNS: dict[str, dict[str, str]] = {
    "data_constrained_scaling": {"unique_tokens": "unique_tokens", "params": "params", "tokens": "tokens"},
    "domain_mixture_scaling": {f"p{i}": f"proportion_domain_{i}" for i in range(1, 6)},
    "lr_bsz_scaling": {
        "lr": "lr", "batch_size": "bsz", "d_tokens": "data_size", "n_params": "non_embedding_param_size",
    },
    "moe_scaling": {"num_experts": "num_experts", "dense_params": "dense_parameter_count"},
    "parallel_scaling": {"num_params": "num_params", "parallel_size": "parallel_size"},
    "sft_scaling": {"sft_examples": "sft_data_size"},
    "u_shape_scaling": {"log_flops": "log_flops"},
    "vocab_scaling": {
        "non_vocab_params": "non_vocab_parameters", "vocab_size": "vocab_size", "num_characters": "num_characters",
    },
}  # fmt: skip
TARGETS: dict[str, dict[str, str]] = {
    "domain_mixture_scaling": {f"loss{i}": f"loss_domain_{i}" for i in range(1, 6)},
    "lr_bsz_scaling": {"smooth_loss": "lm_loss"},
    "moe_scaling": {"loss": "loss_validation"},
    "sft_scaling": {"loss": "sft_loss"},
    "vocab_scaling": {"lossu": "unigram_normalized_loss"},
}

_TAKEN = {"np", "re", "math", "float", "COLUMNS", "TARGETS", "READS", "PARAMETERS", "LOWER", "UPPER", "SCALE", "PRIOR",
          "params", "points", "least_squares", "zip"}  # fmt: skip

_BODY = '''
def scaling_law_func(data_points, params):
    """Predictions (row,), or (row, target) where there are several targets.

    data_points: (row, column), columns as in COLUMNS. params: those that fit_scaling_law gives.
    """
    points = _points(data_points)
    rows = np.asarray(params, dtype=float).reshape(len(TARGETS), -1)
    found = np.stack([_value(points, reads, row) for reads, row in zip(READS, rows)], axis=1)
    return found[:, 0] if len(TARGETS) == 1 else found


def fit_scaling_law(data_points, loss_values):
    """Parameters (target * parameter,) for one group, from the fitted ones of all groups and scatter around them.

    Where PRIOR is not empty, each is drawn to what is usual: a residual of gain*(parameter - centre) beside the rows.
    """
    points = _points(data_points)
    targets = np.asarray(loss_values, dtype=float).reshape(len(points), len(TARGETS))
    return np.concatenate([_fit(points, number, targets[:, number]) for number in range(len(TARGETS))])


def law(input_data: list[dict[str, float]], group: str) -> list[dict[str, float]]:
    """Predictions with the fitted parameters of a group; its name may come in another order or punctuation."""
    values = PARAMETERS[_known(group)]
    points = np.array([[point.get(column, np.nan) for column in COLUMNS] for point in input_data], dtype=float)
    points = points.reshape(len(input_data), len(COLUMNS))
    found = scaling_law_func(points, [values[target] for target in TARGETS]).reshape(len(points), len(TARGETS))
    return [dict(zip(TARGETS, map(float, row))) for row in found]


def _points(data_points):
    points = np.asarray(data_points, dtype=float)
    return points.reshape(-1, len(COLUMNS)) if points.ndim < 2 else points


def _known(group):
    if group in PARAMETERS or len(PARAMETERS) == 1:
        return group if group in PARAMETERS else next(iter(PARAMETERS))
    words = {name: sorted(re.findall(r"[\\w./-]+", name.lower())) for name in PARAMETERS}
    alike = [name for name, own in words.items() if own == sorted(re.findall(r"[\\w./-]+", str(group).lower()))]
    if len(alike) != 1:
        raise ValueError(f"group: got {group!r}, expected one of {list(PARAMETERS)}")
    return alike[0]


def _weights(points, number):
    """Square roots of the weights that the law's own fit gave to rows: WEIGHTS are its exponent, window and once."""
    exponent, window, once = WEIGHTS
    weights = np.ones(len(points))
    if once:
        _, setting, count = np.unique(points[:, READS[number]], axis=0, return_inverse=True, return_counts=True)
        weights = 1.0/count[setting.reshape(-1)]
    if SCALE[number] and (exponent or window):
        axes = [np.log(points[:, column]) if is_log else points[:, column] for column, is_log in SCALE[number]]
        scale = np.mean(axes, axis=0)
        if exponent:
            weights = weights*np.exp(exponent*(scale - scale.max()))
        if window:
            weights = np.where(scale < np.quantile(scale, window), 0.0, weights)
    return np.sqrt(weights)


def _fit(points, number, target):
    weights = _weights(points, number)

    def residuals(row):
        with np.errstate(all="ignore"):
            value = _value(points, READS[number], row)
            gap = np.log(value) - np.log(target) if LOSS.startswith("log") else value - target
        own = np.nan_to_num(weights*gap, nan=1e6, posinf=1e6, neginf=-1e6)
        return np.concatenate([own, *(np.multiply(gain, row - centre) for centre, gain in PRIOR[number:number + 1])])

    rng = np.random.default_rng(0)
    known = np.array([values[TARGETS[number]] for values in PARAMETERS.values()], dtype=float)
    known = known[np.argsort([np.sum(residuals(row)**2) for row in known])][:6]
    scattered = known[rng.integers(len(known), size=12)]
    scattered = scattered*np.exp(rng.normal(0.0, 0.3, scattered.shape))
    best = None
    for start in [*known, *scattered]:
        found = _solve(residuals, start)
        if found is not None and (best is None or found.cost < best.cost):
            best = found
    if best is None:
        return known[0]
    robust = LOSS.removeprefix("log_")
    if robust in ("huber", "soft_l1"):
        spread = 1.4826*np.median(np.abs(best.fun[:len(points)] - np.median(best.fun[:len(points)])))
        best = (_solve(residuals, best.x, loss=robust, f_scale=1.345*spread) if spread > 0 else None) or best
    return best.x


def _solve(residuals, start, **settings):
    start = np.clip(start, LOWER, UPPER)
    try:
        return least_squares(residuals, start, bounds=(LOWER, UPPER), x_scale="jac", jac="3-point", xtol=1e-12,
                             ftol=1e-12, gtol=1e-12, max_nfev=300, **settings)
    except (ValueError, np.linalg.LinAlgError):
        return None
'''


def export(fitted: FittedLaw) -> str:
    """Source of the module; `law` and `scaling_law_func` predict what the law predicts, to rounding."""
    law, task = fitted.law, str(fitted.provenance.get("task", ""))
    theirs, called = COLUMNS.get(task, {}), TARGETS.get(task, {})
    if not {fitted.column(target, name) for target in fitted.targets for name in law.inputs} <= set(theirs):
        theirs = {name: name for name in fitted.columns}
    place = {column: number for number, column in enumerate(theirs)}
    reads = [[place[fitted.column(target, name)] for name in law.inputs] for target in fitted.targets]
    scale = [
        [(place[fitted.column(target, axis)], is_log) for axis, is_log in fitted.scale_axes.items()]
        if all(fitted.column(target, axis) in place for axis in fitted.scale_axes)
        else []
        for target in fitted.targets
    ]
    names = free_names((*law.inputs, *law.parameters), _TAKEN)
    source = to_source(law.expression, names, _call)
    lines = ['"""', *fitted.heading(), "", "For SLDBench (arXiv 2507.21184): scaling_law_func and fit_scaling_law as"]
    lines += ["its evaluator imports them, and law(input_data, group) as its Harbor form does.", '"""', ""]
    lines += ["import math"] if "math." in source else []
    lines += ["import re", "", "import numpy as np", "from scipy.optimize import least_squares", ""]
    lines += [f"COLUMNS = {list(theirs.values())!r}", f"TARGETS = {[called.get(t, t) for t in fitted.targets]!r}"]
    lines += [f"READS = {reads!r}  # for each target: the columns of {', '.join(law.inputs) or 'no input'}"]
    lines += [f"SCALE = {scale!r}  # for each target: (column, compared by ratios) of the scale axes"]
    loss, *settings = (str(fitted.provenance.get("recipe") or "squared")).split()
    known = dict(setting.split("=", 1) for setting in settings if "=" in setting)
    lines += [f"LOSS = {loss!r}"]
    lines += [f"WEIGHTS = {tuple(float(known.get(name, 0.0)) for name in ('weight', 'window', 'once'))!r}"]
    lines += [f"PRIOR = {_prior(fitted)!r}  # for each target: centre and gain of the parameters"]
    lines += [f"LOWER = np.array({[_bound(low) for low, _ in law.parameter_bounds]})".replace("'", "")]
    lines += [f"UPPER = np.array({[_bound(high) for _, high in law.parameter_bounds]})".replace("'", "")]
    lines += [f"# group -> target -> {', '.join(law.parameters)}", "PARAMETERS = {"]
    for group in fitted.groups:
        own = {
            called.get(cell.target, cell.target): list(fitted.values(number).values())
            for number, cell in enumerate(fitted.cells)
            if cell.group == group
        }
        lines.append(f"    {group!r}: {own!r},")
    lines += ["}", "", "", "def _value(points, reads, params):"]
    lines += [f"    {names[name]} = points[:, reads[{number}]]" for number, name in enumerate(law.inputs)]
    unpacked = ", ".join(names[name] for name in law.parameters) + ("," if len(law.parameters) == 1 else "")
    lines += [f"    {unpacked} = np.asarray(params, dtype=float)"] if law.parameters else []
    lines += ['    with np.errstate(all="ignore"):', f"        return np.zeros(len(points)) + ({source})", ""]
    return "\n".join(lines) + _BODY


def _prior(fitted: FittedLaw) -> list[tuple[list[float], list[float]]]:
    """For each target what a group that nobody saw is told: the centre and gain of the parameters in the middle of the
    known groups; empty where the recipe does not shrink."""
    told = fitted.provenance.get("prior") or {}
    if not told:
        return []
    found = []
    for target in fitted.targets:
        lines = [told[cell.label] for cell in fitted.cells if cell.target == target]
        both = np.median([[line[name] for name in fitted.law.parameters] for line in lines], axis=0)
        found.append((both[:, 0].tolist(), both[:, 1].tolist()))
    return found


def _bound(value: float) -> str:
    return repr(value) if math.isfinite(value) else ("np.inf" if value > 0 else "-np.inf")


def _call(function: str, arguments: list[str]) -> str:
    return GRAMMAR[function].python.format(*arguments)
