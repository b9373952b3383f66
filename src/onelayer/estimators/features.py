"""X, from whatever users pass, as a design: dense or sparse, in its own dtype, where it is."""

import numpy as np
import torch
from sklearn.utils.validation import validate_data

from onelayer.designs import DenseDesign, SparseDesign
from onelayer.errors import DataError, DataTypeError
from onelayer.estimators.checkpointing import fingerprint_of
from onelayer.estimators.compressing import (
    compressed_of_scipy,
    compressed_of_torch,
    is_sparse,
    may_flip,
    sound,
)
from onelayer.estimators.validation import as_tensor, first_line, is_stream, on_device, require_finite
from onelayer.processes import ALONE

__all__ = ["Features"]

_NUMPY_DTYPES = [np.float64, np.float32, np.float16, np.uint8]
_TORCH_DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.uint8)


class Features:
    """X as a tensor (or as compressed rows) in its own dtype, with a list of what had to be done to it.

    Parameters
    ----------
    estimator : BaseEstimator
        Keeps the number and names of features when `fitting`, else is asked for them.
    X : array-like, DataFrame, SciPy sparse matrix or tensor of shape (n_samples, n_features)
    fitting : bool
    device : torch.device or str, optional
        Default: where X is.

    Attributes
    ----------
    data : tensor or Compressed
    flipped : Compressed or None
        The transpose, where X came column by column.
    is_tensor : bool
        Whether the user passed a tensor, and so is to get tensors.
    copies : list of str
        What was done to X: copies, conversions, a graph left behind.
    """

    def __init__(self, estimator, X, *, fitting, device=None):
        self.copies, self.flipped = [], None
        if is_stream(X):
            raise DataError(
                f"X is the stream {X.name!r}, which fit, predict, score, objective, certify and choose_solver read in blocks: "
                "give rows in memory here."
            )
        self.is_tensor = isinstance(X, torch.Tensor)
        _check_shape(estimator, X, fitting)
        if is_sparse(X):
            self._set_sparse(estimator, X, fitting)
        else:
            array = (self._tensor if self.is_tensor else self._array)(estimator, X, fitting)
            require_finite(array, "X", getattr(estimator, "feature_names_in_", None))
            self.data = array if self.is_tensor else as_tensor(array)
        if device is not None:
            self._move(device)

    @property
    def rows(self):
        return len(self.data) if isinstance(self.data, torch.Tensor) else self.data.rows

    @property
    def values(self):
        """The numbers that are stored, for their dtype and device."""
        return self.data if isinstance(self.data, torch.Tensor) else self.data.values

    group = ALONE

    @property
    def counts(self):
        """Rows of each process: there is one."""
        return [self.rows]

    def fingerprint(self):
        """Return what tells these rows from others."""
        return fingerprint_of(self.data, ALONE)

    def of_all(self, values):
        """Return what was given with an entry for each row, for the rows of all processes."""
        return values

    def design(self, dtype):
        """Return the design of X with products in this dtype."""
        if isinstance(self.data, torch.Tensor):
            return DenseDesign(self.data, dtype)
        return SparseDesign(self.data, dtype, self.flipped, flips=may_flip(self.data))

    def _move(self, device):
        before = self.values.device
        self.data, self.flipped = on_device(
            device, lambda there: (self.data.to(there), self.flipped and self.flipped.to(there))
        )
        if self.values.device != before:
            self.copies.append(f"X was copied from {before} to {self.values.device}")

    def _array(self, estimator, X, fitting):
        array = _validated(estimator, X, fitting, dtype=_kept_dtypes(X))
        if not isinstance(X, np.ndarray):
            if not _shares_memory(array, X):
                self.copies.append(f"X was copied from a {type(X).__name__} to an array of {array.dtype}")
        elif array.dtype != X.dtype:
            self.copies.append(f"X was converted from {X.dtype} to {array.dtype}")
        if not array.flags.c_contiguous:
            self.copies.append("X was copied to row order")
            array = np.ascontiguousarray(array)
        return array

    def _tensor(self, estimator, X, fitting):
        X = self._detached(estimator, X, fitting)
        if X.dtype not in _TORCH_DTYPES:
            self.copies.append(f"X was converted from {X.dtype} to torch.float64")
            X = X.double()
        if not X.is_contiguous():
            self.copies.append("X was copied to row order")
            X = X.contiguous()
        return X

    def _detached(self, estimator, X, fitting):
        if fitting:
            estimator.n_features_in_ = X.shape[1]
            if hasattr(estimator, "feature_names_in_"):
                del estimator.feature_names_in_
        if X.is_complex():
            raise DataError(
                f"X is complex ({X.dtype}): give real numbers, for example its parts side by side."
            )
        if X.is_meta or X.is_quantized or X.is_nested:
            kind = "on the device 'meta', without values" if X.is_meta else "quantized or nested"
            raise DataError(f"X is a tensor that is {kind}: give a plain tensor.")
        if X.device.type == "mps":
            self.copies.append(
                "X was copied from mps to cpu: mps has no float64, in which sums and proofs are made"
            )
            X = X.cpu()
        if X.requires_grad:
            self.copies.append("X was detached from its graph: no gradient flows through a fit")
        return X.detach()

    def _set_sparse(self, estimator, X, fitting):
        if self.is_tensor:
            X = self._detached(estimator, X, fitting)
            self.data, self.flipped = compressed_of_torch(X, self.copies)
        else:
            given = X
            X = _validated(
                estimator, sound(X), fitting, accept_sparse=("csr", "csc"), accept_large_sparse=True
            )
            if X.format != given.format:
                self.copies.append(f"X was converted from {given.format} to {X.format}")
            self.data, self.flipped = compressed_of_scipy(X, given.dtype, self.copies)
        if not bool(torch.isfinite(self.values.sum(dtype=torch.float64))):
            self._require_finite(getattr(estimator, "feature_names_in_", None))

    def _require_finite(self, names):
        bad = (~torch.isfinite(self.values)).nonzero().squeeze(1)
        if not len(bad):
            return
        first = int(bad[0])
        row = int(torch.searchsorted(self.data.starts, first, right=True)) - 1
        column = int(self.data.places[first])
        place = f"row {row}, column {column if names is None else repr(str(names[column]))}"
        count = "1 value that is" if len(bad) == 1 else f"{len(bad)} values that are"
        raise DataError(
            f"X has {count} NaN or infinite, the first in {place} ({float(self.values[first])}): drop the rows, or leave "
            "the entries out (they are then zero)."
        )


def _kept_dtypes(X):
    """Return the dtypes that may stay; of a frame its own, which scikit-learn sees in those of pandas only."""
    if not (hasattr(X, "columns") and hasattr(X, "to_numpy")):
        return _NUMPY_DTYPES
    own = np.asarray(X[:0]).dtype
    return own if own in _NUMPY_DTYPES else _NUMPY_DTYPES


def _shares_memory(array, X):
    """Return whether an array is a view of X (a frame, say), by its first row: all of it may be large."""
    try:
        return np.may_share_memory(array[:1], np.asarray(X[:1]))
    except (LookupError, TypeError, ValueError):
        return False


def holds_dates(X):
    """Return whether an array or a frame has dates or durations: NumPy would count their units, and call a missing one −9.2e18."""
    # A lazy frame would have to be read for its dtypes, and has no shape.
    own = getattr(X, "dtypes", None) if hasattr(X, "shape") else None
    kinds = own if isinstance(own, (list, tuple)) or hasattr(own, "tolist") else [getattr(X, "dtype", None)]
    return any(getattr(kind, "kind", "") in ("m", "M") or _is_temporal(kind) for kind in kinds)


def _is_temporal(kind):
    tell = getattr(kind, "is_temporal", None)
    return callable(tell) and bool(tell())


def _validated(estimator, X, fitting, dtype=_NUMPY_DTYPES, **sparse):
    if holds_dates(X):
        raise DataError(
            "X holds dates or durations, which are no numbers until a unit is chosen: convert them first, for example to "
            "days since the first one."
        )
    try:
        return validate_data(estimator, X, reset=fitting, dtype=dtype, ensure_all_finite=False, **sparse)
    except (TypeError, ValueError, OverflowError) as error:
        if "feature names" in str(error).lower():
            # scikit-learn's own list of the names that differ, as its users know it.
            raise
        kind = DataTypeError if isinstance(error, TypeError) else DataError
        if hasattr(X, "columns") and "sparse data" in str(error).lower():
            raise kind("X is a frame with sparse columns: give X.sparse.to_coo().tocsr().") from error
        raise kind(
            f"X cannot be used as a table of numbers ({first_line(error)}): convert it first."
        ) from error


def _check_shape(estimator, X, fitting):
    if hasattr(X, "collect_schema") and not hasattr(X, "shape"):
        raise DataError("X is a lazy frame, which holds no rows yet: give X.collect().")
    try:
        # Not np.shape, which asks an object for more than that it can be made an array.
        shape = X.shape if isinstance(getattr(X, "shape", None), tuple) else np.asarray(X).shape
    except ValueError as error:
        raise DataError(
            "X has rows of different lengths: give a table of shape (n_samples, n_features)."
        ) from error
    except (TypeError, RuntimeError, OverflowError) as error:
        raise DataError(
            f"X is no table ({first_line(error)}): give one of shape (n_samples, n_features)."
        ) from error
    if len(shape) != 2:
        plural = "" if len(shape) == 1 else "s"
        raise DataError(
            f"X has {len(shape)} dimension{plural}, not the two of (n_samples, n_features). Reshape your data: "
            "X.reshape(-1, 1) if it is one feature, X.reshape(1, -1) if it is one row."
        )
    if shape[0] == 0:
        raise DataError(
            f"X has 0 sample(s) (shape=({shape[0]}, {shape[1]})) while a minimum of 1 is required: give at least one row."
        )
    if shape[1] == 0:
        raise DataError(
            f"X has 0 feature(s) (shape=({shape[0]}, 0)) while a minimum of 1 is required: give at least one column."
        )
    if not fitting and shape[1] != estimator.n_features_in_:
        raise DataError(
            f"X has {shape[1]} features, but {type(estimator).__name__} is expecting {estimator.n_features_in_} features "
            "as input: give the columns of the fit."
        )
