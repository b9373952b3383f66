"""What the two estimators share: their arguments, where a fit starts, what it leaves behind."""

import abc
import functools
import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
from sklearn import get_config
from sklearn.base import BaseEstimator, is_classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.extmath import safe_sparse_dot
from sklearn.utils.validation import check_is_fitted

from onelayer.estimators.documentation import Documented
from onelayer.sklearn.sgd.loop import Course, Progress, descend
from onelayer.sklearn.sgd.losses import WITH_EPSILON
from onelayer.sklearn.sgd.schedules import PA1, PA2, SCHEDULES, optimal_start
from onelayer.sklearn.validation import validate_data

__all__ = ["MAX_INT", "SGD"]

# Seeds are drawn below it, as scikit-learn draws them: also where a C long has 32 bits.
MAX_INT = np.iinfo(np.int32).max

_PENALTIES = {None: (0, 0), "l2": (1, 0), "l1": (0, 1), "elasticnet": (1, 1)}


class SGD(Documented, BaseEstimator, abc.ABC):
    """Scores z = w·x + b, moved a little after each row. Abstract; the two public estimators are final."""

    loss_functions: ClassVar[dict]
    # Set by the final classes' constructors.
    loss: str
    penalty: str | None
    alpha: float
    l1_ratio: float | None
    fit_intercept: bool
    max_iter: int
    tol: float | None
    shuffle: bool
    verbose: int
    epsilon: float
    random_state: Any
    learning_rate: str
    eta0: float
    power_t: float
    early_stopping: bool
    validation_fraction: float
    n_iter_no_change: int
    warm_start: bool
    average: bool | int
    # Set by fit.
    coef_: Any
    intercept_: Any
    n_iter_: int
    t_: float

    _parameter_constraints: ClassVar[dict] = {
        "penalty": [StrOptions({"l2", "l1", "elasticnet"}), None],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left"), None],
        "shuffle": ["boolean"],
        "verbose": ["verbose"],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
        "learning_rate": [StrOptions(set(SCHEDULES))],
        "eta0": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, None, None, closed="neither")],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "warm_start": ["boolean"],
        "average": [Interval(Integral, 0, None, closed="neither"), "boolean"],
    }

    @abc.abstractmethod
    def _run(self, X, y, sample_weight, *, max_iter, coef_init, intercept_init):
        """Validate the data and run epochs on them, all of a ``fit`` that has set ``t_`` back."""

    # ---- arguments --------------------------------------------------------------------------------------------

    def _check_arguments(self, partial=False):
        """Refuse what each argument allows for itself, but not beside the others."""
        if self.early_stopping and partial:
            raise ValueError("early_stopping should be False with partial_fit")
        if self.learning_rate == "optimal" and self.alpha == 0:
            raise ValueError(
                "alpha must be > 0 since learning_rate is 'optimal'. alpha is used to compute the optimal learning rate."
            )
        if SCHEDULES[self.learning_rate] in (PA1, PA2):
            loss = "hinge" if is_classifier(self) else "epsilon_insensitive"
            if self.loss != loss:
                raise ValueError(f"Learning rate '{self.learning_rate}' only works with loss '{loss}'.")
        if self.penalty == "elasticnet" and self.l1_ratio is None:
            raise ValueError("l1_ratio must be set when penalty is 'elasticnet'")

    def _loss(self):
        code, parameter = self.loss_functions[self.loss]
        return code, float(self.epsilon) if self.loss in WITH_EPSILON else parameter

    # ---- one fit ----------------------------------------------------------------------------------------------

    def _fit(self, X, y, coef_init, intercept_init, sample_weight):
        before = {
            name: value.copy() if isinstance(value, np.ndarray) else value
            for name, value in vars(self).items()
        }
        try:
            coef = intercept = None
            if self.warm_start and getattr(self, "coef_", None) is not None:
                coef, intercept = self.coef_, self.intercept_
            else:
                self.coef_ = self.intercept_ = None
            self.t_ = 1.0
            self._run(
                X,
                y,
                sample_weight,
                max_iter=self.max_iter,
                coef_init=coef if coef_init is None else coef_init,
                intercept_init=intercept if intercept_init is None else intercept_init,
            )
        except BaseException:
            # A fit that fails leaves the model as it was; scikit-learn's would count as fitted, with coef_ None.
            vars(self).clear()
            vars(self).update(before)
            raise
        if self.tol is not None and self.n_iter_ == self.max_iter:
            warnings.warn(
                "Maximum number of iteration reached before convergence. Consider increasing max_iter to improve the fit.",
                ConvergenceWarning,
                stacklevel=4,
            )
        if self.power_t < 0:
            warnings.warn(
                "Negative values for `power_t` are deprecated in version 1.8 and will raise an error in 1.10. "
                "Use values in the range [0.0, inf) instead.",
                FutureWarning,
                stacklevel=4,
            )
        return self

    def _allocate(self, classes, features, dtype, coef_init, intercept_init):
        """Set coef_ and intercept_ to zeros or to copies of what was given, and the averages beside them to zeros."""
        several = classes > 2
        shape = (classes, features) if several else (features,)
        if coef_init is None:
            self.coef_ = np.zeros(shape, dtype)
        else:
            coef = np.array(coef_init, dtype=dtype, order="C")
            self.coef_ = coef if several else coef.ravel()
            if self.coef_.shape != shape:
                what = (
                    "``coef_`` does not match dataset. " if several else "coef_init does not match dataset."
                )
                raise ValueError(f"Provided {what}")
        if intercept_init is None:
            self.intercept_ = np.zeros(classes if several else 1, dtype)
        else:
            intercept = np.array(intercept_init, dtype=dtype, order="C")
            if intercept.shape not in ([(classes,)] if several else [(1,), ()]):
                raise ValueError("Provided intercept_init does not match dataset.")
            self.intercept_ = intercept.reshape(-1)
        if self.average > 0:
            self._standard_coef, self._standard_intercept = self.coef_, self.intercept_
            self._average_coef = np.zeros_like(self.coef_)
            self._average_intercept = np.zeros_like(self.intercept_)

    def _descend(
        self, rows, y, sample_weight, held_out, score, seed, max_iter, progress, class_weights=(1.0, 1.0)
    ):
        """Run the recursion for one vector of weights."""
        # Numba is imported with the first fit.
        from onelayer.sklearn.sgd import kernels

        (l2, l1), (loss, parameter) = _PENALTIES[self.penalty], self._loss()
        tol = -np.inf if self.tol is None else float(self.tol)
        optimal = 0.0
        if self.learning_rate == "optimal":
            slope = functools.partial(kernels.gradient.py_func, loss, parameter, 1.0)
            optimal = optimal_start(self.alpha, slope)
        settings = kernels.Settings(
            loss=loss,
            loss_parameter=parameter,
            schedule=SCHEDULES[self.learning_rate],
            eta0=float(self.eta0),
            power_t=float(self.power_t),
            optimal_init=optimal,
            alpha=float(self.alpha),
            l2=l2,
            l1=l1,
            l1_ratio={"l2": 0.0, "l1": 1.0}.get(self.penalty, float(self.l1_ratio or 0.0)),
            positive_weight=float(class_weights[1]),
            negative_weight=float(class_weights[0]),
            fit_intercept=int(self.fit_intercept),
            intercept_decay=rows.intercept_decay,
            average=float(self.average),
            shuffle=int(self.shuffle),
            seed=int(seed),
            # Nobody reads the objective where a score or nothing at all stops the fit.
            measure=int(self.verbose > 0 or (tol > -np.inf and score is None)),
        )
        course = Course(max_iter, tol, int(self.n_iter_no_change), score, int(self.verbose))
        descend(rows, y, sample_weight, held_out, progress, settings, course)
        return progress

    def _own(self, features, dtype):
        """Make sure that the compiled loop can write into the coefficients of an earlier call."""
        if sp.issparse(self.coef_):
            raise ValueError("coef_ is sparse, and fitting goes on only from an array: call densify() first.")
        if features != self.coef_.shape[-1]:
            raise ValueError(
                f"Number of features {features} does not match previous data {self.coef_.shape[-1]}."
            )
        if self.average and getattr(self, "_average_coef", None) is None:
            self._standard_coef, self._standard_intercept = self.coef_, self.intercept_
            self._average_coef = np.zeros_like(self.coef_, dtype, order="C")
            self._average_intercept = np.zeros_like(self.intercept_, dtype)
        names = ("_standard_coef", "_average_coef") if self.average else ("coef_",)
        for name in (*names, "intercept_"):
            setattr(
                self, name, np.require(getattr(self, name), None if name == "intercept_" else dtype, "CAW")
            )

    def _kept_dtype(self):
        """Return the dtypes that X may keep: that of coefficients which are already there, or either."""
        there = getattr(getattr(self, "coef_", None), "dtype", None)
        either = [np.float64, np.float32]
        return [kept for kept in either if kept == there] or either

    def _progress(self, row=None):
        """Return where the recursion for this row of coef_ (None: there is only one) stands; its arrays are ours."""
        at = 0 if row is None else row

        def vector(matrix):
            return matrix.ravel() if row is None else matrix[row]

        if not self.average:
            weights = vector(self.coef_)
            return Progress(weights, self.intercept_[at], np.zeros(0, weights.dtype), 0.0, self.t_)
        return Progress(
            vector(self._standard_coef),
            self._standard_intercept[at],
            vector(self._average_coef),
            self._average_intercept[at],
            self.t_,
        )

    # ---- what a fitted model offers ---------------------------------------------------------------------------

    def _scores(self, X):
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        # Infinite scores speak for themselves.
        with np.errstate(over="ignore", invalid="ignore"):
            return safe_sparse_dot(X, self.coef_.T, dense_output=True) + self.intercept_

    def densify(self):
        """Turn ``coef_`` back into an array, after ``sparsify``; return the estimator."""
        check_is_fitted(self, msg="Estimator, %(name)s, must be fitted before densifying.")
        if sp.issparse(self.coef_):
            self.coef_ = self.coef_.toarray()
        return self

    def sparsify(self):
        """Turn ``coef_`` into a SciPy CSR matrix, which pays where more than half of it is zero; return the estimator.

        Before further fitting call ``densify``.
        """
        check_is_fitted(self, msg="Estimator, %(name)s, must be fitted before sparsifying.")
        kind = sp.csr_array if get_config().get("sparse_interface") == "sparray" else sp.csr_matrix
        self.coef_ = kind(self.coef_)
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
