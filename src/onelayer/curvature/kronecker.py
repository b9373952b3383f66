"""One eigenbasis of the features times one of the classes."""

import copy

import torch

from onelayer.curvature.preconditioners import Preconditioner, without_shift
from onelayer.curvature.sampling import by_curvature
from onelayer.parameters import Parameters

__all__ = ["Kronecker"]


class Kronecker(Preconditioner):
    """E[J] ⊗ Σ + α, Σ the curvature-weighted covariance of the features: exact where J and x are independent.

    At W = 0 it is the Hessian itself. Two small eigendecompositions serve any number of classes, where one factor for
    each class would not fit into memory.

    Parameters
    ----------
    objective : Objective
    curvature : Curvature
    rows : int
        To take Σ from.

    References
    ----------
    J. Martens, R. Grosse, "Optimizing neural networks with Kronecker-factored approximate curvature", ICML 2015: this
    is its single layer.
    """

    description = "one eigenbasis of the features times one of the classes"

    def __init__(self, objective, curvature, rows):
        self._shift = objective.loss.shift_invariant
        self._free = objective.fit_intercept
        l2 = objective.penalty.smooth_part.l2
        h = objective._weighted(curvature.trace().unsqueeze(1)).squeeze(1).clamp(min=0)
        # Where every row is predicted with certainty none has curvature, and one basis of the features is as good as another.
        h = h if bool(h.any()) else torch.ones_like(h)
        index, factor = by_curvature(h, rows)
        dense = objective.design.dense(index)
        weight = h[index].double() * factor / objective.total_weight
        total = weight.sum()
        mean = (weight.to(dense) @ dense).double() / total if self._free else weight.new_zeros(dense.shape[1])
        dense = (dense - mean.to(dense)) * (weight / total).sqrt().to(dense).unsqueeze(1)
        objective._work.add(len(dense) * objective.features / objective.outputs)
        sigma, self._features = torch.linalg.eigh((dense.T @ dense).double())
        ones = torch.ones_like(h) if objective.sample_weight is None else objective.sample_weight
        delta, self._classes = torch.linalg.eigh(curvature.mean(ones) / objective.total_weight)
        sigma, delta = sigma.clamp(min=0), delta.clamp(min=0)
        self._curved = delta.unsqueeze(1) * sigma
        self._least = 16 * torch.finfo(objective.dtype).eps * self._curved.max().item() or 1.0
        self._scale = self._scale_under(l2)
        self._total = delta.clamp(min=1e-9 * delta.max().item() or 1.0)
        self._mean = mean

    def apply(self, gradient):
        gradient = without_shift(gradient, self._shift)
        bias = gradient.bias if self._free else torch.zeros_like(gradient.bias)
        left, right = self._classes, self._features
        reduced = left.T @ (gradient.weight - bias.outer(self._mean)) @ right
        weight = left @ (reduced / self._scale) @ right.T
        moved = Parameters.of(
            weight, left @ ((left.T @ bias) / self._total) - weight @ self._mean * self._free
        )
        return without_shift(moved, self._shift)

    def under(self, l2):
        other = copy.copy(self)
        other._scale = self._scale_under(l2)
        return other

    def foretold(self, parameters, l2):
        # To W = 0 and to small curvature beside α it is exact; the intercept keeps the mean of the scores.
        left, right = self._classes, self._features
        share = self._scale / self._scale_under(l2)
        weight = parameters.weight.double()
        moved = left @ ((left.T @ weight @ right) * share) @ right.T
        return Parameters.of(moved, parameters.bias + (weight - moved) @ self._mean * self._free)

    def _scale_under(self, l2):
        return (self._curved + l2).clamp(min=self._least)

    def eliminated(self, gradient):
        return gradient.weight - gradient.bias.outer(self._mean) * self._free
