"""From paths, folders and patterns to the files that they name."""

import glob
import os
import pathlib
from collections.abc import Sequence
from typing import Any

from onelayer.errors import DataError

__all__ = ["ENDINGS", "find_files", "is_path", "is_paths", "kind_of"]

ENDINGS = (".npy", ".npz", ".parquet", ".svm", ".libsvm")
CSV = (
    "a CSV file cannot be read from its middle: load it with onelayer.data.load(path), or, if it does not fit into "
    "memory, convert it first with pyarrow.dataset.write_dataset(pyarrow.dataset.dataset(path, format='csv'), "
    "folder, format='parquet')."
)


def is_path(source: Any) -> bool:
    """Tell whether this names a file, a folder or a pattern."""
    return isinstance(source, str | os.PathLike)


def is_paths(source: Any) -> bool:
    """Tell whether this is a list or tuple of paths."""
    return isinstance(source, list | tuple) and len(source) > 0 and all(map(is_path, source))


def find_files(source: Any) -> list[pathlib.Path]:
    """Return the files that a path, folder, pattern or list of these names.

    Those of a folder, subfolders included, and of a pattern are sorted; those of a list keep its order. Names that
    begin with a point or an underscore are left out, as Spark and pyarrow do.
    """
    if is_paths(source):
        return [file for part in source for file in find_files(part)]
    path = pathlib.Path(source).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        found = _readable(path.rglob("*"), path)
        if not found:
            raise DataError(
                f"{path} holds no file that ends in {_either(ENDINGS)}: name a folder with such files."
            )
        return found
    if glob.has_magic(str(path)):
        if found := sorted(
            filter(pathlib.Path.is_file, map(pathlib.Path, glob.glob(str(path), recursive=True)))
        ):
            return found
        raise DataError(f"{str(path)!r}: no file has a name of this pattern: correct it.")
    raise DataError(f"{str(path)!r}: no such file or folder: correct the path.")


def kind_of(files: Sequence[pathlib.Path]) -> str:
    """Return the ending that all files share, ``".svm"`` also for ``".libsvm"``."""
    kinds = {}
    for file in files:
        ending = file.suffix.lower()
        if ending == ".csv":
            raise DataError(f"{file}: {CSV}")
        if ending not in ENDINGS:
            raise DataError(f"{file} does not end in {_either(ENDINGS)}: convert it to one of these kinds.")
        kinds.setdefault(".svm" if ending == ".libsvm" else ending, file)
    if len(kinds) > 1:
        one, other = list(kinds.values())[:2]
        raise DataError(
            f"{one} and {other} are files of two kinds: give files of one kind, in a folder of their own."
        )
    return next(iter(kinds))


def _readable(paths, folder):
    found = [
        path
        for path in paths
        # CSV files, so that the sentence about them is said
        if path.suffix.lower() in (*ENDINGS, ".csv")
        and path.is_file()
        and not any(part.startswith((".", "_")) for part in path.relative_to(folder).parts)
    ]
    return sorted(found)


def _either(endings):
    return f"{', '.join(endings[:-1])} or {endings[-1]}"
