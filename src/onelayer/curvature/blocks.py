"""One Cholesky factor for each output."""

import torch

from onelayer.curvature.factor import CentredFactor, gram_work, spans_of
from onelayer.curvature.preconditioners import Preconditioner, without_shift
from onelayer.curvature.sampling import by_curvature, leverages, systematic
from onelayer.parameters import Parameters

__all__ = ["ClassBlocks"]

# Shares of chances: by curvature times leverage, by curvature, and to all rows alike.
_LEVERAGE, _CURVATURE, _UNIFORM = 0.95, 0.05, 1e-3


class ClassBlocks(Preconditioner):
    """The blocks of the Hessian that belong to one output each: (1/S) Σ_i s_i h_ik x̃_i x̃_iᵀ + α.

    With one score (binary, regression) that is the Hessian itself, up to the sampling of rows; with K classes the
    coupling between them is left to conjugate gradients. The intercept is eliminated from each block. Rows are drawn
    for each output by h_ik times leverage.

    Parameters
    ----------
    objective : Objective
    curvature : Curvature
    rows : int
        For each block.
    """

    description = "one Cholesky factor for each output, from rows sampled by curvature and leverage"

    def __init__(self, objective, curvature, rows):
        self._shift = objective.loss.shift_invariant
        self._free = objective.fit_intercept
        l2 = objective.penalty.smooth_part.l2
        total_weight = objective.total_weight
        every = rows >= objective.rows
        leverage = None if every else self._leverages(objective, curvature, rows)
        spans = spans_of(objective.design) if objective.outputs > 1 else None
        inverse, scale, mean, total = [], [], [], []
        for output in range(objective.outputs):
            h = objective._weighted(curvature.diagonal(output).unsqueeze(1)).squeeze(1).clamp(min=0)
            whole = h.sum(dtype=torch.float64) / total_weight
            index, factor = (slice(None), 1.0) if every else _drawn(h, leverage, rows)
            h = h[index].double() * factor / total_weight
            block = CentredFactor(objective.design, index, h, l2, centred=self._free, spans=spans)
            objective._work.add(len(h) * gram_work(objective))
            inverse.append(block.inverse())
            scale.append(block.scale)
            mean.append(block.mean)
            total.append(whole)
        # L⁻¹ itself: two products with it took a tenth of the time of two triangular solves, which copy L each time.
        self._inverse, self._scale = torch.stack(inverse), torch.stack(scale)
        self._mean, total = torch.stack(mean), torch.stack(total)
        self._total = total.clamp(min=1e-12 * total.max().item() or 1.0)

    def apply(self, gradient):
        gradient = without_shift(gradient, self._shift)
        bias = gradient.bias if self._free else torch.zeros_like(gradient.bias)
        # In terms of b' = b + W·mean the weights and the intercept separate.
        reduced = (gradient.weight - bias.unsqueeze(1) * self._mean) * self._scale
        # Rows times matrices: as matrices times columns the two took twice as long.
        half = torch.bmm(reduced.to(self._inverse.dtype).unsqueeze(1), self._inverse.mT)
        weight = torch.bmm(half, self._inverse).squeeze(1).double() * self._scale
        moved = Parameters.of(weight, bias / self._total - (weight * self._mean).sum(dim=1) * self._free)
        return without_shift(moved, self._shift)

    def eliminated(self, gradient):
        return gradient.weight - gradient.bias.unsqueeze(1) * self._mean * self._free

    def _leverages(self, objective, curvature, rows):
        h = objective._weighted(curvature.trace().unsqueeze(1)).squeeze(1).clamp(min=0)
        index, factor = by_curvature(h, rows)
        objective._work.add(len(index) * gram_work(objective))
        h = h[index].double() * factor / objective.total_weight
        l2 = objective.penalty.smooth_part.l2
        pilot = CentredFactor(objective.design, index, h, l2, centred=self._free)
        return leverages(objective, pilot)


def _drawn(h, leverage, rows):
    product = h * leverage
    tiny = torch.finfo(h.dtype).tiny
    share = _LEVERAGE * product / (product.sum() + tiny) + _CURVATURE * h / (h.sum() + tiny)
    return systematic(share + _UNIFORM / len(h), rows)
