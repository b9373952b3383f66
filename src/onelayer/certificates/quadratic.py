"""Least squares: the distance from the optimum is a quadratic form, and exact."""

import functools
import math

import torch

__all__ = ["Quadratic"]

# Above this many features the Hessian of squared error (features² numbers, rows·features² work) is not formed.
_FEATURES = 1024


class Quadratic:
    """P − min P = ½ gᵀH⁻¹g with H = XᵀSX/S + αI bordered by the intercept; g lies in the range of H.

    Parameters
    ----------
    wide : Objective
        In float64.
    """

    kind = "quadratic"

    def __init__(self, wide):
        self.wide = wide

    @staticmethod
    def serves(objective):
        """Return whether the objective is a quadratic whose Hessian is worth forming."""
        quadratic = objective.loss.name == "squared" and objective.penalty.smooth
        return quadratic and objective.features <= _FEATURES

    def gap(self, gradient):
        """Return ½ gᵀH⁻¹g for a gradient in float64."""
        inverse, lost = self._pseudo_inverse_root
        rows = torch.cat([gradient.weight.double(), gradient.bias.double().unsqueeze(1)], dim=1)
        if not self.wide.fit_intercept:
            rows = rows[:, :-1]
        if bool(rows[:, lost].any()):
            return math.inf
        return (rows @ inverse).square().sum().item() / 2

    @functools.cached_property
    def _pseudo_inverse_root(self):
        """V Λ^(−½) of the Hessian, scaled to unit diagonal first so that units of columns do not matter, and what is lost."""
        wide, features = self.wide, self.wide.features
        weights = torch.ones(wide.rows, dtype=torch.float64, device=wide.design.device)
        weights = weights if wide.sample_weight is None else wide.sample_weight
        size = features + wide.fit_intercept
        hessian = torch.zeros(size, size, dtype=torch.float64, device=weights.device)
        gram, sums = wide.weighted_gram(weights)
        hessian[:features, :features] = gram / wide.total_weight
        hessian.diagonal()[:features] += wide.penalty.l2
        if wide.fit_intercept:
            mean = sums / wide.total_weight
            hessian[features, :features] = hessian[:features, features] = mean
            hessian[features, features] = 1.0
        scale = hessian.diagonal().clamp(min=0).sqrt()
        if not bool(torch.isfinite(hessian).all()):
            # Squares of some columns overflow: nothing is known.
            return torch.zeros_like(hessian), torch.ones(size, dtype=torch.bool, device=hessian.device)
        # Columns so small that their squares vanish: nothing is known about what they could still do.
        lost = scale == 0
        scale = torch.where(lost, 0.0, 1 / scale)
        values, vectors = torch.linalg.eigh(scale.unsqueeze(1) * hessian * scale)
        kept = values > size * torch.finfo(torch.float64).eps * values[-1]
        return scale.unsqueeze(1) * vectors[:, kept] / values[kept].sqrt(), lost
