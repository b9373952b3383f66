"""What the steps of Newton's method prove: dual points from the systems that were solved."""

import dataclasses
import math

import torch

from onelayer.certificates import Tilt
from onelayer.certificates.tilt import tilted
from onelayer.curvature import Goal
from onelayer.parameters import Parameters

__all__ = ["own_tilt", "tilt_of"]


def tilt_of(narrow, point, ray, solution, system):
    """Return the Tilt of a full step, from the scores at both of its ends."""
    work = narrow.as_dtype(torch.float64)
    scores, slopes = point.scores.double(), ray.slopes.double()
    tilt = Tilt(point.parameters, solution.direction, scores, slopes, math.inf)
    dual, cut = tilted(work, tilt)
    gap = work._mean(work.loss.fenchel_young(scores + slopes, dual, work.y))
    l2 = work.penalty.smooth_part.l2
    if l2:
        # What had to be cut off, because it was no probability any more, is missing in the Newton equation.
        cut = narrow._weighted(cut.to(narrow.dtype))
        missing = Parameters.of(narrow.adjoint(cut).double(), narrow._bias_gradient(cut).double())
        gap += system.left(missing.like(missing.flat + solution.residual.flat)) / (2 * l2)
    return dataclasses.replace(tilt, gap=gap)


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
