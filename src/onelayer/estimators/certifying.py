"""Certificates for coefficients as they stand: ours, or those of a fitted scikit-learn model."""

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from onelayer.certificates import certifier_for
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.base import LinearModel
from onelayer.estimators.features import Features
from onelayer.estimators.gathering import processes_of
from onelayer.estimators.translating import described, translated
from onelayer.estimators.validation import as_tensor, check_lengths, is_stream
from onelayer.parameters import Parameters
from onelayer.solvers import ProximalNewton

__all__ = ["certify"]

# How near to the optimum (in shares of P) a dual point for an L1 part is looked for, and for how long.
_SHARP, _STEPS = 1e-13, 200

_USUAL = {"loss": None, "alpha": None, "l1_ratio": 0.0, "fit_intercept": True}


def certify(
    fitted,
    X,
    y=None,
    sample_weight=None,
    offset=None,
    *,
    loss=None,
    alpha=None,
    l1_ratio=0.0,
    fit_intercept=True,
):
    """Return a proven bound on how far coefficients are from the optimum of their own objective.

    Computes ``P(W, b) − min P ≤ gap`` in float64 for ``coef_`` and ``intercept_`` as they stand, P being the objective
    that the model's parameters describe. The data must be those of the fit. With an L1 part the optimum is looked for, from
    these coefficients on, because its dual point proves the most: that costs some steps of a fit.

    Parameters
    ----------
    fitted : estimator
        One of ours, or scikit-learn's LogisticRegression, Ridge, Lasso, ElasticNet or LinearRegression; or a pair (coef, intercept), from
        wherever, with `loss` and `alpha`.
    X, y, sample_weight
        As for ``fit``; a stream brings its targets, is read some three times, and its bound is a looser one (that of the
        gradient point, without a Newton step).
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
    streamed = is_stream(X)
    if y is None and not (streamed and X.has_target):
        raise DataError("y is None: give the targets of the fit.")
    words = {"loss": loss, "alpha": alpha, "l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    if streamed and not isinstance(fitted, LinearModel):
        _require_all_rows(X, y)
    if hasattr(fitted, "fit"):
        told = [name for name, usual in _USUAL.items() if words[name] != usual]
        if told:
            raise ParameterError(
                f"{told[0]}= is for plain coefficients: a model says itself what it minimises."
            )
        if isinstance(fitted, LinearModel):
            check_is_fitted(fitted, "coef_")
            model = fitted
        else:
            model = translated(fitted, sample_weight, _rows(X))
    else:
        model, fitted = described(fitted, y, sample_weight, **words)
    twin = type(model)(**model.get_params(deep=False)).set_params(dtype="float64")
    # As in a fit: ordinary tensors, and products that autocast does not round.
    with processes_of(X).shared() as group, torch.inference_mode(False), torch.no_grad():
        # Columns in another order would be proven to be something that nobody fitted.
        named = hasattr(fitted, "feature_names_in_") and hasattr(X, "columns")
        if named:
            twin.feature_names_in_, twin.n_features_in_ = fitted.feature_names_in_, fitted.n_features_in_
        if streamed:
            features, y, sample_weight = twin._read(X, y, sample_weight, group)
            offset = features.of_all(offset)
        else:
            features = Features(twin, X, fitting=not named)
        check_lengths(features.rows, y, sample_weight)
        objective, undo = twin._make_objective(features, y, sample_weight, offset)
        _check_classes(fitted, twin)
        parameters = _parameters(fitted, objective, undo)
        certifier = certifier_for(objective)
        if certifier.obstacle:
            raise ParameterError(f"there is no certificate for {_name(fitted)}: {certifier.obstacle}.")
        with torch.autocast(objective.design.device.type, enabled=False):
            return _proven(certifier, undo.to_solver(parameters), fitted, undo)


def _require_all_rows(stream, y):
    """Refuse what would have to be translated by rows or weights that are not read yet, or that other processes have."""
    if stream.shards == "own" or stream.source.has_weight or y is None:
        raise ParameterError(
            f"{stream.name} is a stream, and a model of another library, or plain coefficients, are translated by all rows: open "
            "it with target=False, without weight= and shards='own', and give y and sample_weight; or give a model of onelayer."
        )


def _rows(X):
    """Return how many rows there are, of a stream as far as that is known."""
    if is_stream(X):
        if X.rows is None:
            raise DataError(f"the rows of {X.name} are not counted yet: give a stream of arrays or files.")
        return X.rows
    return X.shape[0] if hasattr(X, "shape") else len(X)


def _proven(certifier, parameters, fitted, undo):
    certificate = certifier.certify(parameters, aim=0.0)
    loss, penalty = certifier.objective.loss, certifier.objective.penalty
    if certificate is not None and penalty.l1 and loss.smooth:
        certificate = _sharpened(certifier, certificate, parameters)
    if certificate is not None:
        return certifier.with_reach(certificate, parameters, undo.mean, undo.scale)
    finite = bool(torch.isfinite(certifier.wide.scores(parameters)).all())
    reason = (
        "without a penalty nothing can be proven this far from an optimum, if there is one (separated classes have none)"
        if finite
        else "its scores are not finite"
    )
    raise ParameterError(f"there is no certificate for {_name(fitted)}: {reason}.")


def _sharpened(certifier, certificate, parameters):
    """Return a certificate with the dual point of the optimum itself.

    With an L1 part the gradient at other coefficients leaves the box |G| ≤ l1, and what that costs is of first order in
    their distance where the gap is of second. The optimum's dual point proves the gap itself, and is a few steps away.
    """
    solver, objective = ProximalNewton(), certifier.objective
    state = solver.init(objective, parameters, tol=_SHARP)
    for _ in range(_STEPS):
        if state.halt or (state.tilt and state.tilt.gap <= _SHARP * abs(state.value)):
            break
        state = solver.step(objective, state)
    better = certifier.certify(parameters, tilt=state.tilt) if state.tilt else None
    return better if better is not None and better.gap < certificate.gap else certificate


def _name(fitted):
    return type(fitted).__name__ if hasattr(fitted, "fit") else "these coefficients"


def _parameters(fitted, objective, undo):
    outputs = undo.outputs(objective)
    shape = (outputs, objective.features)
    weight, bias = _numbers(fitted.coef_, "coef"), _numbers(fitted.intercept_, "intercept")
    if weight.shape != shape and not (weight.ndim == 1 and (1, len(weight)) == shape):
        raise DataError(
            f"coef has shape {tuple(weight.shape)}, and these data need {shape}: give the data of the fit."
        )
    # Without an intercept models store one 0 for all outputs.
    if bias.numel() != outputs and (bias.numel() != 1 or bool(bias.any())):
        raise DataError(
            f"intercept has shape {tuple(bias.shape)}, and these data need ({outputs},): give the data of the fit."
        )
    parameters = Parameters.of(weight.reshape(shape), bias.reshape(-1).expand(outputs))
    return parameters.to(torch.float64, objective.design.device)


def _numbers(values, name):
    """Return a tensor in float64, or say which argument is none."""
    try:
        values = as_tensor(
            values if isinstance(values, torch.Tensor) else np.asarray(values, dtype=np.float64)
        )
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} is not numeric ({error}): give numbers.") from error
    values = values.detach().to(torch.float64)
    if not bool(torch.isfinite(values).all()):
        raise DataError(f"{name} holds NaN or infinite values: there is nothing to prove about them.")
    return values


def _check_classes(fitted, twin):
    if not hasattr(fitted, "classes_"):
        return
    classes, found = np.asarray(fitted.classes_), twin.classes_
    if not np.array_equal(classes, found):
        raise DataError(
            f"the model knows the classes {list(classes)} and y holds {list(found)}: give the data of the fit."
        )
