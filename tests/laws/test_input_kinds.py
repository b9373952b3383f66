"""The tables of docs/inputs.rst, cell by cell: what may go in as X, and the type, dtype and device of what comes out."""

import csv
import pathlib
import warnings

import numpy as np
import pandas
import polars
import pytest
import scipy.sparse
import torch

import onelayer as ol

_PAGE = pathlib.Path(__file__).parents[2] / "docs" / "inputs.rst"
_RNG = np.random.default_rng(0)
# Whole numbers that every storage holds exactly.
X = _RNG.integers(0, 8, size=(30, 3)).astype(np.float64)
_NOISY = X @ _RNG.normal(size=(3, 3)) + 6 * _RNG.gumbel(size=(30, 3))
THREE = _NOISY.argmax(axis=1)
T = torch.from_numpy(X)
SIZES = {"n": 30, "d": 3, "m": 2, "K": 3}

ESTIMATORS = {
    "LinearRegression, one target": (ol.LinearRegression(alpha=0.1), _NOISY[:, 0]),
    "LinearRegression, m targets": (ol.LinearRegression(alpha=0.1), _NOISY[:, :2]),
    "LogisticRegression, two classes": (ol.LogisticRegression(), (THREE > 0) * 2),
    "LogisticRegression, K classes": (ol.LogisticRegression(), THREE),
    "SoftmaxRegression": (ol.SoftmaxRegression(), THREE),
}


def table(name):
    """Return the rows of a csv-table of the page, its header first."""
    lines = _PAGE.read_text(encoding="utf-8").splitlines()
    at = lines.index(f"   :name: {name}")
    header = next(line for line in reversed(lines[:at]) if ":header:" in line).split(":header:")[1]
    end = next(number for number in range(at + 2, len(lines)) if not lines[number].strip())
    rows = [line.strip().replace("``", "") for line in lines[at + 2 : end]]
    return list(csv.reader([header.strip(), *rows], skipinitialspace=True))


def columns(values, names="abc"):
    return {name: values[:, place].copy() for place, name in enumerate(names)}


def read_only():
    array = X.copy()
    array.flags.writeable = False
    return array


def memory_map(folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


def wide_indices(matrix):
    matrix.indices, matrix.indptr = matrix.indices.astype(np.int64), matrix.indptr.astype(np.int64)
    return matrix


def beta(make):
    """Call without the warning that torch gives once about its sparse tensors."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support")
        warnings.filterwarnings("ignore", message="Sparse CSC tensor support")
        return make()


MAKE = {
    "list of lists": lambda _: X.tolist(),
    "NumPy of objects": lambda _: X.astype(object),
    "NumPy of the other byte order": lambda _: X.astype(">f8"),
    "NumPy in column order": lambda _: np.asfortranarray(X),
    "NumPy with negative strides": lambda _: X[::-1, ::-1].copy()[::-1, ::-1],
    "NumPy read-only": lambda _: read_only(),
    "NumPy memory map": memory_map,
    "pandas float64": lambda _: pandas.DataFrame(X),
    "pandas float32": lambda _: pandas.DataFrame(X.astype("float32")),
    "pandas int64": lambda _: pandas.DataFrame(X.astype("int64")),
    "pandas nullable Int64": lambda _: pandas.DataFrame(X).astype("Int64"),
    "pandas of mixed columns": lambda _: pandas.DataFrame(columns(X)).astype({"a": "int64", "b": "float32"}),
    "polars float64": lambda _: polars.DataFrame(columns(X)),
    "polars float32": lambda _: polars.DataFrame(columns(X.astype("float32"))),
    "polars int64": lambda _: polars.DataFrame(columns(X.astype("int64"))),
    "SciPy CSR matrix": lambda _: scipy.sparse.csr_matrix(X),
    "SciPy CSR array": lambda _: scipy.sparse.csr_array(X),
    "SciPy CSR float32": lambda _: scipy.sparse.csr_array(X.astype("float32")),
    "SciPy CSR with 64-bit indices": lambda _: wide_indices(scipy.sparse.csr_array(X)),
    "SciPy CSR int64": lambda _: scipy.sparse.csr_array(X.astype("int64")),
    "SciPy CSR uint8": lambda _: scipy.sparse.csr_array(X.astype("uint8")),
    "SciPy CSC matrix": lambda _: scipy.sparse.csc_matrix(X),
    "SciPy CSC array": lambda _: scipy.sparse.csc_array(X),
    "SciPy CSC with 64-bit indices": lambda _: wide_indices(scipy.sparse.csc_array(X)),
    "SciPy COO array": lambda _: scipy.sparse.coo_array(X),
    "torch in column order": lambda _: T.T.contiguous().T,
    "torch that requires a gradient": lambda _: T.clone().requires_grad_(),
    "torch CSR": lambda _: beta(T.to_sparse_csr),
    "torch CSR float32": lambda _: beta(T.float().to_sparse_csr),
    "torch CSR bfloat16": lambda _: beta(T.bfloat16().to_sparse_csr),
    "torch CSC": lambda _: beta(T.to_sparse_csc),
    "torch COO": lambda _: T.to_sparse_coo(),
}
for _dtype in ("float64", "float32", "float16", "uint8", "int64", "int32", "bool"):
    MAKE[f"NumPy {_dtype}"] = lambda _, dtype=_dtype: X.astype(dtype)
for _dtype in ("float64", "float32", "float16", "bfloat16", "uint8", "int64", "int32", "bool"):
    MAKE[f"torch {_dtype}"] = lambda _, dtype=_dtype: T.to(getattr(torch, dtype))

KINDS = {row[0]: row[1:] for row in table("kinds")[1:]}
RESULTS = table("results")


def test_the_tables_are_those_of_this_file():
    assert set(KINDS) == set(MAKE)
    assert RESULTS[0][1:] == list(ESTIMATORS)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_cell(kind, name, tmp_path):
    arithmetic, numbers, copies = KINDS[kind]
    given = MAKE[kind](tmp_path)
    estimator, y = ESTIMATORS[name]
    model = type(estimator)(**estimator.get_params(deep=False)).fit(given, y)
    assert model.result_.dtype.split(",")[0] == arithmetic
    assert model.result_.device == "cpu"
    assert model.result_.copies == [note for note in copies.split("; ") if note]
    container, dtype = numbers.split(" of ")
    place = RESULTS[0].index(name)
    for row in RESULTS[1:]:
        said = row[place]
        if said == "--":
            assert not hasattr(model, row[0])
            continue
        what, shape = said.rstrip(")").split(" (")
        found = getattr(model, row[0])
        found = found(given) if callable(found) else found
        assert tuple(found.shape) == tuple(int(SIZES.get(end, end)) for end in shape.split())
        assert str(found.dtype).removeprefix("torch.") == (dtype if what == "numbers" else "int64")
        if container == "tensor":
            assert type(found) is torch.Tensor
            assert found.device.type == "cpu"
            assert not found.requires_grad
        else:
            assert isinstance(found, np.ndarray if shape else np.floating)


@pytest.mark.parametrize("name", ["LinearRegression, one target", "SoftmaxRegression"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_optimum_is_that_of_the_same_numbers_in_float64(kind, name, tmp_path):
    estimator, y = ESTIMATORS[name]
    # As the storage holds them: of truth values only whether they are zero is left.
    plain = (X != 0).astype(np.float64) if kind.endswith("bool") else X
    expected = type(estimator)(**estimator.get_params(deep=False)).fit(plain, y)
    found = type(estimator)(**estimator.get_params(deep=False)).fit(MAKE[kind](tmp_path), y)
    room = found.certificate_.gap + expected.certificate_.gap
    assert abs(found.certificate_.objective - expected.certificate_.objective) <= room


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith(("pandas of", "polars"))])
def test_frames_give_names_and_are_held_to_them(kind, tmp_path):
    frame = MAKE[kind](tmp_path)
    model = ol.LogisticRegression().fit(frame, THREE > 0)
    assert list(model.feature_names_in_) == ["a", "b", "c"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["b", "a", "c"]])


_X_IDS = ["float64", "float32", "tensor", "with a gradient"]
Y = {
    "list": lambda y: y.tolist(),
    "read-only": lambda y: np.frombuffer(y.tobytes(), y.dtype).reshape(y.shape),
    "negative strides": lambda y: y[::-1].copy()[::-1],
    "pandas": pandas.Series,
    "polars": polars.Series,
    "tensor": torch.from_numpy,
    "int32 tensor": lambda y: torch.from_numpy(y).int(),
    "bfloat16 tensor": lambda y: torch.from_numpy(y).bfloat16(),
    "tensor with a gradient": lambda y: torch.from_numpy(y).double().requires_grad_(),
}


@pytest.mark.parametrize("form", Y)
@pytest.mark.parametrize("x", [X, X.astype("float32"), T, T.clone().requires_grad_()], ids=_X_IDS)
def test_targets_weights_and_offsets_of_any_kind_beside_x_of_any_kind(x, form):
    """Whole numbers: the same in every dtype, so the same bits come out."""
    make, target = Y[form], np.rint(_NOISY[:, 0])
    weight, offset = 1.0 + np.arange(30) % 3, np.arange(30) % 2 - 0.5
    expected = ol.LinearRegression(alpha=0.1).fit(x, target, weight, offset)
    if form.startswith("int32"):
        offset = offset + 0.5
        expected.fit(x, target, weight, offset)
    found = ol.LinearRegression(alpha=0.1).fit(x, make(target), make(weight), make(offset))
    assert np.array_equal(as_numpy(found.coef_), as_numpy(expected.coef_))
    assert found.score(x, make(target), make(weight), make(offset)) == pytest.approx(
        expected.score(x, target, weight, offset), rel=1e-5
    )
    labels = ol.LogisticRegression().fit(x, make(THREE.astype(np.float64)), make(weight))
    plain = ol.LogisticRegression().fit(x, THREE, weight)
    assert np.array_equal(as_numpy(labels.coef_), as_numpy(plain.coef_))
    assert labels.score(x, make(THREE.astype(np.float64)), make(weight)) == plain.score(x, THREE, weight)


def as_numpy(values):
    return values.numpy() if isinstance(values, torch.Tensor) else values


LABELS = {
    "text": (np.array(["a", "b", "c"]), np.ndarray),
    "objects": (np.array(["a", "b", "c"], dtype=object), np.ndarray),
    "int64": (np.array([-1, 4, 7]), torch.Tensor),
    "int8": (np.array([-1, 4, 7], dtype=np.int8), torch.Tensor),
    "uint8": (np.array([0, 4, 200], dtype=np.uint8), torch.Tensor),
    "uint16": (np.array([0, 4, 60000], dtype=np.uint16), torch.Tensor),
    "uint64": (np.array([0, 4, 2**63], dtype=np.uint64), torch.Tensor),
    "float32": (np.array([0, 4, 7], dtype=np.float32), torch.Tensor),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_tensors_are_tensors_unless_they_are_text(kind):
    labels, container = LABELS[kind]
    found = ol.SoftmaxRegression().fit(T, labels[THREE]).predict(T)
    assert isinstance(found, container)
    assert str(found.dtype).removeprefix("torch.") == str(labels.dtype)
    assert set(found.tolist()) <= set(labels.tolist())
    assert (np.asarray(found) == labels[THREE]).mean() > 0.5


def test_predictions_follow_the_x_that_they_are_for():
    arrays, tensors = (ol.LogisticRegression().fit(x, THREE) for x in (X, T))
    assert isinstance(arrays.predict_proba(T), torch.Tensor)
    assert isinstance(tensors.predict_proba(X), np.ndarray)
    assert np.array_equal(arrays.predict_proba(T).numpy(), tensors.predict_proba(X))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["NumPy uint8", "torch float64", "torch CSR float32", "SciPy CSC array"])
def test_the_arithmetic_may_be_chosen(kind, dtype, tmp_path):
    given = MAKE[kind](tmp_path)
    model = ol.SoftmaxRegression(dtype=dtype).fit(given, THREE)
    for found in (model.coef_, model.intercept_, model.decision_function(given), model.predict_proba(given)):
        assert str(found.dtype).removeprefix("torch.") == dtype
