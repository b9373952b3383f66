"""A multilabel model is a logistic regression for each label."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import onelayer as ol
from instances import over
from onelayer.errors import DataError

DIGITS = ol.data.load("digits")
X = DIGITS.X / 16
Y = np.c_[DIGITS.y % 2 == 0, DIGITS.y > 4, DIGITS.y == 7].astype(int)
OPTIONS = {
    "plain": {},
    "standardised": {"standardize": True},
    "class weights": {"class_weight": "balanced"},
    "no intercept": {"fit_intercept": False},
    "l1": {"l1_ratio": 1.0, "C": 0.1},
}


@over("options", OPTIONS)
def test_each_label_is_its_logistic_regression(options):
    model = ol.MultilabelLogisticRegression(**options).fit(X, Y)
    assert (model.gaps_ <= 1e-6).all()
    for label in range(3):
        alone = ol.LogisticRegression(**options).fit(X, Y[:, label])
        apart = abs(model.results_[label].objective - alone.result_.objective)
        assert apart <= model.certificates_[label].gap + alone.certificate_.gap
        np.testing.assert_allclose(model.predict_proba(X)[:, label], alone.predict_proba(X)[:, 1], atol=5e-3)
    np.testing.assert_array_equal(model.predict(X), model.predict_proba(X) > 0.5)


def test_it_agrees_with_one_against_the_rest():
    ours = ol.MultilabelLogisticRegression(tol=1e-10).fit(X, Y)
    theirs = OneVsRestClassifier(ol.LogisticRegression(tol=1e-10)).fit(X, Y)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-4)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.score(X, Y) == theirs.score(X, Y)
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)


def test_weights_count_as_rows():
    weight = np.random.default_rng(0).integers(0, 3, len(X))
    rows = np.repeat(np.arange(len(X)), weight)
    weighted = ol.MultilabelLogisticRegression(tol=1e-9).fit(X, Y, sample_weight=weight)
    repeated = ol.MultilabelLogisticRegression(tol=1e-9).fit(X[rows], Y[rows])
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-3)


def test_labels_of_all_rows_or_none_are_told_and_have_their_probability():
    given = np.c_[Y[:, 0], np.ones(len(X)), np.zeros(len(X))]
    with pytest.warns(
        ConvergenceWarning,
        match=r"all rows have the same value of label 1, 2: its probability is that value\.",
    ):
        model = ol.MultilabelLogisticRegression().fit(X, given)
    assert (model.predict_proba(X)[:, 1:] == [1.0, 0.0]).all()
    assert np.isnan(model.gaps_).tolist() == [False, True, True]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = ol.MultilabelLogisticRegression().fit(X, given[:, 1:])
    assert (model.predict(X) == [1, 0]).all()


def test_fits_that_fall_short_are_told():
    with pytest.warns(
        ConvergenceWarning, match=r"3 of 3 labels ended without what was asked for, the first is label 0: "
    ):
        ol.MultilabelLogisticRegression(max_iter=1).fit(X, Y)


def test_inside_scikit_learns_tools():
    model = ol.MultilabelLogisticRegression(C=0.5)
    assert clone(model).C == 0.5
    search = GridSearchCV(model, {"C": [0.01, 1.0]}, cv=2).fit(X, Y)
    assert search.best_score_ > 0.5
    assert (
        cross_val_score(make_pipeline(StandardScaler(), model), X, Y, cv=2, scoring="f1_macro") > 0.7
    ).all()
    fitted = clone(model).fit(pd.DataFrame(X, columns=[f"pixel {k}" for k in range(64)]), pd.DataFrame(Y))
    assert fitted.feature_names_in_[3] == "pixel 3"
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301
    np.testing.assert_array_equal(again.coef_, fitted.coef_)
    assert fitted.to_module().weight.shape == (3, 64)
    with pytest.raises(NotFittedError):
        model.predict(X)


def test_sparse_and_tensors():
    dense = ol.MultilabelLogisticRegression(tol=1e-9).fit(X, Y)
    sparse = ol.MultilabelLogisticRegression(tol=1e-9).fit(
        scipy.sparse.csr_array(X), scipy.sparse.csr_array(Y)
    )
    np.testing.assert_allclose(sparse.coef_, dense.coef_, atol=1e-3)
    tensors = ol.MultilabelLogisticRegression().fit(torch.from_numpy(X), torch.from_numpy(Y))
    for found in (
        tensors.coef_,
        tensors.predict(torch.from_numpy(X)),
        tensors.predict_proba(torch.from_numpy(X)),
    ):
        assert isinstance(found, torch.Tensor)


WRONG = {
    "labels": (
        Y * 2,
        r"y holds 2 in row 0, label 0: give 0 and 1 \(for classes that exclude each other use LogisticRegress",
    ),
    "one axis": (
        Y[:, 0],
        r"y has shape \(1797,\): give \(n_samples, n_labels\), 1 where a row has a label, else 0\.",
    ),
    "NaN": (np.where(Y, np.nan, 0.0), r"y has \d+ values that are NaN or infinite"),
    "rows": (Y[:5], r"X has 1797 rows and y has 5 entries: give one per row"),
}


@over("case", WRONG)
def test_bad_labels_are_refused_in_one_sentence(case):
    given, message = case
    with pytest.raises(DataError, match=message):
        ol.MultilabelLogisticRegression().fit(X, given)


def test_streams_are_refused():
    with pytest.raises(DataError, match="which this estimator cannot read"):
        ol.MultilabelLogisticRegression().fit(ol.data.stream((X, DIGITS.y)), Y)


def test_errors_speak_of_the_estimator_that_was_asked():
    model = ol.MultilabelLogisticRegression(C=0.01).fit(DIGITS.X, Y)
    with pytest.raises(DataError, match="X has 5 features, but MultilabelLogisticRegression is expecting 64"):
        model.predict(DIGITS.X[:, :5])
