"""SGDRegressor: one vector of weights, targets as they are."""

from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import _check_sample_weight, validate_data

from onelayer.sklearn.sgd.base import MAX_INT, SGD
from onelayer.sklearn.sgd.loop import Rows
from onelayer.sklearn.sgd.losses import DEFAULT_EPSILON, REGRESSION

__all__ = ["SGDRegressor"]


class SGDRegressor(RegressorMixin, SGD):
    loss_functions: ClassVar[dict] = REGRESSION

    _parameter_constraints: ClassVar[dict] = {**SGD._parameter_constraints, "loss": [StrOptions(set(REGRESSION))]}

    def __init__(
        self,
        loss="squared_error",
        *,
        penalty="l2",
        alpha=0.0001,
        l1_ratio=0.15,
        fit_intercept=True,
        max_iter=1000,
        tol=1e-3,
        shuffle=True,
        verbose=0,
        epsilon=DEFAULT_EPSILON,
        random_state=None,
        learning_rate="invscaling",
        eta0=0.01,
        power_t=0.25,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        warm_start=False,
        average=False,
    ):
        self.loss = loss
        self.penalty = penalty
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.max_iter = max_iter
        self.tol = tol
        self.shuffle = shuffle
        self.verbose = verbose
        self.epsilon = epsilon
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.average = average

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, coef_init=None, intercept_init=None, sample_weight=None):
        self._check_arguments()
        return self._fit(X, y, coef_init, intercept_init, sample_weight)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        if not hasattr(self, "coef_"):
            self._check_arguments(partial=True)
        self._run(X, y, sample_weight, max_iter=1)
        return self

    def predict(self, X):
        return self._scores(X).ravel()

    def _run(self, X, y, sample_weight, *, max_iter, coef_init=None, intercept_init=None):
        first = getattr(self, "coef_", None) is None
        X, y = validate_data(
            self, X, y, accept_sparse="csr", order="C", dtype=self._kept_dtype(), reset=first
        )
        y = y.astype(X.dtype, copy=False)
        sample_weight = _check_sample_weight(sample_weight, X, dtype=X.dtype)
        if first:
            self._allocate(1, X.shape[1], X.dtype, coef_init, intercept_init)
        else:
            self._own(X.shape[1], X.dtype)
        if not hasattr(self, "t_"):
            self.t_ = 1.0
        held_out = self._held_out(y, sample_weight > 0)
        score = self._scorer(X, y, sample_weight, held_out)
        generator = check_random_state(self.random_state)
        seed = generator.randint(0, MAX_INT)
        # scikit-learn's data set draws one more, which nothing uses: a generator of the user's must move as far.
        generator.randint(1, MAX_INT)
        progress = self._progress()
        self._descend(Rows(X), y, sample_weight, held_out, score, seed, max_iter, progress)
        self.n_iter_ = progress.n_iter
        self.t_ += progress.n_iter * X.shape[0]
        self.coef_, self.intercept_ = progress.weights, np.atleast_1d(progress.intercept)
        if self.average > 0:
            self._standard_intercept = self.intercept_
            self._average_intercept = np.atleast_1d(progress.average_intercept)
            if self.average <= self.t_ - 1.0:
                self.coef_, self.intercept_ = progress.average_weights, self._average_intercept
