"""Least squares with coefficients ≥ 0: the exact solution by active sets, and its proof."""

import dataclasses
import time

import numpy as np
import scipy.optimize

from onelayer.certificates import Certificate
from onelayer.result import Record, Result, Status
from onelayer.sklearn.proofs import relative_gap

__all__ = ["Nonnegative", "nonnegative_least_squares"]

_EPS = float(np.finfo(float).eps)
_TOL = 1e-6
# Conditions that come into danger while others are repaired; more rounds than two were never seen.
_ROUNDS = 10


@dataclasses.dataclass(frozen=True)
class Nonnegative:
    """W of shape (targets, features), how it came about, and the proof (None where rounding leaves none)."""

    weight: np.ndarray
    result: Result
    certificate: Certificate | None


def nonnegative_least_squares(reduction, alphas, *, max_iter=None, tol=0.0):
    """Minimise ``Σ_k [ ½ ‖T_k − R w_k‖² + (alpha_k / 2) ‖w_k‖² ]`` over w ≥ 0.

    By ``scipy.optimize.nnls`` (C. Lawson and R. Hanson, Solving Least Squares Problems, 1974, chapter 23): a finite
    number of least-squares problems on subsets of the columns, so its answer is exact up to rounding. With `max_iter`
    so many iterations of L-BFGS-B are made first; if these do not reach `tol`, what they reached is the answer.

    With M = [R; √alpha I], t = [T; 0] and g = Mᵀ(M w − t), any v is worse than w by ⟨g, v − w⟩ + ½ ‖M (v − w)‖². For each
    e with (Mᵀe)_j = g_j where w_j > 0 and (Mᵀe)_j ≤ g_j where w_j = 0 (at the optimum e = 0 will do: those are the
    Karush-Kuhn-Tucker conditions) the first term is at least ⟨e, M (v − w)⟩ for v ≥ 0, hence P(w) − min P ≤ ½ ‖e‖². The
    shortest e that meets those conditions with equality, where they are in danger, is a small least-squares problem.

    Parameters
    ----------
    reduction : Reduction
    alphas : array of shape (targets,)
    max_iter : int, optional
    tol : float
        Of L-BFGS-B.

    Returns
    -------
    Nonnegative
        ``certificate`` and ``result.objective`` are about the mean, 1/S times the sum above.
    """
    began = time.perf_counter()
    features = reduction.matrix.shape[1]
    weight, value, gap, stopped = np.zeros((len(alphas), features)), 0.0, 0.0, 0
    for k, alpha in enumerate(alphas):
        rows, target = reduction.matrix, reduction.right[:, k]
        if alpha:
            rows = np.concatenate([rows, np.sqrt(alpha) * np.eye(features)])
            target = np.concatenate([target, np.zeros(features)])
        weight[k], ended = _solved(rows, target, max_iter, tol)
        stopped += not ended
        value += np.square(target - rows @ weight[k]).sum() / 2
        gap += _gap(rows, target, weight[k])
    value, gap = float(value / reduction.total), float(gap / reduction.total)
    relative = relative_gap(gap, value, reduction) if np.isfinite(gap) else None
    certificate = None if relative is None else Certificate(gap, relative, value, "quadratic")
    start = np.square(reduction.right).sum() / 2 / reduction.total
    steps = int(max_iter) if max_iter is not None and stopped else 1
    status, message = _outcome(certificate, stopped, max_iter)
    seconds = time.perf_counter() - began
    trace = [Record(0, 0.0, 0.0, float(start)), Record(steps, seconds, 0.0, value, None, relative)]
    solver = "l-bfgs-b" if stopped else "nnls"
    return Nonnegative(
        weight,
        Result(status, message, value, 0.0, seconds, steps, trace, solver, dtype="float64"),
        certificate,
    )


def _solved(rows, target, max_iter, tol):
    """Return w and whether it is the minimiser."""
    if max_iter is not None:
        found = scipy.optimize.minimize(
            _value_and_gradient,
            np.zeros(rows.shape[1]),
            args=(rows, target),
            jac=True,
            method="L-BFGS-B",
            bounds=[(0, np.inf)] * rows.shape[1],
            tol=tol,
            options={"maxiter": max_iter},
        )
        if not found.success:
            return found.x, False
    # Columns stay in their units: where many w are optimal, scikit-learn's is the one that is found. scipy's own limit,
    # three rounds for each column, is too low for some data.
    return scipy.optimize.nnls(rows, target, maxiter=30 * rows.shape[1] + 100)[0], True


def _value_and_gradient(weight, rows, target):
    residual = rows @ weight - target
    return residual @ residual / 2, rows.T @ residual


def _gap(rows, target, weight):
    """Return the bound, infinite where rounding leaves none."""
    size = np.linalg.norm(rows, axis=0)
    rows, weight = rows / np.where(size > 0, size, 1.0), weight * size
    gradient = rows.T @ (rows @ weight - target)
    # All that could be rounding of the products; a column that is so near to the others asks for nothing more.
    noise = len(rows) * _EPS * np.linalg.norm(target)
    tight = (weight > 0) | (gradient < 0)
    for _ in range(_ROUNDS):
        shift = np.linalg.lstsq(rows[:, tight].T, gradient[tight], rcond=None)[0]
        left = gradient - rows.T @ shift
        if np.abs(left[tight]).max(initial=0.0) > noise:
            return np.inf
        broken = ~tight & (left < -noise)
        if not broken.any():
            return float(shift @ shift / 2)
        tight |= broken
    return np.inf


def _outcome(certificate, stopped, max_iter):
    if stopped:
        return Status.MAX_ITER, f"max_iter={max_iter} was reached before the tolerance."
    if certificate is None:
        return Status.FINISHED, (
            "The active set is optimal to rounding; no bound on the distance to the optimum is known, because columns "
            "depend on each other too closely."
        )
    gap = certificate.relative_gap
    if gap <= _TOL:
        return Status.CONVERGED, f"The certified relative gap is {gap:.2g}, at most {_TOL:g}."
    return (
        Status.STALLED,
        f"The active set cannot be improved in float64; the certified relative gap is {gap:.2g}.",
    )
