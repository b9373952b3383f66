"""The solutions along a grid of strengths."""

import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from onelayer.errors import ParameterError
from onelayer.estimators.problem import Problem, strength_name
from onelayer.estimators.validation import as_count, as_number
from onelayer.result import Status
from onelayer.selection.grids import default_alphas, read_grid
from onelayer.selection.path_result import PathResult
from onelayer.selection.progress import Sweep
from onelayer.solvers.trail import Trail

__all__ = ["path"]


def path(
    est,
    X,
    y=None,
    *,
    Cs=None,
    alphas=None,
    count=20,
    sample_weight=None,
    offset=None,
    coef_file=None,
    time_limit=None,
    verbose=0,
):
    """Fit an estimator at every strength of a grid, each fit from the ones before, each with its certificate.

    Minimises the objective of `est` at each alpha (C) of the grid: X is read into place once, the fits go from the strongest
    penalty to the weakest, start where the last ones point to, and share what preconditions them.

    Parameters
    ----------
    est : LinearRegression, LogisticRegression or SoftmaxRegression
        With all settings but the strength; it is left as it is.
    X, y
        As for ``fit``.
    Cs, alphas : array-like, optional
        The grid, in either convention (alpha = 1/(C S)), in any order: finite, > 0, each once.
    count : int, default 20
        Points of the grid where none is given: from weights of (nearly) zero to where a float32 gradient proves no more than
        `tol`, in equal ratios.
    sample_weight, offset
        As for ``fit``.
    coef_file : str or path, optional
        Keep the coefficients in this .npy file and map them into memory. Default: in memory; where they need more than
        256 MB, in a temporary file.
    time_limit : float, optional
        Seconds for all points, beside that of `est` for each; those that are not reached are left out, with a warning.
    verbose : int, default 0
        1 shows a progress bar on standard error, with the time left.

    Returns
    -------
    PathResult
        Points in the order of the grid.

    Raises
    ------
    ParameterError
        The grid holds a number that is not finite or not positive, or one twice; or both grids are given.
    DataError, SolverError
        As from ``fit``.

    References
    ----------
    J. Friedman, T. Hastie, R. Tibshirani, "Regularization paths for generalized linear models via coordinate descent", J.
    Stat. Softw. 33 (2010): warm starts along a path.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("breast-cancer")
    >>> found = ol.path(ol.LogisticRegression(standardize=True), data.X, data.y, Cs=[0.01, 0.1, 1.0])
    >>> found.coef.shape, bool((found.relative_gap <= 1e-6).all())
    ((3, 1, 30), True)
    >>> round(found.estimator(2).score(data.X, data.y), 3)
    0.988
    """
    if Cs is not None and alphas is not None:
        raise ParameterError("Cs and alphas are two names for the strengths: give one of them.")
    strength_name(est)
    verbose = as_number("verbose", verbose) > 0
    time_limit = None if time_limit is None else as_number("time_limit", time_limit, infinite=True)
    given = None
    if Cs is not None or alphas is not None:
        given = read_grid("Cs", Cs) if alphas is None else read_grid("alphas", alphas)
    began = time.perf_counter()
    problem = Problem(est, X, y, sample_weight, offset)
    with problem.working():
        if given is None:
            grid = default_alphas(problem, as_count("count", count))
        else:
            grid = given if Cs is None else [1 / (C * problem.total_weight) for C in given]
        order = sorted(range(len(grid)), key=lambda place: -grid[place])
        result = PathResult(problem, grid, coef_file, None if Cs is None else given)
        with Sweep(f"{type(est).__name__} path", len(grid), show=verbose and not problem.group.rank) as sweep:
            trail = Trail()
            for place in order:
                left = None if time_limit is None else time_limit - (time.perf_counter() - began)
                left = problem.group.agreed(left)
                if left is not None and left <= 0:
                    if trail.outcome is None:
                        raise ParameterError(
                            f"time_limit is {time_limit:g} s, which were over before the first fit could begin: give more."
                        )
                    break
                start = trail.start(problem.at(grid[place]))
                objective, outcome = problem.solve(grid[place], start, trail.outcome, time_limit=left)
                trail.add(objective, outcome)
                result._add(problem, place, grid[place], outcome)
                sweep.done(
                    f"{'C' if problem.strength == 'C' else 'alpha'}={problem.strength_of(grid[place]):.3g}"
                )
                if outcome.result.status is Status.INTERRUPTED:
                    break
    result._close(time.perf_counter() - began)
    _warn(result)
    return result


def _warn(result):
    """Say which points are missing, or are not what was asked for."""
    if len(result) < result.asked:
        warnings.warn(
            f"path: {result.asked - len(result)} of {result.asked} points were not reached; the others are in the result.",
            ConvergenceWarning,
            stacklevel=3,
        )
    short = np.flatnonzero([not point.result.status.is_success for point in result.points])
    if len(short):
        first = result.points[short[0]]
        warnings.warn(
            f"path: {len(short)} of {len(result)} points ended without what was asked for, the first at alpha="
            f"{first.alpha:.3g}: {first.result.message}",
            ConvergenceWarning,
            stacklevel=3,
        )
