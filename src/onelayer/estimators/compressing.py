"""Sparse matrices of SciPy and of torch as compressed rows."""

import os

import numpy as np
import torch

from onelayer.designs import Compressed
from onelayer.errors import DataError
from onelayer.estimators.validation import as_tensor

__all__ = ["compressed_of_scipy", "compressed_of_torch", "is_sparse", "may_flip", "sound"]

# Of the free memory, what the transpose may take.
_SHARE = 0.5
_DAMAGED = "X is a sparse matrix whose index arrays point outside of it: build it again."
_LAYOUTS = (torch.sparse_csr, torch.sparse_csc, torch.sparse_coo)


def is_sparse(X):
    """Return whether X is a sparse matrix of SciPy or a sparse tensor."""
    if isinstance(X, torch.Tensor):
        return X.layout != torch.strided
    return hasattr(X, "tocsr") and hasattr(X, "nnz")


def sound(X):
    """Return X as it can be read, or raise DataError for a SciPy matrix whose index arrays point outside of it.

    To be asked before anything else is: conversions and sums of duplicates follow the same arrays, into memory that is not
    theirs. Values of half precision, which SciPy holds and can do nothing with, become float32.
    """
    kind = getattr(X, "format", None)
    if kind in ("csr", "csc", "bsr"):
        starts, places = np.asarray(X.indptr), np.asarray(X.indices)
        lines, width = X.shape if kind != "csc" else X.shape[::-1]
        if kind == "bsr":
            lines, width = lines // X.blocksize[0], width // X.blocksize[1]
        fine = len(starts) == lines + 1 and len(places) == len(X.data) and starts[0] == 0
        fine = (
            fine
            and starts[-1] <= len(places)
            and bool((np.diff(starts) >= 0).all())
            and _within(places, width)
        )
    elif kind == "coo" and len(X.shape) == 2:
        fine = len(X.row) == len(X.col) == len(X.data)
        fine = fine and _within(X.row, X.shape[0]) and _within(X.col, X.shape[1])
    elif kind == "lil":
        fine = all(_within(np.asarray(places), X.shape[1]) for places in X.rows)
    else:
        fine = True
    if not fine:
        raise DataError(_DAMAGED)
    return X.astype(np.float32) if is_sparse(X) and X.dtype == np.float16 else X


def _within(places, width):
    return not len(places) or 0 <= int(places.min()) <= int(places.max()) < width


def compressed_of_scipy(X, given, copies):
    """Return a CSR or CSC matrix as Compressed, and its transpose where it came so; notes on copies go to a list.

    `given` is the dtype before any validation.
    """
    if not X.has_canonical_format:
        # Sums of what lies in one place: on a copy, for X is the user's.
        X = X.copy()
        X.sum_duplicates()
        copies.append("X was copied to add up entries of the same place")
    if X.dtype.kind != "f" or X.dtype.itemsize < 4:
        X = X.astype("float32" if X.dtype.itemsize == 1 else "float64")
    if X.dtype != given:
        copies.append(f"the values of X were converted from {given} to {X.dtype}")
    parts = [as_tensor(part) for part in (X.indptr, X.indices, X.data)]
    rows, columns = X.shape
    if X.format == "csr":
        return Compressed(*parts, columns=columns), None
    flipped = Compressed(*parts, columns=rows)
    return flipped.transposed(), flipped


def compressed_of_torch(X, copies):
    """Return a sparse tensor as Compressed, and its transpose where it came so; notes on copies go to a list."""
    if X.layout is torch.sparse_coo and X.sparse_dim() != 2:
        copies.append("X was converted from a hybrid tensor to torch.sparse_csr")
        X = X.to_dense().to_sparse_csr()
    if X.layout not in _LAYOUTS:
        copies.append(f"X was converted from {X.layout} to torch.sparse_csr")
        # Torch has no way from blocks to rows but this one.
        X = X.to_sparse_coo().to_sparse_csr()
    if X.layout is torch.sparse_coo:
        copies.append("X was converted from torch.sparse_coo to torch.sparse_csr")
        X = X.coalesce().to_sparse_csr()
    values = X.values()
    if values.dtype not in (torch.float32, torch.float64):
        wide = torch.float32 if values.dtype.itemsize <= 2 else torch.float64
        copies.append(f"the values of X were converted from {values.dtype} to {wide}")
        values = values.to(wide)
    rows, columns = X.shape
    by_rows = X.layout is torch.sparse_csr
    starts, places = (X.crow_indices(), X.col_indices()) if by_rows else (X.ccol_indices(), X.row_indices())
    matrix = Compressed(starts, places, values, columns=columns if by_rows else rows)
    if not matrix.is_sound:
        raise DataError(_DAMAGED)
    return (matrix, None) if by_rows else (matrix.transposed(), matrix)


def may_flip(matrix):
    """Return whether the free memory has room for the transpose of a Compressed."""
    parts = (matrix.starts, matrix.places, matrix.values)
    needed = sum(part.numel() * part.element_size() for part in parts)
    free = _free_memory(matrix.values.device)
    return free is None or needed <= _SHARE * free


def _free_memory(device):
    """Return the bytes that are free where a tensor lies, or None where nobody tells."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None
