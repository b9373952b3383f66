"""What each of several processes chooses by cross-validation, and its path, told to a file by each process."""

import json
import sys

import numpy as np
import torch.distributed as dist
from sklearn.model_selection import KFold, StratifiedKFold

import onelayer as ol
from instances import PROBLEMS
from onelayer.data import stream
from onelayer.processes import join

GRID = [0.01, 0.1, 1.0, 10.0]
KINDS = {
    "logistic": ("two classes", ol.LogisticRegressionCV),
    "softmax": ("three classes", ol.SoftmaxRegressionCV),
    "linear": ("linear", ol.LinearRegressionCV),
}


def splitters(kind):
    """Return splitters by name: folds in order, and folds that are drawn, by a seed or by nobody knows what."""
    splitter = KFold if kind == "linear" else StratifiedKFold
    return {"in order": splitter(4), "drawn": splitter(4, shuffle=True, random_state=0)}


def data(kind):
    """Return X, y, and weights."""
    X, y = PROBLEMS[KINDS[kind][0]](rows=240)
    return X, y, np.arange(240) % 2 + 1.0


def told(model):
    """Return what a search found, for JSON."""
    chosen = model.C_ if hasattr(model, "C_") else model.alpha_
    return {
        "chosen": chosen,
        "scores": model.scores_.tolist(),
        "gaps": model.gaps_.tolist(),
        "coef": [value.hex() for value in np.ravel(model.coef_).tolist()],
    }


def judged(probe):
    """Return how a probe chose and what it is worth, for JSON."""
    parts = {name: [part.score, part.loss] for name, part in probe.judgements.items()}
    return [probe.C, probe.scores.tolist(), probe.rows, parts]


def main(folder):
    """Choose with the rows of two processes, and follow a path."""
    group, found = join(), {}
    for kind, (_, search) in KINDS.items():
        X, y, weight = data(kind)
        own = slice(0, 90) if group.rank == 0 else slice(90, None)
        own = own if group.size > 1 else slice(None)
        for name, splitter in splitters(kind).items():
            mine = stream((X[own], y[own]), shards="own")
            found[f"{kind}, {name}"] = told(
                search(GRID, cv=splitter, tol=1e-10).fit(mine, sample_weight=weight[own])
            )
    X, y, _ = data("logistic")
    mine = stream((X, y), shards="divide")
    unknown = StratifiedKFold(3, shuffle=True)
    found["drawn by the first process"] = told(ol.LogisticRegressionCV(GRID, cv=unknown).fit(mine))
    path = ol.path(ol.LogisticRegression(tol=1e-10), mine, Cs=GRID)
    found["path"] = [np.ravel(path.coef).tolist(), path.relative_gap.tolist()]
    probe = ol.probe(mine, (X[:60], y[:60]), mine, ol.LogisticRegression(tol=1e-10), Cs=GRID)
    by_stream = ol.probe((X[:60], y[:60]), mine, est=ol.LogisticRegression(tol=1e-10), Cs=GRID)
    found["probes"] = [judged(probe), judged(by_stream)]
    with open(f"{folder}/{group.rank}.json", "w", encoding="utf-8") as file:
        json.dump(found, file)
    if dist.is_initialized():
        dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
