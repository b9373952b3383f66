"""A design whose columns are centred and scaled on the fly."""

import torch

from onelayer.designs.base import Design

__all__ = ["StandardizedDesign"]


class StandardizedDesign(Design):
    """(X − mean) / scale, never formed: the products of X are corrected instead.

    Parameters
    ----------
    base : Design
    mean, scale : float64 tensors of shape (features,)
        Columns of zero scale must come with scale 1 (they are then zero after centring).
    """

    def __init__(self, base, mean, scale):
        self.base = base
        self.rows, self.features = base.rows, base.features
        self.dtype, self.device = base.dtype, base.device
        self.mean, self.scale = mean, scale
        self._mean, self._scale = mean.to(base.dtype), scale.to(base.dtype)

    @property
    def native(self):
        return self.base.native

    @property
    def resident(self):
        return self.base.resident

    @property
    def reads(self):
        return self.base.reads

    @property
    def group(self):
        return self.base.group

    @property
    def kept(self):
        """Of a base that is not in memory, the rows that are."""
        kept = self.base.kept
        return kept and type(kept)(
            kept.index, kept.factor, StandardizedDesign(kept.design, self.mean, self.scale)
        )

    def parts(self):
        for rows, part in self.base.parts():
            yield rows, StandardizedDesign(part, self.mean, self.scale)

    @property
    def sparse(self):
        return self.base.sparse

    @property
    def stored(self):
        return self.base.stored

    def scores(self, weight, bias=None):
        return self.base.scores(*self._unfolded(weight, bias))

    def adjoint(self, residual):
        return self._folded(self.base.adjoint(residual), residual)

    def swept(self, weight, bias, residual):
        scores, pulled = self.base.swept(*self._unfolded(weight, bias), residual)
        return scores, self._folded(pulled, residual)

    def gram(self, h):
        column = self.base.adjoint(h.unsqueeze(1)).squeeze(0)
        mean = self._mean
        centred = self.base.gram(h) - column.outer(mean) - mean.outer(column) + h.sum() * mean.outer(mean)
        return centred / self._scale.outer(self._scale)

    def block(self, rows, columns=slice(None), out=None):
        """Return the standardised entries of these rows and columns (slices), written to `out` if that is given."""
        block = self.base.block(rows, columns, out)
        return torch.sub(block, self._mean[columns], out=out).div_(self._scale[columns])

    def select(self, index):
        """Return the design of these features (a tensor of their numbers)."""
        return StandardizedDesign(self.base.select(index), self.mean[index], self.scale[index])

    def take(self, index):
        return StandardizedDesign(self.base.take(index), self.mean, self.scale)

    def dense(self, index):
        return (self.base.dense(index) - self._mean) / self._scale

    def columns(self, index):
        return (self.base.columns(index) - self._mean[index]) / self._scale[index]

    def as_dtype(self, dtype):
        return StandardizedDesign(self.base.as_dtype(dtype), self.mean, self.scale)

    def moments(self, sample_weight):
        mean, deviation = self.base.moments(sample_weight)
        return (mean - self.mean) / self.scale, deviation / self.scale

    def column_norms(self, sample_weight):
        if not sample_weight.any():
            return torch.zeros_like(self.mean)
        mean, deviation = self.moments(sample_weight)
        return (sample_weight.double().sum() * (mean.square() + deviation.square())).sqrt()

    def distances(self, centre, scale=None):
        scale = self.scale if scale is None else scale * self.scale
        return self.base.distances(self.mean + self.scale * centre, scale)

    def _unfolded(self, weight, bias):
        """Return weights and biases that give the same scores on the base."""
        weight = weight / self._scale
        shift = -(weight @ self._mean)
        return weight, shift if bias is None else bias + shift

    def _folded(self, pulled, residual):
        """Return Rᵀ X from what R gives on the base."""
        return (pulled - residual.sum(dim=0).unsqueeze(1) * self._mean) / self._scale
