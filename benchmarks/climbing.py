"""The way up a ladder of tolerances: which rung is next, and when enough has been seen."""

import math

from gaps import THRESHOLDS, Bounds

__all__ = ["climb"]

# A ladder ends at this certified gap.
_ENOUGH = 1e-8
# A leg of a ladder ends after so many rungs in a row that bring neither a tenth less gap nor a lower objective. Newton's
# methods jump over several tolerances in one step, so a few equal results mean nothing yet.
_STALLED = 3
_LOWER = 1e-8


def climb(ladder, measure, runs, limit, time_limit):
    """Run settings from coarse to tight until the gap is small, nothing improves, or the time is spent.

    Rungs that cannot matter are left out: a gradient ten times smaller brings a gap at most a hundred times smaller near
    an optimum, so rungs that would stay above the next threshold are skipped. Where a method did better than that and a
    threshold was passed, the skipped ones are run after all, so that the cheapest one that passes is known.

    A leg of iteration limits is for methods whose tolerance was not met in time: on badly scaled data the gap may be
    small long before the gradient is.

    Parameters
    ----------
    ladder : list of list of dict
    measure : callable
        From a setting to its run.
    runs : callable
        Returns all runs of the problem, for what is known of min P.
    limit, time_limit : float
        Seconds for all of it, and what a run that did not end counts.
    """
    last_good = nearest = math.inf
    slow = False
    for leg in ladder:
        if "max_iter" in leg[0] and not (slow and nearest > THRESHOLDS[-1]):
            continue
        # The float64 leg starts where the first one stopped getting better.
        rungs = [setting for setting in leg if setting.get("tol", 0) <= last_good]
        place, before, above = 0, -1, math.inf
        least = lowest = math.inf
        poor, careful = 0, False
        while place < len(rungs):
            if limit <= 0:
                return
            run = measure(rungs[place])
            limit -= run.get("seconds") or time_limit
            if run["outcome"] != "done":
                slow = True
                if place == before + 1:
                    break
                # Too far up: now those that were skipped, one by one.
                rungs, place, careful = rungs[:place], before + 1, True
                continue
            bounds = Bounds.of(runs())
            reached = bounds.gap(run)
            limit -= _fill_in(rungs, before, place, above, reached, measure, runs)
            # Without a certificate 0 only means that nobody was better yet.
            if reached <= _ENOUGH and bounds.proven:
                return
            value = math.inf if run["objective"] is None else run["objective"]
            lower = math.isinf(lowest) or value < lowest - _LOWER * abs(lowest)
            poor = 0 if lower or reached < 0.9 * least else poor + 1
            if poor == 0:
                last_good = rungs[place].get("tol", last_good)
            if poor >= _STALLED:
                break
            least, lowest, nearest = min(least, reached), min(lowest, value), min(nearest, reached)
            before, above = place, reached
            place = place + 1 if careful or not bounds.proven else _next(rungs, place, reached)


def _next(rungs, place, reached):
    """Return the place of the first rung that may pass the next threshold."""
    target = max((level for level in (*THRESHOLDS, _ENOUGH) if level < reached), default=None)
    tol = rungs[place].get("tol")
    if target is None or tol is None or place + 1 >= len(rungs):
        return place + 1
    wanted = tol * math.sqrt(target / min(reached, 1.0)) * 1.01
    return next((k for k in range(place + 1, len(rungs)) if rungs[k]["tol"] <= wanted), len(rungs) - 1)


def _fill_in(rungs, before, place, above, reached, measure, runs):
    """Run skipped rungs, tightest first, as long as they pass a threshold that was passed; return the seconds."""
    seconds = 0.0
    for level in THRESHOLDS:
        if not reached <= level < above:
            continue
        for k in range(place - 1, before, -1):
            run = measure(rungs[k])
            seconds += run.get("seconds") or 0.0
            if Bounds.of(runs()).gap(run) > level:
                break
    return seconds
