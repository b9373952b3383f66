"""One eigenbasis of the heaviest features times one of the classes, and a number for each of the others."""

import torch

from onelayer.curvature import thresholds as at
from onelayer.curvature.preconditioners import Preconditioner, without_shift
from onelayer.curvature.sampling import by_curvature
from onelayer.parameters import Parameters

__all__ = ["HeavyColumns"]


class HeavyColumns(Preconditioner):
    """E[J] ⊗ Σ + α, with Σ whole for the features that carry most curvature and diagonal for the others.

    For sparse data with so many features that no matrix features x features fits: in text a few hundred words are in most
    documents and depend on each other, and the many rare ones hardly meet.

    Parameters
    ----------
    objective : Objective
    curvature : Curvature
    rows : int
        To take the whole part of Σ from.
    """

    description = (
        "one eigenbasis of the heaviest features times one of the classes, diagonal for the other features"
    )

    def __init__(self, objective, curvature, rows):
        design = objective.design
        self._shift, self._free = objective.loss.shift_invariant, objective.fit_intercept
        h = objective._weighted(curvature.trace().unsqueeze(1)).squeeze(1).clamp(min=0)
        # Where every row is predicted with certainty none has curvature, and one basis of the features is as good as another.
        h = h if bool(h.any()) else torch.ones_like(h)
        total = h.sum(dtype=torch.float64)
        mean = design.adjoint(h.unsqueeze(1)).squeeze(0).double() / total
        squares = design.column_norms(h).square() / total
        objective._work.add(2 * objective.rows / objective.outputs)
        self._mean = mean if self._free else torch.zeros_like(mean)
        spread = (squares - self._mean.square()).clamp(min=0)
        self._heavy = spread.topk(min(at.HEAVY_FEATURES, objective.features)).indices.sort().values
        index, factor = by_curvature(h, rows)
        # Rows first: the heaviest features hold most of the entries.
        part = design.take(index).select(self._heavy)
        weight = h[index].double() * factor / total
        gram = part.gram(weight.to(part.dtype)).double()
        own = self._mean[self._heavy]
        sigma, features = torch.linalg.eigh(gram - own.outer(own))
        ones = torch.ones_like(h) if objective.sample_weight is None else objective.sample_weight
        delta, self._classes = torch.linalg.eigh(curvature.mean(ones) / objective.total_weight)
        delta = delta.clamp(min=0)
        l2 = objective.penalty.smooth_part.l2
        scale = delta.unsqueeze(1) * sigma.clamp(min=0)
        rest = delta.unsqueeze(1) * spread
        floor = 16 * torch.finfo(objective.dtype).eps * max(scale.max().item(), rest.max().item()) or 1.0
        scale, rest = (scale + l2).clamp(min=floor), (rest + l2).clamp(min=floor)
        # Products in the arithmetic of the objective: a preconditioner need not be exact, and half of the time went there.
        self._narrow = [part.to(objective.dtype) for part in (self._classes, features, scale, rest)]
        self._total = delta.clamp(min=1e-9 * delta.max().item() or 1.0)

    def apply(self, gradient):
        gradient = without_shift(gradient, self._shift)
        bias = gradient.bias if self._free else torch.zeros_like(gradient.bias)
        left, basis, scale, rest = self._narrow
        reduced = left.T @ (gradient.weight - bias.outer(self._mean)).to(left.dtype)
        moved = reduced / rest
        moved[:, self._heavy] = (reduced[:, self._heavy] @ basis / scale) @ basis.T
        weight, left = (left @ moved).double(), self._classes
        bias = left @ ((left.T @ bias) / self._total) - weight @ self._mean * self._free
        return without_shift(Parameters.of(weight, bias), self._shift)

    def eliminated(self, gradient):
        return gradient.weight - gradient.bias.outer(self._mean)
