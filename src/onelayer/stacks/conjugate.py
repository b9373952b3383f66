"""Conjugate gradients for the Newton systems of many problems at once."""

import dataclasses

import torch

from onelayer.stacks.coefficients import Coefficients

__all__ = ["Solutions", "solve"]


@dataclasses.dataclass(frozen=True)
class Solutions:
    """Approximate solutions of H_m d = −g_m.

    Attributes
    ----------
    direction, residual : Coefficients
        d, and ρ = H d + g.
    steps : int
        Products with all Hessians.
    """

    direction: Coefficients
    residual: Coefficients
    steps: int


def solve(product, precondition, gradient, improved, enough, most):
    """Return Solutions by preconditioned conjugate gradients from d = 0; each problem ends by itself.

    Parameters
    ----------
    product, precondition : callable
        Take Coefficients and return H v, M⁻¹ r as Coefficients in float64.
    gradient, improved : Coefficients
        g, and M⁻¹ g.
    enough : callable
        Takes ρ (Coefficients), ½ ρᵀM⁻¹ρ, its value at d = 0, and −½ gᵀd, the last three of shape (problems,); returns which
        problems are to stop.
    most : int
        Products at most.
    """
    like = gradient.like
    residual = gradient.flat.clone()
    direction = torch.zeros_like(residual)
    step = -improved.flat
    size = first = -(residual * step).sum(dim=1)
    going, gain, steps = size > 0, torch.zeros_like(size), 0
    while steps < most and bool(going.any()):
        image = product(like(step)).flat
        steps += 1
        bend = (step * image).sum(dim=1)
        # Rounding, or a direction without curvature: what there is so far still descends.
        going = going & (bend > 0) & torch.isfinite(bend)
        length = torch.where(going, size / bend.clamp(min=1e-300), 0.0)
        gain = gain + length * size / 2
        direction = direction + length.unsqueeze(1) * step
        residual = residual + length.unsqueeze(1) * image
        moved = precondition(like(residual)).flat
        after = (residual * moved).sum(dim=1)
        going = going & (after > 0) & ~enough(like(residual), after / 2, first / 2, gain)
        ratio = torch.where(going, after / size.clamp(min=1e-300), 0.0)
        step = torch.where(going.unsqueeze(1), ratio.unsqueeze(1) * step - moved, 0.0)
        size = after
    return Solutions(like(direction), like(residual), steps)
