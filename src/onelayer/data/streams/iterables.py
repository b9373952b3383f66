"""Batches that somebody else makes: loaders, data sets, lists, and functions that return iterators."""

import collections.abc
import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from onelayer.data.streams.base import Block, Source
from onelayer.data.streams.batches import BatchReader
from onelayer.data.streams.kinds import storage_of
from onelayer.data.streams.rebatch import rebatched
from onelayer.errors import DataError

__all__ = ["BatchSource"]

# rows that a Hugging Face data set is asked for at once
ASKED = 1024
WAY_OUT = (
    "give a list of batches, a DataLoader, or a function that returns a new iterator each time it is called"
)


class BatchSource(Source):
    """Batches in the order in which they come, cut anew into blocks.

    The first one is read at once: it says how many features there are, of which dtype, and whether there is a target.

    Parameters
    ----------
    batches : iterable or callable
    target : str, False or None
    weight : str, optional
    columns : sequence of str, optional
        All three name parts of batches that are dicts; ``target=False`` reads features alone.
    """

    def __init__(
        self,
        batches: Any,
        target: Any = None,
        weight: str | None = None,
        columns: Sequence[str] | None = None,
    ):
        self._batches = batches
        self._reader = BatchReader(target, weight, columns)
        _refuse_shuffling(batches)
        _refuse_iterators(batches)
        self.rows = _count(batches)
        with contextlib.closing(self._pieces()) as pieces:
            first = next(pieces, None)
        if first is None:
            raise DataError(f"the {_name(batches)} gave no batches: {WAY_OUT}.")
        self.features, self.sparse = first.X.shape[1], not _is_dense(first.X)
        self.storage = storage_of(first.X.dtype, "X of the first batch", sparse=self.sparse)
        self.feature_names = self._reader.feature_names
        self.has_target, self.has_weight = first.y is not None, first.weight is not None
        self.description = f"batches of a {_name(batches)}"

    def read(self, size: int, start: int = 0, stop: int | None = None) -> Iterator[Block]:
        found = 0
        for block in rebatched(self._pieces(), size, start, stop):
            found += len(block)
            yield block
        if start == 0 and stop is None:
            self.rows = found

    def _pieces(self):
        """Yield each batch as a block; those without rows are left out."""
        for number, batch in enumerate(_passed(self._batches)):
            if len(block := self._reader.block(batch, number)):
                # Whoever reads a large file refills one buffer: a batch is theirs again as soon as the next one is asked for,
                # and several are joined, or read ahead.
                yield Block(*map(_copied, (block.X, block.y, block.weight)))


def _copied(values):
    if values is None:
        return None
    return values.clone() if hasattr(values, "clone") else values.copy()


def _passed(batches):
    """Return a new iterator."""
    if callable(batches) and not hasattr(batches, "__iter__"):
        return iter(batches())
    if _is_named_set(batches):
        return iter(batches.with_format("numpy").iter(batch_size=ASKED))
    if _is_indexed(batches):
        # not iter(batches): that ends at an IndexError, which not all raise
        return (batches[row] for row in range(len(batches)))
    if not _is_loader(batches):
        return iter(batches)
    import torch

    # a loader draws a seed for its workers, also without any: the user's generator is to stay where it stands
    with torch.random.fork_rng(devices=[]):
        return iter(batches)


def _refuse_iterators(batches):
    if hasattr(batches, "dtypes") and hasattr(batches, "columns"):
        raise DataError(
            f"the source is a {_name(batches)}: write it to a Parquet file and give its path, or give the pair (X, y) of "
            "its values."
        )
    if isinstance(batches, str | bytes | collections.abc.Mapping | collections.abc.Set) or not (
        callable(batches) or hasattr(batches, "__iter__") or hasattr(batches, "__getitem__")
    ):
        raise DataError(
            f"the source is a {_name(batches)}: give a path, a pair of arrays (X, y), or batches (a list, a DataLoader, "
            "or a function that returns a new iterator)."
        )
    if isinstance(batches, collections.abc.Iterator):
        raise DataError(f"the source is a {_name(batches)}, which can be read only once: {WAY_OUT}.")
    # of a loader the iterator may be the same, begun anew: workers that stay
    if callable(batches) and not hasattr(batches, "__iter__"):
        one, other = batches(), batches()
        if not isinstance(one, collections.abc.Iterable):
            raise DataError(
                f"the function {_name(batches)} returned a {_name(one)}: return an iterator of batches."
            )
        if one is other and isinstance(one, collections.abc.Iterator):
            raise DataError(
                f"the function {_name(batches)} returns one iterator again and again: return a new one."
            )


def _refuse_shuffling(loader):
    torch = sys.modules.get("torch")
    if torch is None:
        return
    data = torch.utils.data
    among = (loader, getattr(loader, "batch_sampler", None))
    for sampler in (getattr(holder, "sampler", None) for holder in among):
        random = (data.RandomSampler, data.SubsetRandomSampler, data.WeightedRandomSampler)
        if isinstance(sampler, random) or (
            isinstance(sampler, data.distributed.DistributedSampler) and sampler.shuffle
        ):
            raise DataError(
                f"the {_name(loader)} shuffles (its sampler is a {_name(sampler)}), and rows must come in the same order "
                "in each pass: make it with shuffle=False."
            )


def _is_loader(batches):
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(batches, torch.utils.data.DataLoader)


def _is_named_set(batches):
    """Tell a Hugging Face data set by what it can do: the library is no dependency."""
    return all(hasattr(batches, name) for name in ("column_names", "with_format", "iter"))


def _is_indexed(batches):
    torch = sys.modules.get("torch")
    return (
        torch is not None
        and isinstance(batches, torch.utils.data.Dataset)
        and not isinstance(batches, torch.utils.data.IterableDataset)
    )


def _count(batches):
    """Return the number of rows where it is known beforehand."""
    if (_is_indexed(batches) or _is_named_set(batches)) and hasattr(batches, "__len__"):
        return len(batches)
    return None


def _is_dense(X):
    return isinstance(X, np.ndarray) or not hasattr(X, "indptr")


def _name(thing):
    # what a function is called says more than that it is one
    is_function = callable(thing) and not hasattr(thing, "__iter__")
    return (is_function and getattr(thing, "__name__", None)) or type(thing).__name__
