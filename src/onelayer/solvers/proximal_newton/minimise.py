"""The minimum of a quadratic model with an L1 part: coordinate descent finds the support, Newton steps on it the digits."""

import numpy as np

__all__ = ["minimise"]

_ROUNDS = 100
# Sweeps over the support between two looks at all coefficients.
_SWEEPS = 10
# So many rounds without a smaller push are the floor of the arithmetic.
_PATIENCE = 4


def minimise(model, goal):
    """Lower a Model until no coefficient is pushed by more than `goal`, or rounding allows no less; returns the push."""
    everything = np.arange(len(model.w))
    best, waited, before = np.inf, 0, None
    for _ in range(_ROUNDS):
        model.sweep(everything, 1, goal)
        free = _free(model)
        model.sweep(free, _SWEEPS, goal)
        push = np.abs(model.push()).max(initial=0.0)
        if push <= goal:
            return push
        free = _free(model)
        if before is not None and np.array_equal(free, before):
            # Only on a support that has come to rest: a factorisation costs as much as many sweeps.
            free = _settled(model, free, goal)
            push = np.abs(model.push()).max(initial=0.0)
            if push <= goal:
                return push
            waited = 0 if push < best / 2 else waited + 1
            best = min(best, push)
            if waited >= _PATIENCE:
                break
        before = free
    return push


def _free(model):
    return np.flatnonzero((model.w != 0) | (model.l1 == 0))


def _settled(model, free, goal):
    """Take Newton steps on the support, each to the lowest point of its ray, until none crosses zero; return it."""
    for _ in range(len(free)):
        right = -(model.slope + model.l1 * np.sign(model.w))[free]
        move = model.direction(free, right, goal)
        if move is None:
            break
        curved, bent = model.bend(free, move)
        t, hit = lowest(model.w[free], move, model.l1[free], model.slope[free] @ move, curved)
        if not t > 0:
            break
        model.follow(free, move, bent, t)
        if hit is None:
            break
        model.w[free[hit]] = 0.0
        free = _free(model)
    return free


def lowest(w, move, l1, slope, curved):
    """Return the step t at which slope t + ½ curved t² + Σ l1 |w + t move| is least, and which entry is zero there.

    The derivative rises along the ray and jumps where an entry crosses zero; the first sign change is the place.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = np.where((l1 > 0) & (w * move < 0), -w / move, np.inf)
    order = np.argsort(crossing)
    order = order[np.isfinite(crossing[order])]
    at, jump = crossing[order], 2 * (l1 * np.abs(move))[order]
    start = slope + (l1 * np.sign(w)) @ move
    after = start + curved * at + np.cumsum(jump)
    first = int(np.argmax(after >= 0)) if bool((after >= 0).any()) else len(at)
    passed = start + jump[:first].sum()
    if first < len(at) and passed + curved * at[first] < 0:
        return at[first], order[first]
    return (-passed / curved if curved > 0 else 1.0), None
