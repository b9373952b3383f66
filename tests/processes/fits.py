"""What each of several processes does in the tests: all fits of a table, told to a file by each process."""

import json
import sys

import numpy as np
import torch.distributed as dist

import onelayer as ol
from instances import PROBLEMS
from onelayer.data import stream
from onelayer.estimators import memory
from onelayer.processes import join

PENALTIES = {
    "none": (0.0, 0.0),
    "l2": (0.1, 0.0),
    "weak l2": (0.001, 0.0),
    "elastic net": (0.1, 0.5),
    "l1": (0.05, 1.0),
}
ESTIMATORS = {
    "linear, squared": ("linear", ol.LinearRegression, "squared"),
    "linear, huber": ("linear", ol.LinearRegression, "huber"),
    "logistic": ("two classes", ol.LogisticRegression, "log"),
    "softmax, two classes": ("two classes", ol.SoftmaxRegression, "log"),
    "softmax, three classes": ("three classes", ol.SoftmaxRegression, "log"),
}
# How 200 rows are divided: by the stream, or by whoever started the processes.
SHARDS = {"divided": None, "uneven": (0.7, 0.1, 0.0, 0.2), "the first has none": (0.0, 1.0, 0.0, 0.0)}


def estimator_of(kind, penalty, rows=200):
    """Return the problem's X and y and the estimator of an entry of the table."""
    problem, estimator, loss = ESTIMATORS[kind]
    alpha, l1_ratio = PENALTIES[penalty]
    X, y = PROBLEMS[problem](rows=rows)
    strength = {"alpha": alpha} if problem == "linear" else {"C": 1 / (alpha * rows) if alpha else np.inf}
    return X, y, estimator(loss=loss, l1_ratio=l1_ratio, tol=1e-13, **strength)


def dealt(size):
    """Return which entries of SHARDS so many processes try: two of them all."""
    names = {1: ["divided"], 2: list(SHARDS), 4: ["uneven"]}[size]
    return {name: SHARDS[name] for name in names}


def shares_of(shares, size):
    """Return which part of the rows each of so many processes has."""
    some = np.ones(size) if shares is None or not sum(shares[:size]) else np.array(shares[:size])
    return some / some.sum()


def shard(X, y, shares, group):
    """Return the stream of this process."""
    if shares is None:
        return stream((X, y), shards="divide")
    ends = np.rint(np.concatenate([[0], shares_of(shares, group.size).cumsum()]) * len(y)).astype(int)
    own = slice(*ends[group.rank : group.rank + 2])
    return stream((X[own], y[own]), shards="own")


def main(folder):
    """Fit everything and write what came of it."""
    # Blocks of 7 rows of 4 numbers, and samples of about 60 rows.
    budget = memory.Budget(2**22, 60 * (4 * 8 + 80), 7 * 4 * 8, per_output=20)
    memory.Budget.of = staticmethod(lambda *_: budget)
    group, found = join(), {}
    for name, shares in dealt(group.size).items():
        for kind in ESTIMATORS:
            for penalty in PENALTIES:
                X, y, model = estimator_of(kind, penalty)
                own = shard(X, y, shares, group)
                model.fit(own)
                found["; ".join((name, kind, penalty))] = {
                    "coef": [value.hex() for value in np.ravel(model.coef_).tolist()],
                    "intercept": [value.hex() for value in np.ravel(model.intercept_).tolist()],
                    "objective": model.certificate_.objective,
                    "gap": model.certificate_.gap,
                    "relative_gap": model.certificate_.relative_gap,
                    "status": str(model.result_.status),
                    "shards": model.result_.shards,
                    "passes": model.result_.passes,
                    "score": model.score(own),
                }
    with open(f"{folder}/{group.rank}.json", "w") as file:
        json.dump(found, file)
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
