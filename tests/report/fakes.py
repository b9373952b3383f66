"""Scikit-learn models dressed as ours: what a fit leaves behind is set on them by hand."""

import types
import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split

from onelayer.result import Record, Result, Status

CERTIFIED = types.SimpleNamespace(
    gap=1.2e-7, relative_gap=3.1e-7, kind="fenchel", dtype="float64", message=""
)


def split(X, y):
    X, X_test, y, y_test = train_test_split(np.asarray(X, np.float32), y, test_size=0.3, random_state=0)
    return X, y, X_test, y_test


def digits():
    return split(*load_digits(return_X_y=True))


def iris():
    return split(*load_iris(return_X_y=True))


def breast_cancer():
    X, y = load_breast_cancer(return_X_y=True)
    return split((X - X.mean(axis=0)) / X.std(axis=0), y)


def diabetes():
    return split(*load_diabetes(return_X_y=True))


def many_classes(K=51, d=20):
    rng = np.random.default_rng(0)
    y = np.arange(12 * K) % K
    return split(rng.normal(size=(K, d))[y] + 0.8 * rng.normal(size=(len(y), d)), y)


def trace(metric, records=20):
    metrics = [
        {f"train_{metric}": 0.9 - 0.6 / (1 + i), f"test_{metric}": 0.85 - 0.6 / (1 + i)}
        for i in range(records)
    ]
    gaps = [10.0 ** (-i / 3) if i % 3 == 0 else None for i in range(records)]
    return [
        Record(i, 0.02 * i, 1.5 * i, 0.35 + 2 * 0.6**i, relative_gap=gaps[i], metrics=metrics[i])
        for i in range(records)
    ]


def dress(model, X, y, *, certificate=CERTIFIED, status=Status.CONVERGED, message="Certified.", records=None):
    """Set on a fitted scikit-learn `model` what reports read."""
    classifier = hasattr(model, "classes_")
    K = len(model.classes_) if classifier else 1
    outputs = K if K > 2 else 1
    records = trace("accuracy" if classifier else "r2") if records is None else records
    cost = {"passes": 28.5, "seconds": 0.38, "n_iter": 19, "solver": "lbfgs"}
    model.result_ = Result(status, message, 0.35, **cost, trace=records, copies=["X: float64 to float32"])
    model.certificate_ = certificate
    model.objective_record_ = {
        "loss": ("cross-entropy" if K > 2 else "logistic") if classifier else "squared",
        "loss_parameter": {},
        "alpha": 1 / len(y),
        "l1_ratio": 0.0,
        "fit_intercept": True,
        "standardize": False,
        "n_samples": len(y),
        "n_features": X.shape[1],
        "n_outputs": outputs,
    }
    return model


def classifier(X, y, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dress(LogisticRegression(max_iter=200).fit(np.asarray(X), np.asarray(y)), X, y, **options)


def regressor(X, y, **options):
    return dress(Ridge(alpha=0.1).fit(np.asarray(X), np.asarray(y)), X, y, **options)
