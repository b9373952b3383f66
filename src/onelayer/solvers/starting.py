"""Where an exact solver begins if it was told to begin somewhere hopeless."""

import math

import torch

__all__ = ["hopeful"]

# So many times the value at W = 0, b = 0, and a start is worth less than none.
_FAR = 100.0


def hopeful(objective, parameters, known=math.inf):
    """Return the Point of a start, or that of W = 0, b = 0 where the start is a hundred times worse.

    `known` is a value that W = 0 is no better than, such as the least one of the same data under another penalty.

    An SGD on columns that were not scaled leaves coefficients in the thousands: every row is then predicted with
    certainty, most of them wrongly, none has curvature, and Newton's and quasi-Newton's steps crawl. Convex problems have one
    optimum, so nothing is lost. To look at W = 0 costs no product with X.
    """
    point = objective.point(parameters)
    free = objective.fit_intercept or not bool(parameters.bias.any())
    near = math.isfinite(known) and point.value <= _FAR * known
    if near or not objective.loss.convex or not free or not bool(parameters.flat.any()):
        return point
    zeros = parameters.like(torch.zeros_like(parameters.flat))
    origin = objective.point(zeros, objective.zero_scores())
    return origin if point.value > _FAR * origin.value else point
