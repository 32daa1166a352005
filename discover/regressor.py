"""`ScalingLawRegressor`: the search as scikit-learn takes it, X and y in, predictions out.

In: arrays or pandas objects. Out: `law_`, `front_`, predictions. There are no held-out rows here: all rows that `fit`
is given are training rows, and what tests the law is the caller's to keep back.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from discover.api import discover
from discover.errors import DiscoverError
from discover.task import Cell, Column, Rows, Task
from discover.task.names import SCALE, formula_name, meaning

if TYPE_CHECKING:
    from discover.exporters import FittedLaw
    from discover.intervals import Bands, FittedForm

_LEAST_ROWS = 4
_PERFECT = 1e-12  # the least NMSE of which a logarithm is taken
_WIDE = 8.0  # the factor that a positive column spans to be compared by ratios, and to be a scale


class ScalingLawRegressor(RegressorMixin, BaseEstimator):
    """Finds a formula for y in the columns of X, and predicts by it.

    Args:
        budget: Candidates to try (2000), or seconds as text ("30s"); with candidates the same seed finds the same law.
        seed: Fixes everything random.
        scale_axes: Columns along which predictions go beyond the data, by name or number, the most important first;
            folds of the search hold back their largest values. None guesses them from names and ranges, () has none.
        parameter_cap: Most parameters that a law may have; None for one that suits the number of columns and rows.
        workers: Processes; more than one needs `if __name__ == "__main__":` in a script.

    Attributes:
        law_: The chosen law, a `FittedLaw`: shown typeset in a notebook, printed as a formula.
        front_: Laws that nothing beats on validation score and complexity at once, simplest first.
        ranked_: The finalists of the search, the chosen law first.
        task_: The rows of `fit` as the task that was searched.
        groups_: Names of the groups; one empty name where none were given.
        input_names_: What the columns of X are called in formulas.
        n_features_in_, feature_names_in_: As scikit-learn has them.
    """

    def __init__(
        self,
        budget: int | str = 500,
        *,
        seed: int = 0,
        scale_axes: Any = None,
        parameter_cap: int | None = None,
        workers: int = 1,
    ) -> None:
        self.budget = budget
        self.seed = seed
        self.scale_axes = scale_axes
        self.parameter_cap = parameter_cap
        self.workers = workers

    def fit(self, X: Any, y: Any, groups: Any = None) -> ScalingLawRegressor:
        """Searches for a law of y.

        Args:
            X: (row, column) numbers; a DataFrame's names stand in the formulas.
            y: (row,).
            groups: (row,) names; each gets parameters of its own in one common form.

        Raises:
            ValueError: Shapes that do not fit, missing values, fewer than four rows, no such budget or column.
        """
        target_name = _name_of(y)
        X, y = validate_data(
            self, X, y, dtype=np.float64, y_numeric=True, ensure_min_samples=_LEAST_ROWS, ensure_min_features=1
        )
        labels = np.full(len(y), "", dtype=object) if groups is None else np.asarray(groups).astype(str).astype(object)
        if labels.shape != y.shape:
            raise ValueError(f"groups: shape {labels.shape}, expected {y.shape}, one name per row of X")
        self.groups_ = np.array(list(dict.fromkeys(labels.tolist())), dtype=object)
        taken: set[str] = {"target"}
        headings = [str(name) for name in getattr(self, "feature_names_in_", [f"x{i}" for i in range(X.shape[1])])]
        names: list[str] = []
        for heading in headings:
            names.append(formula_name(heading, taken))
            taken.add(names[-1])
        self.input_names_ = tuple(names)
        self.target_name_ = target_name or "y"
        task = self._task(X, y, labels, headings)
        try:
            found = discover(task, budget=self.budget, seed=self.seed, workers=self.workers)
        except DiscoverError as problem:
            raise ValueError(str(problem)) from None
        self.law_, self.front_, self.n_candidates_ = found.law, found.front, found.candidates
        self.task_, self.ranked_ = task, found.ranked
        self.__dict__.pop("_bands", None)  # those of an earlier fit
        return self

    def predict(self, X: Any, groups: Any = None) -> Any:
        """Predictions (row,) by `law_`; a Series with the index of X where X is a DataFrame.

        Args:
            X: (row, column) as in `fit`.
            groups: The group of each row (row,), or of all; needed where `fit` had several.

        Raises:
            ValueError: A group that `fit` has not seen, or none where it had several.
        """
        check_is_fitted(self)
        index = X.index if hasattr(X, "index") and hasattr(X, "columns") else None
        X = validate_data(self, X, dtype=np.float64, reset=False)
        if groups is not None and np.ndim(groups) > 0:
            groups = np.asarray(groups).astype(str).astype(object)
            if groups.shape != (len(X),):
                raise ValueError(f"groups: shape {groups.shape}, expected ({len(X)},), one name per row of X")
        try:
            found = self.law_.predict(dict(zip(self.input_names_, X.T, strict=True)), group=groups)
        except DiscoverError as problem:
            raise ValueError(str(problem)) from None
        if index is None:
            return found
        import pandas as pd

        return pd.Series(found, index=index, name=self.target_name_)

    def predict_interval(self, X: Any, groups: Any = None, coverage: float = 0.9) -> Any:
        """Where new measurements are expected, with the doubt about noise, parameters and form beyond the data.

        The first call refits the law and those near it on resampled rows and on folds, which takes seconds.

        Args:
            X: (row, column) as in `fit`.
            groups: As in `predict`.
            coverage: The share of new measurements that the interval is made to hold, 0.5 to 0.99.

        Returns:
            (row, 2), lower and upper end in the unit of y; a DataFrame with the columns "lower" and "upper" and the
            index of X where X is a DataFrame. An interval at a row that lies much further beyond the data than any
            fold did has been checked by nothing.

        Raises:
            ValueError: As `predict`; or no such coverage.
        """
        from discover.errors import FitError

        if not 0.5 <= coverage <= 0.99:
            raise ValueError(f"coverage: got {coverage!r}, expected 0.5 to 0.99, such as 0.9")
        self.predict(X, groups)  # refuses what cannot be predicted
        index = X.index if hasattr(X, "index") and hasattr(X, "columns") else None
        X = validate_data(self, X, dtype=np.float64, reset=False)
        named = np.broadcast_to(np.asarray("" if groups is None else groups).astype(str), len(X))
        place = {name: number for number, name in enumerate(self.groups_)}
        cell = np.array([place[label] for label in named.tolist()] if any(self.groups_) else [0] * len(X), dtype=int)
        unknown, lines = np.full(len(X), np.nan), np.arange(len(X))
        asked = replace(self.task_.training, inputs=X, target=unknown, cell=cell, line=lines)
        try:
            band = self._interval_bands().predict(asked, coverage)
        except FitError as problem:
            raise ValueError(str(problem)) from None
        ends = np.column_stack([band.lower, band.upper])
        if index is None:
            return ends
        import pandas as pd

        return pd.DataFrame(ends, index=index, columns=["lower", "upper"])

    def _interval_bands(self) -> Bands:
        """The bands around the law, made when they are first asked for."""
        if not hasattr(self, "_bands"):
            from discover.intervals import bands_of

            main, *others = map(_form, self.ranked_)
            self._bands = bands_of(self.task_, main, others, rng=np.random.default_rng(self.seed))
        return self._bands

    def _repr_html_inner(self) -> str:
        """In a notebook: the law once there is one, else the estimator as scikit-learn shows it."""
        return self.law_._repr_html_() if hasattr(self, "law_") else str(super()._repr_html_inner())

    def _repr_mimebundle_(self, **settings: Any) -> dict[str, str]:
        bundle: dict[str, str] = super()._repr_mimebundle_(**settings)
        return {**bundle, "text/html": self.law_._repr_html_()} if hasattr(self, "law_") else bundle

    def _task(self, X: np.ndarray, y: np.ndarray, labels: np.ndarray, headings: list[str]) -> Task:
        """All rows as the training rows of a task."""
        target = formula_name(self.target_name_, set(self.input_names_))
        place = {name: number for number, name in enumerate(self.groups_)}
        cell = np.array([place[label] for label in labels.tolist()], dtype=int)
        cells = tuple(Cell(str(name), target) for name in self.groups_)
        rows = Rows(self.input_names_, cells, X, y.astype(float), cell, np.arange(1, len(y) + 1))
        scales = {name: _scale(column) for name, column in zip(self.input_names_, X.T, strict=True)}
        smallest = int(np.bincount(cell).min())
        cap = self.parameter_cap
        if cap is None:
            cap = int(np.clip(1 + 3 * X.shape[1], 2, max(smallest // 2, 2)))
        if cap < 1:
            raise ValueError(f"parameter_cap: got {cap}, expected at least 1")
        inputs = tuple(
            Column(name, "", scales[name], heading, None, None)
            for name, heading in zip(self.input_names_, headings, strict=True)
        )
        return Task(
            name="regressor",
            title=f"{self.target_name_} of {len(y)} rows",
            summary="",
            folder=Path("."),
            inputs=inputs,
            targets=(Column(target, "", "log" if y.min() > 0 else "linear", self.target_name_, None, None),),
            group_columns=("group",) if any(self.groups_) else (),
            scale_axes=self._axes(X, headings, scales),
            parameter_cap=cap,
            higher_is_better=False,
            limits=(),
            human_laws=(),
            training=rows,
            training_count=len(y),
            held_out_count=0,
        )

    def _axes(self, X: np.ndarray, headings: list[str], scales: dict[str, str]) -> tuple[str, ...]:
        if self.scale_axes is None:
            able = [
                (name, meaning(heading))
                for name, heading, column in zip(self.input_names_, headings, X.T, strict=True)
                if scales[name] == "log" and len(np.unique(column)) >= 3
            ]
            called = sorted((told.order, name) for name, told in able if told.kind == SCALE)
            return tuple(name for _, name in called) or tuple(name for name, _ in able)
        chosen = [self.scale_axes] if isinstance(self.scale_axes, str | int) else list(self.scale_axes)
        axes = []
        for axis in chosen:
            known = axis in headings if isinstance(axis, str) else 0 <= axis < len(headings)
            if not known:
                raise ValueError(f"scale_axes: got {axis!r}, expected columns of X: {', '.join(headings[:12])}")
            axes.append(self.input_names_[headings.index(axis) if isinstance(axis, str) else axis])
        return tuple(axes)


def _form(law: FittedLaw) -> FittedForm:
    """A finalist as intervals take it."""
    from discover.fitting import Recipe
    from discover.intervals import FittedForm

    r2 = law.provenance.get("validation_r2")
    score = np.inf if r2 is None else float(np.log(max(1.0 - r2, _PERFECT)))
    return FittedForm(law.law, Recipe.from_text(law.provenance["recipe"]), law.parameters, score, str(law.law))


def _scale(column: np.ndarray) -> str:
    return "log" if column.min() > 0 and column.max() / column.min() >= _WIDE else "linear"


def _name_of(y: Any) -> str:
    """The name of a pandas Series or of a DataFrame's one column."""
    name = getattr(y, "name", None)
    if name is None and getattr(y, "ndim", 1) == 2 and hasattr(y, "columns") and len(y.columns) == 1:
        name = y.columns[0]
    return name if isinstance(name, str) else ""


__all__ = ["ScalingLawRegressor"]
