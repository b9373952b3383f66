"""copy_X=False: X may be overwritten, and the answer is the same."""

import numpy as np
import pytest
import scipy.sparse
from sklearn.base import clone

from onelayer.sklearn import LinearRegression, Ridge
from onelayer.sklearn.reduction import centred_in_place

MODELS = [
    LinearRegression(),
    LinearRegression(tol=1e-3),
    LinearRegression(positive=True),
    Ridge(0.3),
    Ridge(0.3, positive=True),
    Ridge(0.3, solver="lsqr", max_iter=2),
]
ROWS, COLUMNS = 40, 6


def table(dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(ROWS, COLUMNS)) + 100).astype(dtype)
    # A column that LinearRegression(tol=1e-3) leaves out.
    X[:, 5] = X[:, 0] + (1e-3 * rng.normal(size=ROWS)).astype(dtype)
    return X, X @ rng.normal(size=COLUMNS) + rng.normal(size=ROWS), rng.uniform(0.1, 2.0, size=ROWS)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_columns_are_centred_in_place_and_the_answer_is_the_same(model, dtype, weighted):
    X, y, weight = table(dtype)
    weight = weight if weighted else None
    kept = clone(model).set_params(copy_X=True).fit(X, y, weight)
    there, targets = X.copy(), y.copy()
    moved = clone(model).set_params(copy_X=False).fit(there, targets, weight)
    far = np.average(there, axis=0, weights=weight)
    unit = float(np.finfo(dtype).eps)
    assert np.abs(far).max() < 1000 * unit
    np.testing.assert_allclose(there, X - np.average(X, axis=0, weights=weight), atol=1000 * unit)
    np.testing.assert_array_equal(targets, y)
    np.testing.assert_allclose(moved.predict(X), kept.predict(X), rtol=1e4 * unit)
    assert moved.certificate_ is None or moved.certificate_.objective == pytest.approx(
        kept.certificate_.objective, rel=1e9 * unit
    )


@pytest.mark.parametrize("kind", ["no intercept", "sparse", "read-only", "a weight of zero", "copy"])
@pytest.mark.parametrize("make", [LinearRegression, Ridge])
def test_x_stays_where_it_must_or_may(make, kind):
    X, y, weight = table()
    settings, asked = {"copy_X": False}, X
    if kind == "no intercept":
        settings["fit_intercept"] = False
    elif kind == "sparse":
        asked = scipy.sparse.csr_array(X)
    elif kind == "read-only":
        X.setflags(write=False)
    elif kind == "a weight of zero":
        # The mean would be that of a row which counts for nothing, to its last digits.
        weight[0], X[0] = 0.0, 1e20
    else:
        settings = {}
    before = X.copy()
    make(**settings).fit(asked, y, weight)
    np.testing.assert_array_equal(X, before)
    if kind == "sparse":
        np.testing.assert_array_equal(asked.toarray(), before)


@pytest.mark.parametrize("weight", [None, np.full(4, 1e-320)])
def test_a_mean_that_is_not_finite_moves_nothing(weight):
    X = np.array([[1e308, 1.0], [-1e308, 2.0], [1e308, 3.0], [-1e308, 4.0]])
    before = X.copy()
    assert centred_in_place(X, weight) is None
    np.testing.assert_array_equal(X, before)
