"""Which side of the boundary rows are on, and what follows from that alone."""

import math

import numpy as np
import torch

from onelayer.links import Identity
from onelayer.parameters import Parameters

__all__ = ["complete_along", "margins", "may_be_separated"]

# Products and their sum: four rounding units for each term are more than both.
_UNITS_PER_TERM = 4


def may_be_separated(objective):
    """Return whether the question makes sense: one score or one per class, turned into probabilities, no penalty."""
    loss, penalty = objective.loss, objective.penalty
    classes = loss.targets != "real" and not isinstance(loss.link, Identity)
    known = objective.outputs > 1 if loss.per_class else objective.outputs == 1
    return classes and known and not (penalty.l1 or penalty.l2) and not objective.soft


def margins(objective, scores):
    """Return how far each row of some scores is on its own side, shape (rows, 1) or (rows, K).

    (2y − 1) z for one score; with one per class z_y − z_k, and ∞ for the class itself. Negative is the wrong side.
    """
    if not objective.loss.per_class:
        return (2 * objective.y - 1) * scores
    index = objective.y.unsqueeze(1)
    return (scores.gather(1, index) - scores).scatter(1, index, math.inf)


def complete_along(objective, direction):
    """Return (rows, direction, effect, tolerance) if these coefficients put every row strictly on its own side.

    `rows` are those of positive weight, the direction comes back with a largest margin of 1, `effect` is how much each
    feature has of it, and `tolerance` the share of the terms that was granted to rounding. Otherwise None.
    """
    design = objective.design.as_dtype(torch.float64)
    weight, bias = direction.weight.double(), direction.bias.double()
    bias = bias if objective.fit_intercept else torch.zeros_like(bias)
    if objective.loss.per_class:
        weight, bias = weight - weight.mean(dim=0), bias - bias.mean()
    ones = torch.ones(objective.rows, dtype=torch.float64, device=design.device)
    kept = ones > 0 if objective.sample_weight is None else objective.sample_weight > 0
    every = margins(objective, design.scores(weight, bias))[kept]
    if not bool((every > 0).all()):
        return None
    # No |x_ij| is above the norm of its column, so this is more than the rounding of any score.
    norms = design.column_norms(ones)
    tolerance = _UNITS_PER_TERM * (objective.features + 1) * torch.finfo(torch.float64).eps
    sizes = weight.abs() @ norms + bias.abs()
    largest = every[every < math.inf].max().item()
    if not (every.amin().item() > 2 * tolerance * sizes.max().item() and math.isfinite(largest)):
        return None
    effect = (weight.abs().amax(dim=0) * norms).cpu().numpy()
    rows = np.flatnonzero(kept.cpu().numpy())
    return rows, Parameters.of(weight / largest, bias / largest), effect, tolerance
