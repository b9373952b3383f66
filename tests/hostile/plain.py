"""X, y and weights of any container as NumPy arrays, by ways of their own: not by those of the package."""

import numpy as np
import pandas as pd
import polars as pl
import scipy.sparse as sp
import torch

__all__ = ["labels_of", "numbers_of"]


def numbers_of(value):
    """Return a float array of these numbers."""
    if isinstance(value, torch.Tensor):
        value = value.detach().resolve_conj().resolve_neg()
        value = value if value.layout is torch.strided else value.to_dense()
        return value.double().numpy()
    if sp.issparse(value):
        return np.asarray(value.toarray(), dtype=np.longdouble)
    if isinstance(value, (pd.DataFrame, pd.Series, pl.DataFrame, pl.Series)):
        return value.to_numpy().astype(float)
    if isinstance(value, (list, tuple)):
        return np.array([numbers_of(part) for part in value])
    return np.array(value, dtype=np.longdouble)


def labels_of(y):
    """Return a list of labels, or None where y has rows of probabilities."""
    if isinstance(y, torch.Tensor):
        y = y.detach().cpu()
    if isinstance(y, pd.DataFrame):
        y = y.iloc[:, 0]
    values = y.tolist() if isinstance(y, (np.ndarray, torch.Tensor, pd.Series)) else list(y)
    values = [value.item() if isinstance(value, torch.Tensor) else value for value in values]
    if values and isinstance(values[0], list):
        return None if len(values[0]) > 1 else [value[0] for value in values]
    return values
