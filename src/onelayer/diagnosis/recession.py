"""The linear programme that decides whether data are separated, solved on the few rows that matter.

    max Σ (A θ)_ip over the margins that no direction found so far moves,  s.t.  A θ ≥ 0,  −1 ≤ θ ≤ 1

is Konis' programme. Its value is zero exactly if no (further) direction of the cone moves any of these margins. Solved
over some of the constraints it can only be larger: a zero decides as well, and a positive value is a direction to be
checked on all rows, of which the violated ones become constraints. Overlapping data need about as many constraints as
there are unknowns (T. M. Cover, IEEE Trans. Electron. Comput. 14 (1965)), so all of them never come in.

The cone is closed under sums. Solving again for the margins that did not move, until none does, therefore gives one
direction that moves all that can be moved, and so tells complete from quasi-complete separation; a single vertex of
Konis' programme cannot, for it leaves rows on the boundary that another one moves.
"""

import time

import numpy as np
import scipy.optimize
import scipy.sparse

__all__ = ["STRICT", "widest_direction"]

# What moves a margin by less than this share of its terms does not move it: far above rounding, far below any data.
STRICT = 1e-9
# Constraints to begin with, for each unknown, and to add in a round.
_FIRST, _MORE = 4, 2
_ROUNDS = 100
# The smallest tolerance that HiGHS takes.
_SOLVER_TOLERANCE = 1e-10
# What HiGHS leaves of a constraint that is meant to be tight.
_TIGHT = 1e-9
_TOUCH = "the classes touch, to within the rounding of float64"


def widest_direction(cone, ease, theta, seconds):
    """Return (θ, why not): a direction of the cone that moves every margin that can be moved, None if there is none.

    Parameters
    ----------
    cone : Cone
    ease : array of the shape of the margins
        The smaller, the sooner a margin becomes a constraint.
    theta : array or None
        A direction of the cone to begin with.
    seconds : float
        Time to decide in.

    Returns
    -------
    theta : array or None
    undecided : str or None
        Why the answer is not final, in words; θ is then what was found so far.
    """
    deadline = time.perf_counter() + seconds
    still = ~cone.own if theta is None else ~cone.own & (cone.margins(theta) <= STRICT)
    working = _lowest(ease, ~cone.own, _FIRST * cone.unknowns + 50)
    eager = False
    for _ in range(_ROUNDS):
        if not still.any():
            return theta, None
        rows, classes = np.nonzero(working)
        matrix = _constraints(cone, rows, classes)
        # Where most have moved already, perhaps all can.
        at_once = still[rows, classes] & (eager or 2 * still.sum() < still.size)
        found = _vertex(cone, matrix, cone.total(still), at_once, deadline - time.perf_counter())
        if found is None:
            return theta, f"the linear programme was not solved within {seconds:.3g} s"
        trial = cone.spread(found)
        margins = cone.margins(trial)
        if not (margins[still] > STRICT).any():
            return theta, None
        violated = margins < -cone.zero
        if (violated & working).any():
            trial = cone.spread(_onto_boundary(matrix, found))
            margins = cone.margins(trial)
            violated = margins < -cone.zero
        if violated.any():
            news = violated & ~working
            if not news.any() and eager:
                return theta, _TOUCH
            # A vertex lies on the boundary, where rounding counts; well inside it does not.
            eager = not news.any()
            working |= _lowest(margins, news, max(200, _MORE * cone.unknowns))
            continue
        # Of the same size, so that no part drowns in the roundings of another.
        trial = trial / np.abs(trial).max()
        both = trial if theta is None else theta / np.abs(theta).max() + trial
        margins = cone.margins(both)
        if (margins < -2 * cone.zero).any() or not (margins[still] > STRICT).any():
            return theta, _TOUCH
        theta, still = both, still & (margins <= STRICT)
    return theta, f"{_ROUNDS} rounds of the linear programme did not end"


def _lowest(values, among, count):
    """Return the mask of the `count` lowest values among some."""
    places = np.flatnonzero(among)
    if len(places) > count:
        places = places[np.argpartition(values.ravel()[places], count)[:count]]
    mask = np.zeros(among.shape, dtype=bool)
    mask.ravel()[places] = True
    return mask


def _constraints(cone, rows, classes):
    """Return these rows of A, without the last class, each divided by a power of two near its size."""
    numbers = cone.numbers(rows)
    size = np.abs(numbers).max(axis=1, initial=0.0, keepdims=True)
    numbers = numbers / np.ldexp(1.0, np.frexp(np.where(size > 0, size, 1.0))[1])
    if not cone.per_class:
        return scipy.sparse.csr_array(numbers * (2 * cone.y[rows][:, None] - 1))
    # Two blocks in a row: dense it would be (K − 1)/2 times as large.
    values, lines, columns = [], [], []
    for sign, owner in ((1, cone.y[rows]), (-1, classes)):
        kept = np.flatnonzero(owner < cone.outputs - 1)
        values.append((sign * numbers[kept]).ravel())
        lines.append(np.repeat(kept, cone.width))
        columns.append((owner[kept][:, None] * cone.width + np.arange(cone.width)).ravel())
    places = np.concatenate(lines), np.concatenate(columns)
    return scipy.sparse.csr_array((np.concatenate(values), places), shape=(len(rows), cone.unknowns))


def _vertex(cone, matrix, total, at_once, seconds):
    """Return the maximum of ⟨total, θ⟩ over A θ ≥ 0 and the box, or None if it was not found in time.

    Of complete separation a vertex leaves some rows on the boundary, then the next vertex some of these, and so on.
    Hence one more unknown t, by which the constraints `at_once` are to exceed zero, and which counts for more than the
    sum: they all move if they can, and else t is zero and has no part in it. It doubles the time, so it is there only
    where that is likely.
    """
    if seconds <= 0:
        return None
    size = max(np.abs(total).max(), np.finfo(float).tiny)
    reach = np.ones((len(total) // cone.width, cone.width))
    reach[:, : cone.features] = ~cone.fixed
    value, bounds = total / size, [(-end, end) for end in reach.ravel()]
    upper = -matrix
    if at_once.any():
        value, bounds = np.append(value, 10.0 * len(total)), [*bounds, (0.0, 1.0)]
        upper = scipy.sparse.hstack([upper, at_once[:, None].astype(float)], format="csr")
    options = {
        "time_limit": seconds,
        "primal_feasibility_tolerance": _SOLVER_TOLERANCE,
        "dual_feasibility_tolerance": _SOLVER_TOLERANCE,
    }
    # Dual simplex: it ends in a vertex, where tight constraints are tight to rounding. The interior point method with
    # crossover was slower (5000 rows, 50 columns, 10 classes: 1.7 s instead of 1.0 s).
    answer = scipy.optimize.linprog(
        -value,
        A_ub=upper,
        b_ub=np.zeros(matrix.shape[0]),
        bounds=bounds,
        method="highs-ds",
        options=options,
    )
    if answer.status != 0 or answer.x is None:
        return None
    # Entries that are meant to be zero, so that a direction of one column is one.
    return np.where(np.abs(answer.x) < 1e-11, 0.0, answer.x)[: len(total)]


def _onto_boundary(matrix, theta):
    """Return θ moved by rounding's worth so that the constraints that are tight are so to the last digit."""
    slack = matrix @ theta
    tight = matrix[np.abs(slack) <= _TIGHT * np.abs(theta).max()].toarray()
    return theta - np.linalg.lstsq(tight, tight @ theta, rcond=1e-12)[0]
