"""Losses of a real target: functions of the residual r = z − y."""

import math

import torch

from onelayer.errors import ParameterError
from onelayer.losses.base import Loss
from onelayer.losses.curvature import DiagonalCurvature

__all__ = ["AbsoluteError", "Huber", "Quantile", "SquaredError"]


class SquaredError(Loss):
    """ℓ(y, z) = ½ (z − y)².

    The half makes the gradient the residual; ``torch.nn.MSELoss`` is twice the mean of this.

    Examples
    --------
    >>> import torch
    >>> import onelayer as ol
    >>> ol.losses.SquaredError().value(torch.tensor([3.0]), torch.tensor([1.0]))
    tensor([2.])
    """

    name = "squared"
    targets = "real"
    curvature_bound = 1.0

    def value(self, scores, y):
        return (scores - y).square() / 2

    def gradient(self, scores, y):
        return scores - y

    def curvature_product(self, scores, y, v):
        return v

    def conjugate(self, u, y):
        return u * y + u.square() / 2

    def fenchel_young(self, scores, u, y):
        return (scores - y - u).square() / 2

    def dual_interval(self, y):
        return -math.inf, math.inf

    def best_constant(self, y, weight, outputs):
        weight = weight.double().unsqueeze(1)
        return (weight * y.double()).sum(dim=0) / weight.sum()


class Huber(Loss):
    """ℓ(y, z) = ½ r² where |r| ≤ δ, and δ(|r| − δ/2) outside; r = z − y.

    Parameters
    ----------
    delta : float
        Where squared error turns into absolute error, > 0, in the units of y.

    References
    ----------
    P. J. Huber, "Robust estimation of a location parameter", Ann. Math. Statist. 35 (1964).
    """

    name = "huber"
    targets = "real"
    curvature_bound = 1.0

    def __init__(self, delta=1.0):
        if not (math.isfinite(delta) and delta > 0):
            raise ParameterError(f"delta is {delta!r}: give a finite number > 0.")
        self.delta = float(delta)

    @property
    def parameters(self):
        return {"delta": self.delta}

    def value(self, scores, y):
        # With c = |r| clipped to δ both branches are c(|r| − c/2): no branch, nothing to overflow but the result.
        distance = (scores - y).abs()
        clipped = distance.clamp(max=self.delta)
        return clipped * (distance - clipped / 2)

    def gradient(self, scores, y):
        return (scores - y).clamp(-self.delta, self.delta)

    def curvature_product(self, scores, y, v):
        return v * ((scores - y).abs() <= self.delta)

    def majorant(self, scores, y):
        # The weights of iteratively reweighted least squares.
        return DiagonalCurvature(self.delta / (scores - y).abs().clamp(min=self.delta))

    def conjugate(self, u, y):
        return torch.where(u.abs() <= self.delta, u * y + u.square() / 2, math.inf)

    def fenchel_young(self, scores, u, y):
        residual = scores - y
        clipped = residual.clamp(-self.delta, self.delta)
        # ½(c − u)² + (c − u)(r − c): two terms ≥ 0, because c sits at the end of the box wherever r ≠ c.
        inside = (clipped - u).square() / 2 + (clipped - u) * (residual - clipped)
        return torch.where(u.abs() <= self.delta, inside, math.inf)

    def dual_interval(self, y):
        return -self.delta, self.delta


class Quantile(Loss):
    """ℓ(y, z) = max(τ(y − z), (1 − τ)(z − y)), the pinball loss: its best constant is the τ-quantile of y.

    Parameters
    ----------
    tau : float
        Between 0 and 1.

    References
    ----------
    R. Koenker, G. Bassett, "Regression quantiles", Econometrica 46 (1978).
    """

    name = "quantile"
    targets = "real"
    smooth = False

    def __init__(self, tau=0.5):
        if not 0 < tau < 1:
            raise ParameterError(f"tau is {tau!r}: give a number between 0 and 1.")
        self.tau = float(tau)

    @property
    def parameters(self):
        return {"tau": self.tau}

    def value(self, scores, y):
        residual = scores - y
        return torch.maximum((1 - self.tau) * residual, -self.tau * residual)

    def gradient(self, scores, y):
        residual = scores - y
        return (1 - self.tau) * (residual > 0).to(residual) - self.tau * (residual < 0).to(residual)

    def curvature_product(self, scores, y, v):
        return torch.zeros_like(v)

    def conjugate(self, u, y):
        low, high = self.dual_interval(y)
        return torch.where((u >= low) & (u <= high), u * y, math.inf)

    def fenchel_young(self, scores, u, y):
        low, high = self.dual_interval(y)
        residual = scores - y
        inside = torch.where(residual > 0, (high - u) * residual, (low - u) * residual)
        return torch.where((u >= low) & (u <= high), inside, math.inf)

    def dual_interval(self, y):
        return -self.tau, 1 - self.tau


class AbsoluteError(Loss):
    """ℓ(y, z) = |z − y|: its best constant is the median of y."""

    name = "absolute"
    targets = "real"
    smooth = False

    def value(self, scores, y):
        return (scores - y).abs()

    def gradient(self, scores, y):
        return (scores - y).sign()

    def curvature_product(self, scores, y, v):
        return torch.zeros_like(v)

    def conjugate(self, u, y):
        return torch.where(u.abs() <= 1, u * y, math.inf)

    def fenchel_young(self, scores, u, y):
        residual = scores - y
        return torch.where(u.abs() <= 1, residual.abs() - u * residual, math.inf)

    def dual_interval(self, y):
        return -1.0, 1.0
