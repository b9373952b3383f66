"""One door for every source: a name or a path in, a Dataset out."""

import os
import pathlib

from onelayer.data.arrays import load_npy, load_npz, load_svmlight
from onelayer.data.columns import labels, numbers, settle
from onelayer.data.dataset import Dataset
from onelayer.data.encoder import ColumnEncoder
from onelayer.data.named import NAMES, load_named
from onelayer.data.tables import read_table, some
from onelayer.errors import DataError

__all__ = ["load"]

ENDINGS = (".csv", ".parquet", ".npz", ".npy", ".svm", ".libsvm")


def load(
    source: str | os.PathLike,
    *,
    target: str | int | None = None,
    categorical: str | tuple[str, ...] | list[str] = (),
    encoder: ColumnEncoder | None = None,
    features: int | None = None,
    progress: bool = True,
) -> Dataset:
    """Load a named data set or a file.

    Parameters
    ----------
    source : str or path
        ``"digits"``, ``"breast-cancer"``, ``"diabetes"``, ``"iris"``, ``"fashion-mnist"`` or ``"mnist"``, or
        the path of a file that ends in:

        - ``.csv``, ``.parquet``: a table with a header. A CSV column in which every value is a number is
          numeric; one in which none is gets one 0/1 feature per category, named ``"color=red"``. In Parquet
          the types decide.
        - ``.npz``: arrays ``X`` and ``y``, or ``data``, ``indices``, ``indptr``, ``shape`` and ``y`` of a CSR
          matrix; optionally ``X_test``, ``y_test``, ``class_names`` and ``feature_names``.
        - ``.npy``: a 2-d array whose last column is the target.
        - ``.svm``, ``.libsvm``: text lines ``label index:value ...``.
    target : str or int, optional
        The column to predict: a name in a table, an index in a ``.npy`` file. The default is the last one.
    categorical : sequence of str, optional
        Columns of a table to take as categories although their values are numbers. The target may be one of
        them: its labels then stay text.
    encoder : ColumnEncoder, optional
        The ``encoder`` of an earlier table. Columns are then matched by name, and the target may be absent.
    features : int, optional
        The number of features that a model expects of a ``.npy``, ``.svm`` or ``.libsvm`` file. A ``.npy``
        array with just that many columns has no target.
    progress : bool, default=True
        Show a progress bar on the terminal during a download.

    Returns
    -------
    Dataset
        ``X`` of shape (n_samples, n_features): float64 for tables, float32 in [0, 1] for images, the file's
        own dtype otherwise. ``y`` of shape (n_samples,): int64, float64 or text.

    Raises
    ------
    DataError
        If there is no such set or file, or it cannot be read; the message names what is at fault, with its
        row, column and value where it has them.

    Examples
    --------
    >>> from onelayer.data import load
    >>> iris = load("iris")
    >>> iris
    Dataset('iris': 150 rows, 4 features; scikit-learn)
    >>> iris.class_names
    ['setosa', 'versicolor', 'virginica']
    """
    name, path = os.fspath(source), pathlib.Path(source).expanduser()
    ending = "" if name in NAMES else path.suffix.lower()
    categorical = (categorical,) if isinstance(categorical, str) else tuple(categorical)
    if name not in NAMES:
        _refuse_other_kinds(path, ending)
    if target is not None and ending not in (".csv", ".parquet", ".npy"):
        raise DataError(
            f"target={target!r} does not apply to {name}, which says itself what its target is: leave it out."
        )
    if categorical and ending not in (".csv", ".parquet"):
        raise DataError(
            f"categorical={list(categorical)} applies to .csv and .parquet files, not to {name}: leave it out."
        )
    if features is None and encoder is not None:
        features = len(encoder.feature_names)
    try:
        match ending:
            case "":
                return load_named(name, progress=progress)
            case ".csv" | ".parquet":
                return _load_table(path, target, categorical, encoder)
            case ".npz":
                return load_npz(path)
            case ".npy":
                return load_npy(path, target, features)
            case _:
                return load_svmlight(path, features)
    except OSError as error:
        raise DataError(
            f"{error.filename or path} cannot be read ({error.strerror or error}): check its permissions."
        ) from error


def _load_table(path, target, categorical, encoder):
    table = read_table(path)
    if encoder is not None:
        if categorical or target not in (None, encoder.target):
            raise DataError(
                f"target={target!r} and categorical={list(categorical)} are settled by the encoder, "
                f"whose target is {encoder.target!r}: leave them out."
            )
        table = encoder.match(table)
        y = _labels_if_any(table, encoder)
    else:
        target = table.names[-1] if target is None else target
        for argument, name in [("target", target), *(("categorical", name) for name in categorical)]:
            if name not in table.names:
                raise DataError(
                    f"{argument}={name!r} is no column of {path}: its columns are {some(table.names)}."
                )
        table = settle(table, categorical)
        encoder = ColumnEncoder.from_table(table, target)
        y = labels(table, target)
    X, names = encoder.encode(table), encoder.feature_names
    return Dataset(X, y, feature_names=names, name=path.stem, source=str(path), encoder=encoder)


def _labels_if_any(table, encoder):
    """Return None for a target column that is absent, or wholly empty because it is yet to be predicted."""
    name = encoder.target
    if name not in table.names or table.column(name).null_count == table.data.num_rows:
        return None
    if not encoder.text_target:
        numbers(table, name)
    return labels(table, name)


def _refuse_other_kinds(path, ending):
    endings = f"{', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}"
    if path.is_dir():
        raise DataError(f"{path} is a folder: name a file in it that ends in {endings}.")
    if not path.is_file():
        raise DataError(
            f"{str(path)!r}: no such file, nor a known data set ({', '.join(NAMES)}); files end in {endings}."
        )
    if ending not in ENDINGS:
        raise DataError(f"{path} does not end in {endings}: convert it to one of these kinds.")
