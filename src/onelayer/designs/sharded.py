"""A design whose rows lie with several processes."""

import itertools

import torch

from onelayer.designs.base import Design
from onelayer.designs.chunked import design_of, joined, merged

__all__ = ["ShardedDesign"]


class ShardedDesign(Design):
    """The rows of all processes of a group, one process's below those of the one before it.

    Parameters
    ----------
    base : Design
        The rows of this process; maybe none.
    group : Group
    counts : sequence of int
        How many rows each process has.
    kept : Kept, optional
        Some of all rows, in the memory of each process.

    Notes
    -----
    Every process calls the same methods in the same order, with the same arguments: those that differ by rounding are made alike
    first. Products with X that have a number for each row are sent to everyone; who sums over rows, as
    :func:`~onelayer.objective.sweep` does, sends the sums only.
    """

    def __init__(self, base, group, counts, kept=None):
        self.base, self.group, self.counts, self.kept = base, group, tuple(counts), kept
        self._ends = tuple(itertools.accumulate(self.counts, initial=0))
        self.rows, self.features = self._ends[-1], base.features
        self.dtype, self.device = base.dtype, base.device
        self.own = slice(*self._ends[group.rank : group.rank + 2])

    @property
    def resident(self):
        return False

    @property
    def reads(self):
        """How often this process read its rows."""
        return self.base.reads

    @property
    def sparse(self):
        return self.base.sparse

    @property
    def stored(self):
        return self._sums(lambda: [torch.tensor(float(self.base.stored))])[0].item()

    @property
    def native(self):
        return self.base.native

    def parts(self):
        if not self.base.rows:
            # A process without rows has sums as well: zeros.
            yield self.own, self.base
            return
        for rows, part in self.base.parts():
            yield slice(self.own.start + rows.start, self.own.start + rows.stop), part

    def scores(self, weight, bias=None):
        weight, bias = self._alike(weight, bias)
        return self.group.rows(self.base.scores(weight, bias), self.counts)

    def adjoint(self, residual):
        return self._sums(lambda: [self.base.adjoint(residual[self.own])])[0].to(self.dtype)

    def swept(self, weight, bias, residual):
        weight, bias = self._alike(weight, bias)
        scores, pulled = self.base.swept(weight, bias, residual[self.own])
        total = self._sums(lambda: [pulled])[0].to(self.dtype)
        return self.group.rows(scores, self.counts), total

    def gram(self, h):
        return self._sums(lambda: [self.base.gram(h[self.own])])[0].to(self.dtype)

    def take(self, index):
        index = index.to(self.device)
        rows = None if self.kept is None else self.kept.rows(index)
        if rows is not None:
            return rows
        mine = (index >= self.own.start) & (index < self.own.stop)
        found = self.group.everyones(lambda: _portable(self.base.take(index[mine] - self.own.start)))
        owners = torch.bucketize(index, torch.tensor(self._ends[1:], device=self.device), right=True)
        back = torch.empty_like(index)
        back[owners.argsort(stable=True)] = torch.arange(len(index), device=self.device)
        return design_of(_joined(found, self.device), self.dtype).take(back)

    def dense(self, index):
        if isinstance(index, slice):
            start, stop, _ = index.indices(self.rows)
            first = self.own.start
            mine = slice(max(start - first, 0), max(min(stop - first, self.base.rows), 0))
            return _joined(self.group.everyones(lambda: self.base.dense(mine).cpu()), self.device)
        return self.take(index).dense(slice(None))

    def block(self, rows, columns=slice(None), out=None):
        """Return the entries of these rows and columns (slices) in `dtype`, written to `out` if that is given."""
        entries = self.dense(rows)[:, columns]
        return entries if out is None else out.copy_(entries)

    def as_dtype(self, dtype):
        kept = None if self.kept is None else self.kept.as_dtype(dtype)
        return ShardedDesign(self.base.as_dtype(dtype), self.group, self.counts, kept)

    def moments(self, sample_weight):
        weight = sample_weight[self.own].double()
        groups = self.group.everyones(lambda: self._moments(weight))
        seen, mean, spread = 0.0, torch.zeros(()), torch.zeros(())
        for other in groups:
            if other[0] > 0:
                seen, mean, spread = merged((seen, mean, spread), other) if seen else other
        return mean.to(self.device), (spread / seen).sqrt().to(self.device)

    def column_norms(self, sample_weight):
        return self._sums(lambda: [self.base.column_norms(sample_weight[self.own]).square()])[0].sqrt()

    def distances(self, centre, scale=None):
        return self.group.rows(self.base.distances(centre, scale), self.counts)

    def _moments(self, weight):
        """Return the weight, the mean and the squared deviations of the rows of this process, on the CPU."""
        own = weight.sum().item()
        if not own:
            return 0.0, None, None
        mean, deviation = self.base.moments(weight)
        return own, mean.cpu(), (own * deviation.square()).cpu()

    def _sums(self, work):
        return self.group.summed(work)

    def _alike(self, weight, bias):
        return (*self.group.alike(weight), None) if bias is None else self.group.alike(weight, bias)


def _portable(design):
    """Return the rows of a design as something that can be sent."""
    return design.matrix.to("cpu") if design.sparse else design.dense(slice(None)).cpu()


def _joined(parts, device):
    """Return the rows that several processes have sent."""
    some = [part for part in parts if (len(part) if isinstance(part, torch.Tensor) else part.rows)]
    return joined(some or parts[:1]).to(device)
