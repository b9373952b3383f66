"""What is said about data that cannot be used: one sentence, what is wrong, where, and the way out."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

import onelayer as ol
from instances import PROBLEMS
from onelayer.errors import DataError

X, Y = PROBLEMS["two classes"]()
LABELS = np.array(["a", "b"])[Y]
CLASSIFIER, REGRESSOR = ol.LogisticRegression(), ol.LinearRegression()


def hole(value, *places, X=X):
    X = X.copy()
    for place in places:
        X[place] = value
    return X


def said(action, *words, kind=DataError):
    with pytest.raises(kind) as caught:
        action()
    message = str(caught.value)
    assert isinstance(caught.value, ValueError)
    assert "\n" not in message, message
    assert message.endswith("."), message
    for word in words:
        assert word in message, message
    return message


NAN = hole(np.nan, (3, 1))
FEATURES = {
    "one NaN": (NAN, ["X has 1 value", "row 3, column 1", "nan", "SimpleImputer"]),
    "two infinite": (hole(-np.inf, (7, 2), (9, 0)), ["X has 2 values", "row 7, column 2", "-inf"]),
    "all NaN": (np.full_like(X, np.nan), [f"X has {X.size} values", "row 0, column 0"]),
    "float32": (NAN.astype(np.float32), ["row 3, column 1"]),
    "tensor": (torch.from_numpy(NAN), ["row 3, column 1"]),
    "float16 tensor": (torch.from_numpy(NAN).half(), ["row 3, column 1"]),
    "frame": (pd.DataFrame(NAN, columns=list("abcd")), ["row 3, column 'b'"]),
    "sparse": (sparse.csr_matrix(NAN), ["X has 1 value", "row 3, column 1", "nan", "leave the entries out"]),
    "sparse tensor": (torch.from_numpy(NAN).to_sparse_csr(), ["X has 1 value", "row 3, column 1"]),
    "sparse and complex": (sparse.csr_matrix(X + 1j), ["X", "omplex"]),
    "one dimension": (X[:, 0], ["X has 1 dimension"]),
    "one dimension, tensor": (torch.from_numpy(X[:, 0]), ["X has 1 dimension"]),
    "three dimensions": (X[:, :, None], ["X has 3 dimensions"]),
    "three dimensions, tensor": (torch.from_numpy(X)[:, :, None], ["X has 3 dimensions"]),
    "text": (np.full((60, 2), "red"), ["X", "'red'"]),
    "complex": (X + 1j, ["X", "omplex"]),
    "no columns": (X[:, :0], ["X", "0"]),
    "no columns, tensor": (torch.zeros(60, 0), ["X", "0"]),
}


@pytest.mark.parametrize(("data", "words"), FEATURES.values(), ids=list(FEATURES))
@pytest.mark.parametrize("model", [CLASSIFIER, REGRESSOR], ids=["classifier", "regressor"])
def test_features(model, data, words):
    said(lambda: model.fit(data, Y), *words)


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor], ids=["array", "tensor"])
@pytest.mark.parametrize("model", [CLASSIFIER, REGRESSOR], ids=["classifier", "regressor"])
def test_no_rows(model, kind):
    said(lambda: model.fit(kind(np.zeros((0, 3))), kind(np.zeros(0))), "X", "0")


TARGETS = {
    "short": (CLASSIFIER, Y[:-1], ["X has 60 rows", "y has 59"]),
    "none": (CLASSIFIER, None, ["y"]),
    "a number": (CLASSIFIER, 3, ["y"]),
    "one class": (CLASSIFIER, np.full(60, "only"), ["y holds one class", "only", "at least two"]),
    "two columns": (CLASSIFIER, np.c_[Y, Y], ["y has shape (60, 2)", "one label per row"]),
    "floats": (CLASSIFIER, X[:, 0], ["not whole", "LinearRegression"]),
    "NaN labels": (CLASSIFIER, hole(np.nan, 5, X=Y.astype(float)), ["y has 1 value", "row 5"]),
    "missing text": (CLASSIFIER, np.where(Y == 0, None, "b"), ["y"]),
    "mixed": (CLASSIFIER, np.array([1, "a"] * 30, dtype=object), ["y"]),
    "text": (REGRESSOR, LABELS, ["y is not numeric", "classifier"]),
    "objects": (REGRESSOR, [{}] * 60, ["y is not numeric"]),
    "NaN target": (REGRESSOR, hole(np.nan, 4, X=X[:, 0]), ["y has 1 value", "row 4"]),
    "infinite target": (REGRESSOR, hole(np.inf, (4, 1), X=X[:, :2]), ["y has 1 value", "row 4, column 1"]),
    "three dimensions": (REGRESSOR, np.zeros((60, 1, 1)), ["y has shape (60, 1, 1)"]),
    "no targets": (REGRESSOR, np.zeros((60, 0)), ["y has shape (60, 0)"]),
}


@pytest.mark.parametrize(("model", "target", "words"), TARGETS.values(), ids=list(TARGETS))
def test_targets(model, target, words):
    said(lambda: model.fit(X, target), *words)


def test_labels_of_mixed_kinds_are_not_called_broken_numbers():
    for target in (np.where(Y == 0, None, "b"), np.array([1, "a"] * 30, dtype=object)):
        with pytest.raises(DataError) as caught:
            CLASSIFIER.fit(X, target)
        assert "not whole" not in str(caught.value)


WEIGHTS = {
    "short": (np.ones(59), ["sample_weight has 59", "60 rows"]),
    "negative": (np.r_[np.ones(59), -2], ["sample_weight", "-2", "row 59"]),
    "zero": (np.zeros(60), ["sample_weight is zero for every row"]),
    "NaN": (np.r_[np.nan, np.ones(59)], ["sample_weight has 1 value", "row 0"]),
    "infinite": (np.r_[np.inf, np.ones(59)], ["sample_weight has 1 value", "row 0"]),
    "table": (np.ones((60, 1)), ["sample_weight has shape (60, 1)"]),
    "text": (["heavy"] * 60, ["sample_weight", "heavy"]),
    "only one class weighs": (Y.astype(float), ["one class"]),
}


@pytest.mark.parametrize(("weight", "words"), WEIGHTS.values(), ids=list(WEIGHTS))
def test_weights(weight, words):
    # The limit is for weights that are accepted and have no optimum.
    said(lambda: ol.LogisticRegression(max_iter=50).fit(X, Y, weight), *words)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_one_number_as_weight_is_for_all_rows():
    one = ol.LogisticRegression(C=0.5).fit(X, Y, 2.0)
    np.testing.assert_allclose(one.coef_, ol.LogisticRegression(C=1.0).fit(X, Y).coef_, atol=1e-3)


@pytest.mark.parametrize("scale", [1e39, 1e-60])
def test_weights_beyond_float32_do_not_matter(scale):
    """Only their shares do: float32 arithmetic must not turn them into 0 or infinity."""
    one = ol.LogisticRegression(C=1 / scale, dtype="float32").fit(X, Y, np.full(60, scale))
    np.testing.assert_allclose(one.coef_, ol.LogisticRegression().fit(X, Y).coef_, atol=1e-2)


def test_features_at_predict_that_differ():
    model = ol.LogisticRegression().fit(X, Y)
    for wrong in (X[:, :3], torch.from_numpy(X[:, :3])):
        said(lambda wrong=wrong: model.predict(wrong), "3 features", "4")
    said(lambda: model.predict(NAN), "X has 1 value", "row 3, column 1")
    said(lambda: model.predict_proba(X[:, 0]), "X has 1 dimension")


def test_columns_at_predict_that_differ():
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = ol.LogisticRegression().fit(frame, Y)
    # scikit-learn's own list of names, as its users (and its estimator checks) know it.
    with pytest.raises(ValueError, match=r"unseen at fit time:\n- e"):
        model.predict(frame.rename(columns={"d": "e"}))
    with pytest.raises(ValueError, match="same order"):
        model.predict(frame[list("badc")])


def test_a_model_that_is_not_fitted():
    from sklearn.exceptions import NotFittedError

    for action in (
        lambda: CLASSIFIER.predict(X),
        lambda: CLASSIFIER.predict_proba(X),
        lambda: CLASSIFIER.to_module(),
        lambda: ol.certify(ol.LogisticRegression(), X, Y),
    ):
        with pytest.raises(NotFittedError):
            action()


def test_a_fit_that_fails_leaves_the_model_as_it_was():
    model = ol.LogisticRegression().fit(X, LABELS)
    expected = model.predict(X)
    for other in ((NAN[:, :3], LABELS), (X, np.full(60, "only")), (X[:, :2], Y[:-1])):
        with pytest.raises(DataError):
            model.fit(*other)
        assert (model.predict(X) == expected).all()
