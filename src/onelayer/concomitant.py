"""Huber's regression with a scale of its own: the second formula, beside that of ``objective.py``.

F(w, b, σ) = Σ_i s_i [ σ + σ H(r_i / σ) ] + α |w|²,    r_i = y_i − w·x_i − b,    σ > 0,

with H(t) = t² for |t| ≤ ε and 2 ε |t| − ε² outside. Σ s_i σ H(r_i / σ) alone would be least at σ = ∞; the first term is
what a large scale costs. As a perspective the bracket is jointly convex in (r, σ), and σ = 0 gives it the limit 2 ε |r|.
"""

import copy
import functools
import math

import torch

from onelayer.losses import Huber
from onelayer.objective import Objective
from onelayer.parameters import Parameters
from onelayer.penalties import L2, NoPenalty

__all__ = ["ConcomitantHuber", "typical_size"]

_EPS = torch.finfo(torch.float64).eps
# Newton steps for a scale, trial steps of a search: both end far sooner.
_MAX_ROUNDS, _MAX_TRIALS = 500, 100
# Share of its slope that a search leaves.
_SEARCHED = 0.001


class ConcomitantHuber:
    """F(w, b, σ) for one data set, in float64.

    Parameters
    ----------
    design : Design
        X, with float64 products.
    y : float64 tensor of shape (n,)
    epsilon : float
        ε ≥ 1: where squares turn into absolute values, in units of σ.
    alpha : float
        α ≥ 0.
    sample_weight : float64 tensor of shape (n,)
        s_i > 0.
    fit_intercept : bool

    Attributes
    ----------
    total : float
        S = Σ s_i.
    least_scale : float
        The smallest σ that is told from 0: ten roundings of |y_i|, its median (zeros aside).

    References
    ----------
    P. J. Huber, E. M. Ronchetti, "Robust Statistics", 2nd ed. (2009), section 7.7: concomitant scale estimates.
    A. B. Owen, "A robust hybrid of lasso and ridge regression", Contemp. Math. 443 (2007): joint convexity.
    """

    def __init__(self, design, y, epsilon, alpha, sample_weight, *, fit_intercept=True):
        self.design, self.y, self.sample_weight = design, y, sample_weight
        self.epsilon, self.alpha, self.fit_intercept = float(epsilon), float(alpha), bool(fit_intercept)
        self.total = sample_weight.sum().item()
        self.least_scale = 10 * _EPS * (typical_size(y) or 1.0)
        # One objective, with another δ and another penalty for each σ: its rows and its count of work are shared.
        self._objective = Objective(
            design,
            y.unsqueeze(1),
            Huber(1.0),
            NoPenalty(),
            outputs=1,
            sample_weight=sample_weight,
            fit_intercept=self.fit_intercept,
        )

    @property
    def passes(self):
        """Work done so far, in full gradients."""
        return self._objective.passes

    def at(self, scale):
        """Return P_σ, the Objective with F / S = σ + (2/σ) P_σ: Huber's loss with δ = ε σ, penalty (α σ / S) |w|²/2."""
        objective = copy.copy(self._objective)
        objective.loss = Huber(self.epsilon * scale)
        strength = min(self.alpha * scale / self.total, 1e300)
        objective.penalty = L2(strength) if strength else NoPenalty()
        return objective

    @property
    def plain(self):
        """An Objective of these rows and weights, without a penalty."""
        return self._objective

    @functools.cached_property
    def column_norms(self):
        """(Σ_i s_i x_ij²)^½ for each column."""
        return self.design.column_norms(self.sample_weight)

    def zeros(self):
        """Return w = 0, b = 0."""
        return self._objective.zeros()

    def residuals(self, parameters):
        """Return r = y − w·x − b for all rows, shape (n,). Costs half a pass."""
        return self.y - self._objective.scores(parameters).squeeze(1)

    def slopes(self, direction):
        """Return w·x + b of a direction for all rows, shape (n,). Costs half a pass."""
        return self._objective.slopes(direction).squeeze(1)

    def value(self, parameters, residuals, scale):
        """Return F; at σ = 0 its limit."""
        distance = residuals.abs()
        clipped = distance.clamp(max=self.epsilon * scale)
        # c²/σ + 2 (c/σ)(|r| − c) = (c/σ)(2|r| − c), and c/σ ≤ ε even where σ is nearly 0.
        share = (clipped / scale) if scale else self.epsilon * distance.sign()
        loss = (self.sample_weight @ (share * (2 * distance - clipped))).item()
        return self.total * scale + loss + self.alpha * parameters.weight.square().sum().item()

    def dual(self, residuals, scale):
        """Return u_i = ∂/∂r_i of the bracket: 2 r_i / σ, clipped to [−2ε, 2ε]."""
        if not scale:
            return 2 * self.epsilon * residuals.sign()
        return 2 * (residuals / scale).clamp(-self.epsilon, self.epsilon)

    def pulled(self, dual):
        """Return (Σ s_i u_i x_i, Σ s_i u_i) as Parameters, the second only with an intercept. Costs half a pass."""
        weighted = (self.sample_weight * dual).unsqueeze(1)
        weight = self._objective.adjoint(weighted) * self.total
        bias = weighted.sum(dim=0) if self.fit_intercept else weighted.new_zeros(1)
        return Parameters.of(weight, bias)

    def best_scale(self, residuals, floor=0.0, near=0.0):
        """Return the σ ≥ floor that is best for these residuals: Σ_i s_i min(r_i²/σ², ε²) = S, if such a σ exists.

        The left side is a concave, increasing, piecewise linear function of 1/σ², so a Newton step from anywhere (`near`,
        if that is given) lands at or before the root, and further ones come nearer until the root's own piece ends them.
        It has no root, and the best σ is the floor, where more than a share of 1 − 1/ε² of the weight is on rows with
        r = 0.
        """
        if self.epsilon == 1:
            # σ (1 − u²/4) ≥ 0 throughout the box: no scale is better than 0.
            return floor
        weight, squares = self.sample_weight, residuals.square()
        energies = weight * squares
        widest = math.sqrt(energies.sum().item() / self.total)
        scale, first = max(near or widest, floor), True
        for _ in range(_MAX_ROUNDS):
            inside = (squares <= (self.epsilon * scale) ** 2).to(weight)
            inner, energy = (inside @ weight).item(), (inside @ energies).item()
            left = inner - (self.epsilon**2 - 1) * (self.total - inner)
            if energy <= 0 or left <= 0:
                if first and scale < widest:
                    scale, first = widest, False
                    continue
                # Only rows without a residual are left: the scale may as well be zero. (Or it is rounding that says so.)
                return floor if energy <= 0 else scale
            better = math.sqrt(energy / left)
            if better >= scale and not (first and better > scale):
                return scale
            scale, first = better, False
            if scale <= floor:
                return floor
        return scale

    def flattest(self, residuals, slopes, floor, *, tilt=0.0, bend=0.0, flatness=0.1):
        """Return t ≥ 0 where min_σ F(t) along a direction is flat, to a share of its slope at t = 0, which is < 0.

        Residuals are r − t · slopes, the penalty adds tilt · t + bend · t²/2. Only slopes are looked at: near an optimum
        values no longer tell anything.
        """
        scale = 0.0

        def slope(t):
            nonlocal scale
            there = residuals - t * slopes
            scale = self.best_scale(there, floor, scale)
            dual = self.dual(there, scale)
            return tilt + t * bend - (self.sample_weight @ (dual * slopes)).item()

        low, low_slope, high, high_slope, t = 0.0, slope(0.0), math.inf, math.nan, 1.0
        if not low_slope < 0:
            return 0.0
        aim, halve = flatness * abs(low_slope), False
        for _ in range(_MAX_TRIALS):
            here, width = slope(t), high - low
            if abs(here) <= aim or not math.isfinite(here):
                return t
            # What a first step must not waste time on, a search along the way can have exactly: it costs no product with X.
            aim = min(aim, _SEARCHED * aim / flatness)
            if here < 0:
                low, low_slope = t, here
            else:
                high, high_slope = t, here
            if high - low <= 1e-15 * high:
                break
            # A secant that does not halve the bracket is followed by a bisection.
            halve = not halve and high - low > width / 2
            t = (
                (low + high) / 2
                if halve and math.isfinite(high)
                else _between(low, low_slope, high, high_slope)
            )
        return high if math.isfinite(high) and abs(high_slope) < abs(low_slope) else low


def typical_size(numbers):
    """Return the median size of the numbers that are not zero, which no outlier moves; 0 if all are."""
    numbers = numbers[numbers != 0]
    return numbers.abs().median().item() if len(numbers) else 0.0


def _between(low, low_slope, high, high_slope):
    """Return the root of the secant, kept away from both ends; four times as far where there is no end yet."""
    if math.isinf(high):
        return 4 * low
    width = high - low
    guess = low + width * low_slope / (low_slope - high_slope)
    return min(max(guess, low + 0.05 * width), high - 0.05 * width)
