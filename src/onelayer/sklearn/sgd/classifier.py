"""SGDClassifier: one vector of weights for two classes, one against all others for each of more."""

from numbers import Integral
from typing import ClassVar

import numpy as np
from scipy.special import expit
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import _check_sample_weight, validate_data

from onelayer.sklearn.sgd.base import MAX_INT, SGD
from onelayer.sklearn.sgd.loop import Rows
from onelayer.sklearn.sgd.losses import CLASSIFICATION, DEFAULT_EPSILON

__all__ = ["SGDClassifier"]


def _has_probabilities(model):
    if model.loss not in ("log_loss", "modified_huber"):
        raise AttributeError(f"probability estimates are not available for loss={model.loss!r}")
    return True


class SGDClassifier(ClassifierMixin, SGD):
    loss_functions: ClassVar[dict] = CLASSIFICATION

    _parameter_constraints: ClassVar[dict] = {
        **SGD._parameter_constraints,
        "loss": [StrOptions(set(CLASSIFICATION))],
        "n_jobs": [Integral, None],
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def __init__(
        self,
        loss="hinge",
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
        n_jobs=None,
        random_state=None,
        learning_rate="optimal",
        eta0=0.01,
        power_t=0.5,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=5,
        class_weight=None,
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
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.eta0 = eta0
        self.power_t = power_t
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.warm_start = warm_start
        self.average = average

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, coef_init=None, intercept_init=None, sample_weight=None):
        self._check_arguments()
        return self._fit(X, y, coef_init, intercept_init, sample_weight)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        if not hasattr(self, "classes_"):
            self._check_arguments(partial=True)
            if self.class_weight == "balanced":
                raise ValueError(
                    "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, use "
                    "compute_class_weight('balanced', classes=classes, y=y). In place of y you can use a large enough "
                    "sample of the full training set target to properly estimate the class frequency distributions. "
                    "Pass the resulting weights as the class_weight parameter."
                )
        self._learn(X, y, classes, sample_weight, max_iter=1)
        return self

    def decision_function(self, X):
        scores = self._scores(X)
        return scores.ravel() if scores.ndim > 1 and scores.shape[1] == 1 else scores

    def predict(self, X):
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)]

    @available_if(_has_probabilities)
    def predict_proba(self, X):
        scores = self.decision_function(X)
        one = expit(scores) if self.loss == "log_loss" else (np.clip(scores, -1.0, 1.0) + 1.0) / 2.0
        if one.ndim == 1:
            return np.stack([1.0 - one, one], axis=1)
        total = one.sum(axis=1, keepdims=True)
        # Where every class is refused, none is preferred.
        one[total[:, 0] == 0] = 1.0
        return one / one.sum(axis=1, keepdims=True)

    @available_if(_has_probabilities)
    def predict_log_proba(self, X):
        return np.log(self.predict_proba(X))

    # ---- fitting ----------------------------------------------------------------------------------------------

    def _run(self, X, y, sample_weight, *, max_iter, coef_init, intercept_init):
        vars(self).pop("classes_", None)
        y = validate_data(self, y=y)
        self._learn(X, y, np.unique(y), sample_weight, max_iter, coef_init, intercept_init)

    def _learn(self, X, y, classes, sample_weight, max_iter, coef_init=None, intercept_init=None):
        first = not hasattr(self, "classes_")
        kept = [np.float64, np.float32] if first else self._kept_dtype()
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=kept, order="C", reset=first)
        _check_partial_fit_first_call(self, classes)
        class_weight = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
        # With early_stopping, rows for validation that weigh nothing have an error of their own.
        sample_weight = _check_sample_weight(
            sample_weight, X, dtype=X.dtype, allow_all_zero_weights=self.early_stopping
        )
        if getattr(self, "coef_", None) is None or coef_init is not None:
            self._allocate(len(self.classes_), X.shape[1], X.dtype, coef_init, intercept_init)
        else:
            self._own(X.shape[1], X.dtype)
        if not hasattr(self, "t_"):
            self.t_ = 1.0
        if len(self.classes_) < 2:
            raise ValueError(
                f"The number of classes has to be greater than one; got {len(self.classes_)} class"
            )
        descend = self._two if len(self.classes_) == 2 else self._several
        descend(Rows(X), X, y, sample_weight, class_weight, max_iter)
        if self.average > 0 and self.average <= self.t_ - 1.0:
            self.coef_, self.intercept_ = np.atleast_2d(self._average_coef), self._average_intercept

    def _two(self, rows, X, y, sample_weight, class_weight, max_iter):
        progress = self._one(None, rows, X, y, sample_weight, None, class_weight, self.random_state, max_iter)
        self.n_iter_ = progress.n_iter
        self.t_ += progress.n_iter * X.shape[0]
        if self.average > 0:
            self._average_intercept[0] = progress.average_intercept
            if self.average > self.t_ - 1.0:
                self.coef_ = self._standard_coef.reshape(1, -1)
                self.intercept_ = self._standard_intercept = np.atleast_1d(progress.intercept)
        else:
            self.coef_, self.intercept_ = progress.weights.reshape(1, -1), np.atleast_1d(progress.intercept)

    def _several(self, rows, X, y, sample_weight, class_weight, max_iter):
        # Split once, by all labels, so that every class is in both parts; seeds are drawn before threads start.
        held_out = self._held_out(y, sample_weight > 0)
        seeds = check_random_state(self.random_state).randint(MAX_INT, size=len(self.classes_))
        results = Parallel(n_jobs=self.n_jobs, verbose=self.verbose, require="sharedmem")(
            delayed(self._one)(k, rows, X, y, sample_weight, held_out, (1.0, class_weight[k]), seed, max_iter)
            for k, seed in enumerate(seeds)
        )
        for k, progress in enumerate(results):
            if self.average > 0:
                self._average_intercept[k] = progress.average_intercept
            self.intercept_[k] = progress.intercept
        self.n_iter_ = max(progress.n_iter for progress in results)
        self.t_ += self.n_iter_ * X.shape[0]
        if self.average > self.t_ - 1.0:
            self.coef_ = self._standard_coef
            self.intercept_ = self._standard_intercept = np.atleast_1d(self.intercept_)

    def _one(self, k, rows, X, y, sample_weight, held_out, class_weight, random_state, max_iter):
        """Learn class k against all others; None: the second of two."""
        targets = np.ones(y.shape, dtype=X.dtype)
        targets[y != self.classes_[1 if k is None else k]] = 0.0 if self.loss == "log_loss" else -1.0
        generator = check_random_state(random_state)
        # scikit-learn's data set draws a number here that nothing uses; without it ours would be other seeds.
        generator.randint(1, MAX_INT)
        if held_out is None:
            held_out = self._held_out(targets, sample_weight > 0)
        # The labels are -1 and 1 for the log loss as well, though its targets are 0 and 1: scikit-learn's early
        # stopping counts the hits of the positive class only, and so it must here to end at the same epoch.
        score = self._scorer(X, targets, sample_weight, held_out, np.array([-1, 1], dtype=X.dtype))
        seed = generator.randint(MAX_INT)
        progress = self._progress(k)
        return self._descend(
            rows, targets, sample_weight, held_out, score, seed, max_iter, progress, class_weight
        )
