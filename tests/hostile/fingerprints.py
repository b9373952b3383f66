"""The bits of an argument, to see whether a fit left it alone."""

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp
import torch

__all__ = ["fingerprint"]


def fingerprint(value):
    """Return what must be the same after a fit: for arrays the bits, the dtype and the shape."""
    kind = type(value)
    if isinstance(value, np.ndarray):
        bits = repr(value.tolist()) if value.dtype.hasobject else value.tobytes()
        return kind, value.dtype, value.shape, value.strides, value.flags.writeable, bits
    if isinstance(value, torch.Tensor):
        return _of_tensor(value)
    if isinstance(value, (pd.DataFrame, pd.Series)):
        frame = value if isinstance(value, pd.DataFrame) else value.to_frame()
        # One by one: two columns may have one name.
        columns = [
            (str(frame.dtypes.iloc[k]), repr(frame.iloc[:, k].tolist())) for k in range(frame.shape[1])
        ]
        return kind, repr(list(frame.columns)), repr(list(frame.index)), columns
    if isinstance(value, (pl.DataFrame, pl.Series)):
        frame = value if isinstance(value, pl.DataFrame) else value.to_frame()
        return kind, frame.schema, repr(frame.rows())
    if sp.issparse(value):
        parts = ("data", "indices", "indptr", "offsets", "row", "col", "rows")
        arrays = [
            fingerprint(getattr(value, part))
            for part in parts
            if isinstance(getattr(value, part, None), np.ndarray)
        ]
        return kind, value.shape, value.dtype, arrays or repr(sorted(value.todok().items()))
    if kind in (list, tuple):
        return kind, [fingerprint(part) for part in value]
    return kind, repr(value) if kind in (dict, set, str, int, float, type(None)) else id(value)


def _of_tensor(X):
    facts = type(X), X.dtype, X.layout, X.requires_grad, X.device, X.grad if X.is_leaf else None
    if X.is_nested or X.is_quantized or X.device.type == "meta":
        return facts
    with torch.no_grad():
        if X.layout is torch.sparse_coo:
            parts = X._indices(), X._values()
        elif X.layout in (torch.sparse_csr, torch.sparse_bsr):
            parts = X.crow_indices(), X.col_indices(), X.values()
        elif X.layout is torch.sparse_csc:
            parts = X.ccol_indices(), X.row_indices(), X.values()
        else:
            return *facts, X.shape, X.stride(), _bits(X)
    return *facts, X.shape, [_bits(part) for part in parts]


def _bits(X):
    X = X.detach().resolve_conj().resolve_neg().contiguous()
    return X.reshape(-1).view(torch.uint8).numpy().tobytes() if X.numel() else b""
