"""Array files: .npz and .npy, and what is damaged among them and svmlight text."""

import io
import zipfile

import numpy as np
import pytest
import scipy.sparse

from onelayer.data import ColumnEncoder, load
from onelayer.data.encoder import Column
from onelayer.errors import DataError

X = np.arange(12.0).reshape(4, 3)
y = np.array([0, 1, 2, 1])
SPARSE = scipy.sparse.csr_array(X)


def parts(matrix, **changes):
    names = ("data", "indices", "indptr", "shape")
    return {**{name: np.asarray(getattr(matrix, name)) for name in names}, **changes}


@pytest.fixture
def npz(tmp_path):
    def write(**arrays):
        np.savez(tmp_path / "file.npz", **arrays)
        return tmp_path / "file.npz"

    return write


@pytest.fixture
def npy(tmp_path):
    def write(array):
        np.save(tmp_path / "file.npy", array)
        return tmp_path / "file.npy"

    return write


# ---- .npz


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64, ">f4", bool])
def test_npz_keeps_the_dtype_of_the_features(npz, dtype):
    data = load(npz(X=X.astype(dtype), y=y.astype(np.uint8)))
    assert data.X.dtype == np.dtype(dtype).newbyteorder("=")
    assert data.X.dtype.isnative
    np.testing.assert_array_equal(data.X, X.astype(dtype))
    np.testing.assert_array_equal(data.y, y)
    assert (data.y.dtype, data.name, data.X_test, data.class_names) == (np.int64, "file", None, None)


def test_npz_holds_a_whole_data_set(npz):
    names = {"class_names": ["a", "b", "c"], "feature_names": ["u", "v", "w"]}
    path = npz(X=X, y=y, X_test=X[:2], y_test=y[:2], **names)
    data = load(path)
    np.testing.assert_array_equal(data.X_test, X[:2])
    np.testing.assert_array_equal(data.y_test, y[:2])
    assert (data.class_names, data.feature_names) == (names["class_names"], names["feature_names"])
    assert data.source == str(path)


@pytest.mark.parametrize(
    ("target", "dtype"),
    [(y > 0, np.int64), (y + 0.5, np.float64), (y.astype("f4"), np.float64), (list("abca"), "<U1")],
)
def test_npz_targets_are_widened(npz, target, dtype):
    assert load(npz(X=X, y=target)).y.dtype == dtype


def test_npz_without_target(npz):
    assert load(npz(X=X)).y is None


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_npz_of_a_csr_matrix(npz, dtype):
    data = load(npz(**parts(SPARSE, data=SPARSE.data.astype(dtype)), y=y))
    assert isinstance(data.X, scipy.sparse.csr_array)
    assert data.X.dtype == (np.float32 if dtype == np.float16 else dtype)
    np.testing.assert_array_equal(data.X.toarray(), X)


def test_npz_of_scipy_is_read(tmp_path):
    path = tmp_path / "file.npz"
    scipy.sparse.save_npz(path, SPARSE)
    np.testing.assert_array_equal(load(path).X.toarray(), X)
    scipy.sparse.save_npz(path, SPARSE.tocsc())
    with pytest.raises(DataError, match="sparse matrix in the format 'csc': save it after tocsr"):
        load(path)


NPZ_ERRORS = [
    ({"y": y}, r"file.npz holds y: save X and y, or data, indices, indptr, shape and y of a CSR matrix\."),
    ({}, r"file.npz holds no arrays"),
    ({"X": X[0], "y": y}, r"X has shape \(3,\) and dtype float64: save a 2-d array of numbers"),
    ({"X": X.astype(str), "y": y}, r"X has shape \(4, 3\) and dtype <U32: save a 2-d array"),
    ({"X": X[:0], "y": y[:0]}, r"X has shape \(0, 3\)"),
    ({"X": X[:, :0], "y": y}, r"X has shape \(4, 0\)"),
    ({"X": X.astype(object), "y": y}, r"file.npz is damaged or holds Python objects: save plain arrays"),
    ({"X": X, "y": y.astype(object)}, r"holds Python objects"),
    (
        {"X": X, "y": y[:3]},
        r"y has shape \(3,\) and dtype int64: save one number or text for each of the 4 rows of X",
    ),
    ({"X": X, "y": X}, r"y has shape \(4, 3\)"),
    ({"X": X, "y": y * 1j}, r"y has shape \(4,\) and dtype complex128"),
    ({"X": X, "y": y, "X_test": X}, r"holds only one of X_test and y_test"),
    ({"X": X, "y": y, "X_test": X[:, :2], "y_test": y}, r"X_test has 2 columns and X has 3"),
    ({"X": X, "y": y, "X_test": X, "y_test": y[:1]}, r"y_test has shape \(1,\) .* 4 rows of X_test"),
    ({"X": X, "y": y, "feature_names": ["a"]}, r"holds 1 feature_names for 3 columns"),
    (
        {"X": X, "y": y, "class_names": ["a", "b"]},
        r"y holds other labels than 0 to 1, the ones with class_names: save",
    ),
    ({"X": X, "y": y.astype(str), "class_names": ["a", "b", "c"]}, r"y holds other labels than 0 to 2"),
    (
        {"X": X, "y": y, "X_test": X, "y_test": y - 1, "class_names": ["a", "b", "c"]},
        r"y_test holds other labels",
    ),
    (
        parts(SPARSE, indices=SPARSE.indices + 9),
        r"data, indices, indptr, shape do not make a CSR matrix \(.*\): save",
    ),
    (parts(SPARSE, data=SPARSE.data[:3]), r"do not make a CSR matrix"),
    (parts(SPARSE, shape=np.array([9, 3])), r"do not make a CSR matrix"),
    (parts(SPARSE, indptr=SPARSE.indptr + 0.5), r"do not make a CSR matrix"),
]


@pytest.mark.parametrize(("arrays", "sentence"), NPZ_ERRORS)
def test_unusable_npz_files_are_refused(npz, arrays, sentence):
    with pytest.raises(DataError, match=sentence):
        load(npz(**arrays))


def bytes_of(save, *arrays, **named):
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


def text_in_a_zip():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("X", "text")
    return file.getvalue()


DAMAGED = [
    (
        "a.npz",
        b"",
        "a.npz is damaged or holds Python objects: save plain arrays with numpy.savez or numpy.save",
    ),
    ("a.npz", b"text", "is damaged"),
    ("a.npz", bytes_of(np.savez, X=X)[:-30], "is damaged"),
    ("a.npz", bytes_of(np.savez, X=X).replace(b"NUMPY", b"NUMMY"), "is damaged"),
    ("a.npz", text_in_a_zip(), r"X has shape \(\) and dtype \|S4"),
    ("a.npz", bytes_of(np.save, X), "a.npz holds a single array: rename it to end in .npy"),
    ("a.npy", b"", "is damaged"),
    ("a.npy", bytes_of(np.save, X).replace(b"}", b" "), "is damaged"),
    ("a.npy", bytes_of(np.save, X).replace(b"{", b","), "is damaged"),
    ("a.npy", bytes_of(np.save, X)[:-8], "is damaged"),
    ("a.npy", bytes_of(np.save, X.astype(object)), "is damaged or holds Python objects"),
    ("a.npy", bytes_of(np.savez, X), "a.npy holds several arrays: rename it to end in .npz"),
    ("a.svm", b"", r"the file has shape \(.*\) and dtype float64: save a 2-d array"),
    ("a.svm", b"x 1:2\n", r"a.svm is not svmlight text \(.*\): write lines 'label index:value ...'"),
    ("a.svm", b"1 1:2 nonsense\n", "is not svmlight text"),
    ("a.svm", b"1 2:1 1:1\n", "is not svmlight text"),
    ("a.svm", b"1 99999999999:1.0\n", "is not svmlight text"),
    ("a.libsvm", b"\xff\xfe", "a.libsvm is not svmlight text"),
]


@pytest.mark.parametrize(("name", "content", "sentence"), DAMAGED, ids=range(len(DAMAGED)))
def test_damaged_files_are_named(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        load(tmp_path / name)


# ---- .npy

NPY = np.column_stack([X, y])


@pytest.mark.parametrize(("target", "column"), [(None, 3), ("3", 3), ("-1", 3), (0, 0), ("1", 1)])
def test_npy_has_its_target_in_a_column(npy, target, column):
    data = load(npy(NPY), target=target)
    np.testing.assert_array_equal(data.X, np.delete(NPY, column, axis=1))
    np.testing.assert_array_equal(data.y, NPY[:, column])
    assert data.y.dtype == np.int64


@pytest.mark.parametrize("last", [0.5, np.nan, np.inf, 1e300])
def test_npy_targets_with_other_than_whole_numbers_stay_float(npy, last):
    array = NPY.copy()
    array[0, -1] = last
    assert load(npy(array)).y.dtype == np.float64


@pytest.mark.parametrize(("features", "has_target"), [(3, True), (4, False)])
def test_npy_with_the_features_of_a_model(npy, features, has_target):
    data = load(npy(NPY), features=features)
    assert data.X.shape[1] == features
    assert (data.y is not None) == has_target


def test_npy_with_the_encoder_of_a_model(npy):
    encoder = ColumnEncoder((Column("a"), Column("b", ("u", "v", "w"))), "y")
    assert load(npy(NPY), encoder=encoder).y is None


NPY_ERRORS = [
    (NPY, {"target": "name"}, r"target='name' is no column of .*file.npy: give an index from 0 to 3"),
    (NPY, {"target": 4}, r"target=4 is no column"),
    (NPY, {"features": 5}, r"has 4 columns: 5 features, or these and the target, are expected"),
    (NPY, {"features": 2}, r"has 4 columns: 2 features"),
    (NPY[:, :1], {}, r"has one column only, the target"),
    (NPY[0], {}, r"the array has shape \(4,\)"),
    (NPY, {"categorical": ["a"]}, r"applies to .csv and .parquet files, not to .*file.npy"),
]


@pytest.mark.parametrize(("array", "arguments", "sentence"), NPY_ERRORS)
def test_unusable_npy_files_are_refused(npy, array, arguments, sentence):
    with pytest.raises(DataError, match=sentence):
        load(npy(array), **arguments)
