"""onelayer itself, run like everyone else."""

from typing import ClassVar

from peers.base import Fitted, Peer

__all__ = ["OneLayer"]


class OneLayer(Peer):
    """The estimators with their defaults; only ``tol`` is set."""

    name = "onelayer"
    module: ClassVar = "onelayer"
    distribution: ClassVar = "onelayer"
    losses = frozenset({"logistic", "softmax", "squared", "huber"})
    sparse = True
    devices = ("cpu", "cuda")

    def ladder(self, task):
        del task
        return [[{"tol": tol} for tol in (1e-3, 1e-6, 1e-9)]]

    def fit(self, task, X, y, setting):
        import onelayer as ol

        options = {"tol": setting["tol"], "time_limit": setting.get("time_limit")}
        if task.classes:
            model = ol.LogisticRegression(C=task.C, **options)
        else:
            loss = ol.losses.Huber(task.delta) if task.loss == "huber" else "squared"
            model = ol.LinearRegression(loss, alpha=task.alpha, **options)
        model.fit(X, y)
        result, certificate = model.result_, model.certificate_
        info = {
            "n_iter": result.n_iter,
            "passes": result.passes,
            "status": str(result.status),
            "solver": result.solver,
            "own_relative_gap": certificate.relative_gap if certificate else None,
        }
        return Fitted(model.coef_, model.intercept_, info)
