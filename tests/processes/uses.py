"""What else is done with rows of several processes; each writes what it found."""

import json
import sys
import warnings

import numpy as np
import torch.distributed as dist
from scipy.sparse import csr_array, random_array

import onelayer as ol
from instances import PROBLEMS
from onelayer.callbacks import Callback
from onelayer.data import stream
from onelayer.errors import OnelayerError
from onelayer.estimators import memory
from onelayer.processes import join


class Keeping(Callback):
    """Keeps the second iterate, in the first process only."""

    def on_iteration(self, iterate):
        if iterate.record.iteration == 1 and join().rank == 0:
            iterate.keep()
        return False


class Batches:
    """Rows whose number a read tells, and nothing else."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __iter__(self):
        for start in range(0, len(self.X), 40):
            yield self.X[start : start + 40], self.y[start : start + 40]


def uses(rank):
    """Return what came of each use, by its name."""
    X, y = PROBLEMS["two classes"](rows=300)
    own = slice(0, 100) if rank == 0 else slice(100, 300)
    mine = stream((X[own], y[own]), shards="own")
    weight, offset = np.arange(300) % 3 + 1, np.linspace(-1, 1, 300)
    model = ol.LogisticRegression(tol=1e-12, class_weight="balanced", standardize=True)
    # Whole numbers in one process and others in the other are the same weights.
    model.fit(mine, sample_weight=weight[own] if rank else weight[own].astype(float), offset=offset[own])
    found = {"weights and offsets": model.coef_.ravel().tolist()}
    model = ol.LogisticRegression(tol=1e-12)
    counted = stream(Batches(X, y), shards="divide")
    for again in range(2):
        found[f"batches, {again}"] = model.fit(counted).coef_.ravel().tolist()
        found[f"their score, {again}"] = model.score(counted)
    found["their predictions"] = len(model.predict(counted))
    found["rows planned"] = ol.plan(model, counted).rows
    found["certified"] = ol.certify(model, mine).gap
    found["labels of several kinds"] = (
        ol.LogisticRegression(tol=1e-12)
        .fit(stream((X[own], y[own].astype(float if rank else int)), shards="own"))
        .coef_.ravel()
        .tolist()
    )
    # More features than the Gram matrix is formed for, and no rows in the first process.
    wide = csr_array(random_array((120, 6000), density=0.002, rng=0, format="csr"))
    some = slice(0, 0) if rank == 0 else slice(0, 120)
    target = np.asarray(wide.sum(axis=1)).ravel()
    usual, memory.Budget.of = memory.Budget.of, staticmethod(lambda *_: memory.Budget(2**22, 2**20, 2**20))
    linear = ol.LinearRegression(alpha=0.0, max_iter=2)
    linear.fit(stream((wide[some], target[some]), shards="own"))
    memory.Budget.of = usual
    found["sparse rows of one process"] = [linear.result_.solver, linear.result_.objective]
    kept = ol.LogisticRegression(tol=1e-12)
    kept.set_callbacks(Keeping())
    kept.fit(mine)
    found["kept by the first"] = [str(kept.result_.status), kept.coef_.ravel().tolist()]
    stopped = ol.LogisticRegression(C=np.inf, solver="lbfgs", time_limit=1e-6 if rank == 0 else None)
    found["without a penalty"] = str(stopped.fit(mine).result_.status)
    foreign = stream((X[own], y[own]), shards="own")
    spoilt = X[own].copy()
    spoilt[5, 1] = np.nan if rank else spoilt[5, 1]
    short = weight[own][: None if rank == 0 else -1]
    for name, call in {
        "plain coefficients": lambda: ol.certify(
            (model.coef_, model.intercept_), foreign, y, loss="log", alpha=1 / 300
        ),
        "a NaN": lambda: model.objective(stream((spoilt, y[own]), shards="own")),
        "weights that are missing": lambda: model.fit(mine, sample_weight=None if rank else weight[own]),
        "weights that are too few": lambda: model.fit(mine, sample_weight=short),
    }.items():
        try:
            call()
        except OnelayerError as error:
            found[name] = str(error)
    return found


def main(folder):
    """Write what was found."""
    warnings.simplefilter("ignore")
    budget = memory.Budget(2**22, 60 * (4 * 8 + 80), 7 * 4 * 8, per_output=20)
    memory.Budget.of = staticmethod(lambda *_: budget)
    rank = join().rank
    found = uses(rank)
    with open(f"{folder}/{rank}.json", "w") as file:
        json.dump(found, file)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
