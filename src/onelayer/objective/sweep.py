"""What one read of the rows is worth: the objective along a line, with its gradient at the end of it."""

import dataclasses
from typing import Any

import torch

from onelayer.parameters import Parameters

__all__ = ["Sweep", "curvature_sweep", "sweep"]


@dataclasses.dataclass(frozen=True)
class Sweep:
    """P along W + t D, all in float64.

    Attributes
    ----------
    origin, end : Parameters
        W and W + D.
    lengths : tuple of float
        The t that were looked at; the last is 1.
    values, slopes : tuple of float
        P and its derivative in t there.
    gradient : Parameters
        Of the smooth part of P, at the end.
    curvature : tensor of shape (outputs, outputs)
        ∂²P/∂b² at the end.
    more : object
        What else was gathered there.
    """

    origin: Parameters
    end: Parameters
    lengths: tuple
    values: tuple
    slopes: tuple
    gradient: Parameters
    curvature: torch.Tensor
    more: object = None

    @property
    def value(self):
        """P at the end."""
        return self.values[-1]


def sweep(objective, origin, direction=None, lengths=(), gather=None):
    """Return the Sweep from `origin` along `direction` (default: stay), in one read of X.

    No array has a number for each row of X, only for each of a part of them; where several processes have rows, they exchange
    the sums alone.

    Parameters
    ----------
    objective : Objective
    origin, direction : Parameters
    lengths : sequence of float
        Steps to look at on the way, besides 1.
    gather : callable, optional
        Takes the part of the objective, its scores and s ∂ℓ/∂z at the end, and its shares of the value and of the gradient
        (weight and bias) without the penalty; returns a list of tensors, whose sums over all parts are `more`.
    """
    origin, direction = _alike(objective, origin.to(torch.float64), direction)
    end = origin if direction is None else origin.like(origin.flat + direction.flat)
    lengths = (*lengths, 1.0)

    def share(part):
        return _share(part, origin, end, direction, lengths, gather)

    values, slopes, pulled, pull, curvature, *more = _summed(objective, share)
    penalty = objective.penalty
    smooth = penalty.smooth_part
    move: Any = None if direction is None else direction.weight.double()
    for place, length in enumerate(lengths):
        weight = end.weight if direction is None else origin.weight + length * move
        values[place] += penalty.value(weight)
        if move is not None:
            slopes[place] += smooth.l2 * (weight * move).sum()
    gradient = Parameters.of(pulled + smooth.gradient(end.weight), pull)
    return Sweep(
        origin, end, lengths, tuple(values.tolist()), tuple(slopes.tolist()), gradient, curvature, more
    )


def _alike(objective, origin, direction):
    """Return both as all processes have them, to the bit."""
    group = objective.design.group
    if direction is None:
        return origin.like(*group.alike(origin.flat)), None
    flat, move = group.alike(origin.flat, direction.flat)
    return origin.like(flat), direction.like(move)


def _summed(objective, share):
    """Return the sums of what `share` returns for the parts of the objective, in one read of X."""
    work, before = objective._work, objective.passes

    def own():
        sums: Any = None
        for _, part in objective.parts():
            terms = share(part)
            sums = terms if sums is None else [total + term for total, term in zip(sums, terms, strict=True)]
        return [*sums, sums[0].new_tensor(objective.passes - before)]

    *sums, passes = objective.design.group.summed(own)
    # What all processes did.
    work.passes = before + passes.item()
    return sums


def _share(part, origin, end, direction, lengths, gather):
    """Return the sums over the rows of one part of the objective, without the penalty."""
    values = torch.zeros(len(lengths), dtype=torch.float64, device=part.design.device)
    slopes = torch.zeros_like(values)
    steps = None
    if direction is None:
        scores = part.scores(end)
    else:
        # One product for both: what is read from memory once is multiplied twice.
        outputs = part.outputs
        pair = Parameters.of(
            torch.cat([origin.weight, direction.weight.double()]),
            torch.cat([origin.bias, direction.bias.double()]),
        )
        both = part.slopes(pair)
        part._work.add(part.rows)
        start, steps = both[:, :outputs], both[:, outputs:]
        start = start if part.offset is None else start + part.offset
        for place, length in enumerate(lengths[:-1]):
            value, residual = part._loss(start + length * steps)
            values[place] += value
            slopes[place] += (residual * steps).sum(dtype=torch.float64) / part.total_weight
        scores = start + steps
    value, residual = part._loss(scores)
    values[-1] += value
    if steps is not None:
        slopes[-1] += (residual * steps).sum(dtype=torch.float64) / part.total_weight
    ones = torch.ones_like(scores[:, 0]) if part.sample_weight is None else part.sample_weight
    bend = part.loss.curvature(scores, part.y).mean(ones) / part.total_weight
    pulled = part.adjoint(residual).double()
    pull = part._bias_gradient(residual).double()
    more = [] if gather is None else gather(part, scores, residual, values[-1], pulled, pull)
    return [values, slopes, pulled, pull, bend, *more]


def curvature_sweep(objective, place, direction):
    """Return the Hessian of the smooth part of P at a place times a direction, in one read of X; float64."""
    place, direction = _alike(objective, place, direction.to(torch.float64))

    def share(part):
        scores = part.scores(place)
        bent = part._weighted(part.loss.curvature(scores, part.y).product(part.slopes(direction)))
        return [part.adjoint(bent).double(), part._bias_gradient(bent).double()]

    weight, bias = _summed(objective, share)
    smooth = objective.penalty.smooth_part.gradient(direction.weight)
    return Parameters.of(weight + smooth, bias)
