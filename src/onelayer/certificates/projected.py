"""Robust regression without a penalty: a dual point that is orthogonal to every column."""

import functools
import math

import torch

from onelayer.certificates.fenchel import FenchelGap
from onelayer.certificates.unpenalized import affordable
from onelayer.curvature import DenseHessian, WideRows

__all__ = ["ProjectedPoint"]

_ROUNDS = 8


class ProjectedPoint:
    """The bound that a dual point with XᵀSU = 0 proves where there is no penalty.

        P − min P ≤ (1/S) Σ_i s_i [ ℓ(z_i) + ℓ*(u_i) − u_i z_i ].

    U starts at the gradient of the loss and takes Newton steps on the rows that are free to move (those not at the edge
    of the domain), until what is left of XᵀSU is rounding.

    Parameters
    ----------
    wide : Objective
        In float64.
    """

    kind = "projected-point"

    def __init__(self, wide):
        self.wide = wide
        self._fenchel = FenchelGap(wide)

    @functools.cached_property
    def _rows(self):
        return WideRows(self.wide)

    @staticmethod
    def serves(objective):
        """Return whether this is a smooth loss of a single score with a bounded dual, and the size is one to factorise."""
        loss = objective.loss
        fits = loss.convex and loss.smooth and loss.has_dual and loss.targets == "real"
        return fits and loss.name != "squared" and affordable(objective)

    def gap(self, point, gradient):
        """Return the bound at a Point, infinite where no such dual point is found."""
        wide, loss = self.wide, self.wide.loss
        curvature = loss.curvature(point.scores, wide.y)
        hessian = DenseHessian(wide, self._rows, curvature)
        low, high = loss.dual_interval(wide.y)
        dual = loss.gradient(point.scores, wide.y)
        left = gradient
        for _ in range(_ROUNDS):
            move = hessian.apply(left)
            dual = (dual - curvature.product(wide.slopes(move))).clamp(low, high)
            weighted = wide._weighted(dual)
            left = type(gradient).of(wide.adjoint(weighted), wide._bias_gradient(weighted))
            slack = self._fenchel.rounding(dual)
            # The intercept is a column of ones.
            ones = math.sqrt(wide.rows) * torch.finfo(torch.float64).eps * _size(wide, dual)
            if bool((left.weight.abs() <= 4 * slack).all() and (left.bias.abs() <= 4 * ones).all()):
                return wide.divergence(point.scores, dual)
        return math.inf


def _size(wide, dual):
    """Return (Σ s_i u_i² / S)^½ for each output."""
    return (wide._weighted(dual.square()).sum(dim=0) / wide.total_weight).sqrt()
