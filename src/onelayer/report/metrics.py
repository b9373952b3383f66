"""How good a fitted model is on given data, as plain numbers."""

import math

import numpy as np

from onelayer.abstention import Abstention
from onelayer.errors import DataError, ParameterError
from onelayer.plots.inputs import as_array

__all__ = ["evaluate"]


def evaluate(estimator, X, y, *, abstain=None):
    """Measure a fitted model on `X` and `y`.

    Parameters
    ----------
    estimator : object
        A fitted classifier (it has ``classes_``) or regressor.
    X, y : array-like
        The data to measure on; `y` may lack classes of the model, but has none that the model does not know.
    abstain : (float, float) or float, optional
        Which rows of a classifier are uncertain, as in its ``predict``; all other metrics are of all rows.

    Returns
    -------
    dict of str to float
        For classifiers ``accuracy``; where there is ``predict_proba`` also ``log_loss``, ``brier`` and, for two
        classes, ``auc``. For regressors ``r2``, ``rmse`` and ``mae``. NaN where a metric is not defined: R² of one
        row, AUC of one class, anything of predictions that are not finite. With `abstain` also
        ``uncertain``, a count of rows, and ``accuracy_decided``, the accuracy on the others (NaN without others).

    Raises
    ------
    DataError
        `y` has a label that the model does not know.
    ParameterError
        `abstain` is given and the estimator has no ``predict_proba``, or it is out of range.

    Notes
    -----
    ``brier`` is the mean over rows of the squared error of the probabilities, summed over the classes, between 0
    and 2. For two classes it is (p − y)² of the positive class alone, as is usual: half of that sum.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 2.0, 3.0]
    >>> round(evaluate(LinearRegression().fit(X, y), X, y)["r2"], 6)
    1.0
    """
    y = as_array(y)
    if abstain is not None and not hasattr(estimator, "predict_proba"):
        raise ParameterError(
            f"abstain is {abstain!r}, which needs a classifier with probabilities, and this is a "
            f"{type(estimator).__name__}: leave it out."
        )
    if hasattr(estimator, "classes_"):
        return _classification(estimator, X, y, abstain)
    return _regression(y, as_array(estimator.predict(X)))


def _classification(estimator, X, y, abstain):
    from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

    classes = as_array(estimator.classes_)
    if unseen := np.setdiff1d(y, classes).tolist():
        known = ", ".join(map(repr, classes[:20].tolist())) + (", …" if len(classes) > 20 else "")
        raise DataError(f"y has the label {unseen[0]!r}, which the model does not know; it knows {known}.")
    predicted = as_array(estimator.predict(X))
    values = {"accuracy": float(accuracy_score(y, predicted))}
    if not hasattr(estimator, "predict_proba"):
        return values
    proba = as_array(estimator.predict_proba(X))
    if abstain is not None:
        decided = ~Abstention.of(abstain, len(classes)).uncertain(proba)
        values["uncertain"] = int((~decided).sum())
        values["accuracy_decided"] = (
            float(accuracy_score(y[decided], predicted[decided])) if decided.any() else math.nan
        )
    proba = proba.astype(float)
    binary = len(classes) == 2
    if not np.isfinite(proba).all():
        return values | dict.fromkeys(["log_loss", "brier"] + ["auc"] * binary, math.nan)
    # Rows of float32 sum to 1 within its rounding only, which scikit-learn warns about in float64.
    proba /= proba.sum(axis=1, keepdims=True)
    codes = np.searchsorted(classes, y)
    values["log_loss"] = float(log_loss(codes, proba, labels=np.arange(len(classes))))
    values["brier"] = _brier(codes, proba) / (2 if binary else 1)
    if binary:
        both = len(np.unique(codes)) == 2
        values["auc"] = float(roc_auc_score(codes, proba[:, 1])) if both else math.nan
    return values


def _brier(codes, proba):
    """Return Σ_k (p_k − [y = k])², averaged over rows, without a one-hot matrix: Σ p_k² − 2 p_y + 1."""
    hit = proba[np.arange(len(codes)), codes]
    return float(np.mean((proba**2).sum(axis=1) - 2 * hit + 1))


def _regression(y, predicted):
    from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

    if not np.isfinite(predicted).all():
        return dict.fromkeys(("r2", "rmse", "mae"), math.nan)
    return {
        "r2": float(r2_score(y, predicted)) if len(y) > 1 else math.nan,
        "rmse": float(root_mean_squared_error(y, predicted)),
        "mae": float(mean_absolute_error(y, predicted)),
    }
