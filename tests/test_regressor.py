"""`ScalingLawRegressor` among scikit-learn's own tools, with pandas and in a notebook."""

from __future__ import annotations

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from discover import ScalingLawRegressor

# What scikit-learn skips by itself, and why; nothing is skipped by us.
SKIPPED = {"check_array_api_input": "asks for SCIPY_ARRAY_API=1: only NumPy arrays and pandas objects are taken"}


def table(groups: bool = False) -> tuple[pd.DataFrame, pd.Series, np.ndarray]:
    """Runs of a planted law, their losses, and the corpus of each."""
    rows = [
        (corpus, size, data, floor + 400 / size**0.34 + 410 / data**0.28)
        for corpus, floor in ((("c4", 1.7), ("pile", 2.1)) if groups else (("c4", 1.7),))
        for size in (1e7, 3e7, 1e8, 3e8, 1e9)
        for data in (1e9, 4e9, 1.6e10, 6.4e10)
    ]
    frame = pd.DataFrame(rows, columns=["corpus", "Model size", "tokens", "val loss"])
    frame.index = [f"run {number}" for number in range(len(frame))]
    return frame[["Model size", "tokens"]], frame["val loss"], frame["corpus"].to_numpy()


@pytest.fixture(scope="module")
def fitted() -> ScalingLawRegressor:
    X, y, _ = table()
    return ScalingLawRegressor(budget=32).fit(X, y)


def test_law_is_found_and_goes_beyond_the_data(fitted: ScalingLawRegressor):
    X, y, _ = table()
    assert fitted.score(X, y) > 0.999
    beyond = pd.DataFrame({"Model size": [1e10], "tokens": [2e11]}, index=["large"])
    due = 1.7 + 400 / 1e10**0.34 + 410 / 2e11**0.28
    assert fitted.predict(beyond).loc["large"] == pytest.approx(due, rel=0.03)


def test_pandas_comes_back_with_its_index_and_names(fitted: ScalingLawRegressor):
    X, y, _ = table()
    found = fitted.predict(X)
    assert isinstance(found, pd.Series)
    assert (list(found.index), found.name) == (list(X.index), "val loss")
    assert list(fitted.feature_names_in_) == ["Model size", "tokens"]
    assert fitted.input_names_ == ("Model_size", "tokens")
    assert set(fitted.law_.law.inputs) <= {"Model_size", "tokens"}
    plain = ScalingLawRegressor(budget=4).fit(X.to_numpy(), y.to_numpy())
    assert isinstance(plain.predict(X.to_numpy()), np.ndarray)
    assert plain.input_names_ == ("x0", "x1")


def test_columns_in_another_order_are_refused(fitted: ScalingLawRegressor):
    X, _, _ = table()
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(X[["tokens", "Model size"]])


def test_front_is_simplest_first_and_each_step_is_better(fitted: ScalingLawRegressor):
    sizes = [law.law.complexity for law in fitted.front_]
    scores = [law.provenance["validation_r2"] for law in fitted.front_]
    assert sizes == sorted(sizes)
    assert scores == sorted(scores)
    X, y, _ = table()
    values = fitted.front_[-1].predict({name: X[column] for name, column in zip(fitted.input_names_, X, strict=True)})
    assert values == pytest.approx(y.to_numpy(), rel=0.05)


def test_groups_have_parameters_of_their_own():
    X, y, groups = table(groups=True)
    model = ScalingLawRegressor(budget=8).fit(X, y, groups=groups)
    assert list(model.groups_) == ["c4", "pile"]
    assert np.corrcoef(model.predict(X, groups=groups), y)[0, 1] > 0.999
    assert model.predict(X.iloc[:1], groups="pile").iloc[0] > model.predict(X.iloc[:1], groups="c4").iloc[0]
    with pytest.raises(ValueError, match="group: none given, expected one of 'c4', 'pile'"):
        model.predict(X)
    with pytest.raises(ValueError, match="group: got 'plie'; did you mean 'pile'"):
        model.predict(X, groups="plie")
    with pytest.raises(ValueError, match=r"groups: shape \(2,\), expected \(40,\)"):
        model.fit(X, y, groups=["a", "b"])


def test_interval_is_of_the_size_of_the_noise_and_widens_beyond_the_data():
    X, y, _ = table()
    rng = np.random.default_rng(0)
    fitted = ScalingLawRegressor(budget=16).fit(X, y + rng.normal(0, 0.02, len(y)))
    beyond = pd.DataFrame({"Model size": [1e9, 1e10], "tokens": [6.4e10, 6.4e11]}, index=["known", "large"])
    found = fitted.predict_interval(beyond)
    assert (list(found.columns), list(found.index)) == (["lower", "upper"], ["known", "large"])
    centre, width = fitted.predict(beyond), found["upper"] - found["lower"]
    assert ((found["lower"] < centre) & (centre < found["upper"])).all()
    assert width["large"] > width["known"]
    narrow = fitted.predict_interval(beyond, coverage=0.5)
    assert (narrow["upper"] - narrow["lower"] < width).all()
    known = fitted.predict_interval(X)
    assert 0.02 < (known["upper"] - known["lower"]).median() < 0.2
    assert np.array_equal(pickle.loads(pickle.dumps(fitted)).predict_interval(beyond), found)
    with pytest.raises(ValueError, match="coverage: got 90"):
        fitted.predict_interval(beyond, coverage=90)


def test_interval_of_a_group_is_that_group_s():
    X, y, groups = table(groups=True)
    model = ScalingLawRegressor(budget=8).fit(X, y, groups=groups)
    both = model.predict_interval(X.iloc[:2], groups=["pile", "c4"])
    both = both.to_numpy()
    assert both[0] == pytest.approx(model.predict_interval(X.iloc[:1], groups="pile").to_numpy()[0], abs=1e-9)
    assert both[0, 0] > model.predict(X.iloc[:1], groups="c4").iloc[0]
    with pytest.raises(ValueError, match="group: none given"):
        model.predict_interval(X)


def test_same_seed_finds_the_same_law():
    X, y, _ = table()
    first, second = (ScalingLawRegressor(budget=6, seed=3).fit(X, y) for _ in range(2))
    assert str(first.law_) == str(second.law_)
    assert np.array_equal(first.law_.parameters, second.law_.parameters)


def test_clones_pickles_and_pipelines(fitted: ScalingLawRegressor):
    X, y, _ = table()
    assert clone(fitted).get_params() == fitted.get_params()
    assert not hasattr(clone(fitted), "law_")
    assert pickle.loads(pickle.dumps(fitted)).predict(X).equals(fitted.predict(X))
    in_millions = FunctionTransformer(lambda frame: frame / 1e6, feature_names_out="one-to-one")
    pipe = make_pipeline(in_millions, ScalingLawRegressor(budget=8)).fit(X, y)
    assert pipe.score(X, y) > 0.9
    search = GridSearchCV(ScalingLawRegressor(), {"budget": [2, 3]}, cv=2).fit(X, y)
    assert search.best_params_["budget"] in (2, 3)


def test_notebook_shows_the_law_typeset(fitted: ScalingLawRegressor):
    for shown in (fitted.law_._repr_html_(), fitted._repr_mimebundle_()["text/html"]):
        assert re.search(r"\$\$.*Model.*\$\$", shown)
        assert "±" in shown
    assert "<script" not in fitted.law_._repr_html_()
    assert "ScalingLawRegressor" in ScalingLawRegressor()._repr_html_()


@pytest.mark.parametrize(
    "settings, told",
    [
        ({"budget": "soon"}, "budget: 'soon'; expected seconds"),
        ({"budget": 0}, "budget: '0'"),
        ({"scale_axes": ["width"]}, "scale_axes: got 'width', expected columns of X: Model size, tokens"),
        ({"parameter_cap": 0}, "parameter_cap: got 0"),
    ],
)
def test_settings_that_make_no_sense_are_told(settings: dict[str, object], told: str):
    X, y, _ = table()
    with pytest.raises(ValueError, match=re.escape(told)):
        ScalingLawRegressor(**settings).fit(X, y)


def test_scale_axes_are_known_by_name_number_or_range():
    X, y, _ = table()
    by_name = ScalingLawRegressor(budget=2, scale_axes=["tokens"]).fit(X, y)
    assert list(by_name.law_.scale_axes) == ["tokens"]
    assert list(ScalingLawRegressor(budget=2, scale_axes=0).fit(X, y).law_.scale_axes) == ["Model_size"]
    assert list(ScalingLawRegressor(budget=2, scale_axes=()).fit(X, y).law_.scale_axes) == []
    assert list(ScalingLawRegressor(budget=2).fit(X, y).law_.scale_axes) == ["Model_size", "tokens"]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_every_check_of_scikit_learn_passes():
    found = check_estimator(ScalingLawRegressor(budget=4), on_fail=None)
    assert [f"{one['check_name']}: {one['exception']!r}" for one in found if one["status"] == "failed"] == []
    assert {one["check_name"] for one in found if one["status"] == "skipped"} <= set(SKIPPED)
    assert len(found) > 40
