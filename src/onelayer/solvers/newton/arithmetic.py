"""When the steps of Newton's method need sums, or everything, in float64."""

import dataclasses

import torch

from onelayer.curvature import thresholds as at

__all__ = ["fine_enough", "refined", "widened"]


def fine_enough(state, scale):
    """Return whether rounding moves the gradient by a small share of what the last system may leave over."""
    l2 = state.work.penalty.smooth_part.l2
    if state.rounding is None or state.tries or not l2:
        return False
    off = state.rounding * state.point.residual.norm().item()
    return off**2 <= at.ROUNDED * 2 * l2 * at.CLOSING * state.tol * scale


def refined(state):
    """Return the state with the gradient at its scores in float64: what the last system is solved for.

    The scores may be float32: what their rounding does to a gradient averages out. That of the sums over rows does not.
    """
    wide = state.work.as_dtype(torch.float64)
    gradient = wide.gradient(wide.point(state.parameters, state.point.scores.double()))
    rounding = state.rounding
    if state.gradient is not None and wide is not state.work:
        off = (gradient.weight - state.gradient.weight).norm().item()
        rounding = off / max(state.point.residual.norm().item(), 1e-300)
    return dataclasses.replace(state, gradient=gradient, rounding=rounding)


def widened(state, system):
    """Return the same state with gradients and scores in float64."""
    wide = state.work.as_dtype(torch.float64)
    point = wide.point(state.parameters)
    return dataclasses.replace(
        state, work=wide, system=system, point=point, value=point.value, gradient=wide.gradient(point)
    )
