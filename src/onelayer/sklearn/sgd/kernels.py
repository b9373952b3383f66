"""The recursion, compiled by Numba: all compiled code, and nothing else.

It is one file on purpose. Numba keeps machine code on disk and looks only at the file of the outermost function to see
whether that code is stale; with losses and rows in files of their own, a change there would go unnoticed.
"""

import functools
import math
from typing import NamedTuple

import numba
import numpy as np
from numba import types

from onelayer.sklearn.sgd.losses import (
    EPSILON_INSENSITIVE,
    HINGE,
    HUBER,
    LOGISTIC,
    MODIFIED_HUBER,
    SQUARED_EPSILON_INSENSITIVE,
    SQUARED_HINGE,
)
from onelayer.sklearn.sgd.schedules import INVSCALING, OPTIMAL, PA1, PA2

__all__ = ["Settings", "State", "gradient", "make_epoch", "value"]

_MAX_GRADIENT = 1e12
# The norms are summed in any order, with wide instructions: they only measure progress. The scores keep the order of
# the columns, at half the speed: hinge-like losses jump, and a last bit can decide whether a row is learnt from.
_SUMS = {"reassoc"}


class Settings(NamedTuple):
    """What stays the same in all epochs: numbers only, so that one compilation serves every choice."""

    loss: int
    loss_parameter: float
    schedule: int
    eta0: float
    power_t: float
    optimal_init: float
    alpha: float
    l2: int
    l1: int
    l1_ratio: float
    positive_weight: float
    negative_weight: float
    fit_intercept: int
    intercept_decay: float
    average: float
    shuffle: int
    seed: int
    measure: int


class State(NamedTuple):
    """What one epoch hands to the next, beside the arrays: w = scale · weights, and what its average needs."""

    intercept: float
    average_intercept: float
    scale: float
    square_norm: float
    absolute_norm: float
    average_a: float
    average_b: float
    debt: float
    t: float
    eta: float
    loss_sum: float
    objective_sum: float


def _compiled(*signature, **options):
    """Compile without the GIL and keep the machine code on disk, where there is a place for it."""
    # Python's error model would test every division and raise ZeroDivisionError; the loop looks for infinities itself.
    compiling = functools.partial(numba.njit, *signature, nogil=True, error_model="numpy", **options)

    def decorate(function):
        try:
            return compiling(cache=True)(function)
        except RuntimeError:
            # Neither the package's folder nor the user's cache can be written: compile in each process.
            return compiling()(function)

    return decorate


@_compiled()
def value(loss, parameter, y, p):
    """Return the loss of the score p at the target y."""
    if loss == HINGE:
        return max(0.0, parameter - p * y)
    if loss == LOGISTIC:
        # log(1 + exp(p)) − y p, with y in {0, 1}.
        return max(p, 0.0) + math.log1p(math.exp(-abs(p))) - y * p
    if loss == MODIFIED_HUBER:
        z = p * y
        return -4.0 * z if z < -1.0 else max(0.0, 1.0 - z) ** 2
    if loss == SQUARED_HINGE:
        return max(0.0, parameter - p * y) ** 2
    residual = abs(y - p)
    if loss == HUBER:
        return 0.5 * residual**2 if residual <= parameter else parameter * (residual - 0.5 * parameter)
    if loss == EPSILON_INSENSITIVE:
        return max(0.0, residual - parameter)
    if loss == SQUARED_EPSILON_INSENSITIVE:
        return max(0.0, residual - parameter) ** 2
    return 0.5 * residual**2


@_compiled()
def gradient(loss, parameter, y, p):
    """Return the derivative of ``value`` in p; at the hinge's corner the one of the side that learns."""
    if loss == HINGE:
        return -y if p * y <= parameter else 0.0
    if loss == LOGISTIC:
        if p > -37.0:
            e = math.exp(-p)
            return ((1.0 - y) - y * e) / (1.0 + e)
        return math.exp(p) - y
    if loss == MODIFIED_HUBER:
        z = p * y
        return -4.0 * y if z < -1.0 else -2.0 * y * max(0.0, 1.0 - z)
    if loss == SQUARED_HINGE:
        return -2.0 * y * max(0.0, parameter - p * y)
    residual = p - y
    if loss == HUBER:
        return min(max(residual, -parameter), parameter)
    if loss == EPSILON_INSENSITIVE:
        return 1.0 if residual > parameter else (-1.0 if residual < -parameter else 0.0)
    if loss == SQUARED_EPSILON_INSENSITIVE:
        return 2.0 * (max(0.0, residual - parameter) - max(0.0, -residual - parameter))
    return residual


@_compiled()
def _shuffle(order, seed):
    """Fisher-Yates with Marsaglia's 32-bit xorshift, as scikit-learn draws it: the same seed, the same order."""
    x = np.uint32(seed) if seed else np.uint32(1)
    n = order.shape[0]
    for i in range(n - 1):
        x ^= np.uint32(x << np.uint32(13))
        x ^= np.uint32(x >> np.uint32(17))
        x ^= np.uint32(x << np.uint32(5))
        # 32-bit division: the one of 64 bits takes several times as long.
        j = i + np.int64(np.uint32(np.uint32(x & np.uint32(0x7FFFFFFF)) % np.uint32(n - i)))
        order[i], order[j] = order[j], order[i]


# A row is its values, and its columns from ``start`` on; dense rows have None for indices, and Numba drops the branch
# that they do not take. One slice of columns for each row would be nicer, but it has no one type for both.


@_compiled()
def _bounds(indptr, features, i):
    if indptr is None:
        return i * features, (i + 1) * features
    return indptr[i], indptr[i + 1]


@_compiled()
def _dot(weights, row, indices, start):
    total = 0.0
    if indices is None:
        for j in range(row.shape[0]):
            total += weights[j] * row[j]
    else:
        columns = indices[start : start + row.shape[0]]
        for j in range(row.shape[0]):
            total += weights[columns[j]] * row[j]
    return total


@_compiled()
def _squares(row):
    total = 0.0
    for j in range(row.shape[0]):
        total += np.float64(row[j]) * np.float64(row[j])
    return total


@_compiled()
def _add(vector, row, indices, start, factor, step):
    """Add factor · x · step."""
    if indices is None:
        for j in range(row.shape[0]):
            vector[j] += factor * row[j] * step
    else:
        columns = indices[start : start + row.shape[0]]
        for j in range(row.shape[0]):
            vector[columns[j]] += factor * row[j] * step


@_compiled(fastmath=_SUMS)
def _norms(weights, row, indices, start):
    """Return the sums of squares and of absolute values of the weights at this row's columns."""
    squares, absolutes = 0.0, 0.0
    if indices is None:
        for j in range(weights.shape[0]):
            squares += weights[j] * weights[j]
            absolutes += abs(weights[j])
    else:
        columns = indices[start : start + row.shape[0]]
        for j in range(row.shape[0]):
            w = weights[columns[j]]
            squares += w * w
            absolutes += abs(w)
    return squares, absolutes


@_compiled()
def _truncate(weights, debts, row, indices, start, scale, debt):
    """Pull each weight of this row towards zero by what the penalty has asked of it so far and not yet got."""
    for j in range(row.shape[0]):
        k = j if indices is None else indices[start + j]
        before = np.float64(weights[k])
        if before > 0.0:
            weights[k] = max(0.0, before - (debt + debts[k]) / scale)
        elif before < 0.0:
            weights[k] = min(0.0, before + (debt - debts[k]) / scale)
        debts[k] += scale * (weights[k] - before)


@_compiled()
def _fold(weights, average_weights, scale, average_a, average_b):
    """Multiply the scales out, so that both vectors stand for themselves; the caller sets them to 1, 0 and 1."""
    for j in range(average_weights.shape[0]):
        average_weights[j] = (average_weights[j] + average_a * weights[j]) * (1.0 / average_b)
    for j in range(weights.shape[0]):
        weights[j] *= scale


def _epoch(
    data, indices, indptr, y, sample_weight, held_out, order, weights, average_weights, debts, settings, state
):
    """Visit every row once, change order, weights, average_weights and debts, and return the next state."""
    s = settings
    intercept, average_intercept, scale = state.intercept, state.average_intercept, state.scale
    square_norm, absolute_norm = state.square_norm, state.absolute_norm
    average_a, average_b = state.average_a, state.average_b
    debt, t, eta = state.debt, state.t, state.eta
    loss_sum, objective_sum = 0.0, 0.0
    # Products are rounded where scikit-learn rounds them, so that float32 follows its path too.
    real = weights.dtype.type
    smallest_scale = 1e-6 if weights.itemsize == 4 else 1e-9
    passive_aggressive = s.schedule == PA1 or s.schedule == PA2
    penalised = (s.l1 or s.l2) and not passive_aggressive
    features = weights.shape[0]
    if s.shuffle:
        _shuffle(order, s.seed)
    for k in range(order.shape[0]):
        i = order[k]
        if held_out[i]:
            continue
        start, stop = _bounds(indptr, features, i)
        row = data[start:stop]
        target = np.float64(y[i])
        p = real(_dot(weights, row, indices, start) * scale) + intercept
        if s.schedule == OPTIMAL:
            eta = 1.0 / (s.alpha * (s.optimal_init + t - 1.0))
        elif s.schedule == INVSCALING:
            eta = s.eta0 / t**s.power_t
        if s.measure:
            loss = value(s.loss, s.loss_parameter, target, p)
            loss_sum += loss
            objective_sum += loss
            if penalised:
                objective_sum += s.alpha * (
                    (1.0 - s.l1_ratio) * 0.5 * square_norm + s.l1_ratio * absolute_norm
                )
        if passive_aggressive:
            size = _squares(row)
            if s.schedule == PA1:
                if size == 0.0:
                    continue
                update = min(s.eta0, value(s.loss, s.loss_parameter, target, p) / size)
            else:
                update = value(s.loss, s.loss_parameter, target, p) / (size + 0.5 / s.eta0)
            if s.loss == HINGE:
                update *= target
            elif target < p:
                update = -update
        else:
            slope = gradient(s.loss, s.loss_parameter, target, p)
            update = -eta * min(max(slope, -_MAX_GRADIENT), _MAX_GRADIENT)
        update *= real(real(s.positive_weight if target > 0.0 else s.negative_weight) * sample_weight[i])
        if s.l2:
            # Never a negative factor: a step that is too long empties the weights instead of turning them round.
            factor = np.float64(real(max(0.0, 1.0 - (1.0 - s.l1_ratio) * eta * s.alpha)))
            scale *= factor
            square_norm *= factor * factor
            absolute_norm *= factor
            if scale < smallest_scale:
                _fold(weights, average_weights, scale, average_a, average_b)
                scale, average_a, average_b = 1.0, 0.0, 1.0
        if update != 0.0:
            _add(weights, row, indices, start, 1.0, np.float64(real(real(update) / real(scale))))
            if s.measure and penalised:
                square_norm, absolute_norm = _norms(weights, row, indices, start)
                square_norm *= scale * scale
                absolute_norm *= scale
        if s.fit_intercept:
            intercept += update * s.intercept_decay
        if 0.0 < s.average <= t:
            # Xu's form of the average: it costs as much as the row has entries, not as many as there are features.
            steps = t - s.average + 1.0
            _add(average_weights, row, indices, start, average_a, -np.float64(real(update)) / scale)
            if steps > 1.0:
                average_b /= 1.0 - 1.0 / steps
            average_a += average_b * scale / steps
            average_intercept += (intercept - average_intercept) / steps
        if s.l1:
            debt += s.l1_ratio * eta * s.alpha
            _truncate(weights, debts, row, indices, start, scale, debt)
        t += 1.0
    return State(
        intercept, average_intercept, scale, square_norm, absolute_norm,
        average_a, average_b, debt, t, eta, loss_sum, objective_sum,
    )  # fmt: skip


@functools.cache
def make_epoch(dtype, dense):
    """Return the compiled pass over all rows, for rows of this NumPy type, dense or in CSR form.

    The signature is written out so that read-only rows (a memory map, a slice that joblib shares) do not compile
    another time.
    """
    real = numba.from_dtype(np.dtype(dtype))

    def fixed(kind):
        return types.Array(kind, 1, "C", readonly=True)

    def record(kind):
        return numba.typeof(kind(*(hint() for hint in kind.__annotations__.values())))

    rows = (
        (fixed(real), types.none, types.none)
        if dense
        else (fixed(real), fixed(types.uint32), fixed(types.int64))
    )
    fits = (fixed(real), fixed(real), fixed(types.boolean))
    changed = (types.int64[::1], real[::1], real[::1], real[::1])
    state = record(State)
    return _compiled(state(*rows, *fits, *changed, record(Settings), state))(_epoch)
