"""scikit-learn's HuberRegressor, at the exact optimum."""

import math
import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import scipy.sparse
import torch
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from onelayer.designs import DenseDesign, SparseDesign
from onelayer.estimators.compressing import compressed_of_scipy, may_flip
from onelayer.estimators.documentation import Documented
from onelayer.estimators.validation import as_tensor
from onelayer.parameters import Parameters
from onelayer.result import Status
from onelayer.sklearn.validation import check_sample_weight, validate_data
from onelayer.solvers.concomitant import fit_concomitant

__all__ = ["HuberRegressor"]

# Sizes of X whose squares, summed over rows, stay well within float64.
_SMALL, _LARGE = 1e-100, 1e100


class HuberRegressor(RegressorMixin, Documented, BaseEstimator):
    r"""Linear regression that outliers hardly move, with a scale of its own: scikit-learn's class, solved exactly.

    Minimises, over w, b and σ > 0,

        Σ_i s_i [ σ + σ H((y_i − w·x_i − b) / σ) ] + alpha |w|²,    H(t) = t² for |t| < epsilon, else 2 epsilon |t| − epsilon²,

    by Newton's method, to the rounding of float64 and with a proven bound on what is left. ``onelayer.losses.Huber`` is
    another objective: there the scale is given, not fitted.

    Parameters
    ----------
    epsilon : float, default=1.35
        From how many scales on a residual counts as an outlier, ≥ 1. At 1 the objective is the sum of absolute errors.
    max_iter : int, default=100
        Newton steps at most; the fit then stops and warns. Some five are usual, some fifty where the scale goes to zero.
    alpha : float, default=0.0001
        Strength of the penalty, ≥ 0.
    warm_start : bool, default=False
        Start from the coefficients, intercept and scale of the last fit. If they are proven optimal they are kept to the
        last bit, with ``n_iter_ == 0``.
    fit_intercept : bool, default=True
        Whether b is free; otherwise it is 0.
    tol : float, default=1e-5
        In scikit-learn the largest entry of the gradient to stop at. Here an upper limit that is always met where float64
        can: the fit goes on to the optimum whatever it says.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : float
    scale_ : float
        σ. Where the objective is least at σ = 0, some ten roundings of a usual target; ``result_.message`` says so.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
        Only where X has feature names that are all strings.
    n_iter_ : int
        Newton steps that were made.
    outliers_ : ndarray of bool, shape (n_samples,)
        Rows with \\|y − w·x − b\\| > epsilon σ; where σ is next to zero, rows that are not met exactly.
    result_ : onelayer.result.Result
        The account of the fit.
    certificate_ : onelayer.certificates.Certificate
        The proof: a bound on the distance of the objective from its infimum.

    Notes
    -----
    Rows of weight zero count as removed. Negative weights are refused, since the objective would have no minimum.

    With ``alpha=0`` and columns that depend on each other (to the rounding of X, up to 2,048 columns) ``coef_`` is the
    shortest of those with the same residuals. Where more than a share of 1 − 1/epsilon² of the weight can be on rows that
    are met exactly, the infimum is at σ = 0. So it is for data without noise, mostly for few more rows than features, and
    always for ``epsilon=1``.

    Differences from scikit-learn: it stops near the optimum, or at σ = 2e-15; it raises where its line search fails, which
    has no counterpart here; with ``warm_start=True, fit_intercept=False`` it fits an intercept all the same.

    References
    ----------
    P. J. Huber, E. M. Ronchetti, "Robust Statistics", 2nd ed. (2009), section 7.7.
    A. B. Owen, "A robust hybrid of lasso and ridge regression", Contemp. Math. 443 (2007).

    Examples
    --------
    >>> from onelayer.sklearn.huber import HuberRegressor
    >>> X, y = [[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0.1, 0.9, 2.2, 2.8, 4.1, 40.0]
    >>> model = HuberRegressor(epsilon=1.5).fit(X, y)
    >>> model.outliers_
    array([False, False, False, False, False,  True])
    >>> model.certificate_.relative_gap < 1e-12
    True
    """

    _parameter_constraints: ClassVar[dict] = {
        "epsilon": [Interval(Real, 1.0, None, closed="left")],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "fit_intercept": ["boolean"],
        "tol": [Interval(Real, 0.0, None, closed="left")],
    }

    # Set by fit.
    coef_: Any
    intercept_: float
    scale_: float
    n_iter_: int

    def __init__(
        self, *, epsilon=1.35, max_iter=100, alpha=0.0001, warm_start=False, fit_intercept=True, tol=1e-05
    ):
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.alpha = alpha
        self.warm_start = warm_start
        self.fit_intercept = fit_intercept
        self.tol = tol

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError
            Where the data cannot be used, in scikit-learn's words.
        """
        X, y = validate_data(
            self, X, y, copy=False, accept_sparse=["csr"], y_numeric=True, dtype=[np.float64, np.float32]
        )
        sample_weight = check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        y = np.asarray(y, dtype=np.float64)
        kept = sample_weight > 0
        seen = slice(None) if kept.all() else kept
        unit = _unit_of(X)
        start, scale = self._start(X.shape[1], unit)
        with torch.no_grad(), np.errstate(over="ignore"):
            outcome = fit_concomitant(
                _design(X[seen], unit),
                torch.tensor(y[seen]),
                torch.tensor(sample_weight[seen]),
                # No residual of the optimum is so many scales long: the objective is the same, its squares are finite.
                epsilon=min(float(self.epsilon), 1e100),
                alpha=min(float(self.alpha) * unit * unit, 1e300),
                fit_intercept=self.fit_intercept,
                start=start,
                scale=scale,
                max_iter=self.max_iter,
            )
        if not bool(torch.isfinite(outcome.parameters.flat).all()) or not math.isfinite(outcome.scale):
            raise ValueError(
                "HuberRegressor convergence failed: Newton's method left the finite numbers; scale the features of X"
            )
        self._keep(outcome, unit)
        residual = np.abs(y - X @ self.coef_ - self.intercept_)
        self.outliers_ = residual > self.scale_ * self.epsilon
        self.outliers_[seen] = outcome.outliers.numpy()
        if outcome.result.status is not Status.CONVERGED:
            warnings.warn(self._not_converged(), ConvergenceWarning, stacklevel=3)
        return self

    def predict(self, X):
        """Return w·x + b for each row.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse=["csr", "csc", "coo"], reset=False)
        return X @ self.coef_ + self.intercept_

    def _start(self, features, unit):
        """Return (Parameters, σ) to start from."""
        if not (self.warm_start and hasattr(self, "coef_")):
            return None, 1.0
        if len(self.coef_) != features:
            raise ValueError(
                f"X has {features} features, but the coefficients to start from (warm_start=True) have "
                f"{len(self.coef_)}: give X as before, or warm_start=False."
            )
        weight = torch.tensor(np.asarray(self.coef_, dtype=np.float64)) / unit
        bias = torch.tensor([float(self.intercept_) if self.fit_intercept else 0.0], dtype=torch.float64)
        return Parameters.of(weight.unsqueeze(0), bias), float(self.scale_)

    def _keep(self, outcome, unit):
        self.coef_ = (outcome.parameters.weight.squeeze(0) * unit).numpy()
        self.intercept_ = outcome.parameters.bias.item() if self.fit_intercept else 0.0
        self.scale_ = outcome.scale
        self.n_iter_ = outcome.result.n_iter
        self.result_, self.certificate_ = outcome.result, outcome.certificate

    def _not_converged(self):
        words = f"HuberRegressor failed to converge after {self.n_iter_} iteration(s): {self.result_.message}"
        if self.n_iter_ >= self.max_iter:
            words += (
                f"\nIncrease the number of iterations to improve the convergence (max_iter={self.max_iter})."
            )
        return words + "\nYou might also want to scale the data."

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _unit_of(X):
    """Return the power of two to multiply X with, 1 unless its squares would leave the range of float64."""
    entries = X.data if scipy.sparse.issparse(X) else X
    largest = float(np.abs(entries).max(initial=0.0))
    return (
        1.0
        if largest == 0 or _SMALL < largest < _LARGE
        else math.ldexp(1.0, min(-math.frexp(largest)[1], 1000))
    )


def _design(X, unit):
    """Return the Design of a matrix, with float64 products."""
    X = X if unit == 1 else X.astype(np.float64) * unit
    if scipy.sparse.issparse(X):
        matrix, flipped = compressed_of_scipy(X, X.dtype, [])
        return SparseDesign(matrix, torch.float64, flipped, flips=may_flip(matrix))
    return DenseDesign(as_tensor(np.ascontiguousarray(X)), torch.float64)
