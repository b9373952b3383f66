"""What scikit-learn's LogisticRegression makes of its arguments, with its words where they do not go together."""

import dataclasses
import math
import warnings

import numpy as np
from sklearn.utils import compute_class_weight

from onelayer.sklearn.validation import check_sample_weight

__all__ = ["Asked", "asked_of", "check_solver", "row_weights", "start_of"]


@dataclasses.dataclass(frozen=True)
class Asked:
    """The objective that the arguments describe.

    Attributes
    ----------
    C : float
        Inverse strength of the penalty; infinite for none.
    l1_ratio : float
        The share of the L1 part.
    """

    C: float
    l1_ratio: float


def asked_of(estimator):
    """Return what the arguments of an estimator ask for; warn and raise ValueError as scikit-learn 1.9 does."""
    penalty = _penalty(estimator)
    check_solver(estimator.solver, penalty, estimator.dual)
    l1_ratio = estimator.l1_ratio
    if penalty != "elasticnet" and l1_ratio is not None and 0 < l1_ratio < 1:
        _warn(f"l1_ratio parameter is only used when penalty is 'elasticnet'. Got (penalty={penalty})")
    if (estimator.penalty == "l2" and l1_ratio != 0) or (estimator.penalty == "l1" and l1_ratio != 1):
        _warn(
            f"Inconsistent values: penalty={estimator.penalty} with l1_ratio={l1_ratio}. penalty is deprecated. "
            "Please use l1_ratio only."
        )
    if penalty == "elasticnet" and l1_ratio is None:
        raise ValueError("l1_ratio must be specified when penalty is elasticnet.")
    if estimator.penalty is None and estimator.C != 1.0:
        _warn("Setting penalty=None will ignore the C and l1_ratio parameters")
    if estimator.n_jobs is not None:
        _warn(
            "'n_jobs' has no effect since 1.8 and will be removed in 1.10. You provided "
            f"'n_jobs={estimator.n_jobs}', please leave it unspecified.",
            FutureWarning,
        )
    shares = {None: 0.0, "l2": 0.0, "l1": 1.0, "elasticnet": l1_ratio}
    return Asked(math.inf if estimator.penalty is None else float(estimator.C), float(shares[penalty]))


def _penalty(estimator):
    """Return "l1", "l2", "elasticnet" or None."""
    if estimator.penalty != "deprecated":
        _warn(
            "'penalty' was deprecated in version 1.8 and will be removed in 1.10. To avoid this warning, leave "
            "'penalty' set to its default value and use 'l1_ratio' or 'C' instead. Use l1_ratio=0 instead of "
            "penalty='l2', l1_ratio=1 instead of penalty='l1', l1_ratio set to a float between 0 and 1 instead of "
            "penalty='elasticnet', and C=np.inf instead of penalty=None.",
            FutureWarning,
            deeper=1,
        )
        return estimator.penalty
    if estimator.l1_ratio is None:
        _warn(
            "'l1_ratio=None' was deprecated in version 1.8 and will trigger an error in 1.10. Use 0<=l1_ratio<=1 "
            "instead.",
            FutureWarning,
            deeper=1,
        )
    if math.isinf(estimator.C):
        return None
    return {0: "l2", 1: "l1", None: "l2"}.get(estimator.l1_ratio, "elasticnet")


def check_solver(solver, penalty, dual):
    """Refuse penalties that a solver of scikit-learn's does not have, in its words."""
    if solver not in ("liblinear", "saga") and penalty not in ("l2", None):
        raise ValueError(f"Solver {solver} supports only 'l2' or None penalties, got {penalty} penalty.")
    if solver != "liblinear" and dual:
        raise ValueError(f"Solver {solver} supports only dual=False, got dual={dual}")
    if penalty == "elasticnet" and solver != "saga":
        raise ValueError(f"Only 'saga' solver supports elasticnet penalty, got solver={solver}.")
    if penalty is None and solver == "liblinear":
        raise ValueError("C=np.inf as well as penalty=None is not supported for the liblinear solver")
    if penalty == "l1" and dual:
        raise ValueError(
            "Unsupported set of arguments: The combination of penalty='l1' and loss='logistic_regression' are not "
            "supported when dual=True, Parameters: penalty='l1', loss='logistic_regression', dual=True"
        )


def _warn(message, category=UserWarning, deeper=0):
    # Out of _warn, asked_of, fit and the wrapper around it: the line of the user.
    warnings.warn(message, category, stacklevel=5 + deeper)


def row_weights(class_weight, labels, index, sample_weight):
    """Return the sample weights times the class weights, or None where all are 1; negative ones are refused."""
    if sample_weight is not None:
        rows = np.empty((len(index), 0))
        sample_weight = check_sample_weight(sample_weight, rows, dtype=np.float64, ensure_non_negative=True)
    if class_weight is None:
        return sample_weight
    with np.errstate(divide="ignore"):
        factors = compute_class_weight(
            class_weight, classes=labels, y=labels[index], sample_weight=sample_weight
        )
    # "balanced" gives infinity where no row has a weight.
    factors = np.where(np.isinf(factors), 0.0, factors)
    return factors[index] * (1.0 if sample_weight is None else sample_weight)


def start_of(coef, n_classes, n_features, fit_intercept):
    """Return (weight, bias) of coefficients with the intercept as their last column, or refuse their shape."""
    outputs, width = 1 if n_classes == 2 else n_classes, n_features + int(fit_intercept)
    if coef.shape not in ((outputs, width), (width,) if outputs == 1 else None):
        single = f"({width},) or " if outputs == 1 else ""
        raise ValueError(
            f"Initialization coef is of shape {coef.shape}, expected shape {single}{outputs, width}"
        )
    coef = coef.reshape(outputs, width)
    return coef[:, :n_features], coef[:, n_features] if fit_intercept else np.zeros(outputs)
