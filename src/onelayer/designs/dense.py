"""A design that is one tensor in memory."""

import torch

from onelayer.designs import products
from onelayer.designs.base import Design

__all__ = ["DenseDesign"]

# Bytes of one converted block: it stays in the cache between conversion and product. On 60,000 x 784 float32 a float64
# product took 86 ms with blocks of 3 MB and 220 ms with blocks of 50 MB.
_BLOCK_BYTES = {"cpu": 3 * 2**20}
_DEVICE_BLOCK_BYTES = 2**28


class DenseDesign(Design):
    """Rows in one tensor of any dtype; products in `dtype`.

    Where storage and arithmetic differ (uint8 pixels, a float64 certificate of float32 data) the products convert a
    block of rows at a time, so a second copy of X never exists.

    Parameters
    ----------
    X : tensor of shape (rows, features)
    dtype : torch.dtype, optional
        Arithmetic of the products; default: the dtype of X if it is float32 or float64, else float32.
    """

    def __init__(self, X, dtype=None):
        self.X = X
        self.rows, self.features = X.shape
        self.device = X.device
        self.dtype = dtype or self.native

    @property
    def native(self):
        return torch.float64 if self.X.dtype == torch.float64 else torch.float32

    def scores(self, weight, bias=None):
        if self.X.dtype == self.dtype or not self.rows:
            return products.scores(self.X.to(self.dtype), weight, bias)
        total = torch.empty(self.rows, len(weight), dtype=self.dtype, device=self.device)
        for rows, block in self._blocks():
            torch.mm(block, weight.T, out=total[rows])
        return total if bias is None else total.add_(bias)

    def adjoint(self, residual):
        if self.X.dtype == self.dtype:
            return products.adjoint(residual, self.X)
        total = torch.zeros(residual.shape[1], self.features, dtype=self.dtype, device=self.device)
        for rows, block in self._blocks():
            total.addmm_(residual[rows].T, block)
        return total

    def swept(self, weight, bias, residual):
        if self.X.dtype == self.dtype:
            return super().swept(weight, bias, residual)
        scores = torch.empty(self.rows, len(weight), dtype=self.dtype, device=self.device)
        total = torch.zeros_like(weight)
        for rows, block in self._blocks():
            torch.mm(block, weight.T, out=scores[rows])
            total.addmm_(residual[rows].T, block)
        return scores.add_(bias), total

    def gram(self, h):
        total = torch.zeros(self.features, self.features, dtype=self.dtype, device=self.device)
        for rows, block in self._blocks():
            total.addmm_((block * h[rows].unsqueeze(1)).T, block)
        return total

    def block(self, rows, columns=slice(None), out=None):
        """Return the entries of these rows and columns (slices) in `dtype`, written to `out` if that is given.

        Otherwise they are a view where X is in that dtype already.
        """
        entries = self.X[rows, columns]
        return entries.to(self.dtype) if out is None else out.copy_(entries)

    def take(self, index):
        return DenseDesign(self.X[index], self.dtype)

    def dense(self, index):
        return self.X[index].to(self.dtype)

    def columns(self, index):
        return self.X[:, index].to(self.dtype)

    def as_dtype(self, dtype):
        return DenseDesign(self.X, dtype)

    def moments(self, sample_weight):
        wide = self.as_dtype(torch.float64)
        share = sample_weight.double() / sample_weight.double().sum()
        mean = wide.adjoint(share.unsqueeze(1)).squeeze(0)
        # Two passes: E[x²] − E[x]² loses all digits of a column that is far from zero.
        variance = torch.zeros_like(mean)
        for rows, block in wide._blocks():
            variance += share[rows] @ (block - mean).square()
        return mean, variance.sqrt()

    def column_norms(self, sample_weight):
        total = torch.zeros(self.features, dtype=torch.float64, device=self.device)
        for rows, block in self.as_dtype(torch.float64)._blocks():
            total += sample_weight[rows].double() @ block.square_()
        return total.sqrt()

    def _blocks(self):
        """Yield slices of rows and these rows in the dtype of the products, each in the place of the one before."""
        space = _BLOCK_BYTES.get(self.device.type, _DEVICE_BLOCK_BYTES)
        size = max(64, space // (self.features * self.dtype.itemsize or 1))
        space = torch.empty(min(size, self.rows), self.features, dtype=self.dtype, device=self.device)
        for start in range(0, self.rows, size):
            rows = slice(start, min(start + size, self.rows))
            block = space[: rows.stop - rows.start]
            yield rows, block.copy_(self.X[rows])
