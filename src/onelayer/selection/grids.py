"""The strengths of a penalty that a path goes along."""

import math

import numpy as np
import torch

from onelayer.errors import ParameterError
from onelayer.penalties import NoPenalty

__all__ = ["default_alphas", "read_grid"]

# At the strongest penalty the weights lower the objective by this share at most.
_EXPLAINED = 1e-3
_EPS = float(np.finfo(np.float32).eps)
# A gradient within so many rounding units of nothing is nothing.
_NOTHING = 16
# Strengths, and their inverses, that can be divided by whatever the weights.
_LEAST = 1e-200
# From the strongest to the weakest, at most.
_DECADES = 10


def read_grid(name, values):
    """Return strengths as a list of floats in the order given, or say which of them is wrong.

    Parameters
    ----------
    name : {"Cs", "alphas"}
    values : array-like
    """
    one = name.removesuffix("s")
    try:
        grid = np.asarray(values)
        if grid.ndim != 1 or not len(grid) or grid.dtype.kind not in "iuf":
            raise TypeError
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError(
            f"{name} is {values!r}: give a list of positive numbers, one for each fit."
        ) from error
    grid = [float(value) for value in grid]
    seen = {}
    for place, value in enumerate(grid):
        if not (math.isfinite(value) and value > 0):
            way = "for no penalty fit the estimator by itself" if value in (0, math.inf) else "leave it out"
            raise ParameterError(f"{name}[{place}] is {value:g}: give finite numbers > 0 ({way}).")
        if not _LEAST <= value <= 1 / _LEAST:
            raise ParameterError(
                f"{name}[{place}] is {value:g}: give numbers from {_LEAST:g} to {1 / _LEAST:g}."
            )
        if value in seen:
            raise ParameterError(
                f"{name} holds {value:g} twice, at {seen[value]} and {place}: give each {one} once."
            )
        seen[value] = place
    return grid


def default_alphas(problem, count):
    """Return so many α, the strongest first: from weights of (nearly) zero to where a proof would need float64 throughout.

    With an L1 part the first α is the smallest one at which every weight is zero. Otherwise it is where the weights lower
    the objective of the best constant model by a thousandth of it at most: ‖G‖²/(2α), G the gradient there. At the last one
    the rounding of a float32 gradient, (ε‖G‖)²/(2α), is as large as what `tol` leaves to be proven; or it is ten decades
    below the first. Where no weight explains anything whatever its strength, they go down from 1.
    """
    objective = problem.objective.with_penalty(NoPenalty())
    start = objective.zeros()
    if objective.fit_intercept:
        weight = objective.sample_weight
        device = objective.design.device
        weight = torch.ones(objective.rows, dtype=torch.float64, device=device) if weight is None else weight
        best = objective.loss.best_constant(objective.y, weight, objective.outputs)
        start.bias.copy_(best)
    gradient = objective.gradient(objective.point(start)).weight.double()
    value, square = abs(objective.constant_value()), gradient.square().sum().item()
    if not _explains(objective, start, value, square):
        return np.geomspace(1.0, 10.0**-_DECADES, count).tolist()
    if problem.l1_ratio:
        most = gradient.abs().max().item() / problem.l1_ratio
    else:
        most = square / (2 * _EXPLAINED * value)
    tol = problem.model.tol or 1e-6
    least = max(_EPS**2 * square / (2 * tol * value), most * 10.0**-_DECADES)
    return np.geomspace(most, min(least, most / 10), count).tolist()


def _explains(objective, start, value, square):
    """Return whether the gradient at the best constant model is more than rounding, by Cauchy and Schwarz on its sums."""
    point = objective.point(start)
    weight = objective.sample_weight
    ones = torch.ones(objective.rows, dtype=torch.float64, device=objective.design.device)
    columns = objective.design.column_norms(ones if weight is None else weight.double()).norm().item()
    most = columns * point.residual.double().norm().item() / objective.total_weight
    none = math.sqrt(square) <= _NOTHING * objective.rounding_unit * most
    # Of a constant y the loss itself is rounding.
    return not (none or value <= objective.rounding_unit**2 * objective.value(objective.zeros()))
