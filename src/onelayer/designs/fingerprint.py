"""A number that tells rows apart from other rows, however they are cut into blocks and dealt to processes."""

import numpy as np
import torch

from onelayer.designs.compressed import Compressed
from onelayer.designs.feed import spread

__all__ = ["Fingerprint"]

# Odd constants; their multiples spread evenly over the words.
_ROW, _COLUMN = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
# A stored number as whole number of the same bits.
_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class Fingerprint:
    """Sums of hashes of rows and their places, and of columns: in whatever order blocks come, the sums are the same.

    Parameters
    ----------
    features : int
    """

    def __init__(self, features):
        self.features = features
        self._rows = np.uint64(0)
        self._columns = np.zeros(features, dtype=np.uint64)

    def add(self, X, start):
        """Take in rows (a tensor or Compressed rows), the first of which is the row of this number."""
        with np.errstate(over="ignore"):
            self._rows += _compressed(X, start) if isinstance(X, Compressed) else self._dense(X, start)

    def value(self, group):
        """Return the fingerprint of the rows of all processes, as text."""
        with np.errstate(over="ignore"):
            found = group.everyones(lambda: (self._rows, self._columns))
            rows = sum((rows for rows, _ in found), np.uint64(0))
            columns = sum((columns for _, columns in found), np.zeros_like(self._columns))
            weights = np.arange(1, self.features + 1, dtype=np.uint64) * _COLUMN
            return f"{int(rows ^ (spread(columns) * weights).sum(dtype=np.uint64)):016x}"

    def _dense(self, X, start):
        words = X.detach().cpu().contiguous().view(_WORDS[X.element_size()]).numpy()
        places = np.arange(start, start + len(words), dtype=np.uint64) * _ROW
        # Which column a number stands in shows in the sums of columns, which row in those of rows.
        self._columns += words.sum(axis=0, dtype=np.int64).view(np.uint64)
        return spread(words.sum(axis=1, dtype=np.int64).view(np.uint64) ^ places).sum(dtype=np.uint64)


def _compressed(X, start):
    X = X.to("cpu")
    words = X.values.contiguous().view(_WORDS[X.values.element_size()]).long().numpy().view(np.uint64)
    rows = np.repeat(np.arange(start, start + X.rows, dtype=np.uint64), X.starts.diff().numpy())
    places = (X.places.long().numpy().view(np.uint64) + np.uint64(1)) * _COLUMN
    return spread(words ^ places ^ (rows * _ROW)).sum(dtype=np.uint64)
