"""Drop-in for scikit-learn's LinearRegression."""

import dataclasses
import warnings
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import scipy.linalg
import scipy.sparse
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval

import onelayer.estimators
from onelayer.errors import RankWarning
from onelayer.result import Status
from onelayer.sklearn.engine import LinearRegressor, fit_squares
from onelayer.sklearn.nonnegative import nonnegative_least_squares
from onelayer.sklearn.reduction import Reduction, centred_in_place, in_float64
from onelayer.sklearn.validation import check_sample_weight, validate_data

__all__ = ["LinearRegression"]

# From this relative gap on, singular directions that `tol` leaves out are missed in the fit.
_MISSED = 1e-6
_EPS = float(np.finfo(float).eps)


class LinearRegression(LinearRegressor):
    """Ordinary least squares with scikit-learn's arguments and attributes.

    Minimises ``Σ s_i ‖y_i − W x_i − b‖²``; where many W do, the one of the least ‖W‖ (with an intercept: of those
    that are best for centred columns). With ``positive=True`` over W ≥ 0.

    Parameters
    ----------
    fit_intercept : bool, default True
        Whether to fit b.
    copy_X : bool, default True
        False lets the fit overwrite X: with an intercept, its columns are centred in place.
    tol : float, default 1e-6
        For dense X, as in scikit-learn, singular values of the centred X of at most `tol` times the largest count as
        zero. Where the fit is worse for that, a `RankWarning` says how much; 0 (or 1 and more) leaves
        nothing out. For sparse X it has no
        influence: the answer is exact.
    n_jobs : int, optional
        Accepted; torch's threads do the work.
    positive : bool, default False
        Coefficients ≥ 0, for dense X.

    Attributes
    ----------
    coef_ : array of shape (n_features,), or (n_targets, n_features) for 2-d y
    intercept_ : float, or array of shape (n_targets,)
    rank_ : int
        Of the centred X, for dense X.
    singular_ : array of shape (min(n_samples, n_features),)
        Singular values of the centred, weighted X, for dense X.
    result_ : onelayer.result.Result
        Status, message, objective (the mean of ½ ‖y_i − W x_i − b‖²), seconds, trace.
    certificate_ : onelayer.certificates.Certificate or None
        The proven distance of the objective from its minimum.
    n_features_in_ : int
    feature_names_in_ : array of str
        Only if X had column names.

    Examples
    --------
    >>> import numpy as np
    >>> from onelayer.sklearn.linear import LinearRegression
    >>> X = np.array([[1.0, 1.0], [1.0, 2.0], [2.0, 2.0], [2.0, 3.0]])
    >>> model = LinearRegression().fit(X, X @ [1.0, 2.0] + 3.0)
    >>> model.coef_.round(6), model.rank_, model.certificate_.relative_gap < 1e-6
    (array([1., 2.]), 2, True)
    """

    _parameter_constraints: ClassVar = {
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "n_jobs": [None, Integral],
        "positive": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, *, fit_intercept=True, copy_X=True, tol=1e-6, n_jobs=None, positive=False):
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.tol = tol
        self.n_jobs = n_jobs
        self.positive = positive

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : float or array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            With scikit-learn's wording.
        """
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=False if self.positive else ["csr", "csc"],
            dtype=[np.float64, np.float32],
            y_numeric=True,
            multi_output=True,
        )
        if sample_weight is not None:
            sample_weight = check_sample_weight(sample_weight, X, dtype=X.dtype, ensure_non_negative=True)
        targets = y.reshape(len(y), -1)
        moved = None if self.copy_X or not self.fit_intercept else centred_in_place(X, sample_weight)
        if self.positive:
            weight, bias = self._fit_positive(X, targets, sample_weight)
        elif scipy.sparse.issparse(X):
            weight, bias = self._fit_all(X, targets, sample_weight)
        else:
            weight, bias = self._fit_dense(X, targets, sample_weight)
        self.coef_, self.intercept_ = weight.astype(X.dtype, copy=False), 0.0
        if y.ndim == 1:
            self.coef_ = self.coef_[0]
        if self.fit_intercept:
            bias = bias if moved is None else bias - weight @ moved
            bias = bias.astype(X.dtype, copy=False)
            self.intercept_ = bias if y.ndim == 2 else bias[0]
        if not self.result_.status.is_success:
            warnings.warn(f"LinearRegression: {self.result_.message}", ConvergenceWarning, stacklevel=3)
        return self

    def _fit_all(self, X, y, sample_weight):
        model = fit_squares(X, y, sample_weight, fit_intercept=self.fit_intercept)
        self.result_, self.certificate_ = model.result_, model.certificate_
        return model.coef_, model.intercept_

    def _fit_positive(self, X, y, sample_weight):
        reduction = Reduction.of(X, y, sample_weight, fit_intercept=self.fit_intercept)
        found = nonnegative_least_squares(reduction, np.zeros(y.shape[1]))
        self.result_, self.certificate_ = found.result, found.certificate
        return found.weight, reduction.level - found.weight @ reduction.center

    def _fit_dense(self, X, y, sample_weight):
        reduction = Reduction.of(X, y, sample_weight, fit_intercept=self.fit_intercept)
        _, sizes, directions = scipy.linalg.svd(reduction.matrix, full_matrices=False)
        sizes = np.concatenate([sizes, np.zeros(min(X.shape))])[: min(X.shape)]
        self.singular_ = sizes.astype(X.dtype)
        # As LAPACK reads it: a threshold of one or more is none.
        tol = self.tol if self.tol < 1 else 0.0
        rank = int((sizes > tol * sizes[0]).sum())
        model = fit_squares(X, y, sample_weight, fit_intercept=self.fit_intercept)
        known = model.rank_
        if known is None:
            # The start was the optimum: nothing was asked of X.
            known = int((sizes > max(tol, max(X.shape) * _EPS) * sizes[0]).sum())
        self.rank_ = min(rank, known)
        self.result_, self.certificate_ = model.result_, model.certificate_
        if known <= rank:
            return model.coef_, model.intercept_
        return self._fit_along(directions[:rank], reduction, X, y, sample_weight)

    def _fit_along(self, directions, reduction, X, y, sample_weight):
        """Fit with W in the span of the rows of `directions`."""
        X = in_float64(X)
        coordinates = (X - reduction.center) @ directions.T
        if len(directions):
            model = fit_squares(coordinates, y, sample_weight, fit_intercept=self.fit_intercept)
            weight, bias, self.result_ = model.coef_ @ directions, model.intercept_, model.result_
            bias = bias - weight @ reduction.center
        else:
            weight, bias = np.zeros((y.shape[1], X.shape[1])), reduction.level
        self.certificate_ = onelayer.estimators.certify(
            (weight, bias),
            X,
            y,
            sample_weight,
            loss="squared",
            alpha=0.0,
            fit_intercept=self.fit_intercept,
        )
        gap, rank = self.certificate_.relative_gap, len(directions)
        message = (
            f"Singular values of X of at most tol={self.tol:g} times the largest count as zero, so that its rank is {rank}; "
            f"tol=0 leaves nothing out."
        )
        # Missed on request, but missed: "converged" would speak of another problem.
        status = self.result_.status if gap <= _MISSED else Status.FINISHED
        self.result_ = dataclasses.replace(
            self.result_, status=status, message=message, objective=self.certificate_.objective
        )
        if gap > _MISSED:
            lower = f"are {gap:.2g} of their value lower" if np.isfinite(gap) else "may be much lower"
            warnings.warn(
                f"LinearRegression: {message} The least squares {lower}.",
                RankWarning,
                stacklevel=4,
            )
        return weight, bias

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = not self.positive
        return tags
