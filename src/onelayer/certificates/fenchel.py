"""The duality gap at a dual point, as a sum of terms that are never negative."""

import functools
import math

import torch

from onelayer.certificates.dual_points import balanced

__all__ = ["FenchelGap"]

# Rounding errors that a score may be off by, in units of itself: a sum of products, in float64.
_SCORE_ROUNDING = 8 * torch.finfo(torch.float64).eps
# Gaps above this share of P are worth a search for a better multiple of the dual point (products with X: none).
_LOOSE = 0.01
_GOLDEN = (math.sqrt(5) - 1) / 2
_GOLDEN_ROUNDS = 8


class FenchelGap:
    """Gaps between coefficients and dual points, in float64, with room for the rounding of G.

    Parameters
    ----------
    wide : Objective
        In float64.
    before : FenchelGap, optional
        Of the same rows, whose sizes it knows.
    """

    def __init__(self, wide, before=None):
        self.wide = wide
        if before:
            self._weights, self.column_norms = before._weights, before.column_norms

    def between(self, point, dual):
        """Return the gap between a Point and a dual point U in the domain of ℓ*; one product with X."""
        dual = self.legal(dual)
        return self.gap(point, dual, self.wide.adjoint(self.wide._weighted(dual)))

    def legal(self, dual):
        """Return U such that a free intercept allows it."""
        return balanced(self.wide, dual) if self.wide.fit_intercept else dual

    def gap(self, point, dual, product):
        """Return the gap between a Point and a dual point that is legal, given UᵀSX / S."""
        wide, penalty = self.wide, self.wide.penalty
        weighted, slack = wide._weighted(dual), self.rounding(dual)

        # The scores are rounded as well: to first order that moves a Bregman distance by the difference of gradients.
        pull = (point.residual - weighted).mul_(point.scores).abs_()
        rounded = _SCORE_ROUNDING * pull.sum().item() / wide.total_weight

        def shrunk(share):
            losses = wide.divergence(point.scores, dual if share == 1.0 else share * dual) + rounded
            return losses + penalty.fenchel_young(point.parameters.weight, -share * product, share * slack)

        # 0 is a legal u for every loss here, so shrinking is legal; without an L2 part G must be shrunk into its box, and
        # with a weak one that may cost less than what is outside, whose square is divided by it.
        boxed = min(1.0, penalty.l1 / max((product.abs() + slack).max().item(), 1e-300))
        most = 1.0 if penalty.l2 else boxed
        whole = shrunk(most)
        if penalty.l1 and boxed < most:
            whole = min(whole, shrunk(boxed))
        # Far from the optimum the gradient is a bad dual point and the full u proves nothing; u = 0 proves P ≥ 0.
        return whole if whole <= _LOOSE * point.value else min(whole, _least(shrunk, most))

    def rounding(self, dual):
        """Return how far each entry of G may be off through rounding, by Cauchy and Schwarz on its sum."""
        size = (self._weights @ dual.square()).sqrt()
        return size.unsqueeze(1) * self._slack / self.wide.total_weight

    @functools.cached_property
    def _weights(self):
        wide = self.wide
        ones = torch.ones(wide.rows, dtype=torch.float64, device=wide.design.device)
        return ones if wide.sample_weight is None else wide.sample_weight

    @functools.cached_property
    def column_norms(self):
        """(Σ_i s_i x_ij²)^½ for each feature."""
        return self.wide.design.column_norms(self._weights)

    @functools.cached_property
    def _slack(self):
        return math.sqrt(self.wide.rows) * torch.finfo(torch.float64).eps * self.column_norms


def _least(gap, most):
    """Return the least value found of a convex function on [0, most], by golden sections."""
    low, high = 0.0, most
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = gap(left), gap(right)
    best = min(gap(0.0), at_left, at_right)
    for _ in range(_GOLDEN_ROUNDS):
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = gap(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = gap(right)
        best = min(best, at_left, at_right)
    return best
