"""skglm: coordinate descent and prox-Newton, compiled by numba when they are first used."""

import importlib
from typing import ClassVar

import numpy as np

from peers.base import MANY, NOTHING, TIGHT, WIDE, Fitted, Peer, legs

__all__ = ["Skglm"]


class Skglm(Peer):
    """Mean datafit + alpha (l1_ratio ‖w‖₁ + (1 − l1_ratio)/2 ‖w‖²) and a free intercept: ours at l1_ratio=0.

    Its penalty named L2 has no proximal step, so only L-BFGS without an intercept takes that one. Softmax it does not
    know: more than two classes become one against the rest. The working set starts with all features, since with an
    L2 penalty no coefficient is zero and growing it from ten would only cost.
    """

    module: ClassVar = "skglm"
    distribution: ClassVar = "skglm"

    def __init__(self, solver):
        self.solver = solver
        self.name = {"ProxNewton": "skglm-prox-newton", "AndersonCD": "skglm-anderson-cd"}[solver]
        # ProxNewton needs second derivatives of the datafit, which skglm's Huber does not offer.
        self.losses = (
            frozenset({"logistic"}) if solver == "ProxNewton" else frozenset({"logistic", "squared", "huber"})
        )
        self.note = "compilation by numba not counted; logistic datafits work on a float64 copy"

    def ladder(self, task):
        # Its classifiers turn X into float64 themselves.
        return legs(WIDE) if task.classes else legs(TIGHT, WIDE)

    def fit(self, task, X, y, setting):
        estimators = importlib.import_module("skglm.estimators")
        datafits = importlib.import_module("skglm.datafits")
        penalties = importlib.import_module("skglm.penalties")
        solvers = importlib.import_module("skglm.solvers")
        datafit = {
            "logistic": lambda: datafits.Logistic(),
            "squared": lambda: datafits.Quadratic(),
            "huber": lambda: datafits.Huber(task.delta),
        }[task.loss]()
        limits = {"max_iter": setting.get("max_iter", MANY)}
        if self.solver == "AndersonCD" and "max_iter" in setting:
            # With all features in the first working set it has one outer iteration, of many epochs.
            limits = {"max_iter": 1, "max_epochs": setting["max_iter"]}
        solver = getattr(solvers, self.solver)(
            tol=setting.get("tol", NOTHING), p0=X.shape[1], fit_intercept=True, **limits
        )
        penalty = penalties.L1_plus_L2(task.alpha, l1_ratio=0.0)
        model = estimators.GeneralizedLinearEstimator(datafit, penalty, solver)
        model.fit(X, y if task.classes else y.astype(X.dtype))
        coef = np.reshape(model.coef_, (1, -1))
        return Fitted(coef, np.reshape(model.intercept_, (1,)), {"n_iter": int(model.n_iter_)})
