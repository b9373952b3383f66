"""A design that is one tensor in memory."""

import torch

from onelayer.designs import products
from onelayer.designs.base import Design

__all__ = ["DenseDesign"]

# Rows in one converted block: 8192 x 784 float64 are 50 MB, small beside any X that is worth converting in blocks.
_BLOCK = 8192


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
        self.dtype = dtype or (X.dtype if X.dtype in (torch.float32, torch.float64) else torch.float32)

    def scores(self, weight, bias=None):
        if self.X.dtype == self.dtype or not self.rows:
            return products.scores(self.X.to(self.dtype), weight, bias)
        return torch.cat([products.scores(block, weight, bias) for _, block in self._blocks()])

    def adjoint(self, residual):
        if self.X.dtype == self.dtype:
            return products.adjoint(residual, self.X)
        total = torch.zeros(residual.shape[1], self.features, dtype=self.dtype, device=self.device)
        for rows, block in self._blocks():
            total.addmm_(residual[rows].T, block)
        return total

    def gram(self, h):
        total = torch.zeros(self.features, self.features, dtype=self.dtype, device=self.device)
        for rows, block in self._blocks():
            total.addmm_((block * h[rows].unsqueeze(1)).T, block)
        return total

    def take(self, index):
        return DenseDesign(self.X[index], self.dtype)

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
            total += sample_weight[rows].double() @ block.square()
        return total.sqrt()

    def _blocks(self):
        for start in range(0, self.rows, _BLOCK):
            rows = slice(start, start + _BLOCK)
            yield rows, self.X[rows].to(self.dtype)
