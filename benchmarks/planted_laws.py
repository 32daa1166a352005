"""Forty known laws, planted into tables of made-up measurements: what a search ought to find.

In: a seed. Out: `Planted` laws: a published form with its parameters, noise of 0.1 to 2 %, a grid with gaps, outliers
in some; as task folders, as `Rows`, and as noiseless values ten times beyond every axis. Stays out: any search.

Source: the forms and, where there are any, the coefficients are those of the papers named in `FORMS` (arXiv ids); where
a paper gives none, and where a term would drown in the noise, plausible ones stand in their place. Every seed moves
each of them by up to 5 %.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from discover.law import Law, parse
from discover.task import Cell, Rows

CAP = 8  # parameters that a law may have in every planted task, so that the cap says nothing about the truth
NOISE = (0.001, 0.02)  # relative standard deviation, least and most
REACH = 10.0
_MOVED = 0.05  # relative change of a form's parameters, at most, from seed to seed
_GAPS = (0.0, 0.1, 0.2, 0.3)  # part of the grid that was not measured
_OUTLIERS = 10  # laws whose tables have some
_OUTLYING = (0.04, 8.0, 20.0)  # part of their rows, and how far off these are, in standard deviations of the noise

Array = np.ndarray


@dataclass(frozen=True)
class Axis:
    """An input and the levels at which it is measured.

    Attributes:
        low, high: The least and largest level of the training rows.
        levels: How many, equally spaced, in the logarithm where `scale` is "log".
        scale: "log" or "linear".
        extrapolated: Whether a law is asked for beyond the largest level; a share or a number of bits is not.
    """

    name: str
    unit: str
    low: float
    high: float
    levels: int
    scale: str = "log"
    extrapolated: bool = True

    @property
    def values(self) -> Array:
        """(level,) of the training rows."""
        if self.scale == "log":
            return np.geomspace(self.low, self.high, self.levels)
        return np.linspace(self.low, self.high, self.levels)

    def beyond(self, reach: float) -> float:
        """The largest level times `reach`, or on a linear axis log10(reach) times its range further."""
        if self.scale == "log":
            return self.high * reach
        return self.high + float(np.log10(reach)) * (self.high - self.low)

    @property
    def next_level(self) -> float:
        """The level after the largest, or the second after it where they lie closer than a factor of 2."""
        values = self.values
        if self.scale == "log":
            step = values[-1] / values[-2]
            return float(values[-1] * (step if step >= 2.0 else step**2))
        return float(values[-1] + 2 * (values[-1] - values[-2]))


@dataclass(frozen=True)
class Form:
    """A published form with coefficients.

    Attributes:
        source: arXiv id.
        parameters: Name -> value before a seed moves it.
        axes: Inputs; the held-out rows lie beyond the first.
    """

    name: str
    source: str
    formula: str
    target: str
    unit: str
    parameters: Mapping[str, float]
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class Planted:
    """A law with its measurements.

    Attributes:
        parameters: (parameter,) in the order of `law.parameters`.
        noise: Relative standard deviation of a measurement.
        inputs, clean, target: (row, input), (row,), (row,): the settings, the law there, and what was measured.
        held_out: (row,) whether a row lies at the largest scale, beyond the training rows.
        outliers: (row,) whether a measurement went wrong.
    """

    form: Form
    law: Law
    parameters: Array
    noise: float
    inputs: Array
    clean: Array
    target: Array
    held_out: Array
    outliers: Array

    @property
    def name(self) -> str:
        return self.form.name

    @property
    def spellings(self) -> tuple[Law, ...]:
        """The law, and its form in other spellings: the same functions by other parameters."""
        names = self.input_names
        return (self.law, *(parse(formula, names) for formula in SPELLINGS.get(self.name, ())))

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(axis.name for axis in self.form.axes)

    def values(self, inputs: Array) -> Array:
        """The law (row,), without noise, at `inputs` (row, input)."""
        columns = dict(zip(self.input_names, inputs.T, strict=True))
        return self.law.predict({name: columns[name] for name in self.law.inputs}, self.parameters)

    def rows_at(self, inputs: Array, target: Array | None = None) -> Rows:
        """`Rows` of one cell at `inputs` (row, input), by default with the noiseless law as their target."""
        n = len(inputs)
        target = self.values(inputs) if target is None else target
        return Rows(self.input_names, (Cell("", self.form.target),), inputs, target, np.zeros(n, int), np.arange(n) + 2)

    @cached_property
    def training(self) -> Rows:
        """The rows that a search sees, as measured."""
        mine = ~self.held_out
        return self.rows_at(self.inputs[mine], self.target[mine])

    def measured_again(self, rng: np.random.Generator) -> Rows:
        """The training rows with noise and outliers drawn anew: another table of the same experiment."""
        mine = ~self.held_out
        off = self.outliers[mine]
        return self.rows_at(self.inputs[mine], _measured(self.clean[mine], self.noise, off, rng))

    @cached_property
    def beyond(self) -> dict[str, Array]:
        """Direction -> inputs (row, input) ten times beyond: each extrapolated axis alone, then all "jointly".

        An axis that is moved stands at ten times its largest training level (on a linear axis one range further), the
        others at all of their levels.
        """
        moved = [axis.name for axis in self.form.axes if axis.extrapolated]
        directions = {name: {name} for name in moved}
        if len(moved) > 1:
            directions["jointly"] = set(moved)
        return {name: _grid([self._levels(axis, axis.name in d) for axis in self.form.axes]) for name, d in
                directions.items()}  # fmt: skip

    @staticmethod
    def _levels(axis: Axis, is_moved: bool) -> Array:
        return np.array([axis.beyond(REACH)]) if is_moved else axis.values


def planted_laws(seed: int = 0) -> tuple[Planted, ...]:
    """The forty laws with their measurements; the same seed gives the same bits."""
    rng = np.random.default_rng([seed, 40])
    noise = rng.permutation(np.geomspace(*NOISE, len(FORMS)))
    gaps = rng.permutation(np.resize(_GAPS, len(FORMS)))
    outlying = rng.permutation(np.arange(len(FORMS)) < _OUTLIERS)
    drawn = zip(FORMS, noise, gaps, outlying, strict=True)
    return tuple(
        plant(form, float(level), float(gap), bool(off), np.random.default_rng([seed, number]))
        for number, (form, level, gap, off) in enumerate(drawn)
    )


def plant(form: Form, noise: float, gaps: float, outliers: bool, rng: np.random.Generator) -> Planted:
    """One law with parameters near those of its form, measured on a grid.

    Args:
        noise: Relative standard deviation of every measurement.
        gaps: Part of the grid of training rows that is missing. Where there are two axes to extrapolate along, half of
            it is taken from the corner where both are high, which is what nobody can afford.
        outliers: Whether one row in 25 (at least one) is off by 8 to 20 standard deviations of the noise, upwards.
    """
    names = [axis.name for axis in form.axes]
    law = parse(form.formula, names)
    moved = {name: value * (1.0 + _MOVED * rng.uniform(-1.0, 1.0)) for name, value in form.parameters.items()}
    parameters = np.array([moved[name] for name in law.parameters])
    inside = _grid([axis.values for axis in form.axes])
    first = np.array([form.axes[0].next_level])
    outside = _grid([first, *(axis.values for axis in form.axes[1:])])
    inside = inside[_kept(form, inside, gaps, rng)]
    inputs = np.concatenate([inside, outside])
    held_out = np.arange(len(inputs)) >= len(inside)
    columns = dict(zip(names, inputs.T, strict=True))
    clean = law.predict({name: columns[name] for name in law.inputs}, parameters)
    off = np.zeros(len(inputs), dtype=bool)
    if outliers:
        count = max(round(_OUTLYING[0] * len(inside)), 1)
        off[rng.choice(len(inside), size=count, replace=False)] = True
    target = _measured(clean, noise, off, rng)
    return Planted(form, law, parameters, noise, inputs, clean, target, held_out, off)


def write_task(planted: Planted, folder: Path) -> Path:
    """A task folder as `discover run` takes it, with the truth beside it in truth.json, which no task reads.

    Returns:
        The folder that holds task.toml and points.csv: `folder` / the law's name.
    """
    place = folder / planted.name
    place.mkdir(parents=True, exist_ok=True)
    form = planted.form
    axes = ", ".join(f'"{axis.name}"' for axis in form.axes if axis.extrapolated)
    sign = "log" if (planted.clean > 0).all() else "linear"
    first = form.axes[0]
    edge = (first.high + first.next_level) / 2.0
    lines = [
        "[task]", f'name = "{form.name}"', 'title = "A planted law"', f"scale_axes = [{axes}]",
        f"parameter_cap = {CAP}", "", "[data]", 'file = "points.csv"', "",
    ]  # fmt: skip
    for axis in form.axes:
        lines += ["[[inputs]]", f'name = "{axis.name}"', f'unit = "{axis.unit}"', f'scale = "{axis.scale}"', ""]
    lines += ["[[targets]]", f'name = "{form.target}"', f'unit = "{form.unit}"', f'scale = "{sign}"', ""]
    lines += ["[split]", 'reason = "the largest scale"', f'any_of = [{{ column = "{first.name}", above = {edge!r} }}]']
    (place / "task.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = [",".join([*planted.input_names, form.target])]
    for settings, value in zip(planted.inputs.tolist(), planted.target.tolist(), strict=True):
        table.append(",".join(repr(number) for number in [*settings, value]))
    (place / "points.csv").write_text("\n".join(table) + "\n", encoding="utf-8")
    truth = {
        "formula": form.formula, "parameters": dict(zip(planted.law.parameters, planted.parameters, strict=True)),
        "noise": planted.noise, "outliers": int(planted.outliers.sum()), "source": f"arXiv {form.source}",
    }  # fmt: skip
    (place / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return place


def _grid(levels: list[Array]) -> Array:
    """All combinations (row, input) of the levels of each input."""
    return np.stack(np.meshgrid(*levels, indexing="ij"), axis=-1).reshape(-1, len(levels))


def _kept(form: Form, grid: Array, gaps: float, rng: np.random.Generator) -> Array:
    """Which rows (mask) of the grid were measured: the least and largest level of every input stay somewhere."""
    missing = round(gaps * len(grid))
    scaled = [index for index, axis in enumerate(form.axes) if axis.extrapolated][:2]
    height = np.full(len(grid), np.inf)
    for index in scaled:
        height = np.minimum(height, np.searchsorted(np.unique(grid[:, index]), grid[:, index]))
    corner = np.argsort(-height, kind="stable")[: missing // 2] if len(scaled) > 1 else np.zeros(0, dtype=int)
    kept = np.ones(len(grid), dtype=bool)
    kept[corner] = False
    for row in rng.permutation(np.flatnonzero(kept)):
        if kept.sum() <= len(grid) - missing:
            break
        kept[row] = False
        if any(len(np.unique(grid[kept, index])) < axis.levels for index, axis in enumerate(form.axes)) and (
            len(form.axes) > 1 or row in (0, len(grid) - 1)
        ):
            kept[row] = True  # the last row of a level
    return kept


def _measured(clean: Array, noise: float, off: Array, rng: np.random.Generator) -> Array:
    draws = rng.standard_normal(len(clean))
    far = rng.uniform(*_OUTLYING[1:], len(clean))
    return clean + np.abs(clean) * noise * np.where(off, far, draws)


def _n(low: float, high: float, levels: int, name: str = "N") -> Axis:
    return Axis(name, "parameters", low, high, levels)


def _d(low: float, high: float, levels: int, name: str = "D") -> Axis:
    return Axis(name, "tokens", low, high, levels)


def _loss(name: str, source: str, formula: str, axes: tuple[Axis, ...], **parameters: float) -> Form:
    return Form(name, source, formula, "loss", "nats/token", parameters, axes)


def _other(name: str, source: str, formula: str, target: str, axes: tuple[Axis, ...], **parameters: float) -> Form:
    return Form(name, source, formula, target, "1", parameters, axes)


FORMS: tuple[Form, ...] = (
    # One input.
    _loss("kaplan_n", "2001.08361", "(Nc/N)**alpha", (_n(1e6, 3e8, 12),), Nc=8.8e13, alpha=0.076),
    _loss("henighan", "2010.14701", "E + (x0/x)**alpha", (_n(1e4, 1e8, 14, "x"),), E=2.2, x0=63.0, alpha=0.13),
    _other("bnsl", "2210.14891", "a + b*x**(-c0)*(1 + (x/d1)**(1/f1))**(-c1*f1)", "error",
           (Axis("x", "examples", 10.0, 1e5, 24),), a=0.1, b=2.0, c0=0.1, c1=0.5, d1=1000.0, f1=0.3),
    _other("m3", "2209.06640", "b*(1/x + g)**c", "error", (Axis("x", "examples", 1e4, 1e8, 16),), b=3.0, g=1e-7, c=0.2),
    _other("zhai_vit", "2106.04560", "c + a*(C + d)**(-b)", "error", (Axis("C", "core-days", 0.05, 300.0, 16),),
           a=0.26, b=0.35, c=0.09, d=0.3),
    _loss("rectified_sft", "2402.02314", "B/(C + D**beta) + E", (_d(200.0, 4e5, 14),),
          B=563.8, C=166.0, beta=0.455, E=1.07),
    _other("scalerl", "2510.13786", "R0 + A/(1 + (Cmid/C)**B)", "pass_rate", (Axis("C", "GPU-hours", 100.0, 3e4, 16),),
           R0=0.25, A=0.36, B=1.9, Cmid=2500.0),
    _other("hstu", "2402.17152", "a + b*log(C)", "hit_rate", (Axis("C", "PF-days", 1.0, 3000.0, 10),),
           a=0.15, b=0.0195),
    _other("monkeys", "2407.21787", "exp(-a*k**(-b))", "coverage", (Axis("k", "samples", 1.0, 1000.0, 10),),
           a=1.8, b=0.25),
    _other("overtrain_error", "2403.08540", "eps - k*exp(-g*L)", "error",
           (Axis("L", "nats/token", 2.2, 4.5, 12, "linear"),), eps=0.85, k=2.08, g=0.756),
    _other("task_sigmoid", "2412.04403", "b + a/(1 + exp(-k*(L - L0)))", "error",
           (Axis("L", "nats/token", 0.3, 1.2, 16, "linear"),), a=0.6, k=6.0, L0=0.8, b=0.15),
    _other("u_shape_hard", "2410.01692", "a0 + a1*x + a2*x**2", "brier",
           (Axis("x", "log10(FLOP)", -5.0, 1.0, 16, "linear"),), a0=-0.55, a1=-0.04, a2=-0.012),
    # Two inputs.
    _loss("chinchilla", "2203.15556", "E + A/N**alpha + B/D**beta", (_n(5e7, 3e9, 6), _d(1e9, 1e11, 7)),
          E=1.69, A=406.4, alpha=0.34, B=410.7, beta=0.28),
    _loss("kaplan_nd", "2001.08361", "((Nc/N)**(alpha/beta) + Dc/D)**beta", (_n(1e6, 1e9, 6), _d(2e7, 2e10, 6)),
          Nc=6.4e13, alpha=0.076, Dc=1.8e13, beta=0.103),
    _loss("nd_coupled", "2502.08606", "E + (A/N**alpha + B/D**beta)**g", (_n(3e7, 3e9, 7), _d(1e9, 1e11, 7)),
          E=1.22, A=3355.0, alpha=0.408, B=18186.0, beta=0.431, g=0.452),
    _loss("parscale", "2505.10475", "E + (A/(N*(1 + k*log(P))))**alpha",
          (_n(5e8, 4.4e9, 6), Axis("P", "streams", 1.0, 8.0, 4)), E=1.289, A=1.97e8, k=0.334, alpha=0.196),
    _loss("clark_moe", "2202.01169", "10**(d - a*log10(N) - b*log10(X) + c*log10(N)*log10(X))",
          (_n(1.5e7, 1.3e9, 6), Axis("X", "experts", 1.0, 256.0, 6)), a=0.082, b=0.108, c=0.009, d=1.104),
    _loss("bimix", "2405.14908", "(B/s**beta + C)/r**alpha",
          (Axis("s", "10,000 steps", 0.5, 10.0, 8), Axis("r", "share", 0.02, 0.5, 6, extrapolated=False)),
          B=0.309, C=2.947, alpha=0.0407, beta=1.2),
    _other("steplaw_lr", "2503.04715", "c*N**(-a)*D**b", "best_lr", (_n(6e7, 1e9, 5), _d(2e9, 1e11, 6)),
           c=1.79, a=0.713, b=0.307),
    _loss("overtrain_loss", "2403.08540", "E + (a*M**eta + b*M**(-eta))*C**(-eta)",
          (Axis("C", "FLOP", 1e17, 1e20, 7), Axis("M", "tokens per parameter", 5.0, 640.0, 6)),
          E=1.51, a=141.0, b=190.0, eta=0.121),
    _loss("finetune_joint", "2402.17193", "A/(X**alpha*D**beta) + E", (_n(1e8, 1e10, 5, "X"), _d(1e4, 1e6, 6)),
          A=60.0, alpha=0.1, beta=0.12, E=0.5),
    _loss("rl_post_training", "2509.25300", "E - K*log(X)/(1 + N0/N)",
          (_n(5e8, 3.2e10, 6), Axis("X", "PFLOP", 10.0, 3000.0, 8)), K=0.2, N0=5e9, E=2.5),
    _loss("repeated_tokens", "2305.16264", "E + B/(U*(1 + R*(1 - exp(-(epochs - 1)/R))))**beta",
          (_d(1e8, 1e10, 6, "U"), Axis("epochs", "passes", 1.0, 64.0, 7)), E=1.87, B=1488.0, R=15.4, beta=0.353),
    _loss("nmt", "2109.07740", "a*Ne**(-pe)*Nd**(-pd) + E", (_n(1e7, 1e9, 6, "Ne"), _n(1e7, 1e9, 6, "Nd")),
          a=1200.0, pe=0.18, pd=0.19, E=1.4),
    _other("dense_retrieval", "2403.18684", "((A/N)**(alpha/beta) + B/D)**beta + d", "contrastive_entropy",
           (_n(1e6, 1e8, 7), Axis("D", "pairs", 1e4, 1e6, 7)), A=1e6, alpha=0.5, beta=0.6, B=1e4, d=0.03),
    _other("sovit_shape", "2305.13035", "alpha*x**(-a) + (beta*x**b + xi)*t**(-c) + eps", "error",
           (Axis("t", "GFLOP", 1e4, 1e8, 8), Axis("x", "width", 64.0, 4096.0, 7)),
           alpha=2.0, a=0.5, beta=0.5, b=0.4, xi=1.0, c=0.25, eps=0.1),
    _other("sloth", "2412.06540", "g + (1 - g)/(1 + exp(-(b + c1*log(s) + c2*log(t) + c3*log(s)*log(t))))", "accuracy",
           (Axis("s", "billion parameters", 0.5, 16.0, 7), Axis("t", "trillion tokens", 0.1, 3.0, 7)),
           g=0.25, b=-1.0, c1=0.5, c2=0.3, c3=0.05),
    # Three inputs.
    _loss("gemstones", "2502.06857", "A/w**alpha + B/depth**beta + C/T**gam + E",
          (Axis("w", "width", 256.0, 3072.0, 5), Axis("depth", "layers", 3.0, 80.0, 5), _d(1e9, 3e11, 6, "T")),
          A=8.3, alpha=0.26, B=2.08, beta=0.142, C=102933.0, gam=0.542, E=0.5),
    _loss("granularity", "2402.07871", "c + (g/G**gam + a)/N**alpha + b/D**beta",
          (_n(1e8, 3e9, 5), _d(5e9, 1e11, 5), Axis("G", "granularity", 1.0, 16.0, 5, extrapolated=False)),
          c=0.47, g=2.1, gam=0.58, a=18.1, alpha=0.115, b=30.8, beta=0.147),
    _other("qat_error", "2505.14302", "k*D**gD*log(G)**gG/N**gN", "loss_gap",
           (_n(7e7, 6e8, 4), _d(1e10, 1e11, 4), Axis("G", "group size", 32.0, 512.0, 5, extrapolated=False)),
           k=0.21, gN=0.2186, gD=0.0745, gG=0.7779),
    _other("precision_ptq", "2411.04330", "C*D**gD/N**gN*exp(-P/g)", "loss_gap",
           (_d(1.5e9, 2.6e10, 5), _n(3e7, 2.2e8, 4), Axis("P", "bits", 3.0, 6.0, 4, "linear", extrapolated=False)),
           C=0.0598, gD=0.5068, gN=0.3439, g=0.5907),
    _loss("data_constrained", "2305.16264", "E + A/N**alpha + B/(U*(1 + R*(1 - exp(-(epochs - 1)/R))))**beta",
          (_n(5e7, 2e9, 5), _d(1e8, 1e10, 5, "U"), Axis("epochs", "passes", 1.0, 64.0, 5)),
          E=1.87, A=521.0, alpha=0.353, B=1488.0, R=15.4, beta=0.353),
    _loss("sparse_weights", "2309.08520", "(a*d**b + k)/N**alpha + (D0/D)**beta + E",
          (_n(1e6, 1e8, 5), _d(1e9, 6e10, 5), Axis("d", "share of weights", 0.125, 1.0, 4, extrapolated=False)),
          a=16.8, b=0.722, k=45.0, alpha=0.245, D0=6.9e8, beta=0.203, E=0.651),
    Form("vocab", "2407.13623", "A/N**alpha + B/V**beta + C/D**gam - E", "lossu", "nats/token",
         {"A": 1.83, "alpha": 0.447, "B": 0.6, "beta": 0.67, "C": 2.12, "gam": 0.447, "E": 5.53},
         (Axis("V", "million vocabulary parameters", 2.0, 60.0, 5), Axis("N", "million parameters", 30.0, 1100.0, 5),
          Axis("D", "billion tokens", 0.5, 20.0, 6))),
    _loss("languages", "2510.22037", "E + A*K**phi/N**alpha + B*K**psi/D**beta",
          (_n(1e8, 5e9, 5), _d(1e9, 1e11, 5), Axis("K", "languages", 1.0, 50.0, 5)),
          E=1.5, A=400.0, phi=0.11, alpha=0.35, B=1500.0, psi=-0.04, beta=0.35),
    _loss("lr_annealing", "2408.11029", "E + A*S1**(-alpha) + B*N**(-beta) - C*S2",
          (_n(2.5e7, 4e8, 5), Axis("S1", "sum of learning rates", 0.3, 8.0, 6),
           Axis("S2", "annealed sum", 0.0, 0.4, 4, "linear", extrapolated=False)),
          E=1.5, A=0.64, alpha=0.43, B=20.0, beta=0.15, C=0.57),
    _loss("mixing", "2403.16952", "c + k*exp(-t1*r1 - t2*r2 - t3*r3)",
          (Axis("r1", "share", 0.0, 0.3, 4, "linear"), Axis("r2", "share", 0.0, 0.3, 4, "linear", extrapolated=False),
           Axis("r3", "share", 0.0, 0.3, 4, "linear", extrapolated=False)), c=1.5, k=1.2, t1=3.0, t2=1.5, t3=-0.6),
    # Four inputs.
    _loss("precision_train", "2411.04330", "A/(N*(1 - exp(-Pw/gw))*(1 - exp(-Pa/ga)))**alpha + B/D**beta + E",
          (_n(3e7, 2.2e8, 4), _d(1.5e9, 2.6e10, 4), Axis("Pw", "bits", 3.0, 12.0, 4, extrapolated=False),
           Axis("Pa", "bits", 3.0, 12.0, 4, extrapolated=False)),
          A=4299.0, alpha=0.4965, gw=2.6745, ga=2.2102, B=18060.0, beta=0.589, E=2.7648),
    _other("agents", "2512.08296", "b0 + b1*I + b2*log(1 + T) + b3*P - b4*P*log(1 + n)", "success",
           (Axis("I", "index", 20.0, 70.0, 5, "linear"), Axis("T", "tools", 2.0, 16.0, 4),
            Axis("P", "share", 0.1, 0.7, 4, "linear", extrapolated=False), Axis("n", "agents", 1.0, 9.0, 4)),
           b0=0.1, b1=0.005, b2=0.05, b3=0.3, b4=0.1),
    _other("weight_decay", "2505.13738", "B*R**m/(c*eta*D)", "weight_decay",
           (_d(1e9, 1e11, 4), Axis("B", "tokens", 1e5, 4e6, 4), Axis("R", "tokens per parameter", 5.0, 320.0, 4),
            Axis("eta", "1", 5e-4, 8e-3, 3)), c=1.084, m=0.527),
)  # fmt: skip

# Other formulas for the same functions, as a search would write them.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "kaplan_n": ("A*N**(-alpha)", "exp(k - alpha*log(N))"),
    "henighan": ("E + A*x**(-alpha)",),
    "m3": ("(G + A/x)**c", "b*(x/(1 + g*x))**(-c)", "b*(g + x)**(-c)*x**c"),
    "scalerl": ("E + A/(k + C**B)", "R0 + A/(1 + k*C**(-B))", "E + A/(1 + k*C**B)"),
    "task_sigmoid": ("b + a*sigmoid(k*(L - L0))", "b + a/(1 + c*exp(k*L))", "E + a*tanh(k*(L - L0))"),
    "hstu": ("b*log(k*C)",),
    "monkeys": ("exp(a*k**b)",),
    "kaplan_nd": ("(A*N**(-alpha) + B/D)**beta",),
    "dense_retrieval": ("(A*N**(-alpha) + B/D)**beta + d",),
    "parscale": ("E + A*(N*(1 + k*log(P)))**(-alpha)", "E + A*(N + k*N*log(P))**(-alpha)"),
    "clark_moe": ("exp(k + a*log(N) + b*log(X) + c*log(N)*log(X))", "A*N**(a + c*log(X))*X**b"),
    "rl_post_training": ("E - A*log(X)*(1/(k + N))*N", "E - A*log(X)/(1 + k/N)", "E + A*log(X)*N/(k + N)"),
    "sparse_weights": ("(a*d**b + k)*N**(-alpha) + B*D**(-beta) + E",),
    "weight_decay": ("c*B*R**m/(eta*D)",),
    "precision_ptq": ("C*D**a*N**(-b)*exp(-g*P)",),
    "steplaw_lr": ("exp(k + a*log(N) + b*log(D))",),
    "sloth": ("g + (1 - g)*sigmoid(b + c1*log(s) + c2*log(t) + c3*log(s)*log(t))",),
    "bimix": ("B*s**(-beta)*r**(-alpha) + C*r**(-alpha)",),
    "sovit_shape": ("alpha*x**(-a) + beta*x**b*t**(-c) + xi*t**(-c) + eps",),
    "granularity": ("c + g*G**(-gam)*N**(-alpha) + a*N**(-alpha) + b*D**(-beta)",),
}

__all__ = ["CAP", "FORMS", "NOISE", "REACH", "Axis", "Form", "Planted", "plant", "planted_laws", "write_task"]
