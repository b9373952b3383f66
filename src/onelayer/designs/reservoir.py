"""Which rows of a stream stay in memory, decided while they pass by once."""

import math
from typing import Any

import numpy as np
import torch

from onelayer.designs.chunked import Kept, design_of, joined
from onelayer.designs.compressed import Compressed

__all__ = ["Reservoir", "enough_rows", "hashed"]

# Of the rows of a stream that does not fit, the share that serves as well as more, and rows for each feature at least.
_ENOUGH, _PER_FEATURE = 1 / 8, 200
# Rows that stay at least, about: of fewer there might be none by chance.
_LEAST = 32
# How much larger than wanted a sample may grow before rows are let go, and how many move at a time.
_SLACK, _AT_ONCE = 1.25, 2**14


class Reservoir:
    """A sample of rows, half of it alike for all rows and half alike for all classes, so that no class is missing.

    Each row has a number between 0 and 1, a hash of its place, and stays if that is below the chance of its class,
    m (½/n + ½/(K n_k)). Chances only fall as more rows come, so rows that were let go are never missed; and since nothing
    but places and labels decides, the same rows stay however the stream is cut into blocks. A sample that is larger than the
    stream is the stream.

    Parameters
    ----------
    bytes_allowed : int
        For the rows that stay.
    bytes_per_output : int
        What a row costs for each class besides its features.
    expected : int, optional
        How many rows the stream has, if that is known: where not all fit, an eighth of them is enough.
    start : int
        The place of the first row.
    among : int
        How many processes draw such samples, which are one sample together. Of several the rows are never all kept, as each
        would then do the work of all.
    """

    def __init__(self, bytes_allowed, bytes_per_output=0, expected=None, start=0, among=1):
        self._allowed, self._per_output, self._expected = bytes_allowed, bytes_per_output, expected
        self._next = self._start = start
        self._among = among
        self._tally = np.zeros(1, dtype=np.int64)
        self._row_bytes = 0.0
        self._places = np.zeros(0, dtype=np.int64)
        self._draws, self._labels = np.zeros(0), np.zeros(0, dtype=np.int64)
        self._features = 0
        self._rows: Any = None

    def add(self, X, labels=None):
        """Let rows pass by: X as a tensor or as Compressed rows, and whole numbers for their classes."""
        sparse = isinstance(X, Compressed)
        count = X.rows if sparse else len(X)
        labels = np.zeros(count, dtype=np.int64) if labels is None else np.asarray(labels, dtype=np.int64)
        seen = self._seen
        self._tally = np.bincount(labels, minlength=len(self._tally)) + _padded(self._tally, labels)
        own = X.values.nbytes + X.places.nbytes if sparse else X.numel() * X.element_size()
        # Never less than before: chances only fall.
        self._row_bytes = max(self._row_bytes, (self._row_bytes * seen + own) / self._seen)
        if self._rows is None:
            self._rows = _Parts() if sparse else _Space(X)
        places = np.arange(self._next, self._next + count)
        self._next += count
        draws, chances = hashed(places), self._chances(X)
        chosen = np.flatnonzero(draws < chances[labels])
        # Room first: those that go are not to lie beside those that come.
        self._let_go(chances, len(chosen))
        if len(chosen):
            self._rows.add(X, torch.from_numpy(chosen))
            self._places = np.concatenate([self._places, places[chosen]])
            self._draws = np.concatenate([self._draws, draws[chosen]])
            self._labels = np.concatenate([self._labels, labels[chosen]])

    def finish(self, dtype, device):
        """Return the rows that stay as Kept."""
        chances = self._chances(None)
        self._let_go(chances)
        index = torch.from_numpy(self._places - self._start).to(device)
        factor = torch.from_numpy(1 / chances[self._labels]).to(device)
        return Kept(index, factor, design_of(self._rows.taken().to(device), dtype))

    @property
    def _seen(self):
        return int(self._tally.sum())

    def _chances(self, X):
        """Return the chance of a row of each class."""
        there = self._tally > 0
        wanted = self._allowed / (self._row_bytes + int(there.sum()) * self._per_output)
        if self._expected is not None and (wanted < self._expected or self._among > 1):
            features = 0 if X is None else X.shape[1] if isinstance(X, torch.Tensor) else X.columns
            self._features = features or self._features
            enough = enough_rows(self._expected, self._features) / math.sqrt(self._among)
            wanted = min(wanted, enough)
        sizes = np.where(there, self._tally, 1)
        chances = max(_LEAST, wanted) * (0.5 / self._seen + 0.5 / (there.sum() * sizes))
        return np.minimum(chances, 1.0)

    def _let_go(self, chances, coming=0):
        stay = self._draws < chances[self._labels]
        # Now and then, or at the end: each time moves all rows that stay.
        if stay.all() or (coming and len(stay) + coming <= _SLACK * stay.sum() + 100):
            return
        self._rows.keep(stay)
        self._places, self._draws, self._labels = self._places[stay], self._draws[stay], self._labels[stay]


class _Space:
    """Dense rows in one piece of memory that is made once: what grows by pieces leaves holes behind."""

    def __init__(self, X):
        self._count = 0
        self._like, self._space = X[:0].clone(), X[:0].clone()

    def add(self, X, index):
        """Append these rows of a block."""
        count = self._count + len(index)
        if count > len(self._space):
            # Memory that was never written to costs nothing, so twice the room is no waste.
            wider = self._like.new_empty(2 * count, self._like.shape[1])
            wider[: self._count] = self._space[: self._count]
            self._space = wider
        torch.index_select(X, 0, index, out=self._space[self._count : count])
        self._count = count

    def keep(self, stay):
        """Let go of all others, in place."""
        index, done = torch.from_numpy(np.flatnonzero(stay)), 0
        for some in index.split(_AT_ONCE):
            self._space[done : done + len(some)] = self._space[some]
            done += len(some)
        self._count = done

    def taken(self):
        """Return the rows."""
        return self._space[: self._count]


class _Parts:
    """Sparse rows, a piece for each block."""

    def __init__(self):
        self._parts = []

    def add(self, X, index):
        """Append these rows of a block."""
        self._parts.append(X.take(index))

    def keep(self, stay):
        """Let go of all others."""
        ends = np.cumsum([part.rows for part in self._parts])
        masks = np.split(stay, ends[:-1])
        self._parts = [
            part.take(torch.from_numpy(np.flatnonzero(mask)))
            for part, mask in zip(self._parts, masks, strict=True)
        ]

    def taken(self):
        """Return the rows."""
        return joined(self._parts)


def enough_rows(expected, features):
    """Return how many of so many rows serve as well as more, where not all of them stay.

    Of several processes each works with the samples of all, so that this is to be shared by them.
    """
    return max(_ENOUGH * expected, _PER_FEATURE * features)


def _padded(tally, labels):
    wider = np.zeros(max(len(tally), int(labels.max(initial=0)) + 1), dtype=np.int64)
    wider[: len(tally)] = tally
    return wider


def hashed(places):
    """Return a number in [0, 1) for each place, as if drawn at random (splitmix64, S. Vigna)."""
    with np.errstate(over="ignore"):
        word = places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(0x9E3779B97F4A7C15)
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        word ^= word >> np.uint64(31)
    return (word >> np.uint64(11)).astype(np.float64) * math.ldexp(1.0, -53)
