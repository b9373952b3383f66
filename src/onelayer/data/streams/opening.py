"""Which source reads what the user named, and which arguments it knows."""

import dataclasses
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from onelayer.data.streams.arrays import ArraySource, Parts
from onelayer.data.streams.files import find_files, is_path, is_paths, kind_of
from onelayer.data.streams.iterables import BatchSource
from onelayer.data.streams.kinds import is_tensor
from onelayer.data.streams.npy import from_npy, from_npz, shards
from onelayer.data.streams.parquet import ParquetSource
from onelayer.data.streams.svmlight import SvmlightSource
from onelayer.errors import DataError

if TYPE_CHECKING:
    from onelayer.data.encoder import ColumnEncoder
    from onelayer.data.streams.base import Source

__all__ = ["Options", "open_source"]


@dataclasses.dataclass(frozen=True)
class Options:
    """The arguments of :func:`onelayer.data.stream` that say how a source is read."""

    target: Any = None
    weight: Any = None
    columns: tuple[str, ...] | None = None
    categorical: tuple[str, ...] = ()
    features: int | None = None
    encoder: "ColumnEncoder | None" = None
    may_be_empty: bool = False

    def refuse(self, source: str, **reasons: str) -> None:
        """Raise an error if one of the named arguments was given; ``reasons`` say what it is for."""
        for name, reason in reasons.items():
            value = getattr(self, name)
            if value is not None and not (name == "categorical" and not value):
                shown = list(value) if isinstance(value, tuple) else value
                # an encoder is a long record
                given = name if name == "encoder" else f"{name}={shown!r}"
                raise DataError(f"{given} {reason}, and does not apply to {source}: leave it out.")


NAMED = {
    "columns": "names columns of Parquet files or of batches with names",
    "categorical": "names columns of Parquet files",
    "encoder": "belongs to Parquet files",
}
# an encoder also says how many features a model has, whatever the file it is now applied to
FILES = {name: NAMED[name] for name in ("columns", "categorical")}


def open_source(source: Any, options: Options) -> "Source":
    """Return the source for what was handed to :func:`onelayer.data.stream`."""
    is_pair = isinstance(source, tuple) and len(source) in (2, 3)
    if is_path(source) or (is_paths(source) and not is_pair):
        opened = _open_files(source, options)
    elif is_pair and not _is_batch(source[0]):
        opened = _open_arrays(source, options)
    elif hasattr(source, "tensors") and all(map(is_tensor, source.tensors)):
        # a TensorDataset: no need to ask for its rows one by one
        opened = _open_arrays(tuple(source.tensors), options)
    elif is_tensor(source) or isinstance(source, np.ndarray) or hasattr(source, "tocsr"):
        opened = _open_table(source, options)
    else:
        options.refuse("batches", categorical=NAMED["categorical"], encoder=NAMED["encoder"])
        opened = BatchSource(source, options.target, options.weight, options.columns)
    if options.features is not None and opened.features != options.features:
        raise DataError(
            f"{opened.name} has {opened.features} features, and the model expects {options.features}: give the columns "
            "of the fit."
        )
    return opened


def _open_files(source, options):
    files = find_files(source)
    kind = kind_of(files)
    if kind == ".parquet":
        opened = ParquetSource(
            files, options.target, options.weight, options.columns, options.categorical, options.encoder
        )
    elif kind == ".npy":
        options.refuse(str(files[0]), **FILES)
        opened = from_npy(files, options.target, options.weight, options.features)
    elif len(files) > 1 and kind == ".npz":
        raise DataError(
            f"{files[0]} is one of {len(files)} .npz files: give one, or save .npy files instead."
        )
    else:
        if options.target is not False:
            options.refuse(str(files[0]), **FILES, target="names a column")
        options.refuse(str(files[0]), **FILES)
        if kind == ".npz":
            opened = from_npz(files[0], options.target, options.weight)
        else:
            options.refuse(str(files[0]), weight="names a column")
            opened = SvmlightSource(files, options.features, labelled=options.target is not False)
    return _named(opened, source, files, kind)


def _open_arrays(parts, options):
    options.refuse("arrays", **NAMED)
    if options.target is not False:
        options.refuse("a pair (X, y), which says itself what its target is", target="names a column")
    given = dict(zip(("X", "y", "weight"), parts, strict=False))
    if options.weight is not None:
        if given.get("weight") is not None:
            raise DataError("weight was given twice, in the tuple and as an argument: leave one out.")
        given["weight"] = options.weight
    if options.target is False:
        given["y"] = None
    opened = {name: None if part is None else _parts(name, part) for name, part in given.items()}
    if opened["X"] is None:
        raise DataError("X is None in the pair (X, y): give an array.")
    _refuse_shards(opened)
    made = ArraySource(opened["X"], opened.get("y"), opened.get("weight"), may_be_empty=options.may_be_empty)
    if _names_files(given["X"]):
        return _named(made, given["X"], find_files(given["X"]), ".npy")
    made.description = "tensors" if is_tensor(given["X"]) else "CSR matrix" if made.sparse else "arrays"
    return made


def _open_table(X, options):
    options.refuse("arrays", **NAMED)
    parts, target, weight = _parts("X", X), options.target, options.weight
    if target is None and parts.shape[1:] != (options.features,):
        raise DataError(
            f"the source is one array of shape {tuple(X.shape)}: give the pair (X, y), or target=False if there is no "
            "target."
        )
    if target not in (None, False):
        raise DataError(f"target={target!r} does not apply to an array without names: give the pair (X, y).")
    made = ArraySource(parts, None, None if weight is None else _parts("weight", weight))
    made.description = "tensor" if is_tensor(X) else "CSR matrix" if made.sparse else "array"
    return made


def _parts(name, values):
    if _names_files(values):
        files = find_files(values)
        if (kind := kind_of(files)) != ".npy":
            raise DataError(
                f"{name} names {files[0]}, and only .npy files go in pairs, not {kind}: save one array each."
            )
        return shards(files)
    if is_tensor(values):
        if str(values.layout) != "torch.strided":
            raise DataError(f"{name} is a sparse tensor: give a scipy.sparse matrix or a dense tensor.")
        return Parts([values])
    if hasattr(values, "tocsr"):
        import scipy.sparse

        if name == "X":
            return Parts([scipy.sparse.csr_array(values)])
        values = values.toarray()
    try:
        return Parts([np.asarray(values)])
    except ValueError as error:
        raise DataError(f"{name} is no array ({error}): give numbers in rows of one length.") from error


def _names_files(values):
    """Tell paths from a list of labels that are texts."""
    return is_path(values) or (
        is_paths(values) and all(str(part).lower().endswith(".npy") for part in values)
    )


def _is_batch(part):
    """Tell a tuple of batches from one of arrays, whose X may be a list of lists of numbers."""
    return (
        isinstance(part, tuple | list) and not is_paths(part) and any(hasattr(item, "shape") for item in part)
    )


def _refuse_shards(opened):
    X, y = opened["X"], opened.get("y")
    files = [part.parts[0] for part in (X, y) if part is not None and hasattr(part.parts[0], "path")]
    if len(files) == 2 and len(y.shape) == 2 and X.shape[1] == y.shape[1]:
        raise DataError(
            f"the pair ({files[0].path}, {files[1].path}) would be X and y, and both have {X.shape[1]} columns: if they "
            "are two shards, give them as a list."
        )


def _named(opened, source, files, kind):
    path = pathlib.Path(source if is_path(source) else files[0])
    single = len(files) == 1
    opened.name = files[0].stem if single else path.name if path.is_dir() else path.parent.name or path.stem
    if single:
        opened.description = str(files[0])
    else:
        place = path if path.is_dir() else path.parent
        opened.description = f"{len(files)} {kind} files in {place}"
    return opened
