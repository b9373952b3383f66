"""The parts of the data that a probe is given: trained on, chosen on, judged on."""

import dataclasses
from typing import Any

import numpy as np
import torch

from onelayer.data.dataset import Dataset
from onelayer.errors import DataError, ParameterError
from onelayer.estimators.features import Features
from onelayer.estimators.validation import as_array, check_lengths, first_line, require_finite

__all__ = ["Part", "parted"]

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

    # Whether X is read anew for everything that is asked of it.
    streamed = False

    @classmethod
    def of(cls, name, X, y):
        """Read rows that are in memory."""
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

    @property
    def width(self):
        """How many columns X has."""
        return self.X.shape[1]

    @property
    def columns(self):
        """Their names, or None."""
        return list(self.X.columns) if hasattr(self.X, "columns") else None

    @property
    def labels(self):
        """The labels that it has."""
        return np.unique(self.y)

    def row_of(self, labels):
        """Return the first row with one of these labels."""
        return int(np.argmax(np.isin(self.y, labels)))

    def require_finite(self, est):
        """Refuse X that an estimator could not predict; `est` is left as it is."""
        reader = type(est)(**est.get_params(deep=False))
        try:
            Features(reader, self.X, fitting=True, device=reader.device)
        except DataError as error:
            raise DataError(f"{self.name} cannot be used: {error}") from error

    @property
    def data(self):
        """What ``fit`` takes."""
        return self.X, self.y

    def measured(self, models, measure):
        """Return measure(model, X, y), an array with an entry for each row, of each model."""
        return [measure(model, self.X, self.y) for model in models]

    def scored(self, scorer, models):
        """Return the score of each model."""
        return [scorer(model, self.X, self.y) for model in models]

    def require_like(self, train, classifier):
        """Refuse other columns, and labels that are not among those of the training rows."""
        if self.width != train.width:
            raise DataError(
                f"{self.name} has {self.width} columns and train has {train.width}: give the same ones."
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
        strange = np.setdiff1d(self.labels, train.labels)
        if len(strange):
            row = self.row_of(strange)
            label = next(label for label in strange.tolist() if self.row_of([label]) == row)
            raise DataError(
                f"{self.name} holds the label {label!r} in row {row}, which train has not: leave such rows out, or add the class to "
                "train."
            )

    def ordered_like(self, train):
        """Return the part with its columns in the order of the training part's, where both have names."""
        names, known = self.columns, train.columns
        if names is None or known is None:
            return self
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


def parted(name, given):
    """Return X and y of a pair, or of a Dataset."""
    if isinstance(given, Dataset):
        return given.X, given.y
    try:
        X, y = given
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"{name} is {type(given).__name__}: give a pair (X, y), a Dataset, or a stream."
        ) from error
    return X, y
