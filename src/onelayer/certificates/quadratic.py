"""Least squares: the distance from the optimum is a quadratic form, and exact."""

import functools
import math

import torch

from onelayer.curvature import WideRows

__all__ = ["Quadratic"]

# Above this many features the Hessian of squared error (features² numbers, rows·features² work) is not formed.
_FEATURES = 1024
_EPS = torch.finfo(torch.float64).eps


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
        if self._inverse_root is None:
            return self._careful(gradient)
        inverse, lost = self._inverse_root
        rows = torch.cat([gradient.weight.double(), gradient.bias.double().unsqueeze(1)], dim=1)
        if not self.wide.fit_intercept:
            rows = rows[:, :-1]
        if bool(rows[:, lost].any()):
            return math.inf
        return (rows @ inverse).square().sum().item() / 2

    @functools.cached_property
    def _inverse_root(self):
        """V Λ^(−½) of the Hessian, scaled to unit diagonal first so that units of columns do not matter, and what is lost.

        None where some direction is too flat for a Hessian in float64 to say how flat.
        """
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
        known = torch.isfinite(scale) & (scale > 0)
        if bool((values[values.numel() - int(known.sum()) :] <= size * _EPS * values[-1]).any()):
            return None
        kept = values > size * _EPS * values[-1]
        return scale.unsqueeze(1) * vectors[:, kept] / values[kept].sqrt(), lost

    def _careful(self, gradient):
        """Return the same from a QR of the rows, whose condition is the root of the Hessian's."""
        inverse, lost = self._inverse_triangle
        reduced = self._rows.reduced(gradient)
        if bool(reduced[:, lost].any()):
            return math.inf
        return (reduced @ inverse).square().sum().item() / 2

    @functools.cached_property
    def _rows(self):
        return WideRows(self.wide)

    @functools.cached_property
    def _inverse_triangle(self):
        """V Σ⁻¹ of the rows in terms of (W, b + W·mean), columns scaled to unit length, and the columns that are lost."""
        wide, columns = self.wide, self._rows.columns
        squares = torch.zeros(columns, dtype=torch.float64, device=wide.design.device)
        empty = torch.ones(columns, dtype=torch.bool, device=wide.design.device)
        for part, rows in self._rows.blocks():
            squares += self._share(part, rows) @ rows.square()
            empty &= (rows == 0).all(dim=0)
        penalty = torch.full_like(squares, wide.penalty.l2)
        if wide.fit_intercept:
            penalty[-1] = 0.0
        size = (squares + penalty).sqrt()
        # Not so columns that are zero, or constant beside an intercept: they do nothing.
        lost = ((size == 0) & ~empty) | ~torch.isfinite(size)
        scale = torch.where((size == 0) | lost, 0.0, 1 / size)
        triangle = torch.diag(penalty.sqrt() * scale)
        for part, rows in self._rows.blocks():
            weighted = self._share(part, rows).sqrt().unsqueeze(1) * rows * scale
            triangle = torch.linalg.qr(torch.cat([triangle, torch.nan_to_num(weighted)]), mode="r").R
        _, sizes, vectors = torch.linalg.svd(triangle)
        kept = sizes > 4 * columns * _EPS * sizes[0]
        # Each singular value is known to some roundings of the largest.
        sizes = sizes[kept] - columns * _EPS * sizes[0]
        return scale.unsqueeze(1) * vectors[kept].T / sizes, lost

    def _share(self, part, rows):
        weight = self.wide.sample_weight
        weight = rows.new_ones(len(rows)) if weight is None else weight[part]
        return weight / self.wide.total_weight
