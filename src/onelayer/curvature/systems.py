"""The Newton system H d = −g at one point, solved by a factor or by conjugate gradients."""

import abc
import dataclasses
import functools
import math
from typing import Any, ClassVar

import torch

from onelayer.curvature import thresholds as at
from onelayer.curvature.conjugate_gradients import Solution, solve
from onelayer.curvature.dense import DenseHessian, WideRows
from onelayer.curvature.hessian import Hessian
from onelayer.curvature.models import Model, kind_of
from onelayer.curvature.preconditioners import Remembering
from onelayer.curvature.sketch import sketch_of
from onelayer.objective import Objective

__all__ = ["DenseSystem", "Goal", "KrylovSystem", "System", "how_solved", "solved_densely", "system_for"]


@dataclasses.dataclass(frozen=True)
class Goal:
    """How exactly a Newton system is to be solved: no better than its quadratic model is true, until a proof depends on it.

    Attributes
    ----------
    remainder : float
        What the model is off by over the square of the step's gain, as the last step has shown it; infinite before.
    bias : float
        By how much preconditioned residuals have to be multiplied to be right about what they still hide.
    target : float
        The proof is near once the model is off by less than this; 0 where no proof is wanted.
    residual : float
        What the squared Euclidean residual must then come down to; infinite where no proof hangs on it.
    """

    remainder: float = math.inf
    bias: float = 1.0
    target: float = 0.0
    residual: float = math.inf

    def is_last(self, gain):
        """Return whether the model is true enough for a proof, for a step that gains so much."""
        return self.remainder * gain**2 <= self.target

    def met(self, first, rest, gain, left):
        """Return whether to stop.

        Parameters
        ----------
        first, rest : float
            ½ ρᵀM⁻¹ρ at d = 0 and now.
        gain : float
            What the step gains so far, ½ |gᵀd|.
        left : callable
            Returns the squared Euclidean residual.
        """
        if math.isinf(self.remainder):
            return rest <= at.FORCING**2 * first
        off = self.remainder * gain**2
        if not self.is_last(gain):
            return (
                self.bias * rest <= max(at.TRUST * off, at.TIGHTEST**2 * first)
                and rest <= at.LOOSEST**2 * first
            )
        return self.bias * rest <= self.target and left() <= self.residual


class System(abc.ABC):
    """Newton systems of one objective, from point to point."""

    exact: ClassVar[bool]

    @abc.abstractmethod
    def under(self, objective):
        """Return the system of this objective, which shares X with the one before, at another strength or other weights."""

    def foretold(self, parameters, objective):
        """Return about where the optimum of these parameters' objective moves under another one's penalty, or None."""
        del parameters, objective

    @abc.abstractmethod
    def at(self, point, settled, ahead, sampled):
        """Return the system at a point.

        `settled` says that steps have become small; `ahead` is the logarithm of the factor by which squared residuals
        have still to fall; `sampled` that a rough Hessian will do.
        """

    @abc.abstractmethod
    def majorised(self, point):
        """Return the system at a point with a curvature that lies above the true one and does not die."""

    @abc.abstractmethod
    def misses(self, gradient):
        """Return whether a part of the gradient points where P does not curve here, so that no Newton step sees it."""

    @abc.abstractmethod
    def decrement(self, gradient):
        """Return about ½ gᵀH⁻¹g: what a Newton step will gain."""

    @abc.abstractmethod
    def solve(self, gradient, goal):
        """Return (Solution, the system afterwards)."""

    def left(self, residual):
        """Return ‖ρ‖² as the proof will see it, with the intercept's part of ρ answered for."""
        return residual.weight.square().sum().item()

    def spared(self):
        """Return the system without what no other point can use."""
        return self


@dataclasses.dataclass(frozen=True)
class DenseSystem(System):
    """The whole Hessian, factorised in float64."""

    objective: Objective
    rows: WideRows
    # What the rows of this objective are a copy of.
    design: Any = None
    hessian: Any = None  # a DenseHessian, from `at` on
    exact: ClassVar = True

    def under(self, objective):
        if objective.design is not self.design:
            return system_for(objective)
        wide = objective.as_dtype(torch.float64, design=self.objective.design)
        return dataclasses.replace(self, objective=wide, hessian=None)

    def at(self, point, settled, ahead, sampled):
        del settled, ahead, sampled
        curvature = self.objective.loss.curvature(point.scores, self.objective.y)
        return dataclasses.replace(self, hessian=DenseHessian(self.objective, self.rows, curvature))

    def majorised(self, point):
        curvature = self.objective.loss.majorant(point.scores, self.objective.y)
        return dataclasses.replace(self, hessian=DenseHessian(self.objective, self.rows, curvature))

    def misses(self, gradient):
        return self.hessian.misses(gradient) > at.MISSED

    def decrement(self, gradient):
        return (gradient.flat @ self.hessian.apply(gradient).flat).item() / 2

    def solve(self, gradient, goal):
        del goal
        direction = self.hessian.apply(gradient)
        return Solution(gradient.like(-direction.flat), gradient.like(0 * gradient.flat), 1), self


@dataclasses.dataclass(frozen=True)
class KrylovSystem(System):
    """Products with the Hessian in the objective's own arithmetic, and a model of it to precondition them."""

    objective: Objective
    # Where X is not in memory, the rows that are: models are made of them.
    sketch: Any = None
    # Set by `at`: the Hessian that is solved with, that of all rows, and a Model.
    hessian: Any = None
    whole: Any = None
    model: Any = None
    exact: ClassVar = False

    def under(self, objective):
        l2 = objective.penalty.smooth_part.l2
        model = self.model and self.model.under(l2)
        return dataclasses.replace(self, objective=objective, hessian=None, whole=None, model=model)

    def foretold(self, parameters, objective):
        return self.model and self.model.factors.foretold(parameters, objective.penalty.smooth_part.l2)

    def at(self, point, settled, ahead, sampled):
        point = _narrow(point, self.objective)
        hessian = whole = Hessian(self.objective, point)
        seen = self._seen(point, whole)
        if self.model is None:
            model = Model.first(seen.objective, seen.curvature, settled)
        else:
            model = self.model.current(seen.objective, seen.curvature, settled, ahead)
        if sampled:
            hessian = seen if self.sketch else whole.sampled(point, self.objective.rows // at.SAMPLE_SHARE)
        return dataclasses.replace(self, hessian=hessian, whole=whole, model=model)

    def majorised(self, point):
        point = _narrow(point, self.objective)
        hessian = Hessian(self.objective, point, self.objective.loss.majorant(point.scores, self.objective.y))
        seen = self._seen(point, hessian)
        model = Model.first(seen.objective, seen.curvature)
        return dataclasses.replace(self, hessian=hessian, whole=hessian, model=model)

    def _seen(self, point, whole):
        """Return the Hessian that models are made of."""
        return Hessian(self.sketch, self.sketch.point(point.parameters)) if self.sketch else whole

    def misses(self, gradient):
        del gradient
        # Conjugate gradients leave such a part in the residual; the line search has the last word.
        return False

    def decrement(self, gradient):
        return (gradient.flat @ self._preconditioner.apply(gradient).flat).item() / 2

    @functools.cached_property
    def _preconditioner(self):
        return Remembering(self.model.preconditioner)

    def is_true(self, gradient, solution, slopes):
        """Return whether rows that were left out agree about how much P bends along a direction."""
        direction = solution.direction.flat
        believed = (direction @ (solution.residual.flat - gradient.flat)).item()
        found = self.whole.bend(solution.direction, slopes.to(self.objective.dtype))
        return found <= at.SAMPLE_BENDS * believed

    def left(self, residual):
        return self._preconditioner.eliminated(residual).square().sum().item()

    def solve(self, gradient, goal):
        first = self.decrement(gradient)

        def enough(residual, rest, gain):
            return goal.met(first, rest, gain, lambda: self.left(residual))

        objective = self.objective
        numbers = max(at.KEPT_NUMBERS, at.KEPT_SHARE * objective.design.stored)
        # Where X is sparse a product may cost less than to stay conjugate to a few long directions.
        work = (objective.design.stored + objective.rows) * objective.outputs
        numbers = min(numbers, at.KEPT_WORK * work)
        solution = solve(
            self.hessian.product,
            self._preconditioner.apply,
            gradient,
            enough,
            at.MOST_PRODUCTS,
            keep=int(numbers / len(gradient.flat)),
        )
        return solution, dataclasses.replace(self, model=self.model.after(solution), hessian=None)

    def spared(self):
        # Sampled rows are a copy of a quarter of X.
        return dataclasses.replace(self, hessian=None)


def solved_densely(objective):
    """Return whether the whole Hessian of an objective is formed."""
    columns = objective.features + objective.fit_intercept
    coupled = columns * (objective.outputs if objective.loss.per_class else 1)
    work = objective.rows * objective.outputs * columns * coupled
    small = objective.rows * coupled <= at.WIDE_NUMBERS
    return small and coupled <= at.DENSE_COEFFICIENTS and work <= at.DENSE_WORK


def system_for(objective):
    """Return what Newton systems of this objective are solved with; its own objective is the one to work with."""
    if solved_densely(objective):
        wide = objective.as_dtype(torch.float64, copy_rows=True)
        return DenseSystem(wide, WideRows(wide), objective.design)
    return KrylovSystem(objective, None if objective.design.resident else sketch_of(objective))


def how_solved(objective):
    """Return one clause on how Newton systems of this objective are solved."""
    coefficients = objective.outputs * (objective.features + objective.fit_intercept)
    if solved_densely(objective):
        return f"with {coefficients:,} coefficients the whole Hessian is factorised, in float64"
    kind = kind_of(objective)
    return f"Newton systems are solved by conjugate gradients, preconditioned by {kind.description}"


def _narrow(point, objective):
    """Return the point with scores in the objective's arithmetic."""
    return dataclasses.replace(point, scores=point.scores.to(objective.dtype))
