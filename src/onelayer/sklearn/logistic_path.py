"""What scikit-learn's LogisticRegressionCV calls for its fits, by our engines."""

import inspect
import logging
from typing import Any

import numpy as np
import sklearn.linear_model._logistic as private
import torch
from sklearn.utils.validation import check_array, check_consistent_length

from onelayer.result import Status
from onelayer.sklearn.convergence import good_enough, warn_of_logistic
from onelayer.sklearn.logistic_arguments import asked_along_path, row_weights, start_of
from onelayer.sklearn.logistic_problem import Problem
from onelayer.sklearn.namespaces import Namespace
from onelayer.sklearn.patching import patch

__all__ = ["logistic_regression_path", "private_functions", "scoring_path"]

_log = logging.getLogger("onelayer.sklearn")
_PATH, _SCORES = "_logistic_regression_path", "_log_reg_scoring_path"
# As they are before anything is swapped: patch() imports this module first.
_theirs: dict[str, Any] = {name: getattr(private, name, None) for name in (_PATH, _SCORES)}


def logistic_regression_path(
    X,
    y,
    *,
    classes,
    Cs=10,
    fit_intercept=True,
    max_iter=100,
    tol=1e-4,
    verbose=0,
    solver="lbfgs",
    coef=None,
    class_weight=None,
    dual=False,
    penalty="l2",
    intercept_scaling=1.0,
    random_state=None,
    check_input=True,
    max_squared_sum=None,
    sample_weight=None,
    l1_ratio=None,
    n_threads=1,
    callback_ctx=None,
    estimator=None,
):
    """Return the optimum for each C, in the place of scikit-learn's private function of scikit-learn 1.9.

    Parameters
    ----------
    X, y, classes, Cs, coef, sample_weight, class_weight, penalty, l1_ratio, solver, tol, max_iter, …
        As there; each fit starts from the one before. `random_state`, `max_squared_sum` and `n_threads` have no influence.
    estimator : estimator, optional
        An object of scikit-learn's own LogisticRegression in its fit: it was made before the class was swapped, and keeps
        scikit-learn's code.

    Returns
    -------
    coefs : array of shape (n_cs, n_features + intercept), or (n_cs, n_classes, n_features + intercept)
    Cs : array of shape (n_cs,)
    n_iter : array of shape (n_cs,)
    """
    if estimator is not None:
        return _theirs[_PATH](**locals())
    del random_state, max_squared_sum, n_threads, callback_ctx
    Cs = np.logspace(-4, 4, Cs) if isinstance(Cs, int | np.integer) else Cs
    asked = asked_along_path(solver, penalty, dual, l1_ratio)
    space, liblinear = Namespace(X), solver == "liblinear"
    if check_input:
        X = check_array(X, accept_sparse="csr", dtype=[space.xp.float64, space.xp.float32])
        y = check_array(y, ensure_2d=False, dtype=None)
        check_consistent_length(X, y)
    labels = space.as_numpy(np.asarray(classes) if isinstance(classes, list | tuple) else classes)
    index = _numbers(space.as_numpy(y), labels)
    if liblinear:
        _refuse_for_liblinear(labels, index)
    weight = row_weights(class_weight, labels, index, space.as_numpy(sample_weight))
    problem = Problem(
        space.native(X),
        index,
        weight,
        asked(Cs[0]),
        fit_intercept=fit_intercept,
        penalised_column=intercept_scaling if liblinear else None,
        n_classes=len(labels),
    )
    start = None
    if coef is not None and not liblinear:
        start = start_of(space.as_numpy(coef), len(labels), X.shape[1], fit_intercept)
    coefs, n_iter = [], np.zeros(len(Cs), dtype=np.int32)
    for place, C in enumerate(Cs):
        outcome = problem.at(C).solve(start, tol=tol, max_iter=max_iter, callbacks=_progress(verbose, C))
        if outcome.result.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        if not good_enough(outcome, tol):
            warn_of_logistic(solver, outcome, max_iter, stacklevel=3)
        found, bias = problem.coefficients(outcome.parameters)
        start = None if liblinear else (found, bias)
        whole = torch.cat([found, bias.unsqueeze(1)], dim=1) if fit_intercept else found
        coefs.append(space.array(whole[0] if len(labels) == 2 else whole))
        n_iter[place] = outcome.result.n_iter
    return space.xp.stack(coefs), space.xp.asarray(Cs), n_iter


def _numbers(y, labels):
    """Return the number of each row's class."""
    if len(labels) == 2:
        # All that is not the second class is the first, as there.
        return (y == labels[1]).astype(int)
    order = np.argsort(labels)
    place = np.searchsorted(labels, y, sorter=order).clip(max=len(labels) - 1)
    strangers = np.unique(y[labels[order[place]] != y])
    if len(strangers):
        raise ValueError(f"y contains previously unseen labels: {strangers.tolist()}")
    return place


def _refuse_for_liblinear(labels, index):
    if len(labels) != 2:
        raise ValueError(
            "The 'liblinear' solver does not support multiclass classification (n_classes >= 3). Either use another "
            "solver or wrap the estimator in a OneVsRestClassifier to keep applying a one-versus-rest scheme."
        )
    if index.min() == index.max():
        raise ValueError(
            "This solver needs samples of at least 2 classes in the data, but the data contains only one class: "
            f"{labels[index[0]]!r}"
        )


def _progress(verbose, C):
    if verbose <= 0:
        return []
    from onelayer.callbacks import ProgressBar

    return [ProgressBar(label=f"LogisticRegression at C={C:.3g}")]


def scoring_path(*args, **kwargs):
    """Call scikit-learn's private function that scores a path on one fold, with our path in it.

    A worker process of ``n_jobs`` comes here too: what it unpickles is the name of this function.
    """
    with patch(["LogisticRegression"]):
        return _theirs[_SCORES](*args, **kwargs)


def private_functions():
    """Return (scikit-learn's, ours) for each private function that is swapped along with LogisticRegression.

    Nothing where scikit-learn's path function is not the one known here: LogisticRegressionCV then keeps scikit-learn's
    solvers, and the log "onelayer.sklearn" says so.
    """
    path, scores = _theirs[_PATH], _theirs[_SCORES]
    known = inspect.signature(logistic_regression_path)
    if path is None or scores is None or list(inspect.signature(path).parameters) != list(known.parameters):
        _log.warning(
            "LogisticRegressionCV keeps scikit-learn's solvers: sklearn.linear_model._logistic.%s is not that of 1.9",
            _PATH,
        )
        return []
    return [(path, logistic_regression_path), (scores, scoring_path)]
