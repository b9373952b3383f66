"""The duality gap from sums that one read of the rows gives, for rows that are not in memory.

U is the gradient of the loss at the scores (moved by one shift for all rows, if the intercept is not settled yet). What is
left of Σ_i s_i u_i is known only when the read is over, so U cannot be repaired row by row. Instead all terms of the bound
are gathered for a second point E at the edge of the domain as well, and U' = (1 − θ) U + θ E with Σ_i s_i u'_i = 0 exactly:
products with X are linear in U', and the divergence is convex in it, so

    D(U') ≤ (1 − θ) D(U) + θ D(E).
"""

import dataclasses
import math
from typing import Any

import torch

from onelayer.certificates.certificate import Certificate, relative_gap, rounding_value
from onelayer.objective import sweep

__all__ = ["SweptCertifier"]

_EPS = torch.finfo(torch.float64).eps
_SCORE_ROUNDING = 8 * _EPS
_UNITS = 8
# Sums that are gathered each time.
_COUNT = 7


@dataclasses.dataclass
class _Fixed:
    """Sums that do not depend on the point.

    Attributes
    ----------
    norms : tensor of shape (features,)
        Σ_i s_i x_ij².
    pulls : list of tensors of shape (outputs, features)
        Σ_i s_i e_i x_iᵀ / S at the ends of the domain; for one score per class Σ_i s_i x_iᵀ / S, for each class; for squared
        error Σ_i s_i x_iᵀ / S.
    sums : list of tensors of shape (outputs,)
        Σ_i s_i e_i.
    squares : list of tensors of shape (outputs,)
        Σ_i s_i e_i².
    conjugates : list of tensors of shape (outputs,)
        Σ_i s_i ℓ*(e_i, y_i).
    """

    norms: torch.Tensor
    pulls: list
    sums: list
    squares: list
    conjugates: list


class SweptCertifier:
    """Certificates that cost one read each and no array with a number for each row.

    It knows the same questions as :class:`~onelayer.certificates.certifier.Certifier`.

    Parameters
    ----------
    objective : Objective
        In any arithmetic.
    """

    kind = "gradient-point"

    def __init__(self, objective):
        self.objective = objective
        self.wide = objective.as_dtype(torch.float64)
        self.constant_value = objective.constant_value()
        self._rounding_value = rounding_value(self.wide)
        self.obstacle = None
        self._fixed: Any = None

    @staticmethod
    def serves(loss, penalty):
        """Return whether this is squared error or a smooth loss with a bounded dual, and an L2 penalty."""
        if not (loss.convex and loss.smooth and loss.has_dual and penalty.smooth and penalty.l2):
            return False
        if not math.isfinite(loss.curvature_bound):
            return False
        if loss.per_class or loss.name == "squared":
            return True
        ends = loss.dual_interval(torch.zeros(1, 1, dtype=torch.float64))
        return all(math.isfinite(float(torch.as_tensor(end).sum())) for end in ends)

    def estimate(self, parameters, gradient):
        """Return about what `certify` would say, from a gradient in working precision."""
        penalty = self.objective.penalty
        weight = parameters.weight.double()
        return penalty.fenchel_young(weight, penalty.l2 * weight - gradient.weight.double())

    def relative(self, gap, value):
        """Return gap / max(|P|, ε P₀); 0 for 0/0, and where P is no more than the rounding of the targets."""
        return relative_gap(gap, value, self.constant_value, self._rounding_value)

    @property
    def shifts(self):
        """Whether a read at shifted scores can prove more: squared error needs none, its intercept is repaired exactly."""
        return self.wide.fit_intercept and self.wide.loss.name != "squared"

    def certify(self, parameters, near=None, tilt=None, aim=None):
        """Return a Certificate; `near` are better parameters to take the dual point at, if there are any."""
        del tilt
        inner = parameters if near is None else near
        first = self.sweep(inner)
        certificate = self.of(first, parameters)
        if aim is None or certificate.relative_gap <= aim or not self.shifts:
            return certificate
        # A second read, at scores that are shifted by the best intercept for these weights as the first one saw it.
        better = self.of(self.sweep(inner, shift=shift_of(first)), parameters)
        return better if better.gap < certificate.gap else certificate

    def tightened(self, certificate, parameters):
        """Return the certificate: to make it better takes as long as to make another step."""
        del parameters
        return certificate

    def with_reach(self, certificate, parameters, mean=None, scale=None):
        """Return the certificate: what follows from it for single rows would ask for a number for each of them."""
        del parameters, mean, scale
        return certificate

    def sweep(self, origin, direction=None, lengths=(), shift=None):
        """Return the Sweep in float64 whose sums `of` makes a certificate of."""

        def gather(*shares):
            return self._gathered(*shares, shift)

        found = sweep(self.wide, origin, direction, lengths, gather)
        if self._fixed is None:
            self._fixed = self._settled(found.more)
        return found

    def of(self, found, parameters):
        """Return the Certificate of the end of a sweep, rounded to what is returned."""
        wide = self.wide
        pulled, excess, divergence, squares, drift, *ends = found.more[:_COUNT]
        if wide.fit_intercept:
            pulled, squares, divergence = self._mixed(pulled, excess, squares, divergence, ends)
        # How far each entry of G may be off through rounding, by Cauchy and Schwarz on its sum.
        slack = math.sqrt(wide.rows) * _EPS * self._fixed.norms.sqrt() / wide.total_weight
        slack = squares.sqrt().unsqueeze(1) * slack
        gap = (divergence.sum().item() + _SCORE_ROUNDING * drift.sum().item()) / wide.total_weight
        gap += wide.penalty.fenchel_young(found.end.weight, -pulled, slack)
        gap += self._rounding(found, parameters)
        # Some rounding units of P itself: nothing smaller can be said in this arithmetic.
        gap = math.inf if math.isnan(gap) else gap + _UNITS * _EPS * abs(found.value)
        value = found.value + (found.gradient.flat @ (parameters.flat.double() - found.end.flat)).item()
        # No loss here is negative: u = 0 is legal as well, and proves P ≥ 0.
        gap = min(gap, value + self._rounding(found, parameters) + _UNITS * _EPS * abs(value))
        radius = math.sqrt(2 * gap / wide.penalty.l2)
        return Certificate(gap, self.relative(gap, value), value, self.kind, weight_radius=radius)

    # ---- sums over rows ---------------------------------------------------------------------------------------

    def _gathered(self, part, scores, residual, value, pulled, pull, shift):
        total, weight = part.total_weight, part.sample_weight
        value = value.view(1) * total
        if shift is None:
            # U is the gradient itself: its divergence is zero, up to rounding that `of` adds.
            excess, divergence, drift = pull * total, torch.zeros_like(value), torch.zeros_like(value)
            squares = residual.square()
            squares = squares if weight is None else torch.where(weight > 0, squares.T / weight, 0.0).T
        else:
            dual = part.loss.gradient(scores + shift, part.y)
            weighted = part._weighted(dual)
            pulled, excess = part.adjoint(weighted), weighted.sum(dim=0)
            divergence = _total(part, scores, dual)
            drift = ((residual - weighted) * scores).abs().sum()
            squares = weighted * dual
        sums = [pulled, excess, divergence, squares.sum(dim=0), drift, *self._at_ends(part, scores, value)]
        return sums if self._fixed is not None else sums + self._fixed_sums(part, scores)

    def _at_ends(self, part, scores, value):
        """Return what the divergences of E are made of: Σ s ℓ and Σ s ⟨e, z⟩ (for classes Σ s log Σ exp z and Σ s z).

        A difference of large numbers, but it is multiplied by θ, which is next to nothing near the optimum.
        """
        weight = part.sample_weight
        if part.loss.per_class:
            y = part.y
            own = (y * scores).sum(dim=1) if y.ndim == 2 else scores.gather(1, y.unsqueeze(1)).squeeze(1)
            sums = scores.sum(dim=0) if weight is None else weight @ scores
            return [value + (own.sum() if weight is None else weight @ own), sums]
        if part.loss.name == "squared":
            return [value, value]
        if part.outputs > 1:
            value = part._weighted(part.loss.value(scores, part.y)).sum(dim=0)
        return [
            value,
            torch.stack([(part._weighted(end) * scores).sum(dim=0) for end in self._ends(part, scores)]),
        ]

    def _ends(self, part, scores):
        ends = part.loss.dual_interval(part.y)
        return [
            torch.as_tensor(end, dtype=scores.dtype, device=scores.device).expand_as(scores) for end in ends
        ]

    def _fixed_sums(self, part, scores):
        weight = torch.ones_like(scores[:, 0]) if part.sample_weight is None else part.sample_weight
        norms = part.design.column_norms(weight).square()
        if part.loss.per_class:
            # Of v − e_y: v Σ s − Σ s e_y, and the same with x.
            labels = part.y if part.y.ndim == 2 else torch.nn.functional.one_hot(part.y, part.outputs)
            own = part._weighted(labels.to(scores))
            return [norms, part.adjoint(weight.unsqueeze(1)), part.adjoint(own), own.sum(dim=0)]
        sums = [norms]
        if part.loss.name == "squared":
            return [norms, part.adjoint(weight.unsqueeze(1))]
        for end in self._ends(part, scores):
            weighted = part._weighted(end)
            conjugate = part._weighted(part.loss.conjugate(end, part.y)).sum(dim=0)
            sums += [part.adjoint(weighted), weighted.sum(dim=0), weight @ end.square(), conjugate]
        return sums

    def _settled(self, more):
        norms, *rest = more[_COUNT:]
        if self.wide.loss.name == "squared":
            return _Fixed(norms, rest, [], [], [])
        if self.wide.loss.per_class:
            everything, own, counts = rest
            return _Fixed(norms, [everything, own], [counts], [], [])
        return _Fixed(norms, rest[0::4], rest[1::4], rest[2::4], rest[3::4])

    # ---- from sums to a bound ---------------------------------------------------------------------------------

    def _mixed(self, pulled, excess, squares, divergence, ends):
        """Return the sums of U' = (1 − θ) U + θ E, for the θ with Σ_i s_i u'_i = 0."""
        fixed = self._fixed
        if self.wide.loss.per_class:
            return self._mixed_classes(pulled, excess, squares, divergence, ends)
        if self.wide.loss.name == "squared":
            return self._shifted(pulled, excess, squares)
        low = excess > 0
        edge_sum = torch.where(low, fixed.sums[0], fixed.sums[1])
        share = torch.where(excess == 0, 0.0, excess / (excess - edge_sum))
        edge_pull = torch.where(low.unsqueeze(1), *fixed.pulls)
        pull = (1 - share).unsqueeze(1) * pulled + share.unsqueeze(1) * edge_pull
        # ‖(1 − θ) u + θ e‖² is convex as well.
        square = (1 - share) * squares + share * torch.where(low, *fixed.squares)
        value, inner = ends
        edges = value + torch.stack(fixed.conjugates) - inner
        more = (1 - share) * divergence + share * torch.where(low, *edges)
        return pull, square, more

    def _shifted(self, pulled, excess, squares):
        """Return the sums of U − c with Σ_i s_i (u_i − c) = 0: where every u is legal nothing need be mixed."""
        total = self.wide.total_weight
        shift = excess / total
        # The divergence of squared error is half the square of what is added to the gradient.
        divergence = total * shift.square() / 2
        return pulled - shift.unsqueeze(1) * self._fixed.pulls[0], squares, divergence

    def _mixed_classes(self, pulled, excess, squares, divergence, ends):
        fixed, total = self._fixed, self.wide.total_weight
        everything, own = fixed.pulls
        mass = excess + fixed.sums[0]
        share = torch.where(mass > 0, excess / mass, 0.0).clamp(0.0, 1.0).max()
        if share == 0:
            return pulled, squares, divergence
        row = (mass - excess / share).clamp(min=0)
        row = row / row.sum()
        pull = (1 - share) * pulled + share * (row.unsqueeze(1) * everything - own)
        normaliser, sums = ends
        edge = normaliser - row @ sums + total * torch.xlogy(row, row).sum()
        # No entry of v − e_y is larger than one.
        return pull, (1 - share) * squares + share * total, (1 - share) * divergence + share * edge

    def _rounding(self, found, parameters):
        """Return by how much P can be higher at the coefficients that are returned than at the end of the sweep."""
        wide = self.wide
        move = parameters.flat.double() - found.end.flat
        if not bool(move.any()):
            return 0.0
        # No curvature is larger than the loss's bound times the mean square of a row, its one for the intercept included.
        bound = wide.loss.curvature_bound * (
            self._fixed.norms.sum().item() / wide.total_weight + wide.fit_intercept
        )
        rise = (found.gradient.flat @ move).item() + 0.5 * (
            bound + wide.penalty.l2
        ) * move.square().sum().item()
        return max(rise, 0.0)


def shift_of(found):
    """Return the shift of all scores that settles the intercept, as the quadratic model at the end of a sweep sees it."""
    inverse = torch.linalg.pinv(found.curvature, hermitian=True)
    return -(inverse @ found.gradient.bias)


def _total(part, scores, dual):
    """Return Σ_i s_i [ℓ(z) + ℓ*(u) − ⟨u, z⟩], for each output or for all of them."""
    terms = part.loss.fenchel_young(scores, dual, part.y)
    if part.sample_weight is not None:
        weight = part.sample_weight if terms.ndim == 1 else part.sample_weight.unsqueeze(1)
        terms = torch.where(weight > 0, weight * terms, 0.0)
    return terms.sum(dim=0)
