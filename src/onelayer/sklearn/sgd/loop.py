"""Epoch after epoch until a rule says stop: what is between the compiled passes."""

import math
import time
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from onelayer.sklearn.sgd.schedules import ADAPTIVE

__all__ = ["Course", "Progress", "Rows", "descend"]

# The intercept's steps on sparse rows: most columns of a row are zero there, its constant 1 never is.
_SPARSE_INTERCEPT_DECAY = 0.01


class Rows:
    """X as the compiled loop reads it, and the loop for it; made once, before threads share it."""

    def __init__(self, X):
        # Numba is imported with the first fit: it costs half a second that predictions need not pay.
        from onelayer.sklearn.sgd import kernels

        self.count, self.features = X.shape
        if sp.issparse(X):
            indices = X.indices if X.indices.dtype == np.int32 else X.indices.astype(np.uint32)
            # Unsigned: Numba would test signed indices for being negative, once for each entry.
            self.arrays = (_aligned(X.data), _aligned(indices).view(np.uint32), X.indptr.astype(np.int64))
            self.intercept_decay = _SPARSE_INTERCEPT_DECAY
        else:
            self.arrays = (_aligned(X).reshape(-1), None, None)
            self.intercept_decay = 1.0
        self.epoch = kernels.make_epoch(X.dtype, self.arrays[1] is None)


def _aligned(array):
    return np.require(array, requirements="CA")


@dataclass
class Course:
    """When to stop, and what to tell meanwhile."""

    max_iter: int
    tol: float
    n_iter_no_change: int
    score: object = None
    """None, or a function of (weights, intercept): then it must rise, otherwise the objective must fall."""
    verbose: int = 0


@dataclass
class Progress:
    """Where the recursion is: its own point, and the average of its points. The arrays are changed in place."""

    weights: np.ndarray
    intercept: float
    average_weights: np.ndarray
    average_intercept: float
    t: float
    n_iter: int = 0


def descend(rows, y, sample_weight, held_out, progress, settings, course):
    """Run epochs on the rows that are not held out, change ``progress`` in place.

    Raises
    ------
    ValueError
        If the weights overflow.
    """
    from onelayer.sklearn.sgd import kernels

    weights, dtype = progress.weights, progress.weights.dtype
    order = np.arange(rows.count)
    debts = np.zeros(rows.features if settings.l1 else 0, dtype)
    with np.errstate(all="ignore"):
        square_norm, absolute_norm = float(weights @ weights), float(np.abs(weights).sum())
    state = kernels.State(
        intercept=float(progress.intercept),
        average_intercept=float(progress.average_intercept),
        scale=1.0,
        square_norm=square_norm,
        absolute_norm=absolute_norm,
        average_a=0.0,
        average_b=1.0,
        debt=0.0,
        t=float(progress.t),
        eta=settings.eta0,
        loss_sum=0.0,
        objective_sum=0.0,
    )
    rule, began = _Rule(course), time.perf_counter()
    fixed = (
        *rows.arrays,
        _aligned(y),
        _aligned(sample_weight),
        held_out,
        order,
        weights,
        progress.average_weights,
        debts,
        settings,
    )
    learnt, n_iter = rows.count - int(held_out.sum()), 0
    for n_iter in range(1, course.max_iter + 1):
        if course.verbose > 0:
            print(f"-- Epoch {n_iter}")  # noqa: T201
        state = rows.epoch(*fixed, state)
        if not (math.isfinite(state.intercept) and np.isfinite(weights).all()):
            raise ValueError(
                f"Floating-point under-/overflow occurred at epoch #{n_iter}. Scaling input data with StandardScaler or"
                " MinMaxScaler might help."
            )
        # Without their common factor, as scikit-learn scores them: else the same seed would end at another epoch.
        score = course.score(weights, state.intercept) if course.score is not None else None
        if course.verbose > 0:
            _tell(state, weights, state.t - progress.t, learnt, score, time.perf_counter() - began)
        if rule.stalled(score, state.objective_sum / learnt):
            if settings.schedule == ADAPTIVE and state.eta > 1e-6:
                state = state._replace(eta=state.eta / 5)
                rule.forgive()
            else:
                if course.verbose > 0:
                    print(f"Convergence after {n_iter} epochs took {time.perf_counter() - began:.2f} seconds")  # noqa: T201
                break
    with np.errstate(all="ignore"):
        if progress.average_weights.size:
            progress.average_weights += state.average_a * weights
            progress.average_weights /= state.average_b
        weights *= state.scale
    progress.intercept, progress.average_intercept = state.intercept, state.average_intercept
    progress.n_iter = n_iter


class _Rule:
    """Counts the epochs in a row that were not better than the best by ``tol``."""

    def __init__(self, course):
        self.course, self.best, self.idle = course, math.inf, 0

    def stalled(self, score, objective):
        """Take note of one epoch; return whether enough of them went by without progress."""
        cost = objective if score is None else -score
        late = self.course.tol > -math.inf and cost > self.best - self.course.tol
        self.idle = self.idle + 1 if late else 0
        self.best = min(self.best, cost)
        return self.idle >= self.course.n_iter_no_change

    def forgive(self):
        self.idle = 0


def _tell(state, weights, count, learnt, score, seconds):
    line = (
        f"Norm: {math.sqrt(state.square_norm):.2f}, NNZs: {np.count_nonzero(weights)}, Bias: {state.intercept:.6f}, "
        f"T: {int(count)}, Avg. loss: {state.loss_sum / learnt:f}, Objective: {state.objective_sum / learnt:f}"
    )
    print(line if score is None else f"{line}, Validation score: {score:f}")  # noqa: T201
    print(f"Total training time: {seconds:.2f} seconds.")  # noqa: T201
