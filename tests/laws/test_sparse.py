"""Sparse matrices: the same answer from every format, as from the matrix with its zeros, and none of it filled in."""

import operator
import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse
import torch

import onelayer as ol
import onelayer.sklearn
from instances import over
from onelayer.designs import Compressed, SparseDesign, compressed
from onelayer.errors import DataError
from onelayer.solvers.choose import resolve_solver


def counts(rows=150, features=40, seed=0):
    """A few counts in each row; one row and one column without any."""
    rng = np.random.default_rng(seed)
    X = rng.poisson(0.15, size=(rows, features)).astype(np.float64)
    X[3], X[:, 5] = 0.0, 0.0
    return X


def targets(kind, rows=150):
    rng = np.random.default_rng(1)
    return {
        "real": rng.normal(size=rows),
        "several": rng.normal(size=(rows, 2)),
        "binary": rng.integers(0, 2, size=rows),
        "class": rng.integers(0, 3, size=rows),
    }[kind]


def torch_csr(X):
    return torch.from_numpy(X).to_sparse_csr()


def wide_indices(X):
    matrix = scipy.sparse.csr_matrix(X)
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    return matrix


def with_duplicates(X):
    """The same matrix, every entry in two halves that lie in one place, out of order."""
    plain = scipy.sparse.csr_matrix(X)
    places = np.concatenate([[row] * 2 for row in plain.indices[::-1]]) if plain.nnz else []
    rows = np.repeat(np.repeat(np.arange(X.shape[0]), np.diff(plain.indptr))[::-1], 2)
    values = np.repeat(plain.data[::-1] / 2, 2)
    order = np.argsort(rows, kind="stable")
    starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=X.shape[0]))])
    return scipy.sparse.csr_matrix((values[order], np.asarray(places)[order], starts), shape=X.shape)


FORMATS = {
    "csr_matrix": scipy.sparse.csr_matrix,
    "csr_array": scipy.sparse.csr_array,
    "csc_matrix": scipy.sparse.csc_matrix,
    "csc_array": scipy.sparse.csc_array,
    "coo": scipy.sparse.coo_array,
    "64-bit indices": wide_indices,
    "duplicates": with_duplicates,
    "torch csr": torch_csr,
    "torch csc": lambda X: torch.from_numpy(X).to_sparse_csc(),
    "torch coo": lambda X: torch.from_numpy(X).to_sparse_coo(),
}
MODELS = {
    "least squares": (ol.LinearRegression(alpha=0.1), "real"),
    "several targets": (ol.LinearRegression(alpha=0.1), "several"),
    "huber": (ol.LinearRegression("huber", alpha=0.1), "real"),
    "logistic": (ol.LogisticRegression(), "binary"),
    "no intercept": (ol.LogisticRegression(fit_intercept=False), "binary"),
    "softmax": (ol.SoftmaxRegression(), "class"),
    "standardized": (ol.SoftmaxRegression(C=0.1, standardize=True), "class"),
    "lbfgs": (ol.LogisticRegression(solver="lbfgs"), "binary"),
    "lasso": (ol.LinearRegression(alpha=0.05, l1_ratio=1.0), "real"),
    "elastic net": (ol.LogisticRegression(C=0.5, l1_ratio=0.5), "class"),
    "l1, standardized": (ol.LogisticRegression(C=0.3, l1_ratio=1.0, standardize=True), "binary"),
}


@pytest.fixture(params=[0, 40], ids=["narrow", "as if wide"])
def threshold(request, monkeypatch):
    """Both ways of Newton: with a whole Hessian, and with a model of it for very many features."""
    if request.param:
        monkeypatch.setattr("onelayer.curvature.thresholds.HEAVY_FROM", 8)
        monkeypatch.setattr("onelayer.curvature.thresholds.HEAVY_FEATURES", 5)
        monkeypatch.setattr("onelayer.curvature.thresholds.DENSE_WORK", 0)
        monkeypatch.setattr("onelayer.solvers.choose._WIDE", 8)
    return request.param


@over("model", MODELS)
def test_the_optimum_is_that_of_the_matrix_with_its_zeros(model, threshold):
    (estimator, kind), X = model, counts()
    y, weight = targets(kind), np.random.default_rng(2).integers(0, 3, size=len(X))
    estimator = estimator.__class__(**estimator.get_params(deep=False)).set_params(tol=1e-12)
    whole = estimator.fit(X, y, weight)
    expected, bias, value = whole.coef_.copy(), np.array(whole.intercept_), whole.result_.objective
    found = estimator.fit(scipy.sparse.csr_matrix(X), y, weight)
    assert found.result_.status == "converged"
    assert found.certificate_.relative_gap <= 1e-12
    assert found.result_.objective == pytest.approx(value, rel=3e-12)
    np.testing.assert_allclose(found.coef_, expected, atol=3e-5)
    np.testing.assert_allclose(found.intercept_, bias, atol=3e-5)


@over("make", FORMATS)
def test_every_format_is_the_same_matrix(make):
    X, y = counts(), targets("class")
    model = ol.LogisticRegression().fit(scipy.sparse.csr_matrix(X), y)
    coef, proba = model.coef_.copy(), model.predict_proba(X)
    found = model.fit(make(X), y)
    as_array = np.asarray(found.coef_)
    np.testing.assert_allclose(as_array, coef, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.asarray(found.predict_proba(make(X))), proba, rtol=1e-9, atol=1e-12)
    assert isinstance(found.coef_, torch.Tensor) == isinstance(make(X), torch.Tensor)
    assert (np.asarray(found.predict(make(X))) == proba.argmax(axis=1)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.uint8, bool])
def test_arithmetic_follows_the_values(dtype):
    X = scipy.sparse.csr_matrix(np.minimum(counts(), 1).astype(dtype))
    model = ol.LogisticRegression().fit(X, targets("binary"))
    narrow = dtype in (np.float32, np.uint8)
    assert model.coef_.dtype == (np.float32 if narrow else np.float64)
    converted = dtype in (np.int32, np.uint8, bool)
    assert any("converted" in note for note in model.result_.copies) == converted


def test_half_precision_which_scipy_only_holds():
    X, y = scipy.sparse.csr_matrix(counts().astype(np.float32)), targets("binary")
    half = scipy.sparse.csr_matrix((X.data.astype(np.float16), X.indices, X.indptr), shape=X.shape)
    for kind in (ol.LogisticRegression, onelayer.sklearn.LogisticRegression, onelayer.sklearn.Ridge):
        model = kind().fit(half, y)
        np.testing.assert_array_equal(model.coef_, kind().fit(X, y).coef_)
        np.testing.assert_array_equal(model.predict(half), model.predict(X))


@over("make", {name: FORMATS[name] for name in ("csr_matrix", "csc_matrix", "duplicates")})
def test_the_users_matrix_is_left_as_it_is(make):
    X = make(counts())
    before = [part.copy() for part in (X.data, X.indices, X.indptr)]
    for part in (X.data, X.indices, X.indptr):
        part.flags.writeable = False
    ol.LogisticRegression(standardize=True).fit(X, targets("binary")).predict(X)
    for part, old in zip((X.data, X.indices, X.indptr), before, strict=True):
        assert np.array_equal(part, old)


def test_solvers_that_go_step_by_step_take_the_same_steps():
    X, y = counts(), targets("class")
    for solver in (ol.solvers.SGD(0.1, 16, 3), ol.solvers.GradientDescent(0.1)):
        model = ol.SoftmaxRegression(solver=solver, tol=0, random_state=0)
        dense = model.fit(X, y).coef_.copy()
        np.testing.assert_allclose(model.fit(scipy.sparse.csr_matrix(X), y).coef_, dense, atol=1e-12)


def test_certificates_of_sparse_and_dense_agree():
    X, y = counts(), targets("class")
    model = ol.LogisticRegression(tol=1e-3).fit(X, y)
    dense, sparse = (ol.certify(model, data, y) for data in (X, scipy.sparse.csr_matrix(X)))
    assert sparse.gap == pytest.approx(dense.gap, rel=1e-6)
    assert sparse.reach.spread == pytest.approx(dense.reach.spread, rel=1e-9)


def test_squared_error_of_many_sparse_columns_is_newtons():
    design = SparseDesign(_compressed(scipy.sparse.csr_matrix((3, 5000))))
    loss, penalty = ol.losses.SquaredError(), ol.penalties.L2(0.1)
    assert resolve_solver("auto", loss, penalty, design).name == "newton"
    assert resolve_solver("auto", loss, penalty).name == "least-squares"


def test_nothing_is_filled_in():
    """200,000 columns: one row with its zeros in float64 is 1.6 MB, the matrix would be 160 MB."""
    rng = np.random.default_rng(0)
    X = scipy.sparse.csr_matrix(
        (np.ones(1000), rng.integers(0, 200_000, 1000), np.arange(0, 1001, 10)), shape=(100, 200_000)
    )
    with _LargestTensor() as largest:
        model = ol.LogisticRegression(standardize=True).fit(X, rng.integers(0, 2, 100))
        model.predict(X)
    assert model.result_.status == "converged"
    assert largest.numbers <= 3_000_000


class _LargestTensor(torch.utils._python_dispatch.TorchDispatchMode):
    numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        if isinstance(out, torch.Tensor) and out.layout is torch.strided:
            self.numbers = max(self.numbers, out.numel())
        return out


def _compressed(matrix):
    parts = (torch.from_numpy(part) for part in (matrix.indptr, matrix.indices, matrix.data))
    return Compressed(*parts, columns=matrix.shape[1])


# ---- compressed rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entries", [1, 7, 2**20])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_compressed_rows_are_the_matrix(entries, dtype, monkeypatch):
    monkeypatch.setattr(compressed, "_ENTRIES", entries)
    X = counts(30, 12)
    matrix = _compressed(scipy.sparse.csr_matrix(X))
    D = torch.from_numpy(np.random.default_rng(0).normal(size=(12, 3))).to(dtype)
    whole = torch.from_numpy(X).to(dtype)
    torch.testing.assert_close(matrix.times(D), whole @ D)
    squares = matrix.times(D.double(), lambda values, rows: values.square())
    torch.testing.assert_close(squares, torch.from_numpy(X**2) @ D.double())
    torch.testing.assert_close(matrix.transposed().to_dense(dtype), whole.T)
    for index in (slice(2, 9), slice(None), slice(1, 20, 3), slice(4, 4), torch.tensor([3, 3, 0, 29])):
        torch.testing.assert_close(matrix.take(index).to_dense(dtype), whole[index])


@pytest.mark.parametrize("flips", [True, False])
def test_select_is_some_columns(flips):
    X = counts(3000, 12)
    design = SparseDesign(_compressed(scipy.sparse.csr_matrix(X)), flips=flips)
    some = design.select(torch.tensor([7, 2, 5]))
    assert np.array_equal(some.dense(slice(None)).numpy(), X[:, [7, 2, 5]])
    assert (some.rows, some.features) == (3000, 3)


def test_distances_are_bounded_from_above():
    X = 1e4 + counts(50, 12)
    design, centre = SparseDesign(_compressed(scipy.sparse.csr_matrix(X))), torch.full((12,), 1e4).double()
    scale = torch.linspace(0.5, 2, 12).double()
    exact = np.linalg.norm((X - 1e4) / scale.numpy(), axis=1)
    found = design.distances(centre, scale).numpy()
    assert (found >= exact).all()
    np.testing.assert_allclose(found, exact, atol=1e-2)


# ---- bad input ------------------------------------------------------------------------------------------------


def broken(make, change):
    X = make(scipy.sparse.csr_matrix(counts()))
    change(X)
    return X


def too_far(X):
    X.indices[4] = 999


def before_the_first(X):
    X.indices[4] = -1


def backwards(X):
    X.indptr[2], X.indptr[3] = X.indptr[3] + 1, X.indptr[2]


def row_too_far(X):
    X.row[4] = 999


def listed_too_far(X):
    X.rows[0][0] = 99


def of_torch(kind):
    def make(X):
        X = getattr(X, f"to{kind}")()
        build = getattr(torch, f"sparse_{kind}_tensor")
        # The checks of torch itself are off unless asked for.
        X.indices[4] = 999
        return build(
            *(torch.from_numpy(part) for part in (X.indptr, X.indices, X.data)),
            size=X.shape,
            check_invariants=False,
        )

    return make


def nothing(X):
    pass


DAMAGES = {
    f"{kind}, {change.__name__}": (operator.methodcaller(f"to{kind}"), change)
    for kind in ("csr", "csc", "bsr")
    for change in (too_far, before_the_first, backwards)
} | {
    "coo": (operator.methodcaller("tocoo"), row_too_far),
    "lil": (operator.methodcaller("tolil"), listed_too_far),
    "torch csr": (of_torch("csr"), nothing),
    "torch csc": (of_torch("csc"), nothing),
}


@pytest.mark.parametrize("name", list(DAMAGES))
def test_index_arrays_that_point_outside_are_refused(name):
    with pytest.raises(DataError, match="X is a sparse matrix whose index arrays point outside of it: build"):
        ol.LogisticRegression().fit(broken(*DAMAGES[name]), targets("binary"))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_entries_that_are_not_finite_are_named(value):
    X = scipy.sparse.csr_matrix(counts())
    column = X[7].nonzero()[1][0]
    X[7, column] = value
    text = rf"X has 1 value that is NaN or infinite, the first in row 7, column {column} \({value}\): drop the rows, or"
    with pytest.raises(DataError, match=text):
        ol.LogisticRegression().fit(X, targets("binary"))


def test_a_model_of_dense_rows_takes_sparse_ones_and_counts_their_columns():
    X, y = counts(), targets("binary")
    model = ol.LogisticRegression().fit(X, y)
    assert np.allclose(model.decision_function(scipy.sparse.csr_matrix(X)), model.decision_function(X))
    with pytest.raises(DataError, match="X has 39 features, but LogisticRegression is expecting 40 features"):
        model.predict(scipy.sparse.csr_matrix(X[:, 1:]))


def test_torch_does_not_warn_of_its_beta():
    """In a process of its own: torch says it once in each."""
    code = (
        "import scipy.sparse, onelayer as ol; X = scipy.sparse.eye_array(4, format='csr'); "
        "ol.LogisticRegression().fit(X, [0, 1, 0, 1])"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", code], capture_output=True, text=True
    )
    assert (run.returncode, run.stderr) == (0, "")
