"""The rows of many problems: the same for all of them, or of their own."""

import abc
import functools

import torch

from onelayer.designs import StandardizedDesign, products

__all__ = ["OwnRows", "Rows", "ScaledRows", "SharedRows", "WidenedRows"]

# Bytes of float64 numbers that are made at a time. As one array of 32 MB they took twice as long, for new pages.
_WIDE_BYTES = 2**23
# The least norm whose square has all digits of float32, with much to spare.
_SQUARED = 1e-15
# Rows whose products are added in their own arithmetic before the rest is added in float64: at least so many, in at most so
# many parts.
_SHORT_ROWS, _MOST_PARTS = 64, 32


class Rows(abc.ABC):
    """Products of the data of many problems with coefficients of many problems.

    An array with numbers for each row of each problem has the shape (*each, outputs), with `each` either (rows, problems)
    or (problems, rows): whichever the products leave behind without a copy.

    Attributes
    ----------
    count, features : int
        Rows and columns of one problem.
    dtype : torch.dtype
        Of the products.
    device : torch.device
    """

    count: int
    features: int
    dtype: torch.dtype
    device: torch.device

    @property
    def short(self):
        """How many terms of a sum over rows are added in `dtype`."""
        return self.count

    @property
    @abc.abstractmethod
    def axis(self):
        """Of the rows, in arrays of the shape `each`."""

    @abc.abstractmethod
    def scores(self, weight, bias):
        """Return X Wᵀ + b for weights (problems, outputs, features) and biases (problems, outputs)."""

    @abc.abstractmethod
    def adjoint(self, residual):
        """Return Rᵀ X, shape (problems, outputs, features)."""

    def swept(self, weight, bias, residual):
        """Return `scores` and `adjoint` of a residual that does not depend on them; where that pays in one read."""
        return self.scores(weight, bias), self.adjoint(residual)

    @abc.abstractmethod
    def as_dtype(self, dtype):
        """Return the same rows with products in another arithmetic."""

    @abc.abstractmethod
    def take(self, index):
        """Return these rows of all problems."""

    @abc.abstractmethod
    def some(self, problems):
        """Return the rows of these problems (a tensor of numbers)."""

    @abc.abstractmethod
    def column_norms(self, weight):
        """Return at least (Σ_i s_i x_ij²)^½ in float64, shape (problems or 1, features); `weight` has the shape `each`, or is None."""

    def spread(self, values):
        """Return what is known of each problem, shape (problems, …), in a shape that broadcasts over its rows."""
        return values.unsqueeze(self.axis)

    def total(self, values):
        """Return the sum over rows in float64, shape (problems, …)."""
        return values.sum(dim=self.axis, dtype=torch.float64)


class SharedRows(Rows):
    """One X for all problems: a product with many of them reads it once.

    Parameters
    ----------
    design : Design
    """

    def __init__(self, design):
        self.design = design
        self.count, self.features = design.rows, design.features
        self.dtype, self.device = design.dtype, design.device

    @property
    def axis(self):
        return 0

    def scores(self, weight, bias):
        scores = self.design.scores(weight.reshape(-1, self.features), bias.reshape(-1))
        return scores.view(self.count, *weight.shape[:2])

    def adjoint(self, residual):
        return self.design.adjoint(residual.reshape(self.count, -1)).view(*residual.shape[1:], self.features)

    def swept(self, weight, bias, residual):
        parts = weight.reshape(-1, self.features), bias.reshape(-1), residual.reshape(self.count, -1)
        scores, pulled = self.design.swept(*parts)
        return scores.view(self.count, *weight.shape[:2]), pulled.view(weight.shape)

    def total(self, values):
        return products.sums(values.reshape(len(values), -1)).view(values.shape[1:])

    def as_dtype(self, dtype):
        return self if dtype == self.dtype else SharedRows(self.design.as_dtype(dtype))

    def take(self, index):
        return SharedRows(self.design.take(index))

    def some(self, problems):
        del problems
        return self

    def column_norms(self, weight):
        # Those of the heaviest weight of each row: a bound for every problem, from one read.
        if weight is None:
            heaviest = torch.ones(self.count, dtype=torch.float64, device=self.device)
        else:
            heaviest = weight.amax(dim=1).double()
        return self.design.column_norms(heaviest).unsqueeze(0)


class OwnRows(Rows):
    """An X for each problem, all of one shape.

    Parameters
    ----------
    X : tensor of shape (problems, rows, features)
    dtype : torch.dtype, optional
        Arithmetic of the products; default: float64 for float64, else float32.
    """

    def __init__(self, X, dtype=None):
        self._given = X
        self.count, self.features = X.shape[1:]
        self.dtype = dtype or (torch.float64 if X.dtype == torch.float64 else torch.float32)
        self.device = X.device
        self.X = X.to(self.dtype)

    @property
    def axis(self):
        return 1

    def scores(self, weight, bias):
        return torch.baddbmm(bias.unsqueeze(1), self.X, weight.mT)

    @functools.cached_property
    def short(self):
        # Equal parts of all rows, for then no product is made of a copy.
        counts = range(min(_MOST_PARTS, max(1, self.count // _SHORT_ROWS)), 0, -1)
        return self.count // next(parts for parts in counts if self.count % parts == 0)

    def adjoint(self, residual):
        if self.dtype == torch.float64 or self.short == self.count:
            return torch.bmm(residual.mT, self.X)
        left = residual.reshape(-1, self.short, residual.shape[2])
        pulled = torch.bmm(left.mT, self.X.reshape(-1, self.short, self.features))
        return pulled.unflatten(0, (len(self.X), -1)).sum(dim=1, dtype=torch.float64)

    def as_dtype(self, dtype):
        if dtype == self.dtype:
            return self
        widened = dtype == torch.float64 != self._given.dtype
        return WidenedRows(self._given) if widened else OwnRows(self._given, dtype)

    def take(self, index):
        return OwnRows(self._given[:, index], self.dtype)

    def some(self, problems):
        return OwnRows(self._given[problems], self.dtype)

    def column_norms(self, weight):
        # In the arithmetic of the products, a little more than they are: they are but room for rounding.
        norms = 1.01 * self.X.square().sum(dim=1).sqrt().double()
        if self.dtype != torch.float64 and not bool(((norms > _SQUARED) & torch.isfinite(norms)).all()):
            # Squares of some columns have left its range, or they are zero.
            norms = WidenedRows(self.X).column_norms(None)
        return norms if weight is None else norms * weight.amax(dim=1, keepdim=True).double().sqrt()


class WidenedRows(Rows):
    """An X for each problem in float64, a few problems at a time: there is no second copy of them.

    Parameters
    ----------
    X : tensor of shape (problems, rows, features)
        Of narrower numbers.
    """

    def __init__(self, X):
        self.X = X
        self.count, self.features = X.shape[1:]
        self.dtype, self.device = torch.float64, X.device

    @property
    def axis(self):
        return 1

    def scores(self, weight, bias):
        return torch.cat(
            [torch.baddbmm(bias[part].unsqueeze(1), X, weight[part].mT) for part, X in self._parts()]
        )

    def adjoint(self, residual):
        return torch.cat([torch.bmm(residual[part].mT, X) for part, X in self._parts()])

    def swept(self, weight, bias, residual):
        both = [
            (torch.baddbmm(bias[part].unsqueeze(1), X, weight[part].mT), torch.bmm(residual[part].mT, X))
            for part, X in self._parts()
        ]
        scores, pulled = zip(*both, strict=True)
        return torch.cat(scores), torch.cat(pulled)

    def as_dtype(self, dtype):
        return self if dtype == self.dtype else OwnRows(self.X, dtype)

    def take(self, index):
        return WidenedRows(self.X[:, index])

    def some(self, problems):
        return WidenedRows(self.X[problems])

    def column_norms(self, weight):
        ones = torch.ones(self.X.shape[:2], dtype=self.dtype, device=self.device)
        weight = ones if weight is None else weight.double()
        squares = [torch.bmm(weight[part].unsqueeze(1), X.square()) for part, X in self._parts()]
        return torch.cat(squares).squeeze(1).sqrt()

    def _parts(self):
        """Yield slices of problems and their X in float64, each in the place of the one before."""
        size = max(1, _WIDE_BYTES // (8 * self.count * self.features or 1))
        space = torch.empty(min(size, len(self.X)), *self.X.shape[1:], dtype=self.dtype, device=self.device)
        for start in range(0, len(self.X), size):
            part = slice(start, min(start + size, len(self.X)))
            yield part, space[: part.stop - part.start].copy_(self.X[part])


class ScaledRows(Rows):
    """The rows that others have, (x − m) / s with a mean and a scale of each problem's own: X is left as it is.

    Parameters
    ----------
    rows : Rows
    mean, scale : float64 tensor of shape (problems, features)
    """

    def __init__(self, rows, mean, scale):
        self.base, self.mean, self.scale = rows, mean, scale
        self.count, self.features = rows.count, rows.features
        self.dtype, self.device = rows.dtype, rows.device
        self._mean, self._inverse = mean.to(rows.dtype), (1 / scale).to(rows.dtype)

    @property
    def axis(self):
        return self.base.axis

    @property
    def design(self):
        """Of rows that are shared those of the first problem, for models of all of them."""
        return StandardizedDesign(self.base.design, self.mean[0], self.scale[0])

    @property
    def X(self):
        """Of rows of their own all of them, for models: products do without this copy."""
        return (self.base.X - self._mean.unsqueeze(1)).mul_(self._inverse.unsqueeze(1))

    def scores(self, weight, bias):
        weight = weight * self._inverse.unsqueeze(1)
        return self.base.scores(weight, bias - (weight @ self._mean.unsqueeze(2)).squeeze(2))

    def adjoint(self, residual):
        pulled = self.base.adjoint(residual)
        total = self.total(residual).to(pulled.dtype)
        return (pulled - total.unsqueeze(2) * self._mean.unsqueeze(1)) * self._inverse.unsqueeze(1)

    def as_dtype(self, dtype):
        return ScaledRows(self.base.as_dtype(dtype), self.mean, self.scale)

    def take(self, index):
        return ScaledRows(self.base.take(index), self.mean, self.scale)

    def some(self, problems):
        return ScaledRows(self.base.some(problems), self.mean[problems], self.scale[problems])

    def column_norms(self, weight):
        # ‖x − m‖ ≤ ‖x‖ + ‖m‖, over all rows with the heaviest weight.
        heaviest = self.count if weight is None else weight.amax(dim=1 - self.axis).sum().item()
        norms = self.base.column_norms(weight) + heaviest**0.5 * self.mean.abs()
        return norms / self.scale
