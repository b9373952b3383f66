"""A step length along a ray on which trial steps are free of products with X."""

import dataclasses
import math

from onelayer.objective import Point

__all__ = ["Step", "search"]

_SUFFICIENT_DECREASE = 1e-4
_MAX_TRIALS = 40


@dataclasses.dataclass(frozen=True)
class Step:
    """An accepted step: its length and the point it leads to."""

    length: float
    point: Point


def search(ray, slope, *, first=1.0, flatness=0.5, noise=0.0):
    """Return a Step that satisfies the strong Wolfe conditions up to rounding, or None.

    Accepts t where φ(t) ≤ φ(0) + 1e-4 t φ'(0) + noise and |φ'(t)| ≤ flatness · |φ'(0)|.

    Near the optimum the decrease drowns in the rounding of φ while φ' is still right: `noise` is the size of that
    rounding, and below it the slope alone decides (the "approximate Wolfe" idea of Hager and Zhang, SIAM J. Optim. 16
    (2005)). A search that asks for measured decrease there stops early, which is what ends torch's and SciPy's L-BFGS
    in float32.

    Parameters
    ----------
    ray : Ray
    slope : float
        φ'(0) < 0.
    first : float
        First trial.
    """
    start = ray.origin.value
    low, low_slope, high, high_slope = 0.0, slope, math.inf, math.nan
    t, fallback = first, None
    for _ in range(_MAX_TRIALS):
        point, derivative = ray.at(t)
        if not math.isfinite(point.value) or point.value > start + _SUFFICIENT_DECREASE * t * slope + noise:
            high, high_slope = t, derivative if derivative > 0 else math.nan
        elif abs(derivative) <= flatness * abs(slope):
            return Step(t, point)
        else:
            fallback = Step(t, point)
            if derivative > 0:
                high, high_slope = t, derivative
            else:
                low, low_slope = t, derivative
        if high - low <= 1e-12 * max(high, low):
            break
        t = _next_trial(low, low_slope, high, high_slope)
    return fallback


def _next_trial(low, low_slope, high, high_slope):
    if math.isinf(high):
        return 4 * low
    width = high - low
    if math.isnan(high_slope):
        return low + width / 4 if low == 0 else low + width / 2
    # The secant of φ', kept away from both ends.
    guess = low + width * low_slope / (low_slope - high_slope)
    return min(max(guess, low + 0.1 * width), high - 0.1 * width)
