"""Which data are read a block at a time, and what can be told of them before they are."""

import glob
import pathlib

from onelayer.errors import ParameterError

__all__ = ["fitted_kind", "kind_of", "open_if_large"]

# Of the memory that is free, what a file may need to be loaded as a whole.
_SHARE = 0.5
# Bytes in memory for one in the file: text grows to numbers, tables to float64.
_GROWTH = {".svm": 2.0, ".libsvm": 2.0, ".npy": 2.0, ".npz": 2.0}
_PEEK = 4096


def open_if_large(data, memory_limit=None, **options):
    """Return the Stream of a file or folder that is not to be loaded as a whole, or None for all other data.

    Folders and patterns are streams; so is a file where a limit is given, where several processes share it (`shards`), or where
    it would take half of the free memory.
    """
    from onelayer.data import stream
    from onelayer.data.named import NAMES
    from onelayer.estimators.memory import available_bytes

    options = {name: value for name, value in options.items() if value not in (None, ())}
    path = pathlib.Path(data)
    # A named data set, also beside a folder of its name.
    named = data in NAMES or not (path.suffix or path.is_dir() or glob.has_magic(data))
    if memory_limit is not None and (named or path.suffix.lower() == ".csv"):
        kind = "a named data set" if named else "CSV"
        raise ParameterError(
            f"--memory-limit is {memory_limit}, and {data} is {kind}, which is loaded as a whole: leave --memory-limit out, or "
            "write the rows as Parquet first."
        )
    # What CSV is too large for, it says itself where it is loaded.
    if named or path.suffix.lower() == ".csv":
        return None
    large = path.is_file() and ("shards" in options or _loaded_bytes(path) > _SHARE * available_bytes())
    if memory_limit is None and not (path.is_dir() or glob.has_magic(data) or large):
        return None
    return stream(data, memory_limit=memory_limit, **options)


def kind_of(stream):
    """Return "linear" for a target of floats, "classes" for labels, by the first rows."""
    block = next(iter(stream.blocks(_PEEK)))
    y = block.y
    if y is None or y.dtype.kind != "f":
        return "classes"
    # Files of plain numbers write labels with a point.
    whole = y.ndim == 1 and bool((y == y.round()).all())
    return "classes" if whole and stream.encoder is None else "linear"


def fitted_kind(kind, estimator):
    """Return what a fit is called: of a stream the number of classes is known by then."""
    return "softmax" if kind == "logistic" and len(estimator.classes_) > 2 else kind


def _loaded_bytes(path):
    if path.suffix.lower() == ".parquet":
        from pyarrow import ArrowException, parquet

        try:
            with parquet.ParquetFile(path) as file:
                return 8 * file.metadata.num_rows * file.metadata.num_columns
        except (ArrowException, OSError):
            # Whoever loads it says what is wrong with it.
            return 0
    return _GROWTH.get(path.suffix.lower(), 1.0) * path.stat().st_size
