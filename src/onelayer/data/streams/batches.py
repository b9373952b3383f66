"""From one batch, in the shapes in which people give them, to a block."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from onelayer.data.streams.base import Block
from onelayer.data.streams.kinds import as_features, as_numpy, as_targets, as_weights, is_tensor, storage_of
from onelayer.data.tables import some
from onelayer.errors import DataError

__all__ = ["BatchReader"]


class BatchReader:
    """Reads batches ``(X, y)``, ``(X, y, weight)``, dicts of columns, and single rows of these kinds.

    Parameters
    ----------
    target : str, False or None
        False: no target is read.
    weight : str, optional
    columns : sequence of str, optional
        Names in batches that are dicts.
    """

    def __init__(self, target: Any = None, weight: str | None = None, columns: Sequence[str] | None = None):
        self.target, self.weight, self.columns = target, weight, columns
        self.feature_names = None
        self._first = None

    def block(self, batch: Any, number: int) -> Block:
        """Return batch ``number``, counted from 0, as a block in the dtype of the first one."""
        where = f"batch {number + 1}"
        X, y, weight = self._named(batch, where) if isinstance(batch, Mapping) else self._plain(batch, where)
        if X.ndim == 1 and (y is None or np.ndim(y) == 0):
            X = X.reshape(1, -1)
            y, weight = (None if part is None else as_numpy(part).reshape(1) for part in (y, weight))
        if X.ndim != 2:
            raise DataError(
                f"X of {where} has shape {tuple(X.shape)}: give rows of numbers, of shape (rows, features); "
                "images are flattened with reshape(len(X), -1)."
            )
        y = None if y is None else as_targets(y, f"y of {where}")
        weight = None if weight is None else as_weights(weight, f"weight of {where}")
        for name, part in (("y", y), ("weight", weight)):
            if part is not None and len(part) != X.shape[0]:
                raise DataError(
                    f"{name} of {where} has {len(part)} rows and X has {X.shape[0]}: give one value for each row."
                )
        kind = (
            X.shape[1],
            storage_of(X.dtype, f"X of {where}", sparse=hasattr(X, "indptr")),
            type(X).__name__,
            None if y is None else (y.ndim, y.shape[1:]),
            weight is not None,
        )
        if X.shape[0]:
            self._must_match(kind, where)
        return Block(as_features(X, kind[1]), y, weight)

    def _must_match(self, kind, where):
        self._first = self._first or kind
        if kind == self._first:
            return
        words = [_described(*part) for part in (kind, self._first)]
        raise DataError(f"{where} has {words[0]}, and the first {words[1]}: give all batches alike.")

    def _plain(self, batch, where):
        for name, value in (("target", self.target), ("weight", self.weight), ("columns", self.columns)):
            if value is not None and value is not False:
                shown = list(value) if isinstance(value, tuple) else value
                raise DataError(f"{name}={shown!r} names a column, and {where} has no names: give (X, y).")
        parts = tuple(batch) if isinstance(batch, tuple | list) and _are_parts(batch) else (batch,)
        if isinstance(batch, Block):
            parts = (batch.X, batch.y, batch.weight)
        if len(parts) > 3 or (len(parts) == 1 and self.target is not False):
            raise DataError(
                f"{where} is a {type(batch).__name__} of {len(parts)} parts: give (X, y) or (X, y, weight), or say "
                "target=False if there is no target."
            )
        X, y, weight = (*parts, None, None)[:3]
        return self._array(X, f"X of {where}"), None if self.target is False else y, weight

    def _named(self, batch, where):
        names = list(batch)
        target = names[-1] if self.target is None else self.target
        columns = (
            [name for name in names if name not in (target, self.weight)]
            if self.columns is None
            else self.columns
        )
        columns = [name for name in columns if name not in (target, self.weight)]
        given = (("target", target), ("weight", self.weight), *(("columns", name) for name in columns))
        for argument, name in given:
            if name is not None and name is not False and name not in batch:
                raise DataError(
                    f"{argument}={name!r} is no column of {where}: its columns are {some(names)}."
                )
        if not columns:
            raise DataError(f"{where} has no column beside the target {target!r}: add columns of features.")
        y = None if target is False else as_numpy(batch[target])
        weight = None if self.weight is None else as_numpy(batch[self.weight])
        parts = [self._array(batch[name], f"column {name!r} of {where}") for name in columns]
        single = any(part.ndim == 0 for part in parts) or (y is not None and y.ndim == 0)
        # a single row: each column becomes one of one row
        parts = [part.reshape(1, -1) if single else part.reshape(len(part), -1) for part in parts]
        if len(rows := {part.shape[0] for part in parts}) > 1:
            raise DataError(
                f"the columns of {where} have {some(sorted(rows))} rows: give one value for each row."
            )
        if single:
            y, weight = (None if part is None else part.reshape(1) for part in (y, weight))
        if self.feature_names is None:
            self.feature_names = [
                feature
                for name, part in zip(columns, parts, strict=True)
                for feature in _features(name, part.shape[1])
            ]
        return _side_by_side(parts), y, weight

    def _array(self, values, what):
        if is_tensor(values):
            return values
        if hasattr(values, "tocsr"):
            import scipy.sparse

            return scipy.sparse.csr_array(values)
        try:
            array = np.asarray(values)
        except ValueError as error:
            raise DataError(f"{what} is no array ({error}): give numbers in rows of one length.") from error
        # numbers of Python: the refusal of texts and objects
        storage_of(array.dtype, what)
        return array


def _described(features, storage, container, y, weight):
    target = "no target" if y is None else "a target" if y[0] == 1 else f"{y[1][0]} targets"
    return f"{features} features of {storage} in a {container}, {target}{' and a weight' if weight else ''}"


def _are_parts(batch):
    """Tell (X, y) from a list of rows or of numbers, which is an X alone."""
    return any(hasattr(part, "shape") or isinstance(part, list | tuple) for part in batch[:1])


def _features(name, width):
    return [str(name)] if width == 1 else [f"{name}[{column}]" for column in range(width)]


def _side_by_side(parts):
    if len(parts) == 1:
        return parts[0]
    if all(map(is_tensor, parts)):
        import torch

        return torch.cat(parts, dim=1)
    return np.concatenate([as_numpy(part) for part in parts], axis=1)
