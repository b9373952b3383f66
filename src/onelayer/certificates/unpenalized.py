"""Fits without a penalty: bounds from how slowly the curvature can change."""

import functools
import math

import torch

from onelayer.curvature import DenseHessian, WideRows

__all__ = ["SelfConcordance", "affordable"]

# Coefficients of the Hessian (all classes), and multiply-adds of forming it, beyond which none is formed.
_COEFFICIENTS = 4096
_WORK = 4e11
# What the factor and the quadratic forms may be off by, given that no pivot is below 100 roundings.
_INFLATION = 1.02
# A direction that moves no score by more than this share of what its parts do is one that the data do not see.
_FLAT = 1e-12
# Such directions that are looked at together.
_AT_ONCE = 64


class SelfConcordance:
    """Along any direction v the third derivative of P is at most M(v) times the second.

    M(v) = max_i |x̃_iᵀv| for binary, max_i (max_k − min_k) of x̃_iᵀV for softmax: the third cumulant of a variable is at
    most its range times its variance. With ν² = gᵀH⁻¹g and κ = sup M(v)/‖v‖_H, a = κν < 1 proves that a minimum exists,
    and

        P − min P ≤ κ⁻² [a + (1 − a) log(1 − a)].

    Proof: P(w + v) ≥ P + gᵀv + (e^{−κr} + κr − 1)/κ², r = ‖v‖_H; minimise over r.

    Parameters
    ----------
    wide : Objective
        In float64.

    References
    ----------
    F. Bach, "Self-concordant analysis for logistic regression", Electron. J. Statist. 4 (2010); T. Sun, Q. Tran-Dinh,
    "Generalized self-concordant functions", Math. Program. 178 (2019).
    """

    kind = "self-concordance"

    def __init__(self, wide):
        self.wide = wide

    @functools.cached_property
    def _rows(self):
        return WideRows(self.wide)

    @staticmethod
    def serves(objective):
        """Return whether this is a loss with such a curvature, and a size at which the Hessian can be formed."""
        return objective.loss.self_concordant and affordable(objective)

    def gap(self, point, gradient):
        """Return the bound at a Point, infinite where a ≥ 1."""
        wide = self.wide
        curvature = wide.loss.curvature(point.scores, wide.y)
        hessian = DenseHessian(wide, self._rows, curvature)
        if not hessian.full and not self._is_flat(hessian, curvature):
            return math.inf
        columns = self._rows.reduced(gradient).unsqueeze(2)
        nu = hessian.half_solve(columns).norm().item() + self._rounding(hessian, point)
        kappa = math.sqrt(self._widest(hessian))
        a = _INFLATION**2 * kappa * nu
        if not a < 1:
            return math.inf
        if a < 1e-4:
            # The bracket is a²/2 + a³/6 + …, which would cancel.
            return _INFLATION * nu**2 * (0.5 + a / 3)
        return (a + (1 - a) * math.log1p(-a)) / kappa**2

    def _widest(self, hessian):
        """Return κ², the largest squared length of a row (of a difference of two classes) in the metric H⁻¹."""
        widest, inverse = 0.0, None if self.wide.outputs == 1 else hessian.inverse()
        for part, rows in self._rows.blocks():
            if self.wide.sample_weight is not None:
                rows = rows[self.wide.sample_weight[part] > 0]
            if not len(rows):
                continue
            if inverse is None:
                widest = max(
                    widest, hessian.half_solve(rows.T.unsqueeze(0)).square().sum(dim=-2).max().item()
                )
            else:
                widest = max(widest, _widest_pair(inverse, rows))
        return widest

    def _rounding(self, hessian, point):
        """Return how far ν may be off through the rounding of the gradient."""
        wide = self.wide
        squared = point.residual.square()
        if wide.sample_weight is not None:
            # The residual is s u: by Cauchy and Schwarz on Σ s u x, each factor takes half of s.
            heavy = wide.sample_weight > 0
            squared = squared[heavy] / wide.sample_weight[heavy].unsqueeze(1)
        size = squared.sum().item() ** 0.5
        squares = torch.zeros(self._rows.columns, dtype=torch.float64, device=wide.design.device)
        for part, rows in self._rows.blocks():
            weight = rows.new_ones(len(rows)) if wide.sample_weight is None else wide.sample_weight[part]
            squares += weight @ rows.square()
        slack = (
            math.sqrt(wide.rows) * torch.finfo(torch.float64).eps * size * squares.sqrt() / wide.total_weight
        )
        spread = hessian.inverse_diagonal().clamp(min=0).sqrt()
        return (spread * slack).sum().item()

    def _is_flat(self, hessian, curvature):
        """Return whether the directions left out of the Hessian leave every score as it is.

        Where they do not, it is the curvature that has died and not the data that are short of columns: the classes
        may be separated along them. Or two columns are all but the same, and their difference counts.
        """
        for some in hessian.flat_directions().split(_AT_ONCE, dim=-1):
            # The Hessian knows them to its own rounding only; what they do to the rows tells the rest.
            exact = some - hessian.solve(self._bent(some, curvature))
            moved, size = exact.new_zeros(exact.shape[-1]), exact.new_zeros(exact.shape[-1])
            for _, rows in self._rows.blocks():
                moved = moved.maximum(_slopes(rows, exact).abs().amax(dim=(0, 1)))
                size = size.maximum(_slopes(rows.abs(), exact.abs()).amax(dim=(0, 1)))
            if bool((moved > _FLAT * size).any()):
                return False
        return True

    def _bent(self, directions, curvature):
        """Return H times directions (outputs, columns, m), from the rows: exact where a direction moves little."""
        wide = self.wide
        slopes = torch.cat([_slopes(rows, directions) for _, rows in self._rows.blocks()])
        bent = torch.stack(
            [wide._weighted(curvature.product(one.contiguous())) for one in slopes.unbind(dim=-1)], dim=-1
        )
        bent = bent / wide.total_weight
        pulled = sum(torch.tensordot(rows, bent[part], dims=([0], [0])) for part, rows in self._rows.blocks())
        return pulled.transpose(0, 1).contiguous()


def _slopes(rows, directions):
    """Return the scores of rows (n, columns) along directions (outputs, columns, m), shape (n, outputs, m)."""
    return torch.tensordot(rows, directions, dims=([1], [1]))


def _widest_pair(inverse, rows):
    widest = 0.0
    for left in range(len(inverse)):
        for right in range(left):
            block = inverse[left, :, left] + inverse[right, :, right]
            block = block - inverse[left, :, right] - inverse[right, :, left]
            widest = max(widest, ((rows @ block) * rows).sum(dim=1).max().item())
    return widest


def affordable(objective):
    """Return whether the whole Hessian of an objective may be formed for a proof."""
    columns = objective.features + 1
    coupled = columns * (objective.outputs if objective.loss.shift_invariant else 1)
    return coupled <= _COEFFICIENTS and objective.rows * objective.outputs * columns * coupled <= _WORK
