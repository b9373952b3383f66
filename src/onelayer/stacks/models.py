"""What the Newton systems of many problems are preconditioned with."""

import abc

import torch

from onelayer.curvature.factor import symmetric
from onelayer.curvature.sampling import by_curvature
from onelayer.stacks.coefficients import Coefficients

__all__ = ["Model", "OwnFactors", "SharedBasis", "model_of"]

# Rows for each feature that a shared covariance is taken from.
_ROWS_PER_FEATURE = 16
# Added to the unit diagonal, in rounding units of float32, until a factor exists.
_JITTER, _ATTEMPTS = 16, 5


class Model(abc.ABC):
    """Something like the inverse of every Hessian."""

    @abc.abstractmethod
    def apply(self, gradient):
        """Return M_m⁻¹ g_m for all problems, as Coefficients in float64."""

    @abc.abstractmethod
    def some(self, index):
        """Return the model of some of the problems."""

    def renewed(self, stack, point):
        """Return a model of the same kind at another point, where systems have become dear."""
        return model_of(stack, point)


class SharedBasis(Model):
    """E[J_m] ⊗ Σ + α_m: one eigenbasis of the features for all problems, with one X for all of them.

    Σ is the covariance of the features, weighted by the mean curvature of each row over the problems; E[J_m] is each
    problem's own.
    """

    def __init__(self, stack, curvature):
        rows = stack.rows
        h = stack.weighted(stack.each(curvature.trace().unsqueeze(1))).squeeze(-1)
        h = (h.clamp(min=0) / stack.total_weight.to(h.dtype)).mean(dim=1)
        h = h if bool(h.any()) else torch.ones_like(h)
        index, factor = by_curvature(h, _ROWS_PER_FEATURE * rows.features)
        dense = rows.design.dense(index)
        weight = h[index].double() * factor
        weight = weight / weight.sum()
        mean = (weight.to(dense) @ dense).double() if stack.fit_intercept else weight.new_zeros(rows.features)
        dense = (dense - mean.to(dense)) * weight.sqrt().to(dense).unsqueeze(1)
        # Squares of large or small features would leave the range of float32.
        size = dense.abs().max().item() or 1.0
        dense = dense / size
        sigma, basis = torch.linalg.eigh((dense.T @ dense).double())
        sigma = sigma * size**2
        delta, classes = torch.linalg.eigh(stack.mean_curvature(curvature))
        self._sigma, self._basis, self._mean = sigma.clamp(min=0), basis, mean
        self._shift, self._free = stack.loss.shift_invariant, stack.fit_intercept
        self._of_problems(delta.clamp(min=0), classes, stack.l2)

    def _of_problems(self, delta, classes, l2):
        self._delta, self._classes, self._l2 = delta, classes, l2
        curved = delta.unsqueeze(2) * self._sigma
        least = 16 * torch.finfo(torch.float32).eps * curved.amax(dim=(1, 2), keepdim=True)
        self._scale = (curved + l2.view(-1, 1, 1)).clamp(min=least)
        self._total = delta.clamp(min=1e-9 * delta.amax(dim=1, keepdim=True)).clamp(min=1e-300)

    def some(self, index):
        other = object.__new__(SharedBasis)
        other._sigma, other._basis, other._mean = self._sigma, self._basis, self._mean
        other._shift, other._free = self._shift, self._free
        other._of_problems(self._delta[index], self._classes[index], self._l2[index])
        return other

    def apply(self, gradient):
        weight, bias = _without_shift(gradient.weight, gradient.bias, self._shift)
        bias = bias * self._free
        reduced = self._turned(weight - bias.unsqueeze(2) * self._mean) @ self._basis
        weight = self._turned(reduced / self._scale, back=True) @ self._basis.T
        moved = self._turned(
            self._turned(bias.unsqueeze(2)).squeeze(2).div(self._total).unsqueeze(2), back=True
        )
        bias = moved.squeeze(2) - weight @ self._mean * self._free
        return Coefficients.of(*_without_shift(weight, bias, self._shift))

    def _turned(self, values, back=False):
        """Return values of shape (problems, outputs, …) in the eigenbasis of each E[J_m], or back from it."""
        if values.shape[1] == 1:
            return values
        return torch.bmm(self._classes if back else self._classes.mT, values)


class OwnFactors(Model):
    """The block of the Hessian that belongs to one output of one problem: (1/S) Σ s h x̃ x̃ᵀ + α, factorised, for each."""

    def __init__(self, stack, curvature):
        X = stack.rows.X
        self._shift, self._free = stack.loss.shift_invariant, stack.fit_intercept
        h = curvature.diagonals().T.reshape(*stack.y.shape, stack.outputs)
        h = stack.weighted(h).clamp(min=0) / stack.total_weight.view(-1, 1, 1).to(X)
        total = h.sum(dim=1)
        inverse, scale, mean = [], [], []
        for output in range(stack.outputs):
            own = h[:, :, output]
            part = torch.zeros_like(X[:, 0])
            if self._free:
                part = torch.bmm(own.unsqueeze(1), X).squeeze(1) / total[:, output, None].clamp(min=1e-30)
            rows = (X - part.unsqueeze(1)).mul_(own.sqrt().unsqueeze(2))
            lower, size = _factor(symmetric(rows), stack.l2)
            inverse.append(lower)
            scale.append(size)
            mean.append(part.double())
        self._inverse, self._scale, self._mean = (torch.stack(part, dim=1) for part in (inverse, scale, mean))
        self._total = total.double().clamp(min=1e-12 * total.max().item() or 1.0)

    def some(self, index):
        other = object.__new__(OwnFactors)
        other._shift, other._free = self._shift, self._free
        for name in ("_inverse", "_scale", "_mean", "_total"):
            setattr(other, name, getattr(self, name)[index])
        return other

    def apply(self, gradient):
        weight, bias = _without_shift(gradient.weight, gradient.bias, self._shift)
        bias = bias * self._free
        reduced = ((weight - bias.unsqueeze(2) * self._mean) * self._scale).to(self._inverse.dtype)
        # Rows times matrices: as matrices times columns they took four times as long.
        half = reduced.unsqueeze(2) @ self._inverse.mT
        weight = (half @ self._inverse).squeeze(2).double() * self._scale
        bias = bias / self._total - (weight * self._mean).sum(dim=2) * self._free
        return Coefficients.of(*_without_shift(weight, bias, self._shift))


def model_of(stack, point):
    """Return the Model that suits a stack."""
    curvature = stack.curvature(point)
    return (SharedBasis if stack.rows.axis == 0 else OwnFactors)(stack, curvature)


def _factor(gram, l2):
    """Return L⁻¹ of matrices + α scaled to unit diagonal, and that scale (float64)."""
    gram.diagonal(dim1=1, dim2=2).add_(l2.unsqueeze(1).to(gram))
    diagonal = gram.diagonal(dim1=1, dim2=2)
    diagonal.add_((diagonal <= 0).to(gram))
    size = diagonal.sqrt()
    gram = gram / (size.unsqueeze(1) * size.unsqueeze(2))
    unit = torch.eye(gram.shape[1], dtype=gram.dtype, device=gram.device)
    jitter = _JITTER * torch.finfo(gram.dtype).eps
    lower = unit.expand_as(gram)
    for _ in range(_ATTEMPTS):
        lower, failed = torch.linalg.cholesky_ex(gram + jitter * unit)
        if not bool(failed.any()):
            break
        jitter *= 30
        lower = torch.where((failed > 0).view(-1, 1, 1), unit, lower)
    return torch.linalg.solve_triangular(lower, unit.expand_as(gram), upper=False), 1 / size.double()


def _without_shift(weight, bias, active):
    """Return weights and biases less their mean over the classes, where adding one row to all of them changes nothing."""
    if not active:
        return weight, bias
    return weight - weight.mean(dim=1, keepdim=True), bias - bias.mean(dim=1, keepdim=True)
