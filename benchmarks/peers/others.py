"""cyanure and glum."""

import importlib
from typing import ClassVar

import numpy as np

from peers.base import DIRECT, MANY, NOTHING, TIGHT, WIDE, Fitted, Peer, legs, threads

__all__ = ["Cyanure", "Glum"]


class Cyanure(Peer):
    """Mean loss + lambda_1/2 ‖W‖² and a free intercept: ours; W comes as (features, outputs).

    Its tolerance is a duality gap of its own. Its choice "auto" (QNing on full gradients, for few rows) can believe
    that gap reached far too early, so QNing on variance-reduced steps competes too.
    """

    module: ClassVar = "cyanure"
    distribution: ClassVar = "cyanure"
    losses = frozenset({"logistic", "softmax", "squared"})

    def __init__(self, solver):
        self.solver = solver
        self.name = f"cyanure-{solver}"

    def ladder(self, task):
        del task
        return legs(TIGHT, WIDE)

    def fit(self, task, X, y, setting):
        estimators = importlib.import_module("cyanure.estimators")
        options = {
            "solver": self.solver,
            "penalty": "l2" if task.alpha else "none",
            "lambda_1": task.alpha,
            "fit_intercept": True,
            "tol": setting.get("tol", NOTHING),
            "max_iter": setting.get("max_iter", MANY),
            "n_threads": threads(),
            "verbose": False,
        }
        if task.classes:
            model = estimators.LogisticRegression(**options).fit(X, y)
        else:
            model = estimators.Regression(**options).fit(X, y.astype(X.dtype))
        coef = np.reshape(model.coef_, (X.shape[1], task.outputs)).T
        return Fitted(coef, np.reshape(model.intercept_, (-1,)), {"n_iter": float(np.max(model.n_iter_))})


class Glum(Peer):
    """Half the mean deviance + alpha/2 ‖w‖² and a free intercept: ours for one score per row (IRLS by Cholesky)."""

    name = "glum"
    module: ClassVar = "glum"
    distribution: ClassVar = "glum"
    losses = frozenset({"logistic", "squared"})

    def ladder(self, task):
        if task.loss == "squared":
            return DIRECT
        return legs(TIGHT, WIDE)

    def fit(self, task, X, y, setting):
        glum = importlib.import_module("glum")
        model = glum.GeneralizedLinearRegressor(
            family="binomial" if task.classes else "normal",
            alpha=task.alpha,
            gradient_tol=setting.get("tol", NOTHING),
            # Newton's method needs few; many more mean that rounding keeps it from its tolerance.
            max_iter=setting.get("max_iter", 1000),
        )
        model.fit(X, y.astype(X.dtype))
        info = {"n_iter": int(np.max(model.n_iter_))}
        return Fitted(np.reshape(model.coef_, (1, -1)), np.reshape(model.intercept_, (1,)), info)
