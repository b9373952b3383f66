"""Conjugate gradients for one Newton system."""

import dataclasses
import math

from onelayer.curvature.recycling import Pairs
from onelayer.parameters import Parameters

__all__ = ["Solution", "solve"]

# Where products are float32 the residual comes to a floor, and from there it may even grow: that is the end.
_LESS, _PATIENCE, _RISEN = 0.9, 40, 1e3


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
    expected : float
        ½ gᵀM⁻¹g: what the preconditioner had promised to gain.
    pairs : Pairs, optional
        The directions that were taken, with their images.
    """

    direction: Parameters
    residual: Parameters
    steps: int
    reduction: float = 0.0
    expected: float = 0.0
    pairs: Pairs | None = None


def solve(product, precondition, gradient, enough, most, keep=0):
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
        Takes the residual ρ, half of ρᵀM⁻¹ρ, and −½ gᵀd, which is what the step gains so far; returns whether to stop.
    most : int
        Products at most.
    keep : int
        Directions that are kept, to stay conjugate to them and for the next system.

    References
    ----------
    M. R. Hestenes, E. Stiefel, "Methods of conjugate gradients for solving linear systems", J. Res. NBS 49 (1952).
    """
    like = gradient.like
    direction = gradient.flat.new_zeros(gradient.flat.shape)
    residual = gradient.flat.clone()
    step, pairs = -precondition(gradient).flat, Pairs(keep)
    size = first = -(residual @ step).item()
    steps, after, gain = 0, first, 0.0
    least, best = first, 0
    while steps < most and size > 0:
        image = product(like(step)).flat
        bend = (step @ image).item()
        steps += 1
        if not (bend > 0 and math.isfinite(bend)):
            # Rounding, or a direction without curvature: what there is so far still descends.
            break
        length = size / bend
        gain += length * size / 2
        direction = direction + length * step
        residual = residual + length * image
        pairs.add(step, image, bend)
        improved = precondition(like(residual)).flat
        after = (residual @ improved).item()
        if after < _LESS * least:
            least, best = after, steps
        if enough(like(residual), after / 2, gain) or steps - best > _PATIENCE or after > _RISEN * first:
            break
        step = pairs.conjugated((after / size) * step - improved)
        size = after
    if not direction.any():
        direction = step
    return Solution(
        like(direction), like(residual), steps, after / first if first > 0 else 0.0, first / 2, pairs
    )
