"""scikit-learn's LogisticRegression, and Intel's replacement of it."""

import importlib
from typing import ClassVar

from peers.base import MANY, NOTHING, TIGHT, WIDE, Fitted, Peer, legs, threads

__all__ = ["IntelLogistic", "Liblinear", "SklearnLogistic"]


class SklearnLogistic(Peer):
    """LogisticRegression: C Σ loss + ½‖W‖², which is ours divided by C n; C=inf means no penalty."""

    module: ClassVar = "sklearn"
    distribution: ClassVar = "scikit-learn"

    def __init__(self, solver):
        self.solver = solver
        self.name = f"sklearn-{solver}"
        self.losses = frozenset({"logistic", "softmax"})
        # newton-cholesky forms a matrix features x features for each class: gigabytes on text.
        self.sparse = solver != "newton-cholesky"
        if solver == "newton-cholesky":
            self.note = "goes on with lbfgs where the Hessian is singular in the precision of X"
        # Only lbfgs knows tensors on other devices (array API).
        self.devices = ("cpu", "cuda") if solver == "lbfgs" else ("cpu",)

    def ladder(self, task):
        del task
        return legs(TIGHT, WIDE)

    def fit(self, task, X, y, setting):
        import sklearn
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(
            C=task.C,
            solver=self.solver,
            tol=setting.get("tol", 0.0),
            max_iter=setting.get("max_iter", MANY),
            random_state=0,
        )
        with sklearn.config_context(array_api_dispatch=hasattr(X, "double")):
            model.fit(X, y)
        return Fitted(model.coef_, model.intercept_, {"n_iter": int(max(model.n_iter_))})


class Liblinear(Peer):
    """The primal solver for two classes. It penalises the intercept: b is s times the weight of a column of s.

    With s = 10⁴ that costs alpha/2 · b²/10⁸, which is far below the gaps asked for. Its tolerance is on the gradient,
    relative to the start, where that column dominates: hence a ladder that goes so far down.
    """

    name = "sklearn-liblinear"
    module: ClassVar = "sklearn"
    distribution: ClassVar = "scikit-learn"
    losses = frozenset({"logistic"})
    unpenalised = False
    sparse = True
    note = "penalises the intercept; intercept_scaling=1e4 makes that negligible, and works on a float64 copy"

    def ladder(self, task):
        del task
        return legs([10.0**-k for k in range(2, 17)])

    def fit(self, task, X, y, setting):
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(
            C=task.C,
            solver="liblinear",
            tol=setting.get("tol", NOTHING),
            max_iter=setting.get("max_iter", MANY),
            intercept_scaling=1e4,
        )
        model.fit(X, y)
        return Fitted(model.coef_, model.intercept_, {"n_iter": int(max(model.n_iter_))})


class IntelLogistic(Peer):
    """scikit-learn-intelex: scipy's L-BFGS with 50 pairs on oneDAL's loss. Other solvers fall back to scikit-learn."""

    name = "sklearnex-lbfgs"
    module: ClassVar = "sklearnex"
    distribution: ClassVar = "scikit-learn-intelex"
    losses = frozenset({"logistic", "softmax"})

    def ladder(self, task):
        del task
        return legs(TIGHT, WIDE)

    def fit(self, task, X, y, setting):
        # TBB, which oneDAL runs on, does not read OMP_NUM_THREADS.
        importlib.import_module("daal4py").daalinit(nthreads=threads())
        linear_model = importlib.import_module("sklearnex.linear_model")
        model = linear_model.LogisticRegression(
            C=task.C, tol=setting.get("tol", 0.0), max_iter=setting.get("max_iter", MANY)
        )
        model.fit(X, y)
        return Fitted(model.coef_, model.intercept_, {"n_iter": int(max(model.n_iter_))})
