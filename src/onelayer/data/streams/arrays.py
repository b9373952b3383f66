"""Arrays, tensors and files of arrays, of which only the rows that are asked for are read."""

import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from onelayer.data.arrays import DAMAGE
from onelayer.data.streams.base import Block, Source
from onelayer.data.streams.kinds import as_features, as_targets, as_weights, is_tensor, join, storage_of
from onelayer.errors import DataError

__all__ = ["ArraySource", "NpyFile", "Parts"]

# rows of a target column that are looked at together
GLANCE = 1 << 18


class NpyFile:
    """A ``.npy`` file that is mapped anew for each slice: a thousand shards would use up the open files."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        found = self._open()
        self.shape, self.dtype, self.ndim = found.shape, found.dtype, found.ndim

    def __getitem__(self, key):
        return self._open()[key]

    def _open(self):
        try:
            return np.lib.format.open_memmap(self.path, mode="r")
        except DAMAGE as error:
            raise DataError(
                f"{self.path} is damaged, empty or holds Python objects: save a plain array with numpy.save."
            ) from error


class Parts:
    """Arrays, tensors, CSR matrices or files one below the other, read like one of them."""

    def __init__(self, parts: Sequence[Any]):
        self.parts = parts
        self.shape = (sum(part.shape[0] for part in parts), *parts[0].shape[1:])
        self.dtype = parts[0].dtype
        self._starts = np.cumsum([0, *(part.shape[0] for part in parts)])

    @property
    def is_sparse(self) -> bool:
        """Whether the parts are CSR matrices."""
        return not (isinstance(self.parts[0], np.ndarray | NpyFile) or is_tensor(self.parts[0]))

    def __getitem__(self, rows):
        """Return the rows of a slice or of ascending numbers: a view where they lie in one part."""
        if len(self.parts) == 1 or (not isinstance(rows, slice) and len(rows) == 0):
            return _rows(self.parts[0], rows)
        first, last = (rows.start, rows.stop - 1) if isinstance(rows, slice) else (rows[0], rows[-1])
        # side="right": past parts without rows
        low, high = np.searchsorted(self._starts, (first, last), side="right") - 1
        pieces = []
        for number in range(low, high + 1):
            start, stop = self._starts[number], self._starts[number + 1]
            if isinstance(rows, slice):
                inside = slice(max(rows.start - start, 0), min(rows.stop, stop) - start)
                pieces.append(_rows(self.parts[number], inside))
            else:
                a, b = np.searchsorted(rows, (start, stop))
                if a < b:
                    pieces.append(_rows(self.parts[number], rows[a:b] - start))
        return join(pieces)


class ArraySource(Source):
    """Features, and beside them or among their columns targets and weights.

    Parameters
    ----------
    X : Parts
    y, weight : Parts or None
        Of as many rows.
    columns : tuple of (int or None)
        The columns of ``X`` that are the target and the weight, where these are no arrays of their own.
    what : str
        What holds ``X``, for the sentences of errors.
    may_be_empty : bool
        Whether no rows are no error.
    """

    seekable = True

    def __init__(
        self,
        X: Parts,
        y: Parts | None = None,
        weight: Parts | None = None,
        *,
        columns: tuple[int | None, int | None] = (None, None),
        what: str = "X",
        may_be_empty: bool = False,
    ):
        if len(X.shape) != 2:
            raise DataError(f"{what} has shape {tuple(X.shape)}: give a 2-d array, one row for each sample.")
        self._X, self._y, self._weight, self._what = X, y, weight, what
        self._target_column, self._weight_column = columns
        self._others = sorted({column for column in columns if column is not None})
        self.rows, self.features = X.shape[0], X.shape[1] - len(self._others)
        if self.features == 0 or (self.rows == 0 and not may_be_empty):
            raise DataError(f"{what} has shape {tuple(X.shape)}: give at least one row and one feature.")
        for name, part in (("y", y), ("weight", weight)):
            if part is not None and part.shape[:1] != X.shape[:1]:
                raise DataError(
                    f"{name} has shape {tuple(part.shape)} and {what} has {self.rows} rows: give one value for each row."
                )
        self.sparse = X.is_sparse
        self.storage = storage_of(X.dtype, what, sparse=self.sparse)
        self.has_target = y is not None or self._target_column is not None
        self.has_weight = weight is not None or self._weight_column is not None
        self._whole: bool | None = None
        # now, and not in the first pass: values that cannot be used should not wait for a fit to be found
        if y is not None and self.rows:
            as_targets(y[0:1])
        if weight is not None and self.rows:
            as_weights(weight[0:1])

    def read(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Block]:
        stop = self._X.shape[0] if stop is None else min(stop, self._X.shape[0])
        for low in range(start, stop, size):
            yield self._block(slice(low, min(low + size, stop)))

    def take(self, index: np.ndarray) -> Block:
        return self._block(np.asarray(index, dtype=np.int64))

    def _block(self, rows):
        table = self._X[rows]
        y = self._targets(rows, table) if self.has_target else None
        weight = self._weights(rows, table) if self.has_weight else None
        if self._others:
            # before any conversion, so that the map is copied once
            table = np.delete(np.asarray(table), self._others, axis=1)
        return Block(as_features(table, self.storage), y, weight)

    def _targets(self, rows, table=None):
        if self._y is not None:
            return as_targets(self._y[rows])
        column = np.asarray((self._X[rows] if table is None else table)[:, self._target_column])
        # labels beside float features are floats too; that they are whole is for the whole column to say
        if self._whole is None:
            self._whole = column.dtype.kind != "f" or self._is_whole()
        return column.astype(np.int64 if self._whole else np.float64)

    def _weights(self, rows, table):
        if self._weight is not None:
            return as_weights(self._weight[rows])
        return np.asarray(table[:, self._weight_column]).astype(np.float64)

    def _is_whole(self):
        for part in self._X.parts:
            for low in range(0, part.shape[0], GLANCE):
                y = np.asarray(part[low : low + GLANCE][:, self._target_column]).astype(np.float64)
                if not (np.all(np.abs(y) < 2**53) and np.all(y == np.rint(y))):
                    return False
        return True


def _rows(part, rows):
    if is_tensor(part) and not isinstance(rows, slice):
        import torch

        return part[torch.from_numpy(rows).to(part.device)]
    return part[rows]
