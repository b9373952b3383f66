"""A start from the optimum of a part of the rows."""

import dataclasses

from onelayer.curvature import thresholds as at
from onelayer.curvature.sketch import sampled_part
from onelayer.penalties import L2

__all__ = ["subset_rows", "subset_start"]


def subset_rows(objective):
    """Return how many rows a warm start takes, 0 where it is not worth it."""
    enough = max(at.SUBSET_ROWS, at.SUBSET_ROWS_PER_FEATURE * objective.features)
    count = min(objective.rows // at.SUBSET_SHARE, enough)
    return count if count >= max(at.SUBSET_ROWS, 2 * objective.features) else 0


def subset_start(solver, state):
    """Return the state at the optimum of a part of the rows, or None where that is no better or not worth it.

    The part is solved at the same C, that is with α n/m: at the same α it would overfit, and the start would be worth
    nothing.
    """
    objective = state.work
    count = subset_rows(objective)
    if not count:
        return None
    part = _part(objective, count)
    inner = solver.init(part, state.parameters, tol=0.0)
    inner = dataclasses.replace(inner, step=0.0)
    best = state.point
    # How far the optimum of a part is from that of all rows, on average; a part can be fitted too well where that is much.
    error = len(state.parameters.flat) / (2 * count)
    for left in reversed(range(at.SUBSET_STEPS)):
        inner = solver.step(part, inner)
        much = at.SUBSET_ACCURACY * abs(inner.value)
        done = inner.halt or not left or inner.decrement < min(error, much)
        if done or error > much:
            point = objective.point(inner.parameters)
            if not point.value < best.value:
                break
            best = point
        if done:
            break
    if best is state.point:
        return None
    return dataclasses.replace(
        state,
        parameters=best.parameters,
        value=best.value,
        gradient=objective.gradient(best),
        step=1.0,
        point=best,
    )


def _part(objective, count):
    part = sampled_part(objective, count)
    l2 = objective.penalty.smooth_part.l2
    part.penalty = L2(l2 * objective.rows / part.rows) if l2 else objective.penalty
    return part
