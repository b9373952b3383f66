"""A design whose rows do not fit into memory: every product is one read of them."""

from typing import Any

import torch

from onelayer.designs.base import Design
from onelayer.designs.compressed import Compressed
from onelayer.designs.dense import DenseDesign
from onelayer.designs.sparse import SparseDesign

__all__ = ["ChunkedDesign", "Kept"]


class Kept:
    """Rows of a larger design that are held in memory, drawn at random in the first read.

    Attributes
    ----------
    index : int64 tensor of shape (m,)
        Their numbers, rising.
    factor : float64 tensor of shape (m,)
        One over the chance that each had: how many rows it stands for.
    design : Design
    """

    def __init__(self, index, factor, design):
        self.index, self.factor, self.design = index, factor, design

    def as_dtype(self, dtype):
        """Return the same rows with products in another arithmetic."""
        return Kept(self.index, self.factor, self.design.as_dtype(dtype))

    def rows(self, index):
        """Return the design of these rows of the larger design, or None where they are not all among those that are held."""
        if not len(index) or not len(self.index):
            return None
        places = torch.searchsorted(self.index, index.contiguous()).clamp(max=len(self.index) - 1)
        return self.design.take(places) if bool((self.index[places] == index).all()) else None


class ChunkedDesign(Design):
    """Blocks of rows that are read anew, from files or from whatever gives the same rows each time.

    Parameters
    ----------
    feed : Feed
        That was read once.
    dtype : torch.dtype, optional
        Arithmetic of the products; default: that which suits the storage.
    kept : Kept, optional
        Some of the rows, in memory.

    Notes
    -----
    Each method is one read, :meth:`parts` as well: who needs several products of the same rows takes them from there.
    Only `take` of rows that are all among those kept reads nothing, and of a source that can seek no others than these.
    """

    def __init__(self, feed, dtype=None, kept=None):
        self.feed, self.kept = feed, kept
        self._cursor = _Cursor(feed)
        self.rows, self.features, self.device = feed.rows, feed.features, feed.device
        self.dtype = dtype or self.native
        if kept is not None:
            self.kept = kept.as_dtype(self.dtype)

    @property
    def resident(self):
        return False

    @property
    def reads(self):
        return self.feed.reads

    @property
    def sparse(self):
        return self.feed.source.sparse

    @property
    def stored(self):
        return self.feed.stored

    @property
    def native(self):
        return torch.float64 if self.feed.source.dtype == torch.float64 else torch.float32

    def parts(self):
        self._cursor.close()
        for rows, X in self.feed.blocks():
            # Converted once for all products of a block, which is small enough for the cache.
            dense = isinstance(X, torch.Tensor)
            yield rows, design_of(X.to(self.dtype) if dense else X, self.dtype)

    def scores(self, weight, bias=None):
        total = torch.empty(self.rows, len(weight), dtype=self.dtype, device=self.device)
        for rows, part in self.parts():
            total[rows] = part.scores(weight, bias)
        return total

    def adjoint(self, residual):
        total = torch.zeros(residual.shape[1], self.features, dtype=torch.float64, device=self.device)
        for rows, part in self.parts():
            total += part.adjoint(residual[rows])
        return total.to(self.dtype)

    def swept(self, weight, bias, residual):
        scores = torch.empty(self.rows, len(weight), dtype=self.dtype, device=self.device)
        total = torch.zeros(residual.shape[1], self.features, dtype=torch.float64, device=self.device)
        for rows, part in self.parts():
            own, pulled = part.swept(weight, bias, residual[rows])
            scores[rows] = own
            total += pulled
        return scores, total.to(self.dtype)

    def gram(self, h):
        total = torch.zeros(self.features, self.features, dtype=torch.float64, device=self.device)
        for rows, part in self.parts():
            total += part.gram(h[rows])
        return total.to(self.dtype)

    def take(self, index):
        index = index.to(self.device)
        if not len(index):
            empty = torch.empty(0, self.features, dtype=self.native, device=self.device)
            return DenseDesign(empty, self.dtype)
        rows = None if self.kept is None else self.kept.rows(index)
        if rows is not None:
            return rows
        different, places = torch.unique(index, return_inverse=True)
        fetched = self.feed.fetch(different)
        if fetched is not None:
            return design_of(fetched, self.dtype).take(places)
        order = index.argsort(stable=True)
        rising, found, high = index[order], [], 0
        for rows, X in self.feed.blocks():
            low, high = torch.searchsorted(
                rising, torch.tensor([rows.start, rows.stop], device=self.device)
            ).tolist()
            if high > low:
                own = rising[low:high] - rows.start
                found.append(X.take(own) if isinstance(X, Compressed) else X[own])
            if high == len(rising):
                break
        back = torch.empty_like(order)
        back[order] = torch.arange(len(order), device=self.device)
        return design_of(joined(found), self.dtype).take(back)

    def dense(self, index):
        if isinstance(index, slice):
            start, stop, _ = index.indices(self.rows)
            if stop <= start:
                return self.take(torch.zeros(0, dtype=torch.long)).dense(slice(None))
            return design_of(self._cursor.rows(start, stop), self.dtype).dense(slice(None))
        return self.take(index).dense(slice(None))

    def block(self, rows, columns=slice(None), out=None):
        """Return the entries of these rows and columns (slices) in `dtype`, written to `out` if that is given.

        Slices that follow each other cost one read together.
        """
        entries = self.dense(rows)[:, columns]
        return entries if out is None else out.copy_(entries)

    def as_dtype(self, dtype):
        return ChunkedDesign(self.feed, dtype, self.kept)

    def moments(self, sample_weight):
        weight = sample_weight.double()
        total = torch.zeros(3, self.features, dtype=torch.float64, device=self.device)
        seen, mean, spread = 0.0, total[0], total[1]
        for rows, part in self.as_dtype(torch.float64).parts():
            own = weight[rows].sum().item()
            if own > 0:
                middle, deviation = part.moments(weight[rows])
                seen, mean, spread = merged((seen, mean, spread), (own, middle, own * deviation.square()))
        return mean, (spread / seen).sqrt()

    def column_norms(self, sample_weight):
        total = torch.zeros(self.features, dtype=torch.float64, device=self.device)
        for rows, part in self.parts():
            total += part.column_norms(sample_weight[rows]).square()
        return total.sqrt()

    def distances(self, centre, scale=None):
        return torch.cat([part.distances(centre, scale) for _, part in self.as_dtype(torch.float64).parts()])


class _Cursor:
    """Rows in the order in which they are asked for: a read goes on where the last slice ended."""

    def __init__(self, feed):
        self._feed = feed
        self._blocks: Any = None
        self._current: Any = None

    def close(self):
        """Let go of the read, and of the files that it has open."""
        if self._blocks is not None:
            self._blocks.close()
        self._blocks = self._current = None

    def rows(self, start, stop):
        """Return rows start … stop as a tensor or as Compressed rows."""
        if self._current is None or start < self._current[0].start:
            self.close()
            self._blocks = self._feed.blocks()
        found = []
        while True:
            if self._current is None or self._current[0].stop <= start:
                self._current = next(self._blocks)
                continue
            here, X = self._current
            own = slice(start - here.start, min(stop, here.stop) - here.start)
            found.append(X.take(own) if isinstance(X, Compressed) else X[own])
            start = min(stop, here.stop)
            if start == stop:
                break
        if stop == self._feed.rows:
            self.close()
        return found[0] if len(found) == 1 else joined(found)


def design_of(X, dtype):
    """Return the design of a block."""
    if isinstance(X, Compressed):
        # One product or two are made of it: its transpose would cost more than it saves.
        return SparseDesign(X, dtype, flips=False)
    return DenseDesign(X, dtype)


def joined(parts):
    """Return blocks of rows as one."""
    if not isinstance(parts[0], Compressed):
        return torch.cat(parts)
    ends = torch.tensor([0] + [len(part.places) for part in parts[:-1]]).cumsum(0).tolist()
    starts = [part.starts[:-1].long() + end for part, end in zip(parts, ends, strict=True)]
    last = torch.tensor([ends[-1] + len(parts[-1].places)], device=starts[0].device)
    return Compressed(
        torch.cat([*starts, last]),
        torch.cat([part.places for part in parts]),
        torch.cat([part.values for part in parts]),
        parts[0].columns,
    )


def merged(one, two):
    """Return (weight, mean, Σ weight (x − mean)²) of two groups of rows together.

    References
    ----------
    T. Chan, G. Golub, R. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """
    (first, mean, spread), (second, other, more) = one, two
    total = first + second
    apart = other - mean
    return total, mean + apart * (second / total), spread + more + apart.square() * (first * second / total)
