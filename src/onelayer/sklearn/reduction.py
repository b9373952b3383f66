"""Least squares with as few rows as there are columns: the triangle of centred, weighted data."""

import dataclasses

import numpy as np
import scipy.linalg
import scipy.sparse

__all__ = ["Reduction", "centred_in_place", "in_float64"]

# Numbers in a block of rows.
_NUMBERS = 2**22


@dataclasses.dataclass(frozen=True)
class Reduction:
    """R and T with ‖T − R Wᵀ‖² = Σ s_i ‖y_i − ȳ − W (x_i − x̄)‖² for every W, in float64.

    Attributes
    ----------
    matrix : array of shape (rows, features)
        R, with at most features + targets rows; its singular values are those of the centred, weighted X.
    right : array of shape (rows, targets)
        T.
    center, level : array of shapes (features,) and (targets,)
        The weighted means x̄ and ȳ; zeros without an intercept.
    total : float
        S = Σ s_i.
    fit_intercept : bool
    """

    matrix: np.ndarray
    right: np.ndarray
    center: np.ndarray
    level: np.ndarray
    total: float
    fit_intercept: bool

    @classmethod
    def of(cls, X, y, sample_weight, *, fit_intercept):
        """Return the Reduction of arrays (X may be sparse: a block of its rows is dense at a time, never more).

        Parameters
        ----------
        X : array or sparse matrix of shape (n_samples, n_features)
        y : array of shape (n_samples, n_targets)
        sample_weight : array of shape (n_samples,) or None
        fit_intercept : bool
        """
        features = X.shape[1]
        if sample_weight is None:
            weight = np.ones(len(y))
        else:
            # A row of no weight counts for nothing, however large its numbers are.
            kept = np.flatnonzero(sample_weight)
            X = X.tocsr() if scipy.sparse.issparse(X) else X
            X, y, weight = X[kept], y[kept], np.asarray(sample_weight[kept], dtype=np.float64)
        table = _Table(X, y)
        means = table.means(weight) if fit_intercept else np.zeros(table.width)
        triangle = np.zeros((0, table.width))
        for rows, block in table.blocks():
            block = (block - means) * np.sqrt(weight[rows])[:, None]
            stacked = np.concatenate([triangle, block])
            triangle = scipy.linalg.qr(stacked, mode="r", overwrite_a=True)[0][: table.width]
        return cls(
            triangle[:, :features],
            triangle[:, features:],
            means[:features],
            means[features:],
            float(weight.sum()),
            fit_intercept,
        )


class _Table:
    """[X y] in float64, a block of rows at a time."""

    def __init__(self, X, y):
        self._X, self._y = X.tocsr() if scipy.sparse.issparse(X) else X, y
        self.width = X.shape[1] + y.shape[1]

    def blocks(self):
        """Yield (rows, these rows as a new array)."""
        # Tall blocks, so that the triangle on top of each is the smaller part.
        size = max(4 * self.width, _NUMBERS // self.width)
        for start in range(0, len(self._y), size):
            rows = slice(start, start + size)
            yield rows, np.concatenate([in_float64(self._X[rows]), in_float64(self._y[rows])], axis=1)

    def means(self, weight):
        """Return the weighted means of the columns."""
        # From the first row on: the mean of a constant column is that constant, to the last bit.
        first = next(self.blocks())[1][0]
        return first + sum(weight[rows] @ (block - first) for rows, block in self.blocks()) / weight.sum()


def centred_in_place(X, sample_weight):
    """Subtract the weighted means from the columns of X, and return them in its dtype; None where X stays as it is.

    For ``copy_X=False``, which lets a fit overwrite X. Sparse matrices, tensors and memory that may not be written to stay,
    and so does X where a mean is not finite, or where rows of no weight could lend the means their rounding errors.

    Parameters
    ----------
    X : array, sparse matrix or tensor of shape (n_samples, n_features)
    sample_weight : array of shape (n_samples,) or None
    """
    if not isinstance(X, np.ndarray) or not X.flags.writeable:
        return None
    if sample_weight is not None and not np.all(sample_weight):
        return None
    weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    with np.errstate(all="ignore"):
        means = _Table(X, np.empty((len(X), 0))).means(weight).astype(X.dtype)
    if not np.isfinite(means).all():
        return None
    X -= means
    return means


def in_float64(array):
    """Return a dense float64 array of an array or a sparse matrix."""
    return np.asarray(array.toarray() if scipy.sparse.issparse(array) else array, dtype=np.float64)
