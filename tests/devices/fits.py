"""The fits that the tests of devices run over, and their data."""

import warnings

import numpy as np
import torch

import onelayer as ol

_SGD = ol.solvers.SGD(0.1, batch_size=16, epochs=2)
_DESCENT = ol.solvers.GradientDescent(steps=10)

_EXACT = ["auto", "newton", "lbfgs"]
_STEPS = [_DESCENT, _SGD]
_L1 = {"solver": "proximal-newton", "l1_ratio": 0.5}


def _rows(model, strength, solvers):
    rows = [{"solver": solver, **strength} for solver in solvers] + [{**_L1, **strength}]
    return [(model, row) for row in rows]


# Each with every solver that serves it; a strength that weighs the same for all.
FITS = {
    f"{model.__name__}, {getattr(settings['solver'], 'name', settings['solver'])}": (model, settings)
    for model, settings in [
        *_rows(ol.LinearRegression, {"alpha": 0.1}, [*_EXACT, "least-squares", *_STEPS]),
        *_rows(ol.LogisticRegression, {"C": 0.3}, [*_EXACT, *_STEPS]),
        *_rows(ol.SoftmaxRegression, {"C": 0.3}, [*_EXACT, *_STEPS]),
    ]
}


def problem(rows=40, features=3, seed=0):
    """Return whole numbers from 0 to 7 as float64, and three targets of each row: real, of two and of three classes."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 8, size=(rows, features)).astype(np.float64)
    noisy = X @ rng.normal(size=(features, 3)) / features**0.5 + 3 * rng.gumbel(size=(rows, 3))
    three = noisy.argmax(axis=1)
    three[:3] = 0, 1, 2
    return X, {
        ol.LinearRegression: noisy[:, 0],
        ol.LogisticRegression: (three > 0).astype(int),
        ol.SoftmaxRegression: three,
    }


def stored(X, dtype, sparse):
    """Return a tensor of this storage."""
    tensor = torch.from_numpy(X).to(dtype)
    if not sparse:
        return tensor
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support")
        return tensor.to_sparse_csr()


def _many(X, y, wrap):
    both = np.stack([y == 0, y == 1], axis=1).astype(int)
    shared = ol.fit_many(X, both, ol.LogisticRegression(standardize=True, class_weight="balanced"))
    own = ol.fit_many(wrap(X, X), both.T.copy(), ol.LogisticRegression(standardize=True))
    return [*(one.coef_ for one in shared), *(one.coef_ for one in own)]


def _linear_cv(X, y, wrap):
    model = ol.LinearRegressionCV([0.1, 1.0], cv=3).fit(X, y * 1.0)
    return [model.scores_, model.coef_]


def _logistic_cv(X, y, wrap):
    model = ol.LogisticRegressionCV([0.1, 1.0], cv=3, scoring="accuracy", standardize=True).fit(X, y)
    return [model.scores_, model.coef_, model.predict_proba(X)]


def _path(X, y, wrap):
    found = ol.path(ol.SoftmaxRegression(), X, y, count=3)
    return [found.alphas, found.coef, found.scores(X, y, scoring="neg_log_loss")]


def _probe(X, y, wrap):
    found = ol.probe((X, y), (X, y), Cs=[0.1, 1.0], scaling="l2", refit="train+validation")
    return [found.scores, found.estimator.coef_, found.predict_proba(X)]


def _labels(X, y, wrap):
    model = ol.MultilabelLogisticRegression().fit(X, np.stack([y == 0, y == 1], axis=1))
    return [model.coef_, model.predict_proba(X)]


def _left_out(X, y, wrap):
    model = ol.SoftmaxRegression().fit(X, y)
    return [model.loo_decision_function(X, y), np.array(model.loo_score(X, y))]


# What is done with many fits: takes X, labels, and what makes one array of two.
SWEEPS = {
    "fit_many": _many,
    "LinearRegressionCV": _linear_cv,
    "LogisticRegressionCV": _logistic_cv,
    "path": _path,
    "probe": _probe,
    "MultilabelLogisticRegression": _labels,
    "leave-one-out": _left_out,
}
