"""The objective along a line."""

import torch

__all__ = ["Ray"]


class Ray:
    """P(W + tD) as a function of t.

    The slopes T = XDᵀ are one product; then the scores of any step are Z + tT, and the penalty is a parabola.
    """

    def __init__(self, objective, point, direction):
        self.objective, self.origin, self.direction = objective, point, direction
        self.slopes = objective.slopes(direction)
        smooth = objective.penalty.smooth_part
        weight, move = point.parameters.weight.double(), direction.weight.double()
        self._bend = smooth.l2 * move.square().sum().item()
        self._tilt = smooth.l2 * (weight * move).sum().item()

    def at(self, t):
        """Return the Point at step t and the derivative of P along the ray there."""
        objective = self.objective
        parameters = self.origin.parameters.like(self.origin.parameters.flat + t * self.direction.flat)
        point = objective.point(parameters, torch.add(self.origin.scores, self.slopes, alpha=t))
        return point, self.slope(point, t)

    def slope(self, point, t):
        """Return d/dt P at the point that `at(t)` returned."""
        # Rows are summed in float64: near the optimum they nearly cancel.
        inner = (point.residual * self.slopes).sum(dim=1).double().sum().item() / self.objective.total_weight
        return inner + self._tilt + t * self._bend
