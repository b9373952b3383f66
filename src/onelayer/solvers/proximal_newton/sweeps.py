"""Coordinate descent, compiled: each step waits for the one before, which no tensor operation can express.

Imported only when a fit needs it: Numba takes half a second to import, and compiles once for each machine.
"""

import numba

__all__ = ["coupled_sweeps", "diagonal_sweeps", "gram_sweeps"]

# Sums over rows in any order, so that they fill vector registers: the same on each run, but not the textbook's.
_ANY_ORDER = {"reassoc", "contract"}


@numba.njit(cache=True)
def _shrunk(old, slope, curve, l1):
    """Return the minimiser over one coefficient of the model around `old`."""
    if curve <= 0.0:
        # The column does nothing: only the penalty has a say.
        return 0.0 if l1 > 0.0 and abs(slope) <= l1 else old
    target = old - slope / curve
    threshold = l1 / curve
    if target > threshold:
        return target - threshold
    if target < -threshold:
        return target + threshold
    return 0.0


@numba.njit(cache=True)
def gram_sweeps(gram, slope, w, l1, active, sweeps, goal):
    """Sweep over some coefficients of ½ wᵀHw + …, whose gradient at w is `slope`; returns the last sweep's largest push."""
    most = 0.0
    for _ in range(sweeps):
        most = 0.0
        for i in active:
            curve = gram[i, i]
            move = _shrunk(w[i], slope[i], curve, l1[i]) - w[i]
            if move != 0.0:
                w[i] += move
                row = gram[i]
                for j in range(len(slope)):
                    slope[j] += move * row[j]
                most = max(most, abs(move) * curve)
        if most <= goal:
            break
    return most


@numba.njit(cache=True, fastmath=_ANY_ORDER)
def diagonal_sweeps(rows, position, output, residual, bend, curve, l2, w, l1, active, sweeps, goal):
    """Sweep without H: `residual` (outputs, n) is the model's, and follows each step."""
    most = 0.0
    for _ in range(sweeps):
        most = 0.0
        for e in active:
            x, r, h = rows[position[e]], residual[output[e]], bend[output[e]]
            slope = l2[e] * w[e]
            for i in range(len(x)):
                slope += x[i] * r[i]
            move = _shrunk(w[e], slope, curve[e], l1[e]) - w[e]
            if move != 0.0:
                w[e] += move
                for i in range(len(x)):
                    r[i] += move * h[i] * x[i]
                most = max(most, abs(move) * curve[e])
        if most <= goal:
            break
    return most


@numba.njit(cache=True, fastmath=_ANY_ORDER)
def coupled_sweeps(rows, position, output, residual, share, p, mean, curve, l2, w, l1, active, sweeps, goal):
    """Sweep for softmax, J = diag(p) − p pᵀ: the residual leaves out what `mean` (n,), the sum of p T, takes away."""
    most = 0.0
    for _ in range(sweeps):
        most = 0.0
        for e in active:
            k = output[e]
            x, r, q = rows[position[e]], residual[k], p[k]
            slope = l2[e] * w[e]
            for i in range(len(x)):
                slope += x[i] * (r[i] - share[i] * q[i] * mean[i])
            move = _shrunk(w[e], slope, curve[e], l1[e]) - w[e]
            if move != 0.0:
                w[e] += move
                for i in range(len(x)):
                    change = move * q[i] * x[i]
                    r[i] += share[i] * change
                    mean[i] += change
                most = max(most, abs(move) * curve[e])
        if most <= goal:
            break
    return most
