"""SGDClassifier: one vector of weights for two classes, one against all others for each of more."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils import check_random_state, compute_class_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.parallel import Parallel, delayed

from onelayer.sklearn.sgd.base import MAX_INT, SGD
from onelayer.sklearn.sgd.holdout import held_out, make_score
from onelayer.sklearn.sgd.loop import Rows
from onelayer.sklearn.sgd.losses import CLASSIFICATION, DEFAULT_EPSILON
from onelayer.sklearn.validation import check_sample_weight, validate_data

__all__ = ["SGDClassifier"]


def _has_probabilities(model):
    if model.loss not in ("log_loss", "modified_huber"):
        raise AttributeError(f"probability estimates are not available for loss={model.loss!r}")
    return True


class SGDClassifier(ClassifierMixin, SGD):
    """Linear classifiers by stochastic gradient descent, one row at a time: scikit-learn's ``SGDClassifier``.

    Follows, row after row, the negative gradient of

    P(w, b) = (1/n) Σ s_i ℓ(y_i, w·x_i + b) + α [(1-ρ)/2 ‖w‖² + ρ ‖w‖₁]

    with s the sample weights times the class weights, y_i = ±1, ρ = 0 for ``'l2'`` and 1 for ``'l1'``. The step for row i
    is w ← (1 - η α (1-ρ)) w - η s_i ℓ′ x_i, b ← b - η s_i ℓ′, and then, for the l1 part, each weight of the row's columns
    is pulled towards zero by its share so far, not across it (cumulative truncation). It is a recursion, not an optimum:
    for the minimum of P with a proof use ``onelayer.LogisticRegression``. With more than two classes, one such model for
    each against all others.

    Parameters
    ----------
    loss : str, default='hinge'
        ``'hinge'`` max(0, 1 - yz), ``'perceptron'`` max(0, -yz), ``'squared_hinge'`` max(0, 1 - yz)², ``'log_loss'``
        log(1 + exp(-yz)), ``'modified_huber'`` max(0, 1 - yz)² from yz = -1 on and -4yz before; those of
        :class:`SGDRegressor` with the targets ±1.
    penalty : {'l2', 'l1', 'elasticnet'} or None, default='l2'
    alpha : float, default=1e-4
        α above; with ``learning_rate='optimal'`` it also sets the steps.
    l1_ratio : float, default=0.15
        ρ of the elastic net.
    fit_intercept : bool, default=True
    max_iter : int, default=1000
        Largest number of epochs of ``fit``.
    tol : float or None, default=1e-3
        Stop after ``n_iter_no_change`` epochs in a row whose objective was not below the best by ``tol``; None: never.
    shuffle : bool, default=True
        Draw another order of the rows for each epoch.
    verbose : int, default=0
        1: print a few numbers after each epoch.
    epsilon : float, default=0.1
        ε of the last three losses.
    n_jobs : int or None, default=None
        Threads for more than two classes.
    random_state : int, RandomState or None, default=None
        Seed of the order and of the validation split; the same one gives scikit-learn's order.
    learning_rate : {'optimal', 'constant', 'invscaling', 'adaptive', 'pa1', 'pa2'}, default='optimal'
        η at step t: 1 / (α (t₀ + t - 1)) with Bottou's t₀; eta0; eta0 / t^power_t; eta0, divided by 5 instead of
        stopping; for ``'hinge'`` only, ℓ / ‖x‖² but at most eta0, and ℓ / (‖x‖² + 1 / (2 eta0)), with -ℓ′ replaced by its
        sign (passive-aggressive).
    eta0 : float, default=0.01
    power_t : float, default=0.5
    early_stopping : bool, default=False
        Hold rows back, and stop when ``score`` on these has not risen by ``tol``.
    validation_fraction : float, default=0.1
    n_iter_no_change : int, default=5
    class_weight : dict, 'balanced' or None, default=None
    warm_start : bool, default=False
        Let ``fit`` start from the coefficients of the fit before.
    average : bool or int, default=False
        Give the mean of the points since the start, or since that many rows, instead of the last point.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features), or (n_classes, n_features) for more than two classes
    intercept_ : ndarray of shape (1,) or (n_classes,)
    classes_ : ndarray of shape (n_classes,)
    n_iter_ : int
        Epochs done; the largest of all classes.
    t_ : float
        1 + ``n_iter_`` · n_samples; ``partial_fit`` goes on counting.
    n_features_in_ : int
    feature_names_in_ : ndarray of str
        Where X had names.

    Notes
    -----
    The loop goes row by row, each step needs the one before, so it is compiled: by Numba, without the GIL, one
    compilation for each of dense and CSR rows in float32 and float64. **The first fit of each kind compiles for some
    seconds**; the machine code is kept on disk for later processes. Steps written as torch operations on one row were
    rejected: they cost ten microseconds and more each, twenty times the whole step here, and batches of rows are another
    recursion with other numbers.

    Sums of scores run in the order of the columns, as in scikit-learn, so that with the same ``random_state`` both
    follow one path and agree up to the last bits. That includes its peculiarities: the intercept's steps are 100 times
    shorter on sparse X; on sparse X the objective that ``tol`` watches counts the penalty of the last row's columns only;
    with ``early_stopping`` the weights are scored without the factor that the l2 penalty has shrunk them by, and
    for the log loss only hits of the positive class count; with ``average``, a further ``partial_fit`` starts its
    intercept where the last but one left it (:class:`SGDRegressor` keeps it).

    References
    ----------
    L. Bottou, "Stochastic Gradient Descent Tricks", 2012 (steps, averages). Y. Tsuruoka, J. Tsujii, S. Ananiadou,
    "Stochastic Gradient Descent Training for L1-regularized Log-linear Models", 2009. K. Crammer et al., "Online
    Passive-Aggressive Algorithms", 2006. W. Xu, "Towards Optimal One Pass Large Scale Learning with Averaged
    Stochastic Gradient Descent", 2011.

    Examples
    --------
    >>> from onelayer.sklearn.sgd import SGDClassifier
    >>> model = SGDClassifier(random_state=0).fit([[-1, -1], [-2, -1], [1, 1], [2, 1]], [1, 1, 2, 2])
    >>> model.predict([[-0.8, -1]])
    array([1])
    """

    # Set by fit.
    classes_: Any

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
        """Run epochs until ``tol``, ``early_stopping`` or ``max_iter`` ends them.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix of shape (n_samples, n_features)
            float32 stays float32, all else becomes float64.
        y : array-like of shape (n_samples,)
            Labels.
        coef_init : array-like of the shape of ``coef_``, optional
        intercept_init : array-like of the shape of ``intercept_``, optional
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For an argument outside its range, data that do not fit, one class only, or weights that overflow; the model
            stays as it was.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` came before ``tol``.
        """
        self._check_arguments()
        return self._fit(X, y, coef_init, intercept_init, sample_weight)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Run one epoch on these rows, from where the last call ended.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        classes : array-like of shape (n_classes,), optional
            All labels that will ever come; the first call needs it.
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As in ``fit``; with ``early_stopping``; with ``class_weight='balanced'``.
        """
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
        """Return the scores, of shape (n_samples,) for two classes, else (n_samples, n_classes)."""
        scores = self._scores(X)
        return scores.ravel() if scores.ndim > 1 and scores.shape[1] == 1 else scores

    def predict(self, X):
        """Return the label with the largest score, for two classes the second where the score is above 0."""
        scores = self.decision_function(X)
        return self.classes_[(scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)]

    @available_if(_has_probabilities)
    def predict_proba(self, X):
        """Return probabilities of shape (n_samples, n_classes); for ``'log_loss'`` and ``'modified_huber'`` only.

        For two classes 1 / (1 + exp(-z)), or (clip(z, -1, 1) + 1) / 2; for more, these numbers divided by their sum
        (Zadrozny and Elkan, 2002), and equal where all are 0.
        """
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
        """Return the logarithms of ``predict_proba``, -inf where a probability is 0."""
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
        sample_weight = check_sample_weight(
            sample_weight, X, summed=False, dtype=X.dtype, allow_all_zero_weights=self.early_stopping
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
        mask = held_out(self, y, sample_weight > 0)
        seeds = check_random_state(self.random_state).randint(MAX_INT, size=len(self.classes_))
        results = Parallel(n_jobs=self.n_jobs, verbose=self.verbose, require="sharedmem")(
            delayed(self._one)(k, rows, X, y, sample_weight, mask, (1.0, class_weight[k]), seed, max_iter)
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

    def _one(self, k, rows, X, y, sample_weight, mask, class_weight, random_state, max_iter):
        """Learn class k against all others; None: the second of two."""
        targets = np.ones(y.shape, dtype=X.dtype)
        targets[y != self.classes_[1 if k is None else k]] = 0.0 if self.loss == "log_loss" else -1.0
        generator = check_random_state(random_state)
        # scikit-learn's data set draws a number here that nothing uses; without it ours would be other seeds.
        generator.randint(1, MAX_INT)
        if mask is None:
            mask = held_out(self, targets, sample_weight > 0)
        # The labels are -1 and 1 for the log loss as well, though its targets are 0 and 1: scikit-learn's early
        # stopping counts the hits of the positive class only, and so it must here to end at the same epoch.
        score = make_score(self, X, targets, sample_weight, mask, np.array([-1, 1], dtype=X.dtype))
        seed = generator.randint(MAX_INT)
        progress = self._progress(k)
        return self._descend(
            rows, targets, sample_weight, mask, score, seed, max_iter, progress, class_weight
        )
