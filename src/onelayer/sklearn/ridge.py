"""Drop-in for scikit-learn's Ridge."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
import scipy.sparse
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from onelayer.sklearn.conjugate_gradients import ConjugateGradients
from onelayer.sklearn.engine import LinearRegressor, as_array, fit_squares
from onelayer.sklearn.joint import joint_certificate, joint_result
from onelayer.sklearn.namespaces import Namespace
from onelayer.sklearn.nonnegative import nonnegative_least_squares
from onelayer.sklearn.reduction import Reduction, centred_in_place
from onelayer.sklearn.ridge_solvers import (
    ITERATIVE,
    SOLVERS,
    TELLS_ITERATIONS,
    resolved_name,
    warn_of_limit,
    warn_of_rank,
)
from onelayer.sklearn.validation import check_sample_weight, validate_data

__all__ = ["Ridge"]

# Relative gaps at which a limited number of iterations may end before the limit.
_GAPS = {"float64": 1e-10, "float32": 1e-6}


class Ridge(LinearRegressor):
    """Least squares with an L2 penalty, with scikit-learn's arguments and attributes.

    Minimises ``Σ s_i ‖y_i − W x_i − b‖² + alpha ‖W‖²``, with ``positive=True`` over W ≥ 0; where alpha = 0 and many W
    do, the one of the least ‖W‖.

    Parameters
    ----------
    alpha : float or array-like of shape (n_targets,), default 1.0
        Strength of the penalty, ≥ 0; an array: one for each target.
    fit_intercept : bool, default True
        Whether to fit b, which is not penalised.
    copy_X : bool, default True
        False lets the fit overwrite X: with an intercept, its columns are centred in place.
    max_iter : int, optional
        For "sparse_cg", "lsqr", "sag" and "saga": at most so many steps of conjugate gradients (the k-th of which is that
        of "lsqr"); for `positive`, of L-BFGS-B. What they reached by then is the answer, with a warning. Without a limit,
        or with one that the rank of X makes idle, the optimum is computed.
    tol : float, default 1e-4
        Where `max_iter` matters, iterations may end before it at a relative gap of `tol`, or of 1e-10 if that is less
        (float32: 1e-6).
    solver : {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}, default "auto"
        Each name leads to the same optimum; combinations that scikit-learn refuses are refused.
    positive : bool, default False
        Coefficients ≥ 0; solver "auto" or "lbfgs".
    random_state : int, RandomState or None
        Accepted; nothing is drawn.

    Attributes
    ----------
    coef_ : array of shape (n_features,) or (n_targets, n_features)
    intercept_ : float, or array of shape (n_targets,)
    n_iter_ : None, or array of shape (n_targets,)
        Steps of ours: one for the closed form. None for "svd", "cholesky", "sparse_cg" and "lbfgs" where one of these is
        asked for, as in scikit-learn.
    solver_ : str
        The name that scikit-learn resolves "auto" to on such data.
    result_ : onelayer.result.Result
        Status, message, objective (half of what is minimised over Σ s_i), seconds, trace; summed over targets.
    certificate_ : onelayer.certificates.Certificate or None
        The proven distance of the objective from its minimum.
    n_features_in_ : int
    feature_names_in_ : array of str
        Only if X had column names.

    Examples
    --------
    >>> import onelayer as ol
    >>> from onelayer.sklearn.ridge import Ridge
    >>> data = ol.data.load("diabetes")
    >>> model = Ridge(alpha=0.1).fit(data.X, data.y)
    >>> round(model.score(data.X, data.y), 4), model.solver_, model.certificate_.relative_gap < 1e-6
    (0.5126, 'cholesky', True)
    """

    _parameter_constraints: ClassVar = {
        "alpha": [Interval(Real, 0, None, closed="left"), "array-like"],
        "fit_intercept": ["boolean"],
        "copy_X": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left"), None],
        "tol": [Interval(Real, 0, None, closed="left")],
        "solver": [StrOptions(SOLVERS)],
        "positive": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        copy_X=True,
        max_iter=None,
        tol=1e-4,
        solver="auto",
        positive=False,
        random_state=None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.solver = solver
        self.positive = positive
        self.random_state = random_state

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
        space = Namespace(X)
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            dtype=[space.xp.float64, space.xp.float32],
            y_numeric=True,
            multi_output=True,
        )
        name = resolved_name(self, scipy.sparse.issparse(X), space)
        dtype, shape = np.dtype(str(X.dtype).rpartition(".")[2]), y.shape
        X, targets = space.native(X), space.native(y).reshape((len(y), -1))
        if sample_weight is not None:
            rows = np.empty((len(targets), 0))
            sample_weight = check_sample_weight(
                space.as_numpy(sample_weight), rows, dtype=dtype, ensure_non_negative=True
            )
        alphas = self._alphas(space.as_numpy(self.alpha), targets.shape[1])
        moved = None if self.copy_X or not self.fit_intercept else centred_in_place(X, sample_weight)
        if self.positive:
            weight, bias = self._fit_positive(X, targets, sample_weight, alphas)
        else:
            weight, bias, name = self._fit_free(X, targets, sample_weight, alphas, name)
        self.solver_ = name
        # One column of targets is no list of coefficients for scikit-learn's Ridge, but one of intercepts.
        self.coef_ = space.array((weight if len(weight) > 1 else weight[0]).astype(dtype, copy=False))
        self.intercept_ = 0.0
        if self.fit_intercept:
            bias = bias if moved is None else bias - weight @ moved
            bias = space.array(bias.astype(dtype, copy=False))
            self.intercept_ = bias if len(shape) == 2 else bias[0]
        self.n_iter_ = None
        if name in TELLS_ITERATIONS or self.solver == "auto":
            self.n_iter_ = np.full(len(weight), self.result_.n_iter, dtype=np.int32)
        warn_of_limit(self)
        return self

    def _alphas(self, alphas, targets):
        alphas = np.asarray(alphas, dtype=np.float64).ravel()
        if len(alphas) not in (1, targets):
            raise ValueError(
                f"Number of targets and number of penalties do not correspond: {len(alphas)} != {targets}"
            )
        if not (np.isfinite(alphas).all() and (alphas >= 0).all()):
            raise ValueError(f"alpha is {self.alpha!r}: give finite numbers ≥ 0.")
        return np.broadcast_to(alphas, targets)

    def _fit_positive(self, X, y, sample_weight, alphas):
        reduction = Reduction.of(X, y, sample_weight, fit_intercept=self.fit_intercept)
        found = nonnegative_least_squares(reduction, alphas, max_iter=self.max_iter, tol=self.tol)
        self.result_, self.certificate_ = found.result, found.certificate
        return found.weight, reduction.level - found.weight @ reduction.center

    def _fit_free(self, X, y, sample_weight, alphas, name):
        total = len(y) if sample_weight is None else float(sample_weight.sum(dtype=np.float64))
        limits = None
        # In exact arithmetic so many steps end at the optimum, to which the closed form is the shorter way.
        if name in ITERATIVE and self.max_iter is not None and self.max_iter < min(X.shape):
            tol = min(self.tol, _GAPS[X.dtype.name])
            limits = {"solver": ConjugateGradients(), "max_iter": self.max_iter, "tol": tol}
        weight, bias = np.empty((y.shape[1], X.shape[1])), np.empty(y.shape[1])
        models = []
        for alpha in np.unique(alphas):
            same = alphas == alpha
            model = fit_squares(
                X,
                y[:, np.flatnonzero(same)],
                sample_weight,
                alpha=float(alpha) / total,
                fit_intercept=self.fit_intercept,
                limits=limits,
            )
            # The coefficients of tensors are tensors.
            weight[same], bias[same] = as_array(model.coef_), as_array(model.intercept_)
            models.append(model)
        self.result_ = joint_result([model.result_ for model in models])
        self.certificate_ = joint_certificate([model.certificate_ for model in models])
        # The least alpha comes first, and only without a penalty does the rank matter.
        if not alphas.min() and models[0].rank_ is not None:
            name = warn_of_rank(name, models[0].rank_, X.shape)
        return weight, bias, name

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.array_api_support = True
        tags.input_tags.sparse = self.solver != "svd" and (
            self.solver != "cholesky" or not self.fit_intercept
        )
        return tags
