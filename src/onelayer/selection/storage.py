"""Coefficients of many fits: in memory, or mapped from a file where they are large."""

import pathlib
import shutil
import tempfile
import weakref
from typing import Any

import numpy as np

from onelayer.errors import OutputError
from onelayer.estimators.validation import as_array

__all__ = ["Storage"]

# Bytes of coefficients from which on they are kept in a file.
_LARGE = 2**28


class Storage:
    """Arrays with a place for the coefficients of each fit.

    Parameters
    ----------
    shape : tuple of int
        Of the places.
    file : str or path, optional
        Where to keep the coefficients; default: in memory, or in a temporary file where they are large.

    Attributes
    ----------
    coef, intercept : array of shape (*shape, …), or None before the first fit
    """

    def __init__(self, shape, file=None):
        self.shape, self.file = shape, file
        self.coef: Any = None
        self.intercept: Any = None

    def add(self, place, model):
        """Keep the coefficients of a fitted estimator."""
        coef, intercept = (as_array(part) for part in (model.coef_, model.intercept_))
        if self.coef is None:
            self.coef = self._space((*self.shape, *coef.shape), coef.dtype)
            self.intercept = np.full((*self.shape, *intercept.shape), np.nan, coef.dtype)
        self.coef[place], self.intercept[place] = coef, intercept

    def _space(self, shape, dtype):
        size = int(np.prod(shape)) * dtype.itemsize
        if self.file is None and size <= _LARGE:
            return np.full(shape, np.nan, dtype)
        if self.file is None:
            folder = tempfile.mkdtemp(prefix="onelayer-")
            # With this object, or with the program.
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self.file = pathlib.Path(folder) / "coef.npy"
        try:
            return np.lib.format.open_memmap(self.file, mode="w+", dtype=dtype, shape=shape)
        except OSError as error:
            raise OutputError(
                f"coef_file {str(self.file)!r} cannot be written ({error.strerror or error}): give a file in a folder with "
                f"{size / 1e9:.2g} GB of room."
            ) from error
