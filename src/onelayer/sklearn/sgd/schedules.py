"""The learning rates by their scikit-learn names, and where Bottou's starts."""

import math

__all__ = ["SCHEDULES", "optimal_start"]

CONSTANT = 1
OPTIMAL = 2
INVSCALING = 3
ADAPTIVE = 4
PA1 = 5
PA2 = 6

SCHEDULES = {
    "constant": CONSTANT,
    "optimal": OPTIMAL,
    "invscaling": INVSCALING,
    "adaptive": ADAPTIVE,
    "pa1": PA1,
    "pa2": PA2,
}


def optimal_start(alpha, gradient):
    """Return t₀ of η = 1 / (α (t₀ + t − 1)): the first step moves a typical weight about as far as it is large.

    ``gradient`` gives the loss's derivative for the target 1 and a score.
    """
    typical = math.sqrt(1.0 / math.sqrt(alpha))
    first = typical / max(1.0, gradient(-typical))
    return 1.0 / (first * alpha)
