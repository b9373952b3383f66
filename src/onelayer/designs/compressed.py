"""Compressed sparse rows: the few operations on them that a sparse design is made of."""

import dataclasses
import warnings

import torch

__all__ = ["Compressed"]

# Entries that are converted, or gathered, at a time: what the step holds beside the matrix.
_ENTRIES = 2**18


@dataclasses.dataclass(frozen=True)
class Compressed:
    """A matrix as its entries row by row (CSR); no two entries share a place.

    Attributes
    ----------
    starts : integer tensor of shape (rows + 1,)
        Where each row's entries begin.
    places : integer tensor of shape (entries,)
        Their columns.
    values : floating tensor of shape (entries,)
    columns : int
    """

    starts: torch.Tensor
    places: torch.Tensor
    values: torch.Tensor
    columns: int

    @property
    def rows(self):
        return len(self.starts) - 1

    @property
    def is_sound(self):
        """Whether the index arrays describe a matrix; products with others read memory that is not theirs."""
        starts, places = self.starts, self.places
        sound = len(starts) > 0 and len(places) == len(self.values) and int(starts[0]) == 0
        sound = sound and int(starts[-1]) == len(places) and bool((starts.diff() >= 0).all())
        return sound and (not len(places) or (int(places.min()) >= 0 and int(places.max()) < self.columns))

    def to(self, device):
        """Return the same matrix on another device."""
        parts = (self.starts.to(device), self.places.to(device), self.values.to(device))
        return Compressed(*parts, columns=self.columns)

    def times(self, dense, change=None):
        """Return M D for D of shape (columns, m), in the dtype of D; `change` maps a block of values first.

        Where the arithmetic is another one than the storage, values are converted block by block.
        """
        dense = dense.contiguous()
        if change is None and self.values.dtype == dense.dtype:
            return _product(self.starts, self.places, self.values, dense)
        total = dense.new_empty(self.rows, dense.shape[1])
        for rows, entries in self.blocks():
            values = self.values[entries].to(dense.dtype)
            values = values if change is None else change(values, rows)
            starts = self.starts[rows.start : rows.stop + 1] - self.starts[rows.start]
            total[rows] = _product(starts, self.places[entries], values, dense)
        return total

    def blocks(self):
        """Yield slices of rows with at most so many entries (or one row), and of their entries."""
        starts, low = self.starts, 0
        while low < self.rows:
            limit = starts[low] + _ENTRIES
            high = int(torch.searchsorted(starts, limit, right=True)) - 1
            high = min(max(high, low + 1), self.rows)
            yield slice(low, high), slice(int(starts[low]), int(starts[high]))
            low = high

    def row_of_each(self, rows=slice(None)):
        """Return the row number of each entry of these rows (a slice), counted from the first of them."""
        starts = self.starts[rows.start : None if rows.stop is None else rows.stop + 1]
        lengths = starts.diff()
        return torch.repeat_interleave(torch.arange(len(lengths), device=lengths.device), lengths)

    def take(self, index):
        """Return these rows: a slice, which shares the memory, or a tensor of row numbers."""
        if isinstance(index, slice):
            low, high, step = index.indices(self.rows)
            if step == 1:
                starts = self.starts[low : max(high, low) + 1]
                entries = slice(int(starts[0]), int(starts[-1]))
                return dataclasses.replace(
                    self, starts=starts - starts[0], places=self.places[entries], values=self.values[entries]
                )
            index = torch.arange(low, high, step, device=self.starts.device)
        lengths = self.starts[index + 1] - self.starts[index]
        starts = torch.cat([lengths.new_zeros(1), lengths.cumsum(0)]).to(self.starts.dtype)
        shift = (self.starts[index] - starts[:-1]).long()
        entries = torch.arange(int(starts[-1]), device=starts.device)
        entries += torch.repeat_interleave(shift, lengths)
        return dataclasses.replace(
            self, starts=starts, places=self.places[entries], values=self.values[entries]
        )

    def to_dense(self, dtype):
        """Return the matrix with its zeros."""
        dense = torch.zeros(self.rows, self.columns, dtype=dtype, device=self.values.device)
        dense[self.row_of_each(), self.places.long()] = self.values.to(dtype)
        return dense

    def transposed(self):
        """Return the transpose, whose rows are these columns."""
        if self.values.device.type == "cpu":
            # SciPy counts where torch sorts, which took eleven times as long.
            flipped = self.to_scipy().tocsc()
            parts = (torch.from_numpy(part) for part in (flipped.indptr, flipped.indices, flipped.data))
            return Compressed(*parts, columns=self.rows)
        flipped = _tensor(self.starts, self.places, self.values, (self.rows, self.columns)).t()
        flipped = flipped.to_sparse_csr()
        return Compressed(flipped.crow_indices(), flipped.col_indices(), flipped.values(), columns=self.rows)

    def to_scipy(self):
        """Return a SciPy matrix that shares the memory (on the CPU)."""
        import scipy.sparse

        arrays = (self.values.numpy(), self.places.numpy(), self.starts.numpy())
        return scipy.sparse.csr_matrix(arrays, shape=(self.rows, self.columns), copy=False)


def _product(starts, places, values, dense):
    matrix = _tensor(starts, places, values, (len(starts) - 1, dense.shape[0]))
    # One column as a vector: as a matrix it took a third longer.
    return (matrix @ dense.squeeze(1)).unsqueeze(1) if dense.shape[1] == 1 else matrix @ dense


def _tensor(starts, places, values, shape):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse_csr_tensor(
            starts, places, values, shape, device=values.device, check_invariants=False
        )
