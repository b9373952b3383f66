"""SGDRegressor: one vector of weights, targets as they are."""

from typing import ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import StrOptions

from onelayer.sklearn.sgd.base import MAX_INT, SGD
from onelayer.sklearn.sgd.holdout import held_out, make_score
from onelayer.sklearn.sgd.loop import Rows
from onelayer.sklearn.sgd.losses import DEFAULT_EPSILON, REGRESSION
from onelayer.sklearn.validation import as_value_errors, check_sample_weight, validate_data

__all__ = ["SGDRegressor"]


class SGDRegressor(RegressorMixin, SGD):
    """Linear regression by stochastic gradient descent, one row at a time: scikit-learn's ``SGDRegressor``.

    Follows, row after row, the negative gradient of

    P(w, b) = (1/n) Σ s_i ℓ(y_i, w·x_i + b) + α [(1-ρ)/2 ‖w‖² + ρ ‖w‖₁]

    with s the sample weights, ρ = 0 for ``'l2'`` and 1 for ``'l1'``. The step for row i is
    w ← (1 - η α (1-ρ)) w - η s_i ℓ′ x_i, b ← b - η s_i ℓ′, and then, for the l1 part, each weight of the row's columns
    is pulled towards zero by its share so far, not across it (cumulative truncation). It is a recursion, not an optimum:
    for the minimum of P with a proof use ``onelayer.LinearRegression``.

    Parameters
    ----------
    loss : str, default='squared_error'
        ``'squared_error'`` ½(y - z)², ``'huber'`` the same up to |y - z| = ε and ε(|y - z| - ε/2) beyond,
        ``'epsilon_insensitive'`` max(0, |y - z| - ε), ``'squared_epsilon_insensitive'`` its square.
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
    random_state : int, RandomState or None, default=None
        Seed of the order and of the validation split; the same one gives scikit-learn's order.
    learning_rate : {'optimal', 'constant', 'invscaling', 'adaptive', 'pa1', 'pa2'}, default='invscaling'
        η at step t: 1 / (α (t₀ + t - 1)) with Bottou's t₀; eta0; eta0 / t^power_t; eta0, divided by 5 instead of
        stopping; for ``'epsilon_insensitive'`` only, ℓ / ‖x‖² but at most eta0, and ℓ / (‖x‖² + 1 / (2 eta0)), with -ℓ′ replaced by its
        sign (passive-aggressive).
    eta0 : float, default=0.01
    power_t : float, default=0.25
    early_stopping : bool, default=False
        Hold rows back, and stop when ``score`` on these has not risen by ``tol``.
    validation_fraction : float, default=0.1
    n_iter_no_change : int, default=5
    warm_start : bool, default=False
        Let ``fit`` start from the coefficients of the fit before.
    average : bool or int, default=False
        Give the mean of the points since the start, or since that many rows, instead of the last point.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,)
    intercept_ : ndarray of shape (1,)
    n_iter_ : int
        Epochs done.
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
    with ``early_stopping`` the weights are scored without the factor that the l2 penalty has shrunk them by;
    with ``warm_start`` a second ``fit`` ignores ``coef_init``, and with ``average`` too it goes on from the last point.

    References
    ----------
    Those of :class:`SGDClassifier`.

    Examples
    --------
    >>> from onelayer.sklearn.sgd import SGDRegressor
    >>> model = SGDRegressor(tol=None, max_iter=500, eta0=0.1, random_state=0).fit([[0], [1], [2]], [1, 3, 5])
    >>> model.predict([[3]]).round(2)
    array([7.])
    """

    loss_functions: ClassVar[dict] = REGRESSION

    _parameter_constraints: ClassVar[dict] = {
        **SGD._parameter_constraints,
        "loss": [StrOptions(set(REGRESSION))],
    }

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
        """Run epochs until ``tol``, ``early_stopping`` or ``max_iter`` ends them.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix of shape (n_samples, n_features)
            float32 stays float32, all else becomes float64.
        y : array-like of shape (n_samples,)
        coef_init : array-like of shape (n_features,), optional
        intercept_init : array-like of shape (1,), optional
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For an argument outside its range, data that do not fit, or weights that overflow; the model stays as it was.

        Warns
        -----
        ConvergenceWarning
            If ``max_iter`` came before ``tol``.
        """
        self._check_arguments()
        return self._fit(X, y, coef_init, intercept_init, sample_weight)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Run one epoch on these rows, from where the last call ended.

        Parameters
        ----------
        X : array-like or SciPy sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional

        Returns
        -------
        self

        Raises
        ------
        ValueError
            As in ``fit``; with ``early_stopping``.
        """
        if not hasattr(self, "coef_"):
            self._check_arguments(partial=True)
        self._run(X, y, sample_weight, max_iter=1)
        return self

    def predict(self, X):
        """Return X w + b, of shape (n_samples,)."""
        return self._scores(X).ravel()

    def _run(self, X, y, sample_weight, *, max_iter, coef_init=None, intercept_init=None):
        first = getattr(self, "coef_", None) is None
        X, y = validate_data(
            self, X, y, accept_sparse="csr", order="C", dtype=self._kept_dtype(), reset=first
        )
        with as_value_errors("y"):
            y = y.astype(X.dtype, copy=False)
        sample_weight = check_sample_weight(sample_weight, X, summed=False, dtype=X.dtype)
        if first:
            self._allocate(1, X.shape[1], X.dtype, coef_init, intercept_init)
        else:
            self._own(X.shape[1], X.dtype)
        if not hasattr(self, "t_"):
            self.t_ = 1.0
        mask = held_out(self, y, sample_weight > 0)
        score = make_score(self, X, y, sample_weight, mask)
        generator = check_random_state(self.random_state)
        seed = generator.randint(0, MAX_INT)
        # scikit-learn's data set draws one more, which nothing uses: a generator of the user's must move as far.
        generator.randint(1, MAX_INT)
        progress = self._progress()
        self._descend(Rows(X), y, sample_weight, mask, score, seed, max_iter, progress)
        self.n_iter_ = progress.n_iter
        self.t_ += progress.n_iter * X.shape[0]
        self.coef_, self.intercept_ = progress.weights, np.atleast_1d(progress.intercept)
        if self.average > 0:
            self._standard_intercept = self.intercept_
            self._average_intercept = np.atleast_1d(progress.average_intercept)
            if self.average <= self.t_ - 1.0:
                self.coef_, self.intercept_ = progress.average_weights, self._average_intercept
