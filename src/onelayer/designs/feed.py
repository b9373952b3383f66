"""Rows that are read again for each product: counted, checked, and read ahead."""

import functools

import numpy as np
import torch

from onelayer.designs.ahead import ahead
from onelayer.designs.compressed import Compressed
from onelayer.designs.transfer import pinned, sent
from onelayer.errors import DataError

__all__ = ["Feed", "spread", "tensor_of"]

# Odd, so that no product with it loses a bit; the golden section of 2**64, whose multiples spread evenly.
_MIX = np.uint64(0x9E3779B97F4A7C15)
_WORDS = 512


class Feed:
    """The rows start … stop of a source, in blocks that are the same in every read.

    The first read counts the rows and takes a checksum of each block; every later one is compared with it, so that a source
    that gives other rows the second time is an error and never a wrong answer.

    Parameters
    ----------
    source : object
        With ``features``, ``rows`` (None: known after the first read), ``name``, and ``read(size, start, stop)``, which
        yields blocks of `size` rows with the attributes ``X``, ``y`` and ``weight``.
    size : int
        Rows of a block.
    start, stop : int, optional
        Which rows; default all.
    device : torch.device, optional
        Where blocks are needed; default the CPU.
    may_be_empty : bool
        Whether no rows are no error: where other processes have some.

    Attributes
    ----------
    rows : int
        0 until they are counted.
    read_rows : int
        Rows delivered so far, all reads together.
    """

    def __init__(self, source, size, start=0, stop=None, device=None, *, may_be_empty=False):
        self.source, self.size, self.start, self.stop = source, size, start, stop
        self.device = torch.device("cpu") if device is None else device
        self.features, self.may_be_empty = source.features, may_be_empty
        self.rows = self.read_rows = 0
        self.stored = 0
        self._sums = []
        self._listeners = []

    @property
    def reads(self):
        """How often the data were read."""
        return self.read_rows / self.rows if self.rows else 0.0

    def watch(self, listener):
        """Have a function called with the number of rows of each block that is delivered."""
        self._listeners.append(listener)

    def first(self):
        """Read for the first time: yield slices of rows and the source's blocks, and remember what they were."""
        sums, rows, stored = [], 0, 0
        for block, X, total in self._delivered():
            sums.append(total)
            count = X.rows if isinstance(X, Compressed) else len(X)
            stored += len(X.values) if isinstance(X, Compressed) else X.numel()
            yield slice(rows, rows + count), block, X
            rows += count
        if not rows and not self.may_be_empty:
            raise DataError(f"{self.source.name} has no rows: give data with at least one.")
        self.rows, self.stored, self._sums = rows, stored, sums

    def blocks(self):
        """Read again: yield slices of rows and X there, as a tensor or as Compressed rows, on the device."""
        return sent(self._checked(), self.device)

    def _checked(self):
        start = number = 0
        for number, (_, X, total) in enumerate(self._delivered(), 1):
            stop = start + (X.rows if isinstance(X, Compressed) else len(X))
            if number > len(self._sums) or total != self._sums[number - 1]:
                raise self._changed(start, stop)
            yield slice(start, stop), X
            start = stop
        if number < len(self._sums):
            raise self._changed(start, self.rows)

    def fetch(self, index):
        """Return X at rising row numbers without reading what is between, or None where the source has no way to."""
        if not getattr(self.source, "seekable", False):
            return None
        block = self.source.take(index.cpu().numpy() + self.start)
        self.read_rows += len(index)
        return tensor_of(block.X).to(self.device)

    def _changed(self, start, stop):
        return DataError(
            f"{self.source.name} gave other rows than when it was read first (from row {self.start + start:,} on, at the "
            f"latest before row {self.start + stop:,}): a stream must give the same rows in the same order each time it is read, without "
            "shuffling, random changes or writers."
        )

    def _delivered(self):
        for block, X, total in ahead(self._read()):
            count = X.rows if isinstance(X, Compressed) else len(X)
            self.read_rows += count
            for listener in self._listeners:
                listener(count)
            yield block, X, total

    def _read(self):
        """Yield blocks with X as torch takes it and their checksums; this runs in the reader's thread."""
        for block in _told(self.source.read(self.size, self.start, self.stop), self.source.name):
            X = tensor_of(block.X)
            parts = (X.starts, X.places, X.values) if isinstance(X, Compressed) else (X,)
            total = functools.reduce(_mixed, map(checksum, parts), 0)
            X = pinned(X, self.device)
            yield block, X, _mixed(total, _of_labels(block.y)) if block.y is not None else total


def _told(blocks, name):
    """Yield blocks; a file that cannot be read is told of in a sentence."""
    try:
        yield from blocks
    except OSError as error:
        raise DataError(
            f"{error.filename or name} cannot be read any more ({error.strerror or error}): leave files where they are until "
            "the fit has ended."
        ) from error


def tensor_of(X):
    """Return a block's features as a tensor that shares their memory, or as Compressed rows."""
    if isinstance(X, torch.Tensor):
        return X.detach()
    if hasattr(X, "indptr"):
        if not X.has_canonical_format:
            # Sums of what lies in one place: on a copy, for it may be the user's.
            X = X.copy()
            X.sum_duplicates()
        parts = (torch.from_numpy(np.ascontiguousarray(part)) for part in (X.indptr, X.indices, X.data))
        return Compressed(*parts, columns=X.shape[1])
    return torch.from_numpy(X if X.flags.writeable and X.flags.c_contiguous else np.array(X, order="C"))


def checksum(tensor):
    """Return a number that changes with any entry of a tensor, and with their order; at the speed of memory."""
    flat = tensor.contiguous().view(-1)
    if flat.storage_offset() * flat.element_size() % 8 or flat.data_ptr() % 8:
        # A part of a larger tensor need not begin where words do.
        flat = flat.clone()
    flat = flat.view(torch.uint8) if flat.numel() else flat.new_zeros(0, dtype=torch.uint8)
    width = 8 * _WORDS
    main = len(flat) // width * width
    sums = (
        flat[:main].view(torch.int64).view(-1, _WORDS) if main else torch.zeros(0, _WORDS, dtype=torch.int64)
    )
    # Lines of words are added up and weighted by their places, columns of words as well: no two entries can change places.
    lines = spread(sums.sum(dim=1).numpy().view(np.uint64))
    columns = spread(sums.sum(dim=0).numpy().view(np.uint64))
    rest = np.zeros(width, dtype=np.uint8)
    rest[: len(flat) - main] = flat[main:].numpy()
    total = 0
    for words in (lines, columns, spread(rest.view(np.uint64))):
        with np.errstate(over="ignore"):
            weights = np.arange(1, len(words) + 1, dtype=np.uint64) * _MIX
            total = _mixed(total, int((words * weights).sum(dtype=np.uint64)))
    return total


def spread(words):
    """Return words each bit of which depends on many bits of the given ones (the finaliser of splitmix64)."""
    with np.errstate(over="ignore"):
        words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def _of_labels(y):
    y = np.asarray(y)
    if y.dtype.kind in "OUT":
        y = np.frombuffer("\0".join(map(str, y.tolist())).encode(), dtype=np.uint8)
    return checksum(torch.from_numpy(np.array(y, order="C")))


def _mixed(total, other):
    return (total * 0x100000001B3 + other) % 2**64
