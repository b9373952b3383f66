"""A design whose zeros are not stored."""

import functools

import torch

from onelayer.designs.base import Design
from onelayer.designs.compressed import Compressed

__all__ = ["SparseDesign"]

# Up to this many rows (a mini-batch) the entries are scattered: to transpose them would take a step for each column.
_FEW_ROWS = 1024
# Numbers of one dense block of rows.
_BLOCK_NUMBERS = 2**21


class SparseDesign(Design):
    """Compressed rows, and compressed columns beside them: one orientation for each of the two products.

    Nothing of it is ever filled in but blocks of few rows, for those who ask for them.

    Parameters
    ----------
    matrix : Compressed
        X.
    dtype : torch.dtype, optional
        Arithmetic of the products; default: float64 for float64 values, else float32.
    flipped : Compressed, optional
        Xᵀ, if it is known.
    flips : bool, default True
        Whether Xᵀ may be kept, which doubles the memory of X. Otherwise blocks of rows are transposed anew for each product.
    """

    def __init__(self, matrix, dtype=None, flipped=None, *, flips=True):
        self.matrix, self._flips = matrix, flips
        self.rows, self.features = matrix.rows, matrix.columns
        self.device = matrix.values.device
        self.dtype = dtype or self.native
        if flipped is not None:
            self._flipped = flipped

    @property
    def sparse(self):
        return True

    @property
    def stored(self):
        return len(self.matrix.values)

    @property
    def native(self):
        return torch.float64 if self.matrix.values.dtype == torch.float64 else torch.float32

    @functools.cached_property
    def _flipped(self):
        return self.matrix.transposed()

    def _columns(self):
        """Yield slices of rows and Xᵀ for them: all rows at once where Xᵀ is kept."""
        if self._flips or "_flipped" in vars(self):
            yield slice(0, self.rows), self._flipped
            return
        for rows, _ in self.matrix.blocks():
            yield rows, self.matrix.take(rows).transposed()

    def scores(self, weight, bias=None):
        scores = self.matrix.times(weight.T)
        return scores if bias is None else scores.add_(bias)

    def adjoint(self, residual):
        if self.rows <= _FEW_ROWS and "_flipped" not in vars(self):
            return self._scattered(residual)
        parts = (columns.times(residual[rows]) for rows, columns in self._columns())
        total = next(parts)
        for part in parts:
            total += part
        return total.T.contiguous()

    def _scattered(self, residual):
        total = residual.new_zeros(self.features, residual.shape[1])
        terms = self.matrix.values.to(residual.dtype).unsqueeze(1) * residual[self.matrix.row_of_each()]
        return total.index_add_(0, self.matrix.places, terms).T.contiguous()

    def gram(self, h):
        total = torch.zeros(self.features, self.features, dtype=self.dtype, device=self.device)
        for rows, columns in self._columns():
            total += _weighted_gram(columns, h[rows].to(self.dtype), self.dtype)
        return total

    def select(self, index):
        """Return the design of these features (a tensor of their numbers)."""
        if self._flips or "_flipped" in vars(self):
            flipped = self._flipped.take(index)
            return SparseDesign(flipped.transposed(), self.dtype, flipped)
        parts = [columns.take(index).transposed() for _, columns in self._columns()]
        offsets = torch.tensor([0, *(len(part.places) for part in parts)], device=self.device).cumsum(0)
        starts = [part.starts[:-1] + offset for part, offset in zip(parts, offsets[:-1], strict=True)]
        matrix = Compressed(
            torch.cat([*starts, offsets[-1:].to(starts[0].dtype)]),
            torch.cat([part.places for part in parts]),
            torch.cat([part.values for part in parts]),
            len(index),
        )
        return SparseDesign(matrix, self.dtype, flips=False)

    def columns(self, index):
        return self.select(index).dense(slice(None))

    def block(self, rows, columns=slice(None), out=None):
        """Return the entries of these rows and columns (slices) in `dtype`, written to `out` if that is given."""
        dense = self.dense(rows)[:, columns]
        return dense if out is None else out.copy_(dense)

    def take(self, index):
        return SparseDesign(self.matrix.take(index), self.dtype, flips=self._flips)

    def dense(self, index):
        return self.matrix.take(index).to_dense(self.dtype)

    def as_dtype(self, dtype):
        same = SparseDesign(self.matrix, dtype, vars(self).get("_flipped"), flips=self._flips)
        if self._flips:
            # Transposed once for all arithmetics.
            same._flipped = self._flipped
        return same

    def moments(self, sample_weight):
        weight = sample_weight.double().unsqueeze(1)
        total = weight.sum()
        mean = self._sums(weight) / total
        # Entries and zeros are looked at apart, both from the mean: no difference of large numbers.
        seen = self._sums(weight, lambda values, mean: torch.ones_like(values))
        spread = self._sums(weight, lambda values, mean: (values - mean).square(), mean)
        variance = spread + (total - seen).clamp(min=0) * mean.square()
        return mean, (variance / total).sqrt()

    def column_norms(self, sample_weight):
        weight = sample_weight.double().unsqueeze(1)
        return self._sums(weight, lambda values, mean: values.square()).sqrt()

    def distances(self, centre, scale=None):
        # ‖x − c‖² = ‖x‖² − 2 x·c + ‖c‖²: no row is filled in.
        metric = torch.ones_like(centre) if scale is None else scale.reciprocal().square()
        size = (metric * centre.square()).sum()
        squares = self.matrix.times(metric.unsqueeze(1), lambda values, rows: values.square()).squeeze(1)
        inner = self.matrix.times((metric * centre).unsqueeze(1)).squeeze(1)
        # The three may cancel: what rounding can hide of their sum is added.
        slack = 8 * torch.finfo(torch.float64).eps * self.features**0.5 * (squares + size)
        return (squares - 2 * inner + size).clamp(min=0).add(slack).sqrt()

    def _sums(self, weight, change=None, mean=None):
        """Return Σ_i s_i f(x_ij) over the entries of each column, float64; f sees a block of values, and their means."""
        total = torch.zeros(self.features, dtype=torch.float64, device=self.device)
        for rows, columns in self._columns():

            def changed(values, features, columns=columns):
                own = None if mean is None else mean[features][columns.row_of_each(features)]
                return values if change is None else change(values, own)

            total += columns.times(weight[rows], changed).squeeze(1)
        return total


def _weighted_gram(columns, h, dtype):
    """Return C diag(h) Cᵀ for compressed columns C of X."""
    values = columns.values.to(dtype) * h[columns.places.long()]
    weighted = Compressed(columns.starts, columns.places, values, columns.columns)
    if h.device.type == "cpu":
        # A product of two sparse matrices: its work is the square of each row's entries, not of all features.
        plain = Compressed(columns.starts, columns.places, columns.values.to(dtype), columns.columns)
        return torch.from_numpy((weighted.to_scipy() @ plain.to_scipy().T).toarray())
    total = torch.empty(len(columns.starts) - 1, len(columns.starts) - 1, dtype=dtype, device=h.device)
    size = max(1, _BLOCK_NUMBERS // columns.columns)
    for low in range(0, columns.rows, size):
        part = slice(low, min(low + size, columns.rows))
        total[:, part] = weighted.times(columns.take(part).to_dense(dtype).T)
    return total
