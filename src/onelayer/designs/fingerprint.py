"""A number that tells rows apart from other rows, however they are cut into blocks and dealt to processes."""

import numpy as np
import torch

from onelayer.designs.compressed import Compressed
from onelayer.designs.feed import spread

__all__ = ["Fingerprint"]

# Odd constants; their multiples spread evenly over the words.
_ROW, _COLUMN = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)
# Rows whose words are widened at a time.
_LINES = 1024
# A stored number as whole number of the same bits.
_WORDS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


class Fingerprint:
    """The sum of the hashes of rows and their places: in whatever order blocks come, it is the same.

    Parameters
    ----------
    features : int
    """

    def __init__(self, features):
        self._rows = np.uint64(0)
        with np.errstate(over="ignore"):
            self._weights = np.arange(1, features + 1, dtype=np.uint64) * _COLUMN | np.uint64(1)

    def add(self, X, start):
        """Take in rows (a tensor or Compressed rows), the first of which is the row of this number."""
        with np.errstate(over="ignore"):
            self._rows += (_compressed if isinstance(X, Compressed) else _dense)(X, start, self._weights)

    def value(self, group):
        """Return the fingerprint of the rows of all processes, as text."""
        with np.errstate(over="ignore"):
            found = group.everyones(lambda: self._rows)
            return f"{int(sum(found, np.uint64(0))):016x}"


def _dense(X, start, weights):
    words = X.detach().cpu().contiguous().view(_WORDS[X.element_size()]).numpy()
    places = np.arange(start, start + len(words), dtype=np.uint64) * _ROW
    sums, weights = np.empty(len(words), dtype=np.int64), weights.view(np.int64)
    for first in range(0, len(words), _LINES):
        some = words[first : first + _LINES].astype(np.int64)
        if words.itemsize == 8:
            # Times an odd weight the leading bit, the sign, is the leading bit again, and two of them cancel.
            some ^= some >> 32
        # A weight for each column, so that numbers that change places do not cancel.
        sums[first : first + _LINES] = some @ weights
    return spread(spread(sums.view(np.uint64)) ^ places).sum(dtype=np.uint64)


def _compressed(X, start, weights):
    X = X.to("cpu")
    words = X.values.contiguous().view(_WORDS[X.values.element_size()]).long().numpy().view(np.uint64)
    rows = np.repeat(np.arange(start, start + X.rows, dtype=np.uint64), X.starts.diff().numpy())
    places = weights[X.places.long().numpy()]
    return spread(spread(words ^ places) ^ (rows * _ROW)).sum(dtype=np.uint64)
