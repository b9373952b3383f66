"""Coefficients of many fits: in memory, or mapped from a file where they are large."""

import os
import pathlib
import shutil
import tempfile
import uuid
import weakref
from typing import Any

import numpy as np

from onelayer.errors import OutputError
from onelayer.estimators.validation import as_array, first_line

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
        self._part: Any = None
        self.coef: Any = None
        self.intercept: Any = None

    def add(self, place, model):
        """Keep the coefficients of a fitted estimator."""
        coef, intercept = (as_array(part) for part in (model.coef_, model.intercept_))
        if self.coef is None:
            self.coef = self._space((*self.shape, *coef.shape), coef.dtype)
            self.intercept = np.full((*self.shape, *intercept.shape), np.nan, coef.dtype)
        self.coef[place], self.intercept[place] = coef, intercept

    def finish(self):
        """Put the file in the place of an earlier one of its name, which whoever has mapped it keeps."""
        if self._part is not None:
            self.coef.flush()
            os.replace(*self._part)
            self._part = None

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
            target = pathlib.Path(self.file)
            part = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
            space = np.lib.format.open_memmap(part, mode="w+", dtype=dtype, shape=shape)
        except (OSError, TypeError, ValueError) as error:
            why = getattr(error, "strerror", None) or first_line(error)
            raise OutputError(
                f"coef_file {str(self.file)!r} cannot be written ({why}): give a file in a folder with {1e-6 * size:.3g} MB of "
                "room."
            ) from error
        self._part = part, target
        # Where it never comes to the end.
        weakref.finalize(self, part.unlink, missing_ok=True)
        return space
