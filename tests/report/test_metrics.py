"""Metrics agree with the formulas, and odd parts of the data give NaN or a sentence, never a crash."""

import math
import types

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression, RidgeClassifier

from onelayer.errors import DataError
from onelayer.report import evaluate
from report import fakes


def oracle(classes, proba, predicted=None):
    """Return a classifier that answers `proba` whatever it is asked."""
    classes, proba = np.asarray(classes), np.asarray(proba)
    labels = classes[proba.argmax(axis=1)] if predicted is None else predicted
    return types.SimpleNamespace(classes_=classes, predict=lambda X: labels, predict_proba=lambda X: proba)


def test_many_classes_by_hand():
    proba = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
    values = evaluate(oracle(["a", "b", "c"], proba), None, ["a", "b"])
    assert values == pytest.approx(
        {
            "accuracy": 0.5,
            "log_loss": -(math.log(0.7) + math.log(0.3)) / 2,
            "brier": (0.3**2 + 0.2**2 + 0.1**2 + 0.1**2 + 0.7**2 + 0.6**2) / 2,
        }
    )


def test_two_classes_by_hand():
    p = np.array([0.8, 0.4, 0.3])
    values = evaluate(oracle([0, 1], np.c_[1 - p, p]), None, torch.tensor([1, 1, 0]))
    assert values == pytest.approx(
        {
            "accuracy": 2 / 3,
            "log_loss": -(math.log(0.8) + math.log(0.4) + math.log(0.7)) / 3,
            "brier": (0.2**2 + 0.6**2 + 0.3**2) / 3,
            "auc": 1.0,
        }
    )


def test_float32_probabilities_of_real_size_raise_no_warning():
    X, y, X_test, y_test = fakes.many_classes()
    model = fakes.classifier(X, y)
    single = oracle(model.classes_, model.predict_proba(X_test).astype(np.float32))
    assert evaluate(single, None, y_test) == pytest.approx(evaluate(model, X_test, y_test), rel=1e-5)


def test_a_class_may_be_absent_from_y():
    values = evaluate(oracle([0, 1], [[0.9, 0.1], [0.2, 0.8]]), None, [0, 0])
    assert math.isnan(values["auc"])
    assert values["log_loss"] == pytest.approx(-(math.log(0.9) + math.log(0.2)) / 2)


def test_an_unknown_label_is_named_with_the_known_ones():
    with pytest.raises(DataError, match=r"'bird'.*'cat', 'dog'"):
        evaluate(oracle(["cat", "dog"], [[0.5, 0.5]]), None, ["bird"])


def test_without_probabilities_accuracy_alone():
    X, y, *_ = fakes.iris()
    assert set(evaluate(RidgeClassifier().fit(X, y), X, y)) == {"accuracy"}


def test_predictions_that_are_not_finite_give_nan():
    values = evaluate(oracle([0, 1], [[np.nan, np.nan]], predicted=np.array([0])), None, [0])
    assert values["accuracy"] == 1
    assert all(math.isnan(values[name]) for name in ("log_loss", "brier", "auc"))
    model = types.SimpleNamespace(predict=lambda X: np.array([np.inf, 0.0]))
    assert all(map(math.isnan, evaluate(model, None, [0.0, 1.0]).values()))


def test_regression():
    X, y, *_ = fakes.diabetes()
    model = LinearRegression().fit(X, y)
    residuals = y - model.predict(X)
    expected = {
        "r2": 1 - residuals.var() / y.var(),
        "rmse": math.sqrt(np.mean(residuals**2)),
        "mae": np.mean(np.abs(residuals)),
    }
    assert evaluate(model, X, torch.tensor(y)) == pytest.approx(expected)
    assert math.isnan(evaluate(model, X[:1], y[:1])["r2"])
