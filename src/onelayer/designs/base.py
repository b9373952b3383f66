"""The three products that fitting a linear model needs."""

import abc

import torch

from onelayer.processes import ALONE

__all__ = ["Design"]

# Numbers of one block of rows that are filled in at a time.
_BLOCK_NUMBERS = 2**21


class Design(abc.ABC):
    """A data matrix X of shape (rows, features), known only by its products.

    Losses, solvers and certificates see nothing else, so dense, sparse, larger-than-memory and sharded data differ
    only here. (The idea of a matrix as three products is glum's and tabmat's.)

    Attributes
    ----------
    rows, features : int
    dtype : torch.dtype
        The arithmetic of the products; storage may be narrower.
    device : torch.device
    """

    rows: int
    features: int
    dtype: torch.dtype
    device: torch.device
    # Of rows that are not in memory, those that are.
    kept = None
    # The processes that hold rows of it.
    group = ALONE

    @property
    def sparse(self):
        """Whether zeros are not stored, so that many features do not mean many numbers."""
        return False

    @property
    def stored(self):
        """How many numbers are stored."""
        return self.rows * self.features

    @property
    def resident(self):
        """Whether all rows are in memory, so that a product costs arithmetic and no reading."""
        return True

    @property
    def reads(self):
        """How often the rows were read from where they are kept; 0 where they are in memory."""
        return 0.0

    def parts(self):
        """Yield slices of rows and the designs of these rows, in one read: all of them at once where they are in memory.

        Of several processes each yields its own: sums over all rows are those of ``group``.
        """
        yield slice(0, self.rows), self

    @property
    @abc.abstractmethod
    def native(self):
        """The arithmetic that suits the storage: float64 for float64, float32 for all others."""

    @abc.abstractmethod
    def scores(self, weight, bias=None):
        """Return X Wᵀ + b, shape (rows, outputs)."""

    @abc.abstractmethod
    def adjoint(self, residual):
        """Return Rᵀ X, shape (outputs, features), for R of shape (rows, outputs)."""

    def swept(self, weight, bias, residual):
        """Return `scores` and `adjoint`, in one read of X where a read is dear."""
        return self.scores(weight, bias), self.adjoint(residual)

    @abc.abstractmethod
    def gram(self, h):
        """Return Xᵀ diag(h) X, shape (features, features), for h of shape (rows,)."""

    @abc.abstractmethod
    def take(self, index):
        """Return the design of these rows (a tensor of row numbers)."""

    @abc.abstractmethod
    def dense(self, index):
        """Return these few rows as one dense tensor in the design's dtype."""

    def columns(self, index):
        """Return these few columns (a tensor of column numbers) as one dense tensor of shape (rows, len(index)).

        Here as products with unit vectors, which every storage has; one that reads columns faster overrides it.
        """
        units = torch.zeros(len(index), self.features, dtype=self.dtype, device=self.device)
        units.scatter_(1, index.unsqueeze(1), 1.0)
        return self.scores(units)

    @abc.abstractmethod
    def as_dtype(self, dtype):
        """Return the same data with products in another arithmetic; storage is shared, never copied."""

    @abc.abstractmethod
    def moments(self, sample_weight):
        """Return the weighted mean and standard deviation of each feature, float64, shape (features,) each."""

    @abc.abstractmethod
    def column_norms(self, sample_weight):
        """Return (Σ_i s_i x_ij²)^½ for each feature, float64, shape (features,)."""

    def distances(self, centre, scale=None):
        """Return ‖(x_i − centre) / scale‖ for each row, float64, or an upper bound that differs by rounding only."""
        scale = torch.ones_like(centre) if scale is None else scale
        size = max(1, _BLOCK_NUMBERS // self.features)
        parts = (slice(start, start + size) for start in range(0, self.rows, size))
        return torch.cat([((self.dense(part) - centre) / scale).norm(dim=1) for part in parts])
