"""Array files: .npz, .npy and svmlight text."""

import pathlib
import tokenize
import zipfile
import zlib

import numpy as np

from onelayer.data.dataset import Dataset
from onelayer.errors import DataError

__all__ = ["load_npy", "load_npz", "load_svmlight"]

CSR = ("data", "indices", "indptr", "shape")
# what numpy.load was seen to raise for a file with changed or missing bytes
DAMAGE = (
    *(ValueError, EOFError, SyntaxError, NotImplementedError),
    *(tokenize.TokenError, zipfile.BadZipFile, zlib.error),
)


def load_npz(path: pathlib.Path) -> Dataset:
    """Load ``X``, dense or as the parts of a CSR matrix, and whatever else of a data set the file holds."""
    arrays = _read(path)
    if not isinstance(arrays, dict):
        raise DataError(
            f"{path} holds a single array: rename it to end in .npy, or save X and y with numpy.savez."
        )
    if ("X_test" in arrays) != ("y_test" in arrays):
        raise DataError(f"{path} holds only one of X_test and y_test: save both or neither.")
    if "X" not in arrays and set(CSR) <= arrays.keys():
        arrays["X"] = _csr(path, arrays)
    if "X" not in arrays:
        found = ", ".join(arrays) or "no arrays"
        raise DataError(f"{path} holds {found}: save X and y, or {', '.join(CSR)} and y of a CSR matrix.")
    X, y = _part(path, arrays, "X", "y")
    X_test, y_test = _part(path, arrays, "X_test", "y_test")
    if X_test is not None and X_test.shape[1] != X.shape[1]:
        raise DataError(
            f"{path}: X_test has {X_test.shape[1]} columns and X has {X.shape[1]}: save equally many."
        )
    feature_names, class_names = (_names(arrays, key) for key in ("feature_names", "class_names"))
    if feature_names is not None and len(feature_names) != X.shape[1]:
        raise DataError(
            f"{path} holds {len(feature_names)} feature_names for {X.shape[1]} columns: save one for each."
        )
    for name, labels in (("y", y), ("y_test", y_test)):
        if class_names is not None and labels is not None and not _are_positions(labels, class_names):
            raise DataError(
                f"{path}: {name} holds other labels than 0 to {len(class_names) - 1}, the ones with class_names: "
                "save integer labels and a name for each."
            )
    return _dataset(
        path, X, y, X_test=X_test, y_test=y_test, feature_names=feature_names, class_names=class_names
    )


def load_npy(path: pathlib.Path, target: str | int | None = None, features: int | None = None) -> Dataset:
    """Load a 2-d array, one column of which is the target unless it has exactly ``features`` columns."""
    array = _read(path)
    if isinstance(array, dict):
        raise DataError(f"{path} holds several arrays: rename it to end in .npz.")
    array = _matrix(path, "the array", array)
    columns = array.shape[1]
    if columns == features:
        return _dataset(path, array, None)
    if features is not None and columns != features + 1:
        raise DataError(
            f"{path} has {columns} columns: {features} features, or these and the target, are expected."
        )
    if columns == 1:
        raise DataError(f"{path} has one column only, the target: put features beside it.")
    try:
        index = range(columns)[int(-1 if target is None else target)]
    except (ValueError, IndexError) as error:
        raise DataError(
            f"target={target!r} is no column of {path}: give an index from 0 to {columns - 1}."
        ) from error
    return _dataset(path, np.delete(array, index, axis=1), _integers_if_whole(array[:, index]))


def load_svmlight(path: pathlib.Path, features: int | None = None) -> Dataset:
    """Load text lines ``label index:value ...`` as a CSR matrix."""
    import scipy.sparse
    import sklearn.datasets

    try:
        X, y = sklearn.datasets.load_svmlight_file(str(path))
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"{path} is not svmlight text ({error}): write lines 'label index:value ...'."
        ) from error
    if features is not None:
        if X.shape[1] > features:
            raise DataError(
                f"{path} has columns beyond the {features} of the model: give the columns of the fit."
            )
        # Trailing columns of zeros are not written.
        X.resize(X.shape[0], features)
    return _dataset(path, _matrix(path, "the file", scipy.sparse.csr_array(X)), _integers_if_whole(y))


def _read(path):
    try:
        # opened here: np.load(path) forgets to close a file that is damaged
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            return {name: np.asarray(loaded[name]) for name in loaded.files}
    except DAMAGE as error:
        raise DataError(
            f"{path} is damaged or holds Python objects: save plain arrays with numpy.savez or numpy.save."
        ) from error


def _dataset(path, X, y, **others):
    return Dataset(X, y, name=path.stem, source=str(path), **others)


def _part(path, arrays, features, target):
    if features not in arrays:
        return None, None
    X, y = _matrix(path, features, arrays[features]), arrays.get(target)
    if y is None:
        return X, None
    if y.shape != X.shape[:1] or y.dtype.kind not in "biufU":
        raise DataError(
            f"{path}: {target} has shape {y.shape} and dtype {y.dtype}: save one number or text "
            f"for each of the {X.shape[0]} rows of {features}."
        )
    wide = {"b": np.int64, "i": np.int64, "u": np.int64, "f": np.float64, "U": y.dtype}
    return X, y.astype(wide[y.dtype.kind])


def _matrix(path, name, X):
    if X.ndim != 2 or 0 in X.shape or X.dtype.kind not in "biuf":
        raise DataError(
            f"{path}: {name} has shape {X.shape} and dtype {X.dtype}: "
            "save a 2-d array of numbers with at least one row and one column."
        )
    return X.astype(X.dtype.newbyteorder("="), copy=False)


def _csr(path, arrays):
    import scipy.sparse

    if (kind := arrays.get("format", np.asarray("csr")).astype(str).item()) != "csr":
        raise DataError(f"{path} holds a sparse matrix in the format {kind!r}: save it after tocsr().")
    data, indices, indptr, shape = (arrays[key] for key in CSR)
    # scipy.sparse knows no float16
    data = data.astype(np.float32) if data.dtype == np.float16 else data
    try:
        if any(array.dtype.kind not in "iu" for array in (indices, indptr, shape)):
            raise TypeError("positions must be integers")
        matrix = scipy.sparse.csr_array((data, indices, indptr), shape=tuple(shape))
        matrix.check_format(full_check=True)
    except (ValueError, TypeError, IndexError) as error:
        raise DataError(
            f"{path}: {', '.join(CSR)} do not make a CSR matrix ({error}): save them again."
        ) from error
    return matrix


def _names(arrays, key):
    return [str(name) for name in arrays[key].ravel()] if key in arrays else None


def _are_positions(labels, names):
    return labels.dtype.kind == "i" and labels.min() >= 0 and labels.max() < len(names)


def _integers_if_whole(y):
    """Text and float formats write labels as numbers with a point; below 2**53 nothing is lost."""
    y = y.astype(np.float64)
    return y.astype(np.int64) if np.all(np.abs(y) < 2**53) and np.all(y == np.rint(y)) else y
