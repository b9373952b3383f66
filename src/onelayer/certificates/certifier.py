"""From coefficients to a Certificate."""

import math

import torch

from onelayer.certificates.certificate import Certificate
from onelayer.certificates.dual_points import balanced, profiled

__all__ = ["Certifier"]

# Above this many features the Hessian of squared error (features² numbers, rows·features² work) is not formed.
_QUADRATIC_FEATURES = 1024
# Gaps above this share of P are worth a search for a better multiple of the dual point (products with X: none).
_LOOSE = 0.01
_GOLDEN = (math.sqrt(5) - 1) / 2
_GOLDEN_ROUNDS = 8


class Certifier:
    """Certificates for many points of one objective; what does not depend on the point is computed once.

    Parameters
    ----------
    objective : Objective
        In any arithmetic; the bounds are computed on a float64 view of it that shares X.
    """

    def __init__(self, objective):
        self.objective = objective
        self.wide = objective.as_dtype(torch.float64)
        self.constant_value = self.wide.constant_value()
        self._inverse = self._slack = self._lost = None

    @property
    def obstacle(self):
        """Why no bound exists, in words, or None."""
        loss, penalty = self.objective.loss, self.objective.penalty
        if not loss.convex:
            return f"{loss!r} is not convex, so nothing can be proven about its minimum"
        if not (loss.has_dual or self._is_quadratic):
            return f"{loss!r} gives no conjugate (fenchel_young, dual_interval)"
        if not (penalty.l1 or penalty.l2 or self._is_quadratic):
            return "there is no penalty, and this release proves bounds only for penalised fits and least squares"
        return None

    @property
    def _is_quadratic(self):
        objective = self.objective
        quadratic = objective.loss.name == "squared" and objective.penalty.smooth
        return quadratic and objective.features <= _QUADRATIC_FEATURES

    def estimate(self, parameters, gradient):
        """Return about what `certify` would say, from a gradient in working precision, or None if that is not cheap.

        It costs no product with X, so a solver can ask at every iteration when a certificate is worth its price.
        """
        penalty = self.objective.penalty
        if self.obstacle:
            return None
        if self._is_quadratic:
            return self._quadratic(gradient.weight.double(), gradient.bias.double())
        if not penalty.l2:
            return None
        weight = parameters.weight.double()
        return penalty.fenchel_young(weight, penalty.l2 * weight - gradient.weight.double())

    def relative(self, gap, value):
        """Return gap / max(|P|, ε P₀), and 0 for 0/0."""
        scale = max(abs(value), torch.finfo(torch.float64).eps * abs(self.constant_value))
        return gap / scale if gap else 0.0

    def certify(self, parameters, near=None):
        """Return a Certificate, or None where `obstacle` says why.

        `near` are parameters to take the dual point at, if better ones than the certified are known: where a float64
        optimum was rounded to float32, the gradient at the rounded place would prove much less.
        """
        if self.obstacle:
            return None
        wide = self.wide
        parameters = parameters.to(torch.float64)
        scores = wide.scores(parameters)
        if not bool(torch.isfinite(scores).all()):
            return None
        point = wide.point(parameters, scores)
        if self._is_quadratic:
            gradient = wide.gradient(point)
            gap, kind = self._quadratic(gradient.weight, gradient.bias), "quadratic"
        else:
            better = scores if near is None else wide.scores(near.to(torch.float64))
            gap, kind = self._fenchel(parameters, scores, better, point.value), "gradient-point"
        # One rounding unit of P itself: nothing smaller can be said in this arithmetic.
        gap += torch.finfo(torch.float64).eps * abs(point.value)
        return Certificate(gap, self.relative(gap, point.value), point.value, kind)

    # ---- the duality gap --------------------------------------------------------------------------------------

    def _fenchel(self, parameters, scores, dual_scores, value):
        wide, loss, penalty = self.wide, self.wide.loss, self.wide.penalty
        total = wide.total_weight
        dual = loss.gradient(profiled(wide, dual_scores) if wide.fit_intercept else dual_scores, wide.y)
        if wide.fit_intercept:
            dual = balanced(wide, dual)
        wide._work.add(wide.rows)
        product = wide.design.adjoint(wide._weighted(dual)) / total
        slack = self._rounding(dual)

        def gap(share):
            losses = wide._mean(loss.fenchel_young(scores, share * dual, wide.y))
            return losses + penalty.fenchel_young(parameters.weight, -share * product, share * slack)

        # 0 is a legal u for every loss here, so shrinking is legal; without an L2 part G must be shrunk into its box.
        most = 1.0 if penalty.l2 else min(1.0, penalty.l1 / max((product.abs() + slack).max().item(), 1e-300))
        whole = gap(most)
        # Far from the optimum the gradient is a bad dual point and the full u proves nothing; u = 0 proves P ≥ 0.
        return whole if whole <= _LOOSE * value else min(whole, _least(gap, most))

    def _rounding(self, dual):
        """Return how far each entry of G may be off through rounding, by Cauchy and Schwarz on its sum."""
        wide = self.wide
        if self._slack is None:
            ones = torch.ones(wide.rows, dtype=torch.float64, device=wide.design.device)
            self._weights = ones if wide.sample_weight is None else wide.sample_weight
            self._slack = (
                math.sqrt(wide.rows)
                * torch.finfo(torch.float64).eps
                * wide.design.column_norms(self._weights)
            )
        size = (self._weights.unsqueeze(1) * dual.square()).sum(dim=0).sqrt()
        return size.unsqueeze(1) * self._slack / wide.total_weight

    # ---- least squares ----------------------------------------------------------------------------------------

    def _quadratic(self, weight_gradient, bias_gradient):
        """Return ½ gᵀH⁻¹g, H = XᵀSX/S + αI bordered by the intercept; g lies in the range of H."""
        wide = self.wide
        if self._inverse is None:
            self._inverse = self._pseudo_inverse_root()
        gradient = torch.cat([weight_gradient, bias_gradient.unsqueeze(1)], dim=1)
        if not wide.fit_intercept:
            gradient = gradient[:, :-1]
        if bool(gradient[:, self._lost].any()):
            return math.inf
        return (gradient @ self._inverse).square().sum().item() / 2

    def _pseudo_inverse_root(self):
        """Return V Λ^(−½) of the Hessian, scaled to unit diagonal first so that units of columns do not matter."""
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
            self._lost = torch.ones(size, dtype=torch.bool, device=hessian.device)
            return torch.zeros_like(hessian)
        # Columns so small that their squares vanish: nothing is known about what they could still do.
        self._lost = scale == 0
        scale = torch.where(self._lost, 0.0, 1 / scale)
        values, vectors = torch.linalg.eigh(scale.unsqueeze(1) * hessian * scale)
        kept = values > size * torch.finfo(torch.float64).eps * values[-1]
        return scale.unsqueeze(1) * vectors[:, kept] / values[kept].sqrt()


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
