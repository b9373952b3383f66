"""The directions along which no row loses, as inequalities between exact numbers."""

import numpy as np
import torch

from onelayer.parameters import Parameters

__all__ = ["Cone"]

# Numbers in one block of rows: 2²¹ float64 are 16 MiB, whatever the size of X.
_BLOCK_NUMBERS = 2**21
# The sum of w terms is right to w rounding units of their absolute values, and each term is a rounded product.
_UNITS_PER_TERM = 4


class Cone:
    """A θ ≥ 0 for the rows of positive weight: θ = (W, b) in units in which columns are alike.

    With one score A has one row (2y − 1) (x̃, 1) for each row of the data; with K scores it has K − 1 of them,
    (e_y − e_k) ⊗ (x̃, 1) for each class k ≠ y. The data are separated where some θ of the cone has A θ ≠ 0. Offsets do
    not come in: they move margins by a constant.

    x̃ = (x − centre) / scale costs no digit: scales are powers of two, and centres whole multiples of them, so numbers
    on a grid stay on it. Mean and standard deviation themselves would round each number by itself, and rows that lie
    exactly on the boundary would do so no more. Without an intercept the centre is zero.

    Parameters
    ----------
    objective : Objective
        Of one score and targets 0 and 1, or of one score per class.

    Attributes
    ----------
    rows : tensor
        Numbers of the rows of positive weight; the others are left out everywhere.
    shape : (int, int)
        Of the margins: rows of positive weight, and 1 or K.
    own : boolean array of this shape
        Where a class would be compared with itself.
    width, unknowns : int
        Entries of θ for each score, and those of all scores that are free: the same shift of all scores changes no
        margin, so that of the last class is kept at zero.
    zero : float
        Margins of at most this share of their terms are rounding.
    fixed : boolean array of shape (features,)
        Columns of zeros in these units, whose coefficients change nothing.
    """

    def __init__(self, objective):
        self.design = objective.design.as_dtype(torch.float64)
        self.features, self.outputs = objective.features, objective.outputs
        self.fit_intercept, self.per_class = objective.fit_intercept, objective.loss.per_class
        weight = objective.sample_weight
        weight = (
            torch.ones(objective.rows, dtype=torch.float64, device=self.design.device)
            if weight is None
            else weight
        )
        self.rows = torch.nonzero(weight > 0).squeeze(1)
        self.y = objective.y[self.rows].cpu().numpy().reshape(-1)
        self.shape = len(self.rows), self.outputs
        self.own = np.zeros(self.shape, dtype=bool)
        if self.per_class:
            self.own[np.arange(len(self.y)), self.y] = True
        self.width = self.features + self.fit_intercept
        self.unknowns = self.width * (self.outputs - 1 if self.per_class else 1)
        self.zero = _UNITS_PER_TERM * max(self.width, 1) * np.finfo(float).eps
        self._set_units((weight > 0).double())

    # ---- rows as numbers --------------------------------------------------------------------------------------

    def _set_units(self, counted):
        mean, deviation = (part.cpu().numpy() for part in self.design.moments(counted))
        if not self.fit_intercept:
            mean, deviation = np.zeros_like(mean), np.hypot(mean, deviation)
        self.centre, self.scale = np.zeros_like(mean), np.ones_like(mean)
        low, high = np.full_like(mean, np.inf), np.full_like(mean, -np.inf)
        for _, numbers in self.blocks():
            x = numbers[:, : self.features]
            np.minimum(low, x.min(axis=0), out=low)
            np.maximum(high, x.max(axis=0), out=high)
        grid = _power_of_two(deviation)
        centre = np.where(np.isfinite(mean), np.rint(mean / grid) * grid, 0.0)
        # A column that does not vary is the intercept once more, or nothing: it becomes zero.
        self.centre = np.where((low == high) & self.fit_intercept, low, centre)
        # Squares of tiny and of huge columns leave the numbers of float64; their largest entry does not.
        usual = (deviation > 1e-100) & (deviation < 1e100)
        largest = np.maximum(np.abs(low - self.centre), np.abs(high - self.centre))
        self.scale = _power_of_two(np.where(usual, deviation, largest))
        self.fixed = (largest == 0) | ~np.isfinite(largest)

    def numbers(self, rows):
        """Return x̃ of some rows (a slice or positions among `rows`), with a column of ones for the intercept."""
        if not isinstance(rows, slice):
            rows = torch.as_tensor(rows, device=self.design.device)
        x = self.design.dense(self.rows[rows]).cpu().numpy()
        x = (x - self.centre) / self.scale
        return np.hstack([x, np.ones((len(x), 1))]) if self.fit_intercept else x

    def blocks(self):
        """Yield all rows, as slices and their numbers."""
        size = max(1, _BLOCK_NUMBERS // max(self.width, 1))
        for start in range(0, len(self.rows), size):
            part = slice(start, start + size)
            yield part, self.numbers(part)

    # ---- θ ----------------------------------------------------------------------------------------------------

    def theta(self, parameters):
        """Return W and b in the units of the cone, shape (outputs, width); over classes they sum to zero."""
        weight = parameters.weight.detach().double().cpu().numpy()
        theta = weight * self.scale
        if self.fit_intercept:
            bias = parameters.bias.detach().double().cpu().numpy() + weight @ self.centre
            theta = np.hstack([theta, bias[:, None]])
        return self._centred(theta)

    def spread(self, free):
        """Return the θ whose free entries these are."""
        theta = free.reshape(-1, self.width)
        return self._centred(np.vstack([theta, np.zeros((1, self.width))])) if self.per_class else theta

    def seen(self, theta):
        """Return the part of θ that scores see: without what equal or dependent columns cancel among themselves."""
        gram = sum(numbers.T @ numbers for _, numbers in self.blocks())
        values, vectors = np.linalg.eigh(gram)
        kept = vectors[:, values > 1e-12 * values[-1]]
        return theta @ kept @ kept.T

    def parameters(self, theta):
        """Return θ in the units of the features."""
        weight = theta[:, : self.features] / self.scale
        bias = theta[:, -1] - weight @ self.centre if self.fit_intercept else np.zeros(self.outputs)
        flat = Parameters.of(torch.from_numpy(weight), torch.from_numpy(bias))
        return flat.to(torch.float64, self.design.device)

    def _centred(self, theta):
        return theta - theta.mean(axis=0) if self.per_class else theta

    # ---- margins ----------------------------------------------------------------------------------------------

    def margins(self, theta):
        """Return A θ, each as a share of the absolute values of its terms; 0 where a class meets itself."""
        share = np.zeros(self.shape)
        for part, numbers in self.blocks():
            scores, sizes = numbers @ theta.T, np.abs(numbers) @ np.abs(theta).T
            y = self.y[part]
            if self.per_class:
                line = np.arange(len(y))
                margin, size = scores[line, y][:, None] - scores, sizes[line, y][:, None] + sizes
            else:
                margin, size = scores * (2 * y[:, None] - 1), sizes
            np.divide(margin, size, out=share[part], where=size > 0)
        share[self.own] = 0.0
        return share

    def total(self, chosen):
        """Return the sum of the rows of A that a mask of the shape of the margins chooses, as the free part of θ."""
        residual = chosen.astype(float)
        if self.per_class:
            residual = np.where(self.own, residual.sum(axis=1, keepdims=True), -residual)[:, :-1]
        else:
            residual *= 2 * self.y[:, None] - 1
        total = np.zeros((residual.shape[1], self.width))
        for part, numbers in self.blocks():
            total += residual[part].T @ numbers
        return total.ravel()


def _power_of_two(size):
    """Return the power of two at or below each number, and 1 where there is none."""
    usual = np.isfinite(size) & (size > 0)
    return np.ldexp(1.0, np.where(usual, np.frexp(np.where(usual, size, 1.0))[1] - 1, 0))
