"""Models of others in our terms: which objective they minimise, and where on it they are."""

import dataclasses
import math

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted

from onelayer.errors import ParameterError
from onelayer.estimators.classification import LogisticRegression, SoftmaxRegression
from onelayer.estimators.regression import LOSSES, LinearRegression
from onelayer.estimators.validation import as_number, as_sample_weight
from onelayer.losses import Loss

__all__ = ["described", "translated"]

_CLASSES = {"log": "log", "logistic": "log", "cross-entropy": "log"}


@dataclasses.dataclass(frozen=True)
class _Plain:
    """Coefficients without a model around them."""

    coef_: object
    intercept_: object


def described(coefficients, y, sample_weight, *, loss, alpha, l1_ratio, fit_intercept):
    """Return (our estimator with the objective that these words describe, the coefficients as a model)."""
    try:
        weight, bias = coefficients
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"certify got {type(coefficients).__name__}: give a fitted model, or a pair (coef, intercept) with loss= "
            "and alpha=."
        ) from error
    if loss is None or alpha is None:
        raise ParameterError(
            "plain coefficients do not say what they minimise: give loss= (such as 'log' or 'squared') and alpha= (the "
            "penalty's strength for the mean loss; 0 for none)."
        )
    alpha = as_number("alpha", alpha)
    common = {"l1_ratio": l1_ratio, "fit_intercept": fit_intercept}
    if isinstance(loss, str) and loss in _CLASSES:
        given = as_sample_weight(sample_weight, len(y))
        total = float(len(y)) if given is None else float(given.sum())
        C = 1 / (alpha * total) if alpha else math.inf
        several = np.ndim(weight) == 2 and np.shape(weight)[0] > 1
        model = (SoftmaxRegression if several else LogisticRegression)(C=C, **common)
    elif isinstance(loss, Loss) or (isinstance(loss, str) and loss in LOSSES):
        model = LinearRegression(loss=loss, alpha=alpha, **common)
    else:
        raise ParameterError(f"loss is {loss!r}: give 'log', {', '.join(map(repr, LOSSES))}, or a Loss.")
    weight = weight if isinstance(weight, torch.Tensor) else np.asarray(weight)
    return model, _Plain(weight, bias)


def translated(fitted, sample_weight, rows):
    """Return our estimator with the same objective as a fitted scikit-learn model."""
    from sklearn import linear_model

    kind = _counterpart(fitted)
    sparse = (linear_model.Lasso, linear_model.ElasticNet)
    if kind in (linear_model.LogisticRegression, linear_model.LinearRegression, linear_model.Ridge, *sparse):
        check_is_fitted(fitted, "coef_")
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
    if kind in sparse:
        _refuse(fitted.positive, "positive=True constrains the coefficients, which is another problem")
        # Half the mean square plus alpha times the penalty, sample weights in shares: our own formula.
        return LinearRegression(
            alpha=float(fitted.alpha),
            l1_ratio=1.0 if kind is linear_model.Lasso else float(fitted.l1_ratio),
            fit_intercept=fitted.fit_intercept,
        )
    raise ParameterError(
        f"no certificate is known for a {kind.__name__}: give an estimator of onelayer, or scikit-learn's "
        "LogisticRegression, Ridge, Lasso, ElasticNet or LinearRegression."
    )


def _counterpart(fitted):
    """Return the class of a model, for a drop-in the one of scikit-learn that it stands for.

    By name: under ``onelayer.sklearn.patch()`` scikit-learn's module holds the drop-ins.
    """
    from sklearn import linear_model

    kind = type(fitted)
    known = kind.__module__.startswith(("sklearn.linear_model.", "onelayer.sklearn."))
    return getattr(linear_model, kind.__name__, kind) if known else kind


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
