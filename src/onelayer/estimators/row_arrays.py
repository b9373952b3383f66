"""Arrays with a number for each row of a stream: in memory while they are small, then in a file without a name."""

import tempfile

import numpy as np

from onelayer.errors import OutputError

__all__ = ["RowArray"]

# Bytes from which an array is a file.
_LARGE = 2**26


class RowArray:
    """Numbers that are appended a block at a time, and read as one array afterwards.

    Parameters
    ----------
    dtype : numpy dtype
    """

    def __init__(self, dtype):
        self._dtype = np.dtype(dtype)
        self._parts, self._bytes, self._file = [], 0, None

    def append(self, values):
        """Add numbers at the end; a wider dtype than the one so far widens all."""
        wider = np.result_type(self._dtype, values.dtype)
        if wider != self._dtype:
            self._widen(wider)
        values = np.ascontiguousarray(values, dtype=self._dtype)
        self._bytes += values.nbytes
        if self._file is None and self._bytes <= _LARGE:
            self._parts.append(values)
            return
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="onelayer-")  # noqa: SIM115 (it lives as long as the array)
                for part in self._parts:
                    self._file.write(part.tobytes())
                self._parts = []
            self._file.write(values.tobytes())
        except OSError as error:
            raise OutputError(
                f"the folder {tempfile.gettempdir()} has no room for the targets of the rows ({error.strerror}): free some, "
                "or name another folder in the environment variable TMPDIR."
            ) from error

    def array(self):
        """Return all of them; changes to it are not written anywhere else."""
        if self._file is None:
            return np.concatenate(self._parts) if self._parts else np.zeros(0, self._dtype)
        self._file.flush()
        return np.memmap(self._file, dtype=self._dtype, mode="r+")

    def _widen(self, dtype):
        before, self._dtype = self.array(), dtype
        self._parts, self._bytes, self._file = [], 0, None
        for start in range(0, len(before), _LARGE):
            self.append(before[start : start + _LARGE].astype(dtype))
