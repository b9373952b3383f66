"""Iterative refinement: corrections from residuals in float64, until they bring nothing."""

import dataclasses

import torch

from onelayer.solvers.least_squares.rows import Fit

__all__ = ["Place", "begin", "refine"]

# Corrections that shrink by less than this are rounding.
_SHRINKS = 0.5
_ROUNDS = 10


@dataclasses.dataclass
class Place:
    """Where refinement stands: a system's own unknowns, all coefficients, what they leave over, the last correction.

    `size` is the largest entry of the last correction beside the largest unknown, for each output; `seen` is whether the
    Fit was computed (or foreseen).
    """

    own: torch.Tensor
    coefficients: torch.Tensor
    fit: Fit
    size: torch.Tensor | None = None
    seen: bool = True


def begin(rows, system):
    """Return the Place of the system's first solution."""
    own, coefficients = system.start()
    return Place(own, coefficients, rows.fit(coefficients))


def refine(rows, system, place, enough, limit=float("inf")):
    """Return a better Place, the same one if none is found, or None if the first correction is larger than `limit`.

    Parameters
    ----------
    rows : Rows
    system : Direct, Pivoted or Dual
    place : Place
    enough : float
        Relative corrections that are worth no further pass.
    limit : float
        Relative size from which on a first correction shows that the system is no good.
    """
    if not len(place.own):
        return place
    if not place.seen:
        place = dataclasses.replace(place, fit=rows.fit(place.coefficients), seen=True)
    yardstick = _yardstick(rows, system, place)
    for _ in range(_ROUNDS):
        move = system.correction(place)
        size = (system.units * move).abs().amax(dim=0) / yardstick
        if place.size is None and not bool((size <= limit).all()):
            return None
        # Each output for itself: one may have all its digits before another.
        better = size > enough
        if place.size is not None:
            better &= size < _SHRINKS * place.size
        if not bool(better.any()):
            return place
        size, move = torch.where(better, size, 0.0), torch.where(better, move, 0.0)
        # Sums of steps: rounding is then that of the small step, also where the own unknowns are very large.
        own, coefficients = place.own + move, place.coefficients + system.coefficients(move)
        if bool((system.rate * size <= enough).all()):
            # What a further pass could bring is known to be nothing.
            return Place(own, coefficients, rows.foresee(place, coefficients, system.rate), size, seen=False)
        place = Place(own, coefficients, rows.fit(coefficients), size)
    return place


def _yardstick(rows, system, place):
    largest = (system.units * place.own).abs().amax(dim=0)
    # Where nothing is to be explained the coefficients are all rounding.
    least = torch.finfo(torch.float64).eps * rows.target.abs().amax(dim=0)
    return torch.maximum(largest, least).clamp(min=torch.finfo(torch.float64).tiny)
