"""Certificates for coefficients as they stand: ours, or those of a fitted scikit-learn model."""

import math

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from onelayer.certificates import Certifier
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.base import LinearModel
from onelayer.estimators.classification import LogisticRegression, SoftmaxRegression
from onelayer.estimators.regression import LinearRegression
from onelayer.estimators.validation import Features, as_sample_weight, check_lengths
from onelayer.parameters import Parameters

__all__ = ["certify"]


def certify(fitted, X, y, sample_weight=None, offset=None):
    """Return a proven bound on how far coefficients are from the optimum of their own objective.

    Computes ``P(W, b) − min P ≤ gap`` in float64 for ``coef_`` and ``intercept_`` as they stand, P being the objective
    that the model's parameters describe. The data must be those of the fit.

    Parameters
    ----------
    fitted : estimator
        One of ours, or scikit-learn's LogisticRegression, Ridge or LinearRegression.
    X, y, sample_weight
        As for ``fit``.
    offset : array-like of shape (n_samples,) or (n_samples, outputs), optional
        Known part of the scores.

    Returns
    -------
    Certificate

    Raises
    ------
    ParameterError
        No bound exists for this objective, or the model minimises another one; the message says which.

    Examples
    --------
    >>> import onelayer as ol
    >>> from sklearn.linear_model import LogisticRegression
    >>> data = ol.data.load("iris")
    >>> foreign = LogisticRegression(max_iter=1000).fit(data.X, data.y)
    >>> ol.certify(foreign, data.X, data.y).relative_gap < 1e-4
    True
    """
    check_is_fitted(fitted, "coef_")
    if isinstance(fitted, LinearModel):
        model = fitted
    else:
        model = _translate(fitted, sample_weight, len(X) if not hasattr(X, "shape") else X.shape[0])
    twin = type(model)(**model.get_params(deep=False)).set_params(dtype="float64")
    features = Features(twin, X, fitting=True)
    check_lengths(features.tensor, y, sample_weight)
    offset = None if offset is None else _offset(offset, features.tensor)
    objective, undo = twin._make_objective(features.tensor, y, sample_weight, offset)
    _check_classes(fitted, twin)
    parameters = _parameters(fitted, objective)
    certifier = Certifier(objective)
    if certifier.obstacle:
        raise ParameterError(f"there is no certificate for {type(fitted).__name__}: {certifier.obstacle}.")
    certificate = certifier.certify(undo.to_solver(parameters))
    if certificate is None:
        raise ParameterError(
            f"there is no certificate for {type(fitted).__name__}: its scores are not finite."
        )
    return certificate


def _parameters(fitted, objective):
    weight = torch.as_tensor(
        np.asarray(fitted.coef_) if not isinstance(fitted.coef_, torch.Tensor) else fitted.coef_
    )
    bias = torch.as_tensor(fitted.intercept_, dtype=torch.float64).reshape(-1)
    weight = weight.to(torch.float64).reshape(-1, objective.features) if weight.numel() else weight
    if weight.numel() != objective.outputs * objective.features:
        raise DataError(
            f"coef_ has shape {tuple(fitted.coef_.shape)}, and these data need ({objective.outputs}, {objective.features}): "
            "give the data of the fit."
        )
    weight = weight.reshape(objective.outputs, objective.features)
    return Parameters.of(weight, bias.expand(objective.outputs).to(weight)).to(
        torch.float64, objective.design.device
    )


def _offset(offset, X):
    offset = torch.as_tensor(offset, dtype=torch.float64, device=X.device)
    if offset.shape[0] != X.shape[0]:
        raise DataError(
            f"X has {X.shape[0]} rows and offset has {offset.shape[0]} entries: give one per row."
        )
    return offset.reshape(X.shape[0], -1)


def _check_classes(fitted, twin):
    if not hasattr(fitted, "classes_"):
        return
    classes, found = np.asarray(fitted.classes_), twin.classes_
    if not np.array_equal(classes, found):
        raise DataError(
            f"the model knows the classes {list(classes)} and y holds {list(found)}: give the data of the fit."
        )


# ---- scikit-learn's conventions -------------------------------------------------------------------------------


def _translate(fitted, sample_weight, rows):
    """Return our estimator with the same objective as a fitted scikit-learn model."""
    from sklearn import linear_model

    kind = type(fitted)
    if kind is linear_model.LogisticRegression:
        return _translate_logistic(fitted)
    if kind is linear_model.LinearRegression:
        _refuse(fitted.positive, "positive=True constrains the coefficients, which is another problem")
        return LinearRegression(fit_intercept=fitted.fit_intercept)
    if kind is linear_model.Ridge:
        _refuse(fitted.positive, "positive=True constrains the coefficients, which is another problem")
        _refuse(np.ndim(fitted.alpha) > 0, "alpha differs between targets, which is several problems")
        weight = as_sample_weight(sample_weight, rows)
        total = rows if weight is None else float(weight.sum())
        # Ridge minimises ‖y − Xw‖² + alpha ‖w‖²: twice our sum.
        return LinearRegression(alpha=float(fitted.alpha) / total, fit_intercept=fitted.fit_intercept)
    raise ParameterError(
        f"no certificate is known for a {kind.__name__}: give an estimator of onelayer, or scikit-learn's "
        "LogisticRegression, Ridge or LinearRegression."
    )


def _translate_logistic(fitted):
    parameters = fitted.get_params(deep=False)
    _refuse(
        parameters["solver"] == "liblinear" and parameters["fit_intercept"],
        "solver='liblinear' also penalises the intercept, which is another objective (fit with solver='lbfgs')",
    )
    _refuse(parameters.get("dual") is True, "dual=True is liblinear's other formulation")
    C, l1_ratio = parameters["C"], parameters.get("l1_ratio") or 0.0
    penalty = parameters.get("penalty", "deprecated")
    if penalty is None:
        C = math.inf
    elif penalty in ("l1", "l2"):
        l1_ratio = 1.0 if penalty == "l1" else 0.0
    common = {
        "C": C,
        "l1_ratio": l1_ratio,
        "fit_intercept": parameters["fit_intercept"],
        "class_weight": parameters["class_weight"],
    }
    if np.shape(fitted.coef_)[0] == 1 or len(fitted.classes_) > 2:
        return LogisticRegression(**common)
    return SoftmaxRegression(**common)


def _refuse(condition, reason):
    if condition:
        raise ParameterError(f"there is no certificate for this model: {reason}.")
