"""The Newton-tilted dual point: tight however weak the penalty."""

import dataclasses
import math

import torch

from onelayer.curvature import Goal, system_for
from onelayer.parameters import Parameters

__all__ = ["Tilt", "legal", "newton_tilt", "tilted"]

# The proof's own system is solved until what it leaves over adds this share to the bound.
_SHARE = 0.05
_TIGHTEST = 1e-8
# Rounds of the intercept's own equation: at most so many, and none where its sum is a rounding error of each row.
_BALANCING = 8


@dataclasses.dataclass(frozen=True)
class Tilt:
    """A Newton step that a dual point can be made of.

    Attributes
    ----------
    base, direction : Parameters
        Where the Newton system H d = −∇P was set up, and its approximate solution d; both float64.
    scores, slopes : tensor of shape (n, outputs)
        z at the base (offset included) and X d (without); float64 numbers, of which float32's digits are enough: any u in
        the domain proves something, and what it proves is computed from u alone.
    gap : float
        About what it will prove, at base + d if nothing else is said.
    own : bool
        Whether it is made for a proof at the base itself, and so is as tight as one can be.
    """

    base: Parameters
    direction: Parameters
    scores: torch.Tensor
    slopes: torch.Tensor
    gap: float
    own: bool = False


def newton_tilt(objective, wide, point, near=None):
    """Return the Tilt of a Newton step from a point in float64, made for the sake of the proof; None if there is none.

    The system is solved in the arithmetic that suits the storage of X; only its right-hand side, and what the dual
    point proves, are float64.
    """
    if near is not None:
        point = wide.point(near.to(torch.float64))
    gradient = wide.gradient(point)
    system = system_for(objective.as_dtype(objective.design.native)).at(
        point, settled=True, ahead=math.inf, sampled=False
    )
    l2 = objective.penalty.smooth_part.l2
    aim = _SHARE * system.decrement(gradient)
    if not (math.isfinite(aim) and aim > 0):
        return None
    goal = Goal(0.0, target=aim, residual=max(2 * l2 * aim, _TIGHTEST * l2 * abs(point.value)))
    solution, _ = system.solve(gradient, goal)
    slopes = wide.slopes(solution.direction)
    return Tilt(point.parameters, solution.direction, point.scores, slopes, math.inf)


def tilted(wide, tilt, *, every_row=True):
    """Return the dual point u of a Newton step, and what it was before it was cut to the domain of ℓ*.

    Without `every_row` the scores are those of a part of the rows, over which the intercept's equation does not hold.

    Before the cut it is u = ∂ℓ/∂z + J T with T = X d. Then G(u) = −α (W + d_W) + ρ with ρ what the Newton system left
    over: the gap at W + d is a sum of Bregman distances of fourth order in d, plus ‖ρ‖²/2α. At the plain gradient point
    it is ‖∇P‖²/2α, which explodes as α goes to zero.
    """
    loss, y = wide.loss, wide.y
    # In the digits that scores have: what rounding does to u is far below what a step leaves.
    curvature, straight = loss.curvature(tilt.scores, y), loss.gradient(tilt.scores, y)
    straight = straight.add_(curvature.product(tilt.slopes.clone())).to(wide.dtype)
    dual = legal(loss, straight, y)
    if not (wide.fit_intercept and every_row):
        return dual, straight
    # The intercept's own equation is solved to the last digit, the cut included, without a product with X: what is left of
    # it would be divided by α.
    weight = (
        tilt.scores.new_ones(wide.rows) if wide.sample_weight is None else wide.sample_weight.to(tilt.scores)
    )
    inverse, smallest = None, math.inf
    for _ in range(_BALANCING):
        excess = wide._weighted(dual).sum(dim=0)
        size = excess.abs().max().item()
        if not wide.rounding_unit * wide.total_weight < size < smallest / 2:
            break
        if inverse is None:
            inverse = torch.linalg.pinv(curvature.mean(weight), hermitian=True).to(dual.dtype)
        smallest, shift = size, (inverse @ excess).to(tilt.slopes.dtype)
        straight -= curvature.product(shift.expand_as(tilt.slopes).clone())
        dual = legal(loss, straight, y)
    return dual, straight


def legal(loss, dual, y):
    """Return a dual point cut to the domain of ℓ*."""
    if loss.per_class:
        return loss.legal_dual(dual, y)
    low, high = (torch.as_tensor(end, dtype=dual.dtype, device=dual.device) for end in loss.dual_interval(y))
    return torch.clamp(dual, low, high)
