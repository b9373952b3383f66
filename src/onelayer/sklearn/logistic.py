"""LogisticRegression with scikit-learn's signature, fitted by our engines."""

from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.linear_model._base import LinearClassifierMixin, SparseCoefMixin
from sklearn.utils._param_validation import Hidden, Interval, StrOptions
from sklearn.utils.extmath import softmax
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from onelayer.estimators.documentation import Documented
from onelayer.result import Status
from onelayer.sklearn.convergence import good_enough, warn_of_logistic
from onelayer.sklearn.logistic_arguments import asked_of, row_weights, start_of
from onelayer.sklearn.logistic_problem import Problem
from onelayer.sklearn.namespaces import Namespace
from onelayer.sklearn.validation import validate_data
from onelayer.sklearn.watching import SupportsCallbacks, Watched

__all__ = ["NARROW", "LogisticRegression"]

_SOLVERS = {"lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"}
# Theirs take matrices with 32-bit indices only; a program may count on the refusal.
NARROW = {"liblinear", "sag", "saga"}


class LogisticRegression(
    SupportsCallbacks, LinearClassifierMixin, SparseCoefMixin, Documented, BaseEstimator
):
    """scikit-learn's LogisticRegression, at the certified optimum.

    Minimises ``C Σ s_i ℓ(y_i, z_i) + (1 − l1_ratio)/2 ‖W‖² + l1_ratio ‖W‖₁`` with z = W x + b, the logistic loss for two
    classes and the cross-entropy for more. The intercept b is not penalised, except with solver="liblinear": there it is
    ``intercept_scaling`` times the coefficient of a constant column of that value, which is penalised with the rest.

    Parameters
    ----------
    penalty : {"l1", "l2", "elasticnet"} or None, default "deprecated"
        Retired by scikit-learn in favour of `C` and `l1_ratio`; still honoured, with its FutureWarning.
    C : float, default 1.0
        Inverse strength of the penalty, > 0; ``inf`` means none.
    l1_ratio : float, default 0.0
        Share of the L1 part, from 0 to 1.
    dual : bool, default False
        liblinear's other formulation. Its optimum is the same, so nothing changes.
    tol : float, default 1e-4
        As a bound on the gradient, which is what scikit-learn's solvers stop by: the certified relative gap asked for is
        its square, and 1e-10 or less (1e-15 at the least; 1e-9 for float32).
    fit_intercept : bool, default True
        Whether to fit b.
    intercept_scaling : float, default 1
        Of solver="liblinear".
    class_weight : dict, "balanced" or None
        Factors on the sample weights by class.
    random_state : int, RandomState or None
        Accepted; nothing is drawn.
    solver : {"lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga"}, default "lbfgs"
        Says which objectives are legal and how warnings are worded, as in scikit-learn. The optimum does not depend on
        it, and our own solvers find it: Newton's method, and for l1_ratio > 0 the one that "auto" takes there.
    max_iter : int, default 100
        Iterations of our solver. The fit stops there with a ConvergenceWarning, ``n_iter_ == max_iter`` and the
        coefficients as they are.
    verbose : int, default 0
        Above 0: a progress bar on standard error.
    warm_start : bool, default False
        Start from the coefficients of the last fit (except with solver="liblinear").
    n_jobs : None
        Retired by scikit-learn; no effect.

    Attributes
    ----------
    coef_ : array of shape (1, n_features), or (n_classes, n_features) for more than two classes
    intercept_ : array of shape (1,) or (n_classes,)
    classes_ : array of shape (n_classes,)
        The labels, sorted.
    n_iter_ : array of shape (1,)
    n_features_in_ : int
    feature_names_in_ : array of str
        Only if X had column names.
    result_ : Result
        Status, message, objective (ours: the mean loss plus the penalty over C S), trace.
    certificate_ : Certificate or None
        The proven bound on the distance to the optimum; None where none exists.

    Examples
    --------
    >>> import onelayer as ol
    >>> from onelayer.sklearn import LogisticRegression
    >>> data = ol.data.load("iris")
    >>> model = LogisticRegression(C=10.0).fit(data.X, data.y)
    >>> round(model.score(data.X, data.y), 3), model.certificate_.relative_gap <= 1e-10
    (0.98, True)
    """

    _parameter_constraints: ClassVar[dict] = {
        "penalty": [StrOptions({"l1", "l2", "elasticnet"}), None, Hidden(StrOptions({"deprecated"}))],
        "C": [Interval(Real, 0, None, closed="right")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both"), None],
        "dual": ["boolean"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "fit_intercept": ["boolean"],
        "intercept_scaling": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "random_state": ["random_state"],
        "solver": [StrOptions(_SOLVERS)],
        "max_iter": [Interval(Integral, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "n_jobs": [None, Integral],
    }

    def __init__(
        self,
        penalty="deprecated",
        *,
        C=1.0,
        l1_ratio=0.0,
        dual=False,
        tol=1e-4,
        fit_intercept=True,
        intercept_scaling=1,
        class_weight=None,
        random_state=None,
        solver="lbfgs",
        max_iter=100,
        verbose=0,
        warm_start=False,
        n_jobs=None,
    ):
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), optional
            Not negative.

        Returns
        -------
        self
        """
        asked = asked_of(self)
        space, liblinear = Namespace(X), self.solver == "liblinear"
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            dtype=[space.xp.float64] if liblinear else [space.xp.float64, space.xp.float32],
            order="C",
            accept_large_sparse=self.solver not in NARROW,
        )
        # It casts floats to integers to see whether they are whole.
        with np.errstate(invalid="ignore"):
            check_classification_targets(y)
        labels, index = np.unique(space.as_numpy(y), return_inverse=True)
        self.classes_ = Namespace(y).array(labels)
        watched = Watched(self, self.max_iter, X, y, sample_weight)
        self._refuse(X, labels)
        weight = row_weights(self.class_weight, labels, index, space.as_numpy(sample_weight))
        problem = Problem(
            space.native(X),
            index,
            weight,
            asked,
            fit_intercept=self.fit_intercept,
            penalised_column=self.intercept_scaling if liblinear else None,
        )

        def attributes(parameters):
            names = "coef_", "intercept_"
            return dict(zip(names, map(space.array, problem.coefficients(parameters)), strict=True))

        outcome = problem.solve(
            None if liblinear else self._start(space, len(labels), X.shape[1]),
            tol=self.tol,
            max_iter=self.max_iter,
            callbacks=[*watched.iterations(attributes), *self._progress()],
            names=getattr(self, "feature_names_in_", None),
        )
        if outcome.result.status is Status.INTERRUPTED:
            # Ours keeps the best iterate; a program written for scikit-learn expects to end.
            raise KeyboardInterrupt
        fitted = attributes(outcome.parameters)
        self.coef_, self.intercept_ = fitted["coef_"], fitted["intercept_"]
        self.result_, self.certificate_ = outcome.result, outcome.certificate
        self.n_iter_ = space.xp.asarray([outcome.result.n_iter], dtype=space.xp.int32)
        if not good_enough(outcome.result, outcome.certificate, self.tol):
            warn_of_logistic(self.solver, outcome.result, self.max_iter, stacklevel=4)
        watched.end()
        return self

    def _refuse(self, X, labels):
        if self.solver == "liblinear":
            if len(labels) != 2:
                raise ValueError(
                    "The 'liblinear' solver does not support multiclass classification (n_classes >= 3). Either use "
                    "another solver or wrap the estimator in a OneVsRestClassifier to keep applying a one-versus-rest "
                    f"scheme. Only binary classification is supported. The type of the target is {self._kind(labels)}."
                )
            if X.max() > 1e30:
                raise ValueError(
                    "Using the 'liblinear' solver while X contains a maximum value > 1e30 results in a frozen fit. "
                    "Please choose another solver or rescale the input X."
                )
        if len(labels) < 2:
            raise ValueError(
                "This solver needs samples of at least 2 classes in the data, but the data contains only one class: "
                f"{labels[0]!r}"
            )

    @staticmethod
    def _kind(labels):
        return "multiclass" if len(labels) > 2 else "1 class"

    def _start(self, space, n_classes, n_features):
        """Return (coef, intercept) of the last fit where a warm start is wanted, else None."""
        if not (self.warm_start and hasattr(self, "coef_")):
            return None
        coef, intercept = space.as_numpy(self.densify().coef_), space.as_numpy(self.intercept_)
        if self.fit_intercept:
            coef = np.concatenate([coef, intercept[:, None]], axis=1)
        return start_of(coef, n_classes, n_features, self.fit_intercept)

    def _progress(self):
        if not self.verbose:
            return []
        from onelayer.callbacks import ProgressBar

        return [ProgressBar(label="LogisticRegression")]

    def predict_proba(self, X):
        """Return the probability of each class, shape (n_samples, n_classes), in the order of ``classes_``."""
        check_is_fitted(self)
        if len(self.classes_) == 2:
            return self._predict_proba_lr(X)
        return softmax(self.decision_function(X), copy=False)

    def predict_log_proba(self, X):
        """Return the logarithm of :meth:`predict_proba`."""
        proba = self.predict_proba(X)
        return Namespace(proba).xp.log(proba)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.array_api_support = self.solver == "lbfgs"
        tags.classifier_tags.multi_class = self.solver != "liblinear"
        return tags
