"""Certificates for coefficients as they stand: ours, or those of a fitted scikit-learn model."""

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from onelayer.certificates import Certifier
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.base import LinearModel
from onelayer.estimators.scaling import Scaling
from onelayer.estimators.translating import described, translated
from onelayer.estimators.validation import Features, check_lengths
from onelayer.parameters import Parameters

__all__ = ["certify"]


def certify(
    fitted, X, y, sample_weight=None, offset=None, *, loss=None, alpha=None, l1_ratio=0.0, fit_intercept=True
):
    """Return a proven bound on how far coefficients are from the optimum of their own objective.

    Computes ``P(W, b) − min P ≤ gap`` in float64 for ``coef_`` and ``intercept_`` as they stand, P being the objective
    that the model's parameters describe. The data must be those of the fit.

    Parameters
    ----------
    fitted : estimator
        One of ours, or scikit-learn's LogisticRegression, Ridge or LinearRegression; or a pair (coef, intercept), from
        wherever, with `loss` and `alpha`.
    X, y, sample_weight
        As for ``fit``.
    offset : array-like of shape (n_samples,) or (n_samples, outputs), optional
        Known part of the scores.
    loss : str or Loss, optional
        For plain coefficients: "log" (one row of coefficients: the score of the second class; more: softmax, one row for
        each class in sorted order), or a loss of LinearRegression.
    alpha : float, optional
        For plain coefficients: the penalty's strength beside the mean loss, 1/(C S) in scikit-learn's terms.
    l1_ratio : float
        For plain coefficients: the share of the L1 part.
    fit_intercept : bool
        For plain coefficients: whether the intercept was free (and not penalised).

    Returns
    -------
    Certificate
        With its ``reach``: how far weights, scores and probabilities can be off.

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
    >>> ol.certify((foreign.coef_, foreign.intercept_), data.X, data.y, loss="log", alpha=1 / 150).relative_gap < 1e-4
    True
    """
    if hasattr(fitted, "fit"):
        check_is_fitted(fitted, "coef_")
        if isinstance(fitted, LinearModel):
            model = fitted
        else:
            model = translated(fitted, sample_weight, len(X) if not hasattr(X, "shape") else X.shape[0])
    else:
        words = {"loss": loss, "alpha": alpha, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
        model, fitted = described(fitted, y, sample_weight, **words)
    twin = type(model)(**model.get_params(deep=False)).set_params(dtype="float64")
    features = Features(twin, X, fitting=True)
    check_lengths(features.tensor, y, sample_weight)
    offset = None if offset is None else _offset(offset, features.tensor)
    objective, undo = twin._make_objective(features.tensor, y, sample_weight, offset)
    _check_classes(fitted, twin)
    parameters = _parameters(fitted, objective)
    certifier = Certifier(objective)
    if certifier.obstacle:
        raise ParameterError(f"there is no certificate for {_name(fitted)}: {certifier.obstacle}.")
    return _proven(certifier, undo.to_solver(parameters), fitted, undo)


def _proven(certifier, parameters, fitted, undo):
    certificate = certifier.certify(parameters, aim=0.0)
    if certificate is not None:
        mean, scale = (undo.mean, undo.scale) if isinstance(undo, Scaling) else (None, None)
        return certifier.with_reach(certificate, parameters, mean, scale)
    finite = bool(torch.isfinite(certifier.wide.scores(parameters)).all())
    reason = (
        "without a penalty nothing can be proven this far from an optimum, if there is one (separated classes have none)"
        if finite
        else "its scores are not finite"
    )
    raise ParameterError(f"there is no certificate for {_name(fitted)}: {reason}.")


def _name(fitted):
    return type(fitted).__name__ if hasattr(fitted, "fit") else "these coefficients"


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
