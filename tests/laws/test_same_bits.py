"""Same data, same bits: every fit but SGD's, whatever lay in the memory before."""

import numpy as np
import pytest
import scipy.sparse
import torch

import onelayer as ol
import onelayer.sklearn
from instances import over

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 40))
SCORES = X[:, :8] @ RNG.normal(size=(8, 4)) + RNG.normal(size=(300, 4))
TARGETS = {"real": SCORES[:, 0], "binary": (SCORES[:, 0] > 0).astype(int), "classes": SCORES.argmax(axis=1)}
MODELS = {
    "least squares": (ol.LinearRegression(), "real"),
    "huber": (ol.LinearRegression(ol.losses.Huber(), alpha=0.1), "real"),
    "lasso": (ol.LinearRegression(alpha=0.05, l1_ratio=1.0), "real"),
    "logistic": (ol.LogisticRegression(), "binary"),
    "unpenalised": (ol.LogisticRegression(C=np.inf), "binary"),
    "sparse logistic": (ol.LogisticRegression(C=0.1, l1_ratio=0.9), "binary"),
    "softmax": (ol.SoftmaxRegression(), "classes"),
    "sparse softmax": (ol.SoftmaxRegression(C=0.3, l1_ratio=0.9), "classes"),
    "l-bfgs": (ol.SoftmaxRegression(solver="lbfgs"), "classes"),
    "gradient descent": (ol.SoftmaxRegression(solver="gradient-descent", max_iter=30), "classes"),
    "drop-in ridge": (onelayer.sklearn.Ridge(), "real"),
    "drop-in huber": (onelayer.sklearn.HuberRegressor(), "real"),
}


def fill_memory():
    """Leave numbers behind in freed memory: what reads them without being told to gives itself away."""
    rng = np.random.default_rng()
    for size in (4, 5, 16, 40, 160, 300, 1200, 12000):
        torch.from_numpy(rng.integers(1, 1000, size)).clone()
        torch.randn(size, dtype=torch.float64)


@over("model, kind", MODELS)
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_has_the_same_bits_again(model, kind, sparse):
    rows = scipy.sparse.csr_array(np.where(np.abs(X) > 1, X, 0.0)) if sparse else X
    found = set()
    for _ in range(6):
        fill_memory()
        model.fit(rows, TARGETS[kind])
        bits = model.coef_.tobytes() + np.asarray(model.intercept_).tobytes()
        found.add((bits, model.certificate_.gap))
    assert len(found) == 1
