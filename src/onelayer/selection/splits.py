"""The parts of the data that a probe is given: trained on, chosen on, judged on."""

import dataclasses
from typing import Any

import numpy as np
import torch

from onelayer.data.dataset import Dataset
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.validation import as_array, check_lengths, first_line, is_stream, require_finite

__all__ = ["Part", "parts_of"]

# Tensors of other dtypes are normalised in float32.
_FINE = (torch.float32, torch.float64)


@dataclasses.dataclass(frozen=True)
class Part:
    """Rows with their targets.

    Attributes
    ----------
    name : {"train", "validation", "test"}
    X, y : array-like
    """

    name: str
    X: Any
    y: np.ndarray

    @classmethod
    def of(cls, name, given):
        """Read (X, y) or a Dataset."""
        if isinstance(given, Dataset):
            X, y = given.X, given.y
        else:
            try:
                X, y = given
            except (TypeError, ValueError) as error:
                raise ParameterError(
                    f"{name} is {type(given).__name__}: give a pair (X, y), or a Dataset."
                ) from error
        if is_stream(X):
            raise DataError(
                f"{name} holds the stream {X.name!r}, which a probe cannot split: give rows in memory."
            )
        if y is None:
            raise DataError(f"{name} has no targets: give a pair (X, y) with one target for each row.")
        X = X if hasattr(X, "shape") else np.asarray(X)
        if len(X.shape) != 2 or 0 in X.shape:
            raise DataError(f"{name} has X of shape {tuple(X.shape)}: give (n_samples, n_features).")
        check_lengths(X.shape[0], y)
        y = as_array(y, f"y of {name}")
        if y.ndim == 2 and y.shape[1] == 1:
            y = y.ravel()
        if y.dtype.kind == "f":
            require_finite(y, f"y of {name}")
        return cls(name, X, y)

    @property
    def rows(self):
        """How many."""
        return self.X.shape[0]

    def require_like(self, train, classifier):
        """Refuse other columns, and labels that are not among those of the training rows."""
        if self.X.shape[1] != train.X.shape[1]:
            raise DataError(
                f"{self.name} has {self.X.shape[1]} columns and train has {train.X.shape[1]}: give the same ones."
            )
        if self.y.shape[1:] != train.y.shape[1:]:
            raise DataError(
                f"{self.name} has y of shape {self.y.shape} and train of shape {train.y.shape}: give as many targets for each row."
            )
        if not classifier:
            if self.y.dtype.kind not in "biuf":
                raise DataError(
                    f"{self.name} has y of dtype {self.y.dtype}, and train has numbers: give numbers."
                )
            return
        strange = ~np.isin(self.y, np.unique(train.y))
        if strange.any():
            row = int(np.argmax(strange))
            raise DataError(
                f"{self.name} holds the label {self.y.tolist()[row]!r} in row {row}, which train has not: leave such rows out, or "
                "add the class to train."
            )

    def ordered_like(self, train):
        """Return the part with its columns in the order of the training part's, where both have names."""
        if not (hasattr(self.X, "columns") and hasattr(train.X, "columns")):
            return self
        names, known = list(self.X.columns), list(train.X.columns)
        strange = sorted(set(map(str, names)) ^ set(map(str, known)))
        if strange:
            raise DataError(
                f"{self.name} and train do not have the same columns: {', '.join(strange[:5])} is in one of them only."
            )
        return self if names == known else dataclasses.replace(self, X=self.X[known])

    def normalized(self):
        """Return the part with every row of X divided by its Euclidean norm, in float32 at least."""
        X = self.X
        if isinstance(X, torch.Tensor):
            X = torch.nn.functional.normalize(X if X.dtype in _FINE else X.float(), dim=1)
        else:
            from sklearn.preprocessing import normalize

            if getattr(X, "dtype", None) == np.float16:
                # Squares of ordinary activations leave its range.
                X = X.astype(np.float32)
            try:
                rows = normalize(X)
            except ValueError as error:
                raise DataError(f"{self.name} has rows without a norm: {first_line(error)}.") from error
            X = type(X)(rows, columns=X.columns, index=X.index) if hasattr(X, "iloc") else rows
        return dataclasses.replace(self, X=X)


def parts_of(train, validation, test):
    """Return the Parts of a probe, None for those that are not there; a Dataset brings its own test part."""
    if test is None and isinstance(train, Dataset) and train.X_test is not None:
        test = train.X_test, train.y_test
    named = (("train", train), ("validation", validation), ("test", test))
    return [None if given is None else Part.of(name, given) for name, given in named]
