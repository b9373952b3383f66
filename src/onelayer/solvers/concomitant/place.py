"""One point of Huber's regression with a scale, and the Newton step from it."""

import dataclasses
import functools
import math
from typing import Any

import torch

from onelayer.concomitant import ConcomitantHuber
from onelayer.curvature import DenseHessian, Goal
from onelayer.curvature import thresholds as at
from onelayer.losses.curvature import DiagonalCurvature
from onelayer.parameters import Parameters

__all__ = ["Place"]

# Of the decrement: what conjugate gradients may leave of a Newton system. Factors leave nothing.
_LEFT = 1e-6
# Of the weights of rows outside the bounds, where the others do not determine a step.
_LEANING = 0.01
# Of the largest gradient that a column can have: less is rounding.
_PULLED = 1e-9


@dataclasses.dataclass(frozen=True)
class Place:
    """Coefficients with the best σ ≥ floor for them.

    With σ eliminated, Φ(w, b) = min_σ F(w, b, σ) is convex and has a continuous gradient, S · 2/σ times that of P_σ (see
    ``ConcomitantHuber.at``). Its Hessian is that of P_σ less vvᵀ/c, where rows within |r| ≤ εσ give v = Σ s_i r_i x̃_i / S
    and c = Σ s_i r_i² / S; at the floor σ does not move, and nothing is taken away.

    Attributes
    ----------
    problem : ConcomitantHuber
    system : System
        What Newton systems are solved with.
    parameters : Parameters
    residuals : tensor of shape (n,)
    floor, scale : float
    """

    problem: ConcomitantHuber
    system: Any
    parameters: Parameters
    residuals: torch.Tensor
    floor: float
    scale: float

    @classmethod
    def of(cls, problem, system, parameters, floor):
        """Return the Place at these coefficients."""
        residuals = problem.residuals(parameters)
        return cls(problem, system, parameters, residuals, floor, problem.best_scale(residuals, floor))

    def moved(self, direction, length=1.0, floor=None):
        """Return the Place a step away; residuals are computed afresh, so that they never drift."""
        there = self.parameters.like(self.parameters.flat + length * direction.flat)
        return Place.of(self.problem, self.system, there, self.floor if floor is None else floor)

    @property
    def at_floor(self):
        """Whether σ would be smaller if it could."""
        return self.scale <= self.floor

    @functools.cached_property
    def value(self):
        """F here."""
        return self.problem.value(self.parameters, self.residuals, self.scale)

    @functools.cached_property
    def dual(self):
        """u_i = 2 r_i / σ, clipped to the box."""
        return self.problem.dual(self.residuals, self.scale)

    @functools.cached_property
    def inside(self):
        """Which rows are within |r_i| ≤ εσ."""
        return self.residuals.abs() <= self.problem.epsilon * self.scale

    @functools.cached_property
    def gradient(self):
        """The gradient of P_σ."""
        return self._objective.gradient(self._point)

    @functools.cached_property
    def direction(self):
        """The Newton direction of Φ, as Parameters."""
        system = self._system
        if system.misses(self.gradient) or self._pulls_dead_columns:
            return self._solution(self._leaning, self.gradient)
        newton = self._solution(system, self.gradient)
        if self.at_floor:
            return newton
        bend = self._bend
        energy = (self._weighted @ self.residuals).item() / self.problem.total
        left = energy - (bend.flat @ self.homing.flat).item()
        # (H − vvᵀ/c)⁻¹ by Sherman and Morrison; c − vᵀH⁻¹v is what these rows would leave of c if only they counted.
        share = (bend.flat @ newton.flat).item() / left if left > at.MISSED * energy else 0.0
        return newton.like(newton.flat + share * self.homing.flat)

    @functools.cached_property
    def homing(self):
        """H⁻¹v: the step that brings the rows within the bounds to r = 0, the others being ignored."""
        negative = self._solution(self._system, self._bend)
        return negative.like(-negative.flat)

    @functools.cached_property
    def decrement(self):
        """About what a Newton step will gain of F."""
        slope = -(self.gradient.flat @ self.direction.flat).item()
        return max(slope, 0.0) * self.problem.total / self.scale

    @functools.cached_property
    def step(self):
        """The Place after a Newton step, as long as makes Φ flat along it."""
        direction, problem = self.direction, self.problem
        move = direction.weight
        length = problem.flattest(
            self.residuals,
            problem.slopes(direction),
            self.floor,
            tilt=2 * problem.alpha * (self.parameters.weight * move).sum().item(),
            bend=2 * problem.alpha * move.square().sum().item(),
        )
        return self.moved(direction, length), length

    # ---- the system -------------------------------------------------------------------------------------------

    @functools.cached_property
    def _objective(self):
        return self.problem.at(self.scale)

    @functools.cached_property
    def _point(self):
        scores = (self.problem.y - self.residuals).unsqueeze(1)
        return self._objective.point(self.parameters, scores)

    @property
    def system_here(self):
        """The system of P_σ, before it is at a point."""
        return dataclasses.replace(self.system, objective=self._objective)

    @functools.cached_property
    def _system(self):
        return self.system_here.at(self._point, settled=True, ahead=at.TWO_SYSTEMS, sampled=False)

    @property
    def _pulls_dead_columns(self):
        """Whether the gradient moves columns that are zero on every row within the bounds."""
        if not self.system.exact:
            return False
        gradient, sizes = self.system.rows.reduced(self.gradient), self.problem.column_norms
        if self.problem.fit_intercept:
            sizes = torch.cat([sizes, sizes.new_tensor([self.problem.total]).sqrt()])
        most = self.problem.epsilon * self.scale * sizes / math.sqrt(self.problem.total)
        return bool((self._system.hessian.dead & (gradient.abs() > _PULLED * most)).any())

    @property
    def _leaning(self):
        """The system where the rows within the bounds do not hold every direction and the gradient has a part in these.

        The other rows get a small part of the weights εσ/|r_i| of iteratively reweighted least squares. Whole ones are safe
        and slow: 130 steps instead of 26 for absolute errors of 2,000 rows.
        """
        distance = self.residuals.abs()
        weight = torch.where(self.inside, 1.0, _LEANING * self.problem.epsilon * self.scale / distance)
        hessian = DenseHessian(self._objective, self.system.rows, DiagonalCurvature(weight.unsqueeze(1)))
        return dataclasses.replace(self.system_here, hessian=hessian)

    @functools.cached_property
    def _weighted(self):
        return torch.where(self.inside, self.problem.sample_weight * self.residuals, 0.0)

    @functools.cached_property
    def _bend(self):
        pulled = self.problem.pulled(torch.where(self.inside, self.residuals, 0.0))
        return pulled.like(pulled.flat / self.problem.total)

    def _solution(self, system, right):
        """Return −H⁻¹ times a right-hand side."""
        goal = Goal(0.0, 1.0, _LEFT * system.decrement(right))
        return system.solve(right, goal)[0].direction
