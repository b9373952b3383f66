"""A proven bound for Huber's regression with a scale of its own.

For one row the bracket of F, φ(r, σ) = σ + σ H(r / σ), is convex and homogeneous of degree one, hence a support function:

    φ(r, σ) = max { u r + σ (1 − u²/4) :  |u| ≤ 2ε },          σ ≥ 0,

attained at ũ = 2 r / σ, clipped to [−2ε, 2ε] (there H(t) = ũ t − ũ²/4). Put into F(w, b, σ) = Σ s_i φ(r_i, σ) + α |w|²,
r_i = y_i − w·x_i − b, any u in the box gives a lower bound that is linear in b and σ and quadratic in w. Its minimum over
b, σ ≥ 0 and w is finite if and only if

    Σ s_i u_i = 0   (only with an intercept),        T(u) = Σ s_i (1 − u_i²/4) ≥ 0,

and without a penalty G(u) = Σ s_i u_i x_i = 0. It is then D(u) = Σ s_i u_i y_i − |G(u)|² / (4α). So for all such u

    F(w, b, σ) − min F  ≤  F(w, b, σ) − D(u)
        =  Σ s_i [ σ (ũ_i − u_i)²/4 + |ũ_i − u_i| (|r_i| − εσ)₊ ]  +  σ T(u)  +  |2α w − G(u)|² / (4α),

by Σ s_i u_i y_i = Σ s_i u_i r_i + w·G(u) + b Σ s_i u_i. The second factors of the middle term have the sign of the first:
ũ_i sits at the end of the box wherever |r_i| > εσ. No term is negative and none cancels: they are computed as they
stand here. The minimum is the one over σ ≥ 0, with the limit of F at σ = 0, so it is never larger than one over σ > 0.

At the optimum in (b, σ) for a given w the point u = ũ satisfies both conditions: they say that F is stationary in b and in
σ. What rounding leaves of Σ s_i u_i is mixed away with an end of the box, and a multiple κ u, κ ≤ 1, repairs T(u) ≥ 0; both
keep what the other needs, since u = 0 is legal. Without a penalty, or where α is next to nothing, rows within |r_i| ≤ εσ
are moved by the least-squares solution that makes G(u) = 2α w.
"""

import functools
import math

import torch

from onelayer.certificates.certificate import Certificate
from onelayer.curvature import DenseHessian, WideRows
from onelayer.losses.curvature import DiagonalCurvature
from onelayer.parameters import Parameters

__all__ = ["ConcomitantGap"]

_EPS = torch.finfo(torch.float64).eps
_SCORE_ROUNDING = 8 * _EPS
# A fit whose residuals are no more than this many roundings of targets and scores is exact.
_ROUNDINGS = 32
# Relative gaps that leave nothing to repair.
_TIGHT = 1e-14
_ROUNDS = 8
_WIDER = 8.0
# Coefficients up to which the repair forms a matrix.
_COEFFICIENTS = 2048


class ConcomitantGap:
    """Certificates for many points of one ConcomitantHuber problem.

    Parameters
    ----------
    problem : ConcomitantHuber
    """

    kind = "concomitant-point"

    def __init__(self, problem):
        self.problem = problem
        design = problem.design
        self._norms = math.sqrt(design.rows) * _EPS * problem.column_norms
        free = self._freed(problem.y, flatness=1e-3)
        self.constant_value = problem.value(problem.zeros(), free, problem.best_scale(free))
        # What the smallest σ costs where 0 would be best.
        self.at_least = 2 * problem.least_scale * problem.total

    def certify(self, parameters, scale, residuals=None, dual=None):
        """Return the Certificate of coefficients and a scale ≥ 0.

        Parameters
        ----------
        parameters : Parameters
        scale : float
        residuals : tensor of shape (n,), optional
            If they are known.
        dual : tensor of shape (n,), optional
            A dual point to take instead of the gradients here: where σ ends at 0 these say little.
        """
        problem = self.problem
        residuals = problem.residuals(parameters) if residuals is None else residuals
        value = problem.value(parameters, residuals, scale)
        gap = math.inf
        for candidate in self._candidates(parameters, residuals, scale, dual):
            gap = min(gap, self._gap(parameters, residuals, scale, candidate))
            if gap <= _TIGHT * value + self.at_least:
                break
        # One rounding unit of F itself: nothing smaller can be said in this arithmetic.
        gap += _EPS * abs(value)
        radius = math.sqrt(gap / problem.alpha) if problem.alpha else None
        return Certificate(
            gap, self._relative(gap, value, parameters), value, self.kind, weight_radius=radius
        )

    def _relative(self, gap, value, parameters):
        problem = self.problem
        sizes = problem.column_norms @ parameters.weight.squeeze(0).abs() * math.sqrt(problem.total)
        rounding = _ROUNDINGS * _EPS * (problem.sample_weight @ problem.y.abs() + sizes).item()
        return 0.0 if value <= rounding else gap / max(value, _EPS * self.constant_value)

    def _candidates(self, parameters, residuals, scale, given):
        """Yield dual points in the box, cheap ones first."""
        problem = self.problem
        dense = problem.design.features <= _COEFFICIENTS
        for start in self._starts(residuals, scale) if given is None else [given]:
            yield start
            if dense:
                yield self._repaired(parameters, residuals, scale, start)

    def _starts(self, residuals, scale):
        """Yield the gradients here, and those at the best b and σ for this w."""
        problem = self.problem
        yield problem.dual(residuals, scale)
        free = self._freed(residuals, flatness=1e-15)
        best = problem.best_scale(free)
        yield problem.dual(free, best)
        # Far from the optimum more rows are free to move at a larger scale: at least twice as many as there are coefficients.
        enough = min(2 * (problem.design.features + 1), problem.design.rows)
        wide = free.abs().kthvalue(enough).values.item() / problem.epsilon
        yield problem.dual(free, max(_WIDER * best, wide))

    def _freed(self, residuals, flatness):
        """Return residuals with the b that is best for them, σ free; as they are without an intercept."""
        problem = self.problem
        size = residuals.abs().max().item()
        if not (problem.fit_intercept and size):
            return residuals
        pull = (problem.sample_weight @ problem.dual(residuals, problem.best_scale(residuals))).item()
        direction = torch.full_like(residuals, math.copysign(size, pull))
        return residuals - direction * problem.flattest(residuals, direction, 0.0, flatness=flatness)

    def _repaired(self, parameters, residuals, scale, dual):
        """Return u moved towards G(u) = 2α w and Σ s_i u_i = 0 by the rows that are free to move."""
        problem = self.problem
        edge = 2 * problem.epsilon
        inside = dual.abs() < edge
        if scale <= 100 * problem.least_scale:
            # There 2r/σ is a quotient of two roundings.
            rounding = 64 * _EPS * (problem.y.abs() + (problem.y - residuals).abs())
            lost = ~inside & (residuals.abs() <= rounding)
            inside, dual = inside | lost, torch.where(lost, 0.0, dual)
        hessian = self._hessian(inside)
        for _ in range(_ROUNDS):
            pulled = problem.pulled(dual)
            wanted = Parameters.of(2 * problem.alpha * parameters.weight, torch.zeros_like(parameters.bias))
            left = wanted.like((wanted.flat - pulled.flat) / problem.total)
            move = torch.where(inside, problem.slopes(hessian.apply(left)), 0.0)
            dual = (dual + move).clamp(-edge, edge)
            if move.abs().max().item() <= _EPS * edge:
                break
        if scale <= 100 * problem.least_scale:
            return dual
        return (dual + self._spent(dual, inside, hessian)).clamp(-edge, edge)

    def _spent(self, dual, inside, hessian):
        """Return the move of free rows that brings T(u) to zero and leaves G(u) and Σ s_i u_i as they are; 0 if none does."""
        problem, weight = self.problem, self.problem.sample_weight
        free = torch.where(inside, dual, 0.0)
        pulled = problem.pulled(free)
        explained = problem.slopes(hessian.apply(pulled.like(pulled.flat / problem.total)))
        move = torch.where(inside, dual - explained, 0.0)
        bend, slope = (weight @ move.square()).item(), (weight @ (move * dual)).item()
        missing = 4 * problem.total - (weight @ dual.square()).item()
        root = slope**2 + bend * missing
        if root < 0 or not slope:
            return 0.0 * dual
        return missing / (slope + math.copysign(math.sqrt(root), slope)) * move

    @functools.cached_property
    def _rows(self):
        return WideRows(self.problem.plain)

    def _hessian(self, inside):
        return DenseHessian(self.problem.plain, self._rows, DiagonalCurvature(inside.double().unsqueeze(1)))

    def _gap(self, parameters, residuals, scale, dual):
        """Return the bound that a dual point in the box proves; infinite if none."""
        problem = self.problem
        weight = problem.sample_weight
        if problem.fit_intercept:
            dual = self._balanced(dual)
        pulled = problem.pulled(dual).weight.squeeze(0)
        energy = (weight @ dual.square()).item()
        most = min(1.0, math.sqrt(4 * problem.total / energy)) if energy else 1.0
        gain = (weight @ (dual * problem.y)).item()
        best = most
        if problem.alpha and bool(pulled.any()):
            best = min(most, max(0.0, 2 * problem.alpha * gain / pulled.square().sum().item()))
        shares = {most, best, 0.0}
        return min(self._at_share(parameters, residuals, scale, dual, pulled, share) for share in shares)

    def _at_share(self, parameters, residuals, scale, dual, pulled, share):
        problem = self.problem
        weight, alpha = problem.sample_weight, problem.alpha
        dual, pulled = share * dual, share * pulled
        off = problem.dual(residuals, scale) - dual
        beyond = (residuals.abs() - problem.epsilon * scale).clamp(min=0)
        rows = scale * off.square() / 4 + off.abs() * beyond
        # Scores are rounded: to first order that moves F − D by the difference of the two duals.
        rows += _SCORE_ROUNDING * off.abs() * (residuals.abs() + problem.y.abs())
        spare = max(0.0, problem.total - (weight @ dual.square()).item() / 4)
        gap = (weight @ rows).item() + scale * spare
        slack = self._norms * (weight @ dual.square()).sqrt()
        left = (2 * alpha * parameters.weight.squeeze(0) - pulled).abs()
        # What is no more than rounding is not there: with next to no penalty its square over 4α would be anything.
        best = (
            (slack @ parameters.weight.squeeze(0).abs()).item()
            if bool((left <= 4 * slack).all())
            else math.inf
        )
        if alpha:
            best = min(best, ((left + slack).square().sum() / (4 * alpha)).item())
        return gap + best

    def _balanced(self, dual):
        """Return a point of the box with Σ s_i u_i = 0, mixed from u and an end of the box."""
        problem = self.problem
        excess = (problem.sample_weight @ dual).item()
        edge = -math.copysign(2 * problem.epsilon, excess)
        share = abs(excess) / (abs(excess) + 2 * problem.epsilon * problem.total)
        return (1 - share) * dual + share * edge
