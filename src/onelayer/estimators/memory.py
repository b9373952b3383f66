"""How much memory there is, and what a fit of rows that are not in memory does with its share."""

import dataclasses
import os
import pathlib

import torch

from onelayer.errors import ParameterError

__all__ = ["Budget", "available_bytes", "is_out_of_memory"]

# Of the memory that is free, what a fit takes if nothing else is said.
_SHARE = 0.5
# Of that: the sample of rows that stays; one block of rows, of which three may be there at a time.
_SAMPLE, _BLOCK = 0.4, 1 / 24
_LARGEST_BLOCK = 2**23
_LEAST = 4_000_000
# Bytes of a score, and rows that are looked at before the first read.
_SCORE, _PEEK = 8, 1024
# Bytes for each row of the sample and each output, beside its features: scores, slopes and curvature in both arithmetics.
_PER_OUTPUT = 80


@dataclasses.dataclass(frozen=True)
class Budget:
    """Bytes for the parts of a fit.

    Attributes
    ----------
    limit : int
    sample : int
        For the rows that stay in memory.
    block : int
        For one block of rows.
    """

    limit: int
    sample: int
    block: int
    per_output: int = _PER_OUTPUT

    @classmethod
    def of(cls, memory_limit=None, device=None):
        """Return the budget of a limit in bytes; default: a share of what is free here and on the device."""
        if memory_limit is None:
            limit = int(_SHARE * min(available_bytes(), available_bytes(device)) / _neighbours())
        else:
            limit = memory_limit
        if limit < _LEAST:
            raise ParameterError(
                f"memory_limit is {limit:,} bytes, which hold no useful block of rows: give 4 MB or more."
            )
        return cls(limit, int(_SAMPLE * limit), min(int(_BLOCK * limit), _LARGEST_BLOCK))

    def shrunk(self, times):
        """Return a budget of so many times less for rows."""
        return dataclasses.replace(self, sample=self.sample // times, block=max(1, self.block // times))

    def first_rows(self, stream):
        """Return some rows of a stream, no more than a block may hold, to see what they are like; None if it has none."""
        width = 1 if stream.sparse else stream.features * stream.dtype.itemsize
        return next(iter(stream.blocks(max(1, min(_PEEK, self.block // width)))), None)

    def rows_of(self, stream, first, outputs=1):
        """Return how many rows make a block: by the features of a row, or by its entries, and by its scores."""
        width = self.row_bytes(stream, first)
        return max(1, int(self.block / max(1.0, width, _SCORE * outputs)))

    @staticmethod
    def row_bytes(stream, first):
        """Return what the features of a row take; of sparse ones as many entries as the first rows have, with their columns."""
        if stream.sparse and first is not None:
            return first.X.nnz / len(first) * (stream.dtype.itemsize + 4) + 8
        return stream.features * stream.dtype.itemsize


def available_bytes(device=None):
    """Return the bytes that are free: on a device of CUDA there, else in main memory, within the limits of a container."""
    device = torch.device("cpu") if device is None else torch.device(device)
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    free = _number("/proc/meminfo", "MemAvailable:", 1024)
    if free is None:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    most = _number("/sys/fs/cgroup/memory.max")
    used = _number("/sys/fs/cgroup/memory.current")
    if most is not None and used is not None:
        # Pages of files count as used and are given back when they are needed.
        used -= _number("/sys/fs/cgroup/memory.stat", "file", 1) or 0
        free = min(free, max(most - used, 0))
    return free


def is_out_of_memory(error):
    """Return whether an error says that there is no memory left, here or on a device."""
    # What torch raises for main memory has no class of its own.
    return isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error)


def _neighbours():
    """Return how many processes torchrun started on this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def _number(path, name=None, unit=1):
    """Return the number in a file of the kernel, after a name if one is given; None where there is none."""
    try:
        words = pathlib.Path(path).read_text().split()
        return unit * int(words[words.index(name) + 1 if name else 0])
    except (OSError, ValueError, IndexError):
        return None
