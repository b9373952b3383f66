"""One ``.npy`` or ``.npz`` file, or shards of many, as sources."""

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from onelayer.data.arrays import load_npz
from onelayer.data.streams.arrays import ArraySource, NpyFile, Parts
from onelayer.errors import DataError

__all__ = ["from_npy", "from_npz", "shards"]

# what the names of shards of features, targets and weights begin with
ROLES = ("X", "y", "weight")


def from_npz(path: pathlib.Path, target: Any, weight: str | None) -> ArraySource:
    """Load a ``.npz`` file, whose arrays cannot be mapped, with ``X``, ``y`` and maybe ``weight``."""
    data = load_npz(path)
    key = "weight" if weight is None else weight
    with np.load(path, allow_pickle=False) as arrays:
        if weight is not None and key not in arrays.files:
            raise DataError(f"weight={weight!r} is no array of {path}: it holds {', '.join(arrays.files)}.")
        weights = arrays[key] if key in arrays.files else None
    y = None if target is False else data.y
    others = (None if part is None else Parts([part]) for part in (y, weights))
    source = ArraySource(Parts([data.X]), *others, what=f"{path}: X")
    source.feature_names = data.feature_names
    return source


def from_npy(
    files: Sequence[pathlib.Path], target: Any = None, weight: Any = None, features: int | None = None
) -> ArraySource:
    """Read 2-d files with the target as a column, or files ``X*``, ``y*`` and maybe ``weight*`` that match by name."""
    roles = {role: [file for file in files if file.name.startswith(role)] for role in ROLES}
    paired = sum(map(len, roles.values())) == len(files) and roles["X"]
    if paired and (roles["y"] or roles["weight"] or target is False):
        for name, value in (("target", target), ("weight", weight)):
            if value is not None and value is not False:
                raise DataError(
                    f"{name}={value!r} does not apply to {files[0]}, beside which files y* and weight* say it: leave it out."
                )
        return _paired(roles if target is not False else roles | {"y": []})
    if paired and len(files) > 1 and target is None and features is None:
        raise DataError(
            f"{files[0]} and its like have no files named y{files[0].stem[1:]}.npy beside them: add these, say which "
            "column is the target (target=-1), or that there is none (target=False)."
        )
    X = shards(files)
    if len(X.shape) != 2:
        raise DataError(
            f"{files[0]} has shape {X.shape}: save a 2-d array with the target as a column, or give (X, y) with y's path."
        )
    has_target = target is not False and X.shape[1] != features
    target = _column(files[0], "target", -1 if target is None else target, X.shape[1]) if has_target else None
    weight = None if weight is None else _column(files[0], "weight", weight, X.shape[1])
    if target is not None and target == weight:
        raise DataError(f"target={target} and weight={weight} are one column of {files[0]}: give two.")
    return ArraySource(X, columns=(target, weight), what=str(files[0]))


def shards(files: Sequence[pathlib.Path]) -> Parts:
    """Open files of one array each, which must agree in all but their number of rows."""
    parts = [NpyFile(file) for file in files]
    first = parts[0]
    for part in parts:
        if part.ndim == 0 or (part.shape[1:], _kind(part)) != (first.shape[1:], _kind(first)):
            raise DataError(
                f"{part.path} has shape {part.shape} and dtype {part.dtype}, and {first.path} {first.shape} and "
                f"{first.dtype}: save all shards with the same columns and dtype."
            )
    return Parts(parts)


def _paired(roles):
    keys = [_rest(file, "X") for file in roles["X"]]
    X = shards(roles["X"])
    others = {}
    for role in ("y", "weight"):
        found = {_rest(file, role): file for file in roles[role]}
        if not found:
            continue
        if odd := sorted(set(keys) ^ found.keys()):
            raise DataError(
                f"X{odd[0].name} and {role}{odd[0].name} belong together, and only one of them is in {odd[0].parent}: add "
                "the other."
            )
        others[role] = shards([found[key] for key in keys])
        for part, other in zip(X.parts, others[role].parts, strict=True):
            if part.shape[0] != other.shape[0]:
                raise DataError(
                    f"{other.path} has {other.shape[0]} rows and {part.path} has {part.shape[0]}: save one row for each."
                )
    return ArraySource(X, others.get("y"), others.get("weight"), what=str(roles["X"][0]))


def _rest(path, role):
    """Return what comes after ``X``, ``y`` or ``weight``, with the folder: subfolders may use the names again."""
    return path.parent / path.name.removeprefix(role)


def _column(path, name, index, columns):
    try:
        return range(columns)[int(index)]
    except (ValueError, IndexError, TypeError) as error:
        raise DataError(
            f"{name}={index!r} is no column of {path}: give an index from 0 to {columns - 1}."
        ) from error


def _kind(part):
    # texts may have other lengths in each file
    return part.dtype if part.dtype.kind != "U" else "U"
