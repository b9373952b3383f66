"""Conjugate gradients for one Newton system."""

import dataclasses
import math

from onelayer.parameters import Parameters

__all__ = ["Solution", "solve"]


@dataclasses.dataclass(frozen=True)
class Solution:
    """An approximate solution of H d = −g.

    Attributes
    ----------
    direction : Parameters
        d.
    residual : Parameters
        ρ = H d + g, what is left of the gradient of the quadratic model.
    steps : int
        Products with H.
    reduction : float
        ρᵀM⁻¹ρ over its value at d = 0.
    """

    direction: Parameters
    residual: Parameters
    steps: int
    reduction: float = 0.0


def solve(product, precondition, gradient, enough, most):
    """Return a Solution of H d = −g by preconditioned conjugate gradients from d = 0.

    Parameters
    ----------
    product : callable
        Takes Parameters v and returns H v; both float64.
    precondition : callable
        Takes Parameters r and returns M⁻¹ r, M symmetric positive definite (up to directions in which g is zero).
    gradient : Parameters
        g, float64.
    enough : callable
        Takes the residual ρ and rᵀM⁻¹r over its value at d = 0; returns whether to stop.
    most : int
        Products at most.

    References
    ----------
    M. R. Hestenes, E. Stiefel, "Methods of conjugate gradients for solving linear systems", J. Res. NBS 49 (1952).
    """
    like = gradient.like
    direction = gradient.flat.new_zeros(gradient.flat.shape)
    residual = gradient.flat.clone()
    step = -precondition(gradient).flat
    size = first = -(residual @ step).item()
    steps, after = 0, first
    while steps < most and size > 0:
        image = product(like(step)).flat
        bend = (step @ image).item()
        steps += 1
        if not (bend > 0 and math.isfinite(bend)):
            # Rounding, or a direction without curvature: what there is so far still descends.
            break
        length = size / bend
        direction = direction + length * step
        residual = residual + length * image
        improved = precondition(like(residual)).flat
        after = (residual @ improved).item()
        if enough(like(residual), after / first):
            break
        step = (after / size) * step - improved
        size = after
    if not direction.any():
        direction = step
    return Solution(like(direction), like(residual), steps, after / first if first > 0 else 0.0)
