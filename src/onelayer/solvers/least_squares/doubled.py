"""Refinement with residuals in twice the precision of float64, for data small enough to afford it."""

import torch

from onelayer.parameters import Parameters
from onelayer.solvers.least_squares.rows import Fit

__all__ = ["polish"]

# Entries of X times outputs; each costs some fifty operations.
_AFFORDABLE = 2**18
_NUMBERS = 2**17
_ROUNDS = 5
# Veltkamp's constant for 53 bits.
_SPLIT = 2.0**27 + 1


def polish(rows, system, parameters):
    """Return better Parameters and their Fit (the penalty's part in its gradient), or None where that is not to be had.

    What limits least squares in one precision are the rounding errors of r = t − Wx − b and of Xᵀr, which the inverse
    of the normal equations blows up by κ and κ². With both in two numbers each (T. Dekker 1971; T. Ogita, S. Rump and
    S. Oishi 2005) the answer is right to the last digits whatever κ is, as long as corrections shrink at all
    (Å. Björck, Numerical Methods for Least Squares Problems, 1996, section 2.9).
    """
    if not system.unique or rows.count * rows.features * rows.outputs > _AFFORDABLE:
        return None
    best = last = None
    for _ in range(_ROUNDS):
        fit = _fit(rows, parameters)
        if not bool(torch.isfinite(fit.gradient).all()):
            return best
        best = parameters, fit
        move = system.coefficients(system.solve(fit.gradient))
        size, step = move.abs().max(), _in_the_objectives_terms(rows, move)
        settled = bool((step.abs() <= torch.finfo(torch.float64).eps * parameters.flat.abs()).all())
        if settled or (last is not None and not size < last / 2):
            return best
        parameters, last = parameters.like(parameters.flat + step), size
    return best


def _in_the_objectives_terms(rows, move):
    weight = (move[rows.lead :] / rows.scale.unsqueeze(1)).T
    bias = move[0] - weight @ rows.shift if rows.lead else torch.zeros_like(rows.bias)
    return Parameters.of(weight, bias).flat


def _fit(rows, parameters):
    """Return the Fit of these parameters, its gradient in the units of `rows` and with the penalty's part."""
    objective, lead = rows.objective, rows.lead
    rows.book(1)
    weight, bias = parameters.weight, parameters.bias
    gradient = _Double.of(rows.target.new_zeros(lead + rows.features, rows.outputs))
    residual, loss = torch.empty_like(rows.target), 0.0
    size = max(1, _NUMBERS // (rows.features * rows.outputs))
    for start in range(0, rows.count, size):
        index = slice(start, start + size)
        block = rows.wide.block(index)
        block = block if rows.idle is None else block.masked_fill(rows.idle[index], 0.0)
        left = _Double.of(objective.y[index].double()) - _Double.of(bias)
        if objective.offset is not None:
            left = left - _Double.of(objective.offset[index].double())
        left = left - _Double.product(block.unsqueeze(2), weight.T).sum(1)
        heavy = left if rows.weight is None else left.times(rows.weight[index])
        part = _Double(heavy.high.unsqueeze(1), heavy.low.unsqueeze(1)).times(block.unsqueeze(2)).sum(0)
        ones = heavy.sum(0)
        part = (part - ones.times(rows.shift.unsqueeze(1))).times(1 / rows.scale.unsqueeze(1))
        gradient = gradient + (part.after(ones) if lead else part)
        residual[index] = left.high
        loss += (heavy.high * left.high).sum().item() / 2
    pull = _Double.product(weight.T, torch.full_like(weight.T, -rows.alpha)).times(
        1 / rows.scale.unsqueeze(1)
    )
    pull = pull.after(_Double.of(torch.zeros_like(bias))) if lead else pull
    return Fit(loss, (gradient + pull).high, residual)


class _Double:
    """An unevaluated sum of two float64 tensors, the second at most half a rounding unit of the first."""

    def __init__(self, high, low):
        self.high, self.low = high, low

    @classmethod
    def of(cls, values):
        return cls(values, torch.zeros_like(values))

    @classmethod
    def product(cls, one, two):
        """Return the product of two tensors, without error."""
        high = one * two
        (a, b), (c, d) = _halves(one), _halves(two)
        return cls(high, ((a * c - high) + a * d + b * c) + b * d)

    def __add__(self, other):
        high = self.high + other.high
        shadow = high - self.high
        low = (self.high - (high - shadow)) + (other.high - shadow)
        return _Double._tidy(high, low + (self.low + other.low))

    def __sub__(self, other):
        return self + _Double(-other.high, -other.low)

    def times(self, factor):
        product = _Double.product(self.high, factor)
        return _Double._tidy(product.high, product.low + self.low * factor)

    def sum(self, axis):
        """Return the sum over an axis, made in pairs."""
        high, low = self.high.movedim(axis, 0), self.low.movedim(axis, 0)
        while len(high) > 1:
            half = len(high) // 2
            pairs = _Double(high[:half], low[:half]) + _Double(high[half : 2 * half], low[half : 2 * half])
            high, low = torch.cat([pairs.high, high[2 * half :]]), torch.cat([pairs.low, low[2 * half :]])
        return _Double(high[0], low[0])

    def after(self, row):
        """Return this one with one more row on top."""
        return _Double(
            *(
                torch.cat([first.unsqueeze(0), rest])
                for first, rest in ((row.high, self.high), (row.low, self.low))
            )
        )

    @staticmethod
    def _tidy(high, low):
        total = high + low
        return _Double(total, low - (total - high))


def _halves(values):
    """Two tensors of 26 bits each that add up to this one."""
    large = _SPLIT * values
    high = large - (large - values)
    return high, values - high
