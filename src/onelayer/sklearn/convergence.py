"""Warnings of fits that ended early, in the words that programs filter by."""

import warnings

from sklearn.exceptions import ConvergenceWarning

from onelayer.result import Status

__all__ = ["good_enough", "warn_of_logistic"]

# What our own estimators promise; a fit that was to be better and stalls below it is no reason for a warning.
_PROMISE = 1e-6
_SCALE = "https://scikit-learn.org/stable/modules/preprocessing.html"
_SOLVERS = "https://scikit-learn.org/stable/modules/linear_model.html#logistic-regression"


def good_enough(result, certificate, tol):
    """Return whether a fit did what was asked of it, as far as its arithmetic allows.

    Where nothing can be proven, for want of a penalty, a gradient of at most `tol` is what scikit-learn stops by.
    """
    status = result.status
    if status.is_success:
        return True
    if certificate is not None:
        return status is Status.STALLED and certificate.relative_gap <= _PROMISE
    norm = result.trace[-1].gradient_norm
    return status in (Status.STALLED, Status.MAX_ITER) and norm is not None and norm <= tol


def warn_of_logistic(solver, result, max_iter, *, stacklevel):
    """Warn that a fit ended early: scikit-learn's sentence for this solver, then what is proven of the coefficients."""
    said = result.message
    if result.status is Status.MAX_ITER:
        said = f"{_sentence(solver, result, max_iter)}\n{said}"
    warnings.warn(f"LogisticRegression: {said}", ConvergenceWarning, stacklevel=stacklevel)


def _sentence(solver, result, max_iter):
    if solver == "liblinear":
        return "Liblinear failed to converge, increase the number of iterations."
    if solver in ("sag", "saga"):
        return "The max_iter was reached which means the coef_ did not converge"
    if solver == "newton-cg":
        return (
            f"newton-cg failed to converge at loss = {result.objective}. Increase the number of iterations."
        )
    if solver == "newton-cholesky":
        return f"Newton solver did not converge after {result.n_iter} iterations."
    return (
        f"lbfgs failed to converge after {result.n_iter} iteration(s) (status=1):\n"
        "STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT\n\n"
        f"Increase the number of iterations to improve the convergence (max_iter={max_iter}).\n"
        f"You might also want to scale the data as shown in:\n    {_SCALE}\n"
        f"Please also refer to the documentation for alternative solver options:\n    {_SOLVERS}"
    )
