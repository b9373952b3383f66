"""The IDX format of the MNIST family: a big-endian header, then unsigned bytes."""

import gzip
import math
import pathlib
import zlib

import numpy as np

from onelayer.errors import DataError

__all__ = ["read_idx"]

UNSIGNED_BYTE = 8


def read_idx(path: pathlib.Path, ndim: int) -> np.ndarray:
    """Read an IDX file of unsigned bytes, compressed where its name ends in ``.gz``.

    Parameters
    ----------
    path : Path
    ndim : int
        The number of dimensions that the file must have: 3 for images, 1 for labels.

    Returns
    -------
    ndarray of uint8 with ``ndim`` dimensions

    Raises
    ------
    DataError
        If the file is not compressed as its name says, is no IDX file of bytes, has another number of
        dimensions, or holds another number of bytes than its header says.
    """
    content = _content(path)
    start = 4 * (ndim + 1)
    if content[:3] != bytes((0, 0, UNSIGNED_BYTE)) or len(content) < start:
        raise _damaged(
            path, f"is not an IDX file of bytes (it starts with {content[:4].hex(' ') or 'nothing'})"
        )
    if content[3] != ndim:
        raise _damaged(path, f"has {content[3]} dimensions instead of {ndim}")
    shape = tuple(np.frombuffer(content, ">u4", ndim, offset=4).tolist())
    expected, found = math.prod(shape), len(content) - start
    if found != expected:
        raise _damaged(path, f"should hold {expected} bytes after its header and holds {found}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _content(path):
    content = path.read_bytes()
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _damaged(path, f"is not a sound gzip file ({error})") from error


def _damaged(path, finding):
    return DataError(f"{path} {finding}: delete it and download it again.")
