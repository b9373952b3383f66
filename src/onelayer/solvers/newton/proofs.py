"""What the steps of Newton's method prove: dual points from the systems that were solved."""

import dataclasses
import math

import torch

from onelayer.certificates import Tilt
from onelayer.certificates.tilt import tilted
from onelayer.curvature import Goal
from onelayer.curvature import thresholds as at
from onelayer.parameters import Parameters

__all__ = ["foreseen_gap", "own_tilt", "tilt_of"]


def tilt_of(work, point, ray, solution, system):
    """Return the Tilt of a full step, from the scores at both of its ends."""
    tilt = Tilt(point.parameters, solution.direction, point.scores, ray.slopes, math.inf)
    gap = _seen_gap(work, tilt, solution.residual, system)
    return dataclasses.replace(tilt, gap=gap)


def foreseen_gap(work, point, ray, solution, system):
    """Return about what the proof by a step would miss if its system had been solved to the end."""
    exact = solution.residual.like(0 * solution.residual.flat)
    tilt = Tilt(point.parameters, solution.direction, point.scores, ray.slopes, math.inf)
    return _seen_gap(work, tilt, exact, system)


def _seen_gap(work, tilt, residual, system):
    # It is a guess in any case, so a part of many rows serves as well.
    numbers = max(1, work.design.stored // work.rows)
    every = work.rows // min(at.FORESEEN_ROWS, max(1, at.FORESEEN_NUMBERS // numbers))
    if every >= at.FORESEEN_SHARE:
        index = torch.arange(0, work.rows, every, device=tilt.scores.device)
        tilt = dataclasses.replace(tilt, scores=tilt.scores[index], slopes=tilt.slopes[index])
        work = work.take(index)
        # The part's own sums are not zero, and to make them so would seem to cost more than all that is left to prove.
        return _gap(work, tilt, residual, system, every_row=False)
    return _gap(work, tilt, residual, system)


def _gap(work, tilt, residual, system, *, every_row=True):
    # A guess, which the certificate replaces: the arithmetic of the products will do, for no term of it is a difference.
    dual, straight = tilted(work, tilt, every_row=every_row)
    gap = work.divergence(tilt.scores + tilt.slopes, dual)
    l2 = work.penalty.smooth_part.l2
    if l2:
        # What had to be cut off, because it was no probability any more, is missing in the Newton equation.
        cut = work._weighted(dual - straight)
        missing = Parameters.of(work.adjoint(cut).double(), work._bias_gradient(cut).double())
        gap += system.left(missing.like(missing.flat + residual.flat)) / (2 * l2)
    return gap


def own_tilt(work, parameters, system):
    """Return the Tilt of a step that would go on from these parameters, for a proof about themselves."""
    parameters = parameters.to(torch.float64)
    point = work.point(parameters)
    gradient = work.gradient(point)
    # The factor of the step before would do for the direction, but what it leaves over is divided by α.
    system = system.at(point, settled=True, ahead=1.0, sampled=False)
    direction = system.solve(gradient, Goal(0.0))[0].direction
    gap = abs((gradient.flat @ direction.flat).item()) / 2
    return Tilt(parameters, direction, point.scores, work.slopes(direction), gap, own=True)
