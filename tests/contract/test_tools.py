"""Inside scikit-learn's tools, and what these need: clones, nested parameters, labels of all kinds, frames, pickles."""

import copy
import io
import pickle

import joblib
import matplotlib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.linear_model
import skops.io
import torch
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.inspection import DecisionBoundaryDisplay, permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

import onelayer as ol
from instances import over
from onelayer.estimators import documentation

matplotlib.use("agg")
IRIS = ol.data.load("iris")
MODELS = {
    "linear": ol.LinearRegression(alpha=0.01),
    "huber": ol.LinearRegression(ol.losses.Huber(2.0), alpha=0.1, solver=ol.solvers.LBFGS(memory=5)),
    "logistic": ol.LogisticRegression(),
    "softmax": ol.SoftmaxRegression(C=0.5, class_weight="balanced"),
    "sgd": ol.SoftmaxRegression(solver=ol.solvers.SGD(0.1, 32, 3), random_state=0),
}
CLASSIFIERS = {name: model for name, model in MODELS.items() if is_classifier(model)}


@over("model", MODELS)
def test_pipelines_searches_and_cross_validation(model):
    pipeline = make_pipeline(StandardScaler(), model)
    name = type(model).__name__.lower()
    strength = "alpha" if name == "linearregression" else "C"
    search = GridSearchCV(pipeline, {f"{name}__{strength}": [0.01, 1.0]}, cv=3).fit(IRIS.X, IRIS.y)
    assert np.isfinite(search.best_score_)
    assert search.score(IRIS.X, IRIS.y) > 0.8
    scores = cross_validate(search.best_estimator_, IRIS.X, IRIS.y, cv=3, error_score="raise")["test_score"]
    assert len(scores) == 3
    importance = permutation_importance(search, IRIS.X, IRIS.y, n_repeats=2, random_state=0)
    assert importance.importances_mean.shape == (4,)


def test_a_search_over_what_a_solver_and_a_loss_are_made_of():
    search = GridSearchCV(
        ol.SoftmaxRegression(solver=ol.solvers.SGD(epochs=2), random_state=0),
        {"solver__learning_rate": np.logspace(-2, 0, 3), "solver__batch_size": [16, 64]},
        cv=2,
    ).fit(IRIS.X, IRIS.y)
    assert set(search.best_params_) == {"solver__learning_rate", "solver__batch_size"}
    assert search.best_estimator_.solver.learning_rate == search.best_params_["solver__learning_rate"]
    losses = GridSearchCV(ol.LinearRegression(ol.losses.Huber()), {"loss__delta": [0.5, 5.0]}, cv=2)
    assert losses.fit(IRIS.X, IRIS.y).best_estimator_.loss.delta in (0.5, 5.0)


@over("model", CLASSIFIERS)
def test_calibration_and_one_versus_rest(model):
    calibrated = CalibratedClassifierCV(model, cv=3).fit(IRIS.X, IRIS.y)
    assert calibrated.score(IRIS.X, IRIS.y) > 0.7
    if model.class_weight is None:
        apart = OneVsRestClassifier(model).fit(IRIS.X, IRIS.y)
        assert apart.predict_proba(IRIS.X).shape == (150, 3)
        targets = np.stack([IRIS.y == 0, IRIS.y == 2], axis=1)
        assert MultiOutputClassifier(model).fit(IRIS.X, targets).predict(IRIS.X).shape == (150, 2)
    assert cross_val_predict(model, IRIS.X, IRIS.y, cv=3, method="predict_proba").shape == (150, 3)


@over("model", CLASSIFIERS)
@pytest.mark.parametrize("classes", [2, 3])
def test_decision_boundaries_are_drawn(model, classes):
    kept = IRIS.y < classes
    display = DecisionBoundaryDisplay.from_estimator(
        model.fit(IRIS.X[kept, :2], IRIS.y[kept]), IRIS.X[kept, :2]
    )
    assert display.response.shape[:2] == (100, 100)


# ---- parameters and clones ------------------------------------------------------------------------------------


@over("model", MODELS)
def test_clones_and_parameters(model):
    twin = clone(model)
    assert str(twin) == str(model)
    assert twin.get_params(deep=False).keys() == model.get_params(deep=False).keys()
    for name, value in model.get_params(deep=False).items():
        assert getattr(twin, name) == value
        assert (
            value is None
            or isinstance(value, (str, int, float, bool, dict))
            or getattr(twin, name) is not value
        )


def test_nested_parameters_are_set_and_checked():
    model = ol.LogisticRegression(solver=ol.solvers.SGD(0.1, 32, 3))
    before = copy.deepcopy(model.solver)
    assert clone(model).set_params(solver__epochs=7).solver.epochs == 7
    assert model.solver == before
    with pytest.raises(ValueError, match=r"learning_rate is -1: give"):
        model.set_params(solver__learning_rate=-1)
    assert model.solver == before
    with pytest.raises(ValueError, match=r"Invalid parameter 'rate' for SGD\("):
        model.set_params(solver__rate=1)


@over("model", MODELS)
@pytest.mark.parametrize("way", ["pickle", "joblib", "skops", "deepcopy"])
def test_fitted_models_come_back(model, way):
    model = clone(model).fit(pd.DataFrame(IRIS.X, columns=list("abcd")), IRIS.y)
    if way == "pickle":
        again = pickle.loads(pickle.dumps(model))  # noqa: S301
    elif way == "joblib":
        buffer = io.BytesIO()
        joblib.dump(model, buffer)
        again = joblib.load(buffer)
    elif way == "skops":
        dumped = skops.io.dumps(model)
        unknown = skops.io.get_untrusted_types(data=dumped)
        # Nothing but types of ours, and torch's optimiser where a solver names one, has to be trusted.
        assert all(name.startswith(("onelayer.", "torch.optim.")) for name in unknown), unknown
        again = skops.io.loads(dumped, trusted=unknown)
    else:
        again = copy.deepcopy(model)
    frame = pd.DataFrame(IRIS.X, columns=list("abcd"))
    assert np.array_equal(again.predict(frame), model.predict(frame))
    assert again.result_.message == model.result_.message
    assert again.certificate_ == model.certificate_
    assert list(again.feature_names_in_) == list("abcd")


@over("model", MODELS)
def test_the_page_of_an_estimator_links_to_nothing_that_is_not_there(model, monkeypatch, tmp_path):
    monkeypatch.delenv("ONELAYER_DOCS", raising=False)
    monkeypatch.setattr(documentation, "_BUILT", tmp_path)
    name = type(model).__name__
    html = model._repr_html_()
    assert name in html
    assert "Documentation for" not in html
    page = tmp_path / "api" / "generated" / f"onelayer.{name}.html"
    page.parent.mkdir(parents=True)
    page.touch()
    assert f'href="{page.as_uri()}"' in model._repr_html_()
    monkeypatch.setenv("ONELAYER_DOCS", "https://docs.example/onelayer/")
    assert f'href="https://docs.example/onelayer/api/generated/onelayer.{name}.html"' in model._repr_html_()


def test_what_users_derive_has_no_page_of_ours():
    class Own(ol.LogisticRegression):
        pass

    assert Own()._get_doc_link() == ""


@pytest.mark.parametrize("kind", [ol.LogisticRegression, sklearn.linear_model.LogisticRegression])
def test_columns_in_another_order_are_not_certified(kind):
    frame, y = pd.DataFrame(IRIS.X, columns=list("abcd")), IRIS.y > 0
    model = kind().fit(frame, y)
    assert ol.certify(model, frame, y).relative_gap < 1e-3
    with pytest.raises(ValueError, match="Feature names must be in the same order"):
        ol.certify(model, frame[list("dcba")], y)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (
            pd.DataFrame(np.eye(4)).astype(pd.SparseDtype("float", 0)),
            r"give X\.sparse\.to_coo\(\)\.tocsr\(\)\.$",
        ),
        (
            pl.DataFrame(np.eye(4)).lazy(),
            r"X is a lazy frame, which holds no rows yet: give X\.collect\(\)\.$",
        ),
    ],
    ids=["sparse columns", "lazy"],
)
def test_frames_that_must_be_turned_into_something_else_first(X, words):
    with pytest.raises((TypeError, ValueError), match=words):
        ol.LogisticRegression().fit(X, [0, 1, 0, 1])


def test_no_fit_no_penalty_to_report():
    model = ol.SoftmaxRegression.from_module(torch.nn.Linear(4, 3))
    with pytest.raises(AttributeError, match="no penalty to report: these coefficients come from a module"):
        _ = model.penalty_report_


@over("model", MODELS)
def test_tags_are_true(model):
    tags = get_tags(model)
    assert tags.input_tags.sparse
    assert not tags.input_tags.allow_nan
    assert tags.target_tags.multi_output == (not is_classifier(model))
    assert tags.target_tags.required


# ---- metadata routing -----------------------------------------------------------------------------------------


def test_weights_and_offsets_find_their_way():
    rng = np.random.default_rng(0)
    X, offset, weight = rng.normal(size=(120, 3)), rng.normal(size=120), rng.integers(0, 3, 120).astype(float)
    y = (X[:, 0] + offset + rng.normal(size=120) > 0).astype(int)
    with config_context(enable_metadata_routing=True):
        model = ol.LogisticRegression(tol=1e-10)
        model.set_fit_request(sample_weight=True, offset=True).set_score_request(
            sample_weight=True, offset=True
        )
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), model)
        pipeline.fit(X, y, sample_weight=weight, offset=offset)
        by_hand = ol.LogisticRegression(tol=1e-10).fit(
            StandardScaler().fit_transform(X), y, sample_weight=weight, offset=offset
        )
        np.testing.assert_allclose(pipeline[-1].coef_, by_hand.coef_, atol=1e-6)
        scores = cross_validate(
            pipeline, X, y, cv=3, params={"sample_weight": weight, "offset": offset}, error_score="raise"
        )
        assert len(scores["test_score"]) == 3
        model.set_predict_proba_request(offset=True)
        folds = cross_val_predict(model, X, y, cv=3, method="predict_proba", params={"offset": offset})
        assert folds.shape == (120, 2)


# ---- labels ---------------------------------------------------------------------------------------------------

NUMBERS = np.array([0, 1, 2, 1, 0, 2] * 10)
LABELS = {
    "strings": np.array(["b", "c", "a"])[NUMBERS],
    "objects": np.array(["b", "c", "a"], dtype=object)[NUMBERS],
    "list of strings": [["b", "c", "a"][k] for k in NUMBERS],
    "integers": np.array([30, 10, 20])[NUMBERS],
    "negative": np.array([-1, 1, 0])[NUMBERS],
    "unsigned": NUMBERS.astype(np.uint8),
    "whole floats": NUMBERS.astype(float),
    "series": pd.Series(["b", "c", "a"])[NUMBERS].reset_index(drop=True),
    "categorical": pd.Series(pd.Categorical(np.array(["b", "c", "a"])[NUMBERS], categories=["c", "b", "a"])),
    "pandas text": pd.Series(np.array(["b", "c", "a"])[NUMBERS], dtype="string"),
    "polars": pl.Series(np.array(["b", "c", "a"])[NUMBERS].tolist()),
    "polars categorical": pl.Series(np.array(["b", "c", "a"])[NUMBERS].tolist(), dtype=pl.Categorical),
    "tensor": torch.from_numpy(NUMBERS),
    "booleans": NUMBERS > 0,
    "tensor of booleans": torch.from_numpy(NUMBERS > 0),
}


@over("labels", LABELS)
def test_labels_of_all_kinds(labels):
    X = np.random.default_rng(0).normal(size=(60, 2)) + 3 * NUMBERS[:, None]
    expected = np.unique(np.asarray(labels))
    model = ol.LogisticRegression().fit(X, labels)
    assert np.array_equal(model.classes_, expected)
    assert set(np.asarray(model.predict(X)).tolist()) <= set(expected.tolist())
    assert model.score(X, labels) > 0.9
    # The order of columns is that of the sorted labels.
    most = model.classes_[model.predict_proba(X).argmax(axis=1)]
    assert np.array_equal(most, model.predict(X))


# ---- frames ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
@over("model", MODELS)
def test_frames_are_their_columns(model, make):
    frame = make({name: IRIS.X[:, k] for k, name in enumerate("abcd")})
    plain = clone(model).fit(IRIS.X, IRIS.y)
    fitted = clone(model).fit(frame, IRIS.y)
    np.testing.assert_allclose(fitted.coef_, plain.coef_, rtol=1e-9, atol=1e-12)
    assert fitted.feature_names_in_.tolist() == list("abcd")
    assert np.array_equal(fitted.predict(frame), plain.predict(IRIS.X))
    other = make({name: IRIS.X[:, k] for k, name in enumerate("abce")})
    with pytest.raises(ValueError, match="The feature names should match"):
        fitted.predict(other)
