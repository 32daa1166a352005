"""The figures of a report, each a function from evidence to a Matplotlib figure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from discover.fitting import predict_cells
from discover.report.curves import Curve, curves
from discover.report.drawing import COLOURS, FAINT, INK, MANY, log_ticks
from discover.report.evidence import LEVEL, Evidence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

New = Callable[..., "Figure"]
_PANELS = 6
_CURVES = 3
_SHOWN = 34  # characters of a name in a figure
_LEAST_LEFT = 1e-6  # of 1 - R2
_LEFT_TICKS = (2.0, 1.0, 0.5, 0.1, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)


def measured_and_predicted(evidence: Evidence, new: New) -> Figure | None:
    """Each training row: what was measured against what the law gives, its band as a whisker."""
    rows = evidence.task.training
    band = evidence.bands.predict(rows, LEVEL)
    figure = new(figsize=(5.2, 4.4))
    axes = figure.add_subplot()
    groups, number = _groups(evidence)
    aside = evidence.is_set_aside
    for place, label in enumerate(groups):
        mine = (number == place) & ~aside
        colour = COLOURS[place % len(COLOURS)]
        spread = np.abs(np.array([band.centre[mine] - band.lower[mine], band.upper[mine] - band.centre[mine]]))
        axes.errorbar(rows.target[mine], band.centre[mine], yerr=np.nan_to_num(spread), fmt="none", ecolor=colour,
                      alpha=0.18, elinewidth=0.8, rasterized=rows.n_rows > MANY)  # fmt: skip
        axes.plot(rows.target[mine], band.centre[mine], "o", ms=3.2, mew=0, color=colour, alpha=0.75,
                  label=_cut(label), rasterized=rows.n_rows > MANY)  # fmt: skip
    if aside.any():
        axes.plot(rows.target[aside], band.centre[aside], "x", ms=4.5, mew=1.1, color=INK, label="set aside")
    ends = np.array([rows.target.min(), rows.target.max()])
    pad = 0.04 * float(np.ptp(ends)) or 1.0
    axes.plot(ends + [-pad, pad], ends + [-pad, pad], color=INK, lw=0.9, alpha=0.6)
    axes.set_xlabel(f"measured {_target(evidence)}")
    axes.set_ylabel("predicted")
    if len(groups) + aside.any() > 1 and len(groups) <= len(COLOURS):
        axes.legend(loc="upper left", handletextpad=0.2)
    return figure


def residuals(evidence: Evidence, new: New) -> Figure | None:
    """Measured less predicted against each input that varies."""
    rows = evidence.task.training
    names = [name for name in rows.input_names if np.ptp(rows.column(name)) > 0]
    if not names:
        return None
    gap = rows.target - evidence.predicted
    figure, panels = _panels(new, len(names), width=3.4, height=2.6)
    groups, number = _groups(evidence)
    for name, axes in zip(names, panels, strict=True):
        for place in range(len(groups)):
            mine = (number == place) & ~evidence.is_set_aside
            axes.plot(rows.column(name)[mine], gap[mine], "o", ms=2.8, mew=0, alpha=0.6,
                      color=COLOURS[place % len(COLOURS)], rasterized=rows.n_rows > MANY)  # fmt: skip
        axes.axhline(0.0, color=INK, lw=0.9, alpha=0.6)
        _scaled(axes, evidence, name)
        axes.set_xlabel(_with_unit(evidence, name))
    panels[0].set_ylabel("measured − predicted")
    return figure


def extrapolation(evidence: Evidence, axis: str, new: New) -> Figure | None:
    """The law along a scale axis and beyond its largest measured value, with its band."""
    task = evidence.task
    cells = [cell for cell in range(len(task.cells)) if (task.training.cell == cell).any()]
    shown = [cells[i] for i in np.unique(np.round(np.linspace(0, len(cells) - 1, _PANELS)).astype(int))]
    several = len(shown) > 1
    followed = [(cell, curves(task, axis, cell, 1 if several else _CURVES)) for cell in shown]
    followed = [(cell, found) for cell, found in followed if found]
    if not followed:
        return None
    figure, panels = _panels(new, len(followed), width=3.3 if several else 6.6, height=2.7 if several else 4.2)
    for (cell, found), axes in zip(followed, panels, strict=True):
        for place, curve in enumerate(found):
            _curve(evidence, axes, curve, axis, COLOURS[place], one=len(found) == 1)
        edge = float(task.training.column(axis)[task.training.cell == cell].max())
        axes.axvline(edge, color=INK, lw=0.8, ls=(0, (2, 3)), alpha=0.7)
        _scaled(axes, evidence, axis)
        _target_scale(axes, evidence, found)
        axes.set_xlabel(_with_unit(evidence, axis))
        if several:
            axes.set_title(_cut(task.cells[cell].label))
    panels[0].set_ylabel(_target(evidence))
    panels[0].legend(loc="best", handlelength=1.6)
    return figure


def _curve(evidence: Evidence, axes: Any, curve: Curve, axis: str, colour: str, one: bool) -> None:
    band = evidence.bands.predict(curve.rows, LEVEL)
    line = curve.rows.column(axis)
    told = band.measured
    axes.fill_between(line, band.lower, band.upper, where=told, color=colour, alpha=0.22, lw=0)
    if not told.all():  # beyond what folds could try, the band is a promise that nobody has checked
        axes.fill_between(line, band.lower, band.upper, where=~told, color=colour, alpha=0.08, lw=0)
    axes.plot(line, band.centre, color=colour, lw=1.6, label="law" if one else (curve.label or "law"))
    ensemble = evidence.bands.ensemble
    tied = list(zip(ensemble.forms[1:], ensemble.parameters[1:], strict=True)) if one else []
    for place, (form, parameters) in enumerate(tied):
        axes.plot(line, predict_cells(form.law, parameters, curve.rows), color=colour, lw=0.6, alpha=0.5,
                  label=None if place else "near-tied laws")  # fmt: skip
    if evidence.human is not None and one:
        human = predict_cells(evidence.human.law, evidence.human.parameters, curve.rows)
        axes.plot(line, human, color=COLOURS[1], lw=1.1, ls=(0, (4, 2)), label="best human law")
    axes.plot(curve.measured.column(axis), curve.measured.target, "o", ms=3.6, mew=0.6, mec="white", color=colour,
              label="measured" if one else None, rasterized=curve.measured.n_rows > MANY)  # fmt: skip


def _target_scale(axes: Any, evidence: Evidence, found: Sequence[Curve]) -> None:
    """A logarithmic target axis where the field has one and the data span enough; no curve may push the data aside."""
    band = [evidence.bands.predict(curve.rows, LEVEL) for curve in found]
    target = np.concatenate([curve.measured.target for curve in found])
    centres = np.concatenate([b.centre for b in band] + [target])
    centres = centres[np.isfinite(centres)]
    low, high = float(centres.min()), float(centres.max())
    is_log_target = evidence.task.targets[0].scale == "log" and low > 0
    if is_log_target and high / low > 3.0:
        axes.set_yscale("log")
        log_ticks(axes.yaxis)
        axes.set_ylim(low / (high / low) ** 0.15, high * (high / low) ** 0.15)
        return
    pad = 0.25 * (high - low) or 1.0
    axes.set_ylim(low - pad, high + pad)


def laws_compared(evidence: Evidence, new: New) -> Figure | None:
    """R2 of discovered laws, human laws and baselines: on folds before, on the held-out rows after; not below -1.

    The axis counts 1 - R2 in powers of ten: 0.99 and 0.999 lie as far apart as 0.9 and 0.99.
    """
    rows = evidence.rows
    if not rows:
        return None
    figure = new(figsize=(7.0, 0.9 + 0.26 * len(rows)))
    axes = figure.add_subplot()
    colours = {"discovered": COLOURS[0], "human": COLOURS[1]}
    seen = []
    for place, row in enumerate(rows):
        colour = colours.get(row["origin"], FAINT)
        validation, held_out = row.get("validation_r2"), row.get("held_out_r2")
        known = [_left_over(r2) for r2 in (validation, held_out) if r2 is not None]
        seen += known
        if len(known) == 2:
            axes.plot(known, [place, place], color=colour, lw=1.2, alpha=0.5)
        if validation is not None:
            axes.plot(_left_over(validation), place, "o", ms=5, mfc="none", mec=colour)
        if held_out is not None:
            axes.plot(_left_over(held_out), place, "o", ms=5.5, mew=0, color=colour)
    axes.set_yticks(range(len(rows)), [_name(row) for row in rows])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xticks(_LEFT_TICKS, [f"{1.0 - left:g}" for left in _LEFT_TICKS])
    axes.minorticks_off()
    most, least = max(seen, default=2.0), min(seen, default=_LEAST_LEFT)
    axes.set_xlim(max(most, 10.0 * least) * 1.4, least / 1.4)  # the best on the right
    axes.set_xlabel("R2: filled on held-out rows, ring on folds")
    axes.grid(axis="y", visible=False)
    return figure


def _left_over(r2: float) -> float:
    """1 - R2, within what the figure shows."""
    return float(np.clip(1.0 - r2, _LEAST_LEFT, 2.0))


def _name(row: Mapping[str, Any]) -> str:
    name = row.get("name") or row["origin"]
    mark = " (chosen)" if row.get("chosen") else ""
    told = f"{row['law']} {name}" if row["origin"] == "discovered" else str(name)
    return _cut(told, 44) + mark


def pareto_front(evidence: Evidence, new: New) -> Figure | None:
    """Every valid candidate of the run: complexity against validation NMSE, and the front of what nothing beats."""
    found = _valid(evidence)
    if not found:
        return None
    size = np.array([c.complexity for c in found], dtype=float)
    nmse = np.exp(np.clip([c.validation["score"] for c in found], -40.0, 40.0))
    figure = new(figsize=(5.6, 4.0))
    axes = figure.add_subplot()
    axes.plot(size, np.clip(nmse, None, 10.0), "o", ms=3, mew=0, color=FAINT, alpha=0.35, rasterized=len(found) > MANY,
              label=f"{len(found):,} valid candidates")  # fmt: skip
    order = np.lexsort((nmse, size))
    front = [i for place, i in enumerate(order) if nmse[i] < nmse[order[:place]].min(initial=np.inf)]
    axes.plot(size[front], nmse[front], "-o", ms=4, lw=1.3, color=COLOURS[0], drawstyle="steps-post", label="front")
    score = evidence.form.score
    if np.isfinite(score):
        axes.plot(evidence.row["complexity"], np.exp(score), "D", ms=7, mfc="none", mec=COLOURS[5], mew=1.6,
                  label="chosen law, refitted")  # fmt: skip
    axes.set_yscale("log")
    low = float(min(nmse.min(), np.exp(score) if np.isfinite(score) else np.inf))
    axes.set_ylim(low / 1.6, min(float(np.clip(nmse, None, 10.0).max()) * 1.3, 12.0))
    log_ticks(axes.yaxis)
    axes.set_xlabel("complexity")
    axes.set_ylabel("NMSE on folds (geometric mean)")
    axes.legend()
    return figure


def search_progress(evidence: Evidence, new: New) -> Figure | None:
    """The best candidate so far, and whose it was."""
    found = _valid(evidence)
    if not found:
        return None
    number = np.array([c.number for c in found])
    nmse = np.exp(np.clip([c.validation["score"] for c in found], -40.0, 40.0))
    best = np.minimum.accumulate(nmse)
    figure = new(figsize=(7.0, 3.4))
    left, right = figure.subplots(1, 2, width_ratios=(2.2, 1.0))
    left.plot(number, np.clip(nmse, None, 10.0), "o", ms=2.2, mew=0, color=FAINT, alpha=0.3, rasterized=True)
    left.plot(number, best, drawstyle="steps-post", color=COLOURS[0], lw=1.7)
    left.set_yscale("log")
    left.set_ylim(best.min() / 1.6, min(float(np.clip(nmse, None, 10.0).max()) * 1.3, 12.0))
    log_ticks(left.yaxis)
    left.set_xlabel("candidate")
    left.set_ylabel("NMSE on folds, best so far")
    everyone = Counter(c.proposer for c in evidence.candidates)
    names = [name for name, _ in everyone.most_common(8)][::-1]
    valid = Counter(c.proposer for c in found)
    right.barh(range(len(names)), [everyone[n] for n in names], color=FAINT, alpha=0.4, height=0.7)
    right.barh(range(len(names)), [valid[n] for n in names], color=COLOURS[0], height=0.7)
    right.set_yticks(range(len(names)), [_cut(name, 20) for name in names])
    right.set_xlabel("candidates (blue: valid)")
    right.grid(axis="y", visible=False)
    return figure


def _valid(evidence: Evidence) -> list[Any]:
    def is_valid(candidate: Any) -> bool:
        score = (candidate.validation or {}).get("score")
        known = isinstance(score, int | float) and np.isfinite(score)
        return candidate.status == "ok" and candidate.complexity is not None and known

    return [c for c in evidence.candidates if is_valid(c)]


# what the figures share


def _panels(new: New, count: int, width: float, height: float) -> tuple[Figure, list[Any]]:
    columns = min(count, 3)
    lines = -(-count // columns)
    figure = new(figsize=(width * columns if count > 1 else max(width, 4.6), height * lines))
    panels = [figure.add_subplot(lines, columns, place + 1) for place in range(count)]
    return figure, panels


def _groups(evidence: Evidence) -> tuple[list[str], np.ndarray]:
    """Labels to colour rows by, and the number (row,) of each row's; one colour where there are too many."""
    rows = evidence.task.training
    for of in ("group", "target"):
        names = [getattr(cell, of) for cell in rows.cells]
        kinds = list(dict.fromkeys(names))
        if 1 < len(kinds) <= len(COLOURS):
            return kinds, np.array([kinds.index(name) for name in names])[rows.cell]
    return [""], np.zeros(rows.n_rows, dtype=int)


def _scaled(axes: Any, evidence: Evidence, name: str) -> None:
    if evidence.task.is_log(name) and float(evidence.task.training.column(name).min()) > 0:
        axes.set_xscale("log")
        log_ticks(axes.xaxis)


def _with_unit(evidence: Evidence, name: str) -> str:
    column = next((c for c in evidence.task.inputs if c.name == name), None)
    unit = column.unit if column is not None and column.unit not in ("", "1") else ""
    return _cut(f"{name} ({unit})" if unit else name, 48)


def _target(evidence: Evidence) -> str:
    targets = evidence.task.targets
    name = targets[0].name if len(targets) == 1 else "target"
    unit = targets[0].unit
    return _cut(f"{name} ({unit})" if unit not in ("", "1") else name, 48)


def _cut(text: str, length: int = _SHOWN) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def draw(evidence: Evidence, new: New) -> dict[str, Figure]:
    """Every figure that the evidence has something for, by name, in the order of the page."""
    made: dict[str, Figure | None] = {"measured_and_predicted": measured_and_predicted(evidence, new)}
    made["residuals"] = residuals(evidence, new)
    for axis in evidence.task.scale_axes:
        made[f"extrapolation_{axis}"] = extrapolation(evidence, axis, new)
    made["laws"] = laws_compared(evidence, new)
    made["pareto_front"] = pareto_front(evidence, new)
    made["search_progress"] = search_progress(evidence, new)
    return {name: figure for name, figure in made.items() if figure is not None}
