"""What the drop-ins for least squares share: one way to our estimator, and predictions in scikit-learn's shapes."""

import abc
import dataclasses
import warnings
from typing import Any

import numpy as np
import scipy.sparse
import torch
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

import onelayer.estimators
from onelayer.errors import RankWarning
from onelayer.estimators.documentation import Documented
from onelayer.result import Status
from onelayer.sklearn.proofs import certificate_by_projection
from onelayer.sklearn.reduction import Reduction
from onelayer.sklearn.validation import validate_data

__all__ = ["LinearRegressor", "as_array", "fit_squares"]

# A proof by the triangle of the data is worth this many columns of a sparse matrix.
_COLUMNS = 4096
# As in the estimators: a certified relative gap that counts as the optimum.
_TOL = 1e-6


class LinearRegressor(MultiOutputMixin, RegressorMixin, Documented, BaseEstimator, abc.ABC):
    """ŷ = X coef_ᵀ + intercept_. Abstract; the drop-ins for least squares are final."""

    # Set by fit.
    coef_: Any
    intercept_: Any
    result_: Any
    certificate_: Any

    @abc.abstractmethod
    def fit(self, X, y, sample_weight=None):
        """Set coef_, intercept_, result_ and certificate_."""

    def predict(self, X):
        """Predict the targets.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_targets)
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc", "coo"], reset=False)
        # Infinite predictions speak for themselves.
        with np.errstate(over="ignore", invalid="ignore"):
            return X @ (self.coef_ if self.coef_.ndim == 1 else self.coef_.T) + self.intercept_


def fit_squares(X, y, sample_weight, *, alpha=0.0, fit_intercept=True, limits=None):
    """Return our LinearRegression, fitted, without its warnings: each drop-in gives its own.

    Parameters
    ----------
    X : array, sparse matrix or tensor of shape (n_samples, n_features)
    y : array or tensor of shape (n_samples, n_targets)
    sample_weight : array of shape (n_samples,) or None
    alpha : float
        Beside the mean loss.
    fit_intercept : bool
    limits : dict, optional
        Other parameters of our LinearRegression; such as another solver.
    """
    parameters = {"alpha": alpha, "fit_intercept": fit_intercept, "tol": _TOL, **(limits or {})}
    model = onelayer.estimators.LinearRegression(**parameters)
    with warnings.catch_warnings():
        # The least of many answers is what scikit-learn gives too, without a word.
        warnings.simplefilter("ignore", RankWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y, sample_weight=sample_weight)
        if model.n_iter_ == 0:
            # Under a large penalty W = 0 is within the tolerance; people want the digits of W.
            model.set_params(tol=0.0).fit(X, y, sample_weight=sample_weight)
    if model.certificate_ is None and not alpha and not _too_large(X):
        reduction = Reduction.of(as_array(X), as_array(y), sample_weight, fit_intercept=fit_intercept)
        coefficients = as_array(model.coef_), as_array(model.intercept_)
        model.certificate_ = certificate_by_projection(reduction, *coefficients)
    if not limits and model.certificate_ is not None:
        model.result_ = _judged(model.result_, model.certificate_)
    return model


def as_array(values):
    """Return a NumPy array of a tensor; anything else as it is."""
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else values


def _too_large(X):
    return scipy.sparse.issparse(X) and X.shape[1] > _COLUMNS


def _judged(result, certificate):
    """Return the account of a fit that was driven as far as the arithmetic goes, with the status that its proof earns."""
    gap = certificate.relative_gap
    if gap <= _TOL:
        message = f"The certified relative gap is {gap:.2g}, at most {_TOL:g}."
        return dataclasses.replace(result, status=Status.CONVERGED, message=message)
    message = f"Nothing was left to gain in this arithmetic; the certified relative gap is {gap:.2g}."
    return dataclasses.replace(result, status=Status.STALLED, message=message)
