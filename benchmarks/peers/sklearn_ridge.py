"""scikit-learn's least squares, and Intel's replacement of them."""

import importlib
from typing import ClassVar

import numpy as np

from peers.base import DIRECT, MANY, TIGHT, WIDE, Fitted, Peer, legs, threads

__all__ = ["IntelLeastSquares", "LeastSquares", "SklearnRidge"]


_DIRECT = ("cholesky", "svd")


class SklearnRidge(Peer):
    """Ridge: ‖y − Xw − b‖² + a‖w‖², which is ours times 2n with a = alpha n."""

    module: ClassVar = "sklearn"
    distribution: ClassVar = "scikit-learn"
    losses = frozenset({"squared"})
    unpenalised = False

    def __init__(self, solver):
        self.solver = solver
        self.name = f"sklearn-ridge-{solver}"

    def ladder(self, task):
        del task
        if self.solver in _DIRECT:
            return DIRECT
        return legs(TIGHT, WIDE)

    def fit(self, task, X, y, setting):
        from sklearn.linear_model import Ridge

        iterative = {"tol": setting.get("tol", 0.0), "max_iter": setting.get("max_iter", MANY)}
        iterative = {} if self.solver in _DIRECT else iterative
        model = Ridge(alpha=task.alpha * task.rows, solver=self.solver, random_state=0, **iterative)
        return _fitted(model.fit(X, y.astype(X.dtype)))


class LeastSquares(Peer):
    """LinearRegression: no penalty; LAPACK's gelsd on centred data."""

    name = "sklearn-least-squares"
    module: ClassVar = "sklearn"
    distribution: ClassVar = "scikit-learn"
    losses = frozenset({"squared"})
    penalised = False

    def ladder(self, task):
        del task
        return DIRECT

    def fit(self, task, X, y, setting):
        from sklearn.linear_model import LinearRegression

        del task, setting
        return _fitted(LinearRegression().fit(X, y.astype(X.dtype)))


class IntelLeastSquares(Peer):
    """scikit-learn-intelex: normal equations, with the convention of Ridge."""

    name = "sklearnex-ridge"
    module: ClassVar = "sklearnex"
    distribution: ClassVar = "scikit-learn-intelex"
    losses = frozenset({"squared"})

    def ladder(self, task):
        del task
        return DIRECT

    def fit(self, task, X, y, setting):
        del setting
        importlib.import_module("daal4py").daalinit(nthreads=threads())
        linear_model = importlib.import_module("sklearnex.linear_model")
        if task.alpha:
            model = linear_model.Ridge(alpha=task.alpha * task.rows)
        else:
            model = linear_model.LinearRegression()
        return _fitted(model.fit(X, y.astype(X.dtype)))


def _fitted(model):
    steps = getattr(model, "n_iter_", None)
    info = {} if steps is None else {"n_iter": int(np.max(steps))}
    return Fitted(np.reshape(model.coef_, (1, -1)), np.reshape(model.intercept_, (1,)), info)
