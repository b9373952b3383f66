"""The Hessian of P at one point, as products."""

import dataclasses

from onelayer.curvature.sampling import by_curvature
from onelayer.parameters import Parameters

__all__ = ["Hessian"]


class Hessian:
    """∂²P at a point, applied to directions; the L1 part of a penalty has no share in it.

    The second derivatives of the loss are kept, so that a product costs two products with X and no exponentials.

    Parameters
    ----------
    objective : Objective
    point : Point
        Its scores are all that is used.
    curvature : Curvature, optional
        Instead of the loss's own.
    """

    def __init__(self, objective, point, curvature=None):
        self.objective = objective
        self.curvature = curvature or objective.loss.curvature(point.scores, objective.y)

    def product(self, direction):
        """Return H times a direction in float64; the products with X are in the objective's arithmetic."""
        objective = self.objective
        bent = objective._weighted(self.curvature.product(objective.slopes(direction)))
        weight = objective.adjoint(bent).double()
        weight.add_(direction.weight, alpha=objective.penalty.smooth_part.l2)
        return Parameters.of(weight, objective._bias_gradient(bent).double())

    def bend(self, direction, slopes):
        """Return dᵀH d from the slopes X d, without a product with X."""
        objective = self.objective
        bent = objective._weighted(self.curvature.product(slopes.clone()))
        inner = (bent * slopes).sum(dim=1).double().sum().item() / objective.total_weight
        return inner + objective.penalty.smooth_part.l2 * direction.weight.square().sum().item()

    def sampled(self, point, count):
        """Return the Hessian as `count` rows see it, drawn by their curvature: each product costs that share of one."""
        objective = self.objective
        h = objective._weighted(self.curvature.trace().unsqueeze(1)).squeeze(1).clamp(min=0)
        index, factor = by_curvature(h, count)
        part = objective.take(index)
        factor = factor.to(part.dtype)
        part.sample_weight = factor if part.sample_weight is None else part.sample_weight * factor
        # The sum of all weights, not that of these rows: the chances are by curvature, the curvature is what is estimated.
        part.total_weight = float(objective.rows)
        return Hessian(part, dataclasses.replace(point, scores=point.scores[index]))
