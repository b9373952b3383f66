"""Labels of many rows, a byte or two each."""

import dataclasses

import numpy as np

__all__ = ["Coded"]

# What labels are numbered in, from the narrowest on: torch knows no unsigned numbers but bytes.
_CODES = (np.uint8, np.int16, np.int32)


@dataclasses.dataclass(frozen=True)
class Coded:
    """Labels of many rows, a byte or two each.

    Attributes
    ----------
    labels : array of shape (n_labels,)
        Sorted.
    codes : array of shape (n,)
        The number of each row's label.
    """

    labels: np.ndarray
    codes: np.ndarray

    @staticmethod
    def narrowest(count):
        """Return the narrowest dtype for the numbers of so many labels."""
        return next(np.dtype(kind) for kind in _CODES if count - 1 <= np.iinfo(kind).max)

    @property
    def shape(self):
        return self.codes.shape

    def __len__(self):
        return len(self.codes)

    def mass(self, weight):
        """Return the weight of each label."""
        total = np.zeros(len(self.labels))
        for start in range(0, len(self.codes), 2**24):
            rows = slice(start, start + 2**24)
            own = None if weight is None else weight[rows]
            total += np.bincount(self.codes[rows], weights=own, minlength=len(self.labels))
        return total
