"""What scikit-learn's Ridge makes of a solver's name, and its words for it."""

import warnings

import scipy.linalg
from sklearn.exceptions import ConvergenceWarning

from onelayer.result import Status

__all__ = ["ITERATIVE", "SOLVERS", "TELLS_ITERATIONS", "resolved_name", "warn_of_limit", "warn_of_rank"]

SOLVERS = {"auto", "svd", "cholesky", "lsqr", "sparse_cg", "sag", "saga", "lbfgs"}
ITERATIVE = {"lsqr", "sparse_cg", "sag", "saga"}
TELLS_ITERATIONS = {"lsqr", "sag", "saga"}
_WITH_SPARSE_INTERCEPT = {"auto", "lbfgs", "lsqr", "sag", "sparse_cg"}


def resolved_name(ridge, is_sparse, space):
    """Return the name that scikit-learn runs for these arguments, or refuse and warn as it does.

    `space` is the Namespace of X.

    Raises
    ------
    ValueError, TypeError
        For combinations that scikit-learn has no solver for.
    """
    name = ridge.solver
    if name == "lbfgs" and not ridge.positive:
        raise ValueError("'lbfgs' solver can be used only when positive=True. Please use another solver.")
    if ridge.positive and name not in ("auto", "lbfgs"):
        raise ValueError(
            f"solver='{name}' does not support positive fitting. Please set the solver to 'auto' or 'lbfgs', or set "
            "`positive=False`"
        )
    if not space.is_numpy:
        return _name_elsewhere(name, ridge.positive, space.xp.__name__)
    if is_sparse and ridge.fit_intercept and name not in _WITH_SPARSE_INTERCEPT:
        raise ValueError(
            f"solver='{name}' does not support fitting the intercept on sparse data. Please set the solver to 'auto' or "
            "'lsqr', 'sparse_cg', 'sag', 'lbfgs' or set `fit_intercept=False`"
        )
    if is_sparse and name == "svd":
        raise TypeError("SVD solver does not support sparse inputs currently")
    if is_sparse and ridge.fit_intercept and name == "sag":
        if ridge.max_iter is not None or ridge.tol <= 1e-4:
            return "sparse_cg"
        warnings.warn(
            '"sag" solver requires many iterations to fit an intercept with sparse inputs. Either set the solver to "auto" '
            'or "sparse_cg", or set a low "tol" and a high "max_iter" (especially if inputs are not standardized).',
            UserWarning,
            stacklevel=4,
        )
    if name != "auto":
        return name
    if ridge.positive:
        return "lbfgs"
    return "sparse_cg" if is_sparse else "cholesky"


def _name_elsewhere(name, positive, namespace):
    """Return the name for arrays that are not NumPy's."""
    if name not in ("auto", "svd"):
        raise ValueError(
            f"Array API dispatch to namespace {namespace} only supports solver 'svd'. Got '{name}'."
        )
    if positive:
        raise ValueError(
            f"The solvers that support positive fitting do not support Array API dispatch to namespace {namespace}. Please "
            "either disable Array API dispatch, or use a numpy-like namespace, or set `positive=False`."
        )
    if name == "auto":
        warnings.warn(
            f"Using Array API dispatch to namespace {namespace} with `solver='auto'` will result in using the solver "
            "'svd'. The results may differ from those when using a Numpy array, because in that case the preferred solver "
            "would be cholesky. Set `solver='svd'` to suppress this warning.",
            UserWarning,
            stacklevel=5,
        )
    return "svd"


def warn_of_rank(name, rank, shape):
    """Warn where unpenalised normal equations are singular; return the name that scikit-learn then reports."""
    rows, columns = shape
    if name != "cholesky" or rank >= min(rows, columns):
        return name
    if columns > rows:
        warnings.warn(
            "Singular matrix in solving dual problem. Using least-squares solution instead.",
            UserWarning,
            stacklevel=5,
        )
        return name
    warnings.warn(
        f"Singular matrix: X has rank {rank} of {columns}, and alpha=0; the coefficients are the shortest of those that "
        "fit best.",
        scipy.linalg.LinAlgWarning,
        stacklevel=5,
    )
    return "svd"


def warn_of_limit(ridge):
    """Warn, with scikit-learn's words where it has some, if a fit did not end at the optimum."""
    result, name = ridge.result_, ridge.solver_
    if result.status.is_success:
        return
    words = f"Ridge: {result.message}"
    if result.status is Status.MAX_ITER and name == "lbfgs":
        words = (
            "The lbfgs solver did not converge. Try increasing max_iter or tol. Currently: "
            f"max_iter={ridge.max_iter} and tol={ridge.tol}"
        )
    elif result.status is Status.MAX_ITER and name in ("sag", "saga"):
        words = f"The max_iter was reached which means the coef_ did not converge. {words}"
    warnings.warn(words, ConvergenceWarning, stacklevel=4)
