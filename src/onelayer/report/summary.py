"""A fit in one flat, JSON-ready record."""

import os

import numpy as np

from onelayer.persistence import plain
from onelayer.report.measured import Measured
from onelayer.report.metrics import evaluate

__all__ = ["summarise"]

FORMULA = (
    "loss",
    "loss_parameter",
    "alpha",
    "l1_ratio",
    "fit_intercept",
    "standardize",
    "n_outputs",
)


def summarise(estimator, dataset_name, X, y, X_test=None, y_test=None, out=None, *, model, abstain=None):
    """Gather what was fitted, how it ended, how good it is and what it cost.

    Parameters
    ----------
    estimator : object
        A fitted model with ``result_``, ``certificate_`` and ``objective_record_``.
    dataset_name : str
        What the data are called.
    X, y, X_test, y_test : array-like
        The data fitted on and, where there are some, those held back; in the place of an X and its y a Measured and None.
    out : str or path, optional
        The folder that the model is saved in.
    model : {"linear", "logistic", "softmax"}
        What was asked for.
    abstain : (float, float) or float, optional
        Which rows of a classifier are uncertain, as in its ``predict``.

    Returns
    -------
    dict
        Builtins only; None where a number is missing or not finite. Metrics carry the prefix ``train_`` or
        ``test_``. With `abstain` that too, and for each part ``uncertain``, a count, and ``accuracy_decided``, the
        accuracy on the other rows, None where there is no other.

    Examples
    --------
    >>> import onelayer as ol
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> model = ol.LogisticRegression().fit(X, y)
    >>> summary = summarise(model, "four rows", X, y, model="logistic")
    >>> summary["status"], summary["train_accuracy"], summary["n_test"]
    ('converged', 1.0, 0)
    """
    result, certificate, record = estimator.result_, estimator.certificate_, estimator.objective_record_
    classes = getattr(estimator, "classes_", None)
    summary = {
        "model": model,
        "data": dataset_name,
        "solver": result.solver,
        "status": str(result.status),
        "message": result.message,
        "objective": result.objective,
        "relative_gap": getattr(certificate, "relative_gap", None),
        "gap": getattr(certificate, "gap", None),
        "certificate": getattr(certificate, "kind", None),
        "passes": result.passes,
        "seconds": result.seconds,
        "iterations": result.n_iter,
        "reads": result.reads,
        "shards": list(result.shards),
        "n_train": _rows(X, y),
        "n_test": _rows(X_test, y_test),
        "n_features": record["n_features"],
        "n_classes": None if classes is None else len(classes),
        **_metrics("train", estimator, X, y, abstain),
        **_metrics("test", estimator, X_test, y_test, abstain),
        **({} if abstain is None else {"abstain": np.asarray(abstain).tolist()}),
        **{name: record[name] for name in FORMULA},
        "device": result.device,
        "dtype": result.dtype,
        "copies": list(result.copies),
        "out": None if out is None else os.fspath(out),
    }
    return plain(summary)


def _rows(X, y):
    if isinstance(X, Measured):
        return X.rows
    if y is None:
        return 0
    return y.shape[0] if hasattr(y, "shape") else len(y)


def _metrics(part, estimator, X, y, abstain):
    if isinstance(X, Measured):
        metrics = X.metrics
    elif y is None:
        return {}
    else:
        metrics = evaluate(estimator, X, y, abstain=abstain)
    return {f"{part}_{name}": value for name, value in metrics.items()}
